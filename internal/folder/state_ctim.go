//go:build linux || openbsd || dragonfly || solaris || illumos

package folder

import "syscall"

// inode returns the number of a file, and when it changed.
func inode(sys any) (number uint64, changed int64) {
	if st, ok := sys.(*syscall.Stat_t); ok {
		return uint64(st.Ino), st.Ctim.Nano()
	}
	return 0, 0
}

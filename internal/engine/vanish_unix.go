//go:build unix

package engine

import (
	"os"
	"syscall"
)

// hasIdentity reports whether [os.SameFile] can tell the file from others
// without opening it.
func hasIdentity(info os.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Ino != 0
}

// links returns how many names the file has.
func links(info os.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 1
}

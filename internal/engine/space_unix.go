//go:build linux || darwin || freebsd

package engine

import "syscall"

func freeSpace(directory string) (int64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(directory, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}

//go:build darwin || dragonfly || freebsd

package engine

import "golang.org/x/sys/unix"

// unwritableMedia reports whether nobody can write the file at path, because its
// file system is mounted read-only.
func unwritableMedia(path string) bool {
	var mount unix.Statfs_t
	return unix.Statfs(path, &mount) == nil && uint64(mount.Flags)&unix.MNT_RDONLY != 0
}

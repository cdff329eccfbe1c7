//go:build unix

package engine

import "golang.org/x/sys/unix"

// Kinds of access to a file.
const (
	toRead  = unix.R_OK
	toWrite = unix.W_OK
)

// allowed reports whether this process may read or write the file at path. It
// does not open the file, since closing it would drop locks.
func allowed(path string, mode uint32) bool {
	return unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS) == nil
}

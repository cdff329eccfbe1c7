package engine

import (
	"errors"

	"golang.org/x/sys/unix"
)

// identify returns the identity of the file under a name, without opening it. It does
// not ask for the file's times: once they have been asked for, Linux gives the next
// write a time of its own, and the sync after it has to write the inode too, which
// makes a durable commit a quarter slower.
func identify(name string) (fileID, error) {
	var s unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, name, 0, unix.STATX_INO, &s)
	switch {
	case errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM): // an old kernel, or a sandbox that knows no statx
		return statFile(name)
	case err != nil:
		return fileID{}, err
	case s.Ino == 0:
		return fileID{}, nil
	}
	return fileID{unix.Mkdev(s.Dev_major, s.Dev_minor), s.Ino}, nil
}

// fileSize returns the length of a file, 0 if there is none. It asks for no times either.
func fileSize(name string) int64 {
	var s unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, name, 0, unix.STATX_SIZE, &s) != nil {
		return statSize(name)
	}
	return int64(s.Size)
}

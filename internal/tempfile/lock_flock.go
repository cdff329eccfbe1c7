//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package tempfile

import (
	"errors"
	"os"
	"syscall"
)

const haveLocks = true

// tryLock takes the lock of an open file, or returns errHeld, or says that it cannot
// be locked at all. The lock ends when the file is closed.
func tryLock(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errHeld
		default:
			return err
		}
	}
}

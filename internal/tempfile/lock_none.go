//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package tempfile

import (
	"errors"
	"os"
)

const haveLocks = false

func tryLock(*os.File) error { return errors.ErrUnsupported }

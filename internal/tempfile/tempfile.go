// Package tempfile makes files and directories that exist only while their process uses
// them, and removes those that killed processes have left behind.
//
// Next to each lies another file, with the suffix ".lock", on which its process holds a
// lock (flock). The system releases the lock when the process ends for any reason, so a
// lock that is free proves that no process uses the file. Where the system has no such
// lock, or the file system does not support it, nothing is removed.
package tempfile

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// File is a file, or a directory, that nobody else has, until Remove.
type File struct {
	path     string
	lock     *os.File // nil where there are no locks
	suffixes []string
}

const (
	suffix     = ".tmp"
	lockSuffix = ".lock"
)

// errHeld says that another process, or another File of this one, holds a lock.
var errHeld = errors.New("the lock is held")

// Create removes abandoned files of the same prefix in the directory, and
// makes an empty file with a name of its own. The suffixes are those of files that
// others make beside it, and that go with it.
func Create(directory, prefix string, suffixes ...string) (*File, error) {
	return create(directory, prefix, suffixes, func(path string) error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return err
		}
		return f.Close()
	})
}

// CreateDir is Create for a directory, into which nobody but its owner can look. Remove
// removes it with all that is in it.
func CreateDir(directory, prefix string) (*File, error) {
	return create(directory, prefix, nil, func(path string) error { return os.Mkdir(path, 0o700) })
}

func create(directory, prefix string, suffixes []string, create func(path string) error) (*File, error) {
	sweep(directory, prefix, suffixes)
	for {
		f := &File{path: filepath.Join(directory, prefix+rand.Text()+suffix), suffixes: suffixes}
		err := f.takeLock()
		if err == errHeld {
			continue // somebody who sweeps was quicker
		}
		if err != nil {
			return nil, err
		}
		if err := create(f.path); err != nil {
			f.Remove()
			return nil, err
		}
		return f, nil
	}
}

// Path returns the path of the file.
func (f *File) Path() string { return f.path }

// Remove removes the file, and what lies beside it, as far as it is still there.
func (f *File) Remove() {
	removeAll(f.path, f.suffixes)
	if f.lock != nil {
		os.Remove(f.path + lockSuffix) // while it is locked, so that nobody takes it for another
		f.lock.Close()
	}
}

func removeAll(path string, suffixes []string) {
	for _, s := range suffixes {
		os.Remove(path + s)
	}
	os.RemoveAll(path)
}

// takeLock makes the lock of the file, and takes it. The lock comes before the file
// and goes after it, so that no file is ever without.
func (f *File) takeLock() error {
	if !haveLocks {
		return nil
	}
	lock, err := os.OpenFile(f.path+lockSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	if err := tryLock(lock); err == errHeld || !isNamed(lock, f.path+lockSuffix) {
		lock.Close()
		return errHeld
	}
	// Without support for locks, sweeping removes nothing.
	f.lock = lock
	return nil
}

// isNamed reports whether an open file still has the name it was opened by.
func isNamed(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(open, named)
}

// sweep removes the files in a directory whose processes have gone.
func sweep(directory, prefix string, suffixes []string) {
	if !haveLocks {
		return
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		return // making a file there will report the error
	}
	for _, e := range entries {
		path, isLock := strings.CutSuffix(filepath.Join(directory, e.Name()), suffix+lockSuffix)
		if isLock && strings.HasPrefix(e.Name(), prefix) && e.Type().IsRegular() {
			sweepOne(path+suffix, suffixes)
		}
	}
}

// sweepOne removes a file if its process has gone.
func sweepOne(path string, suffixes []string) {
	lock, err := os.OpenFile(path+lockSuffix, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer lock.Close()
	if tryLock(lock) == nil && isNamed(lock, path+lockSuffix) {
		removeAll(path, suffixes)
		os.Remove(path + lockSuffix)
	}
}

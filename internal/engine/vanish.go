package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lookAgain is the pause before a file that seems to be gone is looked for again:
// some programs replace a file by moving it away and back.
const lookAgain = 10 * time.Millisecond

// inodes are the files of an open database and the names they had when it was
// opened. SQLite writes to the files it has open, whatever becomes of their names.
type inodes struct {
	names []string
	ids   []fileID
}

// fileID tells a file from all others of the system.
type fileID struct{ device, inode uint64 }

// newInodes remembers the files of an open database. It returns nil where the
// identity of a file is unknown, or is not stable; nothing is noticed then.
func newInodes(names ...string) *inodes {
	f := &inodes{names: names}
	for _, name := range names {
		id, err := identify(name)
		if err != nil || id == (fileID{}) {
			return nil
		}
		f.ids = append(f.ids, id)
	}
	if f.missing() != "" {
		return nil // a file system that makes up the identity of a file each time
	}
	return f
}

// missing returns the first name that no longer leads to its file, or "". It
// never opens a file: closing it would drop this process's locks on it.
func (f *inodes) missing() string {
	for i, name := range f.names {
		id, err := identify(name)
		if leadsNowhere(err) || err == nil && id != f.ids[i] {
			return name
		}
	}
	return ""
}

// leadsNowhere reports whether err says that there is no file under a name. Other
// errors, such as a permission that was taken away, leave that open.
func leadsNowhere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP)
}

// errVanished is why a database whose file or log is gone takes no more writes.
var errVanished = errors.New("the file was moved, deleted or replaced while it was open")

// vanished returns an error if the file or its log is no longer found under its
// name, twice.
func (db *DB) vanished() error {
	if db.inodes == nil || db.inodes.missing() == "" {
		return nil
	}
	time.Sleep(lookAgain)
	name := db.inodes.missing()
	if name == "" {
		return nil
	}
	return fmt.Errorf("%w: %q no longer names the file that was opened", errVanished, filepath.Base(name))
}

// checkLinks refuses a file with several names: each name would have a log of its own,
// and a store opened under one name would not see the log of another.
func checkLinks(loc location) error {
	info, err := os.Stat(loc.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if n := links(info); n > 1 {
		return fmt.Errorf("%w: %q has %d hard links, and each would have a write-ahead log of its own: remove the others, copy the file, or set AllowLinks",
			ErrLinked, filepath.Base(loc.file), n)
	}
	return nil
}

// statSize is fileSize by all that stat tells of a file.
func statSize(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

package tempfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Publish gives a file the name it is to have in the same directory, unless that is
// taken. os.Rename would replace another file. Where the system cannot rename
// without replacing, the file has both names for a moment; if the process is killed
// at that moment, a store at the new name opens only with AllowLinks.
func Publish(from, to string) error {
	err := renameNew(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return linkNew(from, to)
}

// linkNew is Publish by a second name. Not every file system can give a file one.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	if err != nil {
		if _, err := os.Lstat(to); err == nil {
			return fs.ErrExist
		}
		return os.Rename(from, to)
	}
	if err := os.Remove(from); err != nil {
		return fmt.Errorf("the copy is complete, but has a second name that must be removed before it can be opened: %w", err)
	}
	return nil
}

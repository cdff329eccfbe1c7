package engine

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// ReservePath is where space is kept for when the disk is full: a file beside the
// database, which may be emptied to get that space. It is empty for a memory
// database.
func (db *DB) ReservePath() string {
	if db.loc.path == Memory {
		return ""
	}
	return reservePath(db.loc.file)
}

func reservePath(file string) string { return file + "-reserve" }

// KeepSpace makes the file at path as long as size, if it is shorter, with zeros that
// are on the disk and not only promised by it. If that fails, the file is as it was.
func KeepSpace(path string, size int64) (err error) {
	_, missing := os.Stat(path)
	// Appending leaves no hole if somebody empties the file meanwhile.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	before, err := f.Seek(0, io.SeekEnd)
	zeros := make([]byte, 256<<10)
	for at := before; err == nil && at < size; {
		var n int
		n, err = f.Write(zeros[:min(size-at, int64(len(zeros)))])
		at += int64(n)
	}
	if err == nil && before < size {
		err = f.Sync()
	}
	if err != nil {
		err = errors.Join(err, f.Truncate(before))
	}
	if err = errors.Join(err, f.Close()); err != nil && missing != nil {
		os.Remove(path)
	}
	return err
}

// FreeSpace returns how many bytes the file system of a file has left for us. It
// reports false if the system does not say.
func FreeSpace(path string) (int64, bool) { return freeSpace(filepath.Dir(path)) }

package engine

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// backupPages is how many pages are copied between two checks of the context.
const backupPages = 256

// Backup copies the database as it is at one moment into the file at path, which
// should be empty; if it fails, the file is of no use. It calls progress
// with the bytes copied, and those to be copied, after each piece. Others continue
// reading and writing, except that a memory database is held until the end. The
// copy is on the disk as far as closing a database sees to that.
func (db *DB) Backup(ctx context.Context, path string, progress func(done, total int64)) error {
	to, _, err := locate(path, false)
	if err != nil {
		return err
	}
	db.readers.hold.letGo()
	return db.ReadAside(ctx, func(ctx context.Context, c *Conn) error {
		// SQLite begins anew whenever the source has changed; in a snapshot it has not.
		return c.Snapshot(func() error { return c.backup(to, ctx.Err, progress) })
	})
}

// backup copies the snapshot the connection is in, as long as goOn returns nil.
func (c *Conn) backup(to location, goOn func() error, progress func(done, total int64)) error {
	size, err := c.integer("page_size")
	if err != nil {
		return err
	}
	if _, err := c.QueryRow("SELECT 1 FROM sqlite_schema", nil, nil); err != nil { // takes the snapshot
		return err
	}
	b, err := c.raw.Backup(to.uri+"?mode=rw", "")
	if err != nil {
		return classify(err)
	}
	defer b.Close()
	for more := true; more; {
		if err := goOn(); err != nil {
			return err
		}
		if more, err = b.Step(backupPages); err != nil {
			return classify(err)
		}
		total := int64(b.Pages())
		progress((total-int64(b.Remaining()))*size, total*size)
	}
	return classify(b.Close())
}

// Owns reports whether path is the database's file, its reserve, or one that SQLite
// makes beside it, be it there or not.
func (db *DB) Owns(path string) bool {
	if db.loc.path == Memory {
		return false
	}
	for _, own := range []string{db.loc.path, db.loc.file} {
		for _, file := range append(SideFiles(own), own, reservePath(own)) {
			if sameFile(path, file) {
				return true
			}
		}
	}
	return false
}

// Files returns the database's file, its reserve, and those that SQLite makes beside it, as
// far as they are there. No part of this process may open and close one of them: that
// drops SQLite's locks.
func (db *DB) Files() (files []fs.FileInfo) {
	if db.loc.path == Memory {
		return nil
	}
	for _, file := range append(SideFiles(db.loc.file), db.loc.file, reservePath(db.loc.file)) {
		if info, err := os.Stat(file); err == nil {
			files = append(files, info)
		}
	}
	return files
}

// sameFile reports whether a and b name one file, or would if it were there. On
// some systems names that differ in case do.
func sameFile(a, b string) bool {
	if !strings.EqualFold(filepath.Base(a), filepath.Base(b)) {
		return false
	}
	x, errX := os.Stat(filepath.Dir(a))
	y, errY := os.Stat(filepath.Dir(b))
	return errX == nil && errY == nil && os.SameFile(x, y)
}

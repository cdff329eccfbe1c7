package engine

import "github.com/bucketlite/bucketlite/internal/vfs"

// Mark is a state of the database; see [DB.Mark]. Marks are comparable.
type Mark struct{ header vfs.Header }

// Mark returns a value that stays the same as long as nobody, in whatever process,
// commits to the file: the header of the log's index, by which SQLite itself keeps or
// drops the pages that a connection has read. A result that was read after Mark had
// returned m is still right while Mark returns m. A commit changes the mark before it is
// acknowledged; the mark may also change without one.
//
// It costs no more than some atomic loads, takes no connection, and may be called from
// any goroutine. It is not ok where nothing is certain: for a database in memory, with
// PlainIO, on platforms without package vfs, before the file was first read, after
// Close, while the index awaits its recovery, and once the database refuses writes, such
// as after its file has vanished. A read does not ask for the file's name, and neither
// does Mark; see [DB.Err].
func (db *DB) Mark() (m Mark, ok bool) {
	if db.index == nil {
		return Mark{}, false
	}
	select {
	case <-db.Stopped(): // nil, and never ready, for a database that is read only
		return Mark{}, false
	default:
	}
	header, ok := db.index.Header()
	return Mark{header}, ok
}

// chooseVFS decides how the connections access the file.
func (db *DB) chooseVFS() error {
	if db.cfg.PlainIO || db.loc.path == Memory {
		return nil
	}
	name, err := vfs.Name()
	if err != nil || name == "" {
		return err
	}
	db.index = vfs.NewIndex()
	db.loc.vfs, db.loc.index = "&vfs="+name, "&"+db.index.Parameter()
	return nil
}

// closeIndex makes Mark report nothing any more.
func (db *DB) closeIndex() {
	if db.index != nil {
		db.index.Close()
	}
}

package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite/internal/vfs"
)

// Synchronous is SQLite's synchronous level.
type Synchronous int

// The levels this package offers; both keep the file whole at any crash.
const (
	// Normal: a commit survives the end of the process, not a power cut.
	Normal Synchronous = 1
	// Full: a commit survives a power cut.
	Full Synchronous = 2
)

// Config says what to open and how. All fields are required but ReadOnly, AllowLinks,
// PlainIO, HoldSnapshots, Newest and NewGroup.
type Config struct {
	Path          string
	ReadOnly      bool
	Synchronous   Synchronous
	BusyTimeout   time.Duration // how long to wait for another process's lock
	Readers       int           // the most short reads at once
	LongReads     int           // the most long reads at once, beside those; see [DB.ReadLong]
	AllowLinks    bool          // open a file that has several names
	PlainIO       bool          // use the platform's VFS as it is; see package vfs
	HoldSnapshots bool          // short reads keep their snapshot for the next, while nobody commits
	ApplicationID int32
	Migrations    []string // migration n brings the file from version n to n+1
	Newest        string   // makes a new file as all migrations would, in less time; "" runs them
	// NewGroup makes the state shared by the operations of one transaction. Its
	// argument says whether the file is unchanged since the last group, whose state is
	// then still valid.
	NewGroup func(unchanged bool) Group
}

// Group is the state that the operations of one transaction share. It is made when the
// transaction begins and dropped when it ends.
type Group interface {
	// BeforeCommit writes the state that the group still owes the file. An error takes the
	// transaction back.
	BeforeCommit(*Tx) error
	// AfterCommit runs once the commit has succeeded, before its callers return.
	AfterCommit()
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	cfg     Config
	loc     location
	writer  *writer // nil when read-only
	readers *pool
	long    *pool
	aside   *pool
	hook    CommitHook // nil but in tests
	inodes  *inodes    // nil if nothing can be said of it
	index   *vfs.Index // of the log; nil if nothing can be said of it

	closing chan struct{}
	once    sync.Once
	err     error // what closing returned
}

// Open opens or creates the database. Whatever fails, nothing stays open, and a
// file that is not ours, or is newer than we are, is left as it was.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	loc, exists, err := locate(cfg.Path, cfg.ReadOnly)
	if err != nil {
		return nil, err
	}
	if exists {
		if err := inspect(loc, cfg); err != nil {
			return nil, err
		}
	}
	if loc.path != Memory && !cfg.AllowLinks {
		if err := checkLinks(loc); err != nil {
			return nil, err
		}
	}
	db := &DB{cfg: cfg, loc: loc, hook: commitHook(ctx), closing: make(chan struct{})}
	if err := db.chooseVFS(); err != nil {
		return nil, err
	}
	if cfg.ReadOnly {
		err = db.openToRead(ctx)
	} else {
		err = db.openToWrite(ctx)
	}
	if err != nil {
		db.closeIndex()
		return nil, err
	}
	return db, nil
}

func (db *DB) openToRead(ctx context.Context) error {
	parameters, err := openReadOnly(ctx, db.loc, db.cfg)
	if errors.Is(err, ErrOldFormat) {
		db.removeLog() // reading the file has made one
	}
	if err != nil {
		return err
	}
	db.inodes = newInodes(db.loc.path)
	db.openPools(func() (*Conn, error) { return db.openReader(parameters + db.loc.index) })
	return nil
}

func (db *DB) openToWrite(ctx context.Context) error {
	conn, err := openWriter(ctx, db.loc, db.cfg)
	if err != nil {
		return err
	}
	if db.loc.path == Memory {
		db.readers = poolOf(conn, db.closing)
		db.long, db.aside = db.readers, db.readers
		db.writer = newWriter(db, nil)
		return nil
	}
	// The log stays in place while the connection is open.
	db.inodes = newInodes(db.loc.path, db.loc.file+"-wal")
	db.openPools(func() (*Conn, error) { return db.openReader("mode=rw") })
	db.writer = newWriter(db, conn)
	db.writer.checkpoints = newCheckpointer(db.writer)
	return nil
}

// openReader opens a connection for the pool. The path may lead to another file
// by now.
func (db *DB) openReader(parameters string) (*Conn, error) {
	if err := db.vanished(); err != nil {
		return nil, err
	}
	return openReader(db.loc, db.cfg, parameters)
}

func (db *DB) openPools(open func() (*Conn, error)) {
	db.readers = newPool(db.cfg.Readers, db.closing, open)
	if db.cfg.HoldSnapshots && db.index != nil {
		db.readers.hold = &holder{db: db}
	}
	db.long = newPool(db.cfg.LongReads, db.closing, open)
	db.aside = newPool(readsAside, db.closing, open)
}

// ReadOnly reports whether the database was opened for reading only.
func (db *DB) ReadOnly() bool { return db.writer == nil }

// Closing returns a channel that is closed when Close is called.
func (db *DB) Closing() <-chan struct{} { return db.closing }

// Stopped returns a channel that is closed when the database has begun to refuse
// writes; see [DB.Err]. It is nil for a database that
// was opened for reading only, which never took any.
func (db *DB) Stopped() <-chan struct{} {
	if db.writer == nil {
		return nil
	}
	return db.writer.stopped
}

// Refusal returns the error with which the database refuses writes, or nil.
func (db *DB) Refusal() error {
	if db.writer == nil {
		return ErrReadOnly
	}
	return db.writer.refused()
}

func (db *DB) isClosing() bool {
	select {
	case <-db.closing:
		return true
	default:
		return false
	}
}

// Err returns why the database takes no more writes: a commit whose outcome is
// unknown, a file that has vanished, or that it is closed. It returns nil while it
// takes writes, and always for a database that was opened for reading only.
func (db *DB) Err() error {
	switch {
	case db.writer == nil:
		return nil
	case db.isClosing():
		return ErrClosed
	}
	if err := db.writer.refused(); err != nil {
		return err
	}
	if err := db.vanished(); err != nil {
		db.writer.stop(err)
	}
	return db.writer.refused()
}

// Close ends waiting calls with ErrClosed, waits for calls inside SQLite, and
// closes the file. If no other process has it open, the log is gone afterwards;
// else at least its content is moved into the file, unless a reader is in the way.
// Further calls return the result of the first.
func (db *DB) Close() error {
	db.once.Do(func() {
		close(db.closing)
		db.closeIndex()
		if db.writer != nil {
			db.writer.close()
		}
		db.err = db.readers.close()
		if db.loc.path == Memory {
			return
		}
		db.err = errors.Join(db.err, db.long.close(), db.aside.close())
		// The last connection empties the log into the file, which would keep out
		// reads that are still running. A memory database's is in the pool.
		if db.writer != nil {
			db.err = errors.Join(db.err, db.writer.closeConn())
		}
		if db.writer == nil || db.writer.refused() == nil {
			db.removeLog()
		}
	})
	return db.err
}

package sqlite3

import (
	"sync"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Conn is a connection to a database.
type Conn struct {
	tls   *libc.TLS
	db    uintptr // changed under mu, so that Interrupt can read it
	main  uintptr // the name of the database, for SQLite
	limit int     // the bytes that a value may have

	mu sync.Mutex

	onRollback func()
	onCommit   func() bool
	authorize  func(Access) bool
	panicked   any // by one of those, or by a function, for the caller to continue with
}

// conns holds the *Conn of each handle, by which callbacks find theirs.
var conns sync.Map

// init makes SQLite ask the system for the size of a page on linux/arm64, as the driver
// does; elsewhere it does nothing.
func init() { lib.PatchIssue199() }

// Open opens a connection to the database that uri names: a path, or a URI whose parameters
// SQLite knows, such as mode=ro. vfs names a VFS; "" is the default one. Its result
// codes are extended.
func Open(uri, vfs string) (*Conn, error) {
	c := &Conn{tls: libc.NewTLS()}
	if err := c.open(uri, vfs); err != nil {
		c.release()
		return nil, err
	}
	c.limit = int(lib.Xsqlite3_limit(c.tls, c.db, lib.SQLITE_LIMIT_LENGTH, -1))
	conns.Store(c.db, c)
	return c, nil
}

func (c *Conn) open(uri, vfs string) (err error) {
	if c.main, err = cstring(c.tls, "main"); err != nil {
		return err
	}
	name, err := cstring(c.tls, uri)
	if err != nil {
		return err
	}
	defer free(c.tls, name)
	var system uintptr
	if vfs != "" {
		if system, err = cstring(c.tls, vfs); err != nil {
			return err
		}
		defer free(c.tls, system)
	}
	handle := c.tls.Alloc(pointerSize)
	defer c.tls.Free(pointerSize)
	code := lib.Xsqlite3_open_v2(c.tls, name, handle, openFlags, system)
	c.db = pointerAt(handle) // there may be one after an error, too
	if code == lib.SQLITE_OK {
		code = lib.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	}
	if code != lib.SQLITE_OK {
		return c.fail(code)
	}
	return nil
}

const openFlags = lib.SQLITE_OPEN_READWRITE | lib.SQLITE_OPEN_CREATE | lib.SQLITE_OPEN_URI | lib.SQLITE_OPEN_NOMUTEX

// Close closes the connection. Its statements must be closed before. Further calls do
// nothing.
func (c *Conn) Close() error {
	if c.db == 0 {
		return nil
	}
	conns.Delete(c.db) // the handle may soon be that of another connection
	return c.release()
}

// release frees all that the connection has.
func (c *Conn) release() (err error) {
	c.mu.Lock()
	db := c.db
	c.db = 0 // Interrupt keeps away from here on
	c.mu.Unlock()
	if db != 0 {
		if code := lib.Xsqlite3_close_v2(c.tls, db); code != lib.SQLITE_OK {
			err = failure(c.tls, 0, code)
		}
	}
	free(c.tls, c.main)
	c.tls.Close()
	return err
}

// Changes returns how many rows the last INSERT, UPDATE or DELETE changed.
func (c *Conn) Changes() int64 { return lib.Xsqlite3_changes64(c.tls, c.db) }

// TotalChanges returns how many rows the connection has changed since it was opened.
func (c *Conn) TotalChanges() int64 { return lib.Xsqlite3_total_changes64(c.tls, c.db) }

// ReadOnly reports whether the connection cannot write the database.
func (c *Conn) ReadOnly() bool { return lib.Xsqlite3_db_readonly(c.tls, c.db, c.main) == 1 }

// DataVersion returns a number that changes whenever the database does, by whatever
// connection.
func (c *Conn) DataVersion() (uint32, error) {
	p := c.tls.Alloc(4)
	defer c.tls.Free(4)
	if code := lib.Xsqlite3_file_control(c.tls, c.db, c.main, lib.SQLITE_FCNTL_DATA_VERSION, p); code != lib.SQLITE_OK {
		return 0, c.fail(code)
	}
	return *(*uint32)(at(p)), nil
}

// Script runs the statements of a text in turn, up to the first that fails. Their rows are
// lost.
func (c *Conn) Script(text string) error {
	p, err := cstring(c.tls, text)
	if err != nil {
		return err
	}
	defer free(c.tls, p)
	for rest := p; *(*byte)(at(rest)) != 0; {
		var s *Stmt
		if s, rest, err = c.compile(rest, 0); err != nil {
			return err
		}
		if s == nil {
			continue
		}
		if err := s.runOnce(); err != nil {
			return err
		}
	}
	return nil
}

// raise continues the panic of a callback, if there was one.
func (c *Conn) raise() {
	if v := c.panicked; v != nil {
		c.panicked = nil
		panic(v)
	}
}

// keep remembers the panic of a callback of the connection with a handle.
func keep(db uintptr, v any) {
	if c, ok := conns.Load(db); ok {
		c := c.(*Conn)
		if c.panicked == nil {
			c.panicked = v
		}
	}
}

package sqlite3

import (
	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// OnRollback makes f be called whenever a transaction is rolled back, by a statement or by
// SQLite itself. Of several calls, the last counts. f must not use the connection.
func (c *Conn) OnRollback(f func()) {
	c.onRollback = f
	lib.Xsqlite3_rollback_hook(c.tls, c.db, function(rolledBack), c.db)
}

func rolledBack(_ *libc.TLS, db uintptr) {
	defer guard(db)
	if c, ok := conns.Load(db); ok {
		c.(*Conn).onRollback()
	}
}

// OnCommit makes f be called before each commit of a transaction that has written. If f
// reports true, the commit fails, and the transaction is rolled back. Of several calls, the
// last counts. f must not use the connection.
func (c *Conn) OnCommit(f func() (refuse bool)) {
	c.onCommit = f
	lib.Xsqlite3_commit_hook(c.tls, c.db, function(committing), c.db)
}

func committing(_ *libc.TLS, db uintptr) (refused int32) {
	refused = 1 // if f panics
	defer guard(db)
	if c, ok := conns.Load(db); ok {
		refused = int32(bit(c.(*Conn).onCommit()))
	}
	return refused
}

// Access is what a statement would do, as SQLite says while it compiles the statement.
type Access struct {
	Action        Action
	First, Second string // by the action, as SQLite documents them
	Within        string // the trigger or view that does it, or ""
}

// Action is a kind of access.
type Action int32

// Actions that a reader needs. There are many others.
const (
	Select    Action = lib.SQLITE_SELECT
	Read      Action = lib.SQLITE_READ      // of the table First and its column Second
	Call      Action = lib.SQLITE_FUNCTION  // of the function Second
	Recursive Action = lib.SQLITE_RECURSIVE // use of a common table in itself
)

// Authorize makes allow decide what statements may do that are compiled from then on. A
// statement that does anything else does not compile.
func (c *Conn) Authorize(allow func(Access) bool) error {
	c.authorize = allow
	if code := lib.Xsqlite3_set_authorizer(c.tls, c.db, function(authorizing), c.db); code != lib.SQLITE_OK {
		return c.fail(code)
	}
	return nil
}

func authorizing(_ *libc.TLS, db uintptr, action int32, first, second, _, within uintptr) (code int32) {
	code = lib.SQLITE_DENY
	defer guard(db)
	c, ok := conns.Load(db)
	if ok && c.(*Conn).authorize(Access{Action(action), libc.GoString(first), libc.GoString(second), libc.GoString(within)}) {
		code = lib.SQLITE_OK
	}
	return code
}

// guard keeps a panic of a callback for the caller of SQLite to continue with.
func guard(db uintptr) {
	if v := recover(); v != nil {
		keep(db, v)
	}
}

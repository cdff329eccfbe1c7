// Package sqlite3 binds the part of SQLite that package engine uses, straight over
// modernc.org/sqlite/lib, SQLite's C code translated to Go. It has no pool, no
// conversions and no database/sql. It can live beside the driver of modernc.org/sqlite
// in one process: both use one library, which package pagecache configures for both.
//
// # Goroutines
//
// A [Conn] and what is made of it belong to one goroutine at a time. SQLite knows that
// and takes no locks for a connection. Only [Conn.Interrupt] may be called by any
// goroutine, at any time.
//
// # Values
//
// An argument is nil, bool, int64, float64, string or []byte; a bool is stored as 0 or 1.
// A nil []byte is NULL, and an empty one that is not nil is a blob of no bytes. A text may
// hold NUL. A text or blob that is longer than SQLite's limit fails with the code
// SQLITE_TOOBIG. An argument that is missing is an error; those that the statement has no
// parameter for are ignored.
//
// The values of a row lie in SQLite's memory. [Value.Text] and [Value.Bytes] copy what they
// return, so a column that nobody reads costs no copy. The values that a [Function] is
// called with are not copied: they end with the call.
//
// # Panics
//
// A panic must not pass through SQLite's frames, which would leave the connection in the
// midst of a statement. So a panic of a function, hook or authorizer makes the statement
// fail, and continues from the call that ran the statement, which is then reset.
package sqlite3

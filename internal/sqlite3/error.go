package sqlite3

import (
	"errors"
	"fmt"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Error is a result code of SQLite other than success.
type Error struct {
	// Code is the extended result code. Its low byte is the primary one.
	Code int
	// Meaning is SQLite's text for the code.
	Meaning string
	// Detail is what the connection says of the error beyond that. It is empty if the
	// connection's last error is another one.
	Detail string
}

func (e *Error) Error() string {
	text := e.Meaning
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	text = fmt.Sprintf("%s (%d)", text, e.Code)
	if e.Code == lib.SQLITE_BUSY {
		text += " (SQLITE_BUSY)"
	}
	return text
}

var (
	errNUL    = errors.New("sqlite3: a NUL character in a statement or name")
	errActive = errors.New("sqlite3: the statement is running")
	errMany   = errors.New("sqlite3: more than one statement")
	errNone   = errors.New("sqlite3: no statement")
)

// noMemory returns the error for memory that the system does not give.
func noMemory() error { return &Error{Code: lib.SQLITE_NOMEM, Meaning: "out of memory"} }

// fail returns the error for a result code of the connection.
func (c *Conn) fail(code int32) error { return failure(c.tls, c.db, code) }

// failure returns the error for a result code. The connection's own text is used only if
// it is about that code: for an error of a backup's target, the source says "not an error".
func failure(tls *libc.TLS, db uintptr, code int32) error {
	e := &Error{Code: int(code), Meaning: libc.GoString(lib.Xsqlite3_errstr(tls, code))}
	if db == 0 {
		return e
	}
	if last := lib.Xsqlite3_extended_errcode(tls, db); last&0xff != code&0xff {
		return e
	}
	if text := libc.GoString(lib.Xsqlite3_errmsg(tls, db)); text != e.Meaning {
		e.Detail = text
	}
	return e
}

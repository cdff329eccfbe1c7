package engine

import (
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite/internal/sqlite3"
)

// Errors that callers tell apart. Every error of this package that has one of
// these causes matches it with errors.Is.
var (
	// ErrBusy: another process held a lock for longer than the busy timeout. Nothing happened.
	ErrBusy = errors.New("the file is locked by another process")
	// ErrClosed: the database was closed before or during the call. Nothing happened.
	ErrClosed = errors.New("the store is closed")
	// ErrCorrupt: the file is damaged, is no SQLite database, or is not together with its log.
	ErrCorrupt = errors.New("the file is damaged")
	// ErrFull: the disk, or the size the file may have, is exhausted. Nothing happened.
	ErrFull = errors.New("the disk is full")
	// ErrReadOnly: a write on a database that was opened, or has become, read-only. Nothing happened.
	ErrReadOnly = errors.New("the store is read-only")
	// ErrTooLarge: a value is longer than SQLite can hold. Nothing happened.
	ErrTooLarge = errors.New("too large")
	// ErrOutcomeUnknown: the disk failed while a commit was under way, or the file
	// had vanished after it; after reopening, the write is there whole or not at all.
	ErrOutcomeUnknown = errors.New("the outcome of the commit is unknown")
	// ErrNotAStore: the file is a database of another application.
	ErrNotAStore = errors.New("the file belongs to another application")
	// ErrLinked: the file has several names, each with a log of its own.
	ErrLinked = errors.New("the file has several names")
	// ErrNewFormat: the file was written by a newer version of this library.
	ErrNewFormat = errors.New("the file was written by a newer version")
	// ErrOldFormat: the file was written by an older version, and is not to be changed.
	ErrOldFormat = errors.New("the file was written by an older version")
)

// SQLite's primary result codes that this package tells apart.
const (
	codeError      = 1
	codeBusy       = 5
	codeLocked     = 6
	codeReadOnly   = 8
	codeIOErr      = 10
	codeCorrupt    = 11
	codeFull       = 13
	codeCantOpen   = 14
	codeProtocol   = 15 // others were in the way, a hundred times in turn
	codeTooBig     = 18
	codeConstraint = 19
	codeNotADB     = 26
)

// classify is the one place where SQLite's result codes become errors: it wraps
// err in the sentinel its code stands for and keeps SQLite's own text.
func classify(err error) error {
	var sentinel error
	switch primaryCode(err) {
	case codeBusy, codeLocked, codeProtocol:
		sentinel = ErrBusy
	case codeReadOnly:
		sentinel = ErrReadOnly
	case codeCorrupt, codeNotADB:
		sentinel = ErrCorrupt
	case codeFull:
		sentinel = ErrFull
	case codeTooBig:
		sentinel = ErrTooLarge
	default:
		return err
	}
	return fmt.Errorf("%w: %w", sentinel, err)
}

// primaryCode returns the primary SQLite result code err carries, or 0.
func primaryCode(err error) int {
	var e *sqlite3.Error
	if errors.As(err, &e) {
		return e.Code & 0xff
	}
	return 0
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/bucketlite/bucketlite"
)

// The exit codes. They are documented by exitCodes.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitInvalid     = 4
	exitConflict    = 5
	exitState       = 6
	exitDamaged     = 7
	exitBusy        = 8
	exitNoStore     = 9
	exitInterrupted = 130
)

// exitCodes says what each code means, and which errors lead to it. The first that
// fits counts.
var exitCodes = []struct {
	code   int
	means  string
	errors []error
}{
	{exitOK, "success", nil},
	{exitFailure, "another failure, such as a full disk", nil},
	{exitUsage, "a wrong command line, or a wrong filter or cursor in it", []error{bucketlite.ErrBadRequest}},
	{exitNotFound, "a named thing does not exist, or no longer", []error{bucketlite.ErrNotFound, bucketlite.ErrCursorExpired}},
	{exitInvalid, "the input was refused, or some lines of it", []error{errRefused, bucketlite.ErrInvalid, bucketlite.ErrTooLarge}},
	{exitConflict, "a conflict: a name, id or key is taken, or a version has changed", []error{bucketlite.ErrConflict, bucketlite.ErrExists}},
	{exitState, "the bucket is locked, archived, suspended or being deleted", []error{bucketlite.ErrLocked, bucketlite.ErrNotActive}},
	{exitDamaged, "the store is damaged", []error{bucketlite.ErrCorrupt}},
	{exitBusy, "another program kept the store busy for too long; nothing happened", []error{bucketlite.ErrBusy}},
	{exitNoStore, "the file is not a store, or has another format version", []error{bucketlite.ErrNotAStore, bucketlite.ErrNewFormat, bucketlite.ErrOldFormat}},
	{exitInterrupted, "interrupted; everything stored until then stays", nil},
}

// exitCode returns the code for an error of a command.
func exitCode(err error) int {
	var usage *usageError
	var stopped *interrupted
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &stopped):
		return exitInterrupted
	case errors.As(err, &usage):
		return exitUsage
	}
	for _, e := range exitCodes {
		for _, target := range e.errors {
			if errors.Is(err, target) {
				return e.code
			}
		}
	}
	return exitFailure
}

// exitCodesText is the table of codes for people.
func exitCodesText() string {
	var b strings.Builder
	for _, e := range exitCodes {
		fmt.Fprintf(&b, "  %3d  %s\n", e.code, e.means)
	}
	return b.String()
}

// errRefused ends a command that has refused some lines of its input
// and told each by itself.
var errRefused = errors.New("refused")

// usageError is a command line that is invalid.
type usageError struct {
	err     error
	command string // whose help says more; empty if it would not
}

func (e *usageError) Unwrap() error { return e.err }

func (e *usageError) Error() string {
	if e.command == "" {
		return message(e.err)
	}
	return fmt.Sprintf("%s; see %q", message(e.err), e.command+" --help")
}

func usagef(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// interrupted is an error that came of a signal.
type interrupted struct{ err error }

func (e *interrupted) Unwrap() error { return e.err }

func (e *interrupted) Error() string {
	var a *advised
	if errors.As(e.err, &a) {
		return "interrupted; " + a.advice
	}
	return "interrupted"
}

// located is an error with the place it is about before it.
type located struct {
	place string
	err   error
}

func (e *located) Unwrap() error { return e.err }
func (e *located) Error() string { return e.place + ": " + message(e.err) }

// advised is an error with what may help behind it.
type advised struct {
	err    error
	advice string
}

func (e *advised) Unwrap() error { return e.err }
func (e *advised) Error() string { return message(e.err) + "; " + e.advice }

// message returns the text of an error without the library's prefix, so that the
// program's own stands before it once.
func message(err error) string {
	// The operation in a *fs.PathError, as in "open a.json: …", says nothing to people.
	if path, ok := err.(*fs.PathError); ok {
		return path.Path + ": " + path.Err.Error()
	}
	return strings.TrimPrefix(err.Error(), "bucketlite: ")
}

// fail prints an error. If it was printed already, line by line, it ends in
// errRefused and says how many lines of the input were refused.
func (a *app) fail(err error) {
	if err == nil {
		return
	}
	a.note("%s", message(err))
	var p *pointed
	if errors.As(err, &p) {
		p.show(a)
	}
}

// note tells something on standard error.
func (a *app) note(format string, args ...any) {
	if a.bar != nil {
		a.bar.clear()
	}
	fmt.Fprintf(a.err, "bucketlite: %s\n", printable(fmt.Sprintf(format, args...)))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, exitOK},
		{errors.New("x"), exitFailure},
		{bucketlite.ErrFull, exitFailure},
		{bucketlite.ErrReadOnly, exitFailure},
		{bucketlite.ErrOutcomeUnknown, exitFailure},
		{bucketlite.ErrClosed, exitFailure},
		{usagef("x"), exitUsage},
		{bucketlite.ErrBadRequest, exitUsage},
		{&bucketlite.QueryError{}, exitUsage},
		{bucketlite.ErrNotFound, exitNotFound},
		{bucketlite.ErrCursorExpired, exitNotFound},
		{errRefused, exitInvalid},
		{&bucketlite.ValidationError{}, exitInvalid},
		{bucketlite.ErrTooLarge, exitInvalid},
		{&bucketlite.ConflictError{}, exitConflict},
		{&bucketlite.ConflictError{Exists: true}, exitConflict},
		{bucketlite.ErrExists, exitConflict},
		{&bucketlite.StateError{Locked: true}, exitState},
		{&bucketlite.StateError{}, exitState},
		{bucketlite.ErrCorrupt, exitDamaged},
		{bucketlite.ErrBusy, exitBusy},
		{bucketlite.ErrNotAStore, exitNoStore},
		{bucketlite.ErrNewFormat, exitNoStore},
		{bucketlite.ErrOldFormat, exitNoStore},
		{&interrupted{context.Canceled}, exitInterrupted},
		{&interrupted{bucketlite.ErrNotFound}, exitInterrupted},
		{&located{"x", fmt.Errorf("y: %w", bucketlite.ErrBusy)}, exitBusy},
		{&advised{bucketlite.ErrNotFound, "x"}, exitNotFound},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}

// TestExitCodesAreDocumented has the help name every code once.
func TestExitCodesAreDocumented(t *testing.T) {
	t.Parallel()
	help := must(t, "", "--help")
	for code := range 200 {
		documented := strings.Contains(help, fmt.Sprintf("\n  %3d  ", code))
		used := false
		for _, e := range exitCodes {
			used = used || e.code == code
		}
		if documented != used {
			t.Errorf("exit code %d: in the help %v, in use %v", code, documented, used)
		}
	}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	state := &bucketlite.StateError{Bucket: "b", Action: "be deleted", Locked: true}
	for _, c := range []struct {
		err  error
		want string
	}{
		{state, `bucket "b" is locked: cannot be deleted`},
		{&located{"a.jsonl:3", state}, `a.jsonl:3: bucket "b" is locked: cannot be deleted`},
		{&advised{state, "wait"}, `bucket "b" is locked: cannot be deleted; wait`},
		{&fs.PathError{Op: "open", Path: "a", Err: fs.ErrNotExist}, "a: file does not exist"},
		{&interrupted{context.Canceled}, "interrupted"},
		{&interrupted{&advised{context.Canceled, "wait"}}, "interrupted; wait"},
		{&usageError{err: state, command: "x"}, `bucket "b" is locked: cannot be deleted; see "x --help"`},
	} {
		if got := message(c.err); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

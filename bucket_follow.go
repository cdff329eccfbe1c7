package bucketlite

import (
	"context"
	"errors"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// A call validates its input by a definition that the store has compiled before. Another call,
// in any process, may have changed the bucket's schema since. So whatever depends on the
// definition compares its number in the transaction or snapshot that the call works in,
// which costs no statement, and the call starts again if it has moved.

// errRedefined reports that a bucket's definition is not the one that a call knows.
var errRedefined = errors.New("the bucket's schema has changed")

// following calls f with a handle that has the bucket's latest known definition, again
// whenever the definition turns out to have moved. A refusal counts only by a definition
// that still stands.
func (b *Bucket) following(ctx context.Context, f func(*Bucket) error) error {
	for {
		now := b.current()
		err := f(now)
		if err == nil || !now.hasMoved(ctx, err) {
			return err
		}
		if err := b.store.redefine(ctx, b.num); err != nil {
			return err
		}
	}
}

// current returns the handle with the latest definition that the store knows.
func (b *Bucket) current() *Bucket {
	def := b.store.knownDefinition(b.num)
	if def == nil || def == b.def || b.def != nil && def.number < b.def.number {
		return b
	}
	now := *b
	now.def = def
	return &now
}

// hasMoved reports whether a call failed because of a definition that no longer stands.
func (b *Bucket) hasMoved(ctx context.Context, failure error) bool {
	if errors.Is(failure, errRedefined) {
		return true
	}
	refused := false
	for _, refusal := range []error{ErrInvalid, ErrBadRequest, ErrNotFound, ErrConflict, ErrTooLarge} {
		refused = refused || errors.Is(failure, refusal)
	}
	return refused && b.redefined(ctx)
}

// redefined reports whether the bucket is known to have another definition.
func (b *Bucket) redefined(ctx context.Context) bool {
	number := b.def.number
	err := b.store.read(ctx, func(c *engine.Conn) error {
		_, err := c.QueryRow("SELECT definition FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) { number = r.Int(0) })
		return err
	})
	return err == nil && number != b.def.number
}

// redefine compiles the bucket's definition again.
func (s *Store) redefine(ctx context.Context, num int64) error {
	var stored storedDefinition
	err := s.read(ctx, func(c *engine.Conn) (err error) {
		exists := false
		stored, exists, err = selectDefinition(c, num)
		if err == nil && !exists {
			err = notFound("the bucket")
		}
		return err
	})
	if err != nil {
		return err
	}
	if _, err := s.compileDefinition(num, stored); err != nil {
		return errorf("bucket number %d: %w: %v", num, ErrCorrupt, err)
	}
	return nil
}

// defined returns the bucket's state if it permits to write objects, and if the handle has
// the bucket's definition.
func (b *Bucket) defined(tx *commit.Tx) (*commit.Bucket, error) {
	state, err := b.permitted(tx, writeObjects)
	if err == nil && state.Definition != b.def.number {
		err = errRedefined
	}
	return state, err
}

// readable returns an error if the committed state of the bucket forbids to read objects,
// or if the handle has not the bucket's definition.
func (b *Bucket) readable(c *engine.Conn) error {
	verdict := b.gone()
	_, err := c.QueryRow("SELECT name, status, is_locked, definition FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) {
		verdict = permit(r.Text(0), Status(r.Text(1)), r.Int(2) != 0, readObjects)
		if verdict == nil && r.Int(3) != b.def.number {
			verdict = errRedefined
		}
	})
	if err != nil {
		return err
	}
	return verdict
}

package bucketlite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// Limits of the changes of one [Store.Apply].
const (
	// MaxChanges is the maximum number of changes.
	MaxChanges = 1000
	// MaxChangeBytes is the maximum size of all changes together. A put or patch
	// counts the fields and the blobs' properties of the object that it stores, and
	// the content that it holds in memory. Longer content of a Reader or a URL, more
	// than 256 KiB, is staged on disk and does not count. A deletion counts 0.
	MaxChangeBytes = 16 << 20
)

// ChangeResult is the result of one change of a set.
type ChangeResult struct {
	// Object is the object as that change stored it, or nil after a deletion.
	Object *Object `json:"object"`
	// Created is true if the change was a put that created the object.
	Created bool `json:"created"`
	// BatchID names the batch that processes the object, if the change was a put with
	// Process.
	BatchID string `json:"batch_id,omitempty"`
}

// Apply makes all changes of a set, in order, or none: objects are put, patched and
// deleted in any buckets of the store, in one commit. [Bucket.PutChange],
// [Bucket.PatchChange] and [Bucket.DeleteChange] make the changes. The results are in the
// order of the changes. An empty set has no effect.
//
// A change sees the effects of the changes before it. Each object may be changed several
// times, and the events of a set have consecutive numbers. An IfVersion refers to the
// object as it was before the set, whatever earlier changes did to it: so a version that
// was read guards every change of that object. An object that an earlier change has
// created or deleted has no such version, and the guard fails.
//
// Readers are read, URLs fetched and inputs validated before the set waits for its turn
// to write. No code of the caller runs while it writes.
//
// If a change is refused, the error is a [*ChangeError] with its index, and matches what
// [Bucket.Put], [Bucket.Patch] or [Bucket.DeleteObject] would return: [ErrConflict] if a
// guard fails, [ErrLocked] if its bucket is locked, and so on. It is [ErrBadRequest] for a
// bucket of another store. If several changes would be refused, the error is about one of
// them. A set with too many changes or bytes is [ErrTooLarge]. After any error except
// [ErrOutcomeUnknown] nothing has changed.
func (s *Store) Apply(ctx context.Context, changes ...Change) ([]ChangeResult, error) {
	if len(changes) > MaxChanges {
		return nil, errorf("%w: got %d changes, want at most %d", ErrTooLarge, len(changes), MaxChanges)
	}
	for i := range changes {
		if err := changes[i].check(s); err != nil {
			return nil, &ChangeError{i, err}
		}
	}
	if len(changes) == 0 {
		return nil, ctx.Err()
	}
	ctx = engine.WaitOnce(ctx) // content may have to be staged
	set := &changeSet{store: s, changes: slices.Clone(changes)}
	for i := range set.changes {
		set.changes[i].in.keepReaders()
	}
	applied := false
	defer func() {
		if !applied { // refused, or a reader or fetcher has panicked
			set.giveUp(ctx)
		}
	}()
	if err := set.run(ctx); err != nil {
		return nil, err
	}
	applied = true
	set.payRoom(ctx)
	return set.results()
}

// changeSet is one Apply call.
type changeSet struct {
	store   *Store
	changes []Change
	steps   []step // one for each change, as far as they are prepared
}

// run applies the changes, again whenever the definition of a bucket turns out to have
// moved. A refusal counts only by a definition that still stands.
func (set *changeSet) run(ctx context.Context) error {
	for {
		err := set.runOnce(ctx)
		at, blamed := err.(*ChangeError)
		if !blamed {
			return err
		}
		b := set.steps[at.Index].target()
		if !b.hasMoved(ctx, at.Err) {
			return err
		}
		if err := set.store.redefine(ctx, b.num); err != nil {
			return blame(at.Index, err)
		}
	}
}

// runOnce prepares the changes and applies them. If a change keeps content of an object
// that has moved, it fetches the content and applies the set again.
func (set *changeSet) runOnce(ctx context.Context) error {
	set.discard(ctx)
	if err := set.prepare(ctx); err != nil {
		return err
	}
	if err := set.fetch(ctx); err != nil {
		return err
	}
	for {
		err := set.write(ctx)
		at, blamed := err.(*ChangeError)
		if !blamed || at.Err != errMoved {
			return err
		}
		if err := set.steps[at.Index].fetch(ctx, true); err != nil {
			return blame(at.Index, err)
		}
	}
}

// blame returns err as the error of a change, unless it is not the change's fault. The
// error of another set within it is that of a reader, and must not pass for one of this set.
func blame(i int, err error) error {
	moved := err == errMoved || err == errRedefined
	within := errors.As(err, new(*ChangeError))
	if moved || within || ours(err) && mayBeOnes(err) && !errors.Is(err, ErrFull) {
		return &ChangeError{i, err}
	}
	return err
}

// prepare validates the inputs and reads their readers, in order.
func (set *changeSet) prepare(ctx context.Context) error {
	size := changeBytes(0)
	before := make(map[int64]bool) // buckets of the changes so far
	for i := range set.changes {
		c := &set.changes[i]
		set.steps = append(set.steps, c.step(before[c.bucket.num]))
		before[c.bucket.num] = true
		err := hopeless(ctx)
		if err == nil {
			err = set.steps[i].prepare(ctx)
		}
		if err == nil {
			err = size.add(set.steps[i])
		}
		if err != nil {
			return blame(i, err)
		}
	}
	return nil
}

// fetch fetches the links of the changes.
func (set *changeSet) fetch(ctx context.Context) error {
	var linked []int
	for i, s := range set.steps {
		if s.isLinked() {
			linked = append(linked, i)
		}
	}
	errs := make([]error, len(linked))
	fetchTogether(len(linked), func(n int) {
		if errs[n] = hopeless(ctx); errs[n] == nil {
			errs[n] = set.steps[linked[n]].fetch(ctx, false)
		}
	})
	for n, err := range errs {
		if err != nil {
			return blame(linked[n], err)
		}
	}
	return nil
}

// write applies the prepared changes. A set that only deletes may use the space that is
// kept for deletions.
func (set *changeSet) write(ctx context.Context) error {
	isPut := func(c Change) bool { return c.kind != deleteChange }
	if slices.ContainsFunc(set.changes, isPut) {
		return set.store.write(ctx, set.apply)
	}
	return set.store.free(ctx, set.apply)
}

// apply applies the prepared changes in the writer's transaction, all or none.
func (set *changeSet) apply(tx *commit.Tx) error {
	return tx.Attempt(func() error {
		size, seen := changeBytes(0), newHistory()
		for i, s := range set.steps {
			err := s.apply(tx, seen)
			if err == nil {
				err = size.add(s)
			}
			if err != nil {
				return blame(i, err)
			}
		}
		return nil
	})
}

// changeBytes is the size of the changes so far.
type changeBytes int64

// add adds the size of a change, unless the set gets too large.
func (n *changeBytes) add(s step) error {
	if *n += changeBytes(s.size()); *n > MaxChangeBytes {
		return errorf("%w: the changes up to this one have %d bytes, want at most %d in one set", ErrTooLarge, *n, MaxChangeBytes)
	}
	return nil
}

// discard undoes the preparation of the changes.
func (set *changeSet) discard(ctx context.Context) {
	for _, s := range set.steps {
		s.release(ctx)
	}
	set.steps = nil
}

// giveUp releases all contents of the changes.
func (set *changeSet) giveUp(ctx context.Context) {
	set.discard(ctx)
	for i := range set.changes {
		set.store.stage.Release(ctx, set.changes[i].in.keptContents()...)
	}
}

// results returns the results of the applied changes.
func (set *changeSet) results() ([]ChangeResult, error) {
	results := make([]ChangeResult, len(set.steps))
	for i, s := range set.steps {
		var err error
		if results[i], err = s.result(); err != nil {
			return nil, blame(i, err)
		}
	}
	return results, nil
}

// payRoom makes room for what the changes owe to buckets that limit their size.
func (set *changeSet) payRoom(ctx context.Context) {
	owed := make(map[int64]int64) // by the buckets' numbers
	for _, s := range set.steps {
		owed[s.target().num] += s.owed()
	}
	for _, s := range set.steps {
		b := s.target()
		b.payRoom(ctx, owed[b.num])
		delete(owed, b.num)
	}
}

// history knows the versions that the objects of a set had before it. Versions are unique
// among all states of the objects of a bucket.
type history struct {
	latest map[versionOf]int64 // by the version before the set: what it is now
	before map[versionOf]int64 // by a version that the set has given: that before it, 0 for none
}

// versionOf is a version of an object of the bucket with the number.
type versionOf struct{ bucket, version int64 }

func newHistory() *history {
	return &history{make(map[versionOf]int64), make(map[versionOf]int64)}
}

// note records that a change has given an object a new version.
func (h *history) note(b *Bucket, old, now int64) {
	first := old
	if v, changed := h.before[versionOf{b.num, old}]; changed {
		first = v
	}
	h.before[versionOf{b.num, now}] = first
	if first != 0 {
		h.latest[versionOf{b.num, first}] = now
	}
}

// noVersion is a version that no object has.
const noVersion = -1

// guard returns the version that an object has now if it had the given one before the
// set. A version that only the set has given guards nothing.
func (h *history) guard(b *Bucket, version int64) int64 {
	at := versionOf{b.num, version}
	if now, changed := h.latest[at]; changed {
		return now
	}
	if _, given := h.before[at]; given {
		return noVersion
	}
	return version
}

// explain returns the error of a change that was refused. That of a guard does not name a
// version that only the set has seen.
func (h *history) explain(b *Bucket, guard int64, err error) error {
	conflict, ok := err.(*ConflictError)
	if !ok || !conflict.Version {
		return err
	}
	e := *conflict
	before, changed := h.before[versionOf{b.num, e.stored}]
	_, deleted := h.latest[versionOf{b.num, guard}]
	switch {
	case e.stored == 0 && deleted:
		e.Reason = fmt.Sprintf("IfVersion is %d, but an earlier change has deleted the object", guard)
	case e.stored == 0:
		e.Reason = fmt.Sprintf("IfVersion is %d, but there is no object yet", guard)
	case !changed:
		e.Reason = fmt.Sprintf("object %q has version %d, not %d", e.ExistingID, e.stored, guard)
	case before == 0:
		e.Reason = fmt.Sprintf("object %q is new in the set, and did not have version %d before it", e.ExistingID, guard)
	default:
		e.Reason = fmt.Sprintf("object %q had version %d before the set, not %d", e.ExistingID, before, guard)
	}
	return &e
}

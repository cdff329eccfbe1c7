package bucketlite

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// MaxPutMany is the most objects one [Bucket.PutMany] takes.
const MaxPutMany = 10_000

// A slice of a bulk is one operation of the writer. Small slices let other
// callers in between, large ones cost less per object.
const (
	sliceObjects = 250
	sliceBytes   = 4 << 20
)

// PutManyOptions adjust [Bucket.PutMany]. Nil means the defaults.
type PutManyOptions struct {
	// Policy is that of [PutOptions], for every object.
	Policy Policy
	// Atomic stores all objects in one commit, or none of them.
	Atomic bool
}

// PutManyResult is what became of the inputs of a [Bucket.PutMany]. Each is in one of the lists.
type PutManyResult struct {
	Succeeded []PutManySuccess
	Failed    []PutManyFailure
}

// PutManySuccess is an input that was stored.
type PutManySuccess struct {
	Index int // of the input
	PutResult
}

// PutManyFailure is an input that was not stored.
type PutManyFailure struct {
	Index int // of the input
	Err   error
}

// PutMany stores up to [MaxPutMany] objects, each as [Bucket.Put] would, in order:
// an input sees what those before it did. An input that is refused harms no other;
// the result says why, and the error is nil. Both lists are in order of the inputs.
//
// With Atomic, one refusal refuses all: the error is that of the first input
// refused, and the result holds what is known of the others.
//
// If ctx ends, what was committed by then stays and is in the result; the rest
// has failed with the context's error, which is returned as well.
//
// The call waits for another process that holds the file once: inputs that come
// after [Options].BusyTimeout has passed fail with [ErrBusy] at once. Inputs whose
// commit is lost have failed with [ErrOutcomeUnknown]; those after them, of which
// nothing was stored, with [ErrReadOnly].
func (b *Bucket) PutMany(ctx context.Context, inputs []ObjectInput, opts *PutManyOptions) (*PutManyResult, error) {
	if opts == nil {
		opts = &PutManyOptions{}
	}
	if len(inputs) > MaxPutMany {
		return nil, errorf("%s: %w: %d objects in one call, at most %d are taken", b, ErrTooLarge, len(inputs), MaxPutMany)
	}
	if b.def.key != nil {
		if _, err := b.def.unique.policy(opts.Policy); err != nil {
			return nil, err
		}
	}
	ctx = engine.WaitOnce(ctx)
	bulk := &bulk{bucket: b, opts: *opts, items: make([]bulkItem, len(inputs))}
	ended := false
	defer func() {
		if !ended { // a reader has panicked
			bulk.release(ctx, true)
		}
	}()
	var err error
	if opts.Atomic {
		err = bulk.putAll(ctx, inputs)
	} else {
		bulk.putEach(ctx, inputs)
		err = bulk.interrupted(ctx)
	}
	bulk.release(ctx, opts.Atomic && err != nil)
	ended = true
	return bulk.result(err)
}

// bulk is one PutMany.
type bulk struct {
	bucket *Bucket
	opts   PutManyOptions
	items  []bulkItem
}

// bulkItem is one input on its way.
type bulkItem struct {
	put *putter
	err error
}

// prepare judges and encodes the inputs from start on that make up the next
// slice, brings in what they refer to, and returns where the slice ends.
func (k *bulk) prepare(ctx context.Context, inputs []ObjectInput, start, most int) (end int) {
	size := 0
	for end = start; end < len(inputs) && end-start < most && size < sliceBytes; end++ {
		item := &k.items[end]
		if item.err = hopeless(ctx); item.err != nil {
			continue
		}
		item.put, item.err = k.bucket.prepare(ctx, &inputs[end], PutOptions{Policy: k.opts.Policy})
		if item.err != nil {
			continue
		}
		item.put.batched = true
		size += len(item.put.data.JSONB)
		for _, c := range item.put.contents {
			size += len(c.Data)
		}
		size += len(item.put.links) * content.ChunkSize // at most, and not known yet
	}
	k.fetch(ctx, k.items[start:end])
	return end
}

// hopeless returns the error with which each write of the call would end.
func hopeless(ctx context.Context) error {
	if err := ctx.Err(); err != nil || !engine.HasWaited(ctx) {
		return err
	}
	return public(ErrBusy)
}

// fetch brings in what the items of a slice refer to, several at once since it is
// waiting for the most part.
func (k *bulk) fetch(ctx context.Context, slice []bulkItem) {
	var linked []*bulkItem
	for i := range slice {
		if p := slice[i].put; p != nil && len(p.links) > 0 {
			linked = append(linked, &slice[i])
		}
	}
	var wg sync.WaitGroup
	var next atomic.Int64
	var panicked atomic.Pointer[any]
	for range min(fetchesAtOnce, len(linked)) {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					panicked.Store(&r)
				}
			}()
			for i := next.Add(1); i <= int64(len(linked)); i = next.Add(1) {
				item := linked[i-1]
				if item.err = hopeless(ctx); item.err == nil {
					item.err = item.put.fetch(ctx, false)
				}
			}
		})
	}
	wg.Wait()
	if r := panicked.Load(); r != nil {
		panic(*r) // where the caller can recover it
	}
	for _, item := range linked {
		if item.err != nil {
			k.bucket.store.stage.Release(ctx, item.put.contents...)
			item.put = nil
		}
	}
}

// putEach stores the inputs slice by slice. While the writer is busy with one,
// the next is being prepared.
func (k *bulk) putEach(ctx context.Context, inputs []ObjectInput) {
	var running *engine.Pending
	var slice []bulkItem
	for start := 0; start < len(inputs); {
		end := k.prepare(ctx, inputs, start, sliceObjects)
		k.finish(ctx, running, slice)
		slice = k.items[start:end]
		running = k.start(ctx, slice)
		start = end
	}
	k.finish(ctx, running, slice)
}

func (k *bulk) start(ctx context.Context, slice []bulkItem) *engine.Pending {
	return k.bucket.store.start(ctx, func(tx *commit.Tx) error { return putSlice(tx, slice) })
}

// putSlice stores the items of a slice. One that is refused has not written, so
// the others stand; an error of the engine fails the slice. Behind an item whose
// object has moved on the rest waits as well, to keep the order.
func putSlice(tx *commit.Tx, slice []bulkItem) error {
	var moved error
	for i := range slice {
		item := &slice[i]
		if item.put == nil {
			continue
		}
		if item.err = moved; moved == nil {
			item.err = item.put.put(tx)
		}
		switch {
		case item.err == errMoved:
			moved = errMoved
		case item.err != nil && !ours(item.err):
			return item.err
		}
	}
	return nil
}

// finish waits for a slice. If it failed as a whole, but one of its items may be the
// cause, each is put by itself, so that only those fail that must; as is each that
// has waited for an object that moved on.
func (k *bulk) finish(ctx context.Context, running *engine.Pending, slice []bulkItem) {
	if running == nil {
		return
	}
	err := running.Wait()
	apart := err != nil && ctx.Err() == nil && len(slice) > 1 && mayBeOnes(err)
	for i := range slice {
		item := &slice[i]
		switch {
		case item.put == nil || err == nil && item.err != errMoved:
		case err != nil && !apart:
			item.err = public(err)
		default:
			item.err = item.put.run(ctx)
		}
	}
}

// mayBeOnes reports whether err, with which the write of several items failed, means
// that nothing happened and may be due to one of them. Otherwise it is the verdict on
// all: what the store makes of a second attempt is not what became of the first.
func mayBeOnes(err error) bool {
	for _, all := range []error{ErrOutcomeUnknown, ErrReadOnly, ErrClosed, ErrBusy} {
		if errors.Is(err, all) {
			return false
		}
	}
	return true
}

// putAll stores all inputs in one commit or none.
func (k *bulk) putAll(ctx context.Context, inputs []ObjectInput) error {
	for start := 0; start < len(inputs); {
		start = k.prepare(ctx, inputs, start, len(inputs))
	}
	err := k.firstError()
	for try := 0; err == nil || errors.Is(err, errMoved); try++ {
		for i := range k.items {
			if item := &k.items[i]; item.err == errMoved {
				if item.err = item.put.fetch(ctx, try >= 3); item.err != nil {
					return item.err
				}
			}
		}
		if err = k.putTogether(ctx); err == nil {
			return nil
		}
	}
	return err
}

// putTogether stores all items in one commit or none.
func (k *bulk) putTogether(ctx context.Context) error {
	return k.bucket.store.write(ctx, func(tx *commit.Tx) error {
		state, err := k.bucket.permitted(tx, writeObjects)
		if err != nil {
			return err
		}
		return tx.Attempt(state, func() error {
			for i := range k.items {
				item := &k.items[i]
				if item.err = item.put.put(tx); item.err != nil {
					return item.err
				}
			}
			return nil
		})
	})
}

func (k *bulk) firstError() error {
	for i := range k.items {
		if err := k.items[i].err; err != nil {
			return err
		}
	}
	return nil
}

// interrupted returns the context's error if it kept an item from being stored.
func (k *bulk) interrupted(ctx context.Context) error {
	err := ctx.Err()
	if err == nil || !slices.ContainsFunc(k.items, func(item bulkItem) bool { return item.err == err }) {
		return nil
	}
	return err
}

// release gives up the contents of the items that failed, or of all of them.
// Those that have been adopted are not harmed.
func (k *bulk) release(ctx context.Context, all bool) {
	var contents []*content.Content
	for i := range k.items {
		switch item := &k.items[i]; {
		case item.put == nil:
		case all || item.err != nil:
			contents = append(contents, item.put.contents...)
		default:
			content.EndRenewals(item.put.contents)
		}
	}
	k.bucket.store.stage.Release(ctx, contents...)
}

// result sorts the items. An atomic call that failed has stored none of them.
func (k *bulk) result(err error) (*PutManyResult, error) {
	r := &PutManyResult{}
	none := k.opts.Atomic && err != nil
	if !none {
		r.Succeeded = make([]PutManySuccess, 0, len(k.items))
	}
	for i := range k.items {
		item := &k.items[i]
		switch {
		case item.err != nil:
			r.Failed = append(r.Failed, PutManyFailure{i, item.err})
		case none:
		default:
			put, e := item.put.result()
			if e != nil {
				return nil, e
			}
			r.Succeeded = append(r.Succeeded, PutManySuccess{i, *put})
		}
	}
	return r, err
}

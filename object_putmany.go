package bucketlite

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// MaxPutMany is the maximum number of objects of one [Bucket.PutMany].
const MaxPutMany = 10_000

// The writer stores a bulk in slices. Small slices let other callers write in
// between, large slices cost less per object.
const (
	sliceObjects = 250
	sliceBytes   = 4 << 20
)

// PutManyOptions configure [Bucket.PutMany]. Nil selects the defaults.
type PutManyOptions struct {
	// Policy is as in [PutOptions], for every object.
	Policy Policy
	// Atomic stores all objects in one commit, or none. Default: false.
	Atomic bool
	// Process hands the objects to [Store.Process], as in [PutOptions]. The objects that are
	// stored in one commit, up to 250 or all of an Atomic call, make one batch. Default:
	// false.
	Process bool
}

// PutManyResult is the result of [Bucket.PutMany]. Each input is in one of the lists,
// except that no input of a failed Atomic call has succeeded.
type PutManyResult struct {
	Succeeded []PutManySuccess
	Failed    []PutManyFailure
}

// PutManySuccess is the result of an input that was stored.
type PutManySuccess struct {
	Index int // of the input
	PutResult
}

// PutManyFailure is the error of an input that was not stored.
type PutManyFailure struct {
	Index int // of the input
	Err   error
}

// PutMany stores up to [MaxPutMany] objects in order, each as [Bucket.Put] does. An
// input sees the effects of the inputs before it. A refused input does not affect the
// others: its error is in the result, and the returned error is nil. Both lists are
// in the order of the inputs.
//
// With Atomic, one refused input fails the call. The error is that of the first
// refused input, and the result holds the errors found so far.
//
// If ctx ends, committed inputs stay stored and are in the result. The others fail
// with the context's error, which PutMany returns too.
//
// PutMany waits only once for another process that holds the file: after
// [Options].BusyTimeout has passed, the remaining inputs fail with [ErrBusy] at once.
// If a commit is lost, its inputs fail with [ErrOutcomeUnknown], and later inputs, of
// which none is stored, with [ErrReadOnly].
func (b *Bucket) PutMany(ctx context.Context, inputs []ObjectInput, opts *PutManyOptions) (*PutManyResult, error) {
	if opts == nil {
		opts = &PutManyOptions{}
	}
	if len(inputs) > MaxPutMany {
		return nil, errorf("%s: %w: got %d objects, want at most %d", b, ErrTooLarge, len(inputs), MaxPutMany)
	}
	if b.def.key != nil {
		if _, err := b.def.unique.policy(opts.Policy); err != nil {
			return nil, err
		}
	}
	ctx = engine.WaitOnce(ctx)
	bulk := &bulk{bucket: b.current(), opts: *opts, inputs: slices.Clone(inputs), items: make([]bulkItem, len(inputs))}
	for i := range bulk.inputs {
		bulk.inputs[i].keepReaders()
	}
	ended := false
	defer func() {
		if !ended { // a reader has panicked
			bulk.release(ctx, true)
		}
	}()
	var err error
	if opts.Atomic {
		err = bulk.putAll(ctx)
	} else {
		bulk.putEach(ctx)
		err = bulk.interrupted(ctx)
	}
	bulk.release(ctx, opts.Atomic && err != nil)
	ended = true
	return bulk.result(err)
}

// bulk is one PutMany call.
type bulk struct {
	bucket *Bucket
	opts   PutManyOptions
	inputs []ObjectInput
	items  []bulkItem
}

// bulkItem is one input and its state.
type bulkItem struct {
	put *putter
	err error
}

// prepare validates and encodes the inputs of the slice that begins at start, fetches
// their links, and returns the end of the slice. If an input is refused by a definition
// that no longer stands, prepare starts again.
func (k *bulk) prepare(ctx context.Context, start, most int) (end int) {
	for {
		end, refused := k.prepareOnce(ctx, start, most)
		if refused == nil || !k.bucket.hasMoved(ctx, refused) || k.bucket.store.redefine(ctx, k.bucket.num) != nil {
			k.fetch(ctx, k.items[start:end])
			return end
		}
		k.bucket = k.bucket.current()
		for i := range k.items[start:end] {
			k.items[start+i].discard(ctx)
		}
	}
}

// prepareOnce returns the end of the slice, and the first refusal.
func (k *bulk) prepareOnce(ctx context.Context, start, most int) (end int, refused error) {
	size := 0
	for end = start; end < len(k.inputs) && end-start < most && size < sliceBytes; end++ {
		item := &k.items[end]
		if item.err = hopeless(ctx); item.err != nil {
			continue
		}
		item.put, item.err = k.bucket.prepare(ctx, &k.inputs[end], PutOptions{Policy: k.opts.Policy})
		if item.err != nil {
			refused = cmp.Or(refused, item.err)
			continue
		}
		item.put.batched = true
		size += len(item.put.data.JSONB)
		for _, c := range item.put.contents {
			size += len(c.Data)
		}
		size += len(item.put.links) * content.ChunkSize // an upper limit; the sizes are not known yet
	}
	return end, refused
}

// discard undoes the preparation of an item.
func (item *bulkItem) discard(ctx context.Context) {
	if item.put != nil {
		item.put.release(ctx)
	}
	*item = bulkItem{}
}

// hopeless returns the error that every further write of the call would return, or
// nil.
func hopeless(ctx context.Context) error {
	if err := ctx.Err(); err != nil || !engine.HasWaited(ctx) {
		return err
	}
	return public(ErrBusy)
}

// fetch fetches the links of a slice's items.
func (k *bulk) fetch(ctx context.Context, slice []bulkItem) {
	var linked []*bulkItem
	for i := range slice {
		if p := slice[i].put; p != nil && len(p.links) > 0 {
			linked = append(linked, &slice[i])
		}
	}
	fetchTogether(len(linked), func(i int) {
		item := linked[i]
		if item.err = hopeless(ctx); item.err == nil {
			item.err = item.put.fetch(ctx, false)
		}
	})
	for _, item := range linked {
		if item.err != nil {
			k.bucket.store.stage.Release(ctx, item.put.contents...)
			item.put = nil
		}
	}
}

// putEach stores the inputs slice by slice. It prepares the next slice while the
// writer stores one.
func (k *bulk) putEach(ctx context.Context) {
	var running *engine.Pending
	var slice []bulkItem
	for start := 0; start < len(k.inputs); {
		end := k.prepare(ctx, start, sliceObjects)
		k.finish(ctx, running, slice)
		slice = k.items[start:end]
		running = k.start(ctx, slice)
		start = end
	}
	k.finish(ctx, running, slice)
}

func (k *bulk) start(ctx context.Context, slice []bulkItem) *engine.Pending {
	process, err := k.bucket.store.newHandoverIf(k.opts.Process)
	return k.bucket.store.start(ctx, func(tx *commit.Tx) error {
		if err != nil {
			return err
		}
		return putSlice(tx, slice, process)
	})
}

// putSlice stores the items of a slice, and hands them over unless process is nil. A refused item has written nothing, so the
// others stay. An error of the engine fails the slice, and so does an item that fails
// after a write. After an item whose object or definition has changed, the rest must wait
// too, to keep the order.
func putSlice(tx *commit.Tx, slice []bulkItem, process *handover) error {
	var moved error
	for i := range slice {
		item := &slice[i]
		if item.put == nil {
			continue
		}
		wrote := false
		if item.err = moved; moved == nil {
			wrote, item.err = tx.Part(func() error { return item.put.put(tx) })
		}
		switch {
		case item.err == nil:
		case wrote || !ours(item.err) && !item.waits():
			return item.err
		case item.waits():
			moved = item.err
		}
	}
	return process.processStored(tx, storedOf(slice)...)
}

// waits reports whether the item has to be put once more, since what it was prepared for
// has changed.
func (item *bulkItem) waits() bool { return item.err == errMoved || item.err == errRedefined }

// finish waits for a slice, and makes room for what its items owe. If the slice failed, possibly because of one item, finish
// puts each item separately, so that only faulty items fail. It also puts each item
// that had to wait for an object that changed.
func (k *bulk) finish(ctx context.Context, running *engine.Pending, slice []bulkItem) {
	if running == nil {
		return
	}
	err := running.Wait()
	apart := err != nil && ctx.Err() == nil && len(slice) > 1 && mayBeOnes(err)
	for i := range slice {
		item := &slice[i]
		switch {
		case item.put == nil || err == nil && !item.waits():
		case err != nil && !apart:
			item.err = public(err)
		default:
			item.err = k.putAgain(ctx, item)
		}
	}
	k.payRoom(ctx, slice)
}

// payRoom makes room for what the stored items of a slice owe.
func (k *bulk) payRoom(ctx context.Context, slice []bulkItem) {
	owed := int64(0)
	for i := range slice {
		if item := &slice[i]; item.put != nil && item.err == nil {
			owed += item.put.stored.owed
		}
	}
	k.bucket.payRoom(ctx, owed)
}

// putAgain puts an item by itself, by the definition that stands.
func (k *bulk) putAgain(ctx context.Context, item *bulkItem) error {
	return k.bucket.following(ctx, func(b *Bucket) (err error) {
		k.bucket = b
		if p := item.put; p.bucket.def != b.def {
			p.release(ctx)
			if item.put, err = b.prepare(ctx, p.in, PutOptions{Policy: k.opts.Policy}); err != nil {
				item.put = p // its contents are released
				return err
			}
			item.put.batched = true
		}
		if item.put.process, err = b.store.newHandoverIf(k.opts.Process); err != nil {
			return err
		}
		return item.put.run(ctx)
	})
}

// mayBeOnes reports whether err, which failed the write of several items, means that
// nothing was written and may be the fault of a single item. Other errors apply to
// all items: the outcome of a second attempt would say nothing about the first.
func mayBeOnes(err error) bool {
	for _, all := range []error{ErrOutcomeUnknown, ErrReadOnly, ErrClosed, ErrBusy} {
		if errors.Is(err, all) {
			return false
		}
	}
	return true
}

// putAll stores all inputs in one commit, or none.
func (k *bulk) putAll(ctx context.Context) error {
	return k.bucket.following(ctx, func(b *Bucket) error {
		k.bucket = b
		for i := range k.items {
			k.items[i].discard(ctx)
		}
		return k.putAllOnce(ctx)
	})
}

func (k *bulk) putAllOnce(ctx context.Context) error {
	for start := 0; start < len(k.inputs); {
		start = k.prepare(ctx, start, len(k.inputs))
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
			k.payRoom(ctx, k.items)
			return nil
		}
	}
	return err
}

// putTogether stores all items in one commit, or none.
func (k *bulk) putTogether(ctx context.Context) error {
	process, err := k.bucket.store.newHandoverIf(k.opts.Process)
	if err != nil {
		return err
	}
	return k.bucket.store.write(ctx, func(tx *commit.Tx) error {
		if _, err := k.bucket.defined(tx); err != nil {
			return err
		}
		return tx.Attempt(func() error {
			for i := range k.items {
				item := &k.items[i]
				if item.err = item.put.put(tx); item.err != nil {
					return item.err
				}
			}
			return process.processStored(tx, storedOf(k.items)...)
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

// release releases the contents of the items that failed, or of all items. Contents
// that an object has adopted stay.
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
	for i := range k.inputs {
		if all || k.items[i].err != nil {
			contents = append(contents, k.inputs[i].keptContents()...)
		}
	}
	k.bucket.store.stage.Release(ctx, contents...)
}

// result returns the items by outcome. If an atomic call failed, none has succeeded.
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

package bucketlite

import (
	"context"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/jobs"
)

// Limits of the work on expired objects in one transaction.
const (
	retainSlice = 100     // objects to delete
	retainLooks = 500     // objects to examine
	retainBytes = 1 << 20 // bytes of objects after which no more are read
)

// A remover deletes objects of a bucket on the store's own account, in one transaction.
type remover struct {
	bucket  *Bucket // with the definition that the transaction has
	tx      *commit.Tx
	state   *commit.Bucket
	batches jobs.Unfinished
	most    int // objects to delete
	now     int64

	passed  commit.Passed // how far removeOldest has come
	removed int           // objects deleted
	freed   int64         // their size
	bytes   int           // read
	left    bool          // some objects must wait
}

// remover returns a remover that deletes some objects at most. The time is 0 if the age of
// the objects does not count.
func (b *Bucket) remover(tx *commit.Tx, state *commit.Bucket, most int, now int64) *remover {
	return &remover{bucket: b, tx: tx, state: state, batches: jobs.Unfinished{Bucket: b.num}, most: most, now: now}
}

// full reports whether the transaction has done enough.
func (r *remover) full() bool { return r.removed >= r.most || r.bytes >= retainBytes }

// selectExpected finds an upload that is not confirmed yet and will change the object with
// a unique key.
const selectExpected = "SELECT 1 FROM uploads INDEXED BY uploads_key WHERE bucket = ? AND key = ? AND key IS NOT NULL AND status IN ('PENDING', 'PROCESSING')"

// waits reports whether an object must not be deleted yet. A damaged object must not
// either, since its times are unknown.
func (r *remover) waits(row *objectRow) (bool, error) {
	if _, err := decodeBlobs(row.blobs); row.damaged || err != nil {
		return true, nil
	}
	waits, err := r.batches.Has(r.tx, row.object.seq, row.object.ID)
	if err == nil && !waits && row.key != nil {
		waits, err = r.tx.QueryRow(selectExpected, []any{r.bucket.num, row.key}, nil)
	}
	return waits, err
}

// remove deletes an object, unless it must wait.
func (r *remover) remove(row *objectRow, reason EventReason) (waits bool, err error) {
	if waits, err = r.waits(row); err != nil || waits {
		r.left = r.left || waits
		return waits, err
	}
	r.removed++
	r.freed += row.object.Size
	return false, r.bucket.deleteNoted(r.tx, r.state, row, EventObjectDeleted.because(reason))
}

// row returns the object with the seq, or nil.
func (r *remover) row(seq int64) (*objectRow, error) {
	var row objectRow
	found, err := r.tx.QueryRow("SELECT "+objectColumns+" FROM object o WHERE o.seq = ?", []any{seq}, func(c engine.Row) { row.scan(c, 0) })
	if err != nil || !found {
		return nil, err
	}
	r.bytes += len(row.fields) + len(row.blobs)
	return &row, nil
}

// removeOldest deletes the oldest objects from a point on, up to a version, as long as the
// bucket exceeds a limit. It reports whether none is left to delete.
func (r *remover) removeOldest(from commit.Passed, before int64) (done bool, err error) {
	r.passed = from
	indexes, err := index.Load(r.tx, r.state)
	num, ready := index.Ages(indexes)
	if err != nil || !ready {
		return true, err
	}
	for looks := 0; !r.full() && looks < retainLooks; {
		// A write deletes one object usually, so it reads few entries first.
		oldest, err := index.Oldest(r.tx.Conn, num, r.passed.Version, max(2, 2*looks))
		if err != nil || len(oldest) == 0 {
			return true, err
		}
		for _, entry := range oldest {
			if entry.Version >= before || r.full() {
				return entry.Version >= before, nil
			}
			if more, err := r.removeAged(entry); err != nil || !more {
				return true, err
			}
			r.passed.Version = entry.Version
			looks++
		}
	}
	return false, nil
}

// removeAged deletes the oldest object that is left if the bucket exceeds a limit, and
// reports whether there may be more to delete.
func (r *remover) removeAged(entry index.Aged) (more bool, err error) {
	objects, size := r.state.Excess(r.passed)
	excess, age := objects > 0 || size > 0, r.state.Retention.MaxAge
	if !excess && (r.now == 0 || age == 0) {
		return false, nil
	}
	row, err := r.row(entry.Seq)
	if err != nil || row == nil { // without an object it is an entry that Check reports
		return true, err
	}
	if !excess && !row.damaged {
		switch updated := row.object.UpdatedAt.UnixMicro(); {
		case updated > r.now: // written while the clock was wrong
			r.left = true
			return true, nil
		case updated > r.now-age:
			return false, nil
		}
	}
	waits, err := r.remove(row, ReasonRetention)
	if waits {
		r.passed.Objects++
		r.passed.Size += row.object.Size
	}
	return true, err
}

// checkRoom returns an error if an object is larger than the bucket may be.
func (b *Bucket) checkRoom(state *commit.Bucket, o *Object) error {
	if most := state.Retention.MaxBytes; most > 0 && o.Size > most {
		return errorf("%s: object %q: %w: got %d bytes, want at most %d (Retention.MaxBytes)", b, o.ID, ErrTooLarge, o.Size, most)
	}
	return nil
}

// makeRoom deletes the oldest objects of a bucket that exceeds its limits, after an object
// has been written with a version. It returns how many bytes the object has grown more than
// could be freed at once.
func (b *Bucket) makeRoom(tx *commit.Tx, state *commit.Bucket, version, grown int64) (owed int64, err error) {
	if objects, size := state.Excess(state.Passed); objects == 0 && size == 0 {
		return 0, nil
	}
	r := b.remover(tx, state, retainSlice, 0)
	done, err := r.removeOldest(state.Passed, version)
	state.Passed = r.passed
	if err != nil || done {
		return 0, err
	}
	tx.Raise(commit.Background)
	_, size := state.Excess(state.Passed)
	return min(size, max(0, grown-r.freed)), nil
}

// payRoom deletes old objects until the bytes are freed that writes owe, or none can be
// deleted. The writes have succeeded, so an error only leaves the rest to the background.
func (b *Bucket) payRoom(ctx context.Context, owed int64) {
	for owed > 0 {
		freed := int64(0)
		err := b.following(ctx, func(b *Bucket) error {
			return b.store.free(ctx, func(tx *commit.Tx) error {
				freed = 0
				state, err := b.defined(tx)
				if err != nil {
					return err
				}
				r := b.remover(tx, state, retainSlice, 0)
				_, err = r.removeOldest(state.Passed, state.Clock())
				state.Passed, freed = r.passed, r.freed
				return err
			})
		})
		if err != nil || freed == 0 {
			return
		}
		owed -= freed
	}
}

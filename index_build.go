package bucketlite

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// How much is done to an index in one transaction.
const (
	indexSlice     = 200      // objects are indexed
	textIndexSlice = 50       // if what they have is text
	indexBytes     = 64 << 10 // and no more of them once they have so many bytes
	entrySlice     = 2000     // entries are deleted
	textSlice      = 100      // texts
	textLooks      = 2000     // or looked at
)

// unfinished is an index that is being built or dropped.
type unfinished struct {
	num, bucket int64
	kind        IndexKind
	status      IndexStatus
	built       int64
}

// unfinishedColumns are those of indexes AS i that unfinished is read from.
const unfinishedColumns = "i.num, i.bucket, i.kind, i.status, i.built"

func (u *unfinished) scan(r engine.Row) {
	*u = unfinished{r.Int(0), r.Int(1), IndexKind(r.Text(2)), IndexStatus(r.Text(3)), r.Int(4)}
}

// indexSome does a slice of the work on the first index that is being built or
// dropped. Objects that are written meanwhile are in it already, or will be met.
// An index that cannot be worked on is left until the store is opened again, so
// that it does not hold up the others.
func (c *collector) indexSome() (worked bool, err error) {
	ctx := context.Background()
	var u unfinished
	err = c.store.read(ctx, func(conn *engine.Conn) error {
		u = unfinished{}
		err := conn.Query("SELECT "+unfinishedColumns+` FROM indexes i LEFT JOIN buckets b ON b.num = i.bucket
WHERE i.status <> 'READY' AND (i.status = 'DROPPING' OR b.status <> 'IN_PROGRESS') ORDER BY i.num`, nil, func(r engine.Row) error {
			next := unfinished{}
			if next.scan(r); c.cannot(next.num, next.status) != nil {
				return nil
			}
			u = next
			return errEnough
		})
		if err == errEnough {
			err = nil
		}
		return err
	})
	if err != nil || u.num == 0 {
		return false, err
	}
	t := &target{num: u.bucket}
	if u.status == IndexBuilding {
		t.def, err = c.store.definition(ctx, u.bucket)
	}
	if err == nil {
		err = c.store.write(ctx, func(tx *commit.Tx) error { return t.indexSlice(tx, u.num) })
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return true, nil // the bucket has been deleted since
	case errors.Is(err, ErrCorrupt):
		c.giveUp(&u, err)
		c.notify() // there may be others
	case err != nil && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrClosed):
		c.noteStall(err)
	}
	return true, err
}

// brokenIndex says why an index cannot be worked on while it has a status.
type brokenIndex struct {
	status IndexStatus
	err    error
}

// stall is when work on indexes last failed, though it will be tried again, and why:
// a full disk, say.
type stall struct {
	at  time.Time
	err error
}

// noteStall notes that work on indexes has failed.
func (c *collector) noteStall(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stalled = stall{time.Now(), err}
}

// stallSince returns the error with which work on indexes has failed since then, nil
// if it has not.
func (c *collector) stallSince(then time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stalled.at.After(then) {
		return c.stalled.err
	}
	return nil
}

// giveUp leaves an index as it is until the store is opened again.
func (c *collector) giveUp(u *unfinished, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken[u.num] = brokenIndex{u.status, err}
}

// cannot returns why an index with a status cannot be worked on, nil if it can.
func (c *collector) cannot(num int64, status IndexStatus) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.broken[num]; b.status == status {
		return b.err
	}
	return nil
}

// indexSlice does a slice of the work on an index, if that is still to be done. The
// bucket has a definition if the index was being built, and has no id yet.
func (t *target) indexSlice(tx *commit.Tx, num int64) error {
	var u unfinished
	_, err := tx.QueryRow("SELECT "+unfinishedColumns+" FROM indexes i WHERE i.num = ?", []any{num}, u.scan)
	if err != nil {
		return err
	}
	switch u.status {
	case droppingIndex:
		return u.drop(tx)
	case IndexBuilding:
		state, err := tx.Bucket(t.num)
		if err != nil || state == nil || state.Status == string(StatusInProgress) {
			return err
		}
		return t.buildSlice(tx, state, &u)
	case IndexReady, "": // another store was quicker
		return nil
	}
	return errorf("index number %d: %w: its status is %s", num, ErrCorrupt, value.Show(string(u.status)))
}

// buildSlice indexes the next objects, downwards.
func (t *target) buildSlice(tx *commit.Tx, state *commit.Bucket, u *unfinished) error {
	t.id, t.name = state.Place.Bucket, state.Name
	indexes, err := loadIndexes(tx, state)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(indexes, func(i *index) bool { return i.num == u.num })
	if n < 0 {
		return errorf("%s: %w: no index number %d among its indexes", t, ErrCorrupt, u.num)
	}
	objects, more, err := t.rowsBelow(tx, u)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := indexes[n].build(tx, t, indexes, o.seq, t.document(o.row)); err != nil {
			return err
		}
	}
	if more {
		_, err = tx.Exec("UPDATE indexes SET built = ? WHERE num = ?", objects[0].seq, u.num)
		return err
	}
	_, err = tx.Exec("UPDATE indexes SET built = ?, status = 'READY' WHERE num = ?", t.num<<clockBits, u.num)
	state.ForgetIndexes(true)
	return err
}

// indexedRow is an object as a rowDoc sees it.
type indexedRow struct {
	seq int64
	row engine.Row
}

// rowsBelow returns the next objects of the bucket for an index, upwards, and
// whether there may be more.
func (t *target) rowsBelow(tx *commit.Tx, u *unfinished) (objects []indexedRow, more bool, err error) {
	limit := indexSlice
	if u.kind == TextIndex {
		limit = textIndexSlice
	}
	size := 0
	err = tx.Query("SELECT o.seq, "+documentColumns+" FROM object o WHERE o.seq > ? AND o.seq < ? ORDER BY o.seq DESC LIMIT ?",
		[]any{t.num << clockBits, u.built, int64(limit)}, func(r engine.Row) error {
			objects = append(objects, indexedRow{r.Int(0), slices.Clone(r[1:])})
			for _, v := range r {
				switch v := v.(type) {
				case []byte:
					size += len(v)
				case string:
					size += len(v)
				}
			}
			if size > indexBytes {
				return errEnough
			}
			return nil
		})
	if err != nil && err != errEnough {
		return nil, false, err
	}
	// What follows each other upwards goes into a text index in one piece.
	slices.Reverse(objects)
	return objects, err == errEnough || len(objects) == limit, nil
}

// build indexes an object. It may have been indexed when it was written.
func (i *index) build(tx *commit.Tx, t *target, indexes []*index, seq int64, doc *rowDoc) error {
	if i.Kind == ValueIndex {
		return i.update(tx, t, seq, nil, doc)
	}
	// There may be a text for another index.
	if _, err := tx.Exec("DELETE FROM texts WHERE rowid = ?", seq); err != nil {
		return err
	}
	return t.updateText(tx, indexes, seq, nil, doc)
}

// drop deletes some of what an index consists of, and at last its row. The texts go
// with the last text index of the bucket. While another needs them, those go that
// are of no object: nobody has cared for them while the bucket had no index but
// those being dropped.
func (u *unfinished) drop(tx *commit.Tx) error {
	var done bool
	var err error
	if u.kind == ValueIndex {
		done, err = u.dropEntries(tx)
	} else {
		used := false
		used, err = tx.QueryRow("SELECT 1 FROM indexes WHERE bucket = ? AND kind = 'text' AND status <> 'DROPPING' LIMIT 1", []any{u.bucket}, nil)
		switch {
		case err != nil:
		case used:
			done, err = u.sweepTexts(tx)
		default:
			done, err = u.dropTexts(tx)
		}
	}
	if err != nil || !done {
		return err
	}
	_, err = tx.Exec("DELETE FROM indexes WHERE num = ?", u.num)
	return err
}

func (u *unfinished) dropEntries(tx *commit.Tx) (done bool, err error) {
	n, err := tx.Exec("DELETE FROM entries WHERE (idx, key, seq) IN (SELECT idx, key, seq FROM entries WHERE idx = ? LIMIT ?)", u.num, int64(entrySlice))
	return n < entrySlice, err
}

func (u *unfinished) dropTexts(tx *commit.Tx) (done bool, err error) {
	seqs, err := selectSeqs(tx, "SELECT rowid FROM texts WHERE rowid >= ? AND rowid < ? ORDER BY rowid LIMIT ?",
		u.bucket<<clockBits, (u.bucket+1)<<clockBits, int64(textSlice))
	if err != nil {
		return false, err
	}
	if err := deleteTexts(tx, seqs); err != nil || len(seqs) == textSlice {
		return false, err
	}
	// FTS5 gives back what deleted texts took as others are written, or at once when
	// there are none.
	left, err := tx.QueryRow("SELECT 1 FROM texts LIMIT 1", nil, nil)
	if err == nil && !left {
		_, err = tx.Exec("INSERT INTO texts (texts) VALUES ('delete-all')")
	}
	return true, err
}

// sweepTexts deletes the texts of no object. While an index is dropped, built is how
// far that has come, upwards.
func (u *unfinished) sweepTexts(tx *commit.Tx) (done bool, err error) {
	seqs, err := selectSeqs(tx, "SELECT rowid FROM texts WHERE rowid > ? AND rowid < ? ORDER BY rowid LIMIT ?",
		u.built, (u.bucket+1)<<clockBits, int64(textLooks))
	if err != nil || len(seqs) == 0 {
		return true, err
	}
	orphans, err := selectSeqs(tx, `
SELECT rowid FROM texts WHERE rowid > ? AND rowid <= ? AND NOT EXISTS (SELECT 1 FROM object WHERE seq = texts.rowid) ORDER BY rowid LIMIT ?`,
		u.built, seqs[len(seqs)-1], int64(textSlice))
	if err != nil {
		return false, err
	}
	if err := deleteTexts(tx, orphans); err != nil || len(orphans) == textSlice {
		return false, err
	}
	_, err = tx.Exec("UPDATE indexes SET built = ? WHERE num = ?", seqs[len(seqs)-1], u.num)
	return false, err
}

func selectSeqs(tx *commit.Tx, query string, args ...any) (seqs []int64, err error) {
	err = tx.Query(query, args, func(r engine.Row) error {
		seqs = append(seqs, r.Int(0))
		return nil
	})
	return seqs, err
}

func deleteTexts(tx *commit.Tx, seqs []int64) error {
	for _, seq := range seqs {
		if _, err := tx.Exec("DELETE FROM texts WHERE rowid = ?", seq); err != nil {
			return err
		}
	}
	return nil
}

// dropping marks indexes for being dropped.
const dropping = "UPDATE indexes SET status = 'DROPPING', built = bucket << 40 WHERE status <> 'DROPPING' AND "

// deleteIndexes deletes some of what the indexes of a bucket that is being deleted
// consist of, and reports whether nothing is left.
func deleteIndexes(tx *commit.Tx, bucket int64) (done bool, err error) {
	if _, err := tx.Exec(dropping+"bucket = ?", bucket); err != nil {
		return false, err
	}
	var u unfinished
	found, err := tx.QueryRow("SELECT "+unfinishedColumns+" FROM indexes i WHERE i.bucket = ? LIMIT 1", []any{bucket}, u.scan)
	if err != nil || !found {
		return !found, err
	}
	return false, u.drop(tx)
}

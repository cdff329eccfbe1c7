package index

import (
	"errors"
	"fmt"
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Limits of the work on an index in one transaction.
const (
	objectSlice = 200      // objects to index
	textObjects = 50       // objects to index in a text index
	objectBytes = 64 << 10 // bytes of objects after which no more are indexed
	entrySlice  = 2000     // entries to delete
	textSlice   = 100      // texts to delete
	textLooks   = 2000     // texts whose objects are looked up
)

// errEnough ends a statement that has read enough.
var errEnough = errors.New("enough")

// Unfinished is an index that is being built or dropped, or that must be rebuilt since its
// format is old.
type Unfinished struct {
	Num       int64
	Partition int64
	Bucket    int64 // buckets.num; 0 if no bucket uses the partition
	Kind      string
	Status    string

	built int64 // the seq that building, downwards, or dropping, upwards, has reached
	old   bool  // its format is older than Format
}

// unfinishedColumns are the columns of indexes AS i that make an Unfinished.
const unfinishedColumns = "i.num, i.partition, (SELECT num FROM buckets WHERE partition = i.partition), i.kind, i.status, i.built, i.form"

func (u *Unfinished) scan(r engine.Row) {
	*u = Unfinished{r.Int(0), r.Int(1), r.Int(2), r.Text(3), r.Text(4), r.Int(5), r.Int(6) < Format}
}

// First returns the first unfinished index that skip does not report. If there is none, its
// Num is 0.
func First(conn *engine.Conn, skip func(*Unfinished) bool) (first Unfinished, err error) {
	err = conn.Query("SELECT "+unfinishedColumns+` FROM indexes i LEFT JOIN buckets b ON b.partition = i.partition
WHERE (i.status <> 'READY' OR i.form < ?) AND (i.status = 'DROPPING' OR b.status <> 'IN_PROGRESS') ORDER BY i.num`, []any{Format}, func(r engine.Row) error {
		var u Unfinished
		if u.scan(r); skip(&u) {
			return nil
		}
		first = u
		return errEnough
	})
	if err == errEnough {
		err = nil
	}
	return first, err
}

// Continue does a slice of the work on an index, if any is left. Objects written between
// slices are indexed by [Update], or by a later slice. The plan is the bucket's; it may be
// nil for an index that is being dropped.
//
// The error matches [engine.ErrCorrupt] if the index cannot be worked on.
func Continue(tx *commit.Tx, num int64, plan *schema.Plan) error {
	var u Unfinished
	_, err := tx.QueryRow("SELECT "+unfinishedColumns+" FROM indexes i WHERE i.num = ?", []any{num}, u.scan)
	if err != nil {
		return err
	}
	switch {
	case u.Status == Dropping:
		return u.drop(tx)
	case u.old && (u.Status == Building || u.Status == Ready):
		return Rebuild(tx, u.Bucket, u.Num)
	case u.Status == Building:
		state, err := tx.Bucket(u.Bucket)
		if err != nil || state == nil || state.Deleting() {
			return err
		}
		return u.build(tx, state, plan)
	case u.Status == Ready, u.Status == "": // another store has finished the work
		return nil
	}
	return fmt.Errorf("index number %d: %w: its status is %s", num, engine.ErrCorrupt, value.Show(u.Status))
}

// build indexes the next objects, from the newest to the oldest.
func (u *Unfinished) build(tx *commit.Tx, state *commit.Bucket, plan *schema.Plan) error {
	b := Bucket{Num: u.Bucket, Partition: u.Partition, ID: state.Place.Bucket, Name: state.Name, Plan: plan}
	indexes, err := Load(tx, state)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(indexes, func(i *Index) bool { return i.Num == u.Num })
	if n < 0 {
		return fmt.Errorf("%s: %w: no index number %d among its indexes", &b, engine.ErrCorrupt, u.Num)
	}
	objects, more, err := u.objectsBelow(tx)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := indexes[n].insert(tx, plan, indexes, o.seq, b.document(o.row)); err != nil {
			return err
		}
	}
	if more {
		return noteBuilt(tx, u.Num, objects[0].seq)
	}
	state.ForgetIndexes(true)
	return markReady(tx, u.Partition, u.Num)
}

// indexedRow is an object with its documentColumns.
type indexedRow struct {
	seq int64
	row engine.Row
}

// objectsBelow returns the next objects to index, in ascending order, and whether there
// may be more.
func (u *Unfinished) objectsBelow(tx *commit.Tx) (objects []indexedRow, more bool, err error) {
	limit := objectSlice
	if u.Kind == Text {
		limit = textObjects
	}
	size := int64(0)
	err = tx.Query("SELECT o.seq, "+documentColumns+" FROM object o WHERE o.seq > ? AND o.seq < ? ORDER BY o.seq DESC LIMIT ?",
		[]any{commit.Seq(u.Partition, 0), u.built, int64(limit)}, func(r engine.Row) error {
			objects = append(objects, indexedRow{r.Int(0), r[1:].Keep()})
			if size += r.Size(); size > objectBytes {
				return errEnough
			}
			return nil
		})
	if err != nil && err != errEnough {
		return nil, false, err
	}
	// FTS5 stores texts written in ascending order in one piece.
	slices.Reverse(objects)
	return objects, err == errEnough || len(objects) == limit, nil
}

// insert indexes an object, which may have been indexed when it was written.
func (i *Index) insert(tx *commit.Tx, plan *schema.Plan, indexes []*Index, seq int64, doc *Document) error {
	if i.Kind != Text {
		return i.update(tx, plan, seq, nil, doc)
	}
	// The object may have a text for another index.
	if err := deleteText(tx, seq); err != nil {
		return err
	}
	return updateText(tx, indexes, seq, nil, doc)
}

// DropAll drops the indexes of a partition that is being deleted, deletes some of their
// entries and texts, and reports whether nothing is left.
func DropAll(tx *commit.Tx, partition int64) (done bool, err error) {
	if err := markDropping(tx, "partition = ?", partition); err != nil {
		return false, err
	}
	var u Unfinished
	found, err := tx.QueryRow("SELECT "+unfinishedColumns+" FROM indexes i WHERE i.partition = ? LIMIT 1", []any{partition}, u.scan)
	if err != nil || !found {
		return !found, err
	}
	return false, u.drop(tx)
}

// drop deletes some entries or texts of the index, and its row after the last of them.
// The texts are deleted with the last text index of the partition. While another index needs
// them, only texts without objects are deleted: they remained from a time when all text
// indexes of the partition were being dropped.
func (u *Unfinished) drop(tx *commit.Tx) error {
	var done bool
	var err error
	if u.Kind != Text {
		done, err = u.dropEntries(tx)
	} else {
		used := false
		used, err = tx.QueryRow("SELECT 1 FROM indexes WHERE partition = ? AND kind = 'text' AND status <> 'DROPPING' LIMIT 1", []any{u.Partition}, nil)
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
	return deleteIndex(tx, u.Num)
}

func (u *Unfinished) dropEntries(tx *commit.Tx) (done bool, err error) {
	n, err := deleteSomeEntries(tx, u.Num, entrySlice)
	return n < entrySlice, err
}

func (u *Unfinished) dropTexts(tx *commit.Tx) (done bool, err error) {
	seqs, err := selectSeqs(tx, "SELECT rowid FROM texts WHERE rowid >= ? AND rowid < ? ORDER BY rowid LIMIT ?",
		commit.Seq(u.Partition, 0), commit.Seq(u.Partition+1, 0), int64(textSlice))
	if err != nil {
		return false, err
	}
	if err := deleteTexts(tx, seqs); err != nil || len(seqs) == textSlice {
		return false, err
	}
	return true, shrinkTexts(tx)
}

// sweepTexts deletes the texts without objects.
func (u *Unfinished) sweepTexts(tx *commit.Tx) (done bool, err error) {
	seqs, err := selectSeqs(tx, "SELECT rowid FROM texts WHERE rowid > ? AND rowid < ? ORDER BY rowid LIMIT ?",
		u.built, commit.Seq(u.Partition+1, 0), int64(textLooks))
	if err != nil || len(seqs) == 0 {
		return true, err
	}
	last := seqs[len(seqs)-1]
	orphans, err := selectSeqs(tx, `
SELECT rowid FROM texts WHERE rowid > ? AND rowid <= ? AND NOT EXISTS (SELECT 1 FROM object WHERE seq = texts.rowid) ORDER BY rowid LIMIT ?`,
		u.built, last, int64(textSlice))
	if err != nil {
		return false, err
	}
	if err := deleteTexts(tx, orphans); err != nil || len(orphans) == textSlice {
		return false, err
	}
	return false, noteBuilt(tx, u.Num, last)
}

func selectSeqs(tx *commit.Tx, query string, args ...any) (seqs []int64, err error) {
	err = tx.Query(query, args, func(r engine.Row) error {
		seqs = append(seqs, r.Int(0))
		return nil
	})
	return seqs, err
}

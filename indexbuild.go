package bucketlite

import (
	"context"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// How many objects are indexed in one transaction, and how many entries dropped.
const (
	indexSlice     = 200
	textIndexSlice = 50
	entrySlice     = 2000
)

// indexSome does a slice of the work on the first index that is being built or
// dropped. Objects that are written meanwhile are in it already, or will be met.
func (c *collector) indexSome() (worked bool, err error) {
	ctx := context.Background()
	var num, bucket int64
	err = c.store.read(ctx, func(conn *engine.Conn) error {
		num = 0
		_, err := conn.QueryRow(`
SELECT i.num, b.num FROM indexes i JOIN buckets b ON b.num = i.bucket
WHERE i.status <> 'READY' AND b.status <> 'IN_PROGRESS' ORDER BY i.num LIMIT 1`, nil,
			func(r engine.Row) { num, bucket = r.Int(0), r.Int(1) })
		return err
	})
	if err != nil || num == 0 {
		return false, err
	}
	def, err := c.store.definition(ctx, bucket)
	if err != nil {
		return false, err
	}
	b := &Bucket{store: c.store, num: bucket, def: def}
	return true, c.store.write(ctx, func(tx *engine.Tx, g *group) error { return b.indexSlice(tx, g, num) })
}

// indexSlice does a slice of the work on an index, if that is still to be done.
func (b *Bucket) indexSlice(tx *engine.Tx, g *group, num int64) error {
	state, err := g.bucket(tx, b.num)
	if err != nil || state == nil || state.status == InProgress {
		return err
	}
	b.id, b.name = state.place.bucket, state.name
	var status, kind string
	var built int64
	_, err = tx.QueryRow("SELECT status, kind, built FROM indexes WHERE num = ?", []any{num},
		func(r engine.Row) { status, kind, built = r.Text(0), r.Text(1), r.Int(2) })
	if err != nil {
		return err
	}
	switch status {
	case string(IndexBuilding):
		return b.buildSlice(tx, state, num, built)
	case droppingIndex:
		_, err = dropSlice(tx, b.num, num, IndexKind(kind))
	}
	return err
}

// buildSlice indexes the next objects.
func (b *Bucket) buildSlice(tx *engine.Tx, state *bucketState, num, built int64) error {
	indexes, err := state.loadIndexes(tx)
	if err != nil {
		return err
	}
	var i *index
	for _, candidate := range indexes {
		if candidate.num == num {
			i = candidate
		}
	}
	limit := indexSlice
	if i.Kind == TextIndex {
		limit = textIndexSlice
	}
	type object struct {
		seq int64
		row engine.Row
	}
	var objects []object
	err = tx.Query("SELECT o.seq, "+documentColumns+" FROM objects o WHERE o.seq > ? AND o.seq < ? ORDER BY o.seq LIMIT ?",
		[]any{max(built, b.num<<clockBits), (b.num + 1) << clockBits, int64(limit)}, func(r engine.Row) error {
			objects = append(objects, object{r.Int(0), append(engine.Row(nil), r[1:]...)})
			return nil
		})
	if err != nil {
		return err
	}
	for _, o := range objects {
		doc := b.document(o.row)
		if i.Kind == TextIndex {
			// Its row may be there, for another index or because it was written meanwhile.
			if _, err = tx.Exec("DELETE FROM texts WHERE rowid = ?", o.seq); err == nil {
				err = b.updateText(tx, indexes, o.seq, nil, doc)
			}
		} else {
			err = i.update(tx, b, o.seq, nil, doc)
		}
		if err != nil {
			return err
		}
		built = o.seq
	}
	if len(objects) == limit {
		_, err = tx.Exec("UPDATE indexes SET built = ? WHERE num = ?", built, num)
		return err
	}
	_, err = tx.Exec("UPDATE indexes SET built = ?, status = 'READY' WHERE num = ?", built, num)
	state.forgetIndexes(true)
	return err
}

// dropSlice deletes some of what an index consists of, and at last its row. The
// texts go with the last text index of the bucket.
func dropSlice(tx *engine.Tx, bucket, num int64, kind IndexKind) (done bool, err error) {
	var n int64
	if kind == ValueIndex {
		n, err = tx.Exec("DELETE FROM entries WHERE (idx, key, seq) IN (SELECT idx, key, seq FROM entries WHERE idx = ? LIMIT ?)", num, int64(entrySlice))
		if err != nil || n == entrySlice {
			return false, err
		}
	} else {
		used, err := tx.QueryRow("SELECT 1 FROM indexes WHERE bucket = ? AND kind = 'text' AND status <> 'DROPPING' LIMIT 1", []any{bucket}, nil)
		if err != nil {
			return false, err
		}
		if !used {
			if n, err = dropTexts(tx, bucket); err != nil || n == indexSlice {
				return false, err
			}
		}
	}
	_, err = tx.Exec("DELETE FROM indexes WHERE num = ?", num)
	return true, err
}

// dropTexts deletes some texts of a bucket, and returns how many.
func dropTexts(tx *engine.Tx, bucket int64) (n int64, err error) {
	var seqs []int64
	err = tx.Query("SELECT rowid FROM texts WHERE rowid > ? AND rowid < ? LIMIT ?",
		[]any{bucket << clockBits, (bucket + 1) << clockBits, int64(indexSlice)}, func(r engine.Row) error {
			seqs = append(seqs, r.Int(0))
			return nil
		})
	for i := 0; i < len(seqs) && err == nil; i++ {
		_, err = tx.Exec("DELETE FROM texts WHERE rowid = ?", seqs[i])
	}
	return int64(len(seqs)), err
}

// deleteIndexes deletes some of what the indexes of a bucket that is being deleted
// consist of, and reports whether nothing is left.
func deleteIndexes(tx *engine.Tx, bucket int64) (done bool, err error) {
	if _, err := tx.Exec("UPDATE indexes SET status = 'DROPPING' WHERE bucket = ? AND status <> 'DROPPING'", bucket); err != nil {
		return false, err
	}
	var num int64
	kind := ""
	found, err := tx.QueryRow("SELECT num, kind FROM indexes WHERE bucket = ? LIMIT 1", []any{bucket}, func(r engine.Row) { num, kind = r.Int(0), r.Text(1) })
	if err != nil || !found {
		return !found, err
	}
	_, err = dropSlice(tx, bucket, num, IndexKind(kind))
	return false, err
}

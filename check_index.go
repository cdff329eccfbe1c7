package bucketlite

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// Of a bucket's objects, maxProbes to twice as many are looked up by a part of their
// texts.
const (
	maxProbes = 300
	probeSize = 6 // characters
)

// checkIndexes compares the indexes with the objects they are about, bucket by
// bucket. What can be told without looking into objects is among the rowRules.
func (c *checker) checkIndexes() error {
	var buckets []int64
	err := c.readLong("SELECT DISTINCT bucket FROM indexes WHERE status <> 'DROPPING' ORDER BY +bucket", nil,
		func() { buckets = nil }, func(r engine.Row) { buckets = append(buckets, r.Int(0)) })
	for i := 0; i < len(buckets) && err == nil; i++ {
		err = c.checkIndexesOf(buckets[i])
	}
	return err
}

// checkIndexesOf compares the indexes of a bucket with its objects, all of one
// moment. Of an index that is being built, only what is done.
func (c *checker) checkIndexesOf(num int64) error {
	w := &indexWalk{}
	err := c.store.db.ReadAside(c.ctx, func(ctx context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			bucket, err := c.selectBucket(conn, num)
			if err != nil {
				return err
			}
			*w = indexWalk{subject: bucket.subject, seed: maphash.MakeSeed(), stride: 1}
			if !bucket.there || bucket.def == nil { // that is a problem of its own
				return nil
			}
			w.doc.bucket = &target{num: num, def: bucket.def}
			return w.run(ctx, conn)
		})
	})
	if err != nil {
		return err
	}
	for i := range w.indexes {
		if err := c.judgeIndex(num, w, w.indexes[i]); err != nil {
			return err
		}
	}
	return nil
}

// indexWalk is the comparison of a bucket's indexes with its objects.
type indexWalk struct {
	subject string
	seed    maphash.Seed
	indexes []*indexTally
	doc     rowDoc

	// How to look up one of every so many objects.
	met, stride int
	probes      []textProbe
	lost        int // that are not found so
}

// indexTally is an index, what is expected of it and what it has.
type indexTally struct {
	*index
	built     int64 // the first object that is to be in it
	want, got tally
	many, cut bool // as they are to be
}

// tally counts entries, in such a way that others have another sum.
type tally struct{ n, sum uint64 }

// textProbe is a look into the text index that must find an object.
type textProbe struct {
	seq   int64
	match string
}

// run reads the objects, and then the indexes.
func (w *indexWalk) run(ctx context.Context, conn *engine.Conn) error {
	b := w.doc.bucket
	deleted, err := conn.QueryRow("SELECT 1 FROM buckets WHERE num = ? AND status = 'IN_PROGRESS'", []any{b.num}, nil)
	if err != nil || deleted {
		return err
	}
	indexes, err := selectIndexes(conn, b.num)
	if err != nil {
		return err
	}
	for _, i := range indexes {
		t := &indexTally{index: i}
		if _, err := conn.QueryRow("SELECT built FROM indexes WHERE num = ?", []any{i.num}, func(r engine.Row) { t.built = r.Int(0) }); err != nil {
			return err
		}
		w.indexes = append(w.indexes, t)
	}
	err = callEach(ctx, conn, "SELECT count(*) FROM object o WHERE o.seq > ?2 AND o.seq < ?3 AND bucketlite_callback(?1, o.seq, "+documentColumns+")",
		[]any{b.num << clockBits, (b.num + 1) << clockBits}, w.object)
	if err != nil {
		return err
	}
	for _, t := range w.indexes {
		if t.Kind == TextIndex {
			continue
		}
		err := callEach(ctx, conn, "SELECT count(*) FROM entries WHERE idx = ?2 AND seq >= ?3 AND bucketlite_callback(?1, key, seq)",
			[]any{t.num, t.built}, func(r engine.Row) error {
				t.got.add(w.seed, r.Bytes(0), r.Int(1))
				return nil
			})
		if err != nil {
			return err
		}
	}
	for _, p := range w.probes {
		found, err := conn.QueryRow("SELECT 1 FROM texts WHERE texts MATCH ? AND rowid = ?", []any{p.match, p.seq}, nil)
		if err != nil {
			return err
		}
		if !found {
			w.lost++
		}
	}
	return ctx.Err()
}

// callEach runs a statement that calls each for its rows, by the callback ?1.
func callEach(ctx context.Context, conn *engine.Conn, query string, args []any, each func(engine.Row) error) error {
	call := engine.NewCallback(ctx, func(r engine.Row) (any, error) { return nil, each(r) })
	defer call.Release()
	err := conn.LongQuery(ctx, query, append([]any{call.Token()}, args...), func(engine.Row) error { return nil })
	if call.Err() != nil {
		return call.Err()
	}
	return err
}

// object is called with an object's seq and its documentColumns.
func (w *indexWalk) object(r engine.Row) error {
	seq := r.Int(0)
	w.doc.set(r[1:])
	var texts []*index
	for _, t := range w.indexes {
		switch {
		case seq < t.built:
		case t.Kind == TextIndex:
			texts = append(texts, t.index)
		default:
			e, _ := t.entries(w.doc.bucket, &w.doc)
			for _, key := range e.Keys {
				t.want.add(w.seed, key, seq)
			}
			t.many, t.cut = t.many || e.Many, t.cut || e.Cut
		}
	}
	if texts != nil {
		w.sample(seq, texts)
	}
	return nil
}

// sample notes how to look up the object, if it is one of those.
func (w *indexWalk) sample(seq int64, texts []*index) {
	if w.met++; w.met%w.stride != 0 {
		return
	}
	text := []rune(w.doc.bucket.textOf(texts, &w.doc))
	i := int(seq % int64(max(1, len(text)-probeSize+1)))
	match := trigrams([]string{string(text[i:min(i+probeSize, len(text))])})
	if match == "" { // it is too short
		return
	}
	w.probes = append(w.probes, textProbe{seq, match})
	if len(w.probes) == 2*maxProbes {
		for i := range maxProbes {
			w.probes[i] = w.probes[2*i+1]
		}
		w.probes, w.stride = w.probes[:maxProbes], 2*w.stride
	}
}

// add counts an entry.
func (t *tally) add(seed maphash.Seed, key []byte, seq int64) {
	var h maphash.Hash
	h.SetSeed(seed)
	h.Write(binary.BigEndian.AppendUint64(make([]byte, 0, 8), uint64(seq)))
	h.Write(key)
	t.n++
	t.sum += h.Sum64()
}

// judgeIndex reports what is wrong with an index. Whatever it is, building it anew
// sets it right.
func (c *checker) judgeIndex(bucket int64, w *indexWalk, t *indexTally) error {
	p := Problem{Subject: w.subject + ": " + t.String()}
	repair := func(tx *commit.Tx) error { return rebuild(tx, bucket, t.num) }
	switch {
	case t.Kind == TextIndex && w.lost > 0:
		p.Rule, p.Message = "index.text", fmt.Sprintf("%d of %d objects are not found by their texts", w.lost, len(w.probes))
		repair = func(tx *commit.Tx) error {
			_, err := tx.Exec(rebuildTexts, t.num)
			tx.Raise(commit.Background)
			return err
		}
	case t.want.n != t.got.n:
		p.Rule, p.Message = "index.entry", fmt.Sprintf("its objects have %d entries, %d are there", t.want.n, t.got.n)
	case t.want.sum != t.got.sum:
		p.Rule, p.Message = "index.entry", fmt.Sprintf("its %d entries are not those that its objects have", t.got.n)
	case t.many && !t.index.many || t.cut && !t.index.cut:
		p.Rule, p.Message = "index.flags", "its entries are said to tell all of a condition, and do not"
		repair = func(tx *commit.Tx) error {
			_, err := tx.Exec("UPDATE indexes SET many = max(many, ?), cut = max(cut, ?) WHERE num = ?", t.many, t.cut, t.num)
			return err
		}
	default:
		return nil
	}
	if c.repairs() {
		if err := c.write(repair); err != nil {
			return err
		}
		p.Repaired = true
	}
	c.add(p)
	return nil
}

// rebuildTexts has the text index ?1 built once more. What is written for it takes
// the place of what is there.
const rebuildTexts = `
UPDATE indexes SET status = 'BUILDING',
    built = ifnull((SELECT max(seq) + 1 FROM object WHERE seq > indexes.bucket << 40 AND seq < (indexes.bucket + 1) << 40), built)
WHERE num = ?1 AND kind = 'text' AND status <> 'DROPPING'`

// rebuild drops an index and makes it anew.
func rebuild(tx *commit.Tx, bucket, num int64) error {
	state, err := tx.Bucket(bucket)
	if err != nil || state == nil || state.Status == string(StatusInProgress) {
		return err
	}
	indexes, err := loadIndexes(tx, state)
	if err != nil {
		return err
	}
	for _, i := range indexes {
		if i.num != num {
			continue
		}
		if _, err := tx.Exec(dropping+"num = ?", num); err != nil {
			return err
		}
		return addIndexes(tx, state, []Index{i.Index})
	}
	return nil // it has been dropped
}

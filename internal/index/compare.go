package index

import (
	"context"
	"encoding/binary"
	"hash/maphash"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// Comparison is the result of comparing an index with its bucket's objects. Of an index
// that is being built, it covers the finished part.
type Comparison struct {
	Index *Index

	// Of a value index.
	Want, Got uint64 // the expected and the actual number of entries
	Differ    bool   // the entries differ
	Many, Cut bool   // missing flags, for [Admit] to set

	// Of the bucket's text indexes together.
	Looked, Lost int // objects looked up by their texts, and those not found
}

// Compare looks up some objects of a bucket by a part of their texts: at least maxProbes,
// if there are as many, and less than twice as many.
const (
	maxProbes = 300
	probeSize = 6 // characters
)

// Compare compares the indexes of a bucket's partition with its objects, in a snapshot. A
// bucket that is being deleted has no comparisons, nor has an index of an old format.
func Compare(ctx context.Context, conn *engine.Conn, b Bucket) ([]Comparison, error) {
	deleted, err := conn.QueryRow("SELECT 1 FROM buckets WHERE num = ? AND status = 'IN_PROGRESS'", []any{b.Num}, nil)
	if err != nil || deleted {
		return nil, err
	}
	c := &comparer{bucket: b, seed: maphash.MakeSeed(), doc: Document{bucket: b.ID}, stride: 1}
	if err := c.load(conn); err != nil {
		return nil, err
	}
	err = callEach(ctx, conn, "SELECT count(*) FROM object o WHERE o.seq > ?2 AND o.seq < ?3 AND bucketlite_callback(?1, o.seq, "+documentColumns+")",
		[]any{commit.Seq(b.Partition, 0), commit.Seq(b.Partition+1, 0)}, c.object)
	if err == nil {
		err = c.readEntries(ctx, conn)
	}
	if err == nil {
		err = c.lookUp(conn)
	}
	if err != nil {
		return nil, err
	}
	return c.comparisons(), ctx.Err()
}

// A comparer reads a bucket's objects and then its indexes.
type comparer struct {
	bucket  Bucket
	seed    maphash.Seed
	indexes []*tallied
	doc     Document

	// One object in every stride is sampled.
	met, stride int
	probes      []probe
	lost        int // objects that their probes do not find
}

// tallied is an index, with its expected and its actual entries.
type tallied struct {
	*Index
	built     int64 // the first object that the index covers
	want, got tally
	many, cut bool // the expected flags
}

// tally is the number of entries, and a sum that changes with any entry.
type tally struct{ n, sum uint64 }

// add adds an entry.
func (t *tally) add(seed maphash.Seed, key []byte, seq int64) {
	var h maphash.Hash
	h.SetSeed(seed)
	h.Write(binary.BigEndian.AppendUint64(make([]byte, 0, 8), uint64(seq)))
	h.Write(key)
	t.n++
	t.sum += h.Sum64()
}

// probe is a search in the text index that must find an object.
type probe struct {
	seq   int64
	match string
}

func (c *comparer) load(conn *engine.Conn) error {
	indexes, err := Select(conn, c.bucket.Partition)
	for n := 0; n < len(indexes) && err == nil; n++ {
		if indexes[n].old {
			continue
		}
		t := &tallied{Index: indexes[n]}
		_, err = conn.QueryRow("SELECT built FROM indexes WHERE num = ?", []any{t.Num}, func(r engine.Row) { t.built = r.Int(0) })
		c.indexes = append(c.indexes, t)
	}
	return err
}

// callEach runs a statement whose callback ?1 calls each for every row.
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
func (c *comparer) object(r engine.Row) error {
	seq := r.Int(0)
	c.doc.set(r[1:])
	var texts []*Index
	for _, t := range c.indexes {
		switch {
		case seq < t.built:
		case t.Kind == Text:
			texts = append(texts, t.Index)
		default:
			e, _ := t.entries(c.bucket.Plan, &c.doc)
			for _, key := range e.Keys {
				t.want.add(c.seed, key, seq)
			}
			t.many, t.cut = t.many || e.Many, t.cut || e.Cut
		}
	}
	if texts != nil {
		c.sample(seq, texts)
	}
	return nil
}

// sample adds a probe for the object, if the object is in the sample.
func (c *comparer) sample(seq int64, texts []*Index) {
	if c.met++; c.met%c.stride != 0 {
		return
	}
	text := []rune(textOf(texts, &c.doc))
	i := int(seq % int64(max(1, len(text)-probeSize+1)))
	match := trigrams([]string{string(text[i:min(i+probeSize, len(text))])})
	if match == "" { // it is too short
		return
	}
	c.probes = append(c.probes, probe{seq, match})
	if len(c.probes) == 2*maxProbes {
		for i := range maxProbes {
			c.probes[i] = c.probes[2*i+1]
		}
		c.probes, c.stride = c.probes[:maxProbes], 2*c.stride
	}
}

// readEntries tallies the actual entries.
func (c *comparer) readEntries(ctx context.Context, conn *engine.Conn) error {
	for _, t := range c.indexes {
		if t.Kind == Text {
			continue
		}
		err := callEach(ctx, conn, "SELECT count(*) FROM entries WHERE idx = ?2 AND seq >= ?3 AND bucketlite_callback(?1, key, seq)",
			[]any{t.Num, t.built}, func(r engine.Row) error {
				t.got.add(c.seed, r.Bytes(0), r.Int(1))
				return nil
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// lookUp looks up the sampled objects by their texts.
func (c *comparer) lookUp(conn *engine.Conn) error {
	for _, p := range c.probes {
		found, err := conn.QueryRow("SELECT 1 FROM texts WHERE texts MATCH ? AND rowid = ?", []any{p.match, p.seq}, nil)
		if err != nil {
			return err
		}
		if !found {
			c.lost++
		}
	}
	return nil
}

func (c *comparer) comparisons() []Comparison {
	list := make([]Comparison, len(c.indexes))
	for n, t := range c.indexes {
		found := &list[n]
		found.Index = t.Index
		if t.Kind == Text {
			found.Looked, found.Lost = len(c.probes), c.lost
			continue
		}
		found.Want, found.Got, found.Differ = t.want.n, t.got.n, t.want.sum != t.got.sum
		found.Many, found.Cut = t.many && !t.Index.many, t.cut && !t.Index.cut
	}
	return list
}

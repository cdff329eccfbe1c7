package bucketlite

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// A source is where a query finds the objects it looks at. Its text is one of a few
// constants; whatever a query says is in the arguments, or in Go, where a
// [scan] asks each object whether it is wanted.
//
//	?1 ?2  the objects lie between, in the order of creation
//	?3 ?4  what else the source needs
type source struct {
	from string
	args [4]any
}

// allObjects looks at every object of the bucket.
const allObjects = "objects o WHERE o.seq > ?1 AND o.seq < ?2"

// theseObjects looks at the objects in a JSON array of seqs, which is sorted.
const theseObjects = "json_each(?3) j CROSS JOIN objects o ON o.seq = j.value WHERE j.value > ?1 AND j.value < ?2"

// everything is the source of all the objects of the bucket after a seq.
func (b *Bucket) everything(after int64) source {
	return source{from: allObjects, args: [4]any{max(after, b.num<<clockBits), (b.num + 1) << clockBits, nil, nil}}
}

// these is the source of the objects with the seqs, which are sorted.
func (b *Bucket) these(seqs []int64, after int64) source {
	text, _ := json.Marshal(seqs)
	s := b.everything(after)
	s.from, s.args[2] = theseObjects, string(text)
	return s
}

// A scan asks the objects of a source, amid a statement, whether they are wanted.
type scan struct {
	c     *compiledQuery
	doc   rowDoc
	match *engine.Callback
	place *engine.Callback    // returns the key of the object that was matched last
	visit func(*rowDoc) error // unless nil, is called for each object that is wanted

	key []byte
}

// newScan makes a scan of the objects that c wants, and that come after c.after if
// they are sorted. It must be released.
func (b *Bucket) newScan(ctx context.Context, c *compiledQuery) *scan {
	s := &scan{c: c, doc: rowDoc{bucket: b}}
	s.match = engine.NewCallback(ctx, s.wants)
	s.place = engine.NewCallback(ctx, func(engine.Row) (any, error) { return s.key, nil })
	return s
}

func (s *scan) release() {
	s.match.Release()
	s.place.Release()
}

// wants is called with an object's seq and its fieldColumns or documentColumns.
func (s *scan) wants(row engine.Row) (any, error) {
	s.doc.set(row[1:])
	wanted := s.c.match(&s.doc)
	if wanted && len(s.c.order) > 0 {
		s.key = s.c.order.AppendKey(s.key[:0], &s.doc)
		wanted = s.c.after.compare(position{s.key, row.Int(0)}) < 0
	}
	if wanted && s.visit != nil {
		if err := s.visit(&s.doc); err != nil {
			return nil, err
		}
	}
	if s.doc.err != nil {
		return nil, errorf("%s: %w: %v", s.doc.bucket, ErrCorrupt, s.doc.err)
	}
	return wanted, nil
}

// err returns err, or what made a statement end with it.
func (s *scan) err(err error) error {
	if err != nil && s.match.Err() != nil {
		return s.match.Err()
	}
	return err
}

// call is the condition that the scan wants an object. Its token is ?5.
func (s *scan) call() string {
	if s.c.system {
		return "bucketlite_callback(?5, o.seq, " + documentColumns + ")"
	}
	return "bucketlite_callback(?5, o.seq, " + fieldColumns + ")"
}

// args are the arguments of a statement: those of the source, the tokens of the
// scan, and how many objects are wanted and left out before.
func (s *scan) args(from source, limit, offset int) []any {
	return append(from.args[:], s.match.Token(), s.place.Token(), int64(limit), int64(offset))
}

// inOrder reads the objects of a source that are wanted, in order of creation.
func (s *scan) inOrder(ctx context.Context, conn *engine.Conn, from source, limit, offset int, found *objectHits) error {
	text := "SELECT " + objectColumns + " FROM " + from.from
	if !s.c.isAll() {
		text += " AND " + s.call()
	}
	err := conn.LongQuery(ctx, text+" ORDER BY o.seq LIMIT ?7 OFFSET ?8", s.args(from, limit, offset), func(r engine.Row) error {
		found.add(r, nil)
		return nil
	})
	return s.err(err)
}

// sorted reads the objects of a source that are wanted, as the query sorts them. Only
// keys and seqs are sorted; then the objects are read.
func (s *scan) sorted(ctx context.Context, conn *engine.Conn, from source, limit, offset int, found *objectHits) error {
	err := conn.LongQuery(ctx, "SELECT "+objectColumns+`, s.key
FROM (SELECT o.seq AS seq, bucketlite_callback(?6, o.seq) AS key FROM `+from.from+" AND "+s.call()+`
    ORDER BY key, o.seq LIMIT ?7 OFFSET ?8) s CROSS JOIN objects o ON o.seq = s.seq ORDER BY s.key, s.seq`,
		s.args(from, limit, offset), func(r engine.Row) error {
			found.add(r, r.Bytes(objectColumnCount))
			return nil
		})
	return s.err(err)
}

// count returns how many objects of a source are wanted, and visits each of them.
func (s *scan) count(ctx context.Context, conn *engine.Conn, from source) (n int64, err error) {
	err = conn.LongQuery(ctx, "SELECT count(*) FROM "+from.from+" AND "+s.call(), s.args(from, 0, 0), func(r engine.Row) error {
		n = r.Int(0)
		return nil
	})
	return n, s.err(err)
}

func (f *objectHits) add(r engine.Row, key []byte) {
	f.rows = append(f.rows, objectRow{})
	f.rows[len(f.rows)-1].scan(r, 0)
	f.keys = append(f.keys, bytes.Clone(key))
}

package bucketlite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/query"
)

// A source is where a query finds the objects it looks at. Its text is one of a few
// constants; whatever a query says is in the arguments, or in Go, where a
// [scan] asks each object whether it is wanted.
//
//	?1 ?2  the objects lie between, in the order of creation
//	?3 ?4  what else the source needs
type source struct {
	from string
	seq  string // the column that has the objects' seqs, in the order of the source
	args [4]any
}

// Limits are written as LIMIT ? + 0. Of a bare parameter SQLite takes the value into
// account when it plans a statement, and so plans it anew each time it is bound, which
// takes longer than finding a page.

// allObjects looks at every object of the bucket.
const allObjects = "object o WHERE o.seq > ?1 AND o.seq < ?2"

// keyObjects looks at the objects that have an entry with the key ?3 in the index ?4.
const keyObjects = "entries e CROSS JOIN object o ON o.seq = e.seq WHERE e.idx = ?4 AND e.key = ?3 AND e.seq > ?1 AND e.seq < ?2"

// keysObjects looks at the objects that have an entry in the index ?4, from the key
// ?3 and the seq ?1 on, in the order of the keys.
const keysObjects = "entries e CROSS JOIN object o ON o.seq = e.seq WHERE e.idx = ?4 AND (e.key, e.seq) > (?3, ?1) AND e.key < x'10'"

// keysDown looks at the objects that have an entry in the index ?4, key by key
// downwards from ?3, and each key's in the order of creation: of the first those after
// ?1, of the others those after ?2. It has that order by itself, since the keys
// come one after the other and a cross join is never turned round; sorting would
// have to see all the objects of a key first.
const (
	withKeysDown = `WITH RECURSIVE k (key) AS (
    SELECT ?3 UNION ALL
    SELECT (SELECT max(key) FROM entries WHERE idx = ?4 AND key < k.key) FROM k WHERE k.key IS NOT NULL)
`
	keysDown = `k CROSS JOIN entries e ON e.idx = ?4 AND e.key = k.key AND e.seq > iif(k.key = ?3, ?1, ?2)
CROSS JOIN object o ON o.seq = e.seq WHERE true`
)

// theseObjects looks at the objects in a JSON array of seqs, which is sorted.
const theseObjects = "json_each(?3) j CROSS JOIN object o ON o.seq = j.value WHERE j.value > ?1 AND j.value < ?2"

// everything is the source of all the objects of the bucket after a seq.
func (t *target) everything(after int64) source {
	return source{from: allObjects, seq: "o.seq", args: [4]any{max(after, t.num<<clockBits), (t.num + 1) << clockBits, nil, nil}}
}

// these is the source of the objects with the seqs, which are sorted.
func (t *target) these(seqs []int64, after int64) source {
	text, _ := json.Marshal(seqs)
	s := t.everything(after)
	s.from, s.seq, s.args[2] = theseObjects, "j.value", string(text)
	return s
}

// A scan asks the objects of a source, amid a statement, whether they are wanted.
type scan struct {
	c     *compiledQuery
	doc   rowDoc
	work  *query.Work
	match *engine.Callback
	place *engine.Callback    // returns the key of the object that was matched last
	visit func(*rowDoc) error // unless nil, is called for each object that is wanted

	key []byte
	seq int64 // of the object that was looked at last
}

// newScan makes a scan of the objects that c wants, and that come after c.after if
// they are sorted. It must be released.
func (t *target) newScan(ctx context.Context, c *compiledQuery) *scan {
	s := &scan{c: c, doc: rowDoc{bucket: t}, work: query.NewWork(ctx)}
	s.match = engine.NewCallback(ctx, s.wants)
	s.place = engine.NewCallback(ctx, s.placed)
	return s
}

func (s *scan) release() {
	s.match.Release()
	s.place.Release()
}

// wants is called with an object's seq and its fieldColumns or documentColumns.
func (s *scan) wants(row engine.Row) (any, error) {
	s.doc.set(row[1:])
	s.seq = row.Int(0)
	wanted := s.c.match(&s.doc, s.doc.size(), s.work)
	if err := s.work.Err(); err != nil {
		return nil, err
	}
	if wanted && len(s.c.order) > 0 {
		s.key = s.c.order.AppendKey(s.key[:0], &s.doc)
		wanted = s.c.after.compare(position{s.key, row.Int(0)}) < 0
	}
	if wanted && s.visit != nil {
		if err := s.visit(&s.doc); err != nil {
			return nil, err
		}
	}
	return wanted, s.doc.failure()
}

// placed returns the key of the object that was matched last. Called with the key of
// an entry too, it tells whether that is it.
func (s *scan) placed(row engine.Row) (any, error) {
	if len(row) == 1 {
		return s.key, nil
	}
	entry, _ := row[1].([]byte)
	if s.c.order[0].Desc {
		return bytes.Equal(s.key, query.Reverse(entry)), nil
	}
	return bytes.Equal(s.key, entry), nil
}

// err returns err, or what made a statement end with it.
func (s *scan) err(conn *engine.Conn, err error) error {
	if err == nil || s.match.Err() == nil {
		return err
	}
	var costly *pattern.WorkError
	if err = s.match.Err(); !errors.As(err, &costly) {
		return err
	}
	id := ""
	if _, e := conn.QueryRow("SELECT id FROM object WHERE seq = ?", []any{s.seq}, func(r engine.Row) { id = r.Text(0) }); e != nil {
		return e
	}
	return errorf("%s: object %q: %w: %w", s.doc.bucket, id, ErrTooLarge, err)
}

// call is the condition that the scan wants an object. Its token is ?5.
func (s *scan) call() string {
	if s.c.system {
		return "bucketlite_callback(?5, o.seq, " + documentColumns + ")"
	}
	return "bucketlite_callback(?5, o.seq, " + fieldColumns + ")"
}

// args are the arguments of a statement: those of the source, the tokens of the
// scan, and how many objects are wanted.
func (s *scan) args(from source, limit int) []any {
	return append(from.args[:], s.match.Token(), s.place.Token(), int64(limit))
}

// storedBytes is the size of a stored object. SQLite knows it without reading the
// columns.
const storedBytes = "octet_length(o.fields) + ifnull(octet_length(o.blobs), 0)"

// inOrder finds the objects of a source that are wanted, in order of creation. Like
// the other ways of finding objects it hands over their places alone, so that the page
// is known before an object is read; errPageFull says that it is.
func (s *scan) inOrder(ctx context.Context, conn *engine.Conn, from source, found *objectHits) error {
	text := "SELECT o.seq, NULL, " + storedBytes + " FROM " + from.from
	if !s.c.isAll() {
		text += " AND " + s.call()
	}
	return s.err(conn, conn.LongQuery(ctx, text+" ORDER BY "+from.seq+" LIMIT ?7 + 0", s.args(from, found.left()), found.add))
}

// lookUp finds the objects with the seqs that are wanted, in order of creation. A page
// rarely needs all that an index leads to.
func (s *scan) lookUp(ctx context.Context, conn *engine.Conn, seqs []int64, found *objectHits) error {
	for chunk := range slices.Chunk(seqs, max(2*found.left(), minLookup)) {
		if chunk[len(chunk)-1] <= s.c.after.num {
			continue
		}
		if err := s.inOrder(ctx, conn, s.doc.bucket.these(chunk, s.c.after.num), found); err != nil {
			return err
		}
	}
	return nil
}

// sorted finds the objects of a source that are wanted, as the query sorts them.
func (s *scan) sorted(ctx context.Context, conn *engine.Conn, from source, found *objectHits) error {
	return s.err(conn, conn.LongQuery(ctx, "SELECT o.seq, bucketlite_callback(?6, o.seq) AS key, "+storedBytes+" FROM "+from.from+" AND "+s.call()+
		" ORDER BY key, o.seq LIMIT ?7 + 0", s.args(from, found.left()), found.add))
}

// walk finds the objects that are wanted in the order of the one index they are
// sorted by, without sorting.
func (s *scan) walk(ctx context.Context, conn *engine.Conn, i *index, found *objectHits) error {
	from := s.doc.bucket.everything(0)
	from.args[3] = i.num
	after := s.c.after
	if !s.c.order[0].Desc {
		from.args[0], from.args[2] = after.num, append([]byte{}, after.key...)
		from.from = keysObjects
		return s.keyed(ctx, conn, from, "ORDER BY e.key, e.seq", found)
	}
	// Downwards the objects of a key still come in the order of creation, so it is
	// key by key, and last what has none.
	start := query.NilKey
	if after.key != nil {
		start = query.Reverse(after.key)
		from.args[0] = after.num
	} else if _, err := conn.QueryRow("SELECT max(key) FROM entries WHERE idx = ? AND key < ?", []any{i.num, query.NilKey}, func(r engine.Row) {
		if !r.Null(0) {
			start = r.Bytes(0)
		}
	}); err != nil {
		return err
	}
	if !bytes.Equal(start, query.NilKey) {
		from.from, from.args[1], from.args[2] = keysDown, s.doc.bucket.num<<clockBits, start
		if err := s.keyed(ctx, conn, from, "", found); err != nil {
			return err
		}
		from = s.doc.bucket.everything(0)
		from.args[3] = i.num
	}
	from.from, from.args[2] = keyObjects, query.NilKey
	return s.keyed(ctx, conn, from, "ORDER BY e.seq", found)
}

// keyed finds the objects of a source of entries that are wanted, each where the
// entry is the one it is sorted by.
func (s *scan) keyed(ctx context.Context, conn *engine.Conn, from source, order string, found *objectHits) error {
	with, rest := "", from.from
	if rest == keysDown {
		with = withKeysDown
	}
	return s.err(conn, conn.LongQuery(ctx, with+"SELECT o.seq, bucketlite_callback(?6, o.seq), "+storedBytes+" FROM "+rest+
		" AND CASE WHEN "+s.call()+" THEN bucketlite_callback(?6, o.seq, e.key) END "+order+" LIMIT ?7 + 0",
		s.args(from, found.left()), found.add))
}

// count returns how many objects of a source are wanted, and visits each of them.
func (s *scan) count(ctx context.Context, conn *engine.Conn, from source) (n int64, err error) {
	err = conn.LongQuery(ctx, "SELECT count(*) FROM "+from.from+" AND "+s.call(), s.args(from, 0), func(r engine.Row) error {
		n = r.Int(0)
		return nil
	})
	return n, s.err(conn, err)
}

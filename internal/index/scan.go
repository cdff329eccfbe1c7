package index

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/query"
)

// A source is the part of a statement that reads the objects to match with a query. Its
// text is one of a few constants. The query itself is in the arguments, or evaluated in Go
// by a [scan].
//
//	?1 ?2  the seqs between which the objects lie
//	?3 ?4  further arguments of the source
type source struct {
	from string
	seq  string // the column that has the objects' seqs, in the order of the source
	args [4]any
}

// Limits are written as LIMIT ? + 0. SQLite uses the value of a bare parameter to plan a
// statement, and so plans the statement again each time the value is bound, which takes
// longer than finding a page.

// allObjects reads every object of the bucket.
const allObjects = "object o WHERE o.seq > ?1 AND o.seq < ?2"

// keyObjects reads the objects that have an entry with the key ?3 in the index ?4.
const keyObjects = "entries e CROSS JOIN object o ON o.seq = e.seq WHERE e.idx = ?4 AND e.key = ?3 AND e.seq > ?1 AND e.seq < ?2"

// keysUp reads the objects that have an entry in the index ?4, upwards from the key ?3 and
// the seq ?1.
const keysUp = "entries e CROSS JOIN object o ON o.seq = e.seq WHERE e.idx = ?4 AND (e.key, e.seq) > (?3, ?1) AND e.key < x'10'"

// keysDown reads the objects that have an entry in the index ?4, key by key downwards from
// ?3. The objects of a key are in order of creation: for the first key those after ?1, for
// the others those after ?2. The rows have that order without sorting, since SQLite never
// swaps the sides of a cross join. Sorting would read all objects of a key first.
const (
	withKeysDown = `WITH RECURSIVE k (key) AS (
    SELECT ?3 UNION ALL
    SELECT (SELECT max(key) FROM entries WHERE idx = ?4 AND key < k.key) FROM k WHERE k.key IS NOT NULL)
`
	keysDown = `k CROSS JOIN entries e ON e.idx = ?4 AND e.key = k.key AND e.seq > iif(k.key = ?3, ?1, ?2)
CROSS JOIN object o ON o.seq = e.seq WHERE true`
)

// keysDownReverse reads the objects that have an entry in the index ?4, downwards from the
// key ?3 and the seq ?2.
const keysDownReverse = "entries e CROSS JOIN object o ON o.seq = e.seq WHERE e.idx = ?4 AND (e.key, e.seq) < (?3, ?2)"

// theseEntries reads the objects in a JSON array of seqs, in the order of the array. Instead
// of a key, e.key is the place in the array, and so in [scan].entries.
const theseEntries = "json_each(?3) e CROSS JOIN object o ON o.seq = e.value WHERE true"

// theseObjects reads the objects in a JSON array of seqs, which is sorted.
const theseObjects = "json_each(?3) j CROSS JOIN object o ON o.seq = j.value WHERE j.value > ?1 AND j.value < ?2"

// everything returns the source of all objects of the partition.
func everything(partition int64) source {
	return source{from: allObjects, seq: "o.seq", args: [4]any{commit.Seq(partition, 0), commit.Seq(partition+1, 0), nil, nil}}
}

// after limits the source to the objects after a seq, in the query's direction.
func (s *source) after(q *query.Query, seq int64) {
	switch {
	case seq == 0:
	case q.Reverse:
		s.args[1] = seq
	default:
		s.args[0] = seq
	}
}

// these returns the source with only the objects that have the seqs.
func (s source) these(seqs []int64) source {
	text, _ := json.Marshal(seqs)
	s.from, s.seq, s.args[2] = theseObjects, "j.value", string(text)
	return s
}

// Page receives the objects that [Choice.Find] finds.
type Page interface {
	// Left returns the maximum number of objects still needed. The last of them shows
	// that the list continues after the page.
	Left() int
	// Add receives the next object's position and stored bytes, and reports whether the
	// page is full.
	Add(at query.Position, bytes int64) (full bool)
}

// Find adds the objects that match the query to the page, in the query's order, until the
// page is full. It adds only positions, so that the page is known before its objects are
// read.
//
// The error matches [engine.ErrTooLarge] if matching a pattern costs too much, and
// [engine.ErrCorrupt] if an object cannot be decoded.
func (c *Choice) Find(ctx context.Context, conn *engine.Conn, page Page) error {
	s := c.newScan(ctx, nil)
	defer s.release()
	f := finder{s, conn, page}
	var err error
	switch {
	case c.walk != nil:
		err = f.walk(ctx, c.walk)
	case len(c.query.Order) > 0:
		err = f.sorted(ctx, c.source)
	case c.seqs == nil:
		err = f.inOrder(ctx, c.source)
	default:
		err = f.lookUp(ctx, c.source, c.seqs)
	}
	if err == errEnough {
		return nil
	}
	return err
}

// Visit calls f with each object that matches the query, in order of creation. The members
// are those that f reads. The errors are those of [Choice.Find], and f's.
func (c *Choice) Visit(ctx context.Context, conn *engine.Conn, members []string, f func(*Document) error) error {
	_, err := c.visit(ctx, conn, members, f)
	return err
}

func (c *Choice) visit(ctx context.Context, conn *engine.Conn, members []string, f func(*Document) error) (n int64, err error) {
	s := c.newScan(ctx, f)
	defer s.release()
	s.system = s.system || slices.ContainsFunc(members, InSystem)
	err = conn.LongQuery(ctx, "SELECT count(*) FROM "+c.source.from+" AND "+s.call(), s.args(&c.source, 0), func(r engine.Row) error {
		n = r.Int(0)
		return nil
	})
	return n, s.err(conn, err)
}

// Each calls f with columns of each object AS o that matches the query. The errors are
// those of [Choice.Find], and f's.
func (c *Choice) Each(ctx context.Context, conn *engine.Conn, columns string, f func(engine.Row) error) error {
	s := c.newScan(ctx, nil)
	defer s.release()
	each := engine.NewCallback(ctx, func(r engine.Row) (any, error) { return nil, f(r) })
	defer each.Release()
	text := "SELECT count(bucketlite_callback(?8, " + columns + ")) FROM " + c.source.from
	if !c.query.IsAll() {
		text += " AND " + s.call()
	}
	err := conn.LongQuery(ctx, text, append(s.args(&c.source, 0), each.Token()), func(engine.Row) error { return nil })
	if err != nil && each.Err() != nil {
		return each.Err()
	}
	return s.err(conn, err)
}

// A scan matches the objects of a source with a query while a statement runs.
type scan struct {
	bucket Bucket
	query  *query.Query
	system bool // the query refers to system members
	doc    Document
	work   *query.Work
	match  *engine.Callback
	place  *engine.Callback      // returns the key of the last match; nil if the query does not sort
	visit  func(*Document) error // unless nil, is called with each match

	entries []entryAt // of the source theseEntries

	key []byte // of the last match
	seq int64  // of the object examined last
}

// newScan returns a scan for the query. If the query sorts, the scan skips objects up to
// the query's position. It must be released.
func (c *Choice) newScan(ctx context.Context, visit func(*Document) error) *scan {
	s := &scan{bucket: c.bucket, query: c.query, system: needsSystem(c.query), doc: Document{bucket: c.bucket.ID}, work: query.NewWork(ctx), visit: visit}
	s.match = engine.NewCallback(ctx, s.wants)
	if len(s.query.Order) > 0 {
		s.place = engine.NewCallback(ctx, s.placed)
	}
	return s
}

func (s *scan) release() {
	s.match.Release()
	if s.place != nil {
		s.place.Release()
	}
}

// wants is called with an object's seq and its fieldColumns or documentColumns.
func (s *scan) wants(row engine.Row) (any, error) {
	s.doc.set(row[1:])
	s.seq = row.Int(0)
	wanted := s.query.Match(&s.doc, s.doc.size(), s.work)
	if err := s.work.Err(); err != nil {
		return nil, err
	}
	if wanted && len(s.query.Order) > 0 {
		s.key = s.query.Order.AppendKey(s.key[:0], &s.doc)
		wanted = s.query.Compare(s.query.After, query.Position{Key: s.key, Num: s.seq}) < 0
	}
	if wanted && s.visit != nil {
		if err := s.visit(&s.doc); err != nil {
			return nil, err
		}
	}
	if s.doc.err != nil {
		return nil, fmt.Errorf("%s: %w: %v", &s.bucket, engine.ErrCorrupt, s.doc.err)
	}
	return wanted, nil
}

// placed returns the key of the last match. If it is also given the key of an entry, or the
// place of one in entries, it reports instead whether the two keys are equal.
func (s *scan) placed(row engine.Row) (any, error) {
	if len(row) == 1 {
		return s.key, nil
	}
	entry := row.Bytes(1)
	if !row[1].IsBlob() {
		entry = s.entries[row.Int(1)].key
	}
	if s.query.Order[0].Desc {
		return bytes.Equal(s.key, query.Reverse(entry)), nil
	}
	return bytes.Equal(s.key, entry), nil
}

// err returns err, or the error of the callback that ended the statement.
func (s *scan) err(conn *engine.Conn, err error) error {
	switch {
	case err == nil:
		return nil
	case s.match.Err() != nil:
	case s.place != nil && s.place.Err() != nil:
		return s.place.Err()
	default:
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
	return fmt.Errorf("%s: object %q: %w: %w", &s.bucket, id, engine.ErrTooLarge, err)
}

// call returns the SQL condition that an object matches the query. Its token is ?5.
func (s *scan) call() string {
	if s.system {
		return "bucketlite_callback(?5, o.seq, " + documentColumns + ")"
	}
	return "bucketlite_callback(?5, o.seq, " + fieldColumns + ")"
}

// args returns the arguments of a statement: those of the source, the tokens of the scan,
// and the maximum number of objects.
func (s *scan) args(from *source, limit int) []any {
	place := int64(0)
	if s.place != nil {
		place = s.place.Token()
	}
	a := &from.args
	return []any{a[0], a[1], a[2], a[3], s.match.Token(), place, int64(limit)}
}

// A finder finds the objects of a page with a scan.
type finder struct {
	*scan
	conn *engine.Conn
	page Page
}

// storedBytes is the size of a stored object. SQLite knows it without reading the
// columns.
const storedBytes = "octet_length(o.fields) + coalesce(octet_length(o.blobs), 0)"

// run runs a statement that selects seqs, keys and storedBytes from a source.
func (f *finder) run(ctx context.Context, text string, from *source) error {
	return f.err(f.conn, f.conn.LongQuery(ctx, text, f.args(from, f.page.Left()), func(r engine.Row) error {
		if f.page.Add(query.Position{Key: r.Bytes(1), Num: r.Int(0)}, r.Int(2)) {
			return errEnough
		}
		return nil
	}))
}

// creation returns the ORDER BY of a column of seqs.
func (f *finder) creation(column string) string {
	if f.query.Reverse {
		return " ORDER BY " + column + " DESC"
	}
	return " ORDER BY " + column
}

// inOrder finds the matching objects of a source, in order of creation or backwards.
func (f *finder) inOrder(ctx context.Context, from source) error {
	text := "SELECT o.seq, NULL, " + storedBytes + " FROM " + from.from
	if !f.query.IsAll() {
		text += " AND " + f.call()
	}
	return f.run(ctx, text+f.creation(from.seq)+" LIMIT ?7 + 0", &from)
}

// lookUp finds the matching objects among those with the seqs, in order of creation or
// backwards. It reads them in chunks, since a page rarely needs all of them.
func (f *finder) lookUp(ctx context.Context, from source, seqs []int64) error {
	if f.query.Reverse {
		slices.Reverse(seqs)
	}
	for chunk := range slices.Chunk(seqs, max(2*f.page.Left(), minLookup)) {
		if f.query.Compare(query.Position{Num: chunk[len(chunk)-1]}, query.Position{Num: f.query.After.Num}) <= 0 {
			continue
		}
		if err := f.inOrder(ctx, from.these(chunk)); err != nil {
			return err
		}
	}
	return nil
}

// sorted finds the matching objects of a source, in the query's order.
func (f *finder) sorted(ctx context.Context, from source) error {
	return f.run(ctx, "SELECT o.seq, bucketlite_callback(?6, o.seq) AS key, "+storedBytes+" FROM "+from.from+" AND "+f.call()+
		f.creation("key, o.seq")+" LIMIT ?7 + 0", &from)
}

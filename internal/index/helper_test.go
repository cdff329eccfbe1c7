package index_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/committest"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

const bucketNum = 1

// file is a store's file with one bucket, number 1.
type file struct {
	testing.TB
	*committest.File
	bucket index.Bucket
	last   int64
}

func open(t testing.TB) *file {
	t.Helper()
	plan, faults := schema.Compile(parse(t, `{"properties":{"n":{"type":"integer"},"at":{"type":"datetime"},"tags":{"type":"array","items":{"type":"string"}}}}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return &file{TB: t, File: committest.Open(t), bucket: index.Bucket{Num: bucketNum, Partition: bucketNum, ID: "bkt", Name: "videos", Plan: plan}}
}

func parse(t testing.TB, text string) any {
	t.Helper()
	v, err := value.Parse([]byte(text), value.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// write runs an operation in a transaction.
func (f *file) write(op func(*commit.Tx, *commit.Bucket) error) error {
	return f.File.Write(context.Background(), func(t *engine.Tx) error {
		tx := commit.Of(t)
		state, err := tx.Bucket(bucketNum)
		if err != nil {
			return err
		}
		return op(tx, state)
	})
}

// must is [file.write] for an operation that succeeds.
func (f *file) must(op func(*commit.Tx, *commit.Bucket) error) {
	f.Helper()
	if err := f.write(op); err != nil {
		f.Fatal(err)
	}
}

func (f *file) execute(statement string, args ...any) {
	f.Helper()
	err := f.File.Write(context.Background(), func(t *engine.Tx) error {
		_, err := t.Exec(statement, args...)
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
}

// read runs a query in a snapshot.
func (f *file) read(q func(*engine.Conn) error) {
	f.Helper()
	err := f.File.Read(context.Background(), func(c *engine.Conn) error { return c.Snapshot(func() error { return q(c) }) })
	if err != nil {
		f.Fatal(err)
	}
}

// want fails unless the only value of a query is the text.
func (f *file) want(statement, want string) {
	f.Helper()
	got := "nothing"
	f.read(func(c *engine.Conn) error {
		_, err := c.QueryRow(statement, nil, func(r engine.Row) { got = fmt.Sprint(r[0]) })
		return err
	})
	if got != want {
		f.Errorf("%s: got %s, want %s", statement, got, want)
	}
}

// stored returns an object with fields in their JSON form.
func (f *file) stored(id, fields string) index.Stored {
	f.Helper()
	encoded, _ := jsonb.Append(nil, parse(f, fields).(map[string]any))
	return index.Stored{Fields: encoded, ID: id, Status: "DRAFT", CreatedAt: 1e15, UpdatedAt: 2e15}
}

// put writes a new object as puts do, and returns its seq.
func (f *file) put(o index.Stored) int64 {
	f.Helper()
	f.last++
	seq := int64(bucketNum<<commit.ClockBits) + f.last
	f.must(func(tx *commit.Tx, state *commit.Bucket) error {
		state.Tick()
		state.Objects++
		var blobs any
		if o.Blobs != "" {
			blobs = o.Blobs
		}
		_, err := tx.Exec("INSERT INTO object (seq, partition, id, version, size, status, created_at, updated_at, fields, blobs) VALUES (?, 1, ?, 1, 0, ?, ?, ?, ?, ?)",
			seq, o.ID, o.Status, o.CreatedAt, o.UpdatedAt, o.Fields, blobs)
		if err != nil {
			return err
		}
		return index.Update(tx, state, f.bucket, seq, nil, o.Row())
	})
	return seq
}

// putSome writes objects "1" to n; n of each is its number.
func (f *file) putSome(n int) {
	f.Helper()
	for i := 1; i <= n; i++ {
		f.put(f.stored(fmt.Sprint(i), fmt.Sprintf(`{"n":%d,"tags":["t%d"],"title":"title %d"}`, i, i%3, i)))
	}
}

// add adds an index.
func (f *file) add(kind, path string) {
	f.Helper()
	f.must(func(tx *commit.Tx, state *commit.Bucket) error { return index.Add(tx, state, kind, path) })
}

// unfinished returns the first index to work on.
func (f *file) unfinished() (u index.Unfinished) {
	f.Helper()
	f.read(func(c *engine.Conn) (err error) {
		u, err = index.First(c, func(*index.Unfinished) bool { return false })
		return err
	})
	return u
}

// finish builds and drops until no index is left to work on, and returns the slices it took.
func (f *file) finish() (slices int) {
	f.Helper()
	for u := f.unfinished(); u.Num != 0; u = f.unfinished() {
		f.must(func(tx *commit.Tx, _ *commit.Bucket) error { return index.Continue(tx, u.Num, f.bucket.Plan) })
		slices++
	}
	return slices
}

// wantAgree fails unless the indexes agree with the objects.
func (f *file) wantAgree() {
	f.Helper()
	for _, c := range f.compare() {
		if c.Want != c.Got || c.Differ {
			f.Errorf("index of %q: got %d entries, other ones %v, want %d", c.Index.Path, c.Got, c.Differ, c.Want)
		}
		if c.Many || c.Cut {
			f.Errorf("index of %q: got many %v and cut %v not noted", c.Index.Path, c.Many, c.Cut)
		}
		if c.Lost > 0 {
			f.Errorf("got %d of %d objects not found by their texts", c.Lost, c.Looked)
		}
	}
}

func (f *file) compare() (list []index.Comparison) {
	f.Helper()
	f.read(func(c *engine.Conn) (err error) {
		list, err = index.Compare(context.Background(), c, f.bucket)
		return err
	})
	return list
}

// compile returns a query for a page of 100.
func (f *file) compile(filter *query.Expr, order ...query.OrderBy) *query.Query {
	f.Helper()
	q := &query.Query{Limit: 100}
	for _, by := range order {
		by.Type = f.typeOf(by.Path)
		q.Order = append(q.Order, by)
	}
	if filter != nil {
		var err error
		if q.Filter, err = query.Compile(filter, f.typeOf); err != nil {
			f.Fatal(err)
		}
	}
	return q
}

func (f *file) typeOf(path []string) query.Type { return index.TypeOf(f.bucket.Plan, path) }

// page is a page of up to so many objects.
type page struct {
	limit int
	seqs  []int64
	last  query.Position
}

func (p *page) Left() int { return p.limit + 1 - len(p.seqs) }

func (p *page) Add(at query.Position, _ int64) bool {
	if len(p.seqs) == p.limit {
		return true
	}
	p.seqs = append(p.seqs, at.Num)
	p.last = query.Position{Key: slices.Clone(at.Key), Num: at.Num}
	return false
}

// all returns all objects a query wants, as their numbers, found page by page.
func (f *file) all(q *query.Query) []int64 {
	f.Helper()
	found := []int64{}
	next := *q
	for {
		p := &page{limit: next.Limit}
		f.read(func(c *engine.Conn) error {
			how, err := index.Choose(context.Background(), c, f.bucket, &next, false)
			if err != nil {
				return err
			}
			return how.Find(context.Background(), c, p)
		})
		for _, seq := range p.seqs {
			found = append(found, seq-bucketNum<<commit.ClockBits)
		}
		if len(p.seqs) < p.limit {
			return found
		}
		next.After = p.last
	}
}

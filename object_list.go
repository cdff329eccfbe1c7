package bucketlite

import (
	"context"
	"encoding/json"
	"iter"
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/query"
)

// Objects iterates over the bucket's objects that match q. The loop's body may write
// to the bucket: no statement is open while it runs. Objects created during the
// iteration are included if they come later in the order. An object that is deleted
// or changed during the iteration may still appear in its old state if it is at most
// 100 objects ahead, or 1000 if q sorts. An error ends the iteration; if the store is
// closed, it is [ErrClosed].
//
// The iteration holds at most [Options].MaxPageBytes of stored objects, and one
// decoded object.
func (b *Bucket) Objects(ctx context.Context, q Query) iter.Seq2[*Object, error] {
	return func(yield func(*Object, error) bool) {
		for raw, err := range each(ctx, b.store, q, b.ListRaw) {
			var o *Object
			if err == nil {
				o, err = raw.Object()
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// List returns one page of the bucket's objects that match q. Paging through a bucket
// returns exactly once each object that exists, unchanged, all that time.
//
// A page ends at its limit or at [Options].MaxPageBytes of stored objects, whichever
// comes first. Decoded objects take more memory; [Bucket.ListRaw] leaves decoding to
// the caller.
//
// Errors: [ErrBadRequest]; [ErrTooLarge] if pages of the list end early and an offset
// is given; [ErrNotActive] if the bucket is suspended; [ErrNotFound].
func (b *Bucket) List(ctx context.Context, q Query) (*Page[*Object], error) {
	raw, err := b.ListRaw(ctx, q)
	if err != nil {
		return nil, err
	}
	page := &Page[*Object]{Results: make([]*Object, len(raw.Results)), Next: raw.Next, Total: raw.Total}
	for i, r := range raw.Results {
		if page.Results[i], err = r.Object(); err != nil {
			return nil, err
		}
		raw.Results[i] = nil
	}
	return page, nil
}

// objectHits are the objects of a page: first their seqs, then their rows.
type objectHits struct {
	window
	seqs  []int64
	rows  []objectRow
	total int64
}

// Add takes the next matching object. It implements [index.Page].
func (f *objectHits) Add(at query.Position, bytes int64) (full bool) {
	on, done := f.window.add(at, bytes)
	if on {
		f.seqs = append(f.seqs, at.Num)
	}
	return done
}

// Left returns the maximum number of objects still needed. It implements [index.Page].
func (f *objectHits) Left() int { return f.offset + f.limit + 1 - f.n }

// findPage reads the page that c describes, in one snapshot.
func (b *Bucket) findPage(ctx context.Context, c *compiledQuery) (found objectHits, err error) {
	err = b.store.readPage(ctx, c, func(ctx context.Context, conn *engine.Conn, short bool) error {
		found = objectHits{window: c.window(b.store)}
		return conn.Snapshot(func() error {
			err := b.readable(conn)
			if err == nil {
				err = b.find(ctx, conn, c, short, &found)
			}
			if err == nil {
				err = found.window.err(b.store, c.list)
			}
			if err == nil {
				err = found.read(ctx, conn)
			}
			return err
		})
	})
	return found, err
}

// find finds the objects that match c, inside a snapshot. It returns errScan if short
// is set and the read would be long.
func (b *Bucket) find(ctx context.Context, conn *engine.Conn, c *compiledQuery, short bool, found *objectHits) (err error) {
	if c.total {
		if found.total, err = b.countWanted(ctx, conn, c, 0); err != nil {
			return err
		}
	}
	how, err := index.Choose(ctx, conn, b.indexed(), &c.Query, false)
	if err != nil {
		return err
	}
	if short && !how.IsShort() {
		return errScan
	}
	return how.Find(ctx, conn, found)
}

// errUnread reports that objects found by one statement are missing in the next.
var errUnread = errorf("%w: objects of one snapshot differ", ErrCorrupt)

// read reads the objects of the page.
func (f *objectHits) read(ctx context.Context, conn *engine.Conn) error {
	f.rows = make([]objectRow, 0, len(f.seqs))
	if n := len(f.seqs); n > 0 && f.seqs[0] > f.seqs[n-1] { // SQLite steps to the next row, but not to the previous one
		slices.Reverse(f.seqs)
		defer func() { slices.Reverse(f.rows) }()
	}
	text, _ := json.Marshal(f.seqs)
	err := conn.LongQuery(ctx, "SELECT "+objectColumns+" FROM json_each(?) j CROSS JOIN object o ON o.seq = j.value", []any{string(text)}, func(r engine.Row) error {
		n := len(f.rows)
		f.rows = append(f.rows, objectRow{})
		f.rows[n].scan(r, 0)
		if f.rows[n].object.seq != f.seqs[n] {
			return errUnread
		}
		return ctx.Err()
	})
	if err == nil && len(f.rows) != len(f.seqs) {
		err = errUnread
	}
	return err
}

// countWanted counts the objects that match c, without regard to its cursor, up to most
// unless that is 0.
func (b *Bucket) countWanted(ctx context.Context, conn *engine.Conn, c *compiledQuery, most int64) (n int64, err error) {
	if !c.IsAll() {
		return index.Count(ctx, conn, b.indexed(), &c.Query, most)
	}
	if n, err = b.objectCount(conn); most != 0 {
		n = min(n, most)
	}
	return n, err
}

// objectCount returns how many objects the bucket has.
func (b *Bucket) objectCount(conn *engine.Conn) (int64, error) {
	n, exists, err := commit.CountObjects(conn, b.num)
	if err == nil && !exists {
		err = b.gone()
	}
	return n, err
}

package bucketlite

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// Objects iterates over the bucket's objects that q wants. The loop's body may
// write to the bucket: no statement is open while it runs. Objects created
// meanwhile are met if their place is yet to come; one deleted or changed
// meanwhile may be met as it was up to 100 objects earlier, or 1000 if q sorts them.
// An error ends the iteration; if the store is closed it is [ErrClosed].
//
// The iteration holds at most [Options].MaxPageBytes of stored objects, besides the
// one object that is decoded.
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

// List returns one page of the bucket's objects that q wants. Paging through a
// bucket meets every object that is there, and unchanged, all the while exactly once.
//
// A page ends at [Options].MaxPageBytes of stored objects, or at its limit, whichever
// comes first. Decoded, objects take more: [Bucket.ListRaw] leaves that to the caller.
//
// Errors: [ErrBadRequest], [ErrTooLarge] for an offset into a list whose pages end early,
// [ErrNotActive] while the bucket is suspended, [ErrNotFound].
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

// objectHits are the objects of a page: first their places, then their rows.
type objectHits struct {
	window
	seqs  []int64
	rows  []objectRow
	total int64
}

// add takes the next object that is wanted: its seq, what it is sorted by, and its
// stored bytes.
func (f *objectHits) add(r engine.Row) error {
	seq, key := r.Int(0), r.Bytes(1)
	on, done := f.window.add(position{key, seq}, r.Int(2))
	if on {
		f.seqs = append(f.seqs, seq)
	}
	if done {
		return errPageFull
	}
	return nil
}

// left is how many more objects are needed at most, of which one tells that the list
// goes on.
func (f *objectHits) left() int { return f.offset + f.limit + 1 - f.n }

// findPage finds the page that c wants, in one snapshot.
func (b *Bucket) findPage(ctx context.Context, c *compiledQuery) (found objectHits, err error) {
	err = b.store.readPage(ctx, c, func(ctx context.Context, conn *engine.Conn, short bool) error {
		found = objectHits{window: c.window(b.store)}
		return conn.Snapshot(func() error {
			err := b.permit(conn, readObjects)
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

// find finds the objects c wants, amid a snapshot. If the read is to be short and
// cannot be, it returns errScan.
func (b *Bucket) find(ctx context.Context, conn *engine.Conn, c *compiledQuery, short bool, found *objectHits) (err error) {
	if c.total {
		if found.total, err = b.countWanted(ctx, conn, c); err != nil {
			return err
		}
	}
	how, err := b.choose(ctx, conn, c, false)
	if err != nil {
		return err
	}
	if short && !how.isShort(c) {
		return errScan
	}
	s := b.newScan(ctx, c)
	defer s.release()
	switch {
	case how.walk != nil:
		err = s.walk(ctx, conn, how.walk, found)
	case len(c.order) > 0:
		err = s.sorted(ctx, conn, how.source, found)
	case how.seqs == nil:
		err = s.inOrder(ctx, conn, how.source, found)
	default:
		err = s.lookUp(ctx, conn, how.seqs, found)
	}
	if err == errPageFull {
		return nil
	}
	return err
}

// errUnread says that objects which a statement found cannot be read by the next one.
var errUnread = errorf("%w: objects of one snapshot differ", ErrCorrupt)

// read reads the objects of the page.
func (f *objectHits) read(ctx context.Context, conn *engine.Conn) error {
	f.rows = make([]objectRow, 0, len(f.seqs))
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

// countWanted counts the objects c wants, wherever its cursor stands.
func (b *Bucket) countWanted(ctx context.Context, conn *engine.Conn, c *compiledQuery) (n int64, err error) {
	if c.isAll() {
		return b.objectCount(conn)
	}
	whole := *c
	whole.order = nil
	n, ok, err := b.countEntries(ctx, conn, &whole)
	if err != nil || ok {
		return n, err
	}
	how, err := b.choose(ctx, conn, &whole, true)
	if err != nil {
		return 0, err
	}
	s := b.newScan(ctx, &whole)
	defer s.release()
	return s.count(ctx, conn, how.source)
}

package bucketlite

import (
	"context"
	"iter"
	"slices"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// Objects iterates over the bucket's objects that q wants. The loop's body may
// write to the bucket: no statement is open while it runs. Objects created
// meanwhile are met if their place is yet to come; one deleted or changed
// meanwhile may be met as it was up to 100 objects earlier, or 1000 if q sorts them.
// An error ends the iteration; if the store is closed it is [ErrClosed].
func (b *Bucket) Objects(ctx context.Context, q Query) iter.Seq2[*Object, error] {
	return each(ctx, b.store, q, b.List)
}

// List returns one page of the bucket's objects that q wants. Paging through a
// bucket meets every object that is there, and unchanged, all the while exactly once.
//
// Errors: [ErrBadRequest], [ErrNotActive] while the bucket is suspended, [ErrNotFound].
func (b *Bucket) List(ctx context.Context, q Query) (*Page[*Object], error) {
	c, err := q.compile(b.store, list{kind: "objects", owner: b.num}, b.types)
	if err != nil {
		return nil, err
	}
	var found objectHits
	err = b.store.readPage(ctx, c, func(ctx context.Context, conn *engine.Conn, short bool) error {
		found = objectHits{}
		return conn.Snapshot(func() error {
			if err := b.permit(conn, readObjects); err != nil {
				return err
			}
			return b.find(ctx, conn, c, short, &found)
		})
	})
	if err != nil {
		return nil, err
	}
	hits := make([]hit[*Object], len(found.rows))
	for i := range found.rows {
		o, err := found.rows[i].decode(b)
		if err != nil {
			return nil, err
		}
		o.choose(c.chosen)
		hits[i] = hit[*Object]{o, position{found.keys[i], o.seq}}
	}
	return page(b.store, c, hits, c.limit, found.total), nil
}

// objectHits are the objects of a page, and one more if there are more.
type objectHits struct {
	rows  []objectRow
	keys  [][]byte // what they are sorted by
	total int64
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
		return s.walk(ctx, conn, how.walk, c.limit+1, c.offset, found)
	case len(c.order) > 0:
		return s.sorted(ctx, conn, how.source, c.limit+1, c.offset, found)
	}
	if how.seqs == nil {
		return s.inOrder(ctx, conn, how.source, c.limit+1, c.offset, found)
	}
	// A page rarely needs all that an index leads to.
	want := c.offset + c.limit + 1
	for chunk := range slices.Chunk(how.seqs, max(2*want, minLookup)) {
		if chunk[len(chunk)-1] <= c.after.num {
			continue
		}
		err := s.inOrder(ctx, conn, b.these(chunk, c.after.num), want-len(found.rows), 0, found)
		if err != nil || len(found.rows) == want {
			found.skip(c.offset)
			return err
		}
	}
	found.skip(c.offset)
	return nil
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

// skip leaves out the first n.
func (f *objectHits) skip(n int) {
	n = min(n, len(f.rows))
	f.rows, f.keys = f.rows[n:], f.keys[n:]
}

// permit refuses access the bucket's state does not allow.
func (b *Bucket) permit(c *engine.Conn, a access) error {
	var refusal error
	found, err := c.QueryRow("SELECT name, status, locked FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) {
		refusal = permit(r.Text(0), Status(r.Text(1)), r.Int(2) != 0, a)
	})
	if err == nil && !found {
		err = b.gone()
	}
	if err == nil {
		err = refusal
	}
	return err
}

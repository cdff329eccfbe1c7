package bucketlite

import (
	"context"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// Count returns the number of the bucket's objects that match the filter, in one snapshot.
// Without a filter it reads the bucket's statistics, and where an index has exactly the
// matching objects, only the index. Otherwise it reads the objects.
//
// Errors: [ErrBadRequest], also for a filter that no object can match; see
// [QueryError].Unsatisfiable; [ErrTooLarge] if matching a regular expression costs too
// much; [ErrNotActive] if the bucket is suspended; [ErrNotFound].
func (b *Bucket) Count(ctx context.Context, f Filter) (n int64, err error) {
	return b.countUpTo(ctx, Query{Filter: f}, 0)
}

// CountUpTo returns the number of the bucket's objects that match q's Filter and Search, or
// most if there are more: it stops there. The rest of q has no effect. A result of most
// means most or more. Use it to show a number such as "10,000+" without examining every
// object of a large bucket. A count that stays below most costs as much as [Bucket.Count].
//
// Errors: those of Count; [ErrBadRequest] if most is less than 1.
func (b *Bucket) CountUpTo(ctx context.Context, q Query, most int64) (int64, error) {
	if most < 1 {
		return 0, badRequest("most: got %d, want 1 or more", most)
	}
	return b.countUpTo(ctx, q.members(), most)
}

// countUpTo counts the objects that match a query, up to most unless that is 0.
func (b *Bucket) countUpTo(ctx context.Context, q Query, most int64) (n int64, err error) {
	err = b.following(ctx, func(b *Bucket) error {
		c, err := q.compile(b.store, list{kind: "objects", owner: b.num}, b.types)
		if err == nil {
			n, err = b.count(ctx, c, most)
		}
		return err
	})
	return n, err
}

// count is countUpTo for a compiled query.
func (b *Bucket) count(ctx context.Context, c *compiledQuery, most int64) (n int64, err error) {
	count := func(ctx context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			err := b.readable(conn)
			if err == nil {
				n, err = b.countWanted(ctx, conn, c, most)
			}
			return err
		})
	}
	if c.IsAll() {
		err = b.store.read(ctx, func(conn *engine.Conn) error { return count(ctx, conn) })
	} else {
		err = b.store.readLong(ctx, count)
	}
	return n, err
}

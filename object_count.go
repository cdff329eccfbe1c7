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
	err = b.following(ctx, func(b *Bucket) error {
		c, err := Query{Filter: f}.compile(b.store, list{kind: "objects", owner: b.num}, b.types)
		if err == nil {
			n, err = b.count(ctx, c)
		}
		return err
	})
	return n, err
}

// count counts the objects that match a query.
func (b *Bucket) count(ctx context.Context, c *compiledQuery) (n int64, err error) {
	count := func(ctx context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			err := b.readable(conn)
			if err == nil {
				n, err = b.countWanted(ctx, conn, c)
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

package bucketlite

import (
	"context"
	"errors"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// sumSlice is the number of rows of an older format that get a checksum per
// transaction.
const sumSlice = 200

// sumSome gives the next rows of an older format their checksums. It checks each
// object first, as Check does, since a checksum would vouch for damage too.
func (c *collector) sumSome() (worked bool, err error) {
	if c.summed {
		return false, nil
	}
	ctx := context.Background()
	k := &checker{store: c.store, ctx: ctx, buckets: c.sumBuckets}
	var after int64
	var page []checkedObject
	found := false
	err = c.store.read(ctx, func(conn *engine.Conn) error {
		return conn.Snapshot(func() (err error) {
			page = nil
			found, err = conn.QueryRow("SELECT summed FROM store WHERE summed IS NOT NULL", nil, func(r engine.Row) { after = r.Int(0) })
			if err == nil && found {
				page, err = k.selectObjects(conn, "SELECT o.partition, "+objectColumns+" FROM object o WHERE o.seq > ? ORDER BY o.seq LIMIT ?",
					after, int64(sumSlice))
			}
			return err
		})
	})
	// A page that cannot be read is not retried until the store is reopened.
	c.summed = errors.Is(err, ErrCorrupt) || err == nil && !found
	if err != nil || !found {
		return false, err
	}
	c.sumBuckets = k.buckets
	sound := c.sound(page)
	return true, c.store.write(ctx, func(tx *commit.Tx) error {
		for _, o := range sound {
			if err := o.saveSum(tx); err != nil {
				return err
			}
		}
		var last any // NULL after the last page
		if n := len(page); n > 0 {
			last = page[n-1].object.seq
		}
		_, err := tx.Exec("UPDATE store SET summed = ?1 WHERE ?1 IS NULL OR summed < ?1", last)
		return err
	})
}

// sound returns the objects of a page that have no checksum and no faults.
func (c *collector) sound(page []checkedObject) (sound []*checkedObject) {
	for i := range page {
		o := &page[i]
		if !o.unsummed {
			continue
		}
		if problems := o.judge().problems; len(problems) > 0 {
			c.store.opts.Logger.Warn("bucketlite: object gets no checksum, because it violates a rule; run Check", "problem", problems[0].String())
			continue
		}
		sound = append(sound, o)
	}
	return sound
}

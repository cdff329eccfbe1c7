package commit

import "github.com/bucketlite/bucketlite/internal/engine"

// Content holds the changes that a transaction makes to the store's counts of stored
// bytes, and the known counts.
type Content struct {
	Live    int64 // change of the bytes with references
	Waiting int64 // change of the bytes that wait for deletion
	Written int64 // bytes of written chunks
	Total   int64 // waiting bytes according to the file, or -1 if unknown
}

// Count records that the number of references to a content of the size changes from
// before to after. A negative number means that the content does not count on that
// side.
func (c *Content) Count(size, before, after int64) {
	for _, side := range []struct{ uses, size int64 }{{before, -size}, {after, size}} {
		switch {
		case side.uses > 0:
			c.Live += side.size
		case side.uses == 0:
			c.Waiting += side.size
		}
	}
}

// save adds the changes to the file's counts.
func (c *Content) save(tx *Tx) error {
	if c.Live == 0 && c.Waiting == 0 {
		return nil
	}
	_, err := tx.QueryRow("UPDATE store SET live_bytes = live_bytes + ?, waiting_bytes = waiting_bytes + ? RETURNING waiting_bytes",
		[]any{c.Live, c.Waiting}, func(r engine.Row) { c.Total = r.Int(0) })
	return err
}

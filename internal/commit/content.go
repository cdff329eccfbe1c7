package commit

import "github.com/bucketlite/bucketlite/internal/engine"

// Content is what a transaction has changed in the store's counts of stored bytes, and
// what it knows of them.
type Content struct {
	Live    int64 // change of the bytes that something refers to
	Waiting int64 // change of the bytes that wait to be collected
	Written int64 // bytes of chunks that were written
	Total   int64 // bytes that wait according to the file, -1 if not known
}

// Count moves a content of some size from one number of references to another. A
// negative number stands for a content that is not counted.
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

// save adds what has changed to the file's counts.
func (c *Content) save(tx *Tx) error {
	if c.Live == 0 && c.Waiting == 0 {
		return nil
	}
	_, err := tx.QueryRow("UPDATE store SET live_bytes = live_bytes + ?, waiting_bytes = waiting_bytes + ? RETURNING waiting_bytes",
		[]any{c.Live, c.Waiting}, func(r engine.Row) { c.Total = r.Int(0) })
	return err
}

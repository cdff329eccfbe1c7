package bucketlite

import (
	"cmp"
	"context"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// tallySlice is the number of objects to count in one transaction.
const tallySlice = 2000

// tallySome counts the next objects that the tallies lack: of a bucket from a file of an
// older format, of a bucket whose schema has changed, or of one that Check has repaired.
func (c *collector) tallySome() (worked bool, err error) {
	ctx := context.Background()
	bucket := int64(0)
	err = c.store.read(ctx, func(conn *engine.Conn) (err error) {
		bucket, err = commit.NextUntallied(conn)
		return err
	})
	if err != nil || bucket == 0 {
		return false, err
	}
	return true, c.store.write(ctx, func(tx *commit.Tx) error {
		state, err := tx.Bucket(bucket)
		if err != nil || state == nil {
			return err
		}
		return state.TallySome(tx, int64(cmp.Or(c.store.opts.changeRows, tallySlice)))
	})
}

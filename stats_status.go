package bucketlite

import (
	"context"
	"math"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// StatusCounts returns the number of the bucket's objects with each status, in one
// snapshot. Statuses without objects are absent. StatusCounts works in any status of the
// bucket. It reads counts, and objects only in the cases in which these are not counted
// yet; see [Bucket.Growth]. Errors: [ErrNotFound].
func (b *Bucket) StatusCounts(ctx context.Context) (map[Status]int64, error) {
	var counts map[Status]int64
	noHour := func() int64 { return math.MaxInt64 }
	err := b.readCounts(ctx, noHour, func(ctx context.Context, conn *engine.Conn, c *commit.Counted) error {
		if c.Reached > 0 {
			if ctx == nil {
				return errReadsObjects
			}
			others, err := commit.Recount(ctx, conn, c.Partition, 0, c.Reached)
			if err != nil {
				return err
			}
			c.Tally.AddTally(others)
		}
		counts = make(map[Status]int64)
		for _, s := range c.Tally.Statuses() {
			counts[Status(s.Status)] = s.Objects
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}

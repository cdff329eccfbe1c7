package jobs

import (
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// Unfinished are the batches of a bucket that were submitted and have not ended.
type Unfinished []int64 // batches.num

// UnfinishedOf returns the unfinished batches of a bucket.
func UnfinishedOf(tx *commit.Tx, bucket int64) (batches Unfinished, err error) {
	err = tx.Query("SELECT num FROM batches INDEXED BY batches_queue WHERE status IN ('PENDING', 'IN_PROGRESS') AND bucket = ?", []any{bucket},
		func(r engine.Row) error {
			batches = append(batches, r.Int(0))
			return nil
		})
	return batches, err
}

// Have reports whether an object is in one of the batches.
func (u Unfinished) Have(tx *commit.Tx, object string) (bool, error) {
	for _, batch := range u {
		found, err := tx.QueryRow("SELECT 1 FROM jobs WHERE batch = ? AND object = ?", []any{batch, object}, nil)
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

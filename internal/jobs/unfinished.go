package jobs

import (
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// Unfinished finds the objects of a bucket that are in a batch that was submitted and has
// not ended. It is valid in one transaction.
type Unfinished struct {
	Bucket int64 // buckets.num

	read    bool
	batches []int64 // those with jobs that are not queued yet, or have ended
}

// Has reports whether such a batch has the object.
func (u *Unfinished) Has(tx *commit.Tx, seq int64, object string) (bool, error) {
	queued, err := tx.QueryRow("SELECT 1 FROM jobs INDEXED BY jobs_seq WHERE seq = ? AND status IN ('PENDING', 'PROCESSING')",
		[]any{commit.Seq(u.Bucket, commit.Position(seq))}, nil)
	if queued || err != nil {
		return queued, err
	}
	if err := u.load(tx); err != nil {
		return false, err
	}
	for _, batch := range u.batches {
		found, err := tx.QueryRow("SELECT 1 FROM jobs WHERE batch = ? AND object = ?", []any{batch, object}, nil)
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// load reads the batches, unless it has been done. A batch of which all jobs are queued is
// left out: there may be one for each object.
func (u *Unfinished) load(tx *commit.Tx) error {
	if u.read {
		return nil
	}
	u.read = true
	return tx.Query(`
SELECT num FROM batches INDEXED BY batches_queue WHERE status IN ('PENDING', 'IN_PROGRESS') AND bucket = ? AND (sweep IS NOT NULL OR open < total)`,
		[]any{u.Bucket}, func(r engine.Row) error {
			u.batches = append(u.batches, r.Int(0))
			return nil
		})
}

package jobs

import (
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
)

// A processor may make batches of drafts by itself. It finds them by an index of the status in
// each bucket, so that a look costs the same however many objects there are.

// maxDraftBuckets limits the buckets with drafts that are found at once.
const maxDraftBuckets = 16

// Drafts are the buckets whose drafts may be processed.
type Drafts struct {
	Buckets   []int64 // numbers of buckets that have drafts
	Unindexed []int64 // numbers of buckets that have no index of the status
	Building  bool    // such an index is being built, so that there may be more drafts
}

// FindDrafts finds the buckets that have drafts. It begins with those whose numbers are
// higher than after, so that no bucket waits for others. A bucket whose objects are being
// queued slice by slice is left out, since these are drafts until their turn comes.
func FindDrafts(c *engine.Conn, after int64) (d Drafts, err error) {
	err = c.Query(`
SELECT b.num, i.num IS NULL, i.status = 'READY' AND i.form >= ?1, EXISTS (SELECT 1 FROM entries WHERE idx = i.num AND key = ?2)
FROM buckets b LEFT JOIN indexes i ON i.partition = b.partition AND i.kind = 'value' AND i.path = 'status' AND i.status <> 'DROPPING'
WHERE b.status = 'ACTIVE' AND b.is_locked = 0 AND NOT EXISTS (SELECT 1 FROM batches WHERE sweep = 'submit' AND bucket = b.num)
ORDER BY b.num <= ?3, b.num`, []any{index.Format, index.StatusKey(draft), after}, func(r engine.Row) error {
		switch {
		case r.Int(1) != 0:
			d.Unindexed = append(d.Unindexed, r.Int(0))
		case r.Int(2) == 0:
			d.Building = true
		case r.Int(3) != 0 && len(d.Buckets) < maxDraftBuckets:
			d.Buckets = append(d.Buckets, r.Int(0))
		}
		return nil
	})
	return d, err
}

// SomeDrafts returns the ids of up to limit drafts of a bucket, the oldest first.
func SomeDrafts(tx *commit.Tx, state *commit.Bucket, limit int64) (ids []any, err error) {
	queued, err := tx.QueryRow("SELECT 1 FROM batches WHERE sweep = 'submit' AND bucket = ?", []any{state.Num}, nil)
	if err != nil || queued {
		return nil, err
	}
	err = tx.Query(`
SELECT o.id FROM indexes i CROSS JOIN entries e ON e.idx = i.num AND e.key = ?2 CROSS JOIN object o ON o.seq = e.seq
WHERE i.partition = ?1 AND i.kind = 'value' AND i.path = 'status' AND i.status = 'READY' AND i.form >= ?3 AND o.status = 'DRAFT'
ORDER BY e.seq LIMIT ?4`, []any{state.Partition, index.StatusKey(draft), index.Format, limit}, func(r engine.Row) error {
		ids = append(ids, r.Text(0))
		return nil
	})
	return ids, err
}

// DraftsMetadata are the metadata of a batch that a processor has made of drafts, as JSON text.
// The record of the batch is deleted together with that of its newest task.
const DraftsMetadata = `{"bucketlite.drafts":true}`

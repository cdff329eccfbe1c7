package bucketlite

import (
	"cmp"
	"context"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// Stats are a bucket's statistics. They are exact for all committed changes, and the
// cost of reading them does not depend on the number of objects.
type Stats struct {
	// ObjectCount is the number of objects.
	ObjectCount int64 `json:"object_count"`
	// TotalSize is the sum of the objects' sizes; see [Object].Size.
	TotalSize int64 `json:"total_size_bytes"`
	// LastUploadAt is the time of the last put of an object, or nil if there was
	// none.
	LastUploadAt *time.Time `json:"last_upload_at"`
	// UpdatedAt is the time when the counts of recent commits were last added to the
	// bucket's record, or nil if they never were. The other values are current at any
	// time.
	UpdatedAt *time.Time `json:"stats_updated_at"`
	// Storage holds the sizes of the objects.
	Storage StorageStats `json:"storage_stats"`
	// Batches holds the numbers of batches.
	Batches BatchStats `json:"batch_stats"`
}

// StorageStats are the sizes of a bucket's objects, in bytes; 0 without objects.
type StorageStats struct {
	Total int64 `json:"total_size_bytes"`
	Avg   int64 `json:"avg_size_bytes"` // rounded down
	Max   int64 `json:"max_size_bytes"`
	Min   int64 `json:"min_size_bytes"`
}

// BatchStats are the numbers of a bucket's batches. Canceled batches count only in
// Total.
type BatchStats struct {
	Total     int64 `json:"total"`
	Active    int64 `json:"active"`    // not ended
	Completed int64 `json:"completed"` // with or without errors
	Failed    int64 `json:"failed"`
}

// Stats returns a consistent snapshot of the bucket's statistics, whatever the
// bucket's status. Errors: [ErrNotFound], and [ErrCorrupt] if the running totals are
// damaged; see [Store.Check].
func (b *Bucket) Stats(ctx context.Context) (*Stats, error) {
	var stats Stats
	found := false
	err := b.store.read(ctx, func(c *engine.Conn) (err error) {
		var corrupt error
		found, err = c.QueryRow("SELECT "+statsColumns+" FROM buckets b "+joinStats+" WHERE b.num = ?", []any{b.num},
			func(r engine.Row) { stats, corrupt = scanStats(r, 0) })
		return cmp.Or(err, corrupt)
	})
	if err == nil && !found {
		err = b.gone()
	}
	if err != nil {
		return nil, err
	}
	return &stats, nil
}

// joinStats joins the counts of a bucket's batches to its row AS b.
const joinStats = "LEFT JOIN batch_counts c ON c.bucket = b.num"

// statsColumns are the columns that scanStats reads, of buckets AS b with
// [joinStats].
const statsColumns = commit.CountColumns + ", b.stats_updated_at, " + commit.SizeColumns + ", c.total, c.active, c.completed, c.failed"

// scanStats reads statsColumns, starting at column i.
func scanStats(r engine.Row, i int) (Stats, error) {
	c, err := commit.ScanCounts(r, i)
	i += commit.CountWidth
	s := Stats{ObjectCount: c.Objects, TotalSize: c.Size, UpdatedAt: optionalTime(r, i)}
	if c.Upload != 0 {
		s.LastUploadAt = new(timeOf(c.Upload))
	}
	s.Storage.Total = s.TotalSize
	s.Storage.Max, s.Storage.Min = c.ScanSizes(r, i+1)
	s.Batches = BatchStats{Total: r.Int(i + 3), Active: r.Int(i + 4), Completed: r.Int(i + 5), Failed: r.Int(i + 6)}
	if s.ObjectCount > 0 {
		s.Storage.Avg = s.TotalSize / s.ObjectCount
	}
	return s, err
}

// StoreStats are statistics of a whole store.
type StoreStats struct {
	// ContentBytes is the size of the content of all blobs and uploads. Shared
	// content counts once.
	ContentBytes int64 `json:"content_bytes"`
	// WaitingBytes is the size of the content without references, which background
	// work and writes of new content will delete.
	WaitingBytes int64 `json:"waiting_bytes"`
	// FileBytes is the size of the database.
	FileBytes int64 `json:"file_bytes"`
	// FreeBytes is the size of the unused part of the database. Writes reuse it, and
	// the store returns it to the file system while it is idle.
	FreeBytes int64 `json:"free_bytes"`
}

// Stats returns statistics of the whole store.
func (s *Store) Stats(ctx context.Context) (*StoreStats, error) {
	var stats StoreStats
	err := s.read(ctx, func(c *engine.Conn) error {
		_, err := c.QueryRow(`
SELECT live_bytes, waiting_bytes, page_count * page_size, freelist_count * page_size
FROM store, pragma_page_count, pragma_page_size, pragma_freelist_count`, nil, func(r engine.Row) {
			stats = StoreStats{ContentBytes: r.Int(0), WaitingBytes: r.Int(1), FileBytes: r.Int(2), FreeBytes: r.Int(3)}
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &stats, nil
}

package content

import (
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// maxWaiting is the number of bytes that may wait for deletion before writers delete
// a share; see decision 025.
const maxWaiting = 16 << 20

// CollectShare deletes up to twice as many bytes as the group has written, if many
// bytes wait. So the waiting bytes decrease even while others write, and the file
// does not grow: new chunks reuse the pages of the deleted ones. If a content cannot
// be deleted, the collector tries again and reports the error.
func CollectShare(tx *commit.Tx) error {
	if tx.Content.Written == 0 {
		return nil
	}
	if tx.Content.Total < 0 {
		if _, err := tx.QueryRow("SELECT waiting_bytes FROM store", nil, func(r engine.Row) { tx.Content.Total = r.Int(0) }); err != nil {
			return err
		}
	}
	if tx.Content.Total+tx.Content.Waiting <= maxWaiting {
		return nil
	}
	before := tx.Content
	err := tx.Savepoint(func() error { return Collect(tx, 2*tx.Content.Written/ChunkSize+1) })
	if err != nil {
		tx.Content = before
		tx.Raise(commit.Background)
	}
	return tx.Standing()
}

// Collect deletes n chunks, or a few more, of contents without references.
func Collect(tx *commit.Tx, n int64) error {
	for n > 0 {
		chunks, found, err := collectOne(tx, max(n, 2)) // with a limit of 1 it could not tell that a short content is finished
		if err != nil || !found {
			return err
		}
		n -= max(chunks, 1)
	}
	return nil
}

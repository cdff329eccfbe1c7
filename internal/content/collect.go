package content

import (
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// maxWaiting is how many bytes may wait to be collected before writers collect a share;
// see decision 025.
const maxWaiting = 16 << 20

// CollectShare collects twice as many bytes as the group has written, if much waits.
// So what waits shrinks however much is written, and the file does not grow: the
// pages of what is collected are those of what is written next. A content that
// cannot be collected is left to the collector, which reports it.
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

// Collect deletes up to n chunks of contents that nothing refers to, or a few more.
func Collect(tx *commit.Tx, n int64) error {
	for n > 0 {
		chunks, found, err := collectOne(tx, max(n, 2)) // with 1 it would not know that a short content is done
		if err != nil || !found {
			return err
		}
		n -= max(chunks, 1)
	}
	return nil
}

package bucketlite

import (
	"context"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// What keeps the file small; see decision 025.
const (
	maxWaiting = 16 << 20 // bytes that may wait before writers collect a share
	chunkSlice = 16       // chunks of content that the collector deletes in one transaction
	pageSlice  = 64       // pages that it gives back in one transaction

	// At rest the slices are larger, and nobody waits for them.
	restChunkSlice = 64
	restPageSlice  = 512

	minFreePages  = 64      // unused pages that the file may keep at rest
	freeShare     = 16      // so may one for so many that are in use
	busyFreePages = 8 << 10 // and beside writers, who use them again, so many more than are in use

	restLog = 1 << 20 // bytes of the write-ahead log that may stay at rest
)

// collectShare collects twice as many bytes as the group has written, if much waits.
// So what waits shrinks however much is written, and the file does not grow: the
// pages of what is collected are those of what is written next. A content that
// cannot be collected is left to the collector, which reports it.
func collectShare(tx *commit.Tx) error {
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
	err := tx.Savepoint(func() error { return collect(tx, 2*tx.Content.Written/chunkSize+1) })
	if err != nil {
		tx.Content = before
		tx.Raise(commit.Background)
	}
	return tx.Standing()
}

// collect deletes up to n chunks of contents that nothing refers to, or a few more.
func collect(tx *commit.Tx, n int64) error {
	for n > 0 {
		chunks, found, err := collectContent(tx, max(n, 2)) // with 1 it would not know that a short content is done
		if err != nil || !found {
			return err
		}
		n -= max(chunks, 1)
	}
	return nil
}

// selectUnused finds a content that nothing refers to and that no lease protects.
const selectUnused = "SELECT num, size, hash IS NULL AND lease_until > 0 FROM contents WHERE uses = 0 AND ifnull(lease_until, 0) < ? LIMIT 1"

// collectContent deletes up to limit chunks of a content that nothing refers to. If
// any are left, its hash and its lease go, so that nobody finds it any more and
// nobody goes on staging it, not even if the clock is put back.
func collectContent(tx *commit.Tx, limit int64) (chunks int64, found bool, err error) {
	var num, size int64
	abandoned := false // while it was being staged, and so not counted as waiting
	found, err = tx.QueryRow(selectUnused, []any{time.Now().UnixMicro()}, func(r engine.Row) {
		num, size, abandoned = r.Int(0), r.Int(1), r.Int(2) != 0
	})
	if err != nil || !found {
		return 0, false, err
	}
	if abandoned {
		tx.Content.Waiting += size
	}
	chunks, err = tx.Exec("DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE id >= ? AND id < ? LIMIT ?)",
		num<<chunkBits, (num+1)<<chunkBits, limit)
	if err != nil {
		return 0, false, err
	}
	if chunks < limit {
		tx.Content.Waiting -= size
		_, err = tx.Exec("DELETE FROM contents WHERE num = ?", num)
		return chunks, true, err
	}
	// All chunks but the last are full, and if the last were gone, so would be its row soon.
	gone := min(size, chunks*chunkSize)
	tx.Content.Waiting -= gone
	_, err = tx.Exec("UPDATE contents SET hash = NULL, lease_until = 0, size = size - ? WHERE num = ?", gone, num)
	return chunks, true, err
}

// collectSome collects some content that nothing refers to.
func (c *collector) collectSome() (worked bool, err error) {
	ctx := context.Background()
	err = c.store.read(ctx, func(conn *engine.Conn) (err error) {
		worked, err = conn.QueryRow(selectUnused, []any{time.Now().UnixMicro()}, nil)
		return err
	})
	if err != nil || !worked {
		return false, err
	}
	slice := int64(chunkSlice)
	if c.atRest() {
		slice = restChunkSlice
	}
	return true, c.write(func(tx *commit.Tx) error { return collect(tx, slice) })
}

// vacuumSome gives some free pages back, if there are too many: few are left at rest,
// while writers keep what they are about to use again.
func (c *collector) vacuumSome() (worked bool, err error) {
	var pages, free int64
	err = c.store.read(context.Background(), func(conn *engine.Conn) error {
		_, err := conn.QueryRow("SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count", nil,
			func(r engine.Row) { pages, free = r.Int(0), r.Int(1) })
		return err
	})
	if err != nil {
		return false, err
	}
	statement, keep := "PRAGMA incremental_vacuum(64)", pages-free+busyFreePages
	if c.atRest() || c.store.reserve.spent.Load() {
		statement, keep = "PRAGMA incremental_vacuum(512)", max(minFreePages, (pages-free)/freeShare)
	}
	if free <= keep {
		return false, nil
	}
	c.shrunk = true
	return true, c.write(func(tx *commit.Tx) error {
		_, err := tx.Exec(statement)
		return err
	})
}

// emptyLog empties the write-ahead log now and then: at rest, and if a reader was in
// the way when the writer tried to. The file itself gets shorter only with that.
func (c *collector) emptyLog() (worked bool, err error) {
	if time.Since(c.emptied) < c.store.opts.idleTime {
		return false, nil
	}
	c.emptied = time.Now()
	limit := int64(engine.MaxLog)
	switch spent := c.store.reserve.spent.Load(); {
	case c.shrunk && (spent || c.atRest()):
		limit = 0
	case c.atRest():
		limit = restLog
	}
	empty, err := c.store.db.EmptyLog(limit)
	c.shrunk = c.shrunk && !(empty && limit == 0)
	return false, err
}

// atRest reports whether only background work has been written for half of the idle time.
func (c *collector) atRest() bool {
	return c.store.commits.Unused() > c.store.opts.idleTime/2
}

// write runs background work that frees space in a transaction.
func (c *collector) write(op operation) error {
	return c.store.freeing(context.Background(), op)
}

package bucketlite

import (
	"context"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/lease"
)

// Limits that keep the file small; see decision 025.
const (
	chunkSlice = 16 // chunks of content that the collector deletes per transaction
	pageSlice  = 64 // pages that it returns to the file system per transaction

	// At rest the slices are larger, since no caller waits for them.
	restChunkSlice = 64
	restPageSlice  = 512

	minFreePages  = 64      // unused pages that the file may have at rest
	freeShare     = 16      // at rest, the file may have one unused page per freeShare used pages
	busyFreePages = 8 << 10 // in use, it may have that many more unused pages than used ones, for writers to reuse

	restLog = 1 << 20 // bytes that the write-ahead log may have at rest
)

// collectSome deletes some content that has no references.
func (c *collector) collectSome() (worked bool, err error) {
	ctx := context.Background()
	err = c.store.read(ctx, func(conn *engine.Conn) (err error) {
		worked, err = content.Unused(conn)
		return err
	})
	if err != nil || !worked {
		return false, err
	}
	slice := int64(chunkSlice)
	if c.atRest() {
		slice = restChunkSlice
	}
	return true, c.write(func(tx *commit.Tx) error { return content.Collect(tx, slice) })
}

// endStaging ends leases of staged content that are over although the clock does not
// show it, so that the content can be collected.
func (c *collector) endStaging() (worked bool, err error) {
	s := c.store
	now := time.Now()
	if now.Before(c.stagingAt) {
		return false, nil
	}
	c.stagingAt = now.Add(min(s.opts.idleTime, s.stage.Lease/4))
	ended := make(map[int64]int64) // the ends of their leases
	err = s.read(context.Background(), func(conn *engine.Conn) error {
		clear(ended)
		return content.Leases(conn, s.stage.LeaseEnd(), lease.MaxWatched, func(num, until int64) {
			if s.leases.Over(lease.ID{Kind: "content", A: num}, until, s.stage.Lease) {
				ended[num] = until
			}
		})
	})
	if err != nil || len(ended) == 0 {
		return false, err
	}
	return true, c.write(func(tx *commit.Tx) error {
		for num, until := range ended {
			if err := content.EndLease(tx, num, until); err != nil {
				return err
			}
		}
		tx.Raise(commit.Background)
		return nil
	})
}

// vacuumSome returns some free pages to the file system, if there are too many. At
// rest few stay; otherwise writers will soon reuse them.
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

// emptyLog empties the write-ahead log at rest, and after a reader prevented the
// writer from doing so. The file becomes shorter only when the log is emptied.
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

// atRest reports whether no caller has used the store for half of the idle time.
func (c *collector) atRest() bool {
	return c.store.commits.Unused() > c.store.opts.idleTime/2
}

// write runs background work that frees space in a transaction.
func (c *collector) write(op operation) error {
	return c.store.freeing(context.Background(), op)
}

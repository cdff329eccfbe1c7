package engine

import (
	"sync/atomic"
	"time"
)

// A connection that reads takes and releases a lock of the log for each call, and looks
// whether its pages are still right. With Config.HoldSnapshots it keeps the snapshot of a
// call for the next, as long as the mark of the database is the same.
//
// A snapshot keeps the log from being begun anew, and the writer that wants to may be that
// of another process. So each is held for a short time only, however much it is used, and
// none while this process is to empty the log.
const (
	holdTime  = 10 * time.Millisecond // after which a snapshot ends
	holdSweep = 5 * time.Millisecond  // between looks for those that are not used
)

// holder is what the connections of a pool that hold snapshots have in common. Nil holds
// none.
type holder struct {
	db      *DB
	epoch   atomic.Int64 // counts the calls of letGo; a snapshot of an earlier epoch ends
	sweeps  atomic.Bool  // a sweep is to come
	holding atomic.Int64 // the connections that hold a snapshot
}

// held is the snapshot that a connection holds.
type held struct {
	ok    bool
	mark  Mark
	epoch int64
	began time.Time
}

// over reports whether a snapshot has been held for long enough.
func (s *held) over(now time.Time) bool { return now.Sub(s.began) >= holdTime }

// enter gives a call the snapshot that the connection holds, if that is still the newest
// one, or else a new one, if the database has a mark.
func (h *holder) enter(c *Conn) error {
	if h == nil {
		return nil
	}
	epoch := h.epoch.Load()
	mark, ok := h.db.Mark() // before the snapshot begins, so that it is no older
	if c.held.ok && !c.rolledBack && ok && mark == c.held.mark && epoch == c.held.epoch {
		return nil
	}
	if err := h.end(c); err != nil || !ok {
		return err
	}
	if _, err := c.Exec("BEGIN"); err != nil {
		return err
	}
	c.rolledBack = false
	c.held = held{ok: true, mark: mark, epoch: epoch, began: time.Now()}
	h.holding.Add(1)
	return nil
}

// leave notes that a call has ended. After one that failed, or whose snapshot has been held
// for long enough, nothing is held.
func (h *holder) leave(c *Conn, failed bool) {
	if h == nil || !c.held.ok {
		return
	}
	if failed || c.held.epoch != h.epoch.Load() || c.held.over(time.Now()) {
		h.end(c)
		return
	}
	if h.sweeps.CompareAndSwap(false, true) {
		time.AfterFunc(holdSweep, h.sweep)
	}
}

// end ends the snapshot of a connection, if it holds one.
func (h *holder) end(c *Conn) error {
	if !c.held.ok {
		return nil
	}
	c.held.ok = false
	h.holding.Add(-1)
	if c.rolledBack {
		return nil // some errors, such as those of the disk, end the snapshot at once
	}
	_, err := c.Exec("COMMIT")
	return err
}

// sweep ends the snapshots that have been held for long enough, and comes again while
// others are held.
func (h *holder) sweep() {
	now := time.Now()
	h.each(func(c *Conn) bool { return c.held.over(now) })
	h.sweeps.Store(false)
	if h.holding.Load() > 0 && !h.db.isClosing() && h.sweeps.CompareAndSwap(false, true) {
		time.AfterFunc(holdSweep, h.sweep)
	}
}

// letGo ends all snapshots: at once on connections that are idle, and on the others with
// their call.
func (h *holder) letGo() {
	if h == nil {
		return
	}
	h.epoch.Add(1)
	h.each(func(*Conn) bool { return true })
}

// each ends the snapshots for which over returns true, on connections that are idle.
func (h *holder) each(over func(*Conn) bool) {
	p := h.db.readers
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		if c.held.ok && over(c) {
			h.end(c)
		}
	}
}

package bucketlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// defaultReserve is the default size of the reserve. Even a deletion needs disk
// space: it makes the write-ahead log grow, and copying the log makes the file grow.
// So each store keeps a file of zeros next to its own, and truncates it when an
// operation that frees space finds the disk full. Until the file has its size again,
// no other operation writes, since it would use up the space that deletions need. The
// empty file tells this to other stores, also to those that are opened later. See
// decision 025.
const defaultReserve = 8 << 20

// reserve is the file that keeps disk space for deletions.
type reserve struct {
	path  string      // empty if there is no reserve
	size  int64       // bytes
	kept  atomic.Bool // the file has been seen or created
	spent atomic.Bool
}

var errSpent = errorf("%w: deletions are using the reserve, and other writes are refused until there is space to set it aside again", ErrFull)

// spend truncates the reserve's file, and reports whether that freed space.
func (r *reserve) spend() bool {
	if r.path == "" {
		return false
	}
	if info, err := os.Stat(r.path); err != nil || info.Size() == 0 || os.Truncate(r.path, 0) != nil {
		return false
	}
	r.spent.Store(true)
	return true
}

// notice checks whether another store on the same file has spent the reserve. It runs
// before the first write that follows another store's write.
func (r *reserve) notice() {
	if !r.kept.Load() || r.spent.Load() {
		return
	}
	if info, err := os.Stat(r.path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		r.spent.Store(true)
	}
}

// keep creates the file or restores its size, if that leaves as much space free on
// the disk.
func (r *reserve) keep() {
	have := int64(0)
	info, err := os.Stat(r.path)
	if err == nil {
		have = info.Size()
	}
	if have < r.size {
		free, known := engine.FreeSpace(r.path)
		if known && free < 2*r.size-have || engine.KeepSpace(r.path, r.size) != nil {
			// The disk is full, or the directory not writable: try again later. An empty
			// file was spent by another store. With space it may also be one that another
			// store is creating just now, which is no reason to refuse writes.
			if have == 0 && (err == nil || r.kept.Load()) {
				r.kept.Store(true)
				r.spent.Store(true)
			}
			return
		}
	}
	r.kept.Store(true)
	r.spent.Store(false)
}

// free is write for an operation that frees space. If the disk is full, it uses the
// space of the reserve, and if that does not suffice or there is none, the space of
// the write-ahead log.
func (s *Store) free(ctx context.Context, op operation) error {
	return s.freeing(ctx, func(tx *commit.Tx) error {
		tx.Use()
		return op(tx)
	})
}

// freeing is free for background work, which does not count as use of the store.
func (s *Store) freeing(ctx context.Context, op operation) error {
	run := func(tx *engine.Tx) error { return op(commit.Of(tx)) }
	err := s.db.Write(ctx, run)
	if errors.Is(err, ErrFull) && s.reserve.spend() {
		s.opts.Logger.Warn("bucketlite: disk full, spending the reserve to free space", "reserve", s.reserve.path)
		s.collector.notify()
		s.db.EmptyLog(0) // may fail: readers use the log, or the file needs more space than the disk has
		err = s.db.Write(ctx, run)
	}
	if errors.Is(err, ErrFull) {
		if ok, _ := s.db.EmptyLog(0); ok {
			err = s.db.Write(ctx, run)
		}
	}
	return public(err)
}

// keepReserve creates the reserve, or creates it again, once the disk has space for
// it.
func (c *collector) keepReserve() (worked bool, err error) {
	r := &c.store.reserve
	if r.path == "" || time.Since(c.reserved) < c.store.opts.idleTime {
		return false, nil
	}
	c.reserved = time.Now()
	r.keep()
	return false, nil
}

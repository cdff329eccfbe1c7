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

// defaultReserve is the space that a store keeps for a full disk. Even a deletion
// needs some: the write-ahead log grows by it, and the file by what the log already
// has for it. So each store has a file of zeros beside its own, and empties it when
// an operation that frees space finds the disk full. Until it is full again no other
// operation writes, or it would use up the space that deleting needs. The empty file
// says so to other stores, and to those that are opened later. See decision 025.
const defaultReserve = 8 << 20

// reserve is the space that a store keeps for when the disk is full.
type reserve struct {
	path  string      // empty if none is kept
	size  int64       // bytes
	kept  atomic.Bool // the file has been there
	spent atomic.Bool
}

var errSpent = errorf("%w: deletions are using the reserve, and other writes are refused until there is space to set it aside again", ErrFull)

// spend gives the reserve up, and reports whether that has freed space.
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

// notice looks whether another store on the same file has given the reserve up. It
// runs before the first write after one of another store.
func (r *reserve) notice() {
	if !r.kept.Load() || r.spent.Load() {
		return
	}
	if info, err := os.Stat(r.path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		r.spent.Store(true)
	}
}

// keep sees to it that the file is there, if the disk has as much space besides.
func (r *reserve) keep() {
	have := int64(0)
	info, err := os.Stat(r.path)
	if err == nil {
		have = info.Size()
		r.kept.Store(true)
	}
	if have == 0 && r.kept.Load() {
		r.spent.Store(true) // perhaps by another store
	}
	if have < r.size {
		if free, known := engine.FreeSpace(r.path); known && free < 2*r.size-have {
			return
		}
		if engine.KeepSpace(r.path, r.size) != nil {
			return // the disk is full, or the directory not ours: there is none until it works
		}
	}
	r.kept.Store(true)
	r.spent.Store(false)
}

// free is write for an operation that frees space. If the disk is full it is given
// the reserve, and, should that not be enough or not be there, the space of the
// write-ahead log.
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
		s.opts.Logger.Warn("bucketlite: the disk is full, the reserve is used to free space", "reserve", s.reserve.path)
		s.collector.notify()
		s.db.EmptyLog(0) // it may be in use by readers, or need more space than there is
		err = s.db.Write(ctx, run)
	}
	if errors.Is(err, ErrFull) {
		if ok, _ := s.db.EmptyLog(0); ok {
			err = s.db.Write(ctx, run)
		}
	}
	return public(err)
}

// keepReserve makes the reserve, or makes it again, once the disk has space for it.
func (c *collector) keepReserve() (worked bool, err error) {
	r := &c.store.reserve
	if r.path == "" || time.Since(c.reserved) < c.store.opts.idleTime {
		return false, nil
	}
	c.reserved = time.Now()
	r.keep()
	return false, nil
}

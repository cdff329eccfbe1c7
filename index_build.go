package bucketlite

import (
	"context"
	"errors"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
)

// indexSome does a slice of the work on the first index that is being built or
// dropped. It skips an index whose work has failed on damage, until the store is
// reopened, so that the index does not block the others.
func (c *collector) indexSome() (worked bool, err error) {
	ctx := context.Background()
	var u index.Unfinished
	err = c.store.read(ctx, func(conn *engine.Conn) (err error) {
		u, err = index.First(conn, func(u *index.Unfinished) bool { return c.cannot(u.Num, u.Status) != nil })
		return err
	})
	if err != nil || u.Num == 0 {
		return false, err
	}
	def := &definition{}
	if u.Status == index.Building {
		def, err = c.store.definition(ctx, u.Bucket)
	}
	if err == nil {
		err = c.store.write(ctx, func(tx *commit.Tx) error {
			state, err := tx.Bucket(u.Bucket)
			if err == nil && u.Status == index.Building && state != nil && state.Definition != def.number {
				err = errRedefined
			}
			if err != nil {
				return err
			}
			return index.Continue(tx, u.Num, def.plan)
		})
	}
	if errors.Is(err, errRedefined) {
		err = c.store.redefine(ctx, u.Bucket)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return true, nil // the bucket has been deleted in the meantime
	case errors.Is(err, ErrCorrupt):
		c.giveUp(&u, err)
		c.notify() // there may be other indexes
	case err != nil && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrClosed):
		c.noteStall("", err)
	}
	return true, err
}

// brokenIndex is the error of an index whose work failed while the index had the
// status.
type brokenIndex struct {
	status string
	err    error
}

// giveUp skips an index until the store is reopened.
func (c *collector) giveUp(u *index.Unfinished, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken[u.Num] = brokenIndex{u.Status, err}
}

// cannot returns the error that keeps an index with a status from being worked on, or
// nil.
func (c *collector) cannot(num int64, status string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.broken[num]; b.status == status {
		return b.err
	}
	return nil
}

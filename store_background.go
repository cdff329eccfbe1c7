package bucketlite

import (
	"errors"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite/internal/lease"
)

// idleTime is the time between two looks for work that other stores have left.
const idleTime = 2 * time.Second

// collector is the goroutine that carries on deletions and other tasks, ends what
// has expired, collects content nobody refers to, and gives free space back. It works
// in small transactions and pauses in between, so that other writers hardly notice it.
type collector struct {
	store *Store
	owner string        // names this store in leases
	wake  chan struct{} // holds a token when there may be work
	done  chan struct{} // closed when the goroutine has ended

	summed     bool                     // no row is left to get a checksum
	sumBuckets map[int64]*checkedBucket // those of the rows that got theirs last
	emptied    time.Time                // when the log was last looked at
	shrunk     bool                     // pages were given back, and the log not emptied since

	reserved  time.Time // when the reserve was last looked at
	stagingAt time.Time // when to look for leases of staged content that are over

	mu      sync.Mutex
	broken  map[int64]brokenIndex // by number of the index
	stalled stall
}

func newCollector(s *Store) (*collector, error) {
	id, err := s.newID("")
	return &collector{store: s, owner: lease.Owner(id, taskLease), wake: make(chan struct{}, 1), done: make(chan struct{}), broken: make(map[int64]brokenIndex)}, err
}

// wakeCollector tells the store's collector, if it has one, that there may be work.
func (s *Store) wakeCollector() {
	if s.collector != nil {
		s.collector.notify()
	}
}

// notify tells the collector that there may be work.
func (c *collector) notify() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run works until the store is closed. It also looks, now and then, for work that
// other processes have left, or that has waited for the store to be at rest.
func (c *collector) run() {
	defer close(c.done)
	c.notify()
	c.reserved = time.Now() // a store that is soon closed makes no reserve
	ticker := time.NewTicker(c.store.opts.idleTime)
	defer ticker.Stop()
	for {
		select {
		case <-c.store.db.Closing():
			return
		case <-c.wake:
		case <-ticker.C:
		}
		for c.mayWork() && c.round() {
		}
	}
}

// mayWork reports whether background work may go on, which only tests deny.
func (c *collector) mayWork() bool {
	hook := c.store.opts.mayWork
	return hook == nil || hook()
}

// round does a small piece of each kind of work there is, and reports whether
// there was any, so that no kind has to wait until another has run out. It pauses
// after each piece for as long as that took, unless the store is at rest.
func (c *collector) round() (worked bool) {
	for _, piece := range []func() (bool, error){
		c.deleteSome, c.endStaging, c.collectSome, c.vacuumSome,
		c.confirmSome, c.expireUploads, c.sweepSome, c.indexSome,
		c.forgetSome, c.forgetUploads, c.trimEvents, c.sumSome, c.emptyLog, c.keepReserve,
	} {
		start := time.Now()
		some, err := piece()
		if err != nil && !errors.Is(err, ErrClosed) && !errors.Is(err, ErrBusy) && !errors.Is(err, errSpent) {
			c.store.opts.Logger.Error("bucketlite: background work failed", "error", err)
		}
		if !some || err != nil {
			continue
		}
		worked = true
		pause := time.Since(start)
		if c.atRest() {
			pause = 0
		}
		select {
		case <-c.store.db.Closing():
			return false
		case <-time.After(pause):
		}
	}
	return worked
}

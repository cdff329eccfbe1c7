package bucketlite

import (
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite/internal/lease"
)

// idleTime is the interval at which a store looks for work that other stores have
// left.
const idleTime = 2 * time.Second

// collector is the goroutine for background work: it continues deletions and other
// tasks, ends expired items, deletes unreferenced content, and returns free space. It
// works in small transactions with pauses in between, to leave other writers alone.
type collector struct {
	store *Store
	owner string        // names this store in leases
	wake  chan struct{} // holds a token when there may be work
	done  chan struct{} // closed when the goroutine has ended

	summed     bool                     // every row has a checksum
	sumBuckets map[int64]*checkedBucket // the buckets of the rows that got a checksum last
	emptied    time.Time                // when the log was last checked
	shrunk     bool                     // pages were returned, and the log has not been emptied since

	unpaused bool // the last piece blocked nobody, and needs no pause

	reserved  time.Time // when the reserve was last checked
	stagingAt time.Time // when to check the leases of staged content

	queryWork queryWork
	expirer   *expirer

	mu      sync.Mutex
	broken  map[int64]brokenIndex // by number of the index
	stalled map[string]stall      // by the id of the task, "" for index work
}

func newCollector(s *Store) (*collector, error) {
	id, err := s.newID("")
	if err != nil {
		return nil, err
	}
	c := &collector{store: s, owner: lease.Owner(id, taskLease), wake: make(chan struct{}, 1), done: make(chan struct{}), broken: make(map[int64]brokenIndex), stalled: make(map[string]stall)}
	c.expirer, err = newExpirer(s)
	return c, err
}

// wakeCollector tells the store's collector, if any, that there may be work.
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

// run works until the store is closed. At intervals it also looks for work that other
// processes have left, or that waits until the store is at rest.
func (c *collector) run() {
	defer close(c.done)
	c.notify()
	c.reserved = time.Now() // a store that is closed soon creates no reserve
	ticker := time.NewTicker(c.store.opts.idleTime)
	defer ticker.Stop()
	for {
		select {
		case <-c.store.db.Closing():
			return
		case <-c.wake:
		case <-ticker.C:
		case <-c.expirer.timer.C:
		}
		for c.mayWork() && c.round() {
		}
	}
}

// mayWork reports whether background work may continue; only tests stop it.
func (c *collector) mayWork() bool {
	hook := c.store.opts.mayWork
	return hook == nil || hook()
}

// round does a small piece of each kind of work, so that no kind waits for another,
// and reports whether there was any. Unless the store is at rest, it pauses after
// each piece for as long as the piece took.
func (c *collector) round() (worked bool) {
	for _, piece := range []func() (bool, error){
		c.expireSome, c.deleteSome, c.endStaging, c.collectSome, c.vacuumSome,
		c.confirmSome, c.expireUploads, c.sweepSome, c.changeSome, c.changeObjectsSome, c.indexSome,
		c.forgetSome, c.forgetUploads, c.trimEvents, c.sumSome, c.tallySome, c.emptyLog, c.keepReserve,
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
		if c.atRest() || c.unpaused {
			pause, c.unpaused = 0, false
		}
		select {
		case <-c.store.db.Closing():
			return false
		case <-time.After(pause):
		}
	}
	return worked
}

// stall is the time and the error of the last failure of index work, or of a task, that
// will be retried, for example after a full disk.
type stall struct {
	at  time.Time
	err error
}

// noteStall records a failure of a task, or of index work if the task is "", that will be
// retried.
func (c *collector) noteStall(task string, err error) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.stalled, func(_ string, s stall) bool { return now.Sub(s.at) > time.Minute })
	c.stalled[task] = stall{now, err}
}

// stallSince returns the error of such work that has failed since then, or nil.
func (c *collector) stallSince(task string, then time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.stalled[task]; s.at.After(then) {
		return s.err
	}
	return nil
}

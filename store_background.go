package bucketlite

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// The collector works in small transactions and pauses in between, so that
// other writers hardly notice it.
const (
	deleteSlice = 200 // objects deleted in one transaction

	leaseTime = 3 * time.Second // after which another store takes a task over
	idleTime  = 2 * time.Second // between looks for tasks that other stores have left
)

// collector is the goroutine that carries on deletions and other tasks, ends what
// has expired, collects content nobody refers to, and gives free space back.
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
	stagingAt time.Time // when to look for leases that are over next

	mu      sync.Mutex
	broken  map[int64]brokenIndex // by number of the index
	stalled stall
}

func newCollector(s *Store) (*collector, error) {
	id, err := s.newID("")
	return &collector{store: s, owner: ownerLasting(id, leaseTime), wake: make(chan struct{}, 1), done: make(chan struct{}), broken: make(map[int64]brokenIndex)}, err
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
		for c.round() {
		}
	}
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

// taskLease is the lease of a task when a collector found that it may take it over,
// or has it.
type taskLease struct {
	num   int64 // tasks.num
	owner string
	until int64
}

// mayTake reports whether this store may work on a task.
func (c *collector) mayTake(l taskLease) bool {
	return l.owner == c.owner || c.store.leases.over(leaseID{kind: "task", a: l.num}, l.until, lasting(l.owner, leaseTime))
}

// holds reports whether the task is open and its lease still the one that was found:
// else another store was quicker, or somebody has cancelled it.
func (l taskLease) holds(tx *commit.Tx) (bool, error) {
	return tx.QueryRow("SELECT 1 FROM tasks WHERE num = ? AND status IN ('PENDING', 'IN_PROGRESS') AND lease_owner IS ? AND lease_until = ?",
		[]any{l.num, nilIfBlank(l.owner), l.until}, nil)
}

// deletion is a task of deleting, and where it stands.
type deletion struct {
	taskLease
	id        string
	namespace int64
	bucket    int64 // 0: all of the namespace
}

// deleteSome deletes a slice of the oldest deletion that no other store is at.
func (c *collector) deleteSome() (bool, error) {
	ctx := context.Background()
	var d deletion
	lookup := func(conn *engine.Conn) error {
		d = deletion{}
		err := conn.Query(`
SELECT num, lease_owner, lease_until, id, namespace, ifnull(bucket, 0) FROM tasks
WHERE status IN ('PENDING', 'IN_PROGRESS') AND type IN ('api_buckets_delete', 'api_namespaces_delete') ORDER BY num`, nil,
			func(r engine.Row) error {
				l := taskLease{r.Int(0), r.Text(1), r.Int(2)}
				if !c.mayTake(l) {
					return nil
				}
				d = deletion{l, r.Text(3), r.Int(4), r.Int(5)}
				return errEnough
			})
		if err == errEnough {
			err = nil
		}
		return err
	}
	if err := c.store.read(ctx, lookup); err != nil || d.num == 0 {
		return false, err
	}
	return true, c.store.free(ctx, func(tx *commit.Tx) error { return c.deleteSlice(tx, d) })
}

// deleteSlice deletes some objects of one bucket and renews the lease. The last
// slice of a bucket removes its row, and that of a task completes the task, in
// the same transaction.
func (c *collector) deleteSlice(tx *commit.Tx, d deletion) error {
	mine, err := d.holds(tx)
	if err != nil || !mine {
		return err
	}
	bucket, own := d.bucket, true
	if bucket == 0 {
		_, err := tx.QueryRow("SELECT num, delete_task = ? FROM buckets WHERE namespace = ? LIMIT 1", []any{d.id, d.namespace},
			func(r engine.Row) { bucket, own = r.Int(0), r.Int(1) != 0 })
		if err != nil {
			return err
		}
	}
	var deleted int64
	emptied := bucket == 0
	if !emptied {
		if deleted, emptied, err = deleteObjects(tx, bucket); err != nil {
			return err
		}
	}
	if emptied && bucket != 0 {
		if emptied, err = deleteUploads(tx, bucket); err != nil {
			return err
		}
	}
	if emptied && bucket != 0 {
		if emptied, err = deleteBatches(tx, bucket); err != nil {
			return err
		}
	}
	if emptied && bucket != 0 {
		if emptied, err = deleteIndexes(tx, bucket); err != nil {
			return err
		}
	}
	if emptied && bucket != 0 {
		if err := c.deleteBucket(tx, bucket, d); err != nil {
			return err
		}
	}
	if !own {
		deleted = 0 // they count for the task that had the bucket first
	}
	now := c.store.now()
	status, ended := StatusInProgress, any(nil)
	if emptied && (d.bucket != 0 || bucket == 0) {
		status, ended = StatusCompleted, now
		if d.bucket == 0 {
			if _, err := tx.Exec("DELETE FROM namespaces WHERE num = ?", d.namespace); err != nil {
				return err
			}
		}
	}
	_, err = tx.Exec(`
UPDATE tasks SET status = ?1, processed = iif(?1 = 'COMPLETED', total, processed + ?2), updated_at = ?3, ended_at = ?4, lease_owner = ?5, lease_until = ?6
WHERE num = ?7`, string(status), deleted, now, ended, c.owner, time.Now().Add(leaseTime).UnixMicro(), d.num)
	return err
}

// deleteObjects deletes the first objects of a bucket, and reports how many, and
// whether none is left.
func deleteObjects(tx *commit.Tx, bucket int64) (deleted int64, emptied bool, err error) {
	first, end := bucket<<clockBits, (bucket+1)<<clockBits
	var last, size int64
	_, err = tx.QueryRow(`
SELECT count(*), ifnull(sum(size), 0), ifnull(max(seq), 0)
FROM (SELECT seq, size FROM object WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?)`, []any{first, end, int64(deleteSlice)},
		func(r engine.Row) { deleted, size, last = r.Int(0), r.Int(1), r.Int(2) })
	if err != nil || deleted == 0 {
		return 0, true, err
	}
	var gone []Blob
	err = tx.Query("SELECT blobs FROM object WHERE seq >= ? AND seq <= ? AND blobs IS NOT NULL", []any{first, last}, func(r engine.Row) error {
		if blobs, err := decodeBlobs(r.Text(0)); err == nil {
			gone = append(gone, blobs...)
		} // else the row is damaged, and what it refers to stays until Check repairs the counts
		return nil
	})
	if err != nil {
		return 0, false, err
	}
	if _, err := tx.Exec("DELETE FROM object WHERE seq >= ? AND seq <= ?", first, last); err != nil {
		return 0, false, err
	}
	state, err := tx.Bucket(bucket)
	if err != nil {
		return 0, false, err
	}
	state.Tick()
	state.Objects -= deleted
	state.Size -= size
	return deleted, deleted < deleteSlice, dropContents(tx, gone)
}

// deleteBucket removes the row of an emptied bucket. If the bucket was on its way
// out before its namespace was, its own task is complete with that.
func (c *collector) deleteBucket(tx *commit.Tx, bucket int64, d deletion) error {
	state, err := tx.Bucket(bucket)
	if err != nil {
		return err
	}
	state.Gone = true
	if _, err := tx.Exec("DELETE FROM deltas WHERE bucket = ?", bucket); err != nil {
		return err
	}
	_, err = tx.Exec(`
UPDATE tasks SET status = 'COMPLETED', processed = total, updated_at = ?1, ended_at = ?1
WHERE num <> ?2 AND id = (SELECT delete_task FROM buckets WHERE num = ?3)`, c.store.now(), d.num, bucket)
	if err != nil {
		return err
	}
	_, err = tx.Exec("DELETE FROM buckets WHERE num = ?", bucket)
	c.store.definitions.Delete(bucket)
	return err
}

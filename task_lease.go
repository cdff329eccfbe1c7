package bucketlite

import (
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/lease"
)

// A store takes a task in three steps. It finds one whose lease is over. The
// transaction of each slice of work checks that the lease is still the one found, and
// renews it in the store's name. If the store dies, the lease runs out and another
// store continues after the last slice.

// taskLease is the duration of a task's lease.
const taskLease = 3 * time.Second

// leasedTask is an open task that this store may continue.
type leasedTask struct {
	num       int64 // tasks.num
	id        string
	namespace int64
	bucket    int64  // 0 for the deletion of a namespace
	detail    string // JSON
	outputs   string // JSON, "" if there are none yet

	owner string // of the lease as read
	until int64
}

// takeTask returns the oldest open task of two types, after the task with a number, that no
// other store is working on, or nil.
func (c *collector) takeTask(conn *engine.Conn, after int64, a, b TaskType) (*leasedTask, error) {
	var t *leasedTask
	err := conn.Query(`
SELECT num, lease_owner, lease_until, id, namespace, bucket, detail, outputs FROM tasks
WHERE status IN ('PENDING', 'IN_PROGRESS') AND num > ? AND type IN (?, ?) ORDER BY num`, []any{after, string(a), string(b)},
		func(r engine.Row) error {
			num, owner, until := r.Int(0), r.Text(1), r.Int(2)
			if owner != c.owner && !c.store.leases.Over(lease.ID{Kind: "task", A: num}, until, lease.Lasting(owner, taskLease)) {
				return nil
			}
			t = &leasedTask{num: num, id: r.Text(3), namespace: r.Int(4), bucket: r.Int(5), detail: r.Text(6), outputs: r.Text(7), owner: owner, until: until}
			return errEnough
		})
	if err == errEnough {
		err = nil
	}
	return t, err
}

// holds reports whether the task is open and has the lease that was read. Otherwise
// another store has taken the task, or a caller has canceled it.
func (t *leasedTask) holds(tx *commit.Tx) (bool, error) {
	return tx.QueryRow("SELECT 1 FROM tasks WHERE num = ? AND status IN ('PENDING', 'IN_PROGRESS') AND lease_owner IS NOT DISTINCT FROM ? AND lease_until = ?",
		[]any{t.num, nilIfBlank(t.owner), t.until}, nil)
}

// taskProgress is the progress of a task after a slice of work.
type taskProgress struct {
	status    Status
	processed int64  // since the last slice
	outputs   string // all of them, as JSON; "" if there are none
	problem   string // why the task failed, or ""
}

// renewTask writes the progress of a task and renews its lease.
func (c *collector) renewTask(tx *commit.Tx, t *leasedTask, p taskProgress) error {
	now := c.store.now()
	var ended any
	if p.status != StatusInProgress {
		ended = now
	}
	_, err := tx.Exec(`
UPDATE tasks SET status = ?1, processed = iif(?1 = 'COMPLETED', total, min(total, processed + ?2)), outputs = ?3, error = ?4,
    updated_at = ?5, ended_at = ?6, lease_owner = ?7, lease_until = ?8
WHERE num = ?9`, string(p.status), p.processed, nilIfBlank(p.outputs), nilIfBlank(p.problem), now, ended,
		c.owner, time.Now().Add(taskLease).UnixMicro(), t.num)
	return err
}

package jobs

import (
	"errors"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/lease"
)

// A processor that has stopped no longer renews its leases. Usually the clock reveals that:
// a job is due again when its lease ends, and [Take] hands it out. If a wrong clock has set
// the end, the job is overdue once its lease was seen unchanged for as long as it lasts.

// Outlook is the state of the queue.
type Outlook struct {
	Due  int64 // when the next job is or was due; 0 if there is none
	Idle bool  // no batch is being processed
}

// errDue ends the search for jobs.
var errDue = errors.New("a job is due")

// Look returns the state of the queue, without taking any jobs.
func Look(c *engine.Conn, now int64) (Outlook, error) {
	o := Outlook{Idle: true}
	err := c.Query(`
SELECT (SELECT min(due_at) FROM jobs WHERE batch = k.num AND status IN ('PENDING', 'PROCESSING'))
FROM batches k CROSS JOIN buckets b ON b.num = k.bucket WHERE `+eligible, nil, func(r engine.Row) error {
		o.Idle = false
		if at := max(1, r.Int(0)); !r.Null(0) && (o.Due == 0 || at < o.Due) {
			o.Due = at
		}
		if o.Due != 0 && o.Due <= now {
			return errDue
		}
		return nil
	})
	if err == errDue {
		err = nil
	}
	return o, err
}

// BatchRunning reports whether the batch with the number is submitted and has not ended.
func BatchRunning(c *engine.Conn, num int64) (bool, error) {
	return c.QueryRow("SELECT 1 FROM batches WHERE num = ? AND status IN ('PENDING', 'IN_PROGRESS')", []any{num}, nil)
}

// Overdue is a job that is due although its due_at, set by a wrong clock, says later.
type Overdue struct {
	Key
	dueAt int64
}

// maxOverdue limits the overdue jobs that are found at once.
const maxOverdue = 100

// longPause is the longest pause between two attempts that the options of another
// processor are assumed to set.
const longPause = 24 * time.Hour

// FindOverdue finds jobs that are overdue, those with the latest due_at first.
func (p *Processor) FindOverdue(c *engine.Conn, now int64) (found []Overdue, err error) {
	err = c.Query(`
SELECT j.batch, j.position, j.due_at, j.status = 'PROCESSING', j.owner FROM `+openJobs+`
WHERE `+eligible+` AND j.status IN ('PENDING', 'PROCESSING') AND j.due_at > ? ORDER BY j.due_at DESC LIMIT ?`,
		[]any{now + p.Lease.Microseconds(), int64(maxOverdue)}, func(r engine.Row) error {
			o, owner := Overdue{Key{r.Int(0), r.Int(1)}, r.Int(2)}, r.Text(4)
			lasts := lease.Lasting(owner, p.Lease)
			if lent := r.Int(3) != 0; !lent {
				if lasts = p.Pause; o.dueAt-now <= longPause.Microseconds() {
					return nil
				}
			}
			if owner != p.Owner && p.Leases.Over(lease.ID{Kind: "job", A: o.Batch, B: o.Position}, o.dueAt, lasts) {
				found = append(found, o)
			}
			return nil
		})
	return found, err
}

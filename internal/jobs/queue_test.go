package jobs_test

import (
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jobs"
)

const (
	jobStatuses    = "SELECT group_concat(status, ' ') FROM (SELECT status FROM jobs ORDER BY position)"
	objectStatuses = "SELECT group_concat(status, ' ') FROM (SELECT status FROM object ORDER BY seq)"
	batchStatus    = "SELECT status FROM batches"
	taskStatus     = "SELECT status || ' ' || processed FROM tasks"
)

// A job that ends is counted in its batch, its task and its object; the last one ends
// the batch.
func TestSettle(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.batch(3)
	f.submit()
	f.want(batchStatus, "PENDING")
	f.want(objectStatuses, "PENDING PENDING PENDING")
	p := processor("p", time.Minute)
	begin := time.Now()
	taken := f.take(p, 10).Taken
	if len(taken) != 3 {
		t.Fatalf("got %d jobs, want 3", len(taken))
	}
	h := taken[0]
	if until := time.UnixMicro(h.Until); until.Before(begin.Add(p.Lease-time.Second)) || until.After(time.Now().Add(p.Lease)) {
		t.Errorf("got a lease until %v, want one of a minute", until)
	}
	if h.BatchID != "b" || h.BucketID != "bkt" || h.BucketName != "videos" || h.Attempt != 1 || h.Row != "PENDING" {
		t.Errorf("got %+v, want the first attempt at an object of the batch", *h)
	}
	f.want(batchStatus, "IN_PROGRESS")
	f.want(objectStatuses, "PROCESSING PROCESSING PROCESSING")
	f.write(func(tx *commit.Tx) error {
		_, err := tx.Exec("DELETE FROM object WHERE id = '3'")
		return err
	})
	f.settle(
		jobs.Outcome{Lease: taken[0].Lease},
		jobs.Outcome{Lease: taken[1].Lease, Failure: failure("network", "no route"), Final: true},
		jobs.Outcome{Lease: taken[2].Lease},
	)
	f.want(jobStatuses, "COMPLETED FAILED SKIPPED")
	f.want(objectStatuses, "COMPLETED FAILED")
	f.want("SELECT error FROM object WHERE id = '2'", "no route")
	f.want(batchStatus, "COMPLETED_WITH_ERRORS")
	f.want("SELECT error FROM batches", "1 of 3 objects failed, the first with: no route")
	f.want("SELECT failures FROM batches", `{"network":1}`)
	f.want(taskStatus, "COMPLETED_WITH_ERRORS 3")
	f.want("SELECT completed FROM batch_counts", "1")
}

// A job that failed, or is handed back, is handed out again. Only the failure counts as
// an attempt, and has a pause after it.
func TestRequeue(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.batch(2)
	f.submit()
	p := processor("p", time.Minute)
	taken := f.take(p, 10).Taken
	f.settle(
		jobs.Outcome{Lease: taken[0].Lease, Failure: failure("network", "no route"), Delay: time.Hour},
		jobs.Outcome{Lease: taken[1].Lease, Back: true},
	)
	f.want(objectStatuses, "PENDING PENDING")
	again := f.take(p, 10).Taken
	if len(again) != 1 || again[0].Key != taken[1].Key || again[0].Attempt != 1 {
		t.Errorf("got %d jobs, want the one that was handed back, at its first attempt", len(again))
	}
	f.want("SELECT attempts FROM jobs WHERE position = 1", "1")
}

// An outcome counts for nothing once the job is somebody else's.
func TestSettleLost(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.batch(1)
	f.submit()
	late := f.take(processor("late", -time.Second), 1).Taken[0] // over at once
	quick := f.take(processor("quick", time.Minute), 1)
	if len(quick.Taken) != 1 || quick.Taken[0].Attempt != 2 || !quick.Careful {
		t.Fatalf("got %d jobs, careful %t, want the second attempt at one whose processor has stopped", len(quick.Taken), quick.Careful)
	}
	f.settle(jobs.Outcome{Lease: late.Lease})
	f.want(jobStatuses, "PROCESSING")
	f.write(func(tx *commit.Tx) error {
		held, err := jobs.NewLedger(tx).Renew(&late.Lease, time.Minute)
		if held {
			t.Error("a lease that was lost could be renewed")
		}
		return err
	})
	f.settle(jobs.Outcome{Lease: quick.Taken[0].Lease})
	f.want(batchStatus, "COMPLETED")
}

// A job whose processor stopped each time has failed.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.batch(1)
	f.submit()
	stops := processor("stops", -time.Second)
	f.take(stops, 1)
	f.take(stops, 1)
	taking := f.take(processor("next", time.Minute), 1)
	if len(taking.Taken) != 0 || !taking.More {
		t.Errorf("got %d jobs, more %t, want none, and another look", len(taking.Taken), taking.More)
	}
	f.want(batchStatus, "FAILED")
	f.want("SELECT error FROM object", "stopped at 1")
}

// An object whose content changes while it is processed becomes a draft.
func TestPassOver(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.batch(2)
	f.submit()
	taken := f.take(processor("p", time.Minute), 2).Taken
	f.write(func(tx *commit.Tx) error {
		_, err := tx.Exec("UPDATE object SET version = 2")
		if err == nil {
			err = jobs.FollowVersion(tx, 1, taken[1].Seq, 1, 2) // the same content
		}
		return err
	})
	f.settle(jobs.Outcome{Lease: taken[0].Lease}, jobs.Outcome{Lease: taken[1].Lease})
	f.want(objectStatuses, "DRAFT COMPLETED")
	f.want(batchStatus, "COMPLETED")
}

// A lease that a wrong clock has set years ahead is overdue once it was seen unchanged
// for as long as it lasts.
func TestFindOverdue(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.batch(1)
	f.submit()
	const lasts = 20 * time.Millisecond
	f.take(processor("ahead", lasts), 1)
	f.write(func(tx *commit.Tx) error {
		_, err := tx.Exec("UPDATE jobs SET due_at = 1 << 61")
		return err
	})
	p := processor("p", lasts)
	var found []jobs.Overdue
	look := func() {
		f.read(func(c *engine.Conn) (err error) {
			found, err = p.FindOverdue(c, time.Now().UnixMicro())
			return err
		})
	}
	if look(); len(found) != 0 {
		t.Fatal("a lease that is seen first is overdue")
	}
	for end := time.Now().Add(10 * time.Second); len(found) == 0 && time.Now().Before(end); look() {
		time.Sleep(lasts / 4)
	}
	if len(found) != 1 {
		t.Fatalf("got %d overdue jobs, want 1", len(found))
	}
	if taken := f.take(p, 1, found...).Taken; len(taken) != 1 || taken[0].Attempt != 2 {
		t.Errorf("got %d jobs, want the overdue one", len(taken))
	}
}

func TestLook(t *testing.T) {
	t.Parallel()
	f := open(t)
	look := func() (o jobs.Outlook) {
		f.read(func(c *engine.Conn) (err error) {
			o, err = jobs.Look(c, time.Now().UnixMicro())
			return err
		})
		return o
	}
	f.batch(1)
	if o := look(); !o.Idle || o.Due != 0 {
		t.Errorf("a draft: got %+v, want nothing to do", o)
	}
	f.submit()
	if o := look(); o.Idle || o.Due != 1 {
		t.Errorf("a pending batch: got %+v, want a job that is due", o)
	}
	h := f.take(processor("p", time.Minute), 1).Taken[0]
	if o := look(); o.Idle || o.Due != h.Until {
		t.Errorf("a job at work: got %+v, want the end of its lease, %d", o, h.Until)
	}
	f.settle(jobs.Outcome{Lease: h.Lease})
	if o := look(); !o.Idle || o.Due != 0 {
		t.Errorf("a batch that has ended: got %+v, want nothing to do", o)
	}
}

package jobs_test

import (
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jobs"
)

// sweep carries on until nothing is left, and returns in how many slices.
func (f *file) sweep() (slices int) {
	f.Helper()
	for ; ; slices++ {
		var num int64
		f.read(func(c *engine.Conn) (err error) {
			num, err = jobs.NextSweep(c)
			return err
		})
		if num == 0 {
			return slices
		}
		f.write(func(tx *commit.Tx) error { return jobs.Sweep(tx, num) })
	}
}

// A sweep of a large batch runs in slices, the first of them at once.
func TestSweep(t *testing.T) {
	t.Parallel()
	const n = 1600
	const pending, canceled = "SELECT sum(status = 'PENDING') FROM jobs", "SELECT sum(status = 'CANCELED') FROM jobs"
	f := open(t)
	f.batch(n)
	f.Raised = [3]int{}
	f.submit()
	f.want(pending, "1000")
	if f.Raised[commit.Jobs] != 1 || f.Raised[commit.Background] != 1 {
		t.Errorf("got signals %v, want both once", f.Raised)
	}
	if got := f.sweep(); got != 3 {
		t.Errorf("submit: got %d more slices, want 3", got)
	}
	f.want(pending, "1600")
	f.change(func(tx *commit.Tx, b *jobs.Batch) error { return b.Cancel(tx) })
	f.want(canceled, "1000")
	f.want(batchStatus, "CANCELED")
	f.sweep()
	f.want(canceled, "1600")
	f.want("SELECT sum(status = 'DRAFT') FROM object", "1600")
	f.want("SELECT open FROM batches", "0")
	f.change(func(tx *commit.Tx, b *jobs.Batch) error { return b.Delete(tx) })
	f.want("SELECT count(*) FROM jobs", "600")
	f.want("SELECT total FROM batch_counts", "0")
	f.sweep()
	f.want("SELECT count(*) FROM batches", "0")
	f.want("SELECT count(*) FROM jobs", "0")
}

// A retry takes failures that may pass by themselves, or all, unless they were retried
// often enough.
func TestRetry(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.batch(3)
	f.submit()
	var outcomes []jobs.Outcome
	for i, h := range f.take(processor("p", time.Minute), 3).Taken {
		outcomes = append(outcomes, jobs.Outcome{Lease: h.Lease, Failure: failure([]string{"network", "runtime", "resource"}[i], "no"), Final: true})
	}
	f.settle(outcomes...)
	f.want(batchStatus, "FAILED")
	count := func(mode jobs.RetryMode, most int64) (n int64) {
		f.read(func(c *engine.Conn) (err error) {
			n, _, err = jobs.CountRetry(c, 1, "b", mode, most)
			return err
		})
		return n
	}
	if transient, all := count(jobs.RetryTransient, 1), count(jobs.RetryAll, 1); transient != 2 || all != 3 {
		t.Errorf("got %d and %d jobs to be retried, want 2 and 3", transient, all)
	}
	f.change(func(tx *commit.Tx, b *jobs.Batch) error { return b.Retry(tx, "task", jobs.RetryTransient, 1) })
	f.want(jobStatuses, "PENDING FAILED PENDING")
	f.want("SELECT failures FROM batches", `{"runtime":1}`)
	f.want(objectStatuses, "PENDING FAILED PENDING")
	if all := count(jobs.RetryAll, 1); all != 1 {
		t.Errorf("retried at most once: got %d, want 1", all)
	}
}

// Deleting a bucket deletes its batches bit by bit, and cancels what is running.
func TestDeleteBatches(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.batch(500)
	f.submit()
	slices := 0
	for done := false; !done; slices++ {
		f.write(func(tx *commit.Tx) (err error) {
			done, err = jobs.DeleteBatches(tx, 1)
			return err
		})
		f.want("SELECT status FROM tasks", "CANCELED")
	}
	if slices < 3 {
		t.Errorf("got %d slices, want 3 or more", slices)
	}
	f.want("SELECT (SELECT count(*) FROM batches) + (SELECT count(*) FROM jobs) + (SELECT count(*) FROM batch_counts)", "0")
}

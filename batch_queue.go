package bucketlite

import (
	"errors"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/lease"
)

// queue is where the processors of a store wait for jobs. The jobs themselves are
// in the file.
type queue struct {
	mu         sync.Mutex
	closed     bool
	processors map[*processor]struct{}
	running    sync.WaitGroup
}

// join enters a processor, unless the store is being closed.
func (q *queue) join(p *processor) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	if q.processors == nil {
		q.processors = make(map[*processor]struct{})
	}
	q.processors[p] = struct{}{}
	q.running.Add(1)
	return true
}

func (q *queue) leave(p *processor) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.processors, p)
	q.running.Done()
}

// notify tells the processors that there may be something to do.
func (q *queue) notify() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for p := range q.processors {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// close ends the processors, and returns when they have handed back their jobs.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	for p := range q.processors {
		p.stop(ErrClosed)
	}
	q.mu.Unlock()
	q.running.Wait()
}

// jobLease is a job that a processor has been given for some time.
type jobLease struct {
	batch, position int64
	object          string
	seq             int64
	attempt         int64
	owner           string
	until           int64 // the end of the lease
}

// outcome is what became of a lease.
type outcome struct {
	jobLease
	failure *failure
	final   bool          // no other attempt follows a failure
	delay   time.Duration // until the next one
	back    bool          // the job was not done and is handed back
}

// ledger keeps the batches an operation of a processor touches.
type ledger struct {
	store   *Store
	tx      *commit.Tx
	now     int64
	batches []*batchState
}

// batch returns the batch if it is still being processed, else nil.
func (l *ledger) batch(num int64) (*batchState, error) {
	for _, k := range l.batches {
		if k.num == num {
			return k, nil
		}
	}
	k, err := scanBatch(l.tx, "WHERE num = ? AND status IN ('PENDING', 'IN_PROGRESS')", num)
	if k != nil {
		l.batches = append(l.batches, k)
	}
	return k, err
}

func (l *ledger) save() error {
	for _, k := range l.batches {
		if err := k.save(l.tx); err != nil {
			return err
		}
	}
	return nil
}

// settle notes what became of a lease. A verdict counts only while the lease
// holds: not after a cancellation, nor when another has taken the job over.
func (l *ledger) settle(o *outcome) error {
	k, err := l.batch(o.batch)
	if err != nil || k == nil {
		return err
	}
	var version int64 // of the object that was handed out
	held, err := l.tx.QueryRow("SELECT version FROM jobs WHERE batch = ? AND position = ? AND owner = ? AND attempts = ? AND status = 'PROCESSING'",
		[]any{o.batch, o.position, o.owner, o.attempt}, func(r engine.Row) { version = r.Int(0) })
	if err != nil || !held {
		return err
	}
	var current int64
	exists, err := l.tx.QueryRow("SELECT version FROM object WHERE seq = ?", []any{o.seq}, func(r engine.Row) { current = r.Int(0) })
	if err != nil {
		return err
	}
	switch {
	case !exists:
		return l.end(k, o, StatusSkipped)
	case o.back || o.failure != nil && !o.final:
		err = l.requeue(o)
	case o.failure != nil:
		err = l.end(k, o, StatusFailed)
	default:
		err = l.end(k, o, StatusCompleted)
	}
	if err != nil {
		return err
	}
	if current != version {
		return l.passOver(o.seq)
	}
	return l.mark(o)
}

// requeue puts a job back into the queue.
func (l *ledger) requeue(o *outcome) error {
	if o.back {
		l.tx.Raise(commit.Jobs)
		_, err := l.tx.Exec("UPDATE jobs SET status = 'PENDING', owner = NULL, attempts = attempts - 1, due_at = 0 WHERE batch = ? AND position = ?",
			o.batch, o.position)
		return err
	}
	detail, err := o.failure.encode(o.object, l.tx.Now())
	if err != nil {
		return err
	}
	_, err = l.tx.Exec("UPDATE jobs SET status = 'PENDING', owner = NULL, error = ?, due_at = ? WHERE batch = ? AND position = ?",
		detail, l.now+o.delay.Microseconds(), o.batch, o.position)
	return err
}

// end ends a job. Every job that is not cancelled comes here once.
func (l *ledger) end(k *batchState, o *outcome, status Status) error {
	k.open--
	k.ended++
	var detail any
	switch status {
	case StatusFailed:
		k.fail(o.failure.Category, 1)
		text, err := o.failure.encode(o.object, l.tx.Now())
		if err != nil {
			return err
		}
		detail = text
	case StatusSkipped:
		k.skipped++
	}
	_, err := l.tx.Exec("UPDATE jobs SET status = ?, owner = NULL, error = ? WHERE batch = ? AND position = ?",
		string(status), detail, o.batch, o.position)
	if err != nil || status == StatusSkipped {
		return err
	}
	state, err := l.tx.Bucket(k.bucket)
	if err == nil && state.Status != string(StatusInProgress) { // else an event tells that all objects are gone
		l.tx.Note(string(EventObjectProcessed), state.Place, o.object)
	}
	return err
}

// mark gives the object the status its job has now. A job that goes back into the
// queue does not undo what another batch has made of the object meanwhile.
func (l *ledger) mark(o *outcome) error {
	var err error
	switch {
	case o.back || o.failure != nil && !o.final:
		_, err = l.tx.Exec("UPDATE object SET status = 'PENDING' WHERE seq = ? AND status = 'PROCESSING'", o.seq)
	case o.failure != nil:
		_, err = l.tx.Exec("UPDATE object SET status = 'FAILED', error = ? WHERE seq = ?", o.failure.Message, o.seq)
	default:
		_, err = l.tx.Exec("UPDATE object SET status = 'COMPLETED', error = NULL WHERE seq = ?", o.seq)
	}
	return err
}

// passOver leaves an object alone whose content has changed since it was handed
// out: it is a draft, or queued once more. If it seems queued by the job that has
// just ended, it is a draft too.
func (l *ledger) passOver(seq int64) error {
	_, err := l.tx.Exec(`
UPDATE object SET status = 'DRAFT'
WHERE seq = ?1 AND status IN ('PENDING', 'PROCESSING')
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE seq = ?1 AND status IN ('PENDING', 'PROCESSING'))`, seq)
	return err
}

// renew prolongs a lease, and reports whether it still held.
func (l *ledger) renew(h jobLease, until int64) (held bool, err error) {
	n, err := l.tx.Exec("UPDATE jobs SET due_at = ? WHERE batch = ? AND position = ? AND owner = ? AND attempts = ? AND status = 'PROCESSING'",
		until, h.batch, h.position, h.owner, h.attempt)
	return n > 0, err
}

// handout is a lease with what the handler gets.
type handout struct {
	jobLease
	retries int64
	batchID string
	bucket  target // without its definition
	row     objectRow

	exists  bool  // the object does
	lost    bool  // the last lease of the job ran out
	version int64 // of the object that was handed out with it
}

// eligible describes the batches whose jobs may be handed out. Those of a
// suspended bucket wait, since its objects cannot be read.
const eligible = "k.status IN ('PENDING', 'IN_PROGRESS') AND b.status NOT IN ('IN_PROGRESS', 'SUSPENDED')"

const (
	openJobs = "batches k CROSS JOIN buckets b ON b.num = k.bucket CROSS JOIN jobs j ON j.batch = k.num"

	selectJobs = `
SELECT j.batch, j.position, j.object, j.attempts, j.retries, j.status = 'PROCESSING', j.version, k.id, b.num, b.id, b.name, ` + objectColumns + `
FROM ` + openJobs + ` LEFT JOIN object o ON o.seq = j.seq
WHERE ` + eligible + ` AND j.status IN ('PENDING', 'PROCESSING') AND `
	selectDue     = selectJobs + "j.due_at <= ? ORDER BY k.num, j.due_at LIMIT ?"
	selectOverdue = selectJobs + "j.batch = ? AND j.position = ? AND j.due_at = ?"
)

// taking is what a processor asks of the queue, and gets.
type taking struct {
	owner    string
	until    int64 // the end of the leases
	most     int   // jobs wanted
	idle     int   // jobs that are handled at once
	attempts int64 // that a job has
	overdue  []overdue

	taken   []*handout
	more    bool // some were at their end, so there may be more that are due
	careful bool // processors have stopped at some of these jobs
}

// take leases jobs that are due, those of the oldest batch first. A job that a
// processor has stopped at may be the cause of that: it is not taken ahead of
// time, so that it does not harm others once more.
func (l *ledger) take(t *taking) error {
	var due []*handout
	add := func(r engine.Row) error {
		h := &handout{
			jobLease: jobLease{batch: r.Int(0), position: r.Int(1), object: r.Text(2), attempt: r.Int(3), owner: t.owner, until: t.until},
			retries:  r.Int(4), lost: r.Int(5) != 0, version: r.Int(6), batchID: r.Text(7),
			bucket: target{num: r.Int(8), id: r.Text(9), name: r.Text(10)},
		}
		if h.exists = !r.Null(11); h.exists {
			h.row.scan(r, 11)
			h.seq = h.row.object.seq
		}
		due = append(due, h)
		return nil
	}
	if err := l.tx.Query(selectDue, []any{l.now, int64(t.most)}, add); err != nil {
		return err
	}
	for _, o := range t.overdue[:min(len(t.overdue), t.most-len(due))] {
		if err := l.tx.Query(selectOverdue, []any{o.batch, o.position, o.dueAt}, add); err != nil {
			return err
		}
	}
	for _, h := range due {
		t.careful = t.careful || h.lost
		if h.lost && len(t.taken) >= t.idle {
			continue
		}
		ok, err := l.handOut(h, t.attempts)
		if err != nil {
			return err
		}
		if ok {
			t.taken = append(t.taken, h)
		}
		t.more = t.more || !ok
	}
	return nil
}

// handOut leases a job, or ends it: because its object is gone, or because each
// of its attempts has ended with the processor.
func (l *ledger) handOut(h *handout, attempts int64) (bool, error) {
	k, err := l.batch(h.batch)
	if err != nil {
		return false, err
	}
	if !h.exists {
		return false, l.end(k, &outcome{jobLease: h.jobLease}, StatusSkipped)
	}
	object := &h.row.object
	if h.lost && h.attempt >= attempts {
		o := &outcome{jobLease: h.jobLease, final: true,
			failure: newFailure(CategoryRuntime, "each processor that had the object stopped before it was done with it")}
		if err := l.end(k, o, StatusFailed); err != nil {
			return false, err
		}
		if object.Version != h.version {
			return false, l.passOver(h.seq)
		}
		return false, l.mark(o)
	}
	k.status = StatusInProgress
	h.attempt++
	_, err = l.tx.Exec("UPDATE jobs SET status = 'PROCESSING', attempts = ?, version = ?, due_at = ?, owner = ? WHERE batch = ? AND position = ?",
		h.attempt, object.Version, h.until, h.owner, h.batch, h.position)
	if err != nil {
		return false, err
	}
	object.Status, object.Error = StatusProcessing, ""
	_, err = l.tx.Exec("UPDATE object SET status = 'PROCESSING', error = NULL WHERE seq = ? AND status <> 'PROCESSING'", h.seq)
	return true, err
}

// outlook is what a processor has to expect.
type outlook struct {
	due  int64 // when the next job is due, or was; 0 if there is none
	idle bool  // no batch is being processed
}

// outlook looks for jobs, without taking any.
func (s *Store) outlook(c *engine.Conn, now int64) (o outlook, err error) {
	o.idle = true
	err = c.Query(`
SELECT (SELECT min(due_at) FROM jobs WHERE batch = k.num AND status IN ('PENDING', 'PROCESSING'))
FROM batches k CROSS JOIN buckets b ON b.num = k.bucket WHERE `+eligible, nil, func(r engine.Row) error {
		o.idle = false
		if at := max(1, r.Int(0)); !r.Null(0) && (o.due == 0 || at < o.due) {
			o.due = at
		}
		if o.due != 0 && o.due <= now {
			return errDue
		}
		return nil
	})
	if err == errDue {
		err = nil
	}
	return o, err
}

// overdue is a job that was lent, or is to pause, until a time that a wrong clock
// gave: it is due once it has been so for as long as it can be.
type overdue struct{ batch, position, dueAt int64 }

// maxOverdue bounds the overdue jobs that are taken at once.
const maxOverdue = 100

// longPause is a pause between two attempts that other processors might have been
// told to make.
const longPause = 24 * time.Hour

// findOverdue finds jobs that are overdue, the farthest first.
func (p *processor) findOverdue(c *engine.Conn, now int64) (found []overdue, err error) {
	err = c.Query(`
SELECT j.batch, j.position, j.due_at, j.status = 'PROCESSING', j.owner FROM `+openJobs+`
WHERE `+eligible+` AND j.status IN ('PENDING', 'PROCESSING') AND j.due_at > ? ORDER BY j.due_at DESC LIMIT ?`,
		[]any{now + p.opts.Lease.Microseconds(), int64(maxOverdue)}, func(r engine.Row) error {
			o, owner := overdue{r.Int(0), r.Int(1), r.Int(2)}, r.Text(4)
			lasts := lease.Lasting(owner, p.opts.Lease)
			if lent := r.Int(3) != 0; !lent {
				if lasts = longestPause(p.opts.Backoff); o.dueAt-now <= longPause.Microseconds() {
					return nil
				}
			}
			if owner != p.owner && p.store.leases.Over(lease.ID{Kind: "job", A: o.batch, B: o.position}, o.dueAt, lasts) {
				found = append(found, o)
			}
			return nil
		})
	return found, err
}

// errDue ends looking for jobs.
var errDue = errors.New("a job is due")

// followVersion tells the jobs that are at an object of a new version that has the
// same content.
func followVersion(tx *commit.Tx, seq, from, to int64) error {
	_, err := tx.Exec("UPDATE jobs SET version = ? WHERE seq = ? AND status IN ('PENDING', 'PROCESSING') AND version = ?", to, seq, from)
	return err
}

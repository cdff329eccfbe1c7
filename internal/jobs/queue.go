package jobs

import (
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/lease"
)

// Processor identifies a processor of jobs, with its settings. All fields are required.
type Processor struct {
	Owner    string         // the owner in its leases; see [lease.Owner]
	Lease    time.Duration  // the duration of a lease
	Attempts int64          // maximum attempts of a job
	Pause    time.Duration  // the longest pause between two attempts
	Leases   *lease.Watcher // of other processors

	// Abandoned returns the failure of the job of an object if the processor of every
	// attempt has stopped.
	Abandoned func(tx *commit.Tx, object string) (*Failure, error)
}

// Key identifies a job: the number of its batch, and its position in the batch.
type Key struct{ Batch, Position int64 }

// Lease is a job that is assigned to a processor for some time.
type Lease struct {
	Key
	Object  string // id
	Seq     int64  // of the object, as its jobs have it
	Attempt int64
	Owner   string
	Until   int64 // the end of the lease
}

// Failure is the reason why an attempt failed.
type Failure struct {
	Category, Message string
	Detail            string // JSON text
}

// Outcome is the result of a lease.
type Outcome struct {
	Lease
	Failure *Failure      // nil if the object was processed
	Final   bool          // no other attempt follows the failure
	Delay   time.Duration // until the next attempt
	Back    bool          // the job was not processed and is handed back
}

// requeues reports whether the job goes back into the queue.
func (o *Outcome) requeues() bool { return o.Back || o.Failure != nil && !o.Final }

// Ledger is an operation of a processor. It keeps the batches that the operation changes
// consistent with their jobs, tasks and objects.
type Ledger struct {
	tx      *commit.Tx
	now     int64 // by the clock of leases
	batches []*Batch
}

// NewLedger returns a ledger. The operation must call [Ledger.Save] at the end.
func NewLedger(tx *commit.Tx) *Ledger { return &Ledger{tx: tx, now: time.Now().UnixMicro()} }

// Save writes the batches.
func (l *Ledger) Save() error {
	for _, b := range l.batches {
		if err := b.Save(l.tx); err != nil {
			return err
		}
	}
	return nil
}

// Renew renews a lease for the duration lasts, and reports whether it still held.
func (l *Ledger) Renew(h *Lease, lasts time.Duration) (held bool, err error) {
	return h.renew(l.tx, l.now+lasts.Microseconds())
}

// Settle stores the outcome of a lease. The outcome counts only while the lease holds:
// not after the batch was canceled, nor after another processor has taken over the job.
func (l *Ledger) Settle(o *Outcome) error {
	b, err := l.batch(o.Batch)
	if err != nil || b == nil {
		return err
	}
	version, held, err := o.held(l.tx)
	if err != nil || !held {
		return err
	}
	state, err := l.tx.Bucket(b.Bucket)
	if err != nil {
		return err
	}
	var current int64
	var status string
	exists, err := l.tx.QueryRow("SELECT version, status FROM object WHERE seq = ?", []any{commit.Seq(state.Partition, commit.Position(o.Seq))},
		func(r engine.Row) { current, status = r.Int(0), r.Text(1) })
	if err != nil {
		return err
	}
	switch {
	case !exists:
		return l.end(b, o, skipped)
	case o.requeues():
		err = l.requeue(o)
	case o.Failure != nil:
		err = l.end(b, o, failed)
	default:
		err = l.end(b, o, completed)
	}
	if err != nil {
		return err
	}
	if current != version {
		return passOver(l.tx, b.Bucket, o.Seq)
	}
	return l.mark(b, o, status)
}

// batch returns the batch if it is still being processed, else nil.
func (l *Ledger) batch(num int64) (*Batch, error) {
	for _, b := range l.batches {
		if b.Num == num {
			return b, nil
		}
	}
	b, err := selectBatch(l.tx, "WHERE num = ? AND status IN ('PENDING', 'IN_PROGRESS')", num)
	if b != nil {
		l.batches = append(l.batches, b)
	}
	return b, err
}

// requeue puts a job back into the queue.
func (l *Ledger) requeue(o *Outcome) error {
	if o.Back {
		l.tx.Raise(commit.Jobs)
		return o.giveBack(l.tx)
	}
	return o.Lease.requeue(l.tx, o.Failure.Detail, l.now+o.Delay.Microseconds())
}

// end ends a job. It runs once for each job that is not canceled.
func (l *Ledger) end(b *Batch, o *Outcome, status string) error {
	b.open--
	b.ended++
	detail := ""
	switch status {
	case failed:
		b.fail(o.Failure.Category, 1)
		detail = o.Failure.Detail
	case skipped:
		b.skipped++
	}
	if err := o.Lease.end(l.tx, status, detail); err != nil || status == skipped {
		return err
	}
	state, err := l.tx.Bucket(b.Bucket)
	if err == nil && state.Status != inProgress { // the deletion of a bucket has an event for all its objects
		l.tx.Note("object.processed", state.Place, o.Object)
	}
	return err
}

// mark sets the object's status to that of its job.
func (l *Ledger) mark(b *Batch, o *Outcome, from string) error {
	switch {
	case o.requeues():
		return markRequeued(l.tx, b.Bucket, o.Seq)
	case o.Failure != nil:
		return markEnded(l.tx, b.Bucket, o.Seq, from, failed, o.Failure.Message)
	}
	return markEnded(l.tx, b.Bucket, o.Seq, from, completed, nil)
}

// eligible is the SQL condition for batches whose jobs may be handed out. The jobs of a
// suspended bucket wait, since its objects cannot be read.
const eligible = "k.status IN ('PENDING', 'IN_PROGRESS') AND b.status NOT IN ('IN_PROGRESS', 'SUSPENDED')"

const (
	openJobs = "batches k CROSS JOIN buckets b ON b.num = k.bucket CROSS JOIN jobs j ON j.batch = k.num"

	selectJobs = `
SELECT j.batch, j.position, j.object, j.attempts, j.retries, j.status = 'PROCESSING', j.version, iif(o.seq IS NULL, NULL, j.seq), o.version, o.status, `
	fromJobs = ` FROM ` + openJobs + ` LEFT JOIN object o ON o.seq = (b.partition << 40) | (j.seq & 0xffffffffff)
WHERE ` + eligible + ` AND j.status IN ('PENDING', 'PROCESSING') AND `
	whereDue     = fromJobs + "j.due_at <= ? ORDER BY k.num, j.due_at, j.position LIMIT ?"
	whereOverdue = fromJobs + "j.batch = ? AND j.position = ? AND j.due_at = ?"
)

// objectColumn is the first of the object's own columns of selectJobs.
const objectColumn = 10

// Handout is a leased job with its details, and the caller's form of its object's row.
type Handout[R any] struct {
	job
	Row R
}

// job is a job that may be handed out.
type job struct {
	Lease
	Retries    int64
	BatchID    string
	Bucket     int64 // buckets.num
	BucketID   string
	BucketName string

	exists  bool   // the object exists
	version int64  // of the object
	status  string // of the object
	lost    bool   // the last lease of the job ran out
	before  int64  // version of the object at the last lease
}

// Taking is a request for jobs, and its result.
type Taking[R any] struct {
	Processor *Processor
	Most      int // jobs wanted
	Idle      int // handlers that are free
	Overdue   []Overdue

	// Columns are the columns of object AS o that Scan reads, from column i on.
	Columns string
	Scan    func(row *R, r engine.Row, i int)

	Taken   []*Handout[R]
	More    bool // some jobs have ended, so there may be more that are due
	Careful bool // processors have stopped while they had some of these jobs
}

// Take leases jobs that are due, jobs of the oldest batch first. If the processor of a job
// has stopped, the job may be the cause. Take leases such a job only to a free handler, so
// that it cannot block other jobs again.
func Take[R any](l *Ledger, t *Taking[R]) error {
	var due []*Handout[R]
	add := func(r engine.Row) error {
		h := &Handout[R]{}
		h.scan(r)
		if h.exists {
			t.Scan(&h.Row, r, objectColumn)
		}
		due = append(due, h)
		return nil
	}
	if err := l.tx.Query(selectJobs+t.Columns+whereDue, []any{l.now, int64(t.Most)}, add); err != nil {
		return err
	}
	for _, o := range t.Overdue[:min(len(t.Overdue), t.Most-len(due))] {
		if err := l.tx.Query(selectJobs+t.Columns+whereOverdue, []any{o.Batch, o.Position, o.dueAt}, add); err != nil {
			return err
		}
	}
	for _, h := range due {
		t.Careful = t.Careful || h.lost
		if h.lost && len(t.Taken) >= t.Idle {
			continue
		}
		ok, err := l.handOut(&h.job, t.Processor)
		if err != nil {
			return err
		}
		if ok {
			t.Taken = append(t.Taken, h)
		}
		t.More = t.More || !ok
	}
	return nil
}

// scan reads the columns of selectJobs itself.
func (j *job) scan(r engine.Row) {
	j.Lease = Lease{Key: Key{r.Int(0), r.Int(1)}, Object: r.Text(2), Attempt: r.Int(3), Seq: r.Int(7)}
	j.Retries, j.lost, j.before = r.Int(4), r.Int(5) != 0, r.Int(6)
	j.exists, j.version, j.status = !r.Null(7), r.Int(8), r.Text(9)
}

// handOut leases a job to a processor, and reports whether it did. If the job's object is
// deleted, or the processor of every attempt has stopped, it ends the job instead.
func (l *Ledger) handOut(j *job, p *Processor) (bool, error) {
	b, err := l.batch(j.Batch)
	if err != nil {
		return false, err
	}
	if !j.exists {
		return false, l.end(b, &Outcome{Lease: j.Lease}, skipped)
	}
	if j.lost && j.Attempt >= p.Attempts {
		return false, l.abandon(b, j, p)
	}
	bucket, err := l.tx.Bucket(b.Bucket)
	if err != nil {
		return false, err
	}
	j.BatchID, j.Bucket, j.BucketID, j.BucketName = b.ID, b.Bucket, bucket.Place.Bucket, bucket.Name
	b.Status = inProgress
	j.Attempt++
	j.Owner, j.Until = p.Owner, l.now+p.Lease.Microseconds()
	if err := j.Lease.handOut(l.tx, j.version); err != nil {
		return false, err
	}
	return true, markHandedOut(l.tx, b.Bucket, j.Seq, j.status)
}

// abandon ends a job if the processor of every attempt has stopped.
func (l *Ledger) abandon(b *Batch, j *job, p *Processor) error {
	failure, err := p.Abandoned(l.tx, j.Object)
	if err != nil {
		return err
	}
	o := &Outcome{Lease: j.Lease, Failure: failure, Final: true}
	if err := l.end(b, o, failed); err != nil {
		return err
	}
	if j.version != j.before {
		return passOver(l.tx, b.Bucket, j.Seq)
	}
	return l.mark(b, o, j.status)
}

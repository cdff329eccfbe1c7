package bucketlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jobs"
	"github.com/bucketlite/bucketlite/internal/lease"
)

// ProcessOptions configure [Store.Process]. Nil and zero values select the defaults. A
// negative value is [ErrBadRequest].
type ProcessOptions struct {
	// Concurrency is how many handlers run at once. Handlers that return together
	// share a commit. So if commits are slow and handlers are fast, more handlers
	// process more jobs per second. Default: GOMAXPROCS.
	Concurrency int
	// MaxAttempts is how many attempts a job has before it fails. An attempt whose
	// process died counts too. Default: 3.
	MaxAttempts int
	// Backoff is the pause after a job's first failed attempt, plus or minus up to a
	// quarter. The pause doubles with each further attempt, up to a minute. Default:
	// 1 s.
	Backoff time.Duration
	// Lease is how long a lease of a job lasts. It is renewed while the handler runs.
	// If a process dies, another takes over its jobs after this time. Default: 30 s.
	Lease time.Duration
	// Timeout is how long a handler may work on one job. Then its context ends. If the
	// handler has not returned a second later, the attempt fails with
	// [CategoryNetwork], and its result is ignored. Default: no limit.
	Timeout time.Duration
	// UntilIdle makes Process return nil once no batch of the store is being
	// processed, by any process, and with Drafts once there are no drafts either.
	// Default: false, Process waits for more batches.
	UntilIdle bool
	// Drafts processes every draft: objects that are created or changed, and those that
	// a canceled batch returns. Whenever handlers are free, Process makes batches of up
	// to 250 drafts of each bucket that is active and not locked, the oldest first.
	// Any number of processors do so together, and none takes the same draft. The
	// records of these batches are deleted with those of their tasks; see
	// [Options].TaskRetention.
	//
	// Drafts are found by an index of "status", which Process creates in each bucket
	// that has none. A bucket without room for another index is left out.
	//
	// A handler must store its results with [Job.Patch]: any other change of the object
	// makes it a draft again. Default: false.
	Drafts bool
}

const (
	maxBackoff   = time.Minute
	lookInterval = 250 * time.Millisecond // between looks for changes by other processes
	graceTime    = time.Second            // for a handler to return once its context has ended
	handBackTime = time.Second            // for handing back jobs while another process writes
)

// withDefaults returns a checked copy of o in which only Timeout may be unset.
func (o *ProcessOptions) withDefaults() (ProcessOptions, error) {
	var opts ProcessOptions
	if o != nil {
		opts = *o
	}
	if opts.Concurrency < 0 || opts.MaxAttempts < 0 || opts.Backoff < 0 || opts.Lease < 0 || opts.Timeout < 0 {
		return opts, badRequest("process options: a number is negative")
	}
	if opts.Concurrency == 0 {
		opts.Concurrency = runtime.GOMAXPROCS(0)
	}
	if opts.MaxAttempts == 0 {
		opts.MaxAttempts = 3
	}
	if opts.Backoff == 0 {
		opts.Backoff = time.Second
	}
	if opts.Lease == 0 {
		opts.Lease = 30 * time.Second
	}
	return opts, nil
}

// Process hands the objects of submitted batches to handler until ctx ends, those of
// the oldest batch first. Any number of processors may run at once, in any number of
// processes. Each job is leased to one of them at a time. A nil opts selects the defaults.
//
// An object is COMPLETED once the handler returns nil. If the handler returns an error,
// there is another attempt after a pause, unless the error is permanent or MaxAttempts
// is reached: then the object is FAILED. See [JobError]. A panic is an error of
// [CategoryRuntime]. If the object's content changes during processing, the object stays
// a draft; if the object is deleted, it is skipped. Jobs of a suspended bucket wait; the
// other states of a bucket have no effect.
//
// A job is handed out at least once. If a process dies, or cannot renew a lease in time,
// another process repeats the job, so a handler should be idempotent. The handler's
// context ends with ctx, after Timeout, when the batch is canceled, and when the lease is
// lost. No lock is held while the handler runs, and it may use the store.
//
// Process returns the context's error when ctx ends, and [ErrClosed] when the store is
// closed. Running handlers have a second to return after ctx has ended, but none if the
// store is closed. Then their jobs are handed back, and the attempt does not count. Other
// errors: [ErrBadRequest], [ErrReadOnly], and errors of the disk.
func (s *Store) Process(ctx context.Context, handler func(context.Context, *Job) error, opts *ProcessOptions) error {
	o, err := opts.withDefaults()
	switch {
	case err != nil:
		return err
	case handler == nil:
		return badRequest("process: handler: got nil, want a function")
	case ctx.Err() != nil:
		return ctx.Err()
	case s.opts.ReadOnly:
		return public(ErrReadOnly)
	}
	id, err := s.newID("")
	if err != nil {
		return err
	}
	p := &processor{
		store: s, handler: handler, opts: o, pace: slowPace, running: make(map[jobs.Key]*run), wake: make(chan struct{}, 1),
		drafts: drafts{refused: make(map[int64]bool)},
		ready:  make(chan *run, 2*(o.Concurrency+maxAhead)), ended: make(chan *run, o.Concurrency+maxAhead), gone: make(chan struct{}),
	}
	p.self = jobs.Processor{
		Owner: lease.Owner(id, o.Lease), Lease: o.Lease, Attempts: int64(o.MaxAttempts), Pause: longestPause(o.Backoff), Leases: &s.leases,
		Abandoned: abandoned,
	}
	if o.Drafts {
		p.drafts.wake = make(chan struct{}, 1)
	}
	p.ctx, p.stop = context.WithCancelCause(ctx)
	defer p.stop(nil)
	if !s.queue.join(p) {
		return public(ErrClosed)
	}
	defer s.queue.leave(p)
	defer close(p.gone)
	err = p.work()
	if err == nil || ctx.Err() == nil {
		return err
	}
	return ctx.Err()
}

// processor is one Process. The goroutine that called Process owns all of it; workers
// receive jobs from it and send back the results.
type processor struct {
	store   *Store
	handler func(context.Context, *Job) error
	opts    ProcessOptions
	self    jobs.Processor // as the file knows it

	ctx   context.Context // ends when the processor has to stop
	stop  context.CancelCauseFunc
	ready chan *run     // jobs for the workers
	ended chan *run     // jobs that they have finished
	gone  chan struct{} // closed once nothing receives from ended
	wake  chan struct{} // holds a token when there may be something to do

	workers  int // except those stuck in a handler
	running  map[jobs.Key]*run
	pace     time.Duration  // that a handler takes, on average
	settled  []*outcome     // not yet written
	settleAt time.Time      // when to write them at the latest
	renewAt  time.Time      // when to renew the leases
	lookAt   time.Time      // when to look for changes by others
	leaveAt  time.Time      // when to look for handlers to leave behind; zero for never
	due      time.Time      // when the next job is due, as far as is known; zero for never
	overdue  []jobs.Overdue // jobs that are due although the file says later
	drafts   drafts
}

// A processor leases one job for each worker. So other processes get their share, and a
// job that kills its process delays few others. With fast handlers that would be a
// commit for each job. Then the processor leases as many more as take a moment to
// process.
const (
	maxAhead   = 256
	aheadTime  = 10 * time.Millisecond // worth of jobs
	settleTime = 5 * time.Millisecond  // in which outcomes gather while there is other work
	slowPace   = time.Second
)

// ahead returns how many jobs to hold besides those of the workers.
func (p *processor) ahead() int {
	return min(maxAhead, int(aheadTime*time.Duration(p.opts.Concurrency)/max(p.pace, 1)))
}

// wants returns how many more jobs to lease.
func (p *processor) wants() int { return p.opts.Concurrency + p.ahead() - len(p.running) }

// work is the processor's loop.
func (p *processor) work() error {
	for {
		p.receive()
		now := time.Now()
		p.leaveBehind(now)
		if p.ctx.Err() != nil {
			return p.leave()
		}
		if p.mustLook(now) {
			idle, err := p.look(now)
			if p.fails(err) {
				return p.abandon(err)
			}
			if idle && p.opts.UntilIdle {
				return nil
			}
		}
		if p.mustWrite(now) {
			if err := p.write(p.ctx, p.wants()); p.fails(err) {
				return p.abandon(err)
			}
			continue
		}
		p.wait(now)
	}
}

// fails reports whether err ends the processor. A file that another process keeps busy
// does not.
func (p *processor) fails(err error) bool {
	return err != nil && p.ctx.Err() == nil && !errors.Is(err, ErrBusy)
}

// mustLook reports whether it is time to read the state of the queue.
func (p *processor) mustLook(now time.Time) bool { return !now.Before(p.lookAt) }

// mustWrite reports whether there is enough to write: outcomes, leases that end soon, or
// jobs to take.
func (p *processor) mustWrite(now time.Time) bool {
	hungry := p.wants() > p.ahead()/2
	return len(p.settled) > 0 && (hungry || !now.Before(p.settleAt)) ||
		len(p.running) > 0 && !now.Before(p.renewAt) ||
		hungry && (p.isDue(now) || p.drafts.mustWrite())
}

// isDue reports whether a job is due, as far as is known.
func (p *processor) isDue(now time.Time) bool { return !p.due.IsZero() && !now.Before(p.due) }

// look finds out when the next job is due, and cancels the running jobs of batches that
// have ended.
func (p *processor) look(now time.Time) (idle bool, err error) {
	p.lookAt = now.Add(lookInterval)
	lost := make(map[int64]bool) // by batch
	for key := range p.running {
		lost[key.Batch] = false
	}
	var o jobs.Outlook
	err = p.store.read(p.ctx, func(c *engine.Conn) (err error) {
		for batch := range lost {
			running, err := jobs.BatchRunning(c, batch)
			if err != nil {
				return err
			}
			lost[batch] = !running
		}
		if o, err = jobs.Look(c, now.UnixMicro()); err != nil {
			return err
		}
		if p.overdue, err = p.self.FindOverdue(c, now.UnixMicro()); err != nil {
			return err
		}
		idle, err = p.drafts.look(c)
		return err
	})
	if err != nil {
		return false, err
	}
	for key, r := range p.running {
		if lost[key.Batch] {
			p.lose(r, errCanceled)
		}
	}
	p.due = time.Time{}
	if o.Due != 0 {
		p.due = time.UnixMicro(o.Due)
	}
	if len(p.overdue) > 0 {
		p.due = now
	}
	return idle && o.Idle && len(p.running) == 0 && len(p.settled) == 0, nil
}

// The causes why a handler's context ends.
var (
	errCanceled = errors.New("the batch was canceled")
	errLost     = errors.New("the job was lost to another processor")
)

// lose cancels a handler whose result no longer counts.
func (p *processor) lose(r *run, cause error) {
	if r.lost {
		return
	}
	r.lost = true
	r.cancel(cause)
	p.leaveBy(r, time.Now().Add(graceTime))
}

// leaveBy sets when a handler is left behind.
func (p *processor) leaveBy(r *run, at time.Time) {
	r.leaveAt = at
	p.checkAt(at)
}

// checkAt schedules leaveBehind for a time, unless it comes earlier.
func (p *processor) checkAt(at time.Time) {
	if p.leaveAt.IsZero() || at.Before(p.leaveAt) {
		p.leaveAt = at
	}
}

// leaveBehind gives up handlers that have not returned in time.
func (p *processor) leaveBehind(now time.Time) {
	if p.leaveAt.IsZero() || now.Before(p.leaveAt) {
		return
	}
	p.leaveAt = time.Time{}
	for _, r := range p.running {
		if r.stage.Load() == waiting {
			if p.opts.Timeout > 0 {
				p.checkAt(now.Add(p.opts.Timeout + graceTime))
			}
			continue
		}
		if r.leaveAt.IsZero() && p.opts.Timeout > 0 {
			r.leaveAt = r.started.Add(p.opts.Timeout + graceTime)
		}
		switch {
		case r.leaveAt.IsZero():
		case now.Before(r.leaveAt):
			p.checkAt(r.leaveAt)
		case r.stage.CompareAndSwap(working, leftBehind):
			p.workers--
			p.store.opts.Logger.Warn("bucketlite: a handler that does not return was left behind", "batch", r.job.BatchID, "object", r.Object)
			p.finish(r, newFailure(CategoryNetwork, fmt.Sprintf("the handler did not return within %s", p.opts.Timeout)))
		}
	}
	p.hire()
}

// receive handles the jobs whose handlers have returned.
func (p *processor) receive() {
	for {
		select {
		case r := <-p.ended:
			p.returned(r)
		default:
			return
		}
	}
}

// returned handles a job that a worker has finished.
func (p *processor) returned(r *run) {
	if p.running[r.Key] == r {
		if !r.back {
			p.pace = (7*p.pace + r.took) / 8
		}
		p.finish(r, r.failure)
	}
	if r.exited {
		p.workers--
		p.hire()
	}
}

// outcome is the result of a lease. Its failure is encoded when it is stored.
type outcome struct {
	jobs.Outcome
	failure *failure
}

// finish decides the outcome of a job that no handler is working on.
func (p *processor) finish(r *run, f *failure) {
	delete(p.running, r.Key)
	r.cancel(nil)
	if r.lost {
		return
	}
	o := &outcome{jobs.Outcome{Lease: r.Lease, Back: r.back}, f}
	if f != nil {
		// When the processor stops, that is why most handlers fail.
		o.Back = p.ctx.Err() != nil && !f.explicit
		o.Final = f.permanent || r.Attempt >= int64(p.opts.MaxAttempts)
		o.Delay = backoff(p.opts.Backoff, r.Attempt)
	}
	p.settle(o)
}

// settle schedules an outcome to be written soon.
func (p *processor) settle(o *outcome) {
	if len(p.settled) == 0 {
		p.settleAt = time.Now().Add(settleTime)
	}
	p.settled = append(p.settled, o)
}

// backoff returns the pause after an attempt.
func backoff(first time.Duration, attempt int64) time.Duration {
	d := first
	for ; attempt > 1 && d < maxBackoff; attempt-- {
		d *= 2
	}
	d = min(d, max(first, maxBackoff))
	return d - d/4 + rand.N(d/2+1)
}

// longestPause returns the longest pause after an attempt.
func longestPause(first time.Duration) time.Duration { return max(first, maxBackoff) * 5 / 4 }

// write stores the outcomes of jobs, renews leases and takes up to n jobs, all in one
// transaction. Then it starts a handler for each job it took.
func (p *processor) write(ctx context.Context, n int) error {
	now := time.Now()
	renewing := len(p.running) > 0 && !now.Before(p.renewAt)
	var lost []*run
	var taking jobs.Taking[objectRow]
	g := &gathering{}
	if n > 0 {
		var err error
		if g, err = p.gathering(p.isDue(now)); err != nil {
			return err
		}
	}
	err := p.store.write(ctx, func(tx *commit.Tx) error {
		lost = nil
		taking = jobs.Taking[objectRow]{
			Processor: &p.self, Most: n, Idle: p.opts.Concurrency - len(p.running), Overdue: p.overdue,
			Columns: objectColumns, Scan: (*objectRow).scan,
		}
		l := jobs.NewLedger(tx)
		for _, o := range p.settled {
			if err := o.settle(tx, l); err != nil {
				return err
			}
		}
		if renewing {
			for _, r := range p.running {
				held, err := l.Renew(&r.Lease, p.opts.Lease)
				if err != nil {
					return err
				}
				if !held {
					lost = append(lost, r)
				}
			}
		}
		if err := g.run(tx); err != nil {
			return err
		}
		if n > 0 {
			if err := jobs.Take(l, &taking); err != nil {
				return err
			}
		}
		return l.Save()
	})
	if err != nil {
		return err
	}
	p.settled = p.settled[:0]
	if n > 0 {
		p.overdue = nil
	}
	if renewing || len(p.running) == 0 {
		p.renewAt = now.Add(p.opts.Lease / 3)
	}
	for _, r := range lost {
		p.lose(r, errLost)
	}
	for _, h := range taking.Taken {
		p.start(h)
	}
	if taking.Careful {
		p.pace = slowPace
	}
	switch {
	case taking.More:
		p.due = now
	case len(taking.Taken) < n:
		p.due, p.lookAt = time.Time{}, time.Time{} // nothing is due now; find out when
	}
	p.gathered(g)
	return nil
}

// settle writes the outcome.
func (o *outcome) settle(tx *commit.Tx, l *jobs.Ledger) (err error) {
	if o.failure != nil {
		if o.Failure, err = o.failure.stored(o.Object, tx.Now()); err != nil {
			return err
		}
	}
	return l.Settle(&o.Outcome)
}

// abandoned returns the failure of a job each of whose attempts has ended with its
// processor.
func abandoned(tx *commit.Tx, object string) (*jobs.Failure, error) {
	return newFailure(CategoryRuntime, "each processor that took the object stopped before processing it").stored(object, tx.Now())
}

// wait returns when there may be work.
func (p *processor) wait(now time.Time) {
	at := p.lookAt
	for _, t := range []time.Time{p.leaveAt, p.renewAt, p.due} {
		if !t.IsZero() && t.After(now) && t.Before(at) {
			at = t
		}
	}
	if len(p.settled) > 0 && p.settleAt.Before(at) {
		at = p.settleAt
	}
	timer := time.NewTimer(at.Sub(now))
	defer timer.Stop()
	select {
	case r := <-p.ended:
		p.returned(r)
	case <-p.wake:
		p.lookAt = time.Time{}
	case <-p.drafts.wake:
		if at := now.Add(draftDelay); at.Before(p.lookAt) {
			p.lookAt = at
		}
	case <-p.store.db.Stopped():
		p.stop(p.store.db.Refusal()) // no outcome can be written any more
	case <-p.ctx.Done():
	case <-timer.C:
	}
}

// abandon ends the processor for an error.
func (p *processor) abandon(err error) error {
	p.stop(err)
	return p.leave()
}

// leave hands back the jobs of handlers that do not return in time, and returns the
// error that ends the processor.
func (p *processor) leave() error {
	cause := context.Cause(p.ctx)
	if closing := errors.Is(cause, ErrClosed); !closing {
		timer := time.NewTimer(graceTime)
		defer timer.Stop()
		for late := false; len(p.running) > 0 && !late; {
			select {
			case r := <-p.ended:
				p.returned(r)
			case <-timer.C:
				late = true
			}
		}
	}
	p.receive()
	for _, r := range p.running {
		delete(p.running, r.Key)
		if !r.lost {
			p.settle(&outcome{Outcome: jobs.Outcome{Lease: r.Lease, Back: true}})
		}
	}
	if len(p.settled) > 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), handBackTime)
		defer cancel()
		if err := p.write(ctx, 0); err != nil {
			p.store.opts.Logger.Warn("bucketlite: jobs could not be handed back; their leases will end", "error", err)
		}
	}
	return public(cause)
}

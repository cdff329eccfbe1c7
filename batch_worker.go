package bucketlite

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/bucketlite/bucketlite/internal/jobs"
)

// run is a job that is leased to the processor.
type run struct {
	jobs.Lease
	job    *Job
	ctx    context.Context
	cancel context.CancelCauseFunc
	lost   bool // its result does not count

	leaveAt time.Time // when its handler is left behind, if known; zero for never
	stage   atomic.Int32
	started time.Time // when its handler was called, once it is working

	// Set by the worker before it sends.
	failure *failure
	took    time.Duration
	back    bool // the handler was not called
	exited  bool // the handler ended the worker's goroutine
}

// The stages of a run. A worker whose handler was left behind takes no other job.
const (
	waiting int32 = iota
	working
	returned
	leftBehind
)

// handout is a job as the queue hands it out, with the row of its object.
type handout = jobs.Handout[objectRow]

// start gives a job to the workers.
func (p *processor) start(h *handout) {
	if old := p.running[h.Key]; old != nil {
		p.lose(old, errLost) // its lease ran out, and now the job is here again
	}
	r := &run{Lease: h.Lease}
	r.ctx, r.cancel = context.WithCancelCause(p.ctx)
	p.running[r.Key] = r
	var err error
	if r.job, err = p.job(r.ctx, h); err != nil {
		f := newFailure(CategoryRuntime, err.Error())
		f.permanent = errors.Is(err, ErrCorrupt)
		p.finish(r, f)
		return
	}
	if p.opts.Timeout > 0 {
		p.checkAt(time.Now().Add(p.opts.Timeout + graceTime))
	}
	p.ready <- r
	p.hire()
}

// hire starts workers for the jobs, up to the wanted concurrency.
func (p *processor) hire() {
	for p.workers < min(p.opts.Concurrency, len(p.running)) {
		p.workers++
		go p.serve()
	}
}

// serve is a worker: it calls the handler for one job after another.
func (p *processor) serve() {
	for {
		select {
		case <-p.gone:
			return
		case r := <-p.ready:
			if !p.do(r) {
				return
			}
		}
	}
}

// do calls the handler for one job, unless the job was canceled, and reports whether the
// worker may take another.
func (p *processor) do(r *run) (goOn bool) {
	r.started = time.Now()
	r.back = r.ctx.Err() != nil
	r.exited = !r.back // until the handler returns
	r.stage.Store(working)
	defer func() {
		r.took = time.Since(r.started)
		if goOn = r.stage.CompareAndSwap(working, returned); !goOn {
			return
		}
		goOn = !r.exited
		select {
		case p.ended <- r:
		case <-p.gone:
		}
	}()
	if r.back {
		return
	}
	ctx := r.ctx
	if p.opts.Timeout > 0 {
		c, end := context.WithTimeout(ctx, p.opts.Timeout)
		defer end()
		ctx = c
	}
	r.failure = newFailure(CategoryRuntime, "the handler ended its goroutine")
	r.failure = r.job.run(ctx, p.handler)
	r.exited = false
	if f := r.failure; f != nil && f.Traceback != "" {
		p.store.opts.Logger.Error("bucketlite: a handler panicked",
			"batch", r.job.BatchID, "object", r.Object, "error", f.Message, "stack", f.Traceback)
	}
	return
}

// job returns the handler's form of a job.
func (p *processor) job(ctx context.Context, h *handout) (*Job, error) {
	def, err := p.store.definition(ctx, h.Bucket)
	if err != nil {
		return nil, err
	}
	bucket := p.store.handle(target{num: h.Bucket, id: h.BucketID, name: h.BucketName, def: def})
	object, err := h.Row.decode(bucket, nil)
	if err != nil {
		return nil, err
	}
	object.Status, object.Error = StatusProcessing, "" // since it was read
	return &Job{Bucket: bucket, Object: object, BatchID: h.BatchID, Attempt: int(h.Attempt), Retries: int(h.Retries)}, nil
}

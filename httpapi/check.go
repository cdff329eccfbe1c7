package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite"
)

var checkRoutes = []route{
	{"POST /v1/check", keyed, writes, formBody, (*call).checkStore},
}

// Check is a check of the whole store that runs, or has ended. It is safe for concurrent
// use.
type Check struct {
	cancel context.CancelCauseFunc
	done   chan struct{}
	news   chan struct{} // has room for one, and is filled when there is progress

	mu    sync.Mutex
	state CheckState
}

// CheckState is how far a [Check] is.
type CheckState struct {
	// Began and Ended are when it did. Ended is zero while it runs.
	Began, Ended time.Time
	// Progress is what has been checked so far.
	Progress bucketlite.CheckProgress
	// Report is the result, nil unless the check is complete.
	Report *bucketlite.CheckReport
	// Err is why a check that has ended is not complete. [Describe] has the text for users.
	Err error
}

// Running reports whether the check has not ended.
func (s CheckState) Running() bool { return s.Ended.IsZero() }

// The reasons why a check ends early.
var (
	errCheckCanceled = &failure{http.StatusServiceUnavailable, "ServiceUnavailableError", "the check was canceled", nil}
	errServerEnds    = &failure{http.StatusServiceUnavailable, "ServiceUnavailableError", "the server is about to end", nil}
)

// StartCheck starts [bucketlite.Store.Check] in the background, without repair. The check
// ends when it is complete, when ctx ends, by [Check.Cancel] and by [Handler.Close]. Only one
// runs at a time: while it does, StartCheck returns an error of status 503 (see [Describe]).
func (h *Handler) StartCheck(ctx context.Context) (*Check, error) {
	h.checking.Lock()
	defer h.checking.Unlock()
	select {
	case <-h.closing:
		return nil, errServerEnds
	default:
	}
	if h.check != nil && h.check.State().Running() {
		return nil, &failure{http.StatusServiceUnavailable, "ServiceUnavailableError", "a check of the store is running already; try again later", nil}
	}
	ctx, cancel := h.untilClose(ctx)
	c := &Check{cancel: cancel, done: make(chan struct{}), news: make(chan struct{}, 1), state: CheckState{Began: h.opts.Now()}}
	h.check = c
	go c.run(ctx, h)
	return c, nil
}

// LastCheck returns the check that runs, or else the one that ended last. It is nil if there
// was none since the handler was made.
func (h *Handler) LastCheck() *Check {
	h.checking.Lock()
	defer h.checking.Unlock()
	return h.check
}

// State returns how far the check is. The report is shared, and not to be changed.
func (c *Check) State() CheckState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Done returns a channel that is closed when the check has ended.
func (c *Check) Done() <-chan struct{} { return c.done }

// Cancel ends the check, if it runs. It does not wait for the end.
func (c *Check) Cancel() { c.cancel(errCheckCanceled) }

// run checks the store of a handler.
func (c *Check) run(ctx context.Context, h *Handler) {
	defer close(c.done)
	defer c.cancel(nil)
	report, err := h.store.Check(ctx, &bucketlite.CheckOptions{Progress: func(p bucketlite.CheckProgress) {
		c.mu.Lock()
		c.state.Progress = p
		c.mu.Unlock()
		select {
		case c.news <- struct{}{}:
		default: // the progress before has not been read
		}
	}})
	if report != nil && report.Problems == nil {
		report.Problems = []bucketlite.Problem{} // an array in JSON too
	}
	now := h.opts.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Ended, c.state.Report, c.state.Err = now, report, whyEnded(ctx, err)
}

// untilClose returns a context that ends with the handler too. [whyEnded] has the reason.
func (h *Handler) untilClose(parent context.Context) (ctx context.Context, cancel context.CancelCauseFunc) {
	ctx, cancel = context.WithCancelCause(parent)
	go func() {
		select {
		case <-h.closing:
			cancel(errServerEnds)
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// whyEnded returns an error of a call with the context, or the reason for which the context
// was canceled.
func whyEnded(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		return cause
	}
	return err
}

// cutIfGone cuts the connection off if the client has left it: an error is for nobody.
func (c *call) cutIfGone(err error) {
	if c.r.Context().Err() != nil {
		c.w.err = err
		panic(http.ErrAbortHandler)
	}
}

// allRights refuses a key that is limited to namespaces or to reading, in the name of a noun
// such as "the check".
func (c *call) allRights(what string) error {
	if c.key.All() {
		return nil
	}
	return forbidden(what + " needs a key for all namespaces that may write")
}

// checkStore checks the store while the client waits. A client that accepts server-sent
// events gets the progress too.
func (c *call) checkStore() (any, error) {
	if err := c.allRights("the check"); err != nil {
		return nil, err
	}
	if _, err := c.form(); err != nil { // with the body read, the server notices that the client leaves
		return nil, err
	}
	check, err := c.h.StartCheck(c.ctx())
	if err != nil {
		return nil, err
	}
	defer func() {
		check.Cancel()
		<-check.Done()
	}()
	if strings.Contains(c.r.Header.Get("Accept"), "text/event-stream") {
		return written{}, c.followCheck(check)
	}
	<-check.Done()
	state := check.State()
	if state.Err != nil {
		c.cutIfGone(state.Err)
		return nil, state.Err
	}
	return state.Report, nil
}

// followCheck streams the progress of a check, and then its report or its error.
func (c *call) followCheck(check *Check) error {
	s := &eventStream{call: c}
	err := s.flush()
	beat := time.NewTicker(c.h.heartbeat)
	defer beat.Stop()
	pause := time.NewTicker(progressPause)
	defer pause.Stop()
	for err == nil {
		select {
		case <-check.Done():
			state := check.State()
			if state.Err != nil {
				return s.end(state.Err)
			}
			if err = s.message("report", state.Report); err == nil {
				err = s.flush()
			}
			c.w.err = err
			return nil
		case <-beat.C:
			err = s.beat()
		case <-pause.C:
			select {
			case <-check.news:
				if err = s.message("progress", check.State().Progress); err == nil {
					err = s.flush()
				}
			default:
			}
		}
	}
	c.w.err = err // the client is gone, or too slow
	return nil
}

// progressPause is the time between two messages of progress.
const progressPause = 200 * time.Millisecond

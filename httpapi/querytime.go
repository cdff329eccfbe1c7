package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// defaultQueryTimeout is how long a request that only reads may take.
const defaultQueryTimeout = 30 * time.Second

// errQueryTimeout is why the context of a request ended that took too long.
var errQueryTimeout = errors.New("the query took too long")

// A timeout ends a request that takes too long. The nil timeout never does.
type timeout struct {
	ctx   context.Context
	timer *time.Timer
	after time.Duration
}

// limitTime ends the request when Options.QueryTimeout has passed. The function that it
// returns must be called when the request has been served.
func (c *call) limitTime() (stop func()) {
	ctx, cancel := context.WithCancelCause(c.r.Context())
	after := c.h.opts.QueryTimeout
	c.timeout = &timeout{ctx: ctx, timer: time.AfterFunc(after, func() { cancel(errQueryTimeout) }), after: after}
	return func() {
		c.timeout.timer.Stop()
		cancel(nil)
	}
}

// pause stops the time until it is restarted.
func (t *timeout) pause() {
	if t != nil {
		t.timer.Stop()
	}
}

// restart restarts the timer. The time that a client takes to send its body does not
// count.
func (t *timeout) restart() {
	if t != nil {
		t.timer.Reset(t.after)
	}
}

// explain returns err, or a message for the client if err is due to the timeout.
func (t *timeout) explain(err error) error {
	if t == nil || !errors.Is(err, context.Canceled) || context.Cause(t.ctx) != errQueryTimeout {
		return err
	}
	message := fmt.Sprintf("the query took, or waited for other queries, longer than the %s that a query may take; "+
		"add an index, narrow the filter, or leave out the total", t.after)
	return &failure{http.StatusServiceUnavailable, "ServiceUnavailableError", message, map[string]any{"query_timeout_seconds": t.after.Seconds()}}
}

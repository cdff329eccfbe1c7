package httpapi

import (
	"context"
	"time"
)

var healthRoutes = []route{
	{"GET /v1/health", open, reads, (*call).showHealth},
}

// lookTime is how long a look at the store's own record may take.
const lookTime = 5 * time.Second

// showHealth reads one row, which shows whether the store answers. It tells nothing of
// what is in it, for everybody may ask.
func (c *call) showHealth() (any, error) {
	ctx, cancel := context.WithTimeout(c.ctx(), lookTime)
	defer cancel()
	if _, err := c.h.store.EventCursor(ctx); err != nil {
		return nil, err
	}
	return struct {
		Status string `json:"status"`
	}{"ok"}, nil
}

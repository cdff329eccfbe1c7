package httpapi

import (
	"context"
	"time"
)

var healthRoutes = []route{
	{"GET /v1/health", open, reads, noBody, (*call).showHealth},
	{"GET /v1/health/liveness", open, reads, noBody, (*call).showLiveness},
}

// lookTime bounds the time of reading the store's own record.
const lookTime = 5 * time.Second

// wellness is all that the health routes tell, since they need no key.
type wellness struct {
	Status string `json:"status"`
}

// showHealth reads one row, which shows that the store answers, and asks whether it
// takes writes. A store that was opened read-only need not.
func (c *call) showHealth() (any, error) {
	ctx, cancel := context.WithTimeout(c.ctx(), lookTime)
	defer cancel()
	if _, err := c.h.store.EventCursor(ctx); err != nil {
		return nil, err
	}
	if err := c.h.store.Err(); err != nil {
		return nil, err
	}
	return wellness{"ok"}, nil
}

// showLiveness shows that the process answers, whatever the store does.
func (c *call) showLiveness() (any, error) { return wellness{"ok"}, nil }

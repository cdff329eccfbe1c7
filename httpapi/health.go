package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/bucketlite/bucketlite"
)

var healthRoutes = []route{
	{"GET /v1/health", open, reads, noBody, (*call).showHealth},
	{"GET /v1/health/liveness", open, reads, noBody, (*call).showLiveness},
	{"GET /v1/health/readiness", open, reads, noBody, (*call).showReadiness},
}

// lookTime bounds the time of reading the store's own record.
const lookTime = 5 * time.Second

// wellness is all that the two probes tell, since they need no key.
type wellness struct {
	Status string `json:"status"`
}

// health is the hosted service's form of a health check.
type health struct {
	Status string            `json:"status"` // OK or DEGRADED
	Data   healthOfParts     `json:"data"`
	Errors map[string]string `json:"errors,omitempty"` // by the names of parts
}

// healthOfParts tells which parts of the hosted service work. One store stands for the
// parts that this server has. It has no vector store and no inference.
type healthOfParts struct {
	Cache         bool `json:"cache"`
	Metadata      bool `json:"metadata"`
	VectorStore   bool `json:"vector_store"`
	ObjectStorage bool `json:"object_storage"`
	TaskQueue     bool `json:"task_queue"`
	Inference     bool `json:"inference"`
	Analytics     bool `json:"analytics"`
}

// showHealth reports whether the store answers and takes writes. A store that refuses
// writes is DEGRADED. The status is then 503, not 200: load balancers read only that.
func (c *call) showHealth() (any, error) {
	answer := health{"OK", healthOfParts{Cache: true, Metadata: true, ObjectStorage: true, TaskQueue: true, Analytics: true}, nil}
	if err := c.storeAnswers(); err != nil {
		return nil, err
	}
	err := c.h.store.Err()
	switch {
	case err == nil:
		return answer, nil
	case errors.Is(err, bucketlite.ErrClosed):
		return nil, err
	}
	const status = http.StatusServiceUnavailable
	answer.Status, answer.Data.ObjectStorage, answer.Data.TaskQueue = "DEGRADED", false, false
	answer.Errors = map[string]string{"object_storage": message(err, status)}
	c.w.err = err
	c.w.Header().Set("Retry-After", "1")
	return written{}, c.w.write(status, answer)
}

// showReadiness is [call.showHealth] for probes: the status says all.
func (c *call) showReadiness() (any, error) {
	if err := c.storeAnswers(); err != nil {
		return nil, err
	}
	if err := c.h.store.Err(); err != nil {
		return nil, err
	}
	return wellness{"ok"}, nil
}

// showLiveness shows that the process answers, whatever the store does.
func (c *call) showLiveness() (any, error) { return wellness{"ok"}, nil }

// storeAnswers reads one row of the store. Whether it takes writes is for
// [bucketlite.Store.Err]; a store that was opened read-only need not.
func (c *call) storeAnswers() error {
	ctx, cancel := context.WithTimeout(c.ctx(), lookTime)
	defer cancel()
	_, err := c.h.store.EventCursor(ctx)
	return err
}

package httpapi

import (
	"net/http"
	"strings"
	"time"
)

// SetHeartbeat sets how often a stream of events that has nothing to say says so.
// Like the other setters it must be called before the first request.
func SetHeartbeat(h *Handler, d time.Duration) { h.heartbeat = d }

// SetPatience sets how long a peer may keep a request waiting.
func SetPatience(h *Handler, d time.Duration) { h.patience = d }

// SetDrainTime sets for how long the rest of a body is read when the answer is out.
func SetDrainTime(h *Handler, d time.Duration) { h.drainTime = d }

// Handle adds a route that needs no key. The function that f gets with the request
// reads its body as the other routes do.
func Handle(h *Handler, pattern string, f func(w http.ResponseWriter, r *http.Request, body func() ([]byte, error))) {
	h.mux.Handle(pattern, h.serve(route{pattern, open, writes, objectBody, func(c *call) (any, error) {
		f(c.w, c.r, c.body)
		return written{}, nil
	}}))
}

// Patterns returns those of all routes.
func Patterns() []string {
	patterns := make([]string, len(routes))
	for i, r := range routes {
		patterns[i] = strings.TrimSuffix(r.pattern, "{$}")
	}
	return patterns
}

// SetMaxLatencies sets how many confirmed uploads an analysis may have.
func SetMaxLatencies(h *Handler, n int) { h.most = n }

// BoundAnswers sets the bytes of large answers, in all and of a key.
func BoundAnswers(h *Handler, most, mostPerKey int) {
	h.answers.most, h.answers.mostPerKey = most, mostPerKey
}

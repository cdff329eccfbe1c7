package httpapi

import (
	"net/http"
	"time"
)

// SetHeartbeat sets how often a stream of events that has nothing to say says so.
// Like the other setters it must be called before the first request.
func SetHeartbeat(h *Handler, d time.Duration) { h.heartbeat = d }

// SetPatience sets how long a peer may keep a request waiting.
func SetPatience(h *Handler, d time.Duration) { h.patience = d }

// Handle adds a route that needs no key.
func Handle(h *Handler, pattern string, f func(http.ResponseWriter, *http.Request)) {
	h.mux.Handle(pattern, h.serve(route{pattern, open, reads, func(c *call) (any, error) {
		f(c.w, c.r)
		return written{}, nil
	}}))
}

package httpapi

import "time"

// SetPatience sets how long a peer may keep a request waiting. It must be called
// before the first request.
func SetPatience(h *Handler, d time.Duration) { h.patience = d }

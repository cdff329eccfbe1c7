package httpapi

import (
	"fmt"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Requests that last as long as their clients like are bounded: streams, transfers and
// exports in number (see the defaults of [Options] for the memory they hold), and large answers in
// bytes.
const (
	defaultMaxStreams       = 1024
	defaultMaxStreamsPerKey = 256
	defaultMaxTransfers     = 256
	// maxExports bounds the exports that run at once, and maxExportsPerKey those of one key.
	// Each holds at most a page of objects while its client reads.
	maxExports       = 16
	maxExportsPerKey = 8
	// maxAnswerBytes bounds the answers that are being sent, of which only those are
	// counted that are larger than wholeBody, and maxAnswerBytesPerKey those of one key.
	maxAnswerBytes       = 512 << 20
	maxAnswerBytesPerKey = 256 << 20
)

// A gate bounds how many requests of one kind run at once, or how much they hold: in
// all, and of each key. It is safe for concurrent use.
type gate struct {
	what             string // the kind, in the plural
	most, mostPerKey int
	running          prometheus.Gauge
	oneStatus        bool // a key that has too many gets the status that others get

	mu    sync.Mutex
	all   int
	byKey map[*Access]int
}

// EnterExport counts in an export of a mount among those of the API, which are bounded in
// all and for each key, or says why it must wait. The caller calls leave when it ends.
func (h *Handler) EnterExport(a *Access) (leave func(), err error) { return h.exports.enter(a, 1) }

func newGate(what string, most, mostPerKey int, running prometheus.Gauge) *gate {
	return &gate{what: what, most: most, mostPerKey: mostPerKey, running: running, byKey: make(map[*Access]int)}
}

// enter counts in a request that holds n, of a key or of none, or says why it must wait.
// One that has entered calls leave when it ends. One alone enters whatever it holds.
func (g *gate) enter(k *Access, n int) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch of := g.byKey[k]; {
	case k != nil && of > 0 && of+n > g.mostPerKey:
		message := fmt.Sprintf("the key has %d %s already, and may have %d; try again later", of, g.what, g.mostPerKey)
		if g.oneStatus {
			return nil, &failure{http.StatusServiceUnavailable, "ServiceUnavailableError", message, nil}
		}
		return nil, &failure{http.StatusTooManyRequests, "TooManyRequestsError", message, nil}
	case g.all > 0 && g.all+n > g.most:
		return nil, &failure{http.StatusServiceUnavailable, "ServiceUnavailableError",
			fmt.Sprintf("there are %d %s already, and may be %d; try again later", g.all, g.what, g.most), nil}
	}
	g.count(k, n)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.count(k, -n)
	}, nil
}

func (g *gate) count(k *Access, n int) {
	g.all += n
	g.running.Add(float64(n))
	if k == nil {
		return
	}
	if g.byKey[k] += n; g.byKey[k] == 0 {
		delete(g.byKey, k)
	}
}

package httpapi

import (
	"fmt"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// The requests that last as long as their client likes are bounded in number. The
// defaults of [Options] say what they hold meanwhile.
const (
	defaultMaxStreams       = 1024
	defaultMaxStreamsPerKey = 256
	defaultMaxTransfers     = 256
)

// A gate bounds how many requests of one kind run at once: in all, and of each key. It
// is safe for concurrent use.
type gate struct {
	what             string // the kind, in the plural
	most, mostPerKey int
	running          prometheus.Gauge

	mu    sync.Mutex
	all   int
	byKey map[*key]int
}

func newGate(what string, most, mostPerKey int, running prometheus.Gauge) *gate {
	return &gate{what: what, most: most, mostPerKey: mostPerKey, running: running, byKey: make(map[*key]int)}
}

// enter counts a request in, of a key or of none, or says why it must wait. One that
// has entered calls leave when it ends.
func (g *gate) enter(k *key) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case k != nil && g.byKey[k] >= g.mostPerKey:
		return nil, &failure{http.StatusTooManyRequests, "TooManyRequestsError",
			fmt.Sprintf("the key has %d %s already, which is the most; try again later", g.byKey[k], g.what), nil}
	case g.all >= g.most:
		return nil, &failure{http.StatusServiceUnavailable, "ServiceUnavailableError",
			fmt.Sprintf("there are %d %s already, which is the most; try again later", g.all, g.what), nil}
	}
	g.count(k, 1)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.count(k, -1)
	}, nil
}

func (g *gate) count(k *key, n int) {
	g.all += n
	g.running.Add(float64(n))
	if k == nil {
		return
	}
	if g.byKey[k] += n; g.byKey[k] == 0 {
		delete(g.byKey, k)
	}
}

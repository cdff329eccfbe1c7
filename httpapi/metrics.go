package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var metricRoutes = []route{
	{"GET /metrics", keyed, reads, noBody, (*call).showMetrics},
}

// metrics are the numbers of one handler, in a registry of their own.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge

	streams, transfers prometheus.Gauge
	answers, exports   prometheus.Gauge

	received prometheus.Counter
	sent     prometheus.Counter
	expose   http.Handler
}

func newMetrics(store *bucketlite.Store, logger *slog.Logger) *metrics {
	labels := []string{"method", "route"}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bucketlite_http_requests_total", Help: "Requests answered, by method, route and class of status.",
		}, append(labels, "status")),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bucketlite_http_request_duration_seconds", Help: "From the header of a request to the end of its answer; streams of events last as long as their client likes.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, labels),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "bucketlite_http_requests_in_flight", Help: "Requests that are being answered.",
		}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "bucketlite_http_event_streams", Help: "Streams of events that are open.",
		}),
		answers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "bucketlite_http_large_answer_bytes", Help: "Bytes of the answers above 1 MiB that are being sent.",
		}),
		exports: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "bucketlite_http_exports", Help: "Exports of objects that are running.",
		}),
		transfers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "bucketlite_http_transfers", Help: "Uploads and downloads by signed URLs that are running.",
		}),
		received: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "bucketlite_http_received_bytes_total", Help: "Bytes read of the bodies of requests.",
		}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "bucketlite_http_sent_bytes_total", Help: "Bytes written of the bodies of answers.",
		}),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.requests, m.duration, m.inFlight, m.streams, m.transfers, m.answers, m.exports, m.received, m.sent, storeCollector{store},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.expose = promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, // the rest is worth having if the store does not answer
		ErrorLog:      slog.NewLogLogger(logger.Handler(), slog.LevelError),
	})
	return m
}

// began counts a request that has begun.
func (m *metrics) began() { m.inFlight.Inc() }

// ended counts a request that has ended. Paths and methods, which clients may invent,
// are not labels: each would cost memory.
func (m *metrics) ended(a *answer, r *http.Request) {
	m.inFlight.Dec()
	_, route, _ := strings.Cut(a.route, " ")
	method := r.Method
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
	default:
		method = "other"
	}
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(a.status/100)+"xx").Inc()
	m.duration.WithLabelValues(method, route).Observe(time.Since(a.began).Seconds())
	m.received.Add(float64(a.received()))
	m.sent.Add(float64(a.bytes))
}

// showMetrics writes the metrics. They are about the whole store, whose sizes tell
// what others put into it, and so are not for a key that is limited to namespaces.
func (c *call) showMetrics() (any, error) {
	if c.key.Namespaces != nil {
		return nil, forbidden("the metrics are those of the whole store, and the key is limited to namespaces")
	}
	c.w.Header().Set("Cache-Control", "no-store")
	c.writeDeadline(time.Now().Add(c.h.patience))
	c.h.metrics.expose.ServeHTTP(c.w, c.r)
	return written{}, nil
}

// storeCollector reads the statistics of the store when it is asked for them.
type storeCollector struct{ store *bucketlite.Store }

var (
	contentBytes = prometheus.NewDesc("bucketlite_store_content_bytes", "Stored content of all blobs, counted once however many objects share it.", nil, nil)
	waitingBytes = prometheus.NewDesc("bucketlite_store_waiting_bytes", "Stored content that nothing refers to any more and that is going to be collected.", nil, nil)
	fileBytes    = prometheus.NewDesc("bucketlite_store_file_bytes", "Size of the database.", nil, nil)
	freeBytes    = prometheus.NewDesc("bucketlite_store_free_bytes", "Part of the database that is unused, and will be used again or given back.", nil, nil)
)

// Describe is for [prometheus.Collector].
func (storeCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- contentBytes
	ch <- waitingBytes
	ch <- fileBytes
	ch <- freeBytes
}

// Collect is for [prometheus.Collector].
func (s storeCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	stats, err := s.store.Stats(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(contentBytes, err)
		return
	}
	for _, v := range []struct {
		desc  *prometheus.Desc
		value int64
	}{{contentBytes, stats.ContentBytes}, {waitingBytes, stats.WaitingBytes}, {fileBytes, stats.FileBytes}, {freeBytes, stats.FreeBytes}} {
		ch <- prometheus.MustNewConstMetric(v.desc, prometheus.GaugeValue, float64(v.value))
	}
}

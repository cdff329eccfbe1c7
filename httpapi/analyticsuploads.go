package httpapi

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite"
)

// uploadMetric is how the uploads went that were created in a time bucket. The latency
// of one is the time from its creation to its confirmation, the throughput its bytes
// in that time: both include the time that the client takes. They are of confirmed
// uploads, and 0 if there are none. The errors are uploads that expired before they
// were confirmed.
type uploadMetric struct {
	Count      int64   `json:"upload_count"`
	Latency    float64 `json:"avg_latency_ms"`
	P95        float64 `json:"p95_latency_ms"`
	P99        float64 `json:"p99_latency_ms"`
	Throughput float64 `json:"avg_throughput_mbps"` // megabytes, of 10⁶ bytes, a second
	ErrorRate  float64 `json:"error_rate"`          // from 0 to 1
}

type timedUploadMetric struct {
	Time time.Time `json:"time_bucket"`
	uploadMetric
}

type uploadPerformanceAnswer struct {
	analysis
	Metrics []timedUploadMetric `json:"metrics"`
	Summary uploadMetric        `json:"summary"`
}

// uploadPerformance tells how the uploads of the last hours went, as far as their
// records are kept. A suspended bucket's uploads cannot be read.
func (c *call) uploadPerformance() (any, error) {
	params := c.params()
	p := c.recent(params)
	step := time.Hour
	if params.choice("group_by", string(bucketlite.UnitHour), string(bucketlite.UnitHour), string(bucketlite.UnitDay)) == string(bucketlite.UnitDay) {
		step = 24 * time.Hour
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	first := p.Start.Truncate(step)                           // in UTC
	sums := make([]uploadSum, (p.End.Sub(first)+step-1)/step) // at most 721
	var all uploadSum
	for u, err := range c.bucket.Uploads(c.ctx(), bucketlite.Query{Filter: p.created()}) {
		if err != nil {
			return nil, err
		}
		sums[u.CreatedAt.Sub(first)/step].add(u)
		all.add(u)
		if most := c.h.most; len(all.latencies) > most {
			return nil, payloadTooLarge(fmt.Sprintf("got more than %d confirmed uploads, want at most that; ask for fewer hours", most), map[string]any{"max_uploads": most})
		}
	}
	answer := uploadPerformanceAnswer{analysis: analysis{c.bucket.ID(), p}, Metrics: []timedUploadMetric{}, Summary: all.metric()}
	for i := range sums {
		answer.Metrics = append(answer.Metrics, timedUploadMetric{first.Add(time.Duration(i) * step), sums[i].metric()})
	}
	return answer, nil
}

// maxLatencies bounds the confirmed uploads of one analysis, whose latencies are kept
// twice: beyond it, they would take more than 256 MiB.
const maxLatencies = 7_000_000

// An uploadSum sums up uploads. It takes 8 bytes for each that was confirmed, since
// percentiles are exact.
type uploadSum struct {
	count, failed int64
	latencies     []float64 // in milliseconds
	bytes         int64     // of those
}

func (s *uploadSum) add(u *bucketlite.Upload) {
	s.count++
	switch {
	case u.Status == bucketlite.StatusFailed:
		s.failed++
	case u.CompletedAt != nil:
		s.latencies = append(s.latencies, float64(u.CompletedAt.Sub(u.CreatedAt))/float64(time.Millisecond))
		s.bytes += u.Size
	}
}

func (s *uploadSum) metric() (m uploadMetric) {
	if m.Count = s.count; s.count == 0 {
		return m
	}
	m.ErrorRate = float64(s.failed) / float64(s.count)
	total := 0.0
	for _, latency := range s.latencies {
		total += latency
	}
	if total > 0 {
		m.Latency = total / float64(len(s.latencies))
		m.Throughput = float64(s.bytes) / 1e6 / (total / 1000)
	}
	slices.Sort(s.latencies)
	m.P95, m.P99 = percentile(s.latencies, 95), percentile(s.latencies, 99)
	return m
}

// percentile returns the smallest of the sorted values that p percent of them do not
// exceed; 0 if there are none.
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(math.Ceil(p*float64(len(sorted))/100))-1]
}

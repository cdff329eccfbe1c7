package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/bucketlite/bucketlite"
)

// Analytics are computed from the store's own data. It has no costs, no credits and no
// synchronization: those are 0, or empty lists.
var analyticsRoutes = []route{
	{"GET /v1/analytics/buckets/{bucket}/storage", scoped, reads, noBody, (*call).storage},
	{"GET /v1/analytics/buckets/{bucket}/upload-performance", scoped, reads, noBody, (*call).uploadPerformance},
	{"GET /v1/analytics/buckets/{bucket}/usage", scoped, reads, noBody, (*call).usage},
	{"GET /v1/analytics/buckets/{bucket}/health", scoped, reads, noBody, (*call).health},
}

// period is the time that an analysis is about.
type period struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// An analysis is what all of them have.
type analysis struct {
	BucketID string `json:"bucket_id"`
	Period   period `json:"time_range"`
}

// dated reads a period between two dates, by default the last 30 days, and the unit
// of time of the answer.
func (c *call) dated() (p period, unit bucketlite.DateUnit, err error) {
	params := c.params()
	p.End = params.time("end_date", c.h.opts.Now().UTC())
	p.Start = p.End.AddDate(0, 0, -30)
	if p.Start.Year() < 1 { // which has no form
		p.Start = time.Time{}
	}
	p.Start = params.time("start_date", p.Start)
	unit = bucketlite.DateUnit(params.choice("group_by", string(bucketlite.UnitDay),
		string(bucketlite.UnitHour), string(bucketlite.UnitDay), string(bucketlite.UnitWeek), string(bucketlite.UnitMonth)))
	if err := c.check(); err != nil {
		return p, unit, err
	}
	if !p.Start.Before(p.End) {
		return p, unit, badRequest(fmt.Sprintf("start_date: got %s, want a time before end_date, %s", p.Start.Format(time.RFC3339), p.End.Format(time.RFC3339)))
	}
	return p, unit, nil
}

// recent reads a period of some hours up to now, by default 24.
func (c *call) recent(params *form) period {
	hours := params.integer("hours", 1, 720, 24)
	now := c.h.opts.Now().UTC()
	return period{now.Add(-time.Duration(hours) * time.Hour), now}
}

// growth returns the growth of the bucket during the period, up to the present.
func (c *call) growth(b *bucketlite.Bucket, p period, unit bucketlite.DateUnit) ([]bucketlite.Growth, error) {
	if now := c.h.opts.Now(); now.Before(p.End) {
		p.End = now
	}
	if !p.Start.Before(p.End) {
		return nil, nil
	}
	return b.Growth(c.ctx(), p.Start, p.End, unit)
}

// storageMetric is the size of a bucket at the end of a time bucket.
type storageMetric struct {
	bucketlite.Growth
	Avg  int64    `json:"avg_size_bytes"`
	Rate *float64 `json:"growth_rate_percent"` // of the bytes; null for the first, and after nothing
}

type storageAnswer struct {
	analysis
	Metrics []storageMetric `json:"metrics"`
	Summary map[string]any  `json:"summary"`
}

// storage tells how the objects that are there now have come to be: how many had been
// created by the end of each time bucket, and how large they are. Objects that have
// been deleted are not known any more.
func (c *call) storage() (any, error) {
	p, unit, err := c.dated()
	if err != nil {
		return nil, err
	}
	growth, err := c.growth(c.bucket, p, unit)
	if err != nil {
		return nil, err
	}
	answer := storageAnswer{analysis: analysis{c.bucket.ID(), p}, Metrics: []storageMetric{}}
	var first, last bucketlite.Growth
	for i, g := range growth {
		m := storageMetric{Growth: g, Avg: average(g)}
		if i == 0 {
			first = g
		} else {
			m.Rate = growthRate(last.Size, g.Size)
		}
		answer.Metrics = append(answer.Metrics, m)
		last = g
	}
	answer.Summary = map[string]any{
		"object_count": last.Objects, "total_size_bytes": last.Size, "avg_size_bytes": average(last),
		"growth_rate_percent": growthRate(first.Size, last.Size),
	}
	return answer, nil
}

// average returns the size of an object, rounded down as in the bucket's statistics.
func average(g bucketlite.Growth) int64 {
	if g.Objects == 0 {
		return 0
	}
	return g.Size / g.Objects
}

// growthRate returns the growth in percent of the former value, or nil if that was 0.
func growthRate(was, is int64) *float64 {
	if was == 0 {
		return nil
	}
	return new(100 * float64(is-was) / float64(was))
}

// usageMetric is the usage during a time bucket.
type usageMetric struct {
	Time      time.Time `json:"time_bucket"`
	GBHours   float64   `json:"storage_gb_hours"` // a GB has 10⁹ bytes
	Uploads   int64     `json:"upload_operations"`
	Syncs     int64     `json:"sync_operations"`
	Credits   int64     `json:"total_credits"`
	Estimated float64   `json:"estimated_cost_usd"`
}

type usageAnswer struct {
	analysis
	Metrics   []usageMetric `json:"metrics"`
	Breakdown costBreakdown `json:"cost_breakdown"`
	Credits   int64         `json:"total_credits"`
	Cost      float64       `json:"total_cost_usd"`
}

type costBreakdown struct {
	Storage float64 `json:"storage_percent"`
	Upload  float64 `json:"upload_percent"`
	Sync    float64 `json:"sync_percent"`
	Other   float64 `json:"other_percent"`
}

// usage tells for each time bucket how long how much was stored, of the objects that
// are there now, and how many uploads were created, of those whose records are kept.
// Nothing has a price here. A suspended bucket's uploads cannot be read.
func (c *call) usage() (any, error) {
	p, unit, err := c.dated()
	if err != nil {
		return nil, err
	}
	b := c.bucket
	growth, err := c.growth(b, p, unit)
	if err != nil {
		return nil, err
	}
	answer := usageAnswer{analysis: analysis{b.ID(), p}, Metrics: []usageMetric{}}
	for _, g := range growth {
		answer.Metrics = append(answer.Metrics, usageMetric{Time: g.Time, GBHours: g.ByteHours / 1e9})
	}
	for u, err := range b.Uploads(c.ctx(), bucketlite.Query{Filter: p.created()}) {
		if err != nil {
			return nil, err
		}
		// The first that began after the upload comes after the one it is in.
		i := sort.Search(len(growth), func(i int) bool { return growth[i].Time.After(u.CreatedAt) })
		if i > 0 {
			answer.Metrics[i-1].Uploads++
		}
	}
	return answer, nil
}

// created matches everything created during the period.
func (p period) created() bucketlite.Filter {
	return bucketlite.And(
		bucketlite.Gte("created_at", p.Start.Format(time.RFC3339Nano)),
		bucketlite.Lt("created_at", p.End.Format(time.RFC3339Nano)),
	)
}

// errorBreakdown describes the failures of one category.
type errorBreakdown struct {
	Type       bucketlite.ErrorCategory `json:"error_type"`
	Count      int64                    `json:"count"`
	Percentage float64                  `json:"percentage"`
	FirstSeen  time.Time                `json:"first_seen"`
	LastSeen   time.Time                `json:"last_seen"`
}

type healthAnswer struct {
	analysis
	Health    string           `json:"overall_health"`
	Errors    int64            `json:"total_errors"`
	Breakdown []errorBreakdown `json:"error_breakdown"`
	Syncs     []any            `json:"sync_health"`
	Stuck     []string         `json:"stuck_syncs"`
}

// health tells which objects of the bucket's batches have failed within the last
// hours, and have not been retried since. The bucket is healthy if there are none,
// unhealthy if they are half or more of the objects in the batches that were in progress
// in that time, and degraded in between.
func (c *call) health() (any, error) {
	p := c.recent(c.params())
	if err := c.check(); err != nil {
		return nil, err
	}
	b := c.bucket
	answer := healthAnswer{
		analysis: analysis{b.ID(), p}, Health: "healthy",
		Breakdown: []errorBreakdown{}, Syncs: []any{}, Stuck: []string{},
	}
	var objects int64
	errs := make(map[bucketlite.ErrorCategory]*errorBreakdown)
	// updated_at is that of the status; a batch in progress may have failures at any time.
	touched := bucketlite.Or(
		bucketlite.Gte("updated_at", p.Start.Format(time.RFC3339Nano)), bucketlite.Eq("status", string(bucketlite.StatusInProgress)),
	)
	for batch, err := range b.Batches(c.ctx(), bucketlite.BatchQuery{Query: bucketlite.Query{Filter: touched}}) {
		if err != nil {
			return nil, err
		}
		if objects += batch.ObjectCount; batch.Failed == 0 {
			continue
		}
		for job, err := range b.FailedJobs(c.ctx(), batch.ID, bucketlite.Query{}) {
			if errors.Is(err, bucketlite.ErrNotFound) {
				break // the batch has been deleted since
			}
			if err != nil {
				return nil, err
			}
			if job.Error.Timestamp.Before(p.Start) {
				continue
			}
			answer.Errors++
			e := errs[job.Error.Category]
			if e == nil {
				e = &errorBreakdown{Type: job.Error.Category, FirstSeen: job.Error.Timestamp}
				errs[e.Type] = e
			}
			e.see(job.Error.Timestamp)
		}
	}
	for _, e := range slices.SortedFunc(maps.Values(errs), func(e, o *errorBreakdown) int {
		return cmp.Or(cmp.Compare(o.Count, e.Count), cmp.Compare(e.Type, o.Type))
	}) {
		e.Percentage = 100 * float64(e.Count) / float64(answer.Errors)
		answer.Breakdown = append(answer.Breakdown, *e)
	}
	switch {
	case answer.Errors == 0:
	case 2*answer.Errors >= objects:
		answer.Health = "unhealthy"
	default:
		answer.Health = "degraded"
	}
	return answer, nil
}

// see counts a failure.
func (e *errorBreakdown) see(t time.Time) {
	e.Count++
	if t.Before(e.FirstSeen) {
		e.FirstSeen = t
	}
	if t.After(e.LastSeen) {
		e.LastSeen = t
	}
}

package httpapi_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// clock is a clock that moves only when a test moves it.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A watched server is one whose time stands still, with a bucket of films. It begins on
// a Monday, 2024-05-06 at 07:08:09.
type watched struct {
	*server
	clock *clock
	b     *bucketlite.Bucket
}

func serveWatched(t *testing.T) *watched {
	t.Helper()
	c := &clock{t: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)}
	s := serveStore(t, &httpapi.Options{Now: c.now}, &bucketlite.Options{Now: c.now})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	return &watched{s, c, s.bucket("test", "films")}
}

// put puts an object of so many bytes.
func (s *watched) put(id string, size int) string {
	s.t.Helper()
	const empty = `{"film_id":"","title":""}`
	res, err := s.b.Put(context.Background(), bucketlite.ObjectInput{Fields: map[string]any{
		"film_id": id, "title": strings.Repeat("x", size-len(empty)-len(id)),
	}}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.Object.ID
}

// upload creates an upload and, if it is to be confirmed, does so after a while.
func (s *watched) upload(size int, confirm bool, after time.Duration) {
	s.t.Helper()
	ctx := context.Background()
	u, err := s.b.CreateUpload(ctx, bucketlite.UploadInput{
		Filename: "notes.txt", ContentType: "text/plain", Property: "notes", CreateObject: new(false), ExpiresIn: 60,
	})
	if err == nil && confirm {
		if _, err = s.b.WriteUpload(ctx, u.ID, bytes.NewReader(bytes.Repeat([]byte("x"), size))); err == nil {
			s.clock.add(after)
			_, err = s.b.ConfirmUpload(ctx, u.ID, nil)
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *watched) analytics(path string) *reply {
	s.t.Helper()
	return s.do("GET", "/v1/analytics/buckets/films/"+path, nil)
}

// wantNumber fails the test unless there is this number at a path, or almost.
func (a *reply) wantNumber(path string, want float64) *reply {
	a.t.Helper()
	var got float64
	if _, err := fmt.Sscan(a.text(path), &got); err != nil || math.Abs(got-want) > 1e-9*math.Abs(want) {
		a.t.Errorf("%s: %s: got %s, want %v", a.what, path, a.text(path), want)
	}
	return a
}

func TestStorageAnalytics(t *testing.T) {
	t.Parallel()
	s := serveWatched(t)
	s.analytics("storage").want(http.StatusOK).wantAt("metrics.0.object_count", "0").wantAt("metrics.0.avg_size_bytes", "0").
		wantAt("metrics.30.growth_rate_percent", "<nil>").wantAt("summary.object_count", "0").wantAt("summary.growth_rate_percent", "<nil>")
	s.put("a", 100) // at 07:08
	s.clock.add(2 * time.Hour)
	s.put("b", 51) // at 09:08
	s.clock.add(24 * time.Hour)
	s.put("c", 49) // at 09:08 of the next day
	s.clock.add(time.Hour)

	id := s.do("GET", "/v1/buckets/films", nil).text("bucket_id")
	for _, name := range []string{"films", id} {
		s.do("GET", "/v1/analytics/buckets/"+name+"/storage", nil).want(http.StatusOK).wantAt("bucket_id", id).
			wantAt("time_range.end", "2024-05-07T10:08:09Z").wantAt("time_range.start", "2024-04-07T10:08:09Z").
			wantAt("metrics.0.time_bucket", "2024-04-07T00:00:00Z").wantAt("metrics.0.object_count", "0").
			wantAt("metrics.29.time_bucket", "2024-05-06T00:00:00Z").wantAt("metrics.29.object_count", "2").
			wantAt("metrics.29.total_size_bytes", "151").wantAt("metrics.29.avg_size_bytes", "75").
			wantAt("metrics.29.growth_rate_percent", "<nil>").
			wantAt("metrics.30.object_count", "3").wantNumber("metrics.30.growth_rate_percent", 100*49.0/151).wantAt("metrics.31", "<nil>").
			wantAt("summary.object_count", "3").wantAt("summary.total_size_bytes", "200").wantAt("summary.avg_size_bytes", "66")
	}
	s.analytics("storage?group_by=hour&start_date=2024-05-06T08:30:00Z&end_date=2024-05-06T10:00:00Z").want(http.StatusOK).
		wantAt("time_range.start", "2024-05-06T08:30:00Z").wantAt("time_range.end", "2024-05-06T10:00:00Z").
		wantAt("metrics.0.time_bucket", "2024-05-06T08:00:00Z").wantAt("metrics.0.total_size_bytes", "100").wantAt("metrics.0.growth_rate_percent", "<nil>").
		wantAt("metrics.1.total_size_bytes", "151").wantNumber("metrics.1.growth_rate_percent", 51).wantAt("metrics.2", "<nil>").
		wantNumber("summary.growth_rate_percent", 51)
	s.analytics("storage?group_by=week&start_date=2024-05-01&end_date=2024-05-07T00:00:00").want(http.StatusOK).
		wantAt("metrics.0.time_bucket", "2024-04-29T00:00:00Z").wantAt("metrics.0.object_count", "0").
		wantAt("metrics.1.time_bucket", "2024-05-06T00:00:00Z").wantAt("metrics.1.object_count", "2").wantAt("metrics.2", "<nil>")
	s.analytics("storage?group_by=month&start_date=2024-04-01T02:00:00%2B05:00").want(http.StatusOK).
		wantAt("time_range.start", "2024-03-31T21:00:00Z").wantAt("metrics.0.time_bucket", "2024-03-01T00:00:00Z").
		wantAt("metrics.2.object_count", "3").wantAt("metrics.3", "<nil>")
	// Of what is to come nothing is known.
	s.analytics("storage?end_date=2025-01-01&start_date=2024-05-06").want(http.StatusOK).wantAt("time_range.end", "2025-01-01T00:00:00Z").
		wantAt("metrics.1.object_count", "3").wantAt("metrics.2", "<nil>")
	s.analytics("storage?end_date=2026-01-01&start_date=2025-01-01").want(http.StatusOK).wantAt("metrics", "[]").wantAt("summary.object_count", "0")
}

func TestUploadPerformance(t *testing.T) {
	t.Parallel()
	s := serveWatched(t)
	s.upload(1000, true, time.Second) // 25 hours before the end
	s.clock.add(24 * time.Hour)
	for _, seconds := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10} { // 07:08 to 07:09
		s.upload(11_000, true, time.Duration(seconds)*time.Second)
	}
	s.clock.add(time.Hour)
	s.upload(0, false, 0) // expires
	s.upload(0, false, 0)
	s.clock.add(time.Minute)
	s.upload(0, false, 0) // pending
	s.upload(2_000, true, 2*time.Second)
	s.clock.add(time.Second)

	s.analytics("upload-performance").want(http.StatusOK).
		wantAt("time_range.start", "2024-05-06T08:10:08Z").wantAt("time_range.end", "2024-05-07T08:10:08Z").
		wantAt("metrics.0.time_bucket", "2024-05-06T08:00:00Z").wantAt("metrics.0.upload_count", "0").wantAt("metrics.0.p95_latency_ms", "0").
		wantAt("metrics.0.avg_latency_ms", "0").wantAt("metrics.0.avg_throughput_mbps", "0").wantAt("metrics.0.error_rate", "0").
		wantAt("metrics.23.time_bucket", "2024-05-07T07:00:00Z").wantAt("metrics.23.upload_count", "10").
		wantNumber("metrics.23.avg_latency_ms", 5500).wantNumber("metrics.23.p95_latency_ms", 10_000).wantNumber("metrics.23.p99_latency_ms", 10_000).
		wantNumber("metrics.23.avg_throughput_mbps", 0.002).wantAt("metrics.23.error_rate", "0").
		wantAt("metrics.24.upload_count", "4").wantAt("metrics.24.error_rate", "0.5").wantNumber("metrics.24.avg_latency_ms", 2000).
		wantNumber("metrics.24.avg_throughput_mbps", 0.001).wantAt("metrics.25", "<nil>").
		wantAt("summary.upload_count", "14").wantNumber("summary.p95_latency_ms", 10_000).wantNumber("summary.error_rate", 2.0/14)
	s.analytics("upload-performance?hours=1").want(http.StatusOK).
		wantAt("time_range.start", "2024-05-07T07:10:08Z").wantAt("summary.upload_count", "4").wantAt("metrics.1.upload_count", "4").wantAt("metrics.2", "<nil>")
	httpapi.SetMaxLatencies(s.handler, 0)
	s.analytics("upload-performance?hours=24").wantError(http.StatusRequestEntityTooLarge, "PayloadTooLargeError")
	httpapi.SetMaxLatencies(s.handler, 100)
	s.analytics("upload-performance?hours=720&group_by=day").want(http.StatusOK).wantAt("metrics.0.time_bucket", "2024-04-07T00:00:00Z").
		wantAt("metrics.29.upload_count", "1").wantAt("metrics.30.upload_count", "14").wantAt("metrics.31", "<nil>").
		wantNumber("metrics.29.avg_throughput_mbps", 0.001)
}

func TestUsageAnalytics(t *testing.T) {
	t.Parallel()
	s := serveWatched(t)
	s.put("a", 1000)
	s.upload(10, true, 0)
	s.upload(0, false, 0)
	s.clock.add(24 * time.Hour)
	s.upload(0, false, 0)
	s.clock.add(time.Second)
	s.analytics("usage").want(http.StatusOK).wantAt("time_range.start", "2024-04-07T07:08:10Z").
		wantAt("metrics.28.upload_operations", "0").wantAt("metrics.28.storage_gb_hours", "0").
		wantAt("metrics.29.time_bucket", "2024-05-06T00:00:00Z").wantAt("metrics.29.upload_operations", "2").
		wantNumber("metrics.29.storage_gb_hours", 17*1000e-9).wantNumber("metrics.30.storage_gb_hours", (7+(8*60+10)/3600.0)*1000e-9).
		wantAt("metrics.30.upload_operations", "1").wantAt("metrics.31", "<nil>").
		wantAt("metrics.30.sync_operations", "0").wantAt("metrics.30.total_credits", "0").wantAt("metrics.30.estimated_cost_usd", "0").
		wantAt("cost_breakdown.storage_percent", "0").wantAt("cost_breakdown.upload_percent", "0").wantAt("cost_breakdown.sync_percent", "0").
		wantAt("cost_breakdown.other_percent", "0").wantAt("total_credits", "0").wantAt("total_cost_usd", "0")
	s.analytics("usage?group_by=month&start_date=2024-05-01&end_date=2024-06-01").want(http.StatusOK).
		wantAt("metrics.0.upload_operations", "3").wantAt("metrics.1", "<nil>")
	s.analytics("usage?group_by=hour&start_date=2024-05-06T07:08:10Z&end_date=2024-05-06T09:00:00Z").want(http.StatusOK).
		wantAt("metrics.0.upload_operations", "0").wantNumber("metrics.0.storage_gb_hours", 1000e-9).wantAt("metrics.2", "<nil>")
}

// process hands what is queued to a handler that fails with these categories, one
// after the other, and succeeds for those that are empty.
func (s *watched) process(categories ...bucketlite.ErrorCategory) {
	s.t.Helper()
	var ids []string
	for i := range categories {
		ids = append(ids, s.put(fmt.Sprint(s.clock.now().Unix(), i), 100))
	}
	ctx := s.t.Context()
	batch, err := s.b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: ids})
	if err == nil {
		_, err = s.b.SubmitBatch(ctx, batch.ID)
	}
	if err == nil {
		err = s.store.Process(ctx, func(ctx context.Context, job *bucketlite.Job) error {
			category := categories[0]
			if categories = categories[1:]; category == "" {
				return nil
			}
			return &bucketlite.JobError{Category: category, Message: "no", Permanent: true}
		}, &bucketlite.ProcessOptions{Concurrency: 1, UntilIdle: true})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestHealthAnalytics(t *testing.T) {
	t.Parallel()
	s := serveWatched(t)
	s.analytics("health").want(http.StatusOK).wantAt("overall_health", "healthy").wantAt("total_errors", "0").
		wantAt("error_breakdown", "[]").wantAt("sync_health", "[]").wantAt("stuck_syncs", "[]").
		wantAt("time_range.start", "2024-05-05T07:08:09Z").wantAt("time_range.end", "2024-05-06T07:08:09Z")
	s.process(bucketlite.CategoryValidation)
	s.clock.add(30 * time.Hour)
	s.process(bucketlite.CategoryRuntime, "", "", "", "", "", "")
	s.clock.add(time.Hour)
	s.process(bucketlite.CategoryRuntime, bucketlite.CategoryNetwork, "", "")
	s.clock.add(time.Hour)

	s.analytics("health").want(http.StatusOK).wantAt("overall_health", "degraded").wantAt("total_errors", "3").
		wantAt("error_breakdown.0.error_type", "runtime").wantAt("error_breakdown.0.count", "2").wantNumber("error_breakdown.0.percentage", 200.0/3).
		wantAt("error_breakdown.0.first_seen", "2024-05-07T13:08:09Z").wantAt("error_breakdown.0.last_seen", "2024-05-07T14:08:09Z").
		wantAt("error_breakdown.1.error_type", "network").wantAt("error_breakdown.1.count", "1").wantAt("error_breakdown.2", "<nil>")
	s.analytics("health?hours=1").want(http.StatusOK).wantAt("overall_health", "unhealthy").wantAt("total_errors", "2").
		wantAt("error_breakdown.0.error_type", "network").wantAt("error_breakdown.1.error_type", "runtime").wantAt("error_breakdown.1.percentage", "50")
	s.analytics("health?hours=720").want(http.StatusOK).wantAt("overall_health", "degraded").wantAt("total_errors", "4")
	s.clock.add(30 * time.Hour)
	s.analytics("health").want(http.StatusOK).wantAt("overall_health", "healthy").wantAt("error_breakdown", "[]")
}

func TestAnalyticsRefused(t *testing.T) {
	t.Parallel()
	s := serveWatched(t)
	for _, of := range []string{"storage", "usage"} {
		s.analytics(of+"?group_by=year&start_date=yesterday&end_date=10000-01-01").
			wantFaults("query.end_date format", "query.start_date format", "query.group_by enum")
		s.analytics(of + "?start_date=0001-01-01T00:00:00%2B01:00").wantFaults("query.start_date format")
		s.analytics(of+"?group_by=hour&start_date=2020-01-01").wantError(http.StatusBadRequest, "BadRequestError") // over 10,000
		s.analytics(of+"?start_date=2024-05-06&end_date=2024-05-06").wantError(http.StatusBadRequest, "BadRequestError")
		s.analytics(of+"?start_date=2024-05-07").wantError(http.StatusBadRequest, "BadRequestError")
		s.analytics(of + "?group_by=month&start_date=2000-01-01&end_date=9999-12-31").want(http.StatusOK)
		s.analytics(of + "?end_date=0001-01-02").want(http.StatusOK)
		s.analytics(of + "?group_by=week&end_date=0001-01-02").want(http.StatusOK)
	}
	s.analytics("upload-performance?hours=0&group_by=week").wantFaults("query.hours minimum", "query.group_by enum")
	s.analytics("health?hours=721").wantFaults("query.hours maximum")
	s.analytics("health?hours=1.5").wantFaults("query.hours type")

	if _, err := s.store.CreateNamespace(context.Background(), bucketlite.NamespaceConfig{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	s.clock.add(time.Second)
	s.upload(0, false, 0)
	s.do("POST", "/v1/buckets/films/suspend", nil).want(http.StatusOK)
	for of, status := range map[string]int{
		"storage": http.StatusOK, "health": http.StatusOK, // what a bucket's statistics say can always be read
		"usage": http.StatusForbidden, "upload-performance": http.StatusForbidden, // its uploads cannot
	} {
		s.analytics(of).want(status)
		s.as("X-Namespace", "other").do("GET", "/v1/analytics/buckets/"+s.b.ID()+"/"+of, nil).wantError(http.StatusNotFound, "NotFoundError")
		s.do("GET", "/v1/analytics/buckets/none/"+of, nil).wantError(http.StatusNotFound, "NotFoundError")
		s.as("X-Namespace", "").do("GET", "/v1/analytics/buckets/films/"+of, nil).wantError(http.StatusBadRequest, "BadRequestError")
	}
}

// Analytics count all there is, however many pages that takes.
func TestAnalyticsOfMany(t *testing.T) {
	t.Parallel()
	s := serveWatched(t)
	const many = bucketlite.MaxLimit + 1
	announced := make([]bucketlite.UploadInput, bucketlite.MaxUploads)
	for i := range announced {
		announced[i] = bucketlite.UploadInput{Filename: "notes.txt", ContentType: "text/plain", Property: "notes", CreateObject: new(false)}
	}
	for left := many; left > 0; left -= bucketlite.MaxUploads {
		if _, err := s.b.CreateUploads(t.Context(), announced[:min(left, bucketlite.MaxUploads)], nil); err != nil {
			t.Fatal(err)
		}
	}
	s.process(slices.Repeat([]bucketlite.ErrorCategory{bucketlite.CategoryValidation}, many)...)
	s.clock.add(time.Second)

	want := fmt.Sprint(many)
	s.analytics("upload-performance?group_by=day").want(http.StatusOK).wantAt("summary.upload_count", want).wantAt("metrics.1.upload_count", want)
	s.analytics("usage").want(http.StatusOK).wantAt("metrics.30.upload_operations", want)
	s.analytics("health").want(http.StatusOK).wantAt("total_errors", want).wantAt("error_breakdown.0.count", want)
}

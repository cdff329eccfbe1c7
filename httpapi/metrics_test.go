package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi"
)

// metrics returns the samples there are, by their name and labels.
func metrics(t testing.TB, s *server) map[string]float64 {
	t.Helper()
	a := s.do("GET", "/metrics", nil).want(http.StatusOK)
	if got := a.header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain; version=0.0.4") {
		t.Fatalf("got type %q", got)
	}
	samples := make(map[string]float64)
	for line := range strings.Lines(a.body) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		i := strings.LastIndexByte(line, ' ')
		var v float64
		if _, err := fmt.Sscan(line[i+1:], &v); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		samples[line[:i]] = v
	}
	return samples
}

// inFlight returns how many requests are being answered, with that of the question.
func inFlight(t testing.TB, s *server) int {
	t.Helper()
	return int(metrics(t, s)["bucketlite_http_requests_in_flight"])
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	body := `{"bucket_name": "films", "bucket_schema": {"properties": {"title": {"type": "string"}}}}`
	answer := s.do("POST", "/v1/buckets", body).want(http.StatusOK).body
	s.do("GET", "/v1/buckets/films", nil).want(http.StatusOK)
	s.do("GET", "/v1/buckets/nothing", nil).want(http.StatusNotFound)
	s.do("GET", "/nothing", nil).want(http.StatusNotFound)
	s.do("INVENTED", "/v1/buckets/invented", nil).want(http.StatusMethodNotAllowed)
	m := metrics(t, s)
	for name, want := range map[string]float64{
		`bucketlite_http_requests_total{method="POST",route="/v1/buckets",status="2xx"}`:               1,
		`bucketlite_http_requests_total{method="GET",route="/v1/buckets/{bucket}",status="2xx"}`:       1,
		`bucketlite_http_requests_total{method="GET",route="/v1/buckets/{bucket}",status="4xx"}`:       1,
		`bucketlite_http_requests_total{method="GET",route="none",status="4xx"}`:                       1,
		`bucketlite_http_requests_total{method="other",route="none",status="4xx"}`:                     1,
		`bucketlite_http_request_duration_seconds_count{method="GET",route="/v1/buckets/{bucket}"}`:    2,
		`bucketlite_http_request_duration_seconds_bucket{method="POST",route="/v1/buckets",le="+Inf"}`: 1,
		`bucketlite_http_requests_in_flight`:                                                           1,
		`bucketlite_http_received_bytes_total`:                                                         float64(len(body)),
		`bucketlite_store_waiting_bytes`:                                                               0,
		`bucketlite_store_content_bytes`:                                                               0,
	} {
		if got, ok := m[name]; !ok || got != want {
			t.Errorf("%s: got %v, %t, want %v", name, got, ok, want)
		}
	}
	if got := m["bucketlite_http_sent_bytes_total"]; got < float64(len(answer)) {
		t.Errorf("got %v bytes sent, want %d or more", got, len(answer))
	}
	for _, name := range []string{"bucketlite_store_file_bytes", "go_goroutines"} {
		if m[name] <= 0 {
			t.Errorf("%s: got %v, want more than 0", name, m[name])
		}
	}
	for name := range m {
		if strings.Contains(name, "nothing") || strings.Contains(name, "nvented") || strings.Contains(name, "films") {
			t.Errorf("got %s, whose labels a client chose", name)
		}
	}
}

// Two handlers have nothing in common, and who may not see the store as a whole may
// not see its metrics.
func TestMetricsOfOneHandler(t *testing.T) {
	t.Parallel()
	keys := []httpapi.Key{{Secret: secret}, {Secret: "limited", Namespaces: []string{"test"}}, {Secret: "reader", ReadOnly: true}}
	one, other := serve(t, &httpapi.Options{Keys: keys}), serve(t, nil)
	one.do("GET", "/v1/health", nil).want(http.StatusOK)
	name := `bucketlite_http_requests_total{method="GET",route="/v1/health",status="2xx"}`
	if got := metrics(t, one)[name]; got != 1 {
		t.Errorf("got %v of the handler, want 1", got)
	}
	if got, ok := metrics(t, other)[name]; ok {
		t.Errorf("got %v of the other handler, want none", got)
	}
	one.as("Authorization", "").do("GET", "/metrics", nil).wantError(http.StatusUnauthorized, "UnauthorizedError")
	one.as("Authorization", "Bearer limited").do("GET", "/metrics", nil).wantError(http.StatusForbidden, "ForbiddenError")
	one.as("Authorization", "Bearer reader").do("GET", "/metrics", nil).want(http.StatusOK)
}

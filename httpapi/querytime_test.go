package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// withText makes a bucket of one object, which is long in matching slowFilter.
func (s *server) withText() {
	s.t.Helper()
	ctx := context.Background()
	ns, err := s.store.Namespace(ctx, "test")
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "texts", Schema: bucketlite.Schema{
		Properties: map[string]bucketlite.Field{"v": {Type: bucketlite.String}},
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	in := bucketlite.ObjectInput{ID: "one", Fields: map[string]any{"v": strings.Repeat("a", 50_000)}}
	if _, err := b.Put(ctx, in, nil); err != nil {
		s.t.Fatal(err)
	}
}

// slowFilter takes a minute or more to match with that object.
var slowFilter = func() string {
	condition := `{"field":"v","operator":"regex","value":"(?:` + strings.Repeat("a?", 20) + `){20}z"}`
	return `{"OR":[` + strings.Repeat(condition+",", 99) + condition + `]}`
}()

// slow are requests that take as long.
var slow = map[string][3]string{
	"list":      {"POST", "/v1/buckets/texts/objects/list", `{"filters":` + slowFilter + `}`},
	"total":     {"POST", "/v1/buckets/texts/objects/list?include_total=true", `{"filters":` + slowFilter + `}`},
	"aggregate": {"POST", "/v1/buckets/texts/objects/aggregate", `{"filters":` + slowFilter + `,"group_by":[{"field":"v"}],"aggregations":[{"function":"count","alias":"n"}]}`},
}

func TestQueryTimeout(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{QueryTimeout: 50 * time.Millisecond})
	s.withText()
	for name, r := range slow {
		began := time.Now()
		got := s.do(r[0], r[1], r[2])
		got.wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
		for _, part := range []string{"index", "filter", "50ms", "query_timeout_seconds"} {
			if !strings.Contains(got.body, part) {
				t.Errorf("%s: got %s, want it to name %s", name, got.body, part)
			}
		}
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("%s: answered after %s", name, d)
		}
	}
	if _, err := httpapi.New(s.store, &httpapi.Options{QueryTimeout: -1}); err == nil {
		t.Error("New with a negative query timeout: got no error")
	}
}

// Slow queries, however many, keep nobody from reading an object, and end with their
// clients, with the server and with the store.
func TestSlowQueries(t *testing.T) {
	t.Parallel()
	ends := map[string]func(s *server, cancel func()){
		"clients go": func(_ *server, cancel func()) { cancel() },
		"the server ends": func(s *server, cancel func()) {
			s.handler.Close()
			s.client.CloseIdleConnections()
			cancel()
		},
		"the store closes": func(s *server, _ func()) {
			if err := s.store.Close(); err != nil {
				s.t.Errorf("close: %v", err)
			}
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st, err := bucketlite.Open(context.Background(), t.TempDir()+"/test.db", nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { st.Close() })
			s := serveOpen(t, st, nil)
			s.withText()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			ended := make(chan int, 8)
			r := slow["list"]
			for range cap(ended) {
				go func() {
					status := 0
					req, err := http.NewRequestWithContext(ctx, r[0], s.url+r[1], strings.NewReader(r[2]))
					if err == nil {
						req.Header = s.headers
						if resp, err := http.DefaultClient.Do(req); err == nil {
							status = resp.StatusCode
							resp.Body.Close()
						}
					}
					ended <- status
				}()
			}
			for i := range 20 {
				s.do("GET", "/v1/buckets/texts/objects/one", nil).want(http.StatusOK)
				s.do("GET", "/v1/health", nil).want(http.StatusOK)
				select {
				case status := <-ended:
					t.Fatalf("after %d reads a slow query was answered with %d", i, status)
				default:
				}
			}
			end(s, cancel)
			for range cap(ended) {
				select {
				case <-ended:
				case <-time.After(20 * time.Second):
					t.Fatal("a slow query continues")
				}
			}
			if err := st.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// The time that a body takes to arrive is not the query's.
func TestQueryTimeoutWithoutBody(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{QueryTimeout: 300 * time.Millisecond})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	s.do("POST", "/v1/buckets/films/objects/list", nil).want(http.StatusOK)
	c := converse(t, "POST", s.url+"/v1/buckets/films/objects/list", nil,
		"Authorization: Bearer "+secret, "X-Namespace: test", "Content-Length: 2")
	time.Sleep(time.Second)
	c.send([]byte("{}"))
	c.answer(http.StatusOK)
}

// A read-only key cannot have a schema compiled that costs gigabytes. Allocations are
// those of the whole process, so nothing else runs.
func TestValidatePatterns(t *testing.T) {
	s := serve(t, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret, ReadOnly: true}}})
	var fields []string
	for i := range 15 {
		fields = append(fields, fmt.Sprintf(`"f%d":{"type":"string","pattern":"(?:%s){1000}"}`, i, strings.Repeat("a?", 350)))
	}
	s.do("POST", "/v1/buckets/validate", films("films")).want(http.StatusOK) // the test's own preparations allocate
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := s.do("POST", "/v1/buckets/validate", `{"bucket_name":"b","bucket_schema":{"properties":{`+strings.Join(fields, ",")+`}}}`)
	if !strings.Contains(got.body, "bucket_schema.properties.f0.pattern") {
		t.Errorf("got %d %.300s, want the patterns refused", got.status, got.body)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 32<<20 {
		t.Errorf("validating allocated %d MiB, want at most 32", n>>20)
	}
}

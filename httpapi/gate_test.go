package httpapi_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// Streams are bounded, of each key and in all; one that ends makes room for another.
func TestStreamsBounded(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{
		Keys: []httpapi.Key{{Secret: secret}, {Secret: "other"}}, MaxStreams: 3, MaxStreamsPerKey: 2,
	})
	other := s.as("Authorization", "Bearer other")
	first := s.stream("/v1/events")
	s.stream("/v1/events")
	refused := func(s *server, status int, kind, retry string) {
		t.Helper()
		if got := s.do("GET", "/v1/events", nil).wantError(status, kind).header.Get("Retry-After"); got != retry {
			t.Errorf("got Retry-After %q, want %q", got, retry)
		}
	}
	refused(s, http.StatusTooManyRequests, "TooManyRequestsError", "5")
	other.stream("/v1/events")
	refused(other, http.StatusServiceUnavailable, "ServiceUnavailableError", "1")
	if got := metrics(t, s)["bucketlite_http_event_streams"]; got != 3 {
		t.Errorf("got %v streams in the metrics, want 3", got)
	}
	first.leave()
	eventually(t, "the stream is gone", func() bool { return metrics(t, s)["bucketlite_http_event_streams"] == 2 })
	other.stream("/v1/events")
	s.do("GET", "/v1/buckets", nil).want(http.StatusOK) // other requests are not bounded
}

// Requests to signed URLs are bounded in all.
func TestTransfersBounded(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{MaxTransfers: 1})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	up := s.announce(nil).text("presigned_url")
	c := converse(t, "PUT", up, noise(10), "Content-Length: 100")
	eventually(t, "the upload has begun", func() bool { return metrics(t, s)["bucketlite_http_transfers"] == 1 })
	s.anyone().do("PUT", up, noise(100)).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
	c.send(noise(90))
	c.answer(http.StatusOK)
	eventually(t, "the upload is over", func() bool { return metrics(t, s)["bucketlite_http_transfers"] == 0 })
	s.anyone().do("PUT", up, noise(100)).want(http.StatusOK)
}

// Large answers are bounded in bytes, of each key and in all, while their clients read
// them; small ones are not, nor those to requests that have changed something.
func TestLargeAnswersBounded(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret}, {Secret: "other"}, {Secret: "third"}}})
	httpapi.BoundAnswers(s.handler, 33<<20, 17<<20)
	s.do("POST", "/v1/buckets", `{"bucket_name": "large", "bucket_schema": {"properties": {"a": {"type": "text"}, "b": {"type": "text"}}}}`).want(http.StatusOK)
	in := map[string]any{"a": strings.Repeat("a", 6<<20), "b": strings.Repeat("b", 2<<20)}
	s.do("POST", "/v1/buckets/large/objects", in).want(http.StatusOK)
	id := s.do("POST", "/v1/buckets/large/objects", in).want(http.StatusOK).text("object_id")
	const list = "/v1/buckets/large/objects/list"
	held := func() float64 { return metrics(t, s)["bucketlite_http_large_answer_bytes"] }
	slow := func(secret, body string) *conversation {
		return converse(t, "POST", s.url+list, []byte(body), "Authorization: Bearer "+secret, "X-Namespace: test", fmt.Sprintf("Content-Length: %d", len(body)))
	}
	first := slow(secret, `{"select": ["a"]}`) // the server holds the other too
	first.answer(http.StatusOK)                // of which the rest is to come
	if got := held(); got < 15<<20 {
		t.Errorf("got %v bytes in the metrics, want both texts of two objects", got)
	}
	s.do("POST", list, nil).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
	s.do("GET", "/v1/buckets/large/objects/"+id, nil).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
	s.do("PATCH", "/v1/buckets/large/objects/"+id, `{"b": "`+strings.Repeat("c", 2<<20)+`"}`).want(http.StatusOK)
	s.do("POST", list, `{"filters": {"field": "status", "operator": "eq", "value": "FAILED"}}`).want(http.StatusOK)
	slow("other", `{}`).answer(http.StatusOK)
	s.as("Authorization", "Bearer third").do("POST", list, nil).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
	first.conn.Close()
	eventually(t, "the first answer is over", func() bool { return held() < 17<<20 })
	s.do("POST", list, nil).want(http.StatusOK)
}

// A stream whose client does not read holds little, however many events wait for it.
func TestStreamMemoryHeld(t *testing.T) {
	const streams, most = 200, 64 << 10
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	b := s.bucket("test", "films")
	for range 4 {
		inputs := make([]bucketlite.ObjectInput, 1000)
		for i := range inputs {
			inputs[i].Fields = map[string]any{"film_id": fmt.Sprint(i)}
		}
		if _, err := b.PutMany(t.Context(), inputs, nil); err != nil {
			t.Fatal(err)
		}
	}
	held := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc + m.StackInuse)
	}
	before := held()
	release := make(chan struct{})
	var begun, ended sync.WaitGroup
	for range streams {
		begun.Add(1)
		w := &stuckWriter{header: http.Header{}, begun: sync.OnceFunc(begun.Done), release: release}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/events?from_start=true", nil)
		r.Header = s.headers
		ended.Go(func() { s.handler.ServeHTTP(w, r) })
	}
	begun.Wait()
	each := (held() - before) / streams
	close(release)
	ended.Wait()
	t.Logf("%d bytes a stream", each)
	if each > most {
		t.Errorf("got %d bytes a stream, want at most %d", each, most)
	}
}

// stuckWriter is the writer of a client that does not read: it waits, and then fails.
type stuckWriter struct {
	header  http.Header
	sent    bytes.Buffer
	begun   func()
	release chan struct{}
}

func (w *stuckWriter) Header() http.Header { return w.header }
func (w *stuckWriter) WriteHeader(int)     {}
func (w *stuckWriter) Write(p []byte) (int, error) {
	if w.sent.Len() < 4096 { // what buffers on the way take
		return w.sent.Write(p)
	}
	w.begun()
	<-w.release
	return 0, io.ErrClosedPipe
}

package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// A stream is a client of server-sent events.
type stream struct {
	t     testing.TB
	lines *bufio.Reader
	leave context.CancelFunc
}

// message is what a stream has sent; a comment has nothing but its text.
type message struct{ id, event, data, comment string }

// stream asks for events and waits until the stream has begun.
func (s *server) stream(path string, headers ...string) *stream {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	s.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header = s.as(headers...).headers
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		s.t.Fatalf("%s: got status %d and type %q", path, resp.StatusCode, got)
	}
	return &stream{t: s.t, lines: bufio.NewReader(resp.Body), leave: cancel}
}

// read returns the next message, or why there is none.
func (s *stream) read() (m message, err error) {
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return m, err
		}
		name, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		v = strings.TrimPrefix(v, " ")
		switch {
		case line == "\n":
			return m, nil
		case name == "id":
			m.id = v
		case name == "event":
			m.event = v
		case name == "data":
			m.data = v
		case name == "":
			m.comment = line
		default:
			s.t.Fatalf("got line %q", line)
		}
	}
}

// want fails the test unless the next message is an event of this kind, which it
// returns.
func (s *stream) want(kind bucketlite.EventKind) (e bucketlite.Event) {
	s.t.Helper()
	m, err := s.read()
	if err != nil {
		s.t.Fatalf("want %s: %v", kind, err)
	}
	if err := json.Unmarshal([]byte(m.data), &e); err != nil {
		s.t.Fatalf("%v in %+v", err, m)
	}
	if m.event != string(kind) || e.Kind != kind || m.id == "" || m.id != e.Cursor {
		s.t.Fatalf("got %+v, want %s", m, kind)
	}
	return e
}

// wantEnd fails the test unless the stream ends well.
func (s *stream) wantEnd() {
	s.t.Helper()
	if m, err := s.read(); err != io.EOF {
		s.t.Fatalf("got %+v and %v, want the end", m, err)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	other, err := s.store.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	ns := s.stream("/v1/events")
	s.as("X-Namespace", other.ID()).do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	id := s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK).text("bucket_id")
	created := ns.want(bucketlite.EventBucketCreated)
	if created.BucketID != id {
		t.Errorf("got bucket %s, want %s, that of the namespace", created.BucketID, id)
	}

	bucket := s.stream("/v1/buckets/films/events")
	put(t, s, "films", "a")
	o := bucket.want(bucketlite.EventObjectCreated)
	if got := ns.want(bucketlite.EventObjectCreated); got != o {
		t.Errorf("got %+v of the namespace, want %+v as of the bucket", got, o)
	}
	put(t, s, "films", "a")
	updated := bucket.want(bucketlite.EventObjectUpdated)
	if updated.ObjectID != o.ObjectID {
		t.Errorf("got object %s, want %s", updated.ObjectID, o.ObjectID)
	}

	// Where a stream begins.
	begins := []struct {
		name, path, last string
		want             bucketlite.Event
	}{
		{"from the start", "/v1/buckets/films/events?from_start=true", "", created},
		{"after an event", "/v1/buckets/films/events?after=" + o.Cursor, "", updated},
		{"after the last event", "/v1/buckets/films/events", o.Cursor, updated},
		{"the header counts", "/v1/buckets/films/events?from_start=true", o.Cursor, updated},
		{"the header counts again", "/v1/buckets/films/events?after=" + o.Cursor, created.Cursor, o},
		{"of the namespace", "/v1/events", created.Cursor, o},
	}
	for _, test := range begins {
		t.Run(test.name, func(t *testing.T) {
			if got := s.stream(test.path, "Last-Event-ID", test.last).want(test.want.Kind); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}

	// The end of what is watched is the end of the stream.
	s.do("DELETE", "/v1/buckets/films", nil).want(http.StatusOK)
	bucket.want(bucketlite.EventBucketDeleted)
	bucket.wantEnd()
}

// put puts an object with a key into the store.
func put(t testing.TB, s *server, bucket, key string) {
	t.Helper()
	input := bucketlite.ObjectInput{Fields: map[string]any{"film_id": key}}
	if _, err := s.bucket("test", bucket).Put(t.Context(), input, nil); err != nil {
		t.Fatal(err)
	}
}

func TestEventsRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	tests := []struct {
		name, path string
		status     int
		kind       string
	}{
		{"no such bucket", "/v1/buckets/nothing/events", 404, "NotFoundError"},
		{"no point", "/v1/events?after=nonsense", 400, "BadRequestError"},
		{"two points", "/v1/events?from_start=true&after=nonsense", 400, "BadRequestError"},
		{"no boolean", "/v1/events?from_start=perhaps", 422, "ValidationError"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { s.do("GET", test.path, nil).wantError(test.status, test.kind) })
	}
	s.as("Last-Event-ID", "nonsense").do("GET", "/v1/events", nil).wantError(400, "BadRequestError")
	s.as("X-Namespace", "").do("GET", "/v1/events", nil).wantError(400, "BadRequestError")

	// A HEAD request gets only the header.
	if a := s.do("HEAD", "/v1/events?from_start=true", nil).want(http.StatusOK); a.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("got type %q", a.header.Get("Content-Type"))
	}
}

// Events that are no longer kept: a client that begins before them gets a status, and
// a client that falls behind them gets an event.
func TestEventsTooOld(t *testing.T) {
	t.Parallel()
	s := serveStore(t, nil, &bucketlite.Options{EventRetention: 10})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	put(t, s, "films", "a")
	all := s.stream("/v1/events?from_start=true")
	first, _, third := all.want(bucketlite.EventNamespaceCreated), all.want(bucketlite.EventBucketCreated), all.want(bucketlite.EventObjectCreated)
	all.leave()
	w := &heldWriter{ResponseRecorder: httptest.NewRecorder(), held: make(chan struct{}), release: make(chan struct{})}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/events?after="+first.Cursor, nil)
	r.Header = s.headers
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.handler.ServeHTTP(w, r)
	}()
	<-w.held // with the second event; the third is read already, and no more
	path := "/v1/events?after=" + third.Cursor
	eventually(t, "the first events are gone", func() bool {
		put(t, s, "films", "a")
		return s.do("HEAD", path, nil).status == http.StatusGone
	})
	s.do("GET", path, nil).wantError(http.StatusGone, "GoneError")
	close(w.release)
	<-ended
	slow := &stream{t: t, lines: bufio.NewReader(w.Body)}
	slow.want(bucketlite.EventBucketCreated)
	slow.want(bucketlite.EventObjectCreated)
	m, err := slow.read()
	if err != nil || m.event != "error" || m.id != "" || !strings.Contains(m.data, `"status":410,"error":{"type":"GoneError"`) {
		t.Errorf("got %+v and %v, want the envelope of a 410 and no id", m, err)
	}
	slow.wantEnd()
}

// heldWriter blocks writes until it is released.
type heldWriter struct {
	*httptest.ResponseRecorder
	held, release chan struct{}
	once          sync.Once
}

func (w *heldWriter) Write(p []byte) (int, error) {
	w.once.Do(func() { close(w.held) })
	<-w.release
	return w.ResponseRecorder.Write(p)
}

func TestEventsHeartbeat(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	httpapi.SetHeartbeat(s.handler, 5*time.Millisecond)
	events := s.stream("/v1/events")
	for range 3 {
		if m, err := events.read(); err != nil || m.comment == "" || m.event != "" {
			t.Fatalf("got %+v and %v, want a comment", m, err)
		}
	}
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	for {
		m, err := events.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.comment == "" {
			if m.event != string(bucketlite.EventBucketCreated) {
				t.Errorf("got %+v, want the bucket's creation", m)
			}
			break
		}
	}
}

// The ends of a stream, after which nothing of it is left.
func TestEventsEnd(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	none := func() bool { return inFlight(t, s) == 1 } // the request that asks

	left := s.stream("/v1/events")
	left.leave()
	eventually(t, "a stream is over that was left", none)

	cut := s.stream("/v1/events")
	s.client.CloseIdleConnections()
	s.handler.Close()
	cut.wantEnd()
	eventually(t, "a stream is over that was ended", none)
	s.do("GET", "/v1/events", nil).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
	s.do("GET", "/v1/buckets", nil).want(http.StatusOK)
}

func TestEventsStoreClosed(t *testing.T) {
	t.Parallel()
	st, err := bucketlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
	if err != nil {
		t.Fatal(err)
	}
	s := serveOpen(t, st, nil)
	events := s.stream("/v1/events")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	events.wantEnd()
	s.do("GET", "/v1/events", nil).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
	s.do("GET", "/v1/health", nil).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
}

// A client that does not read is cut off, and keeps nothing for itself.
func TestEventsSlowClient(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	httpapi.SetPatience(s.handler, 2*time.Second) // with which the test's own requests must do as well
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	b := s.bucket("test", "films")
	// More than the buffers on the way take.
	for range 25 {
		inputs := make([]bucketlite.ObjectInput, 1000)
		for i := range inputs {
			inputs[i].Fields = map[string]any{"film_id": fmt.Sprint(i)}
		}
		if _, err := b.PutMany(t.Context(), inputs, nil); err != nil {
			t.Fatal(err)
		}
	}
	s.stream("/v1/events?from_start=true")
	eventually(t, "the stream is cut", func() bool { return inFlight(t, s) == 1 })
}

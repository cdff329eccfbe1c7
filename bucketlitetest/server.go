package bucketlitetest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// Server is a store that is served over HTTP, for tests of clients of the hosted
// service.
type Server struct {
	// URL is the base URL, as in "http://127.0.0.1:35001". Only this machine reaches it.
	URL string
	// Key is the API key, for "Authorization: Bearer". It has all rights, and differs
	// each time.
	Key string
	// Store is the store behind it, empty at first. The test may use both at once.
	Store *bucketlite.Store

	transport http.RoundTripper // its connections are closed with the server
}

// ServerOptions adjust [NewServerWith]. Nil means the defaults.
type ServerOptions struct {
	// Store are those of [NewStoreWith].
	Store *Options
	// Handler are those of [httpapi.New]. The server's key is added to the keys.
	Handler *httpapi.Options
	// Processor gets the objects of submitted batches, as the handler of
	// [bucketlite.Store.Process]. Default: one that completes each object.
	Processor func(context.Context, *bucketlite.Job) error
	// Unprocessed leaves batches to the test, which may call Process itself.
	Unprocessed bool
}

// NewServer serves an empty store, as the command "bucketlite serve" does. When the
// test ends, the server is stopped, then the store checked and closed as that of
// [NewStore].
func NewServer(t testing.TB) *Server {
	t.Helper()
	return NewServerWith(t, nil)
}

// NewServerWith is [NewServer] with options. At the end it waits for the requests
// that are being answered; their faults, if any, end first.
func NewServerWith(t testing.TB, opts *ServerOptions) *Server {
	t.Helper()
	var o ServerOptions
	if opts != nil {
		o = *opts
	}
	var handler httpapi.Options
	if o.Handler != nil {
		handler = *o.Handler
	}
	s := &Server{Key: "sk_test_" + rand.Text(), Store: NewStoreWith(t, o.Store)}
	handler.Keys = append(slices.Clone(handler.Keys), httpapi.Key{Name: "bucketlitetest", Secret: s.Key})
	h, err := httpapi.New(s.Store, &handler)
	if err != nil {
		t.Fatalf("bucketlitetest: %v", err)
	}
	stop := func() {}
	if !o.Unprocessed {
		stop = process(s.Store, o.Processor)
	}
	ts := httptest.NewServer(h)
	s.URL, s.transport = ts.URL, ts.Client().Transport
	t.Cleanup(func() {
		t.Helper()
		if o.Store != nil && o.Store.Faults != nil {
			o.Store.Faults.Clear() // a request may be held
		}
		h.Close()
		ts.Close()
		stop()
	})
	return s
}

// process hands the store's jobs to handler until stop is called.
func process(st *bucketlite.Store, handler func(context.Context, *bucketlite.Job) error) (stop func()) {
	if handler == nil {
		handler = func(context.Context, *bucketlite.Job) error { return nil }
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			err := st.Process(ctx, handler, nil)
			for _, end := range []error{context.Canceled, bucketlite.ErrClosed, bucketlite.ErrReadOnly, bucketlite.ErrOutcomeUnknown} {
				if errors.Is(err, end) {
					return
				}
			}
			select { // the disk may have failed, and recover
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// Client returns a client that sends the server's key, and the namespace, by name
// or id, unless that is empty or the request says otherwise. To other servers it
// sends neither. It is safe for concurrent use.
func (s *Server) Client(namespace string) *http.Client {
	return &http.Client{Transport: &transport{s, namespace}}
}

// transport adds the headers that the server's requests need.
type transport struct {
	server    *Server
	namespace string
}

// RoundTrip implements http.RoundTripper.
func (tr *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if own, err := url.Parse(tr.server.URL); err == nil && r.URL.Host == own.Host {
		r = r.Clone(r.Context())
		if r.Header.Get("Authorization") == "" {
			r.Header.Set("Authorization", "Bearer "+tr.server.Key)
		}
		if r.Header.Get("X-Namespace") == "" && tr.namespace != "" {
			r.Header.Set("X-Namespace", tr.namespace)
		}
	}
	return tr.server.transport.RoundTrip(r)
}

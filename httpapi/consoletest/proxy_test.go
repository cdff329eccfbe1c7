package consoletest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// behindProxy starts a server behind a proxy that removes a prefix from paths and changes
// the host. A request for a path without the prefix fails the test. The proxy first gives
// each request to meddle, if that is not nil, which may answer it and then returns true.
func behindProxy(t *testing.T, prefix string, meddle func(http.ResponseWriter, *http.Request) bool) *Server {
	t.Helper()
	var to atomic.Pointer[url.URL]
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to.Load())
		r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, prefix)
		r.Out.URL.RawPath = strings.TrimPrefix(r.In.URL.RawPath, prefix)
	}}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasPrefix(r.URL.Path, prefix+"/"):
			t.Errorf("the proxy got %s %s, without its prefix", r.Method, r.URL)
			http.NotFound(w, r)
		case meddle == nil || !meddle(w, r):
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(web.Close)
	s, err := Serve(t.TempDir(), web.URL+prefix)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		web.CloseClientConnections() // of streams
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	inner, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	to.Store(inner)
	s.URL = web.URL + prefix
	return s
}

// cutter cuts the connection of the first request with a large body, in the middle.
type cutter struct{ cut atomic.Bool }

// cutAfter is how much of a body arrives.
const cutAfter = 1 << 20

func (c *cutter) meddle(w http.ResponseWriter, r *http.Request) bool {
	if r.ContentLength <= cutAfter || !c.cut.CompareAndSwap(false, true) {
		return false
	}
	io.CopyN(io.Discard, r.Body, cutAfter)
	panic(http.ErrAbortHandler)
}

// Behind a proxy that removes a prefix, every link, form and script leads to a path with
// it.
func TestBehindProxy(t *testing.T) {
	t.Parallel()
	s := behindProxy(t, "/a/b", nil)
	p := open(t, s, "console/", options{key: noKey})
	p.press(OwnerKey + "\r")
	p.wants("Namespaces")
	p.check()
	for _, path := range []string{"", "console", "console/n/{studio}", "console/n/{studio}/b/{studio/products}", "docs"} {
		p.visit(path)
		p.quiet()
	}
}

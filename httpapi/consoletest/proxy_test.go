package consoletest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// prefix is what the proxy removes from paths.
const prefix = "/a/b"

// behindProxy starts a server behind a proxy that removes a prefix and changes the host.
// A request for a path without the prefix fails the test.
func behindProxy(t *testing.T) *Server {
	t.Helper()
	var to atomic.Pointer[url.URL]
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to.Load())
		r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, prefix)
		r.Out.URL.RawPath = strings.TrimPrefix(r.In.URL.RawPath, prefix)
	}}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, prefix+"/") {
			t.Errorf("the proxy got %s %s, without its prefix", r.Method, r.URL)
			http.NotFound(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
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

// Behind a proxy that removes a prefix, every link, form and script leads to a path with
// it.
func TestBehindProxy(t *testing.T) {
	t.Parallel()
	s := behindProxy(t)
	p := open(t, s, "console/", options{key: noKey})
	p.press(OwnerKey + "\r")
	p.wants("Namespaces")
	p.check()
	for _, path := range []string{"", "console", "console/n/{studio}", "console/n/{studio}/b/{studio/products}", "docs"} {
		p.visit(path)
		p.quiet()
	}
}

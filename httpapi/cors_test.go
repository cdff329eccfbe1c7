package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi"
)

// page is the origin of a web page under development.
const page = "http://localhost:5173"

// varies reports whether an answer varies by a header.
func (a *reply) varies(name string) bool {
	for _, list := range a.header.Values("Vary") {
		for each := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(each), name) {
				return true
			}
		}
	}
	return false
}

// wantShared fails the test unless the page may read the answer, and its exposed headers.
func (a *reply) wantShared(origin string) *reply {
	a.t.Helper()
	if got := a.header.Values("Access-Control-Allow-Origin"); !slices.Equal(got, []string{origin}) {
		a.t.Errorf("%s: got Access-Control-Allow-Origin %q, want %q", a.what, got, origin)
	}
	if got := a.header.Get("Access-Control-Allow-Credentials"); got != "" {
		a.t.Errorf("%s: got Access-Control-Allow-Credentials %q, want none", a.what, got)
	}
	if (origin != "*") != a.varies("Origin") {
		a.t.Errorf("%s: got Vary %q for the origin %s", a.what, a.header.Values("Vary"), origin)
	}
	exposed := strings.Split(a.header.Get("Access-Control-Expose-Headers"), ", ")
	for _, name := range []string{"ETag", "Warning", "X-Request-Id", "Content-Range", "Retry-After", "Content-Disposition"} {
		if !slices.Contains(exposed, name) {
			a.t.Errorf("%s: got exposed headers %q, want %s among them", a.what, exposed, name)
		}
	}
	return a
}

// wantUnshared fails the test if the answer has any header for pages of other origins.
func (a *reply) wantUnshared() *reply {
	a.t.Helper()
	for name := range a.header {
		if strings.HasPrefix(name, "Access-Control-") {
			a.t.Errorf("%s: got %s %q, want none", a.what, name, a.header.Get(name))
		}
	}
	return a
}

// A page of an allowed origin reads every answer, errors too, and of no other.
func TestCORS(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{CORSOrigins: []string{page, "HTTPS://App.Example.com:443", "tauri://localhost", "http://[::1]:80"}})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	data := noise(1000)
	_, blob := s.bring(nil, data)
	upload := s.announce(nil).text("presigned_url")
	for _, origin := range []string{page, "https://app.example.com", "tauri://localhost", "http://[::1]"} {
		s := s.as("Origin", origin)
		s.do("GET", "/v1/buckets/films", nil).want(http.StatusOK).wantShared(origin)
		s.do("POST", "/v1/buckets/films/objects/list", nil).want(http.StatusOK).wantShared(origin)
		s.do("GET", "/v1/buckets/none", nil).want(http.StatusNotFound).wantShared(origin)
		s.do("GET", "/v1/none", nil).want(http.StatusNotFound).wantShared(origin)
		s.do("PUT", "/v1/buckets", nil).want(http.StatusMethodNotAllowed).wantShared(origin)
		s.do("GET", "/v1//buckets", nil).want(http.StatusNotFound).wantShared(origin)
		s.do("GET", "/v1/health", nil).want(http.StatusOK).wantShared(origin)
		anyone := s.anyone()
		anyone.do("GET", "/v1/buckets/films", nil).want(http.StatusUnauthorized).wantShared(origin)
		anyone.do("GET", "/openapi.json", nil).want(http.StatusOK).wantShared(origin)
		anyone.do("GET", blob, nil).want(http.StatusOK).wantShared(origin)
		anyone.do("HEAD", blob, nil).want(http.StatusOK).wantShared(origin)
		part := anyone.as("Range", "bytes=5-9").do("GET", blob, nil).want(http.StatusPartialContent).wantShared(origin)
		if got := part.header.Get("Content-Range"); got != "bytes 5-9/1000" {
			t.Errorf("got Content-Range %q", got)
		}
		anyone.do("GET", blob+"0", nil).want(http.StatusForbidden).wantShared(origin)
		anyone.do("PUT", upload, data).want(http.StatusOK).wantShared(origin)
		// Pages of the server itself are not shared.
		anyone.do("GET", "/docs", nil).want(http.StatusOK).wantUnshared()
		anyone.do("GET", "/", nil).want(http.StatusOK).wantUnshared()
		s.do("GET", "/metrics", nil).want(http.StatusOK).wantUnshared()
	}
	for _, origin := range []string{"", "null", "http://localhost", "http://localhost:51730", "https://localhost:5173", "http://LOCALHOST:5173", page + "/", "*", "http://evil.example"} {
		got := s.as("Origin", origin).do("GET", "/v1/buckets/films", nil).want(http.StatusOK).wantUnshared()
		if !got.varies("Origin") {
			t.Errorf("%q: got Vary %q, want Origin", origin, got.header.Values("Vary"))
		}
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{CORSOrigins: []string{page}}).anyone()
	ask := s.as("Origin", page, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization,content-type,x-namespace,x-amz-checksum-sha256")
	for _, path := range []string{"/v1/buckets", "/v1/buckets/films/objects/a", "/v1/none", "/v1/presigned/uploads/a/b/c?expires=1&signature=00", "/openapi.json"} {
		got := ask.do("OPTIONS", path, nil).want(http.StatusNoContent)
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": page, "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
			"Access-Control-Allow-Headers": "authorization,content-type,x-namespace,x-amz-checksum-sha256", "Access-Control-Max-Age": "600",
			"Access-Control-Allow-Credentials": "", "Access-Control-Allow-Private-Network": "",
		} {
			if h := got.header.Get(name); h != want {
				t.Errorf("%s: %s: got %q, want %q", path, name, h, want)
			}
		}
		if got.header.Get("X-Request-Id") == "" || !got.varies("Origin") || !got.varies("Access-Control-Request-Headers") || !got.varies("Access-Control-Request-Method") {
			t.Errorf("%s: got %v", path, got.header)
		}
	}
	if got := ask.as("Access-Control-Request-Private-Network", "true").do("OPTIONS", "/v1/buckets", nil).want(http.StatusNoContent).header.Get("Access-Control-Allow-Private-Network"); got != "true" {
		t.Errorf("a private network: got %q, want true", got)
	}
	if got := ask.as("Access-Control-Request-Headers", "a:b").do("OPTIONS", "/v1/buckets", nil).want(http.StatusNoContent).header.Get("Access-Control-Allow-Headers"); got != "" {
		t.Errorf("headers that are none: got %q, want none allowed", got)
	}
	if got := ask.as("Origin", "http://evil.example").do("OPTIONS", "/v1/buckets", nil).wantError(http.StatusForbidden, "ForbiddenError").wantUnshared(); !strings.Contains(got.body, "http://evil.example") || !got.varies("Origin") {
		t.Errorf("another origin: got %s", got.body)
	}
	// Other OPTIONS requests, and other paths, need a key as before.
	ask.as("Access-Control-Request-Method", "").do("OPTIONS", "/v1/buckets", nil).wantError(http.StatusUnauthorized, "UnauthorizedError")
	ask.as("Origin", "").do("OPTIONS", "/v1/buckets", nil).wantError(http.StatusUnauthorized, "UnauthorizedError")
	ask.do("OPTIONS", "/metrics", nil).wantError(http.StatusUnauthorized, "UnauthorizedError").wantUnshared()
	ask.do("OPTIONS", "/docs", nil).wantError(http.StatusMethodNotAllowed, "MethodNotAllowedError").wantUnshared()
}

// Without origins nothing is shared, and with "*" everything is.
func TestCORSAnyOrNone(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.as("Origin", page).do("GET", "/v1/buckets", nil).want(http.StatusOK).wantUnshared()
	s.as("Origin", page, "Access-Control-Request-Method", "PUT").anyone().do("OPTIONS", "/v1/buckets", nil).wantError(http.StatusUnauthorized, "UnauthorizedError").wantUnshared()

	s = serve(t, &httpapi.Options{CORSOrigins: []string{"*"}})
	for _, origin := range []string{"", page, "null"} {
		s.as("Origin", origin).do("GET", "/v1/buckets", nil).want(http.StatusOK).wantShared("*")
	}
	got := s.as("Origin", page, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Private-Network", "true").anyone().do("OPTIONS", "/v1/buckets", nil).want(http.StatusNoContent)
	if got.header.Get("Access-Control-Allow-Origin") != "*" || got.header.Get("Access-Control-Allow-Private-Network") != "" {
		t.Errorf("got %v, want any origin, and no private network for those that nobody named", got.header)
	}
}

// A handler that is mounted is not shared: it may know its users by cookies.
func TestCORSMount(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	h, err := httpapi.New(s.store, &httpapi.Options{CORSOrigins: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	h.Mount("console", http.NotFoundHandler())
	req := httptest.NewRequest("GET", "/console/v1/", nil)
	req.Header.Set("Origin", page)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != http.StatusNotFound || got != "" {
		t.Errorf("got status %d and Access-Control-Allow-Origin %q, want none", w.Code, got)
	}
}

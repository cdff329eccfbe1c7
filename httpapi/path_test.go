package httpapi_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A wire sends requests as they are written, which no client does: clients clean paths
// and follow redirects.
type wire struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func (s *server) wire(t *testing.T) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return &wire{t, conn, bufio.NewReader(conn)}
}

// ask sends a request and reads the answer. The empty key sends none.
func (w *wire) ask(method, target, key string) *reply {
	w.t.Helper()
	head := method + " " + target + " HTTP/1.1\r\nHost: x\r\nX-Namespace: test\r\n"
	if key != "" {
		head += "Authorization: Bearer " + key + "\r\n"
	}
	if _, err := io.WriteString(w.conn, head+"\r\n"); err != nil {
		w.t.Fatalf("%s %s: %v", method, target, err)
	}
	resp, err := http.ReadResponse(w.r, &http.Request{Method: method})
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, target, err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("%s %s: read the answer: %v", method, target, err)
	}
	a := &reply{t: w.t, what: method + " " + target, status: resp.StatusCode, header: resp.Header, body: string(text)}
	if json.Unmarshal(text, &a.doc) != nil {
		a.doc = nil
	}
	return a
}

// wantEnvelope is [reply.wantError] for an answer that must have a request id too.
func (a *reply) wantEnvelope(status int, kind string) *reply {
	a.t.Helper()
	if a.header.Get("X-Request-Id") == "" {
		a.t.Errorf("%s: got no X-Request-Id", a.what)
	}
	return a.wantError(status, kind)
}

// hostile are segments that a client, a proxy or [http.ServeMux] would clean away.
var hostile = []string{"", ".", "..", "%2e", "%2E%2e", ".%2e", "%2e."}

// hostilePaths returns paths that are like one of a pattern, but have such a segment.
func hostilePaths(pattern string) (paths []string) {
	segments := strings.Split(strings.TrimPrefix(pattern, "/"), "/")
	for i := range segments {
		for _, h := range hostile {
			other := append([]string(nil), segments...)
			other[i] = h
			paths = append(paths, "/"+strings.Join(other, "/"))
			other[i] = segments[i] + "/" + h
			paths = append(paths, "/"+strings.Join(other, "/"))
		}
	}
	return append(paths, "/"+pattern, "/.."+pattern, pattern+"/../..")
}

// isSlashed reports whether a path has one slash at its end, and no other segment that is
// hostile.
func isSlashed(path string) bool {
	path, ok := strings.CutSuffix(path, "/")
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		ok = ok && !slices.Contains(hostile, segment)
	}
	return ok
}

// No path is cleaned: what a route's path turns into by an empty segment, "." or ".."
// is no path at all, whatever the method, and nothing is redirected or changed.
func TestHostilePaths(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	put(t, s, "films", "a")
	w := s.wire(t)
	for _, pattern := range httpapi.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		path = placeholder.ReplaceAllString(strings.ReplaceAll(path, "{namespace}", "test"), "films")
		for _, target := range hostilePaths(path) {
			if (method == "GET" || method == "POST") && isSlashed(target) || target == "/" {
				continue // see TestTrailingSlash and TestRoot
			}
			w.ask(method, target, secret).wantEnvelope(http.StatusNotFound, "NotFoundError").wantAt("error.message", "no such path")
			w.ask(method, target, "").wantEnvelope(http.StatusUnauthorized, "UnauthorizedError")
		}
	}
	s.do("GET", "/v1/buckets/films", nil).want(http.StatusOK).wantAt("status", "ACTIVE").wantAt("object_count", "1")
	s.do("GET", "/v1/namespaces/test", nil).want(http.StatusOK).wantAt("bucket_count", "1")
}

// One slash at the end of the path of a GET or a POST is ignored, without a redirect. That
// of a PUT, PATCH or DELETE may be all that is left of an empty id: they find no path.
func TestTrailingSlash(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	put(t, s, "films", "a")
	for _, test := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/buckets/", "", 200},
		{"GET", "/v1/buckets/films/", "", 200},
		{"GET", "/v1/buckets/films/?x=/", "", 200},
		{"GET", "/v1/health/", "", 200},
		{"POST", "/v1/buckets/films/objects/", `{"film_id": "b"}`, 200},
		{"POST", "/v1/buckets/films/objects/list/", `{}`, 200},
		{"POST", "/v1/buckets/films/objects//", `{"film_id": "c"}`, 404},
		{"GET", "/v1/buckets//", "", 404},
		{"GET", "//", "", 404},
		{"GET", "/v1/buckets/films%2F", "", 404},
		{"HEAD", "/v1/buckets/films/", "", 404},
		{"DELETE", "/v1/buckets/films/", "", 404},
		{"DELETE", "/v1/buckets/films/objects/", "", 404},
		{"DELETE", "/v1/namespaces/test/", "", 404},
		{"DELETE", "/v1/tasks/", "", 404},
		{"PUT", "/v1/buckets/films/", `{"description": "x"}`, 404},
		{"PATCH", "/v1/buckets/films/", `{"description": "x"}`, 404},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			s := *s
			s.client = &http.Client{Transport: s.client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			got := s.do(test.method, test.path, test.body).want(test.status)
			if test.status == http.StatusOK && !strings.Contains(strings.Join(got.header.Values("Warning"), "\n"), "no slash at the end expected") {
				t.Errorf("got warnings %q, want one about the slash", got.header.Values("Warning"))
			}
		})
	}
	s.do("GET", "/v1/buckets/films", nil).want(http.StatusOK).wantAt("status", "ACTIVE").wantAt("object_count", "2").wantAt("description", "<nil>").
		wantWarnings()
	list := s.do("POST", "/v1/buckets/films/objects/list/?limit=1", nil).want(http.StatusOK)
	s.do("POST", list.text("pagination.next_page"), nil).want(http.StatusOK).wantWarnings()
}

// An escaped slash is part of a name.
func TestEscapedSlash(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("a/b")).want(http.StatusOK)
	w := s.wire(t)
	w.ask("GET", "/v1/buckets/a%2Fb", secret).want(http.StatusOK).wantAt("bucket_name", "a/b")
	w.ask("GET", "/v1/buckets/a%2fb/indexes", secret).want(http.StatusOK)
	w.ask("GET", "/v1/buckets/a/b", secret).wantEnvelope(http.StatusNotFound, "NotFoundError").wantAt("error.message", "no such path")
	w.ask("GET", "/v1/buckets/..%2Fa", secret).wantEnvelope(http.StatusNotFound, "NotFoundError").wantAt("error.message", `namespace "test": bucket "../a": not found`)
}

// No bucket gets a name that is a path segment of its own kind. One of an older file is
// reached by its id alone, and keeps its name.
func TestDotNames(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	w := s.wire(t)
	for i, name := range []string{".", ".."} {
		s.do("POST", "/v1/buckets", films(name)).wantFaults("body.bucket_name name")
		id := s.do("POST", "/v1/buckets", films(fmt.Sprint("old", i))).want(http.StatusOK).text("bucket_id")
		storetest.Execute(t, storetest.OpenRaw(t, s.path), fmt.Sprintf("UPDATE buckets SET name = '%s' WHERE id = '%s'", name, id))
		w.ask("GET", "/v1/buckets/"+name, secret).wantEnvelope(http.StatusNotFound, "NotFoundError")
		w.ask("GET", "/v1/buckets/"+strings.ReplaceAll(name, ".", "%2E"), secret).wantEnvelope(http.StatusNotFound, "NotFoundError")
		w.ask("GET", "/v1/buckets/"+id, secret).want(http.StatusOK).wantAt("bucket_name", name)
		s.do("PATCH", "/v1/buckets/"+id, map[string]any{"bucket_name": name, "description": "kept"}).want(http.StatusOK).wantAt("description", "kept")
	}
}

// A request without a route needs a key too, unless its path is one of a route that
// needs none; and each answer is in the envelope.
func TestNoRoute(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	w := s.wire(t)
	for _, test := range []struct {
		name, method, target string
		keyless, keyed       int
		kind, allow          string
	}{
		{"an unknown path", "GET", "/v1/nothing", 401, 404, "NotFoundError", ""},
		{"the root", "POST", "/", 405, 405, "MethodNotAllowedError", "GET, HEAD"},
		{"no path", "GET", "*", 401, 404, "NotFoundError", ""},
		{"a trailing slash", "DELETE", "/v1/buckets/films/", 401, 404, "NotFoundError", ""},
		{"a trailing slash of an unknown path", "GET", "/v1/nothing/", 401, 404, "NotFoundError", ""},
		{"a trailing slash of another method's path", "GET", "/v1/buckets/films/objects/", 401, 405, "MethodNotAllowedError", "POST"},
		{"another method", "PUT", "/v1/buckets", 401, 405, "MethodNotAllowedError", "GET, HEAD, POST"},
		{"an invented method", "BREW", "/v1/buckets/films", 401, 405, "MethodNotAllowedError", "GET, HEAD, PUT, PATCH, DELETE"},
		{"OPTIONS", "OPTIONS", "/v1/buckets", 401, 405, "MethodNotAllowedError", "GET, HEAD, POST"},
		{"CONNECT", "CONNECT", "/v1/buckets", 401, 405, "MethodNotAllowedError", "GET, HEAD, POST"},
		{"an open route", "POST", "/v1/health", 405, 405, "MethodNotAllowedError", "GET, HEAD"},
		{"the document", "DELETE", "/openapi.json", 405, 405, "MethodNotAllowedError", "GET, HEAD"},
		{"a signed route", "POST", "/v1/presigned/uploads/a/b/c", 405, 405, "MethodNotAllowedError", "PUT"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for key, status := range map[string]int{"": test.keyless, secret: test.keyed} {
				kind, allow := test.kind, test.allow
				if status == http.StatusUnauthorized {
					kind, allow = "UnauthorizedError", ""
				}
				if got := w.ask(test.method, test.target, key).wantEnvelope(status, kind).header.Get("Allow"); got != allow {
					t.Errorf("key %q: got Allow %q, want %q", key, got, allow)
				}
			}
		})
	}
}

// A query that cannot be read is refused, and the answer names the parameters: without
// them it would be another query. A bad cursor is a bad cursor, however it is bad.
func TestBadEscapes(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	w := s.wire(t)
	for _, test := range []struct {
		query  string
		faults []string // nil for a bad cursor
	}{
		{"cursor=%zz", nil},
		{"limit=1&cursor=%", nil},
		{"limit=%zz", []string{"query.limit query"}},
		{"limit=1&x=%", []string{"query.x query"}},
		{"limit=1;cursor=x", []string{"query.limit query"}},
		{"limit;=1", []string{"query.limit query"}},
		{"li%6dit=%4", []string{"query.limit query"}},
		{"limit%zz=1", []string{"query.limit query"}},
		{"cursor=%zz&offset=1;&limit=1&x=%z1", []string{"query.cursor query", "query.offset query", "query.x query"}},
	} {
		for _, path := range []string{"/v1/buckets", "/v1/buckets/films/objects/x", "/v1/events", "/v1/health"} {
			if got := w.ask("GET", path+"?"+test.query, secret); test.faults == nil {
				got.wantEnvelope(http.StatusBadRequest, "BadRequestError")
			} else {
				got.wantFaults(test.faults...)
			}
		}
		w.ask("GET", "/v1/buckets?"+test.query, "").wantEnvelope(http.StatusUnauthorized, "UnauthorizedError")
	}
	// A path that cannot be read is no request: net/http refuses it before any handler.
	if a := w.ask("GET", "/v1/buckets/%zz", secret).want(http.StatusBadRequest); a.doc != nil {
		t.Errorf("got %s", a.body)
	}
}

// Names that are unusual, but names, reach the route that they stand for and no other.
func TestUnusualNames(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	w := s.wire(t)
	for _, name := range []string{"...", "%2e%2e%2e", "%252e%252e", "..%2f..", "%ff", "%00", "a%3Fb", "%20", "%5c..", "..;", strings.Repeat("x", 3000)} {
		w.ask("GET", "/v1/buckets/"+name, secret).wantEnvelope(http.StatusNotFound, "NotFoundError")
		w.ask("DELETE", fmt.Sprintf("/v1/buckets/%s/objects/%s", name, name), secret).wantEnvelope(http.StatusNotFound, "NotFoundError")
	}
}

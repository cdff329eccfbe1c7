package httpapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// secret is the key of every test's server, unless the test brings its own.
const secret = "sk_test_0123456789"

// A server is a store of its own behind a handler, and a client.
type server struct {
	t       testing.TB
	store   *bucketlite.Store
	path    string // the store's; empty if it is not the server's own
	handler *httpapi.Handler
	url     string
	client  *http.Client
	headers http.Header // of every request
}

// serve starts a server with a namespace "test", which its requests are about. The
// options are those given, with the key secret if they have none.
func serve(t testing.TB, opts *httpapi.Options) *server {
	t.Helper()
	return serveStore(t, opts, nil)
}

// serveStore is serve with options for the store, except durability.
func serveStore(t testing.TB, opts *httpapi.Options, storeOpts *bucketlite.Options) *server {
	t.Helper()
	ctx := context.Background()
	so := bucketlite.Options{}
	if storeOpts != nil {
		so = *storeOpts
	}
	so.Durability = bucketlite.DurabilityNormal
	path := filepath.Join(t.TempDir(), "test.db")
	st, err := bucketlite.Open(ctx, path, &so)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		report, err := st.Check(ctx, nil)
		if err == nil {
			err = report.Err()
		}
		if err != nil {
			t.Errorf("check: %v", err)
		}
		if err := st.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	s := serveOpen(t, st, opts)
	s.path = path
	return s
}

// serveOpen is serve for a store that the caller closes.
func serveOpen(t testing.TB, st *bucketlite.Store, opts *httpapi.Options) *server {
	t.Helper()
	if _, err := st.CreateNamespace(context.Background(), bucketlite.NamespaceConfig{Name: "test"}); err != nil {
		t.Fatal(err)
	}
	var o httpapi.Options
	if opts != nil {
		o = *opts
	}
	if o.Keys == nil {
		o.Keys = []httpapi.Key{{Name: "test", Secret: secret}}
	}
	h, err := httpapi.New(st, &o)
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(h)
	t.Cleanup(func() {
		h.Close()
		ts.Close()
	})
	return &server{t: t, store: st, handler: h, url: ts.URL, client: recording(t, ts.Client()), headers: http.Header{
		"Authorization": {"Bearer " + secret}, "X-Namespace": {"test"},
	}}
}

// as returns the server as seen by a client whose requests have other headers; an
// empty value takes one away.
func (s *server) as(headers ...string) *server {
	other := *s
	other.headers = s.headers.Clone()
	for pair := range slices.Chunk(headers, 2) {
		if pair[1] == "" {
			other.headers.Del(pair[0])
		} else {
			other.headers.Set(pair[0], pair[1])
		}
	}
	return &other
}

// deviating returns the server as seen by a client whose requests are taken though they
// are not of the document's form, and without a warning. Answers must still be.
func (s *server) deviating() *server {
	other := *s
	transport := s.client.Transport.(recorded)
	transport.tolerant = true
	client := *s.client
	client.Transport = transport
	other.client = &client
	return &other
}

// A reply is an answer that has been read.
type reply struct {
	t      testing.TB
	what   string // the request
	status int
	header http.Header
	body   string
	doc    any // the body, if it is JSON; numbers are json.Number
}

// do sends a request, whose body is a string or bytes as they are, a reader, or else
// the JSON form of a value, and none if it is nil.
func (s *server) do(method, path string, body any) *reply {
	s.t.Helper()
	var r io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(body)
	case []byte:
		r = bytes.NewReader(body)
	case io.Reader:
		r = body
	default:
		text, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		r = bytes.NewReader(text)
	}
	url := path
	if strings.HasPrefix(path, "/") {
		url = s.url + path
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, url, r)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header = s.headers.Clone()
	if r != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	a := &reply{t: s.t, what: method + " " + path, status: resp.StatusCode, header: resp.Header, body: string(text)}
	if method != "HEAD" && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&a.doc); err != nil {
			s.t.Fatalf("%s: %v in %s", a.what, err, text)
		}
	}
	return a
}

// want fails the test unless the status is the one wanted, and returns the reply.
func (a *reply) want(status int) *reply {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: got status %d, want %d: %s", a.what, a.status, status, a.body)
	}
	return a
}

// at returns what is at a path of the body, as in "results.0.blobs.0.type"; nil if
// there is nothing.
func (a *reply) at(path string) any {
	v := a.doc
	for _, name := range strings.Split(path, ".") {
		switch of := v.(type) {
		case map[string]any:
			v = of[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(of) {
				return nil
			}
			v = of[i]
		default:
			return nil
		}
	}
	return v
}

// wantAt fails the test unless what is at a path reads as wanted: the text of a
// string, JSON of anything else, and "<nil>" where there is nothing, or null.
func (a *reply) wantAt(path, want string) *reply {
	a.t.Helper()
	if got := a.text(path); got != want {
		a.t.Errorf("%s: %s: got %s, want %s", a.what, path, got, want)
	}
	return a
}

// text returns what is at a path in the form of [reply.wantAt].
func (a *reply) text(path string) string {
	switch v := a.at(path).(type) {
	case nil:
		return "<nil>"
	case string:
		return v
	default:
		text, err := json.Marshal(v)
		if err != nil {
			a.t.Fatal(err)
		}
		return string(text)
	}
}

// wantError fails the test unless the reply is the envelope of an error of this
// status and type, which is well-formed.
func (a *reply) wantError(status int, kind string) *reply {
	a.t.Helper()
	a.want(status).wantAt("success", "false").wantAt("status", fmt.Sprint(status)).wantAt("error.type", kind)
	if a.text("error.message") == "" || a.text("error.details") == "<nil>" {
		a.t.Errorf("%s: got %s, want a message and details", a.what, a.body)
	}
	if _, ok := a.at("detail").([]any); ok != (status == http.StatusUnprocessableEntity) {
		a.t.Errorf("%s: detail of a %d: got %s", a.what, status, a.text("detail"))
	}
	return a
}

// wantFaults fails the test unless the reply is a 422 with these reasons, each as
// "location rule", in both of their forms.
func (a *reply) wantFaults(want ...string) *reply {
	a.t.Helper()
	a.wantError(http.StatusUnprocessableEntity, "ValidationError")
	var got []string
	list, _ := a.at("error.details.validation_errors").([]any)
	for i := range list {
		got = append(got, a.text(fmt.Sprintf("error.details.validation_errors.%d.location", i))+" "+a.text(fmt.Sprintf("error.details.validation_errors.%d.type", i)))
		if got, want := a.text(fmt.Sprintf("detail.%d.type", i)), a.text(fmt.Sprintf("error.details.validation_errors.%d.type", i)); got != want {
			a.t.Errorf("%s: detail %d: got type %s, want %s", a.what, i, got, want)
		}
	}
	if !slices.Equal(got, want) {
		a.t.Errorf("%s: got faults %q, want %q", a.what, got, want)
	}
	return a
}

// wantWarnings fails the test unless these, and no other, parts of texts are in the
// Warning headers, one in each.
func (a *reply) wantWarnings(want ...string) *reply {
	a.t.Helper()
	got := a.header.Values("Warning")
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = strings.Contains(got[i], want[i])
	}
	if !ok {
		a.t.Errorf("%s: got warnings %q, want %q", a.what, got, want)
	}
	return a
}

// eventually polls until f holds.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting until %s", what)
		}
	}
}

// films is a bucket's description, in the form of the wire: a unique key, fields, and
// media.
func films(name string) map[string]any {
	return map[string]any{
		"bucket_name": name,
		"bucket_schema": map[string]any{"properties": map[string]any{
			"film_id": map[string]any{"type": "string", "required": true},
			"title":   map[string]any{"type": "string"},
			"year":    map[string]any{"type": "integer"},
			"film":    map[string]any{"type": "video"},
			"poster":  map[string]any{"type": "image"},
			"notes":   map[string]any{"type": "text"},
			"stills":  map[string]any{"type": "array", "items": map[string]any{"type": "image"}},
		}},
		"unique_key": map[string]any{"fields": []any{"film_id"}, "default_policy": "upsert"},
	}
}

// wantTask waits until a task has ended, and fails the test unless it has this status.
func (s *server) wantTask(id, status string) *reply {
	s.t.Helper()
	var a *reply
	eventually(s.t, "task "+id+" has ended", func() bool {
		a = s.do("GET", "/v1/tasks/"+id, nil).want(http.StatusOK)
		return a.text("status") != "PENDING" && a.text("status") != "IN_PROGRESS"
	})
	return a.wantAt("status", status)
}

// withKeys returns another server of the same store, with these keys.
func (s *server) withKeys(keys []httpapi.Key) *server {
	s.t.Helper()
	return s.withOptions(httpapi.Options{Keys: keys})
}

// withOptions returns another server of the same store, with these options.
func (s *server) withOptions(opts httpapi.Options) *server {
	s.t.Helper()
	h, err := httpapi.New(s.store, &opts)
	if err != nil {
		s.t.Fatal(err)
	}
	ts := httptest.NewServer(h)
	s.t.Cleanup(ts.Close)
	other := *s
	other.handler, other.url, other.client = h, ts.URL, recording(s.t, ts.Client())
	return &other
}

// anyone returns the server as seen by a client without a key.
func (s *server) anyone() *server { return s.as("Authorization", "", "X-Namespace", "") }

// announce creates an upload of the bucket films: of the film, unless what is given
// says otherwise.
func (s *server) announce(given map[string]any) *reply {
	s.t.Helper()
	in := map[string]any{"filename": "film.mp4", "content_type": "video/mp4", "object_metadata": map[string]any{"film_id": "f1"}}
	maps.Copy(in, given)
	return s.do("POST", "/v1/buckets/films/uploads", in).want(http.StatusOK)
}

// bring creates an upload, sends its bytes, and confirms it. It returns the upload's id
// and the URL of the blob.
func (s *server) bring(given map[string]any, data []byte) (id, url string) {
	s.t.Helper()
	up := s.announce(given)
	s.anyone().do("PUT", up.text("presigned_url"), data).want(http.StatusOK)
	id = up.text("upload_id")
	s.do("POST", "/v1/buckets/films/uploads/"+id+"/confirm", nil).want(http.StatusOK).wantAt("status", "COMPLETED")
	return id, s.do("GET", "/v1/buckets/films/uploads/"+id+"?return_presigned_urls=true", nil).want(http.StatusOK).text("presigned_url")
}

// noise returns bytes that no type is recognised in, the same every time.
func noise(n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(data)
	return data
}

// etag returns the ETag of bytes.
func etag(data []byte) string { return fmt.Sprintf("\"%x\"", sha256.Sum256(data)) }

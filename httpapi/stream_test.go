package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A page that ends at its bytes says so and how to continue; an offset that would lead
// past what a client has seen is refused with the cursor.
func TestListsEndByBytes(t *testing.T) {
	t.Parallel()
	s := serveStore(t, nil, &bucketlite.Options{MaxPageBytes: 2000})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	for i := range 5 {
		s.do("POST", "/v1/buckets/films/objects", map[string]any{"film_id": fmt.Sprint(i), "title": strings.Repeat("x", 900)}).want(http.StatusOK)
	}
	const list = "/v1/buckets/films/objects/list"
	got := ""
	page := s.do("POST", list+"?limit=3", nil).want(http.StatusOK).wantWarnings("2 of 3 results")
	for {
		for i := range page.at("results").([]any) {
			got += page.text(fmt.Sprintf("results.%d.film_id", i))
		}
		if page.at("pagination.next_cursor") == nil {
			break
		}
		page = s.do("POST", page.text("pagination.next_page"), nil).want(http.StatusOK)
	}
	if page.wantWarnings(); got != "01234" {
		t.Errorf("got objects %s", got)
	}
	s.do("POST", list+"?limit=2", nil).want(http.StatusOK).wantWarnings()
	s.do("POST", list+"?limit=2&offset=2", nil).want(http.StatusOK).wantAt("results.0.film_id", "2")
	refused := s.do("POST", list+"?limit=3&offset=3", nil).wantError(http.StatusRequestEntityTooLarge, "PayloadTooLargeError")
	cursor := refused.text("error.details.next_cursor")
	if !strings.Contains(refused.text("error.message"), cursor) {
		t.Errorf("the message does not name the cursor: %s", refused.text("error.message"))
	}
	s.do("POST", list+"?limit=3&cursor="+cursor, nil).want(http.StatusOK).wantAt("results.0.film_id", "2")

	for i := range 3 {
		config := films(fmt.Sprint("more", i))
		config["description"] = strings.Repeat("x", 900)
		s.do("POST", "/v1/buckets", config).want(http.StatusOK)
	}
	s.do("POST", "/v1/buckets/list", `{}`).want(http.StatusOK).wantWarnings("of 10 results").wantAt("total_count", "4")
	s.do("POST", "/v1/buckets/list?limit=3&offset=3", `{}`).wantError(http.StatusRequestEntityTooLarge, "PayloadTooLargeError")
}

// A large answer is encoded result by result: the server holds the page as it is
// stored, and one object more.
func TestListMemory(t *testing.T) {
	n, size := 12, 1<<20
	if *storetest.Long {
		n, size = 100, 15<<20
	}
	ctx := context.Background()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", `{"bucket_name": "large", "bucket_schema": {"properties": {"n": {"type": "integer"}}}}`).want(http.StatusOK)
	ns, err := s.store.Namespace(ctx, "test")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(ctx, "large")
	if err != nil {
		t.Fatal(err)
	}
	values := make([]any, size/8)
	for i := range values {
		values[i] = 1000000 + i%1000000
	}
	for i := range n {
		in := bucketlite.ObjectInput{Fields: map[string]any{"n": i, "small": map[string]any{"x": i}, "values": values}}
		if _, err := b.Put(ctx, in, nil); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		body string
		most int64 // in sizes of an object
	}{
		"whole":    {`{"limit": 100}`, 6},
		"selected": {`{"limit": 100, "select": ["n", "small.x"]}`, 4},
	} {
		fit := min(n, 32<<20/size)
		peak := storetest.HeapPeak(func() {
			req := listRequest(t, test.body)
			w := &counter{header: http.Header{}}
			s.handler.ServeHTTP(w, req)
			if w.status != http.StatusOK || fmt.Sprint(w.n) != w.header.Get("Content-Length") || name == "whole" && w.n < int64(fit*size) {
				t.Errorf("%s: got %d, %d bytes of %s", name, w.status, w.n, w.header.Get("Content-Length"))
			}
		})
		t.Logf("%s: a page of %d objects of %d MiB: the heap grew by %d MiB", name, fit, size>>20, peak>>20)
		// Decoded, all of them would take five times their stored form, and their text as much again.
		if most := (2*int64(fit) + test.most) * int64(size); peak > most {
			t.Errorf("%s: the heap grew by %d MiB, want at most %d", name, peak>>20, most>>20)
		}
	}
}

// listRequest returns a request for the objects of the bucket "large".
func listRequest(t *testing.T, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "/v1/buckets/large/objects/list", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	req.Header.Set("X-Namespace", "test")
	return req
}

// A counter is a client that counts the bytes of an answer.
type counter struct {
	header http.Header
	status int
	n      int64
}

func (c *counter) Header() http.Header    { return c.header }
func (c *counter) WriteHeader(status int) { c.status = status }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

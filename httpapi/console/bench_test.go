package console_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/bucketlite/bucketlite/httpapi/console"
)

var benchObjects = flag.Int("objects", 20_000, "the number of objects of BenchmarkConsole")

// bench is a console of a bucket with many objects, and a session.
type bench struct {
	*testing.B
	api    *httpapi.Handler
	bucket *bucketlite.Bucket
	path   string // of the bucket
	cookie string
}

// Pages of a bucket with many objects: the time in the server, without the network, and
// the bytes of a page that is compressed. With a million:
//
//	go test -run '^$' -bench Console -objects 1000000 ./httpapi/console
func BenchmarkConsole(b *testing.B) {
	p := newBench(b, *benchObjects)
	b.Run("first paint", func(b *testing.B) { p.pages(b, "") })
	next := p.link("", regexp.MustCompile(`href="(\?[^"]*)" rel="next"`))
	b.Run("next page", func(b *testing.B) { p.pages(b, next) })
	b.Run("first paint of a filter", func(b *testing.B) { p.pages(b, "?f=price.eq.-1") })
	b.Run("first paint of an order", func(b *testing.B) { p.pages(b, "?sort=price") })
	b.Run("page of an index", func(b *testing.B) { p.pages(b, "?f=year.eq.1990&sort=-year") })
	b.Run("count up to 10,000", func(b *testing.B) { p.part(b, "count?f=price.gt.5") })
	b.Run("object", func(b *testing.B) { p.pages(b, "o/object-0/") })
	b.Run("grid", p.grid)
	b.Run("live tabs", p.tabs)
}

func newBench(b *testing.B, objects int) *bench {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, filepath.Join(b.TempDir(), "bench.db"), &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { st.Close() })
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	fields := map[string]bucketlite.Field{
		"sku": {Type: bucketlite.String}, "title": {Type: bucketlite.String}, "price": {Type: bucketlite.Number}, "year": {Type: bucketlite.Integer},
		"category": {Type: bucketlite.String}, "tags": {Type: bucketlite.Array}, "sold": {Type: bucketlite.Boolean}, "description": {Type: bucketlite.Text},
		"photo": {Type: bucketlite.Image},
	}
	p := &bench{B: b}
	p.bucket, err = ns.CreateBucket(ctx, bucketlite.BucketConfig{
		Name: "objects", Schema: bucketlite.Schema{Properties: fields}, Indexes: []string{"year"},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Upsert},
	})
	if err != nil {
		b.Fatal(err)
	}
	var inputs []bucketlite.ObjectInput
	for i := range objects {
		in := bucketlite.ObjectInput{ID: fmt.Sprint("object-", i), Fields: map[string]any{
			"sku": fmt.Sprintf("S-%07d", i), "title": fmt.Sprintf("The object with the number %d", i), "price": float64(i*7919%100_000) / 100, "year": 1950 + i%70,
			"category": []string{"shoes", "hats", "rugs", "lamps"}[i%4], "tags": []any{"new", "blue", i % 9}, "sold": i%3 == 0, "description": strings.Repeat("A few words about it. ", 5),
		}}
		if i >= objects-50 {
			in.Blobs = []bucketlite.BlobInput{{Property: "photo", Reader: bytes.NewReader(photo(b, i)), Filename: "photo.jpg"}}
		}
		if inputs = append(inputs, in); len(inputs) == 5000 || i == objects-1 {
			r, err := p.bucket.PutMany(ctx, inputs, nil)
			if err != nil || len(r.Failed) > 0 {
				b.Fatal(r, err)
			}
			inputs = inputs[:0]
		}
	}
	if p.api, err = httpapi.New(st, &httpapi.Options{Keys: []httpapi.Key{{Name: "bench", Secret: allKey}}, MaxStreams: 200, MaxStreamsPerKey: 200}); err != nil {
		b.Fatal(err)
	}
	if _, err := console.New(p.api, nil); err != nil {
		b.Fatal(err)
	}
	p.path = "/console/n/" + ns.ID() + "/b/" + p.bucket.ID() + "/"
	r := httptest.NewRequest("POST", "/console/signin", strings.NewReader(url.Values{"key": {allKey}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	p.cookie, _, _ = strings.Cut(p.answer(r, http.StatusSeeOther).Header().Get("Set-Cookie"), ";")
	return p
}

// photo is a picture of ordinary size.
func photo(b *testing.B, n int) []byte {
	m := image.NewYCbCr(image.Rect(0, 0, 640, 480), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = uint8(i * n >> 7)
	}
	m.Cb[0] = uint8(n) // each is another picture
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, m, nil); err != nil {
		b.Fatal(err)
	}
	return buf.Bytes()
}

func (p *bench) answer(r *http.Request, status int) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.api.ServeHTTP(w, r)
	if w.Code != status {
		p.Fatalf("%s: got status %d, want %d", r.URL, w.Code, status)
	}
	return w
}

func (p *bench) request(address string) *http.Request {
	r := httptest.NewRequest("GET", p.path+address, nil)
	r.Header.Set("Cookie", p.cookie)
	return r
}

// pages measures a page.
func (p *bench) pages(b *testing.B, address string) {
	p.B = b
	size := 0
	for b.Loop() {
		r := p.request(address)
		r.Header.Set("Accept-Encoding", "gzip")
		size = p.answer(r, http.StatusOK).Body.Len()
	}
	b.ReportMetric(float64(size), "gzip-B")
}

// part measures what a script asks for.
func (p *bench) part(b *testing.B, address string) {
	p.B = b
	for b.Loop() {
		r := p.request(address)
		r.Header.Set("Hx-Request", "true")
		p.answer(r, http.StatusOK)
	}
}

// link returns an address in a page.
func (p *bench) link(address string, pattern *regexp.Regexp) string {
	m := pattern.FindStringSubmatch(p.answer(p.request(address), http.StatusOK).Body.String())
	if m == nil {
		p.Fatalf("%s: got no %s", address, pattern)
	}
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

// grid measures the grid with the 50 thumbnails that it shows, which are in the cache.
func (p *bench) grid(b *testing.B) {
	p.B = b
	var pictures []string
	for _, m := range regexp.MustCompile(`src="(o/[^"]*)"`).FindAllStringSubmatch(p.answer(p.request("?view=grid"), http.StatusOK).Body.String(), -1) {
		pictures = append(pictures, m[1])
	}
	if len(pictures) != 50 {
		b.Fatalf("got %d pictures, want 50", len(pictures))
	}
	for _, address := range pictures { // for the cache
		p.answer(p.request(address), http.StatusOK)
	}
	for b.Loop() {
		p.answer(p.request("?view=grid"), http.StatusOK)
		for _, address := range pictures {
			p.answer(p.request(address), http.StatusOK)
		}
	}
}

// tabs measures the memory of 100 tabs that show the change feed.
func (p *bench) tabs(b *testing.B) {
	p.B = b
	const tabs = 100
	server := httptest.NewServer(p.api)
	defer server.Close()
	stream := p.link("live", regexp.MustCompile(`"(live/events[^"]*)"`))
	memory := func() float64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapInuse + m.StackInuse)
	}
	for b.Loop() {
		before := memory()
		ctx, cancel := context.WithCancel(context.Background())
		var readers []*bufio.Reader
		for range tabs {
			r, err := http.NewRequestWithContext(ctx, "GET", server.URL+p.path+stream, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Cookie", p.cookie)
			a, err := http.DefaultClient.Do(r)
			if err != nil || a.StatusCode != http.StatusOK {
				b.Fatal(a, err)
			}
			readers = append(readers, bufio.NewReader(a.Body))
		}
		if _, err := p.bucket.Put(ctx, bucketlite.ObjectInput{ID: "live", Fields: map[string]any{"sku": "live"}}, nil); err != nil {
			b.Fatal(err)
		}
		for _, r := range readers { // each has seen the change
			for line := ""; !strings.Contains(line, "live"); {
				var err error
				if line, err = r.ReadString('\n'); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric((memory()-before)/tabs/1024, "KiB/tab")
		cancel()
	}
}

package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/storetest"
)

// dear are documents whose values take much memory, of a number of bytes and at most
// so many values.
var dear = []struct {
	name string
	text func(bytes, values int) string
}{
	{"objects of one member", filled(`{"a":0}`, 2)},
	{"objects in objects", filled(strings.Repeat(`{"a":`, 90)+"0"+strings.Repeat("}", 90), 91)},
	{"empty objects", filled("{}", 1)},
	{"empty arrays", filled("[]", 1)},
	{"arrays in arrays", filled(strings.Repeat("[", 90)+strings.Repeat("]", 90), 90)},
	{"short strings", filled(`"abc"`, 1)},
	{"escapes", filled(`"\u00e9\n"`, 1)},
	{"numbers", filled("-1.25e7", 1)},
	{"one member names", filled(`{"abcdefgh":null}`, 2)},
	{"a long string", filled("0", 1)},
	{"a long string of escapes", func(bytes, _ int) string { return `{"a":"` + strings.Repeat(`\u00e9`, (bytes-8)/6) + `"}` }},
}

// filled returns documents with as many items as may be, and a string for the rest.
func filled(item string, values int) func(bytes, values int) string {
	return func(bytes, most int) string {
		n := min((most-3)/values, (bytes-100)/(len(item)+1))
		if item == "0" {
			n = 1
		}
		text := `{"a":[` + strings.Repeat(item+",", n-1) + item + `],"b":"`
		return text + strings.Repeat("x", bytes-len(text)-2) + `"}`
	}
}

// A body in memory is a small multiple of its limit, whatever is in it: its text and
// its values, and half of it more while it comes.
func TestBodyMemory(t *testing.T) {
	const most, mostPeak = 3.0, 4.5
	limit := 4 << 20
	if *storetest.Long {
		limit = defaultMaxBodyBytes
	}
	h, err := New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range dear {
		t.Run(doc.name, func(t *testing.T) {
			text := doc.text(limit, int(maxValues(int64(limit))))
			for i, read := range []struct {
				name string
				read func(*call) (any, error)
			}{
				{"object", func(c *call) (any, error) { return c.objectInput() }},
				{"form", func(c *call) (any, error) { return c.form() }},
				{"update", func(c *call) (any, error) { return c.objectUpdate() }},
			} {
				for _, announced := range []int64{int64(len(text)), -1} {
					if !*storetest.Long && (i > 0 || announced > 0) {
						continue
					}
					r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader(text)))
					r.ContentLength = announced
					c := &call{h: h, w: &answer{ResponseWriter: httptest.NewRecorder()}, r: r, limit: int64(limit)}
					var v any
					peak, kept := heapOf(func() {
						if v, err = read.read(c); err != nil {
							t.Fatal(err)
						}
					})
					runtime.KeepAlive(v)
					of := func(n int64) float64 { return float64(n) / float64(limit) }
					t.Logf("%s, announced %t: peak %.2f, kept %.2f times the limit", read.name, announced > 0, of(peak), of(kept))
					if of(kept) > most || of(peak) > mostPeak {
						t.Errorf("%s: got %.2f kept and a peak of %.2f times the limit, want at most %.2f and %.2f", read.name, of(kept), of(peak), most, mostPeak)
					}
				}
			}
		})
	}
}

// heapOf returns by how much the heap grew while f ran, at most and in the end.
func heapOf(f func()) (peak, kept int64) {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	sample := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtime.GC()
	runtimemetrics.Read(sample)
	before := int64(sample[0].Value.Uint64())
	stop, done := make(chan struct{}), make(chan int64)
	go func() {
		sample := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		top := int64(0)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			runtimemetrics.Read(sample)
			top = max(top, int64(sample[0].Value.Uint64()))
			select {
			case <-stop:
				done <- top
				return
			case <-tick.C:
			}
		}
	}()
	f()
	close(stop)
	peak = <-done - before
	runtime.GC()
	runtimemetrics.Read(sample)
	return peak, int64(sample[0].Value.Uint64()) - before
}

// A body that announces more than the limit, or is longer, or has more values, is
// refused with the limit it breaks.
func TestBodyLimits(t *testing.T) {
	t.Parallel()
	const limit = 4 << 20
	most := int(maxValues(limit))
	values := func(n int) string { return "[" + strings.Repeat("0,", n-2) + "0]" }
	for _, test := range []struct {
		name, text string
		announced  int64
		details    map[string]any // nil for a body that is taken
	}{
		{"at the limit", strings.Repeat(" ", limit), limit, nil},
		{"at the limit, unannounced", strings.Repeat(" ", limit), -1, nil},
		{"beyond it", strings.Repeat(" ", limit+1), limit + 1, map[string]any{"max_bytes": int64(limit)}},
		{"beyond it, unannounced", strings.Repeat(" ", limit+1), -1, map[string]any{"max_bytes": int64(limit)}},
		{"announced and not read", "", 1 << 40, map[string]any{"max_bytes": int64(limit)}},
		{"values at the limit", values(most), -1, nil},
		{"values beyond it", values(most + 1), -1, map[string]any{"max_values": int64(most)}},
		{"many empty arrays", "[" + strings.Repeat("[],", limit/3-1) + "[]]", -1, map[string]any{"max_values": int64(most)}},
		{"none", "", 0, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("POST", "/", strings.NewReader(test.text))
			r.ContentLength = test.announced
			c := &call{w: &answer{ResponseWriter: httptest.NewRecorder()}, r: r, limit: limit}
			data, err := c.body()
			var f *failure
			switch {
			case test.details == nil:
				if err != nil || string(data) != test.text {
					t.Errorf("got %d bytes and %v, want all %d", len(data), err, len(test.text))
				}
			case !errors.As(err, &f) || f.status != http.StatusRequestEntityTooLarge || fmt.Sprint(f.details) != fmt.Sprint(test.details):
				t.Errorf("got %+v, want a 413 with %v", err, test.details)
			}
		})
	}
}

// The announced length is not trusted before the bytes arrive.
func TestBodyAnnounced(t *testing.T) {
	r := io.MultiReader(bytes.NewReader(make([]byte, 1000)), iotestErr{})
	before := allocated()
	if _, err := readBody(io.NopCloser(r), 64<<20, 64<<20); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	if got := allocated() - before; got > 1<<20 {
		t.Errorf("got %d bytes allocated for 1000 that came, want less than a mebibyte", got)
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// Every route that reads a form has a limit, and none has less than the store takes.
func TestBodyOfRoutes(t *testing.T) {
	t.Parallel()
	want := map[string]int64{"/objects": objectBodyLimit, "/objects/batch": objectBodyLimit, "/uploads/batch": 16 << 20, "/objects/list": 1 << 20}
	for _, r := range routes {
		method, path, _ := strings.Cut(r.pattern, " ")
		rest := strings.TrimPrefix(path, "/v1/buckets/{bucket}")
		if limit, ok := want[rest]; ok && method == "POST" && min(bodyLimits[r.body], objectBodyLimit) != limit {
			t.Errorf("%s: got a limit of %d bytes, want %d", r.pattern, min(bodyLimits[r.body], objectBodyLimit), limit)
		}
		if (path == "/v1/buckets" || path == "/v1/namespaces") && method == "POST" && bodyLimits[r.body] != 3<<20 {
			t.Errorf("%s: got a limit of %d bytes, want 3 MiB", r.pattern, bodyLimits[r.body])
		}
	}
}

const objectBodyLimit int64 = defaultMaxBodyBytes

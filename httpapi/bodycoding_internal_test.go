package httpapi

import (
	"bytes"
	"compress/gzip"
	"net/http/httptest"
	"testing"
)

// A small body that becomes a large one is given up long before the limit of its route.
// The test is internal, since it measures the memory of one call.
func TestGzipMemory(t *testing.T) {
	const length, most = 256 << 20, 32 << 20
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for range length >> 20 {
		if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/", bytes.NewReader(b.Bytes()))
	r.Header.Set("Content-Encoding", "gzip")
	c := &call{w: &answer{ResponseWriter: httptest.NewRecorder()}, r: r, limit: defaultMaxBodyBytes}
	var err error
	peak, _ := heapOf(func() { _, err = c.body() })
	if f, ok := err.(*failure); !ok || f.details["max_ratio"] == nil {
		t.Errorf("got %v, want a refusal with max_ratio", err)
	}
	t.Logf("%d bytes: a peak of %.1f MiB", b.Len(), float64(peak)/(1<<20))
	if peak > most {
		t.Errorf("got a peak of %d bytes, want at most %d", peak, most)
	}
}

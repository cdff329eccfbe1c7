package httpapi_test

import (
	"context"
	"fmt"
	"image/color"
	"net/http"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// A page of one bucket, among few and among many. Without the counts both cost the same.
func BenchmarkListBuckets(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{10, 10_000} {
		st, err := bucketlite.Open(ctx, ":memory:", nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { st.Close() })
		s := serveOpen(b, st, &httpapi.Options{})
		ns, err := st.Namespace(ctx, "test")
		if err != nil {
			b.Fatal(err)
		}
		fields := make(map[string]bucketlite.Field)
		for i := range 5 {
			fields[fmt.Sprint("field_", i)] = bucketlite.Field{Type: bucketlite.String, Description: "a field"}
		}
		for i := range n {
			config := bucketlite.BucketConfig{Name: fmt.Sprint("bucket ", i), Schema: bucketlite.Schema{Properties: fields}}
			if _, err := ns.CreateBucket(ctx, config); err != nil {
				b.Fatal(err)
			}
		}
		for _, query := range []string{"limit=1&include_total=false&stats=false", "limit=1"} {
			b.Run(fmt.Sprintf("%d buckets/%s", n, query), func(b *testing.B) {
				s.do("GET", "/v1/buckets?"+query, nil).want(http.StatusOK) // before the clock runs
				b.ResetTimer()
				for b.Loop() {
					s.do("GET", "/v1/buckets?"+query, nil).want(http.StatusOK)
				}
			})
		}
	}
}

// A grid of 50 pictures whose thumbnails are in the cache.
func BenchmarkThumbs(b *testing.B) {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, ":memory:", nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { st.Close() })
	s := serveOpen(b, st, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	var urls []string
	for i := range 50 {
		data := picture(b, 400, 300, color.NRGBA{uint8(i), 100, 100, 255})
		urls = append(urls, s.bringPicture(fmt.Sprint(i), "a.png", "image/png", data)+"&thumb=320")
	}
	grid := func() {
		for _, url := range urls {
			s.anyone().do("GET", url, nil).want(http.StatusOK)
		}
	}
	grid()
	b.ResetTimer()
	for b.Loop() {
		grid()
	}
}

package proof_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// BenchmarkReverse compares pages of 50 in reverse order of creation with the same pages in
// order of creation: without indexes, and then with some.
func BenchmarkReverse(b *testing.B) {
	ctx := context.Background()
	_, bucket := benchBucket(b, bucketlite.DurabilityNormal, *objects)
	filter := bucketlite.Lt("stock", 50) // one in 20
	sort := func(by bucketlite.Sort) bucketlite.Query { return bucketlite.Query{Sort: []bucketlite.Sort{by}} }
	for _, c := range []struct {
		name  string
		query bucketlite.Query
	}{
		{"page", bucketlite.Query{}},
		{"page, selected", bucketlite.Query{Select: []string{"sku", "title", "price"}}},
		{"page at offset", bucketlite.Query{Offset: 5000}},
		{"page and total", bucketlite.Query{Total: true}},
		{"filtered", bucketlite.Query{Filter: filter}},
		{"filtered with total", bucketlite.Query{Filter: filter, Total: true}},
		{"sorted", sort(bucketlite.Desc("price"))},
		{"sorted by few values", sort(bucketlite.Asc("category"))},
	} {
		c.query.Limit = 50
		b.Run(c.name, func(b *testing.B) { versusReverse(b, bucket, c.query) })
	}
	b.Run("deep page", func(b *testing.B) {
		q := bucketlite.Query{Limit: bucketlite.MaxLimit}
		cursors := make(map[bool]string)
		for _, q.Reverse = range []bool{false, true} {
			q.Cursor = ""
			for n := 0; n < *objects/2; n += q.Limit {
				q.Cursor = listOf(b, bucket, q).Next
			}
			cursors[q.Reverse] = q.Cursor
		}
		page := func(reverse bool) func() {
			return func() { listOf(b, bucket, bucketlite.Query{Limit: 50, Reverse: reverse, Cursor: cursors[reverse]}) }
		}
		medians(b, page(true), page(false))
	})
	if err := bucket.EnsureIndex(ctx, "category", "price", "stock"); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		query bucketlite.Query
	}{
		{"index, many equal", bucketlite.Query{Filter: bucketlite.Eq("category", "hats")}},
		{"index, few equal", bucketlite.Query{Filter: bucketlite.Eq("stock", 5)}},
		{"index, range", bucketlite.Query{Filter: bucketlite.Lt("price", 1)}},
		{"index, ascending", sort(bucketlite.Asc("price"))},
		{"index, descending", sort(bucketlite.Desc("price"))},
		{"index, few values ascending", sort(bucketlite.Asc("category"))},
		{"index, few values descending", sort(bucketlite.Desc("category"))},
		{"index, ascending and filtered", bucketlite.Query{Filter: bucketlite.Contains("title", "7 with"), Sort: []bucketlite.Sort{bucketlite.Asc("price")}}},
		{"index, few values ascending and filtered", bucketlite.Query{Filter: bucketlite.Contains("title", "7 with"), Sort: []bucketlite.Sort{bucketlite.Asc("category")}}},
		{"index, ascending and scanned", bucketlite.Query{Filter: bucketlite.Eq("sku", "sku-000000001"), Sort: []bucketlite.Sort{bucketlite.Asc("price")}}},
	} {
		c.query.Limit = 50
		b.Run(c.name, func(b *testing.B) { versusReverse(b, bucket, c.query) })
	}
}

// listOf returns a page with results.
func listOf(b *testing.B, bucket *bucketlite.Bucket, q bucketlite.Query) *bucketlite.Page[*bucketlite.RawObject] {
	b.Helper()
	p, err := bucket.ListRaw(context.Background(), q)
	if err != nil || len(p.Results) == 0 {
		b.Fatalf("got %+v, %v, want results", p, err)
	}
	return p
}

// versusReverse measures a page in reverse beside the page that is not. They must have
// different objects unless they are sorted.
func versusReverse(b *testing.B, bucket *bucketlite.Bucket, q bucketlite.Query) {
	page := func(reverse bool) *bucketlite.Page[*bucketlite.RawObject] {
		q.Reverse = reverse
		return listOf(b, bucket, q)
	}
	ids := func(p *bucketlite.Page[*bucketlite.RawObject]) (ids []string) {
		for _, o := range p.Results {
			ids = append(ids, o.ID())
		}
		return ids
	}
	if up, down := ids(page(false)), ids(page(true)); len(q.Sort) == 0 && slices.Equal(up, down) || len(up) != len(down) {
		b.Fatalf("got %d objects and in reverse %d, want as many others", len(up), len(down))
	}
	medians(b, func() { page(true) }, func() { page(false) })
}

// medians runs two operations in turn, and reports the median of each in microseconds, and
// the ratio of their speeds. Medians of single operations depend little on other programs.
func medians(b *testing.B, ours, other func()) {
	b.Helper()
	var took [2][]time.Duration
	for b.Loop() {
		for i, f := range []func(){ours, other} {
			began := time.Now()
			f()
			took[i] = append(took[i], time.Since(began))
		}
	}
	var median [2]float64
	for i := range took {
		slices.Sort(took[i])
		median[i] = float64(took[i][len(took[i])/2].Nanoseconds()) / 1000
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median[0], "µs")
	b.ReportMetric(median[1], "other-µs")
	b.ReportMetric(median[1]/median[0], "ratio")
}

// BenchmarkCountUpTo compares a count up to 10,000 with the whole count: of one object in
// 20, without an index and with one.
func BenchmarkCountUpTo(b *testing.B) {
	ctx := context.Background()
	_, bucket := benchBucket(b, bucketlite.DurabilityNormal, *objects)
	filter := bucketlite.Lt("stock", 50)
	for _, indexed := range []bool{false, true} {
		name := "scan"
		if indexed {
			name = "index"
			if err := bucket.EnsureIndex(ctx, "stock"); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(name, func(b *testing.B) {
			all, err := bucket.Count(ctx, filter)
			if err != nil {
				b.Fatal(err)
			}
			most := min(10_000, all)
			medians(b, func() {
				if got, err := bucket.CountUpTo(ctx, bucketlite.Query{Filter: filter}, most); err != nil || got != most {
					b.Fatalf("got %d, %v, want %d", got, err, most)
				}
			}, func() {
				if got, err := bucket.Count(ctx, filter); err != nil || got != all {
					b.Fatalf("got %d, %v, want %d", got, err, all)
				}
			})
		})
	}
}

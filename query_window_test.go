package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// A page ends at its bytes or at its limit, has at least one object, and continues.
func TestPageBytes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	sizes := []int{100, 900, 5000, 100, 100, 100, 2000, 100}
	tests := map[string]struct {
		most  int64
		limit int
		want  []int // results on each page
	}{
		"by default all fit":      {0, 100, []int{8}},
		"limit first":             {0, 3, []int{3, 3, 2}},
		"bytes first":             {1500, 100, []int{2, 1, 3, 1, 1}},
		"both":                    {1500, 2, []int{2, 1, 2, 1, 1, 1}},
		"always one":              {1, 100, []int{1, 1, 1, 1, 1, 1, 1, 1}},
		"the last page is no cut": {1 << 20, 8, []int{8}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := storetest.Items(t, storetest.OpenMemory(t, &bucketlite.Options{MaxPageBytes: test.most}))
			for i, size := range sizes {
				storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), strings.Repeat("v", size)))
			}
			for _, sort := range [][]bucketlite.Sort{nil, {bucketlite.Asc("k")}} {
				var got []int
				met := ""
				q := bucketlite.Query{Limit: test.limit, Sort: sort, Total: true}
				for {
					page, err := b.List(ctx, q)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, len(page.Results))
					for _, o := range page.Results {
						met += o.Fields["k"].(string)
					}
					if page.Total != int64(len(sizes)) {
						t.Errorf("total: got %d, want %d", page.Total, len(sizes))
					}
					if q.Cursor = page.Next; page.Next == "" {
						break
					}
				}
				if diff := cmp.Diff(test.want, got); diff != "" || met != "01234567" {
					t.Errorf("sorted by %v: met %s, results (-want +got):\n%s", sort, met, diff)
				}
			}
		})
	}
}

// An offset is refused where a client that counts by it would miss objects, with the
// cursor that continues; nowhere else.
func TestOffsetOfPagesThatEndEarly(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t, &bucketlite.Options{MaxPageBytes: 1500}))
	for i, size := range []int{100, 100, 100, 100, 900, 900, 100, 100, 100, 100} {
		storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), strings.Repeat("v", size)))
	}
	if err := b.EnsureIndex(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		limit, offset int
		want          string // the keys on the page, or after the cursor
		refused       bool
	}{
		"before":              {2, 2, "23", false},
		"one at a time":       {1, 5, "5", false},
		"the page itself":     {4, 4, "5678", true},
		"a page before":       {2, 6, "56", true},
		"beyond the end":      {4, 12, "5678", true},
		"pages that just fit": {2, 3, "34", false},
	}
	sorts := map[string][]bucketlite.Sort{"in order of creation": nil, "sorted": {bucketlite.Asc("status"), bucketlite.Asc("k")}, "by an index": {bucketlite.Asc("k")}}
	for name, test := range tests {
		for how, sort := range sorts {
			t.Run(name+", "+how, func(t *testing.T) {
				q := bucketlite.Query{Limit: test.limit, Offset: test.offset, Sort: sort}
				page, err := b.List(ctx, q)
				var offset *bucketlite.OffsetError
				if refused := errors.As(err, &offset); refused != test.refused || refused != errors.Is(err, bucketlite.ErrTooLarge) {
					t.Fatalf("got %v, want it refused: %t", err, test.refused)
				}
				if test.refused {
					if offset.Offset != test.offset || offset.MaxBytes != 1500 || !strings.Contains(err.Error(), offset.Cursor) {
						t.Errorf("got %+v: %v", offset, err)
					}
					q.Offset, q.Cursor = 0, offset.Cursor
					page, err = b.List(ctx, q)
				}
				if err != nil {
					t.Fatal(err)
				}
				got := ""
				for _, o := range page.Results {
					got += o.Fields["k"].(string)
				}
				if got != test.want {
					t.Errorf("got objects %q, want %q", got, test.want)
				}
			})
		}
	}
	// An iterator continues by cursor whatever its offset.
	got := ""
	for o, err := range b.Objects(ctx, bucketlite.Query{Offset: 4, Limit: 5}) {
		if err != nil {
			t.Fatal(err)
		}
		got += o.Fields["k"].(string)
	}
	if got != "45678" {
		t.Errorf("iterator: got %q", got)
	}
}

// Pages of every kind of list end by bytes, and meet each member once.
func TestListsEndByBytes(t *testing.T) {
	t.Parallel()
	_, lists := storetest.NewVaried(t, bucketlite.Options{MaxPageBytes: 1})
	for name, l := range lists {
		for _, sort := range [][]bucketlite.Sort{nil, {bucketlite.Desc(l.ID)}} {
			q := bucketlite.Query{Sort: sort}
			all, err := l.Each(q)
			if err != nil || len(all) < 2 {
				t.Fatalf("%s: got %d, %v", name, len(all), err)
			}
			var paged []map[string]any
			for {
				page, err := l.Page(q)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if len(page.Results) != 1 {
					t.Fatalf("%s: got %d on a page, want 1", name, len(page.Results))
				}
				paged = append(paged, page.Results...)
				if q.Cursor = page.Next; page.Next == "" {
					break
				}
			}
			if diff := cmp.Diff(all, paged); diff != "" {
				t.Errorf("%s, sorted by %v (-all +paged):\n%s", name, sort, diff)
			}
			_, err = l.Page(bucketlite.Query{Sort: sort, Offset: 1})
			storetest.WantError(t, err, bucketlite.ErrTooLarge)
		}
	}
}

// Iterating over large objects holds a page in stored form, and one object decoded.
func TestIterateMemory(t *testing.T) {
	ctx := context.Background()
	n, size := 12, 1<<20
	if *storetest.Long {
		n, size = 100, 15<<20
	}
	st := storetest.Open(t, &bucketlite.Options{MaxPageBytes: int64(2 * size), Durability: bucketlite.DurabilityNormal})
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "large"})
	putLarge(t, b, n, size)
	whole := storetest.HeapPeak(func() {
		if _, err := b.Object(ctx, "0"); err != nil {
			t.Fatal(err)
		}
	})
	met := 0
	peak := storetest.HeapPeak(func() {
		for o, err := range b.Objects(ctx, bucketlite.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			met += len(o.Fields) / 2
		}
	})
	selected := storetest.HeapPeak(func() {
		page, err := b.List(ctx, bucketlite.Query{Select: []string{"n", "meta.a"}})
		if err != nil || fmt.Sprint(page.Results[0].Fields) != "map[meta:map[a:1] n:0]" {
			t.Errorf("selected: got %v, %v", page, err)
		}
	})
	t.Logf("%d objects of %d MiB: one takes %d MiB, all one by one %d, a selection %d", n, size>>20, whole>>20, peak>>20, selected>>20)
	if met != n {
		t.Errorf("met %d, want %d", met, n)
	}
	if most := 6 * whole; peak > most {
		t.Errorf("the heap grew by %d MiB, want at most %d", peak>>20, most>>20)
	}
	if most := int64(6 * size); selected > most {
		t.Errorf("with a selection the heap grew by %d MiB, want at most %d", selected>>20, most>>20)
	}
}

// putLarge stores n objects of about size bytes, most of which are small values.
func putLarge(t testing.TB, b *bucketlite.Bucket, n, size int) {
	t.Helper()
	list := make([]any, size/8)
	for i := range list {
		list[i] = 1000000 + i%1000000
	}
	for i := range n {
		storetest.Put(t, b, bucketlite.ObjectInput{ID: fmt.Sprint(i), Fields: map[string]any{"n": i, "meta": map[string]any{"a": 1, "b": list}}}, "")
	}
}

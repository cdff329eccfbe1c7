package bucketlite_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A scan ends with its context, even within the match of one object.
func TestScanEndsAmidMatches(t *testing.T) {
	t.Parallel()
	b := storetest.Items(t, storetest.Open(t))
	storetest.PutItem(t, b, storetest.Item("k", strings.Repeat("a", 50_000)))
	// All these matches take minutes.
	filter := bucketlite.Or(slices.Repeat([]bucketlite.Filter{bucketlite.Regex("v", `(?:`+strings.Repeat("a?", 20)+`){20}z`)}, 100)...)
	for name, scan := range scans {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		began := time.Now()
		if err := scan(ctx, b, filter); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v, want %v", name, err, context.DeadlineExceeded)
		}
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("%s: ended after %s", name, d)
		}
		cancel()
	}
}

// Short reads are not kept waiting by scans, however many there are.
func TestShortReadsBesideScans(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 2000, 10)
	if err := b.EnsureIndex(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	o := storetest.PutItem(t, b, storetest.Item("long", strings.Repeat("a", 50_000)))
	page := func(q bucketlite.Query) error { return storetest.ErrorOf(b.List(ctx, q)) }

	// Each of these scans takes minutes.
	filter := bucketlite.Or(slices.Repeat([]bucketlite.Filter{bucketlite.Regex("v", `(?:`+strings.Repeat("a?", 20)+`){20}z`)}, 100)...)
	scanning, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 8)
	for range cap(ended) {
		go func() { ended <- scans["Aggregate"](scanning, b, filter) }()
	}
	reads := map[string]func() error{
		"Object":         func() error { return storetest.ErrorOf(b.Object(ctx, o.ID)) },
		"ObjectByKey":    func() error { return storetest.ErrorOf(b.ObjectByKey(ctx, map[string]any{"k": "long"})) },
		"Info":           func() error { return storetest.ErrorOf(b.Info(ctx)) },
		"Stats":          func() error { return storetest.ErrorOf(b.Stats(ctx)) },
		"store's Stats":  func() error { return storetest.ErrorOf(st.Stats(ctx)) },
		"first page":     func() error { return page(bucketlite.Query{}) },
		"page and total": func() error { return page(bucketlite.Query{Total: true, Offset: 100}) },
		"index":          func() error { return page(bucketlite.Query{Filter: bucketlite.Eq("k", "long")}) },
		"index of few": func() error {
			return page(bucketlite.Query{Filter: bucketlite.Gte("k", "long"), Sort: []bucketlite.Sort{bucketlite.Asc("v")}})
		},
		"order of index": func() error { return page(bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Desc("k")}}) },
		"list": func() error {
			return storetest.ErrorOf(storetest.Namespace(t, st).ListBuckets(ctx, bucketlite.Query{}))
		},
	}
	for range 5 {
		for name, read := range reads {
			if err := read(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	select {
	case err := <-ended:
		t.Errorf("a scan ended before the reads: %v", err)
	default:
	}
	stop()
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("a scan that was cancelled: got %v, want %v", err, context.Canceled)
		}
	}
}

package bucketlitetest_test

import (
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
)

func TestClock(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := bucketlitetest.NewClock(start)
	b := items(t, bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Store: &bucketlite.Options{Now: clock.Now}}))
	created := func(k string) time.Time {
		t.Helper()
		mustPut(t, b, k)
		o, err := b.ObjectByKey(t.Context(), map[string]any{"k": k})
		if err != nil {
			t.Fatal(err)
		}
		return o.CreatedAt
	}
	if got := created("a"); !got.Equal(start) {
		t.Errorf("created at %v, want %v", got, start)
	}
	if got, want := clock.Advance(time.Hour), start.Add(time.Hour); !got.Equal(want) || !created("b").Equal(want) {
		t.Errorf("got %v after an hour, want it and the next object at %v", got, want)
	}
	clock.Set(start.Add(-time.Hour))
	if got, want := created("c"), start.Add(-time.Hour); !got.Equal(want) {
		t.Errorf("created at %v, want %v", got, want)
	}
	wantKeys(t, b, "a", "b", "c")
}

func TestClockAtOnce(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := bucketlitetest.NewClock(start)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				clock.Advance(time.Second)
				clock.Now()
			}
		})
	}
	wg.Wait()
	if got, want := clock.Now(), start.Add(800*time.Second); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

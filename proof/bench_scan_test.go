package proof_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// One object by its id, with nothing else going on and beside eight goroutines that
// scan 300,000 objects over and over. It reports percentiles in microseconds.
func BenchmarkObjectBesideScans(b *testing.B) {
	const objects, goroutines = 300_000, 8
	ctx := context.Background()
	bu := storetest.Items(b, storetest.Open(b))
	if err := storetest.FillItems(bu, objects, 200); err != nil {
		b.Fatal(err)
	}
	page, err := bu.List(ctx, bucketlite.Query{Limit: bucketlite.MaxLimit})
	if err != nil {
		b.Fatal(err)
	}
	for _, scans := range []int{0, goroutines} {
		b.Run(fmt.Sprintf("scans=%d", scans), func(b *testing.B) {
			scanning, stop := context.WithCancel(ctx)
			var running sync.WaitGroup
			for range scans {
				running.Go(func() {
					for scanning.Err() == nil {
						got, err := bu.Aggregate(scanning, bucketlite.Aggregation{
							Filter:  bucketlite.Contains("v", "no such text"),
							GroupBy: []bucketlite.GroupBy{{Field: "n"}}, Metrics: []bucketlite.Metric{{Function: bucketlite.MetricCount, Alias: "n"}},
						})
						if err == nil && got.TotalGroups != 0 || err != nil && !errors.Is(err, context.Canceled) {
							b.Errorf("scan: got %v, %v, want no group", got, err)
						}
					}
				})
			}
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				want := page.Results[i*7%len(page.Results)]
				began := time.Now()
				got, err := bu.Object(ctx, want.ID)
				took = append(took, time.Since(began))
				if err != nil || got.Fields["k"] != want.Fields["k"] {
					b.Fatalf("got %v, %v, want %s", got, err, want.ID)
				}
			}
			stop()
			running.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-µs")
		})
	}
}

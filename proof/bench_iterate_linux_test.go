package proof_test

import (
	"context"
	"runtime/debug"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// BenchmarkIterate reads all objects of a bucket one by one, and those a filter
// wants. It reports by how much the process's resident memory grew at its peak, in
// MiB, and fails beyond 32.
func BenchmarkIterate(b *testing.B) {
	ctx := context.Background()
	_, bucket := benchBucket(b, bucketlite.DurabilityNormal, *objects)
	for name, q := range map[string]bucketlite.Query{
		"all":      {},
		"filtered": {Filter: bucketlite.Gt("stock", 500)},
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				debug.FreeOSMemory()
				before, n := residentPeak(b), 0
				for _, err := range bucket.Objects(ctx, q) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				grown := float64(residentPeak(b)-before) / 1024
				b.ReportMetric(grown, "grown-MiB")
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "objects/s")
				if n < *objects/3 || grown > 32 {
					b.Errorf("%d objects, and resident memory grew by %.1f MiB, want at most 32", n, grown)
				}
			}
		})
	}
}

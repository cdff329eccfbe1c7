package proof_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// BenchmarkByQuery patches and deletes 100,000 records of a bucket by a filter, and others
// one by one as a program would: it lists them, and changes each. Small puts are measured
// alone and beside the changes; percentiles are in microseconds.
func BenchmarkByQuery(b *testing.B) {
	const many, each = 100_000, 10_000
	ctx := context.Background()
	filter := bucketlite.Query{Filter: bucketlite.Gte("price", 0)}
	patch := bucketlite.ObjectInput{Fields: map[string]any{"stock": 5, "title": "patched"}}
	for _, d := range durabilities {
		b.Run(d.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				_, bu := benchBucket(b, d.Durability, many+each)
				b.StartTimer()
				patchEach := timed(b, func() error {
					for o, err := range bu.Objects(ctx, bucketlite.Query{Filter: filter.Filter, Limit: each}) {
						if err == nil {
							_, err = bu.Patch(ctx, o.ID, patch, nil)
						}
						if err != nil {
							return err
						}
					}
					return nil
				})
				deleteEach := timed(b, func() error {
					for o, err := range bu.Objects(ctx, bucketlite.Query{Filter: filter.Filter, Limit: each}) {
						if err == nil {
							err = bu.DeleteObject(ctx, o.ID, nil)
						}
						if err != nil {
							return err
						}
					}
					return nil
				})
				patchMany := timed(b, func() error { return changedAll(many)(bu.PatchObjects(ctx, filter, patch, nil)) })
				deleteMany := timed(b, func() error { return changedAll(many)(bu.DeleteObjects(ctx, filter, nil)) })
				count(b, bu, 0)
				perSecond := func(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }
				b.ReportMetric(perSecond(each, patchEach), "patch-each/s")
				b.ReportMetric(perSecond(many, patchMany), "patch-query/s")
				b.ReportMetric(perSecond(many, patchMany)/perSecond(each, patchEach), "patch-ratio")
				b.ReportMetric(perSecond(each, deleteEach), "delete-each/s")
				b.ReportMetric(perSecond(many, deleteMany), "delete-query/s")
				b.ReportMetric(perSecond(many, deleteMany)/perSecond(each, deleteEach), "delete-ratio")
			}
		})
	}
}

// BenchmarkByQueryBesideWriters measures small puts alone, and beside a deletion and a patch
// of 20,000 records.
func BenchmarkByQueryBesideWriters(b *testing.B) {
	const many = 20_000
	ctx := context.Background()
	filter := bucketlite.Query{Filter: bucketlite.Gte("price", 0)}
	for b.Loop() {
		b.StopTimer()
		st, bu := benchBucket(b, bucketlite.DurabilityNormal, many)
		small := storetest.Items(b, st)
		b.StartTimer()
		puts := func(work func() error) (took []time.Duration, worked time.Duration) {
			ended := make(chan error, 1)
			began := time.Now()
			go func() { ended <- work() }()
			for i := 0; ; i++ {
				select {
				case err := <-ended:
					storetest.Must(b, err)
					slices.Sort(took)
					return took, time.Since(began)
				default:
				}
				began := time.Now()
				storetest.Must(b, storetest.ErrorOf(small.Put(ctx, storetest.Item(fmt.Sprint(i), "small"), nil)))
				took = append(took, time.Since(began))
			}
		}
		p99 := func(took []time.Duration) float64 { return float64(took[len(took)*99/100].Microseconds()) }
		alone, _ := puts(func() error { time.Sleep(3 * time.Second); return nil })
		besidePatch, patching := puts(func() error {
			return changedAll(many)(bu.PatchObjects(ctx, filter, bucketlite.ObjectInput{Fields: map[string]any{"title": "patched"}}, nil))
		})
		besideDelete, deleting := puts(func() error { return changedAll(many)(bu.DeleteObjects(ctx, filter, nil)) })
		b.ReportMetric(p99(alone), "put-p99-alone-µs")
		b.ReportMetric(p99(besidePatch), "put-p99-beside-patch-µs")
		b.ReportMetric(p99(besideDelete), "put-p99-beside-delete-µs")
		b.ReportMetric(float64(patching.Milliseconds()), "patch-ms")
		b.ReportMetric(float64(deleting.Milliseconds()), "delete-ms")
	}
}

// timed returns how long f takes.
func timed(b *testing.B, f func() error) time.Duration {
	b.Helper()
	began := time.Now()
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

// changedAll returns a check that n or more objects were changed, and none was refused.
func changedAll(n int64) func(*bucketlite.BulkResult, error) error {
	return func(r *bucketlite.BulkResult, err error) error {
		if err == nil && (r.Changed < n || r.Failed > 0) {
			err = fmt.Errorf("got %+v, want %d objects changed", r, n)
		}
		return err
	}
}

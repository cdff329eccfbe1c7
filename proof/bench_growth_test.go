package proof_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// BenchmarkGrowth reads the growth of 30 days and the counts by status of a bucket with a
// million records that were put over 50 days: from counts, and as long as the background has
// counted none of them.
func BenchmarkGrowth(b *testing.B) {
	const many = 1_000_000
	ctx := context.Background()
	begin := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	var put atomic.Int64
	now := func() time.Time { return begin.Add(time.Duration(put.Load()) * (50 * 24 * time.Hour / many)) }
	path := filepath.Join(b.TempDir(), "bench.db")
	open := func(readOnly bool) (*bucketlite.Store, *bucketlite.Bucket) {
		st, err := bucketlite.Open(ctx, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal, ReadOnly: readOnly, Now: now})
		storetest.Must(b, err)
		if !readOnly {
			_, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"})
			storetest.Must(b, err)
			return st, storetest.Bucket(b, st, bucketlite.BucketConfig{Name: "records", Schema: recordSchema})
		}
		bu, err := storetest.Namespace(b, st).Bucket(ctx, "records")
		storetest.Must(b, err)
		return st, bu
	}
	st, bu := open(false)
	inputs := (&records{}).take(1000)
	for put.Load() < many {
		res, err := bu.PutMany(ctx, inputs, nil)
		if err != nil || len(res.Failed) > 0 {
			b.Fatal(err, res.Failed)
		}
		put.Add(int64(len(inputs)))
	}
	run := func(name string, bu *bucketlite.Bucket) {
		for _, unit := range []bucketlite.DateUnit{bucketlite.UnitDay, bucketlite.UnitHour} {
			b.Run(name+"/"+string(unit), func(b *testing.B) {
				to := now().Add(time.Minute)
				for b.Loop() {
					growth, err := bu.Growth(ctx, to.AddDate(0, 0, -30), to, unit)
					storetest.Must(b, err)
					if last := growth[len(growth)-1]; last.Objects != many {
						b.Fatalf("got %+v at last, want %d objects", last, many)
					}
				}
			})
		}
		b.Run(name+"/status", func(b *testing.B) {
			for b.Loop() {
				counts, err := bu.StatusCounts(ctx)
				if err != nil || counts[bucketlite.StatusDraft] != many {
					b.Fatalf("got %v, %v, want %d drafts", counts, err, many)
				}
			}
		})
	}
	run("counted", bu)
	storetest.Must(b, st.Close()) // its background would count them
	storetest.Execute(b, storetest.OpenRaw(b, path), storetest.Uncount)
	st, bu = open(true)
	run("uncounted", bu)
	storetest.Must(b, st.Close())
}

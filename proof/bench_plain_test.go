package proof_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// BenchmarkPlainIO compares a store with one that has Options.PlainIO.
func BenchmarkPlainIO(b *testing.B) {
	ctx := context.Background()
	put := func(b *testing.B, bucket *bucketlite.Bucket, inputs []bucketlite.ObjectInput, g int) {
		goroutines(g, len(inputs), func(i int) {
			if _, err := bucket.Put(ctx, inputs[i], nil); err != nil {
				b.Error(err)
			}
		})
	}
	putMany := func(b *testing.B, bucket *bucketlite.Bucket, inputs []bucketlite.ObjectInput, g int) {
		for left := inputs; len(left) > 0; left = left[min(g, len(left)):] {
			if _, err := bucket.PutMany(ctx, left[:min(g, len(left))], nil); err != nil {
				b.Error(err)
			}
		}
	}
	for _, d := range durabilities {
		for _, work := range []struct {
			name string
			g    int
			do   func(b *testing.B, bucket *bucketlite.Bucket, inputs []bucketlite.ObjectInput, g int)
		}{{"Put/goroutines", 1, put}, {"Put/goroutines", 32, put}, {"PutMany/inputs", 1000, putMany}} {
			b.Run(fmt.Sprintf("%s/%s=%d", d.name, work.name, work.g), func(b *testing.B) {
				_, joined := benchBucketIn(b, &bucketlite.Options{Durability: d.Durability}, 0)
				_, plain := benchBucketIn(b, &bucketlite.Options{Durability: d.Durability, PlainIO: true}, 0)
				var source records
				inputs := source.take(b.N)
				next := map[*bucketlite.Bucket]int{}
				of := func(bucket *bucketlite.Bucket) func(int) {
					return func(n int) {
						at := next[bucket]
						next[bucket] += n
						work.do(b, bucket, inputs[at:at+n], work.g)
					}
				}
				b.ResetTimer()
				versus(b, of(joined), of(plain))
				b.StopTimer()
				count(b, joined, b.N)
				count(b, plain, b.N)
			})
		}
	}
}

package proof_test

import (
	"context"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// BenchmarkApply applies sets of 2 and of 1,000 puts. The twins are two calls of Put, and
// one atomic PutMany; an operation is one set.
func BenchmarkApply(b *testing.B) {
	ctx := context.Background()
	for _, size := range []struct {
		name string
		n    int
	}{{"2", 2}, {"1000", 1000}} {
		for name, d := range map[string]bucketlite.Durability{"full": bucketlite.DurabilityFull, "normal": bucketlite.DurabilityNormal} {
			b.Run(size.name+"/"+name, func(b *testing.B) {
				st, bucket := benchBucket(b, d, 0)
				var source records
				inputs := source.take(2 * size.n * b.N)
				take := func() []bucketlite.ObjectInput {
					set := inputs[:size.n]
					inputs = inputs[size.n:]
					return set
				}
				apply := func(n int) {
					for range n {
						var set []bucketlite.Change
						for _, in := range take() {
							set = append(set, bucket.PutChange(in, nil))
						}
						if _, err := st.Apply(ctx, set...); err != nil {
							b.Fatal(err)
						}
					}
				}
				twin := func(n int) {
					for range n {
						if set := take(); size.n > 2 {
							if _, err := bucket.PutMany(ctx, set, &bucketlite.PutManyOptions{Atomic: true}); err != nil {
								b.Fatal(err)
							}
						} else {
							for _, in := range set {
								if _, err := bucket.Put(ctx, in, nil); err != nil {
									b.Fatal(err)
								}
							}
						}
					}
				}
				b.ResetTimer()
				versus(b, apply, twin)
				b.StopTimer()
				count(b, bucket, 2*size.n*b.N)
			})
		}
	}
}

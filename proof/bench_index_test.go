package proof_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// benchIndexes are the indexes that writes are measured with.
var benchIndexes = []struct {
	name   string
	values []string
	text   []string // nil: no text index; empty: of all texts
}{
	{"values=1", []string{"category"}, nil},
	{"values=3", []string{"category", "price", "title"}, nil},
	{"text=title", nil, []string{"title"}},
	{"text=all", nil, []string{}},
}

// BenchmarkPutIndexed compares writing to a bucket that has indexes with writing to
// one that has none.
func BenchmarkPutIndexed(b *testing.B) {
	ctx := context.Background()
	for _, d := range durabilities {
		for _, indexes := range benchIndexes {
			for _, size := range []int{1, 1000} {
				b.Run(fmt.Sprintf("%s/%s/batch=%d", d.name, indexes.name, size), func(b *testing.B) {
					_, bucket := benchBucket(b, d.Durability, 0)
					_, plain := benchBucket(b, d.Durability, 0)
					storetest.Ensure(b, bucket, indexes.values...)
					if indexes.text != nil {
						storetest.EnsureText(b, bucket, indexes.text...)
					}
					var source records
					inputs := source.take(b.N)
					write := func(to *bucketlite.Bucket, inputs []bucketlite.ObjectInput) {
						for start := 0; start < len(inputs); start += size {
							some := inputs[start:min(start+size, len(inputs))]
							var err error
							if size == 1 {
								_, err = to.Put(ctx, some[0], nil)
							} else {
								err = storetest.PutManyError(to.PutMany(ctx, some, nil))
							}
							if err != nil {
								b.Fatal(err)
							}
						}
					}
					var mine, theirs int
					b.ResetTimer()
					versus(b, func(n int) {
						write(bucket, inputs[mine:mine+n])
						mine += n
					}, func(n int) {
						write(plain, inputs[theirs:theirs+n])
						theirs += n
					})
					b.StopTimer()
					count(b, bucket, b.N)
				})
			}
		}
	}
}

// BenchmarkEnsureIndex builds an index of b.N objects, with the pauses that let
// others write.
func BenchmarkEnsureIndex(b *testing.B) {
	for _, d := range durabilities {
		for _, indexes := range benchIndexes {
			b.Run(fmt.Sprintf("%s/%s", d.name, indexes.name), func(b *testing.B) {
				_, bucket := benchBucket(b, d.Durability, b.N)
				b.ResetTimer()
				storetest.Ensure(b, bucket, indexes.values...)
				if indexes.text != nil {
					storetest.EnsureText(b, bucket, indexes.text...)
				}
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e5, "s/100k")
			})
		}
	}
}

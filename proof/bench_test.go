package proof_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// Every benchmark runs the library and a hand-written twin on the bare driver,
// in turn, in one run, and reports their times and the ratio of their speeds
// (ratio 0.8: the library does 0.8 operations in the time of one of the twin's).
// The twin has the same table with the same indexes and durability, prepared
// statements, and rows that were encoded beforehand.

// versus times n operations of each side, in turn, in ten rounds.
func versus(b *testing.B, ours, twin func(n int)) {
	b.Helper()
	b.ReportAllocs()
	const rounds = 10
	var times [2]time.Duration
	done := 0
	for round := range rounds {
		n := b.N*(round+1)/rounds - done
		if n == 0 {
			continue
		}
		done += n
		for i, side := range []func(int){ours, twin} {
			if i == 1 {
				b.StopTimer()
			}
			start := time.Now()
			side(n)
			times[i] += time.Since(start)
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(times[1].Nanoseconds())/float64(b.N), "twin-ns/op")
	b.ReportMetric(float64(times[1])/float64(times[0]), "ratio")
}

// record makes the fields of object n: ten of them, about 400 bytes.
func newRecord(n int) map[string]any {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	return map[string]any{
		"sku":       fmt.Sprintf("sku-%09d", n),
		"title":     fmt.Sprintf("Red sneaker number %d with a rather long title", n),
		"body":      fmt.Sprintf("%x %x %x %x %x %x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()),
		"category":  []string{"shoes", "shirts", "hats", "socks"}[r.IntN(4)],
		"price":     float64(r.IntN(100000)) / 100,
		"stock":     r.IntN(1000),
		"active":    r.IntN(2) == 0,
		"released":  "2024-05-06",
		"updated":   "2024-05-06T07:08:09Z",
		"publisher": "The Acme Publishing Company of Springfield",
	}
}

var recordSchema = bucketlite.Schema{Properties: map[string]bucketlite.Field{
	"sku": {Type: bucketlite.String}, "title": {Type: bucketlite.String, Required: true}, "body": {Type: bucketlite.String},
	"category": {Type: bucketlite.String, Enum: []any{"shoes", "shirts", "hats", "socks"}}, "price": {Type: bucketlite.Number},
	"stock": {Type: bucketlite.Integer}, "active": {Type: bucketlite.Boolean}, "released": {Type: bucketlite.Date},
	"updated": {Type: bucketlite.DateTime}, "publisher": {Type: bucketlite.String},
}}

// records are inputs made outside the timed part; the n-th run of a benchmark
// gets numbers of its own.
type records struct {
	mu   sync.Mutex
	next int
}

func (r *records) take(n int) []bucketlite.ObjectInput {
	r.mu.Lock()
	defer r.mu.Unlock()
	inputs := make([]bucketlite.ObjectInput, n)
	for i := range inputs {
		inputs[i].Fields = newRecord(r.next)
		r.next++
	}
	return inputs
}

// benchBucket makes a bucket with n records in a store of its own.
func benchBucket(b *testing.B, d bucketlite.Durability, n int) (*bucketlite.Store, *bucketlite.Bucket) {
	b.Helper()
	return benchBucketIn(b, &bucketlite.Options{Durability: d}, n)
}

// benchBucketIn is benchBucket with options.
func benchBucketIn(b *testing.B, opts *bucketlite.Options, n int) (*bucketlite.Store, *bucketlite.Bucket) {
	b.Helper()
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, filepath.Join(b.TempDir(), "bench.db"), opts)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := st.Close(); err != nil {
			b.Error(err)
		}
	})
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	bucket, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "records", Schema: recordSchema,
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Insert}})
	if err != nil {
		b.Fatal(err)
	}
	fill(b, bucket, n)
	return st, bucket
}

func fill(b *testing.B, bucket *bucketlite.Bucket, n int) {
	b.Helper()
	var source records
	for left := n; left > 0; left -= bucketlite.MaxPutMany {
		res, err := bucket.PutMany(context.Background(), source.take(min(left, bucketlite.MaxPutMany)), nil)
		if err != nil || len(res.Failed) > 0 {
			b.Fatal(err, res.Failed)
		}
	}
}

// count verifies that the bucket holds n objects.
func count(b *testing.B, bucket *bucketlite.Bucket, n int) {
	b.Helper()
	stats, err := bucket.Stats(context.Background())
	if err != nil || stats.ObjectCount != int64(n) {
		b.Fatalf("got %d objects, %v, want %d", stats.ObjectCount, err, n)
	}
}

// goroutines runs f for each index below n, spread over g goroutines.
func goroutines(g, n int, f func(i int)) {
	var wg sync.WaitGroup
	for w := range g {
		wg.Go(func() {
			for i := w; i < n; i += g {
				f(i)
			}
		})
	}
	wg.Wait()
}

var durabilities = []struct {
	name string
	bucketlite.Durability
}{{"FULL", bucketlite.DurabilityFull}, {"NORMAL", bucketlite.DurabilityNormal}}

// BenchmarkPut compares with one row a transaction, and for many goroutines also
// with a bare group commit.
func BenchmarkPut(b *testing.B) {
	ctx := context.Background()
	for _, d := range durabilities {
		for _, g := range []int{1, 32} {
			twins := []string{"row"}
			if g > 1 {
				twins = append(twins, "group")
			}
			for _, kind := range twins {
				b.Run(fmt.Sprintf("%s/goroutines=%d/twin=%s", d.name, g, kind), func(b *testing.B) {
					_, bucket := benchBucket(b, d.Durability, 0)
					twin := newTwin(b, d.name)
					put := twin.put
					if kind == "group" {
						put = twin.groupPut
					}
					var source records
					inputs := source.take(b.N)
					rows := twin.rows(inputs)
					var mine, theirs int
					b.ResetTimer()
					versus(b, func(n int) {
						goroutines(g, n, func(i int) {
							if _, err := bucket.Put(ctx, inputs[mine+i], nil); err != nil {
								b.Error(err)
							}
						})
						mine += n
					}, func(n int) {
						goroutines(g, n, func(i int) { put(rows[theirs+i]) })
						theirs += n
					})
					b.StopTimer()
					count(b, bucket, b.N)
					twin.count(b.N)
				})
			}
		}
	}
}

// BenchmarkPutMany puts 1,000 records at a time; an operation is one record.
func BenchmarkPutMany(b *testing.B) {
	ctx := context.Background()
	for _, d := range durabilities {
		b.Run(d.name, func(b *testing.B) {
			_, bucket := benchBucket(b, d.Durability, 0)
			twin := newTwin(b, d.name)
			var source records
			inputs := source.take(b.N)
			rows := twin.rows(inputs)
			var mine, theirs int
			b.ResetTimer()
			versus(b, func(n int) {
				for end := mine + n; mine < end; {
					size := min(end-mine, 1000)
					res, err := bucket.PutMany(ctx, inputs[mine:mine+size], nil)
					if err != nil || len(res.Succeeded) != size {
						b.Fatal(err, res.Failed)
					}
					mine += size
				}
			}, func(n int) {
				for end := theirs + n; theirs < end; {
					size := min(end-theirs, 1000)
					twin.bulk(rows[theirs : theirs+size])
					theirs += size
				}
			})
			b.StopTimer()
			count(b, bucket, b.N)
			twin.count(b.N)
		})
	}
}

const stored = 10_000 // records in a bucket that is read

// BenchmarkObject reads objects one by one, by their id and by their key.
func BenchmarkObject(b *testing.B) {
	b.Run("usual", func(b *testing.B) { benchmarkObject(b, &bucketlite.Options{}) })
	b.Run("held", func(b *testing.B) { benchmarkObject(b, &bucketlite.Options{HoldSnapshots: true}) })
}

func benchmarkObject(b *testing.B, opts *bucketlite.Options) {
	ctx := context.Background()
	opts.Durability = bucketlite.DurabilityNormal
	_, bucket := benchBucketIn(b, opts, stored)
	twin := newTwin(b, "NORMAL")
	var source records
	twin.bulk(twin.rows(source.take(stored)))
	var ids []string
	for o, err := range bucket.Objects(ctx, bucketlite.Query{}) {
		if err != nil {
			b.Fatal(err)
		}
		ids = append(ids, o.ID)
	}
	r := rand.New(rand.NewPCG(2, 2))
	check := func(fields map[string]any, i int) {
		if want := fmt.Sprintf("sku-%09d", i); fields["sku"] != want || len(fields) != 10 {
			b.Fatalf("got %v, want %s", fields, want)
		}
	}
	b.Run("id", func(b *testing.B) {
		versus(b, func(n int) {
			for range n {
				i := r.IntN(stored)
				o, err := bucket.Object(ctx, ids[i])
				if err != nil {
					b.Fatal(err)
				}
				check(o.Fields, i)
			}
		}, func(n int) {
			for range n {
				i := r.IntN(stored)
				check(twin.get("id", twin.id(i)), i)
			}
		})
	})
	b.Run("key", func(b *testing.B) {
		versus(b, func(n int) {
			for range n {
				i := r.IntN(stored)
				o, err := bucket.ObjectByKey(ctx, map[string]any{"sku": fmt.Sprintf("sku-%09d", i)})
				if err != nil {
					b.Fatal(err)
				}
				check(o.Fields, i)
			}
		}, func(n int) {
			for range n {
				i := r.IntN(stored)
				check(twin.get("key", twin.key(i)), i)
			}
		})
	})
}

// BenchmarkUpsert replaces existing records, one a call and 1,000 a call.
func BenchmarkUpsert(b *testing.B) {
	ctx := context.Background()
	for _, d := range durabilities {
		_, bucket := benchBucket(b, d.Durability, stored)
		twin := newTwin(b, d.name)
		var source records
		inputs := source.take(stored)
		for i := range inputs {
			inputs[i].Fields["stock"] = 7
		}
		rows := twin.rows(inputs)
		twin.bulk(rows)
		r := rand.New(rand.NewPCG(3, 3))
		b.Run(d.name+"/one", func(b *testing.B) {
			versus(b, func(n int) {
				for range n {
					res, err := bucket.Put(ctx, inputs[r.IntN(stored)], &bucketlite.PutOptions{Policy: bucketlite.Upsert})
					if err != nil || res.Created {
						b.Fatal(err, "created")
					}
				}
			}, func(n int) {
				for range n {
					twin.upsert(rows[r.IntN(stored)])
				}
			})
		})
		b.Run(d.name+"/batch", func(b *testing.B) {
			versus(b, func(n int) {
				for ; n > 0; n -= 1000 {
					at := r.IntN(stored - 1000)
					res, err := bucket.PutMany(ctx, inputs[at:at+min(n, 1000)], &bucketlite.PutManyOptions{Policy: bucketlite.Upsert})
					if err != nil || len(res.Failed) > 0 {
						b.Fatal(err, res.Failed)
					}
				}
			}, func(n int) {
				for ; n > 0; n -= 1000 {
					at := r.IntN(stored - 1000)
					twin.bulkUpsert(rows[at : at+min(n, 1000)])
				}
			})
		})
		count(b, bucket, stored)
		twin.count(stored)
	}
}

func BenchmarkValidate(b *testing.B) {
	ctx := context.Background()
	_, bucket := benchBucket(b, bucketlite.DurabilityNormal, 0)
	var source records
	inputs := source.take(1000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := bucket.Validate(ctx, inputs[i%len(inputs)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// sizes are the numbers of objects at which reads must cost the same.
var sizes = []int{1_000, 1_000_000}

func BenchmarkStats(b *testing.B) {
	ctx := context.Background()
	for _, n := range sizes {
		b.Run(fmt.Sprintf("objects=%d", n), func(b *testing.B) {
			_, bucket := benchBucket(b, bucketlite.DurabilityNormal, n)
			b.ReportAllocs()
			for b.Loop() {
				if s, err := bucket.Stats(ctx); err != nil || s.ObjectCount != int64(n) || s.Storage.Min == 0 {
					b.Fatal(s, err)
				}
			}
		})
	}
}

func BenchmarkNewStore(b *testing.B) {
	file := filepath.Join(b.TempDir(), "bench.db")
	for _, path := range []string{":memory:", file} {
		b.Run(map[bool]string{true: "file", false: "memory"}[path == file], func(b *testing.B) {
			for b.Loop() {
				st, err := bucketlite.Open(context.Background(), path, &bucketlite.Options{Reserve: -1})
				if err != nil {
					b.Fatal(err)
				}
				if err := st.Close(); err != nil {
					b.Fatal(err)
				}
				if path == file {
					if err := os.Remove(file); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	ctx := context.Background()
	for _, n := range sizes {
		b.Run(fmt.Sprintf("objects=%d", n), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "bench.db")
			st, err := bucketlite.Open(ctx, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
			if err != nil {
				b.Fatal(err)
			}
			ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "bench"})
			if err != nil {
				b.Fatal(err)
			}
			bucket, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "records", Schema: recordSchema})
			if err != nil {
				b.Fatal(err)
			}
			fill(b, bucket, n)
			if err := st.Close(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				st, err := bucketlite.Open(ctx, path, nil)
				if err != nil {
					b.Fatal(err)
				}
				if err := st.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("objects=%d", n), func(b *testing.B) {
			st, _ := benchBucket(b, bucketlite.DurabilityNormal, n)
			b.ReportAllocs()
			for b.Loop() {
				report, err := st.Check(context.Background(), nil)
				if err == nil {
					err = report.Err()
				}
				if err != nil || report.Objects != int64(n) {
					b.Fatal(report, err)
				}
			}
		})
	}
}

// BenchmarkProcess is what a job costs beside its handler, which does nothing.
func BenchmarkProcess(b *testing.B) {
	ctx := context.Background()
	for _, d := range durabilities {
		for _, concurrency := range []int{2, 64} {
			b.Run(fmt.Sprintf("%s/concurrency=%d", d.name, concurrency), func(b *testing.B) {
				const n = 10_000
				st, bucket := benchBucket(b, d.Durability, n)
				var ids []string
				for o, err := range bucket.Objects(ctx, bucketlite.Query{}) {
					if err != nil {
						b.Fatal(err)
					}
					ids = append(ids, o.ID)
				}
				b.ReportAllocs()
				b.ResetTimer()
				for done := 0; done < b.N; done += n {
					some := ids[:min(n, b.N-done)]
					b.StopTimer()
					batch, err := bucket.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: some})
					if err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					task, err := bucket.SubmitBatch(ctx, batch.ID)
					if err != nil {
						b.Fatal(err)
					}
					err = st.Process(ctx, func(context.Context, *bucketlite.Job) error { return nil },
						&bucketlite.ProcessOptions{Concurrency: concurrency, UntilIdle: true})
					if err != nil {
						b.Fatal(err)
					}
					b.StopTimer()
					if task, err = st.Task(ctx, task.ID); err != nil || task.Status != bucketlite.StatusCompleted || task.Processed != int64(len(some)) {
						b.Fatalf("got %+v, %v", task, err)
					}
					b.StartTimer()
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
			})
		}
	}
}

package proof_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// noise reads n bytes that no other noise has.
func noise(n int64) io.Reader { return io.LimitReader(&noiseReader{seed: noises.Add(1)}, n) }

var noises atomic.Uint64

// noiseReader repeats one random block, and counts its copies in it.
type noiseReader struct {
	seed  uint64
	block []byte
	at    int
}

func (r *noiseReader) Read(p []byte) (n int, err error) {
	if r.block == nil {
		r.block = make([]byte, 1<<20)
		rand.NewChaCha8([32]byte{byte(r.seed), byte(r.seed >> 8)}).Read(r.block)
	}
	n = copy(p, r.block[r.at:])
	if r.at += n; r.at == len(r.block) {
		r.at = 0
		binary.LittleEndian.PutUint64(r.block, binary.LittleEndian.Uint64(r.block)+1)
	}
	return n, nil
}

// blobBucket is a bucket whose objects have a file each.
func blobBucket(b *testing.B, d bucketlite.Durability) *bucketlite.Bucket {
	b.Helper()
	st := storetest.OpenPath(b, filepath.Join(b.TempDir(), "bench.db"), &bucketlite.Options{Durability: d})
	return storetest.Bucket(b, st, bucketlite.BucketConfig{Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"n": {Type: bucketlite.Integer}, "file": {Type: bucketlite.Video},
	}}})
}

// putNoise stores an object with n bytes and returns its id.
func putNoise(b *testing.B, bucket *bucketlite.Bucket, n int64) string {
	res, err := bucket.Put(context.Background(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{
		{Property: "file", Reader: noise(n), MIMEType: "video/x-noise"}}}, nil)
	if err != nil {
		b.Error(err)
		return ""
	}
	return res.Object.ID
}

// chunkTwin stores bytes as rows of a table, on the bare driver: no hash, no
// checksum, nothing shared.
type chunkTwin struct {
	b   *testing.B
	db  *sql.DB
	num int64
}

const twinChunk = 256 << 10

func newChunkTwin(b *testing.B, synchronous string) *chunkTwin {
	b.Helper()
	path := filepath.Join(b.TempDir(), "twin.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=auto_vacuum(2)&_pragma=journal_mode(wal)&_pragma=synchronous("+synchronous+")")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE chunks (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT"); err != nil {
		b.Fatal(err)
	}
	return &chunkTwin{b: b, db: db}
}

// write stores what r gives, with so many chunks in each transaction.
func (t *chunkTwin) write(r io.Reader, inTx int) {
	t.num++
	buf := make([]byte, twinChunk)
	for i, ended := int64(0), false; !ended; {
		tx, err := t.db.Begin()
		if err != nil {
			t.b.Fatal(err)
		}
		insert, err := tx.Prepare("INSERT INTO chunks (id, data) VALUES (?, ?)")
		if err != nil {
			t.b.Fatal(err)
		}
		for range inTx {
			n, err := io.ReadFull(r, buf)
			if n > 0 {
				if _, err := insert.Exec(t.num<<24|i, buf[:n]); err != nil {
					t.b.Fatal(err)
				}
				i++
			}
			if ended = err != nil; ended {
				break
			}
		}
		if err := tx.Commit(); err != nil {
			t.b.Fatal(err)
		}
	}
}

// read reads the newest bytes, chunk by chunk, and returns how many there are.
func (t *chunkTwin) read() (size int64) {
	query, err := t.db.Prepare("SELECT data FROM chunks WHERE id = ?")
	if err != nil {
		t.b.Fatal(err)
	}
	defer query.Close()
	for i := int64(0); ; i++ {
		var data []byte
		if err := query.QueryRow(t.num<<24 | i).Scan(&data); err == sql.ErrNoRows {
			return size
		} else if err != nil {
			t.b.Fatal(err)
		}
		size += int64(len(data))
	}
}

// BenchmarkBlobWrite stores 64 MiB from a reader. The twin writes rows of 256 KiB,
// either four in a transaction, so that others can write in between, or all in one.
func BenchmarkBlobWrite(b *testing.B) {
	const size = 64 << 20
	for _, d := range durabilities {
		for name, inTx := range map[string]int{"pieces": 4, "whole": size / twinChunk} {
			b.Run(d.name+"/twin="+name, func(b *testing.B) {
				bucket, twin := blobBucket(b, d.Durability), newChunkTwin(b, d.name)
				b.SetBytes(size)
				b.ResetTimer()
				versus(b, func(n int) {
					for range n {
						putNoise(b, bucket, size)
					}
				}, func(n int) {
					for range n {
						twin.write(noise(size), inTx)
					}
				})
			})
		}
	}
}

// BenchmarkBlobRead reads 64 MiB from beginning to end.
func BenchmarkBlobRead(b *testing.B) {
	ctx := context.Background()
	const size = 64 << 20
	bucket, twin := blobBucket(b, bucketlite.DurabilityNormal), newChunkTwin(b, "NORMAL")
	id := putNoise(b, bucket, size)
	twin.write(noise(size), 4)
	b.SetBytes(size)
	b.ResetTimer()
	versus(b, func(n int) {
		for range n {
			r, err := bucket.OpenBlob(ctx, id, "file")
			if err != nil {
				b.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, r); err != nil || n != size {
				b.Fatal(n, err)
			}
			r.Close()
		}
	}, func(n int) {
		for range n {
			if n := twin.read(); n != size {
				b.Fatal(n)
			}
		}
	})
}

// BenchmarkPutBeside puts small objects one by one: first into an idle store,
// then beside work of another goroutine. It reports the 99th percentiles of both,
// and their quotient.
func BenchmarkPutBeside(b *testing.B) {
	for name, work := range map[string]func(b *testing.B, st *bucketlite.Store) (wait func()){
		"a blob of 1 GiB":               streamBeside,
		"a deletion of 1 M objects":     deleteBeside(1_000_000),
		"a deletion of 100 k objects":   deleteBeside(100_000),
		"a collection of 1 GiB of blob": collectBeside,
	} {
		b.Run(name, func(b *testing.B) {
			st := storetest.OpenPath(b, filepath.Join(b.TempDir(), "bench.db"))
			small := storetest.Items(b, st)
			var n int
			puts := func(until func() bool) (times []time.Duration) {
				for !until() {
					n++
					start := time.Now()
					if _, err := small.Put(context.Background(), storetest.Item(fmt.Sprint(n), "small"), nil); err != nil {
						b.Fatal(err)
					}
					times = append(times, time.Since(start))
				}
				return times
			}
			for range b.N {
				before := n
				idle := puts(func() bool { return n-before == 4000 })
				wait := work(b, st)
				var ended atomic.Bool
				var wg sync.WaitGroup
				wg.Go(func() { wait(); ended.Store(true) })
				b.ResetTimer()
				busy := puts(ended.Load)
				b.StopTimer()
				wg.Wait()
				quiet, loud := percentile(idle, 99), percentile(busy, 99)
				b.ReportMetric(ms(percentile(idle, 50)), "idle-p50-ms")
				b.ReportMetric(ms(quiet), "idle-p99-ms")
				b.ReportMetric(ms(percentile(busy, 50)), "p50-ms")
				b.ReportMetric(ms(loud), "p99-ms")
				b.ReportMetric(ms(percentile(busy, 100)), "max-ms")
				b.ReportMetric(float64(loud)/float64(quiet), "p99/idle")
				b.ReportMetric(float64(len(busy)), "puts")
			}
		})
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func percentile(times []time.Duration, p int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[min(len(times)*p/100, len(times)-1)]
}

func streamBeside(b *testing.B, st *bucketlite.Store) (wait func()) {
	files := storetest.Bucket(b, st, bucketlite.BucketConfig{Name: fmt.Sprint("files ", noises.Load()), Schema: bucketlite.Schema{
		Properties: map[string]bucketlite.Field{"file": {Type: bucketlite.Video}}}})
	return func() { putNoise(b, files, 1<<30) }
}

func collectBeside(b *testing.B, st *bucketlite.Store) (wait func()) {
	ctx := context.Background()
	files := storetest.Bucket(b, st, bucketlite.BucketConfig{Name: fmt.Sprint("files ", noises.Load()), Schema: bucketlite.Schema{
		Properties: map[string]bucketlite.Field{"file": {Type: bucketlite.Video}}}})
	id := putNoise(b, files, 1<<30)
	return func() {
		if err := files.DeleteObject(ctx, id, nil); err != nil {
			b.Error(err)
		}
		storetest.Eventually(func() bool {
			stats, err := st.Stats(ctx)
			return err != nil || stats.ContentBytes+stats.WaitingBytes == 0
		})
	}
}

func deleteBeside(objects int) func(b *testing.B, st *bucketlite.Store) (wait func()) {
	return func(b *testing.B, st *bucketlite.Store) (wait func()) {
		config := storetest.ItemsConfig(fmt.Sprint("large ", noises.Add(1)))
		large := storetest.Bucket(b, st, config)
		if err := storetest.FillItems(large, objects, 300); err != nil {
			b.Fatal(err)
		}
		return func() {
			task, err := large.Delete(context.Background())
			if err == nil {
				_, err = st.Wait(context.Background(), task.ID)
			}
			if err != nil {
				b.Error(err)
			}
		}
	}
}

// Collector records readings and clips of four sensors in edge.db, processes them and
// follows the feed. It may be killed at any time and started again.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/bucketlite/bucketlite"
)

type Reading struct {
	Sensor string               `json:"sensor"`
	N      int64                `json:"n"`
	Temp   float64              `json:"temp"`
	At     time.Time            `json:"at" bucketlite:"required"`
	Clip   bucketlite.BlobInput `json:"clip" bucketlite:"type=video"`
}

var config = bucketlite.BucketConfig{
	Name:      "readings",
	UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sensor", "n"}, DefaultPolicy: bucketlite.Insert},
	Retention: bucketlite.Retention{MaxAge: 7 * 24 * time.Hour, MaxBytes: 1 << 30}, // the disk is small
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: collector CLIP")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	clip, err := os.ReadFile(os.Args[1])
	check(err)
	store, err := bucketlite.Open(ctx, "edge.db", nil)
	check(err)
	defer store.Close()
	readings, err := bucketlite.EnsureAs[Reading](ctx, store, "edge", config, nil)
	check(err)
	var wg sync.WaitGroup
	for s := range 4 {
		wg.Go(func() { record(ctx, readings, fmt.Sprint("s", s), clip) })
	}
	wg.Go(func() { process(ctx, store, false) })
	wg.Go(func() { follow(ctx, readings.Bucket()) })
	go report(ctx, readings.Bucket())
	wg.Wait()
}

// record puts readings of a sensor, every fifth with a clip.
func record(ctx context.Context, readings *bucketlite.TypedBucket[Reading], sensor string, clip []byte) {
	acked, n := appendTo("acked.log"), int64(0)
	for last, err := range readings.Objects(ctx, bucketlite.Query{Filter: bucketlite.Eq("sensor", sensor), Sort: []bucketlite.Sort{bucketlite.Desc("n")}, Limit: 1}) {
		check(err)
		n = last.Value.N
	}
	for ctx.Err() == nil {
		n++
		r := Reading{Sensor: sensor, N: n, Temp: rand.Float64() * 40, At: time.Now()}
		if n%5 == 0 {
			own := fmt.Appendf(bytes.Clone(clip), "%s %d", sensor, n)
			r.Clip = bucketlite.BlobInput{Reader: bytes.NewReader(own), Filename: fmt.Sprintf("%s-%d.mp4", sensor, n)}
		}
		if _, err := readings.Put(ctx, r, nil); err != nil {
			log.Println("put:", err)
			return
		}
		acked.Println(sensor, n)
	}
}

// process reads the clip of each new reading.
func process(ctx context.Context, store *bucketlite.Store, untilIdle bool) {
	done := appendTo("processed.log")
	err := store.Process(ctx, func(ctx context.Context, job *bucketlite.Job) error {
		if len(job.Object.Blobs) > 0 {
			r, err := job.Bucket.OpenBlob(ctx, job.Object.ID, "clip")
			if err != nil {
				return err
			}
			defer r.Close()
			if _, err := io.Copy(io.Discard, r); err != nil {
				return err
			}
		}
		done.Println(job.Object.Text("sensor"), job.Object.Int("n"))
		return nil
	}, &bucketlite.ProcessOptions{Drafts: true, Concurrency: 2, Lease: 3 * time.Second, UntilIdle: untilIdle})
	log.Println("process:", err)
}

// follow logs the events of the feed, from the last one that it has logged.
func follow(ctx context.Context, readings *bucketlite.Bucket) {
	seen := appendTo("seen.log")
	cursor, _ := os.ReadFile("cursor")
	for e, err := range readings.Watch(ctx, &bucketlite.WatchOptions{After: string(cursor), FromStart: len(cursor) == 0}) {
		if err != nil {
			log.Println("watch:", err)
			return
		}
		seen.Println(e.Seq, e.Kind, e.ObjectID)
		check(os.WriteFile("cursor.new", []byte(e.Cursor), 0o644))
		check(os.Rename("cursor.new", "cursor"))
	}
}

// report logs the progress.
func report(ctx context.Context, readings *bucketlite.Bucket) {
	for range time.Tick(time.Second) {
		if s, err := readings.Stats(ctx); err == nil {
			log.Printf("%d readings, %d MiB, batches %+v", s.ObjectCount, s.TotalSize>>20, s.Batches)
		}
	}
}

func appendTo(name string) *log.Logger {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	check(err)
	return log.New(f, "", 0)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

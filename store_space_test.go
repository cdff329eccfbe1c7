package bucketlite_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// The bounds that a store keeps, in bytes, however long and by how many goroutines
// its content is replaced.
const (
	maxLog   = 64 << 20
	maxSlack = 64 << 20 // of the file, above twice what is live
)

// replacement is a load that stores content in the same objects over and over.
type replacement struct {
	writers, objects, size int
	identical              bool // every write brings the bytes that are there
	reads                  bool // beside the writers others read without pause
	puts                   int  // in all, unless the load is bounded by time
	time                   time.Duration
}

// TestReplacedContentIsReclaimed holds the file and its log to their bounds while
// content is replaced, and after it. With -long the loads last 30 s each and their
// curves are printed.
func TestReplacedContentIsReclaimed(t *testing.T) {
	t.Parallel()
	loads := map[string]replacement{
		"short content":     {writers: 16, objects: 20, size: 200_000, reads: true, puts: 500},
		"long content":      {writers: 16, objects: 10, size: 700_000, reads: true, puts: 150},
		"identical content": {writers: 16, objects: 10, size: 700_000, reads: true, identical: true, puts: 150},
	}
	for name, load := range loads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := bucketlite.WithIdleTime(bucketlite.Options{Durability: bucketlite.DurabilityNormal}, briefIdle)
			if *storetest.Long {
				load.time, load.objects = 30*time.Second, 5*load.objects
				opts = &bucketlite.Options{Durability: bucketlite.DurabilityNormal}
			}
			path := filepath.Join(t.TempDir(), "a.db")
			st := storetest.OpenPath(t, path, opts)
			load.run(t, st, path)
			wantSmall(t, st, path)
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			storetest.WantSound(t, path)
		})
	}
}

func TestReplacedContentInMemory(t *testing.T) {
	t.Parallel()
	st := storetest.OpenMemory(t, bucketlite.WithIdleTime(bucketlite.Options{}, briefIdle))
	load := replacement{writers: 8, objects: 20, size: 200_000, puts: 500}
	load.run(t, st, "")
	wantSmall(t, st, "")
}

// content returns the bytes of an object: the same for the same version.
func (l replacement) content(object int, version uint64) []byte {
	data := storetest.Film(uint64(object), l.size)
	if !l.identical {
		binary.LittleEndian.PutUint64(data[l.size-8:], version)
	}
	return data
}

// run stores the content, replaces it, and fails if a bound is broken meanwhile.
func (l replacement) run(t *testing.T, st *bucketlite.Store, path string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b := storetest.Films(t, st)
	put := func(object int, version uint64) error {
		_, err := b.Put(ctx, storetest.FilmInput(fmt.Sprint(object), bytes.NewReader(l.content(object, version))), &bucketlite.PutOptions{Policy: bucketlite.Upsert})
		return err
	}
	for i := range l.objects {
		if err := put(i, 0); err != nil {
			t.Fatal(err)
		}
	}
	var count atomic.Uint64
	start := time.Now()
	done := func(n uint64) bool {
		if l.time != 0 {
			return time.Since(start) > l.time
		}
		return n > uint64(l.puts)
	}
	var beside sync.WaitGroup
	if l.reads {
		for range 2 {
			beside.Go(func() {
				for ctx.Err() == nil {
					if _, err := b.List(ctx, bucketlite.Query{}); err != nil && ctx.Err() == nil {
						t.Error(err)
					}
				}
			})
		}
	}
	beside.Go(func() {
		var last time.Time
		for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
			s := footprintOf(t, st, path)
			if s.file > 2*s.live+maxSlack || s.log > maxLog {
				t.Errorf("after %d writes: got %+v, want a file of at most twice what is live plus %d bytes, and a log of at most %d", count.Load(), s, maxSlack, maxLog)
				return
			}
			if *storetest.Long && time.Since(last) > time.Second {
				last = time.Now()
				t.Logf("%5.1f s, %6d writes: %s", time.Since(start).Seconds(), count.Load(), s)
			}
		}
	})
	err := storetest.AtOnce(l.writers, func(writer int) error {
		for object := writer; ; object += l.writers {
			n := count.Add(1)
			if done(n) {
				return nil
			}
			if err := put(object%l.objects, n); err != nil {
				return err
			}
		}
	})
	cancel()
	beside.Wait()
	if err != nil {
		t.Fatal(err)
	}
}

// footprint is the bytes of a store and its files.
type footprint struct {
	file, log int64
	live      int64 // of content
	waiting   int64 // of content that is to be collected
	free      int64 // of the file, to be used again
}

func (s footprint) String() string {
	const m = 1 << 20
	return fmt.Sprintf("live %d MiB, waiting %d MiB, free %d MiB, file %d MiB, log %d MiB", s.live/m, s.waiting/m, s.free/m, s.file/m, s.log/m)
}

func footprintOf(t *testing.T, st *bucketlite.Store, path string) (s footprint) {
	stats, err := st.Stats(context.Background())
	if err != nil {
		t.Error(err)
		return s
	}
	s = footprint{file: stats.FileBytes, live: stats.ContentBytes, waiting: stats.WaitingBytes, free: stats.FreeBytes}
	if path != "" {
		s.file = max(s.file, fileSize(t, path))
		s.log = fileSize(t, path+"-wal")
	}
	return s
}

// fileSize returns the size of the file at path, 0 if there is none.
func fileSize(t testing.TB, path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		if !os.IsNotExist(err) {
			t.Error(err)
		}
		return 0
	}
	return info.Size()
}

// wantSmall fails unless the file, at rest, gets to no more than 1.2 times what is
// live, and its log is emptied.
func wantSmall(t *testing.T, st *bucketlite.Store, path string) {
	t.Helper()
	start := time.Now()
	var s footprint
	ok := storetest.Eventually(func() bool {
		s = footprintOf(t, st, path)
		return s.file <= s.live*6/5 && s.log <= 1<<20
	})
	if !ok {
		t.Errorf("at rest: got %s, want a file of at most 1.2 times what is live and no log", s)
	}
	if *storetest.Long {
		t.Logf("at rest for %.1f s: %s", time.Since(start).Seconds(), s)
	}
}

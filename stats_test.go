package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func TestStatsBySize(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	storage := func(total, avg, max, min int64) bucketlite.StorageStats {
		return bucketlite.StorageStats{Total: total, Avg: avg, Max: max, Min: min}
	}
	// An item with the key "a" and the value "" has {"k":"a","v":""}, 16 bytes.
	var ids []string
	put := func(k string, length int) func() error {
		return func() error {
			res, err := b.Put(ctx, storetest.Item(k, strings.Repeat("v", length)), nil)
			if err == nil && res.Created {
				ids = append(ids, res.Object.ID)
			}
			return err
		}
	}
	remove := func(i int) func() error { return func() error { return b.DeleteObject(ctx, ids[i], nil) } }
	for _, tt := range []struct {
		name  string
		do    func() error
		count int64
		want  bucketlite.StorageStats
	}{
		{"nothing", func() error { return nil }, 0, storage(0, 0, 0, 0)},
		{"first", put("a", 0), 1, storage(16, 16, 16, 16)},
		{"larger", put("b", 85), 2, storage(16+101, 58, 101, 16)},
		{"average rounded down", put("c", 2), 3, storage(16+101+18, 45, 101, 16)},
		{"smallest replaced", put("a", 4), 3, storage(20+101+18, 46, 101, 18)},
		{"largest deleted", remove(1), 2, storage(20+18, 19, 20, 18)},
		{"patched", func() error {
			return storetest.ErrorOf(b.Patch(ctx, ids[0], bucketlite.ObjectInput{Fields: map[string]any{"v": "123"}}, nil))
		}, 2, storage(19+18, 18, 19, 18)},
		{"refused", func() error {
			if _, err := b.Put(ctx, storetest.Item("a", ""), &bucketlite.PutOptions{Policy: bucketlite.Insert}); !errors.Is(err, bucketlite.ErrExists) {
				return err
			}
			return nil
		}, 2, storage(19+18, 18, 19, 18)},
		{"with content", func() error { return storetest.ErrorOf(b.Put(ctx, storetest.ItemWithDoc("d", "1234"), nil)) }, 3, storage(19+18+20, 19, 20, 18)},
		{"same content", func() error { return storetest.ErrorOf(b.Put(ctx, storetest.ItemWithDoc("e", "1234"), nil)) }, 4, storage(19+18+20+20, 19, 20, 18)},
		{"one left", func() error { return errors.Join(remove(0)(), remove(2)(), deleteKey(b, "e")) }, 1, storage(20, 20, 20, 20)},
		{"none left", func() error { return deleteKey(b, "d") }, 0, storage(0, 0, 0, 0)},
	} {
		if err := tt.do(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := storetest.MustStats(t, b); got.ObjectCount != tt.count || got.TotalSize != tt.want.Total || got.Storage != tt.want {
			t.Errorf("%s: got %+v, want %d objects with %+v", tt.name, got, tt.count, tt.want)
		}
		storetest.WantExact(t, b)
	}
}

func deleteKey(b *bucketlite.Bucket, k string) error {
	o, err := b.ObjectByKey(context.Background(), map[string]any{"k": k})
	if err != nil {
		return err
	}
	return b.DeleteObject(context.Background(), o.ID, nil)
}

// change does one random thing to a bucket of items.
func change(r *rand.Rand, b *bucketlite.Bucket) error {
	ctx := context.Background()
	k, v := fmt.Sprint(r.IntN(50)), strings.Repeat("v", r.IntN(100))
	var err error
	switch r.IntN(6) {
	case 0, 1:
		_, err = b.Put(ctx, storetest.Item(k, v), nil)
	case 2:
		_, err = b.Put(ctx, storetest.ItemWithDoc(k, v), nil)
	case 3:
		err = storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{storetest.Item(k, v), storetest.Item(k, ""), storetest.Item("x"+k, v)}, &bucketlite.PutManyOptions{Atomic: r.IntN(2) == 0}))
	case 4:
		if err = deleteKey(b, k); errors.Is(err, bucketlite.ErrNotFound) {
			return nil
		}
	case 5:
		var o *bucketlite.Object
		if o, err = b.ObjectByKey(ctx, map[string]any{"k": k}); err == nil {
			_, err = b.Patch(ctx, o.ID, bucketlite.ObjectInput{Fields: map[string]any{"v": v}}, nil)
		}
		if errors.Is(err, bucketlite.ErrNotFound) {
			return nil
		}
	}
	return err
}

// Statistics are exact before the first folding, at it, and after several.
func TestStatsAcrossFolding(t *testing.T) {
	t.Parallel()
	for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "test.db"), "memory": ":memory:"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c := storetest.NewManualClock()
			st := storetest.OpenPath(t, path, &bucketlite.Options{Now: c.Now, Durability: bucketlite.DurabilityNormal})
			b := storetest.Items(t, st)
			bystander := storetest.Bucket(t, st, storetest.ItemsConfig("bystander"))
			storetest.PutItems(t, bystander, 3, 3)
			untouched := storetest.MustStats(t, bystander)
			r := rand.New(rand.NewPCG(1, 1))
			folded := map[time.Time]bool{}
			for i := range 700 {
				now := c.Add(time.Second)
				if err := change(r, b); err != nil {
					t.Fatal(err)
				}
				stats := storetest.MustStats(t, b)
				if at := stats.UpdatedAt; at != nil && !folded[*at] {
					if folded[*at] = true; !at.Equal(now) {
						t.Errorf("updated at: got %v, want %v", at, now)
					}
					storetest.WantExact(t, b)
				}
				if i%20 == 0 {
					storetest.WantExact(t, b)
				}
			}
			if len(folded) == 0 || len(folded) > 10 {
				t.Errorf("got %d foldings in 700 commits", len(folded))
			}
			storetest.WantExact(t, b)
			if got := storetest.MustStats(t, bystander); !storetest.EqualStats(got, untouched) {
				t.Errorf("bystander: got %+v, want %+v", got, untouched)
			}
			if kind == "memory" {
				return
			}
			before := storetest.Snapshot(t, b)
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			storetest.WantSnapshot(t, storetest.ReopenItems(t, path), before)
			storetest.WantSound(t, path)
		})
	}
}

// Folding happens beyond 256 commits, and shows in stats_updated_at alone.
func TestStatsFolded(t *testing.T) {
	t.Parallel()
	c := storetest.NewManualClock()
	b := storetest.Items(t, storetest.OpenMemory(t, &bucketlite.Options{Now: c.Now}))
	created := c.Add(0)
	for n := range 300 {
		now := c.Add(time.Second)
		storetest.PutItem(t, b, storetest.Item(fmt.Sprint(n), ""))
		info, err := b.Info(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !info.UpdatedAt.Equal(created) || !info.LastUploadAt.Equal(now) || info.ObjectCount != int64(n+1) {
			t.Fatalf("after %d: got %+v", n+1, info)
		}
		switch at := info.Stats.UpdatedAt; {
		case n < 256 && at != nil:
			t.Fatalf("after %d: got stats updated at %v, want nil", n+1, at)
		case n == 256 && (at == nil || !at.Equal(now)):
			t.Fatalf("after %d: got stats updated at %v, want %v", n+1, at, now)
		case n > 256 && (at == nil || !at.Before(now)):
			t.Fatalf("after %d: got stats updated at %v, want it as it was", n+1, at)
		}
	}
}

// All objects are of one size here, so a read that mixes two moments gives
// itself away.
func TestStatsAreOfOneMoment(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const size = 18 // {"k":"00","v":"v"}
	for _, kind := range []string{"file", "memory", "two stores"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			path := ":memory:"
			if kind != "memory" {
				path = filepath.Join(t.TempDir(), "test.db")
			}
			b := storetest.Items(t, storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal}))
			reader := b
			if kind == "two stores" {
				reader = storetest.ReopenItems(t, path)
			}
			writing, stop := context.WithCancel(ctx)
			ended := make(chan error, 1)
			go func() {
				ended <- storetest.AtOnce(4, func(g int) error {
					defer stop()
					for i := range 150 {
						k := fmt.Sprintf("%d%d", g, i%10)
						if _, err := b.Put(ctx, storetest.Item(k, "v"), nil); err != nil {
							return err
						}
						if i%2 == 0 {
							if err := deleteKey(b, k); err != nil {
								return err
							}
						}
					}
					return nil
				})
			}()
			for writing.Err() == nil {
				info, err := reader.Info(ctx)
				if err != nil {
					t.Fatal(err)
				}
				s, n := info.Stats, info.ObjectCount
				want := bucketlite.StorageStats{Total: n * size, Avg: size, Max: size, Min: size}
				if n == 0 {
					want = bucketlite.StorageStats{}
				}
				if s.Storage != want || s.TotalSize != n*size {
					t.Fatalf("got %+v, want %+v", s, want)
				}
			}
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			storetest.WantExact(t, b)
		})
	}
}

// Reading statistics writes nothing.
func TestStatsReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	b := storetest.Items(t, storetest.OpenPath(t, path))
	for range 10 {
		storetest.PutItem(t, b, storetest.Item("k", "v"))
	}
	db := storetest.OpenRaw(t, path)
	const rows = "SELECT * FROM events"
	version := "PRAGMA data_version"
	before, versionBefore := storetest.Dump(t, db, rows), storetest.Dump(t, db, version)
	for range 10 {
		storetest.MustStats(t, b)
	}
	if after := storetest.Dump(t, db, rows); after != before {
		t.Errorf("events: got %s, want %s", after, before)
	}
	if got := storetest.Dump(t, db, version); got != versionBefore {
		t.Errorf("data version: got %s, want %s", got, versionBefore)
	}
}

// last_upload_at moves on put and replace, not on patch or delete, and never back.
func TestLastUploadAt(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "test.db"), "memory": ":memory:"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c := storetest.NewManualClock()
			opts := &bucketlite.Options{Now: c.Now, Durability: bucketlite.DurabilityNormal}
			st := storetest.OpenPath(t, path, opts)
			b := storetest.Items(t, st)
			if got := storetest.MustStats(t, b).LastUploadAt; got != nil {
				t.Errorf("before any: got %v, want nil", got)
			}
			id := ""
			puts := func() error { id = storetest.PutItem(t, b, storetest.Item("k", fmt.Sprint(c.Now()))).ID; return nil }
			steps := []struct {
				name  string
				step  time.Duration
				do    func() error
				moves bool
			}{
				{"put", time.Second, puts, true},
				{"replace", time.Second, puts, true},
				{"patch of a field", time.Second, func() error {
					return storetest.ErrorOf(b.Patch(ctx, id, bucketlite.ObjectInput{Fields: map[string]any{"v": "p"}}, nil))
				}, false},
				{"refused put", time.Second, func() error {
					_, err := b.Put(ctx, storetest.Item("k", ""), &bucketlite.PutOptions{Policy: bucketlite.Insert})
					if errors.Is(err, bucketlite.ErrExists) {
						return nil
					}
					return err
				}, false},
				{"lock and unlock", time.Second, func() error { return errors.Join(b.Lock(ctx), b.Unlock(ctx)) }, false},
				{"update of info", time.Second, func() error { return storetest.ErrorOf(b.Update(ctx, bucketlite.BucketUpdate{Description: new("d")})) }, false},
				{"batch", time.Second, func() error {
					return storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{storetest.Item("b", ""), storetest.Item("b2", "")}, nil))
				}, true},
				{"atomic batch", time.Second, func() error {
					return storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{storetest.Item("b", ""), storetest.Item("b2", "")}, &bucketlite.PutManyOptions{Atomic: true}))
				}, true},
				{"refused atomic batch", time.Second, func() error {
					_, err := b.PutMany(ctx, []bucketlite.ObjectInput{storetest.Item("new", ""), storetest.Item("b2", "")}, &bucketlite.PutManyOptions{Atomic: true, Policy: bucketlite.Insert})
					if errors.Is(err, bucketlite.ErrExists) {
						return nil
					}
					return err
				}, false},
				{"put after the clock went back", -time.Hour, puts, false},
				{"folding after that", 0, func() error {
					for range 600 { // twice
						if err := puts(); err != nil {
							return err
						}
					}
					return nil
				}, false},
				{"delete", 2 * time.Hour, func() error { return b.DeleteObject(ctx, id, nil) }, false},
				{"put again", time.Second, puts, true},
			}
			var want time.Time
			for _, s := range steps {
				now := c.Add(s.step)
				if s.moves {
					want = now
				}
				if err := s.do(); err != nil {
					t.Fatalf("%s: %v", s.name, err)
				}
				if got := storetest.MustStats(t, b).LastUploadAt; got == nil || !got.Equal(want) {
					t.Errorf("%s: got %v, want %v", s.name, got, want)
				}
			}
			if kind == "memory" {
				return
			}
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			c.Add(-48 * time.Hour)
			b, err := storetest.Namespace(t, storetest.OpenPath(t, path, opts)).Bucket(ctx, "items")
			if err != nil {
				t.Fatal(err)
			}
			storetest.PutItem(t, b, storetest.Item("k", ""))
			if got := storetest.MustStats(t, b).LastUploadAt; !got.Equal(want) {
				t.Errorf("reopened: got %v, want %v", got, want)
			}
		})
	}
}

func TestStoreStats(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for kind, st := range map[string]*bucketlite.Store{"file": storetest.Open(t), "memory": storetest.OpenMemory(t)} {
		empty, err := st.Stats(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if empty.FileBytes <= 0 || empty.ContentBytes != 0 || empty.FreeBytes < 0 {
			t.Errorf("%s, empty: got %+v", kind, empty)
		}
		b := storetest.Items(t, st)
		for i := range 4 { // each of two contents twice
			storetest.PutItem(t, b, storetest.ItemWithDoc(fmt.Sprint(i), strings.Repeat(fmt.Sprint(i/2), 1<<20)))
		}
		inline := storetest.Item("inline", "")
		inline.Blobs = []bucketlite.BlobInput{{Property: "doc", Data: "kept inline"}}
		storetest.PutItem(t, b, inline)
		got, err := st.Stats(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got.ContentBytes != 2<<20 || got.FileBytes < empty.FileBytes+2<<20 || got.FileBytes > empty.FileBytes+5<<20 { // a second copy is staged before it is found to be one
			t.Errorf("%s: got %+v, want 2 MiB of content", kind, got)
		}
		if stats := storetest.MustStats(t, b); stats.TotalSize < 4<<20 {
			t.Errorf("%s: bucket: got %+v, want 4 MiB, counted for each object", kind, stats)
		}
	}
}

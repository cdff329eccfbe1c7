package bucketlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// The newest events carry the changes of the counts of few buckets. If many buckets are
// written in turn, their counts are exact all the same, and older events carry little.
func TestTotalsOfManyBuckets(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	n := 200
	if *storetest.Long {
		n = 10_000
	}
	t.Logf("%d buckets", n)
	path := filepath.Join(t.TempDir(), "test.db")
	opts := &bucketlite.Options{Durability: bucketlite.DurabilityNormal}
	st := storetest.OpenPath(t, path, opts)
	buckets := make([]*bucketlite.Bucket, n)
	for i := range buckets {
		buckets[i] = storetest.Bucket(t, st, storetest.ItemsConfig(fmt.Sprint("b", i)))
	}
	for round := range 3 {
		for i, b := range buckets {
			if round == 1 && i == n/2 { // another handle does not know what the first one knows
				other := storetest.OpenPath(t, path, opts)
				var err error
				if b, err = storetest.Namespace(t, other).Bucket(ctx, b.ID()); err != nil {
					t.Fatal(err)
				}
			}
			storetest.PutItem(t, b, storetest.Item(fmt.Sprint(round), "value"))
		}
	}
	for _, b := range buckets {
		storetest.WantExact(t, b)
	}
	list, err := storetest.Namespace(t, st).BucketListStats(ctx, bucketlite.Query{})
	if err != nil {
		t.Fatal(err)
	}
	info, err := storetest.Namespace(t, st).Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if list.Objects != int64(3*n) || info.ObjectCount != int64(3*n) || list.Size != storetest.MustStats(t, buckets[0]).TotalSize*int64(n) {
		t.Errorf("sums: got %+v and %d objects, want %d objects", list, info.ObjectCount, 3*n)
	}
	db := storetest.OpenRaw(t, path)
	if got := storetest.Dump(t, db, "SELECT max(length(running)) <= 64 FROM events WHERE last < (SELECT max(last) FROM events)"); got != "1\n" {
		t.Error("older events carry totals of many buckets")
	}
	if got := storetest.Dump(t, db, "SELECT length(running) < 3000 FROM events ORDER BY last DESC LIMIT 1"); got != "1\n" {
		t.Error("the newest events carry totals of all buckets")
	}
	storetest.WantSound(t, path)
}

// The newest events stay however few are kept, and with them the counts.
func TestTotalsWithoutHistory(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	opts := &bucketlite.Options{EventRetention: 1, Durability: bucketlite.DurabilityNormal}
	b := storetest.Items(t, storetest.OpenPath(t, path, opts))
	db := storetest.OpenRaw(t, path)
	for i := range 20 {
		storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), "value"))
		if i%5 == 4 {
			if err := storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{storetest.Item("many", fmt.Sprint(i)), storetest.Item("more", "")}, nil)); err != nil {
				t.Fatal(err)
			}
		}
		if !storetest.Eventually(func() bool { return storetest.Dump(t, db, "SELECT count(*) <= 2 FROM events") == "1\n" }) {
			t.Fatalf("events: got %s, want few", storetest.Dump(t, db, "SELECT last FROM events"))
		}
		storetest.WantExact(t, b)
		storetest.WantExact(t, storetest.ReopenItems(t, path))
	}
	storetest.WantSound(t, path)
}

// Every state of the file around a fold is sound: another store finds it after a crash.
func TestCrashAroundFold(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path, bucketlite.WithoutBackground(bucketlite.Options{Durability: bucketlite.DurabilityNormal}))
	b := storetest.Items(t, st)
	kept := storetest.PutItem(t, b, storetest.Item("kept", ""))
	for i := range 248 {
		storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i%7), fmt.Sprint(i)))
	}
	for i := range 16 {
		switch i % 4 {
		case 0:
			storetest.PutItem(t, b, storetest.Item(fmt.Sprint("new", i), ""))
		case 1:
			storetest.Must(t, deleteKey(b, fmt.Sprint("new", i-1)))
		case 2:
			storetest.Must(t, storetest.ErrorOf(b.Patch(ctx, kept.ID, bucketlite.ObjectInput{Fields: map[string]any{"v": fmt.Sprint("patched ", i)}}, nil)))
		case 3:
			storetest.Submit(t, b, kept.ID) // changes a status, which no event tells
		}
		crashed := filepath.Join(t.TempDir(), fmt.Sprint(i, ".db"))
		for _, part := range []string{"", "-wal"} {
			data, err := os.ReadFile(path + part)
			storetest.Must(t, err)
			storetest.Must(t, os.WriteFile(crashed+part, data, 0o666))
		}
		again := storetest.ReopenItems(t, crashed)
		if got, want := storetest.MustStats(t, again), storetest.MustStats(t, b); !storetest.EqualStats(got, want) {
			t.Errorf("after commit %d: got %+v, want %+v", i, got, want)
		}
		storetest.WantExact(t, again)
		wantTallies(t, again, storetest.NewRand(t))
		storetest.WantSound(t, crashed)
	}
	if storetest.MustStats(t, b).UpdatedAt == nil {
		t.Error("nothing was folded")
	}
}

// Totals that cannot be read are refused by all who need them, and Check finds and repairs
// them. A version is never assigned twice.
func TestUnreadableTotals(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const newest = " WHERE last = (SELECT max(last) FROM events)"
	for name, damage := range map[string]string{
		"flipped bit": "UPDATE events SET running = CAST(substr(running, 1, 3) || x'ff' || substr(running, 5) AS BLOB)" + newest,
		"cut short":   "UPDATE events SET running = substr(running, 1, length(running) - 1)" + newest,
		"zeros":       "UPDATE events SET running = zeroblob(length(running))" + newest,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			for i := range 5 {
				storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), "value"))
			}
			last := storetest.PutItem(t, b, storetest.Item("last", "value"))
			storetest.Must(t, deleteKey(b, "last"))
			storetest.Execute(t, storetest.OpenRaw(t, path), damage)

			_, err := b.Stats(ctx)
			storetest.WantError(t, err, bucketlite.ErrCorrupt)
			_, err = b.StatusCounts(ctx)
			storetest.WantError(t, err, bucketlite.ErrCorrupt)
			_, err = storetest.Namespace(t, st).ListBuckets(ctx, bucketlite.Query{})
			storetest.WantError(t, err, bucketlite.ErrCorrupt)
			_, err = b.Put(ctx, storetest.Item("refused", ""), nil)
			storetest.WantError(t, err, bucketlite.ErrCorrupt)
			wantBroken(t, st, nil, false, "bucket.totals")

			wantBroken(t, st, &bucketlite.CheckOptions{Repair: true}, true, "bucket.totals", "bucket.statistics", "bucket.growth", "bucket.statuses")
			storetest.WantNoProblem(t, st)
			storetest.WantExact(t, b)
			if o := storetest.PutItem(t, b, storetest.Item("new", "")); o.Version <= last.Version+1 {
				t.Errorf("version: got %d, want one beyond %d", o.Version, last.Version+1)
			}
			storetest.WantSound(t, path)
		})
	}
}

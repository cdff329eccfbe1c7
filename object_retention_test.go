package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// sized returns an object of so many bytes.
func sized(id string, size int) bucketlite.ObjectInput {
	return bucketlite.ObjectInput{ID: id, Fields: map[string]any{"v": strings.Repeat("x", size-len(`{"v":""}`))}}
}

// limitSteps are calls on a bucket with limits, and the objects that it has after the
// commit of each.
var limitSteps = map[string]struct {
	limits bucketlite.Retention
	puts   []bucketlite.ObjectInput
	want   []string
}{
	"objects": {
		limits: bucketlite.Retention{MaxObjects: 2},
		puts:   []bucketlite.ObjectInput{sized("a", 10), sized("b", 10), sized("c", 10), sized("b", 20), sized("d", 10), sized("e", 10)},
		want:   []string{"a", "a b", "b c", "b c", "b d", "d e"},
	},
	"bytes": {
		limits: bucketlite.Retention{MaxBytes: 100},
		puts:   []bucketlite.ObjectInput{sized("a", 50), sized("b", 50), sized("c", 20), sized("b", 80), sized("d", 10), sized("e", 100), sized("f", 8)},
		want:   []string{"a", "a b", "b c", "b c", "b d", "e", "f"},
	},
	"both": {
		limits: bucketlite.Retention{MaxObjects: 3, MaxBytes: 100},
		puts:   []bucketlite.ObjectInput{sized("a", 50), sized("b", 20), sized("c", 20), sized("d", 20), sized("e", 70)},
		want:   []string{"a", "a b", "a b c", "b c d", "d e"},
	},
}

// A limit holds at each commit: the write that exceeds it deletes the oldest objects.
func TestLimits(t *testing.T) {
	t.Parallel()
	for name, test := range limitSteps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			st := storetest.Open(t, bucketlite.WithoutBackground(bucketlite.Options{}))
			b := storetest.Bucket(t, st, bucketlite.BucketConfig{Retention: test.limits})
			for i, in := range test.puts {
				var err error
				if strings.Contains(" "+ids(t, b)+" ", " "+in.ID+" ") {
					id := in.ID
					in.ID = ""
					_, err = b.Patch(ctx, id, in, nil)
				} else {
					_, err = b.Put(ctx, in, nil)
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := ids(t, b); got != test.want[i] {
					t.Errorf("after call %d: got %q, want %q", i, got, test.want[i])
				}
			}
			for _, d := range deletions(t, st) {
				if !strings.HasSuffix(d, " retention") {
					t.Errorf("event: got %q, want the reason retention", d)
				}
			}
			storetest.WantNoProblem(t, st)
		})
	}
}

// An object that is larger than its bucket may be is refused, and changes nothing.
func TestLimitOfOneObject(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Retention: bucketlite.Retention{MaxBytes: 100}})
	if _, err := b.Put(ctx, sized("a", 60), nil); err != nil {
		t.Fatal(err)
	}
	patch := sized("", 101)
	_, patched := b.Patch(ctx, "a", patch, nil)
	_, put := b.Put(ctx, sized("b", 101), nil)
	many, err := b.PutMany(ctx, []bucketlite.ObjectInput{sized("c", 101), sized("d", 40)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for call, err := range map[string]error{"patch": patched, "put": put, "put many": many.Failed[0].Err} {
		if !errors.Is(err, bucketlite.ErrTooLarge) || !strings.Contains(err.Error(), "Retention.MaxBytes") {
			t.Errorf("%s: got error %v, want ErrTooLarge with the limit", call, err)
		}
	}
	if got := ids(t, b); got != "a d" {
		t.Errorf("objects: got %q, want those that are small enough", got)
	}
}

// Many objects at once leave the newest.
func TestLimitsOfMany(t *testing.T) {
	t.Parallel()
	for _, atomic := range []bool{false, true} {
		t.Run(fmt.Sprint("atomic=", atomic), func(t *testing.T) {
			t.Parallel()
			st := storetest.Open(t)
			b := storetest.Bucket(t, st, bucketlite.BucketConfig{Retention: bucketlite.Retention{MaxObjects: 3}})
			var inputs []bucketlite.ObjectInput
			for i := range 700 {
				inputs = append(inputs, sized(fmt.Sprint("o", i), 20))
			}
			many, err := b.PutMany(context.Background(), inputs, &bucketlite.PutManyOptions{Atomic: atomic})
			if err != nil || len(many.Succeeded) != len(inputs) {
				t.Fatalf("got %d objects, %v, want all", len(many.Succeeded), err)
			}
			if got, want := ids(t, b), "o697 o698 o699"; got != want {
				t.Errorf("objects: got %q, want %q", got, want)
			}
			if got := deletions(t, st); len(got) != 697 || got[0] != "o0 retention" || got[696] != "o696 retention" {
				t.Errorf("events: got %d, want 697 in order", len(got))
			}
			storetest.WantNoProblem(t, st)
		})
	}
}

// A large object takes the place of more small ones than one commit deletes. The call
// deletes the others before it returns.
func TestLimitsOfLargeAfterSmall(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t, bucketlite.WithoutBackground(bucketlite.Options{}))
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Retention: bucketlite.Retention{MaxBytes: 100_000}})
	var inputs []bucketlite.ObjectInput
	for i := range 1000 {
		inputs = append(inputs, sized(fmt.Sprint("o", i), 100))
	}
	if _, err := b.PutMany(ctx, inputs, nil); err != nil {
		t.Fatal(err)
	}
	for call, put := range []func() error{
		func() error { _, err := b.Put(ctx, sized("large", 50_000), nil); return err },
		func() error { _, err := b.Patch(ctx, "large", sized("", 90_000), nil); return err },
		func() error {
			_, err := b.PutMany(ctx, []bucketlite.ObjectInput{sized("larger", 100_000)}, nil)
			return err
		},
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
		stats, err := b.Stats(ctx)
		if err != nil || stats.TotalSize > 100_000 {
			t.Errorf("after call %d: got %+v, %v, want at most 100000 bytes", call, stats, err)
		}
	}
	if got := ids(t, b); got != "larger" {
		t.Errorf("objects: got %q, want the last one", got)
	}
}

// Limits of a bucket that has objects are set, raised, lowered and removed.
func TestChangeLimits(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := storetest.NewManualClock()
	st := retentionStore(t, clock.Now)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{})
	var inputs []bucketlite.ObjectInput
	for i := range 500 {
		inputs = append(inputs, sized(fmt.Sprint("o", i), 20))
	}
	if _, err := b.PutMany(ctx, inputs, nil); err != nil {
		t.Fatal(err)
	}
	set := func(r bucketlite.Retention) {
		t.Helper()
		info, err := b.Update(ctx, bucketlite.BucketUpdate{Retention: &r})
		if err != nil || info.Retention != r {
			t.Fatalf("update: got %+v, %v, want %+v", info, err, r)
		}
	}
	want := func(when string, count int64) {
		t.Helper()
		var stats *bucketlite.Stats
		if !storetest.Eventually(func() bool {
			var err error
			stats, err = b.Stats(ctx)
			return err == nil && stats.ObjectCount == count
		}) {
			t.Errorf("%s: got %d objects, want %d", when, stats.ObjectCount, count)
		}
	}
	set(bucketlite.Retention{MaxObjects: 450})
	want("450 objects", 450)
	set(bucketlite.Retention{MaxBytes: 8000})
	want("8000 bytes", 400)
	set(bucketlite.Retention{MaxObjects: 1000})
	set(bucketlite.Retention{})
	if indexes, err := b.Indexes(ctx); err != nil || len(indexes) != 0 {
		t.Errorf("indexes: got %v, %v, want none that a user has not created", indexes, err)
	}
	clock.Add(20 * time.Minute)
	set(bucketlite.Retention{MaxAge: 40 * time.Minute})
	time.Sleep(30 * time.Millisecond)
	want("20 minutes, at most 40", 400)
	putID(t, b, "young", time.Time{})
	clock.Add(20 * time.Minute)
	want("40 minutes", 1)
	if got := deletions(t, st); len(got) != 500 || !slices.IsSortedFunc(got, func(a, b string) int { return len(a) - len(b) }) {
		t.Errorf("events: got %d, want 500 from the oldest on", len(got))
	}
	storetest.WantNoProblem(t, st)
	for _, r := range []bucketlite.Retention{{MaxAge: -1}, {MaxAge: time.Millisecond}, {MaxObjects: -1}, {MaxBytes: -1}} {
		if _, err := b.Update(ctx, bucketlite.BucketUpdate{Retention: &r}); !errors.Is(err, bucketlite.ErrInvalid) || !strings.Contains(err.Error(), "retention.max_") {
			t.Errorf("%+v: got error %v, want ErrInvalid with the path", r, err)
		}
	}
}

// waitTests are ways to make an object wait, and to end that.
var waitTests = map[string]struct {
	hold    func(t *testing.T, b *bucketlite.Bucket, o *bucketlite.Object) (handle string)
	release func(t *testing.T, b *bucketlite.Bucket, handle string)
}{
	"batch": {
		hold: func(t *testing.T, b *bucketlite.Bucket, o *bucketlite.Object) string {
			return storetest.Submit(t, b, o.ID)
		},
		release: func(t *testing.T, b *bucketlite.Bucket, id string) {
			if _, err := b.CancelBatch(context.Background(), id); err != nil {
				t.Fatal(err)
			}
		},
	},
	"upload": {
		hold: func(t *testing.T, b *bucketlite.Bucket, o *bucketlite.Object) string {
			return storetest.CreateUpload(t, b, storetest.DocUpload(o.Fields["k"].(string))).ID
		},
		release: func(t *testing.T, b *bucketlite.Bucket, id string) {
			if err := b.CancelUpload(context.Background(), id); err != nil {
				t.Fatal(err)
			}
		},
	},
}

// The objects of unfinished batches and uploads are passed over, and deleted afterwards.
// Until then they take no other object's place.
func TestLimitsWait(t *testing.T) {
	t.Parallel()
	for name, test := range waitTests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := storetest.NewManualClock()
			st := retentionStore(t, clock.Now)
			config := storetest.ItemsConfig("items")
			config.Retention = bucketlite.Retention{MaxObjects: 2}
			b := storetest.Bucket(t, st, config)
			in := storetest.Item("a", "")
			in.ExpiresAt = clock.Now().Add(time.Minute)
			handle := test.hold(t, b, storetest.PutItem(t, b, in))
			for _, k := range []string{"b", "c", "d"} {
				storetest.PutItem(t, b, storetest.Item(k, ""))
			}
			if got := storetest.ItemKeys(t, b); !slices.Equal(got, []string{"a", "c", "d"}) {
				t.Errorf("beside the object that waits: got %q, want c and d", got)
			}
			clock.Add(2 * time.Minute)
			in = storetest.Item("e", "")
			in.ExpiresAt = clock.Now().Add(time.Minute)
			storetest.PutItem(t, b, in)
			clock.Add(2 * time.Minute)
			if !storetest.Eventually(func() bool { return slices.Equal(storetest.ItemKeys(t, b), []string{"a", "d"}) }) {
				t.Errorf("while it waits: got %q, want it and d", storetest.ItemKeys(t, b))
			}
			test.release(t, b, handle)
			if !storetest.Eventually(func() bool { return slices.Equal(storetest.ItemKeys(t, b), []string{"d"}) }) {
				t.Errorf("afterwards: got %q, want d", storetest.ItemKeys(t, b))
			}
			storetest.WantNoProblem(t, st)
		})
	}
}

// Several stores delete the objects of a bucket together, each once.
func TestExpireInSeveralStores(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/test.db"
	clock := storetest.NewManualClock()
	options := bucketlite.WithIdleTime(bucketlite.Options{Now: clock.Now}, 5*time.Millisecond)
	st := storetest.OpenPath(t, path, options)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{})
	for range 3 {
		storetest.OpenPath(t, path, options)
	}
	var inputs []bucketlite.ObjectInput
	for i := range 1000 {
		in := sized(fmt.Sprint("o", i), 20)
		in.ExpiresAt = clock.Now().Add(time.Duration(i+1) * time.Millisecond)
		inputs = append(inputs, in)
	}
	if _, err := b.PutMany(context.Background(), inputs, nil); err != nil {
		t.Fatal(err)
	}
	clock.Add(time.Minute)
	wantIDs(t, b, "afterwards", "")
	got := deletions(t, st)
	for i := range got {
		if want := fmt.Sprintf("o%d expired", i); got[i] != want {
			t.Fatalf("event %d: got %q, want %q", i, got[i], want)
		}
	}
	if len(got) != 1000 {
		t.Errorf("events: got %d, want 1000", len(got))
	}
	storetest.WantNoProblem(t, st)
}

// A change of the schema that rewrites the objects keeps their times, and the limits.
func TestRetentionAcrossSchemas(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := storetest.NewManualClock()
	st := retentionStore(t, clock.Now)
	config := storetest.ItemsConfig("items")
	config.Retention = bucketlite.Retention{MaxObjects: 3}
	b := storetest.Bucket(t, st, config)
	for i := range 3 {
		in := storetest.Item(fmt.Sprint(i), "v")
		in.ExpiresAt = clock.Now().Add(time.Duration(3-i) * time.Minute)
		storetest.PutItem(t, b, in)
	}
	renamed := config.Schema
	renamed.Properties = map[string]bucketlite.Field{"k": {Type: bucketlite.String}, "n": {Type: bucketlite.Integer}, "w": {Type: bucketlite.String}, "doc": {Type: bucketlite.Text}}
	limits := bucketlite.Retention{MaxObjects: 4, MaxAge: 45 * time.Minute}
	info, err := b.Update(ctx, bucketlite.BucketUpdate{
		Schema: &renamed, SchemaOptions: &bucketlite.SchemaChangeOptions{Rename: map[string]string{"v": "w"}}, Retention: &limits,
	})
	if err != nil || info.Retention != limits || info.SchemaVersion != 2 {
		t.Fatalf("update: got %+v, %v, want the limits and version 2", info, err)
	}
	clock.Add(time.Minute)
	if !storetest.Eventually(func() bool { return slices.Equal(storetest.ItemKeys(t, b), []string{"0", "1"}) }) {
		t.Errorf("after the first time: got %q, want 0 and 1", storetest.ItemKeys(t, b))
	}
	for _, k := range []string{"3", "4", "5"} {
		if _, err := b.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"k": k, "w": "v"}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := storetest.ItemKeys(t, b); !slices.Equal(got, []string{"1", "3", "4", "5"}) {
		t.Errorf("beyond the limit: got %q, want 1, 3, 4 and 5", got)
	}
	storetest.WantNoProblem(t, st)
}

// On a full disk nothing is half deleted, and a put that fails deletes nothing. Both continue
// once there is space.
func TestRetentionOnFullDisk(t *testing.T) {
	t.Parallel()
	ctx, st, b, commits := itemsOnFullDisk(t)
	set := func(n int64) error {
		_, err := b.Update(ctx, bucketlite.BucketUpdate{Retention: &bucketlite.Retention{MaxObjects: n}})
		return err
	}
	storetest.Must(t, set(300))
	storetest.EnsureText(t, b) // built after the index of ages
	commits.Store(0)
	if _, err := b.Put(ctx, storetest.Item("new", "v"), nil); !errors.Is(err, bucketlite.ErrFull) {
		t.Errorf("put on a full disk: got error %v, want ErrFull", err)
	}
	if got := storetest.MustStats(t, b).ObjectCount; got != 300 || len(deletions(t, st)) != 0 {
		t.Errorf("after that: got %d objects and %q, want all and no deletion", got, deletions(t, st))
	}
	for {
		commits.Store(1)
		if err := set(50); err == nil {
			break
		} else if !errors.Is(err, bucketlite.ErrFull) { // the background has made the commit
			t.Fatal(err)
		}
	}
	time.Sleep(50 * time.Millisecond) // the background has a chance to do harm
	if got := storetest.MustStats(t, b).ObjectCount; got != 300 || len(storetest.ItemKeys(t, b)) != 300 {
		t.Errorf("on a full disk: got %d objects, want all", got)
	}
	commits.Store(diskSpace)
	storetest.PutItem(t, b, storetest.Item("new", "v"))
	if !storetest.Eventually(func() bool { return storetest.MustStats(t, b).ObjectCount == 50 }) {
		t.Errorf("once there is space: got %d objects, want 50", storetest.MustStats(t, b).ObjectCount)
	}
	storetest.WantNoProblem(t, st)
}

// Objects expire while they are put again and listed. A put finds the object or creates
// another, and a list has each object once.
func TestExpireBesideCalls(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := retentionStore(t, time.Now)
	start := storetest.EventCursor(t, st)
	b := storetest.Items(t, st)
	end := time.Now().Add(400 * time.Millisecond)
	err := storetest.AtOnce(6, func(g int) error {
		for i := g; time.Now().Before(end); i++ {
			if g == 0 {
				seen := make(map[string]bool)
				for o, err := range b.Objects(ctx, bucketlite.Query{Limit: 3}) {
					if err != nil || seen[o.ID] {
						return fmt.Errorf("list: got error %v, or an object twice", err)
					}
					seen[o.ID] = true
				}
				continue
			}
			in := storetest.Item(fmt.Sprint(i%20), "v")
			in.ExpiresAt = time.Now().Add(time.Duration(1+i%9) * time.Millisecond)
			if _, err := b.Put(ctx, in, nil); err != nil && !errors.Is(err, bucketlite.ErrInvalid) { // late for its own time
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if !storetest.Eventually(func() bool { return len(storetest.ItemKeys(t, b)) == 0 }) {
		t.Errorf("afterwards: got %q, want none", storetest.ItemKeys(t, b))
	}
	if live := storetest.LiveObjects(t, storetest.EventsAfter(t, st, start), b.ID()); len(live) != 0 {
		t.Errorf("events: got %q as left, want none", live)
	}
	storetest.WantNoProblem(t, st)
}

// Buckets are found by their limits.
func TestListBucketsByLimits(t *testing.T) {
	t.Parallel()
	st := storetest.OpenMemory(t)
	storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "plain"})
	storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "limited", Retention: bucketlite.Retention{MaxAge: 90 * time.Second, MaxObjects: 5}})
	for _, f := range []bucketlite.Filter{bucketlite.Gt("retention.max_objects", 4), bucketlite.Eq("retention.max_age_seconds", 90), bucketlite.Not(bucketlite.IsNull("retention"))} {
		page, err := storetest.Namespace(t, st).ListBuckets(context.Background(), bucketlite.Query{Filter: f})
		if err != nil || len(page.Results) != 1 || page.Results[0].Name != "limited" {
			t.Errorf("%v: got %+v, %v, want the bucket with limits", f, page, err)
		}
	}
}

// Many objects that wait, each in a batch of its own, do not slow down the writes that
// exceed a limit.
func TestLimitsOfManyBatches(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t, bucketlite.WithoutBackground(bucketlite.Options{Durability: bucketlite.DurabilityNormal}))
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Retention: bucketlite.Retention{MaxObjects: 10}})
	for i := range 400 {
		if _, err := b.Put(ctx, sized(fmt.Sprint("o", i), 20), &bucketlite.PutOptions{Process: true}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30 {
		if _, err := b.Put(ctx, sized(fmt.Sprint("p", i), 20), nil); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := storetest.MustStats(t, b).ObjectCount, int64(410); got != want {
		t.Errorf("got %d objects, want the %d that wait and 10", got, want)
	}
}

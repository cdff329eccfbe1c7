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

// retentionStore opens a store that looks for expired objects all the time.
func retentionStore(t *testing.T, now func() time.Time) *bucketlite.Store {
	t.Helper()
	return storetest.Open(t, bucketlite.WithIdleTime(bucketlite.Options{Now: now}, 5*time.Millisecond))
}

// deletions returns the ids of the objects whose deletions are in the feed, with the
// reasons.
func deletions(t *testing.T, st *bucketlite.Store) (list []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for e, err := range st.Watch(ctx, &bucketlite.WatchOptions{FromStart: true, Idle: cancel}) {
		if errors.Is(err, context.Canceled) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == bucketlite.EventObjectDeleted {
			list = append(list, strings.TrimSpace(e.ObjectID+" "+string(e.Reason)))
		}
	}
	return list
}

// ids returns the ids of a bucket's objects, in order of creation.
func ids(t *testing.T, b *bucketlite.Bucket) string {
	t.Helper()
	var list []string
	for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, o.ID)
	}
	return strings.Join(list, " ")
}

// wantIDs waits until a bucket has exactly the objects with the ids.
func wantIDs(t *testing.T, b *bucketlite.Bucket, when, want string) {
	t.Helper()
	if !storetest.Eventually(func() bool { return ids(t, b) == want }) {
		t.Errorf("%s: got %q, want %q", when, ids(t, b), want)
	}
}

func putID(t *testing.T, b *bucketlite.Bucket, id string, expires time.Time) {
	t.Helper()
	_, err := b.Put(context.Background(), bucketlite.ObjectInput{ID: id, ExpiresAt: expires, Fields: map[string]any{"v": strings.Repeat("x", 90)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

// Objects are deleted at the time at which they expire, the earliest first, with everything
// that belongs to them.
func TestExpire(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := storetest.NewManualClock()
	st := retentionStore(t, clock.Now)
	b := storetest.Bucket(t, st, storetest.ItemsConfig("items"))
	now := clock.Now()
	for i, after := range []time.Duration{30, 10, 0, 20} {
		in := storetest.ItemWithDoc(fmt.Sprint(i), fmt.Sprintf("document %d", i))
		in.ID = fmt.Sprint("o", i)
		if after > 0 {
			in.ExpiresAt = now.Add(after * time.Minute)
		}
		storetest.PutItem(t, b, in)
	}
	clock.Add(10*time.Minute - time.Microsecond)
	time.Sleep(20 * time.Millisecond)
	wantIDs(t, b, "before the first time", "o0 o1 o2 o3")
	clock.Add(time.Microsecond)
	wantIDs(t, b, "at the first time", "o0 o2 o3")
	clock.Add(30 * time.Minute)
	wantIDs(t, b, "after all times", "o2")
	if got, want := deletions(t, st), []string{"o1 expired", "o3 expired", "o0 expired"}; !slices.Equal(got, want) {
		t.Errorf("events: got %q, want %q", got, want)
	}
	if stats, err := b.Stats(ctx); err != nil || stats.ObjectCount != 1 {
		t.Errorf("statistics: got %+v, %v, want 1 object", stats, err)
	}
	if _, err := b.ObjectByKey(ctx, map[string]any{"k": "0"}); !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("key: got error %v, want ErrNotFound", err)
	}
	res, err := b.Put(ctx, storetest.Item("0", "again"), &bucketlite.PutOptions{IfAbsent: true})
	if err != nil || !res.Created {
		t.Errorf("put with the key: got %+v, %v, want a new object", res, err)
	}
	storetest.WantNoProblem(t, st)
}

// A bucket that may not be written keeps its objects, and loses them afterwards.
func TestExpireLater(t *testing.T) {
	t.Parallel()
	for name, pair := range map[string][2]func(*bucketlite.Bucket, context.Context) error{
		"locked":    {(*bucketlite.Bucket).Lock, (*bucketlite.Bucket).Unlock},
		"archived":  {(*bucketlite.Bucket).Archive, (*bucketlite.Bucket).Activate},
		"suspended": {(*bucketlite.Bucket).Suspend, (*bucketlite.Bucket).Activate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			clock := storetest.NewManualClock()
			st := retentionStore(t, clock.Now)
			b := storetest.Bucket(t, st, bucketlite.BucketConfig{Retention: bucketlite.Retention{MaxAge: time.Minute}})
			other := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "other"})
			putID(t, b, "old", time.Time{})
			putID(t, b, "timed", clock.Now().Add(time.Minute))
			putID(t, other, "timed", clock.Now().Add(2*time.Minute))
			if err := pair[0](b, ctx); err != nil {
				t.Fatal(err)
			}
			clock.Add(2 * time.Minute)
			wantIDs(t, other, "the other bucket", "") // the background has passed the first one
			if stats, err := b.Stats(ctx); err != nil || stats.ObjectCount != 2 {
				t.Errorf("statistics: got %+v, %v, want 2 objects", stats, err)
			}
			if err := pair[1](b, ctx); err != nil {
				t.Fatal(err)
			}
			wantIDs(t, b, "afterwards", "")
		})
	}
}

// An old object is deleted once nothing has changed it for so long.
func TestMaxAge(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clock := storetest.NewManualClock()
	st := retentionStore(t, clock.Now)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Retention: bucketlite.Retention{MaxAge: 30 * time.Minute}})
	putID(t, b, "a", time.Time{})
	clock.Add(5 * time.Minute)
	putID(t, b, "b", time.Time{})
	clock.Add(5 * time.Minute)
	putID(t, b, "c", time.Time{})
	if _, err := b.Patch(ctx, "a", bucketlite.ObjectInput{Fields: map[string]any{"v": 1}}, nil); err != nil {
		t.Fatal(err)
	}
	clock.Add(25*time.Minute - time.Microsecond)
	time.Sleep(20 * time.Millisecond)
	wantIDs(t, b, "before the half hour", "a b c")
	clock.Add(time.Microsecond)
	wantIDs(t, b, "after the half hour of b", "a c")
	clock.Add(5 * time.Minute)
	wantIDs(t, b, "after the half hour of all", "")
	if got, want := deletions(t, st), []string{"b retention", "c retention", "a retention"}; !slices.Equal(got, want) {
		t.Errorf("events: got %q, want %q", got, want)
	}
	storetest.WantNoProblem(t, st)
}

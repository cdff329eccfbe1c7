package proof_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// retained is the number of objects that the bucket of the children may have.
const retained = 40

// childRetain puts items into a bucket with limits until it is killed. Some expire soon.
func childRetain(args []string) error {
	_, b, err := childBucket(args[0])
	if err != nil {
		return err
	}
	ctx := context.Background()
	return storetest.AtOnce(4, func(g int) error {
		for i := 0; ; i++ {
			in := storetest.ItemWithDoc(fmt.Sprint(args[1], " ", g, " ", i), fmt.Sprint("document ", i%7))
			if i%3 == 0 {
				in.ExpiresAt = time.Now().Add(time.Duration(1+i%20) * time.Millisecond)
			}
			if _, err := b.Put(ctx, in, nil); err != nil && !errors.Is(err, bucketlite.ErrInvalid) { // late for its own time
				return err
			}
			if i%10 == 9 {
				fmt.Println(i)
			}
		}
	})
}

// A process is killed while its objects expire and displace each other, beside another
// one, over and over. No limit is exceeded in any commit, and each object that is gone has
// one event, with a reason.
func TestRetentionSurvivesKill(t *testing.T) {
	t.Parallel()
	rounds := 4
	if *storetest.Long {
		rounds = 100
	}
	t.Logf("%d kills of a process whose objects expire", rounds)
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	start := storetest.EventCursor(t, st)
	config := storetest.ItemsConfig("items")
	config.Retention = bucketlite.Retention{MaxObjects: retained, MaxAge: time.Second}
	storetest.Bucket(t, st, config)
	r := rand.New(rand.NewPCG(6, 6))
	for round := range rounds {
		storetest.Must(t, st.Close())
		first, second := startChild(t, "retain", path, fmt.Sprint(round, "a")), startChild(t, "retain", path, fmt.Sprint(round, "b"))
		for range 1 + r.IntN(40) {
			first.line(t)
		}
		second.line(t)
		first.kill(t)
		second.kill(t)
		storetest.WantSound(t, path)
		st = storetest.OpenPath(t, path)
		b := storetest.ReopenItems(t, path)
		if n := storetest.MustStats(t, b).ObjectCount; n > retained {
			t.Errorf("round %d: got %d objects, want at most %d", round, n, retained)
		}
		wantReasons(t, st, b, start)
	}
	b := storetest.ReopenItems(t, path)
	if !storetest.Eventually(func() bool { return storetest.MustStats(t, b).ObjectCount == 0 }) {
		t.Errorf("after the last kill: got %d objects, want none", storetest.MustStats(t, b).ObjectCount)
	}
	storetest.WantNoProblem(t, st)
}

// wantReasons fails unless the events lead to the objects of the bucket, and each deletion
// has a reason.
func wantReasons(t *testing.T, st *bucketlite.Store, b *bucketlite.Bucket, start string) {
	t.Helper()
	storetest.Must(t, b.Lock(context.Background()))
	defer func() { storetest.Must(t, b.Unlock(context.Background())) }()
	events := storetest.EventsAfter(t, st, start)
	for _, e := range events {
		if deleted := e.Kind == bucketlite.EventObjectDeleted; deleted != (e.Reason != "") {
			t.Errorf("%+v: got the reason %q, want one for a deletion only", e, e.Reason)
		}
	}
	got := storetest.ObjectIDs(t, b)
	slices.Sort(got)
	if want := storetest.LiveObjects(t, events, b.ID()); !slices.Equal(got, want) {
		t.Errorf("objects: got %q, want %q according to the events", got, want)
	}
}

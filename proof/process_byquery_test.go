package proof_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func init() { children["byquery"] = childByQuery }

// childByQuery works on the tasks of a store, and puts objects with a prefix until it is
// killed.
func childByQuery(args []string) error {
	_, b, err := childBucket(args[0])
	if err != nil {
		return err
	}
	fmt.Println("working")
	for i := 0; ; i++ {
		in := storetest.Item(fmt.Sprint(args[1], " ", i), "later")
		in.Fields["n"] = i
		if _, err := b.Put(context.Background(), in, nil); err != nil {
			return err
		}
	}
}

// A process that patches and deletes by query is killed over and over. In the end each
// object that was there when a task was accepted was changed once, and no other.
func TestByQuerySurvivesKill(t *testing.T) {
	t.Parallel()
	rounds, objects := 3, 4000
	if *storetest.Long {
		rounds = 40
	}
	t.Logf("%d kills of a process that changes objects by query", 2*rounds)
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.Must(t, b.EnsureIndex(ctx, "v"))
	inputs := make([]bucketlite.ObjectInput, objects)
	for i := range inputs {
		inputs[i] = storetest.Item(fmt.Sprint("first ", i), "first")
		inputs[i].Fields["n"] = i
	}
	storetest.Must(t, storetest.PutManyError(b.PutMany(ctx, inputs, nil)))
	r := rand.New(rand.NewPCG(11, 11))
	for round := range rounds {
		cursor := storetest.EventCursor(t, st)
		before := storetest.ObjectIDs(t, b)
		all := bucketlite.Query{Filter: bucketlite.Exists("n")}
		kind, value := bucketlite.EventObjectUpdated, fmt.Sprint("patched ", round)
		var result *bucketlite.BulkResult
		var err error
		if round == rounds-1 {
			kind = bucketlite.EventObjectDeleted
			result, err = b.DeleteObjects(ctx, all, &bucketlite.BulkOptions{NoWait: true})
		} else {
			result, err = b.PatchObjects(ctx, all, bucketlite.ObjectInput{Fields: map[string]any{"v": value}}, &bucketlite.BulkOptions{NoWait: true})
		}
		storetest.Must(t, err)
		storetest.Must(t, st.Close())
		for kill := range 2 {
			c := startChild(t, "byquery", path, fmt.Sprint("round ", round, " ", kill))
			c.line(t)
			time.Sleep(time.Duration(r.IntN(150)) * time.Millisecond)
			c.kill(t)
		}
		st = storetest.OpenPath(t, path)
		b, err = storetest.Namespace(t, st).Bucket(ctx, "items")
		storetest.Must(t, err)
		task, err := st.Wait(storetest.Patience(t), result.TaskID)
		storetest.Must(t, err)
		if task.Status != bucketlite.StatusCompleted {
			t.Fatalf("got %+v, want it completed", task)
		}
		wantEachOnce(t, storetest.EventsAfter(t, st, cursor), kind, before)
		for o, err := range b.Objects(ctx, bucketlite.Query{}) {
			storetest.Must(t, err)
			want := value
			if strings.HasPrefix(o.Fields["k"].(string), fmt.Sprint("round ", round, " ")) {
				want = "later"
			}
			if o.Fields["v"] != want {
				t.Fatalf("object %v: got %v, want %s", o.Fields["k"], o.Fields["v"], want)
			}
		}
		storetest.Must(t, checked(st))
	}
	storetest.Must(t, st.Close())
	storetest.WantSound(t, path)
}

// wantEachOnce fails unless the events of a kind are one for each of the objects, in order.
func wantEachOnce(t *testing.T, events []bucketlite.Event, kind bucketlite.EventKind, ids []string) {
	t.Helper()
	n := 0
	for _, e := range events {
		if e.Kind != kind {
			continue
		}
		if n == len(ids) || e.ObjectID != ids[n] {
			t.Fatalf("event %d of %s: got object %s, want each of %d once, in order", n, kind, e.ObjectID, len(ids))
		}
		n++
	}
	if n != len(ids) {
		t.Fatalf("got %d events of %s, want %d", n, kind, len(ids))
	}
}

package proof_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func init() { children["draft"] = childDraft }

// childDraft puts objects and processes them as they come, until it is killed. It prints
// the key of each object that is acknowledged.
func childDraft(args []string) error {
	ctx := context.Background()
	st, b, err := childBucket(args[0])
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() {
		failed <- st.Process(ctx, func(context.Context, *bucketlite.Job) error { return nil },
			&bucketlite.ProcessOptions{Drafts: true, Concurrency: 2, Lease: time.Second})
	}()
	for n := 0; ; n++ {
		select {
		case err := <-failed:
			return err
		default:
		}
		key := fmt.Sprintf("%s-%d", args[1], n)
		if _, err := b.Put(ctx, storetest.Item(key, ""), nil); err != nil {
			return err
		}
		fmt.Println(key)
	}
}

// A process that makes batches of drafts is killed again and again, between making a batch
// and processing it too. Each object is processed in the end.
func TestDraftsSurviveKill(t *testing.T) {
	t.Parallel()
	rounds := 4
	if *storetest.Long {
		rounds = 40
	}
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	storetest.Items(t, st)
	storetest.Must(t, st.Close())
	r := rand.New(rand.NewPCG(5, 6))
	acknowledged := make(map[string]bool)
	for round := range rounds {
		c := startChild(t, "draft", path, fmt.Sprint(round))
		for range 20 + r.IntN(200) {
			acknowledged[c.line(t)] = true
		}
		time.Sleep(time.Duration(r.IntN(4000)) * time.Microsecond)
		c.kill(t)
	}
	st, b, err := childBucket(path)
	storetest.Must(t, err)
	storetest.Must(t, st.Process(t.Context(), func(context.Context, *bucketlite.Job) error { return nil },
		&bucketlite.ProcessOptions{Drafts: true, UntilIdle: true}))
	for o, err := range b.Objects(t.Context(), bucketlite.Query{}) {
		storetest.Must(t, err)
		delete(acknowledged, o.Text("k"))
		if o.Status != bucketlite.StatusCompleted {
			t.Errorf("object %s: got %s, want %s", o.ID, o.Status, bucketlite.StatusCompleted)
		}
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d acknowledged objects are lost", len(acknowledged))
	}
	storetest.Must(t, checked(st))
	storetest.Must(t, st.Close())
	storetest.WantSound(t, path)
}

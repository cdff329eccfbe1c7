package proof_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Several processes build an index together, and none is in the way of another.
func TestBuildByProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	b := storetest.Items(t, storetest.OpenPath(t, path))
	storetest.PutItems(t, b, 5000, 10)
	var running []*child
	for p := range 3 {
		c := startChild(t, "index", path, fmt.Sprint(p), "once")
		c.line(t)
		running = append(running, c)
	}
	for _, c := range running {
		c.stdin.Close()
	}
	for _, c := range running {
		c.wait(t)
	}
	storetest.WantIndexes(t, b, "text  READY", "value n READY", "value v READY")
	storetest.WantEntries(t, path, b)
	storetest.WantSound(t, path)
}

// childIndex makes indexes, or makes and drops them and writes until it is killed.
func childIndex(args []string) error {
	st, b, err := childBucket(args[0])
	if err != nil {
		return err
	}
	ctx := context.Background()
	build := func() error { return errors.Join(b.EnsureIndex(ctx, "v", "n"), b.EnsureTextIndex(ctx)) }
	if len(args) > 2 {
		rendezvous()
		return errors.Join(build(), st.Close())
	}
	return storetest.AtOnce(3, func(g int) error {
		if g > 0 {
			return storetest.WriteItems(ctx, b, 600)
		}
		for {
			err := build()
			fmt.Println("built")
			if err == nil {
				err = errors.Join(b.DropTextIndex(ctx), b.DropIndex(ctx, "v"))
			}
			fmt.Println("dropped")
			if err != nil {
				return err
			}
		}
	})
}

// A process that builds and drops indexes is killed at work, over and over. It leaves
// sound indexes, and another process finishes them.
func TestBuildSurvivesKill(t *testing.T) {
	t.Parallel()
	rounds := 4
	if *storetest.Long {
		rounds = 100
	}
	t.Logf("%d kills of a process that builds indexes", rounds)
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	storetest.PutItems(t, storetest.Items(t, st), 600, 10)
	r := rand.New(rand.NewPCG(5, 5))
	for round := range rounds {
		if round%2 == 0 {
			storetest.Must(t, st.Close()) // the next to open the file must recover it
		}
		c := startChild(t, "index", path, fmt.Sprint(round))
		for range r.IntN(4) {
			c.line(t)
		}
		var b *bucketlite.Bucket
		if round%2 == 1 { // it is at work for sure
			b = storetest.ReopenItems(t, path)
			if !storetest.Eventually(func() bool {
				indexes, err := b.Indexes(context.Background())
				return err != nil || slices.ContainsFunc(indexes, func(i bucketlite.Index) bool { return i.Status == bucketlite.IndexBuilding })
			}) {
				t.Error("it builds nothing")
			}
		}
		c.kill(t)
		storetest.WantSound(t, path)
		st = storetest.OpenPath(t, path)
		b = storetest.ReopenItems(t, path)
		storetest.Ensure(t, b, "v", "n")
		storetest.EnsureText(t, b)
		storetest.WantIndexes(t, b, "text  READY", "value n READY", "value v READY")
		storetest.WantEntries(t, path, b)
	}
	storetest.WantSound(t, path)
}

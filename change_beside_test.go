package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A copiedChange is a change of a bucket's schema that stops once it has written the next
// form of some objects.
type copiedChange struct {
	path string
	st   *bucketlite.Store
	b    *bucketlite.Bucket
	goOn func()
	done chan error // receives the result of ChangeSchema
}

// startChange renames l to m in a bucket of n objects with the unique key k.
func startChange(t *testing.T, n int) *copiedChange {
	t.Helper()
	ctx := context.Background()
	var stops, goesOn atomic.Bool
	c := &copiedChange{path: filepath.Join(t.TempDir(), "test.db"), goOn: func() { goesOn.Store(true) }, done: make(chan error, 1)}
	raw := storetest.OpenRaw(t, c.path)
	c.st = storetest.OpenPath(t, c.path, bucketlite.WithMayWork(bucketlite.Options{}, func() bool {
		return goesOn.Load() || !stops.Load() || storetest.Dump(t, raw, "SELECT count(*) FROM schema_changes WHERE judged = 0") == "0\n"
	}))
	c.b = storetest.Bucket(t, c.st, bucketlite.BucketConfig{Schema: storetest.Schema(t, `"k":{"type":"string"},"l":{"type":"array"}`),
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}})
	for i := range n {
		storetest.Put(t, c.b, storetest.Input(t, fmt.Sprintf(`{"k":"k%d","l":["x"]}`, i)), "")
	}
	storetest.Ensure(t, c.b, "l")
	stops.Store(true)
	go func() {
		_, err := c.b.ChangeSchema(ctx, storetest.Schema(t, `"k":{"type":"string"},"m":{"type":"array"}`),
			&bucketlite.SchemaChangeOptions{Rename: map[string]string{"l": "m"}})
		c.done <- err
	}()
	storetest.Eventually(func() bool {
		return storetest.Dump(t, raw, "SELECT count(*) FROM schema_changes WHERE judged = 0") == "1\n"
	})
	return c
}

// end lets the change end, and checks the store.
func (c *copiedChange) end(t *testing.T) {
	t.Helper()
	storetest.WantNoProblem(t, c.st)
	storetest.WantSound(t, c.path)
	c.goOn()
	if err := <-c.done; err != nil {
		t.Error(err)
	}
	storetest.WantNoProblem(t, c.st)
	storetest.WantSound(t, c.path)
}

// What is known of the indexes of the next partition is forgotten if a write of a group is
// undone.
func TestChangeSchemaBesideFailedPutMany(t *testing.T) {
	t.Parallel()
	c := startChange(t, 10)
	storetest.Put(t, c.b, storetest.Input(t, `{"k":"one","l":["x"]}`), "")
	inputs := []bucketlite.ObjectInput{storetest.Input(t, `{"k":"several","l":["x","y"]}`), storetest.Input(t, `{"k":"one"}`)}
	_, err := c.b.PutMany(context.Background(), inputs, &bucketlite.PutManyOptions{Atomic: true, Policy: bucketlite.Insert})
	if !errors.Is(err, bucketlite.ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
	storetest.Put(t, c.b, storetest.Input(t, `{"k":"several","l":["x","y"]}`), "")
	c.end(t)
}

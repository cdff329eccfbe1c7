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

// A pausedChange is a change of a bucket's schema that waits at some point.
type pausedChange struct {
	path string
	st   *bucketlite.Store
	b    *bucketlite.Bucket
	goOn func()
	done chan error // receives the result of ChangeSchema
}

// atBeginning is the condition of a change that has not begun its work.
const atBeginning = "true"

// startChange renames l to m in a bucket of n objects with the unique key k, and waits when
// the row of the change satisfies a condition.
func startChange(t *testing.T, n int, when string) *pausedChange {
	t.Helper()
	ctx := context.Background()
	var stops, stopped, goesOn atomic.Bool
	c := &pausedChange{path: filepath.Join(t.TempDir(), "test.db"), goOn: func() { goesOn.Store(true) }, done: make(chan error, 1)}
	raw := storetest.OpenRaw(t, c.path)
	waits := func() bool { return storetest.Dump(t, raw, "SELECT count(*) FROM schema_changes WHERE "+when) == "1\n" }
	c.st = storetest.OpenPath(t, c.path, bucketlite.WithSteps(bucketlite.Options{}, func() bool {
		if !stops.Load() {
			return true
		}
		stopped.Store(true)
		if over := storetest.Dump(t, raw, "SELECT processed, total FROM tasks WHERE processed > total"); over != "" {
			t.Errorf("a task has processed more than its total: %s", over)
		}
		// The row may come after waits and before the step, which would then begin its work.
		return goesOn.Load() || when != atBeginning && !waits()
	}, 0))
	c.b = storetest.Bucket(t, c.st, bucketlite.BucketConfig{Schema: storetest.Schema(t, `"k":{"type":"string"},"l":{"type":"array"}`),
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}})
	for i := range n {
		storetest.Put(t, c.b, storetest.Input(t, fmt.Sprintf(`{"k":"k%d","l":["x"]}`, i)), "")
	}
	storetest.Ensure(t, c.b, "l")
	stops.Store(true)
	storetest.Eventually(stopped.Load) // until then a round that was let through may be at work
	go func() {
		_, err := c.b.ChangeSchema(ctx, storetest.Schema(t, `"k":{"type":"string"},"m":{"type":"array"}`),
			&bucketlite.SchemaChangeOptions{Rename: map[string]string{"l": "m"}})
		c.done <- err
	}()
	storetest.Eventually(waits)
	return c
}

// end lets the change end, and checks the store.
func (c *pausedChange) end(t *testing.T) {
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

// If a write of a group is undone, the transaction forgets the indexes of the next
// partition that it had read.
func TestChangeSchemaBesideFailedPutMany(t *testing.T) {
	t.Parallel()
	c := startChange(t, 10, "checked = 0")
	storetest.Put(t, c.b, storetest.Input(t, `{"k":"one","l":["x"]}`), "")
	inputs := []bucketlite.ObjectInput{storetest.Input(t, `{"k":"several","l":["x","y"]}`), storetest.Input(t, `{"k":"one"}`)}
	_, err := c.b.PutMany(context.Background(), inputs, &bucketlite.PutManyOptions{Atomic: true, Policy: bucketlite.Insert})
	if !errors.Is(err, bucketlite.ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
	storetest.Put(t, c.b, storetest.Input(t, `{"k":"several","l":["x","y"]}`), "")
	c.end(t)
}

// The total of the task grows with the objects that are put before they are checked.
func TestChangeSchemaProgress(t *testing.T) {
	t.Parallel()
	c := startChange(t, 10, atBeginning)
	var inputs []bucketlite.ObjectInput
	for i := range 300 {
		inputs = append(inputs, storetest.Input(t, fmt.Sprintf(`{"k":"new%d"}`, i)))
	}
	res, err := c.b.PutMany(context.Background(), inputs, nil)
	if err := storetest.PutManyError(res, err); err != nil {
		t.Fatal(err)
	}
	c.end(t)
	for task, err := range c.st.Tasks(context.Background(), bucketlite.TaskQuery{Type: bucketlite.ChangeSchemaTask}) {
		if err != nil || task.Processed != 620 || task.Total != 620 {
			t.Errorf("got %d of %d, %v, want 620", task.Processed, task.Total, err)
		}
	}
}

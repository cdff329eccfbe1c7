package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// numbered creates a bucket of n items with the keys "0", "1", …, the numbers 0, 1, … and
// the value "odd" or "even".
func numbered(t *testing.T, st *bucketlite.Store, n int) *bucketlite.Bucket {
	t.Helper()
	b := storetest.Items(t, st)
	inputs := make([]bucketlite.ObjectInput, n)
	for i := range inputs {
		inputs[i] = storetest.Item(fmt.Sprint(i), []string{"even", "odd"}[i%2])
		inputs[i].Fields["n"] = i
	}
	storetest.Must(t, storetest.PutManyError(b.PutMany(context.Background(), inputs, nil)))
	return b
}

// values returns the value of each item, by its key.
func values(t *testing.T, b *bucketlite.Bucket) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
		storetest.Must(t, err)
		v, _ := o.Fields["v"].(string)
		found[o.Fields["k"].(string)] = v
	}
	return found
}

// inBothForms runs a test with a store that changes objects at once, and with one whose
// task changes three at a time.
func inBothForms(t *testing.T, f func(t *testing.T, st *bucketlite.Store)) {
	t.Helper()
	for name, opts := range map[string]*bucketlite.Options{"at once": {}, "task": bucketlite.WithSteps(bucketlite.Options{}, nil, 3)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, storetest.Open(t, opts))
		})
	}
}

// wantBulk fails unless a result has these counts.
func wantBulk(t *testing.T, r *bucketlite.BulkResult, err error, matched, changed, failed int64) {
	t.Helper()
	storetest.Must(t, err)
	if got, want := [3]int64{r.Matched, r.Changed, r.Failed}, [3]int64{matched, changed, failed}; got != want {
		t.Errorf("matched, changed, failed: got %v, want %v", got, want)
	}
}

func TestDeleteObjects(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, tt := range map[string]struct {
		query bucketlite.Query
		all   bool
		want  func(i int) bool // the item is deleted
	}{
		"a filter":       {bucketlite.Query{Filter: bucketlite.Eq("v", "odd")}, false, func(i int) bool { return i%2 == 1 }},
		"a range":        {bucketlite.Query{Filter: bucketlite.Gte("n", 15)}, false, func(i int) bool { return i >= 15 }},
		"a search":       {bucketlite.Query{Search: "EVEN"}, false, func(i int) bool { return i%2 == 0 }},
		"case-sensitive": {bucketlite.Query{Search: "EVEN", CaseSensitive: true}, false, func(int) bool { return false }},
		"both":           {bucketlite.Query{Filter: bucketlite.Lt("n", 6), Search: "odd"}, false, func(i int) bool { return i < 6 && i%2 == 1 }},
		"all":            {bucketlite.Query{}, true, func(int) bool { return true }},
		"a system field": {bucketlite.Query{Filter: bucketlite.Eq("status", "DRAFT")}, false, func(int) bool { return true }},
		"none":           {bucketlite.Query{Filter: bucketlite.Eq("v", "neither")}, false, func(int) bool { return false }},
	} {
		for _, indexed := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", indexed), func(t *testing.T) {
				t.Parallel()
				inBothForms(t, func(t *testing.T, st *bucketlite.Store) {
					b := numbered(t, st, 20)
					if indexed {
						storetest.Ensure(t, b, "v", "n")
						storetest.EnsureText(t, b, "")
					}
					var left, gone []string
					for i, id := range storetest.ObjectIDs(t, b) {
						if tt.want(i) {
							gone = append(gone, id)
						} else {
							left = append(left, id)
						}
					}
					cursor := storetest.EventCursor(t, st)
					dry, err := b.DeleteObjects(ctx, tt.query, &bucketlite.BulkOptions{All: tt.all, DryRun: true})
					wantBulk(t, dry, err, int64(len(gone)), int64(len(gone)), 0)
					r, err := b.DeleteObjects(ctx, tt.query, &bucketlite.BulkOptions{All: tt.all})
					wantBulk(t, r, err, int64(len(gone)), int64(len(gone)), 0)
					if diff := cmp.Diff(left, storetest.ObjectIDs(t, b)); diff != "" {
						t.Errorf("left: (-want +got)\n%s", diff)
					}
					var told []string
					for _, e := range storetest.EventsAfter(t, st, cursor) {
						if e.Kind == bucketlite.EventObjectDeleted {
							told = append(told, e.ObjectID)
						}
					}
					if diff := cmp.Diff(gone, told); diff != "" {
						t.Errorf("events: (-want +got)\n%s", diff)
					}
					storetest.WantExact(t, b)
					storetest.WantNoProblem(t, st)
				})
			})
		}
	}
}

func TestPatchObjects(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	inBothForms(t, func(t *testing.T, st *bucketlite.Store) {
		b := numbered(t, st, 20)
		storetest.Ensure(t, b, "v")
		before := make(map[string]int64)
		for o, err := range b.Objects(ctx, bucketlite.Query{}) {
			storetest.Must(t, err)
			before[o.ID] = o.Version
		}
		// The objects that the patch changes match it no longer, or match only then.
		q := bucketlite.Query{Filter: bucketlite.Ne("v", "new")}
		patch := bucketlite.ObjectInput{Fields: map[string]any{"v": "new", "n": nil}, KeyPrefix: "p/"}
		dry, err := b.PatchObjects(ctx, q, patch, &bucketlite.BulkOptions{DryRun: true})
		wantBulk(t, dry, err, 20, 20, 0)
		cursor := storetest.EventCursor(t, st)
		r, err := b.PatchObjects(ctx, q, patch, nil)
		wantBulk(t, r, err, 20, 20, 0)
		r, err = b.PatchObjects(ctx, bucketlite.Query{Filter: bucketlite.Eq("v", "new")}, patch, nil)
		wantBulk(t, r, err, 20, 0, 0)
		if n := len(storetest.EventsAfter(t, st, cursor)); n != 20 {
			t.Errorf("got %d events, want 20", n)
		}
		for o, err := range b.Objects(ctx, bucketlite.Query{}) {
			storetest.Must(t, err)
			if o.Fields["v"] != "new" || o.Fields["n"] != nil || o.KeyPrefix != "p/" || o.Version <= before[o.ID] {
				t.Errorf("got %+v, want it patched", o)
			}
		}
		storetest.WantExact(t, b)
		storetest.WantNoProblem(t, st)
	})
}

// A patch that an object cannot take is refused for that object alone.
func TestPatchObjectsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	inBothForms(t, func(t *testing.T, st *bucketlite.Store) {
		b := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "items",
			Schema:    rawSchema(t, `{"properties":{"k":{"type":"string"},"v":{"type":"string"},"note":{"type":"object","properties":{"a":{"type":"string","required":true}}}}}`),
			UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}})
		for i := range 12 {
			storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), "x"))
		}
		ids := storetest.ObjectIDs(t, b)
		dry, err := b.PatchObjects(ctx, bucketlite.Query{Filter: bucketlite.Eq("v", "x")}, bucketlite.ObjectInput{Fields: map[string]any{"k": "5"}}, &bucketlite.BulkOptions{DryRun: true})
		wantBulk(t, dry, err, 12, 0, 11)
		r, err := b.PatchObjects(ctx, bucketlite.Query{Filter: bucketlite.Eq("v", "x")}, bucketlite.ObjectInput{Fields: map[string]any{"k": "5"}}, nil)
		wantBulk(t, r, err, 12, 0, 11)
		for i, f := range r.Failures {
			want := ids[i]
			if i >= 5 {
				want = ids[i+1]
			}
			if f.ID != want || !strings.Contains(f.Message, "unique key is taken") {
				t.Errorf("failure %d: got %+v, want %s with the key", i, f, want)
			}
		}
		// The first takes a free key, the others come too late.
		r, err = b.PatchObjects(ctx, bucketlite.Query{Filter: bucketlite.Eq("v", "x")}, bucketlite.ObjectInput{Fields: map[string]any{"k": "free"}}, nil)
		wantBulk(t, r, err, 12, 1, 11)
		if r.TaskID != "" {
			task, err := st.Task(ctx, r.TaskID)
			storetest.Must(t, err)
			if task.Status != bucketlite.StatusCompletedWithErrors || task.AdditionalData["operation"] != "patch_objects" || task.Processed != task.Total {
				t.Errorf("got task %+v, want it completed with errors", task)
			}
		}
		storetest.WantNoProblem(t, st)
	})
}

// Of many failures, the first are reported.
func TestBulkFailuresAreBounded(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t, bucketlite.WithSteps(bucketlite.Options{}, nil, 40))
	b := numbered(t, st, 250)
	r, err := b.PatchObjects(ctx, bucketlite.Query{}, bucketlite.ObjectInput{Fields: map[string]any{"k": "0"}}, &bucketlite.BulkOptions{All: true})
	wantBulk(t, r, err, 250, 0, 249)
	if len(r.Failures) != 100 {
		t.Errorf("got %d failures, want 100", len(r.Failures))
	}
}

func TestBulkArguments(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := numbered(t, storetest.OpenMemory(t), 3)
	all := &bucketlite.BulkOptions{All: true}
	fields := func(f map[string]any) bucketlite.ObjectInput { return bucketlite.ObjectInput{Fields: f} }
	some := bucketlite.Query{Filter: bucketlite.Eq("v", "odd")}
	for name, tt := range map[string]struct {
		query bucketlite.Query
		patch bucketlite.ObjectInput
		opts  *bucketlite.BulkOptions
		want  error
	}{
		"nothing selects":     {bucketlite.Query{}, fields(map[string]any{"v": "x"}), nil, bucketlite.ErrBadRequest},
		"a blank search":      {bucketlite.Query{Search: "  "}, fields(map[string]any{"v": "x"}), nil, bucketlite.ErrBadRequest},
		"an empty group":      {bucketlite.Query{Filter: bucketlite.And()}, fields(map[string]any{"v": "x"}), nil, bucketlite.ErrBadRequest},
		"sort":                {bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("n")}}, fields(map[string]any{"v": "x"}), all, bucketlite.ErrBadRequest},
		"select":              {bucketlite.Query{Select: []string{"n"}}, fields(map[string]any{"v": "x"}), all, bucketlite.ErrBadRequest},
		"limit":               {bucketlite.Query{Limit: 1}, fields(map[string]any{"v": "x"}), all, bucketlite.ErrBadRequest},
		"offset":              {bucketlite.Query{Offset: 1}, fields(map[string]any{"v": "x"}), all, bucketlite.ErrBadRequest},
		"cursor":              {bucketlite.Query{Cursor: "c"}, fields(map[string]any{"v": "x"}), all, bucketlite.ErrBadRequest},
		"reverse":             {bucketlite.Query{Reverse: true}, fields(map[string]any{"v": "x"}), all, bucketlite.ErrBadRequest},
		"total":               {bucketlite.Query{Total: true}, fields(map[string]any{"v": "x"}), all, bucketlite.ErrBadRequest},
		"a bad filter":        {bucketlite.Query{Filter: bucketlite.Regex("v", "(")}, fields(map[string]any{"v": "x"}), nil, bucketlite.ErrBadRequest},
		"no object can match": {bucketlite.Query{Filter: bucketlite.Eq("n", "text")}, fields(map[string]any{"v": "x"}), nil, bucketlite.ErrBadRequest},
		"no patch":            {some, bucketlite.ObjectInput{}, nil, bucketlite.ErrBadRequest},
		"an id":               {some, bucketlite.ObjectInput{ID: "x", KeyPrefix: "p"}, nil, bucketlite.ErrBadRequest},
		"a reader":            {some, storetest.ItemWithDoc("k", "doc"), nil, bucketlite.ErrBadRequest},
		"an invalid value":    {some, fields(map[string]any{"n": "text"}), nil, bucketlite.ErrInvalid},
		"a key removed":       {some, fields(map[string]any{"k": nil}), nil, bucketlite.ErrInvalid},
		"a system member":     {some, fields(map[string]any{"status": "DRAFT"}), nil, bucketlite.ErrInvalid},
		"a large patch":       {some, fields(map[string]any{"v": strings.Repeat("x", bucketlite.MaxBulkPatchBytes)}), nil, bucketlite.ErrTooLarge},
	} {
		_, err := b.PatchObjects(ctx, tt.query, tt.patch, tt.opts)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	_, err := b.DeleteObjects(ctx, bucketlite.Query{}, nil)
	storetest.WantError(t, err, bucketlite.ErrBadRequest)
	if got := b.Name(); len(values(t, b)) != 3 {
		t.Errorf("bucket %q lost objects", got)
	}
}

// heldBulk is a change by query over n items whose task waits until steps let it continue.
type heldBulk struct {
	path   string
	st     *bucketlite.Store
	b      *bucketlite.Bucket
	steps  *stepper
	task   string
	result chan bulkOutcome
}

type bulkOutcome struct {
	r   *bucketlite.BulkResult
	err error
}

// holdBulk begins a change of ten items, two a step.
func holdBulk(t *testing.T, change func(ctx context.Context, b *bucketlite.Bucket) (*bucketlite.BulkResult, error)) *heldBulk {
	t.Helper()
	h := &heldBulk{path: filepath.Join(t.TempDir(), "test.db"), steps: &stepper{}, result: make(chan bulkOutcome, 1)}
	h.st = storetest.OpenPath(t, h.path, bucketlite.WithSteps(bucketlite.Options{}, h.steps.mayWork, 2))
	h.b = numbered(t, h.st, 10)
	go func() {
		r, err := change(context.Background(), h.b)
		h.result <- bulkOutcome{r, err}
	}()
	if !storetest.Eventually(func() bool {
		for task, err := range h.st.Tasks(context.Background(), bucketlite.TaskQuery{Type: bucketlite.ChangeObjectsTask}) {
			if err == nil {
				h.task = task.ID
			}
		}
		return h.task != ""
	}) {
		t.Fatal("the task does not begin")
	}
	return h
}

// finish lets the work continue, and returns its outcome.
func (h *heldBulk) finish(t *testing.T) bulkOutcome {
	t.Helper()
	for range 30 {
		h.steps.step(t)
	}
	return <-h.result
}

func deleteAll(ctx context.Context, b *bucketlite.Bucket) (*bucketlite.BulkResult, error) {
	return b.DeleteObjects(ctx, bucketlite.Query{}, &bucketlite.BulkOptions{All: true})
}

func patchAll(ctx context.Context, b *bucketlite.Bucket) (*bucketlite.BulkResult, error) {
	return b.PatchObjects(ctx, bucketlite.Query{Filter: bucketlite.Exists("k")}, bucketlite.ObjectInput{Fields: map[string]any{"v": "new"}}, nil)
}

// A task changes what there was when it was accepted, as it is at its turn.
func TestBulkBesideWriters(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := holdBulk(t, func(ctx context.Context, b *bucketlite.Bucket) (*bucketlite.BulkResult, error) {
		return b.DeleteObjects(ctx, bucketlite.Query{Filter: bucketlite.In("v", "odd", "even")}, nil)
	})
	storetest.PutItem(t, h.b, storetest.Item("later", "odd"))
	h.steps.step(t) // it finds the objects
	storetest.PutItem(t, h.b, storetest.Item("1", "kept"))
	storetest.PutItem(t, h.b, storetest.Item("8", "kept"))
	ids := storetest.ObjectIDs(t, h.b)
	storetest.Must(t, h.b.DeleteObject(ctx, ids[4], nil))
	h.steps.step(t)
	storetest.PutItem(t, h.b, storetest.Item("0", "odd")) // deleted by now, and created again
	out := h.finish(t)
	wantBulk(t, out.r, out.err, 7, 7, 0)
	if diff := cmp.Diff(map[string]string{"later": "odd", "1": "kept", "8": "kept", "0": "odd"}, values(t, h.b)); diff != "" {
		t.Errorf("left: (-want +got)\n%s", diff)
	}
	storetest.WantExact(t, h.b)
	storetest.WantNoProblem(t, h.st)
}

// A task that ends early leaves the objects as it has changed them.
func TestBulkEndsEarly(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do     func(ctx context.Context, h *heldBulk) error
		want   error
		status bucketlite.Status
		reason string
	}{
		"canceled":  {func(ctx context.Context, h *heldBulk) error { return storetest.ErrorOf(h.st.CancelTask(ctx, h.task)) }, bucketlite.ErrConflict, bucketlite.StatusCanceled, ""},
		"archived":  {func(ctx context.Context, h *heldBulk) error { return h.b.Archive(ctx) }, bucketlite.ErrNotActive, bucketlite.StatusFailed, "is ARCHIVED"},
		"suspended": {func(ctx context.Context, h *heldBulk) error { return h.b.Suspend(ctx) }, bucketlite.ErrNotActive, bucketlite.StatusFailed, "is SUSPENDED"},
		"locked":    {func(ctx context.Context, h *heldBulk) error { return h.b.Lock(ctx) }, bucketlite.ErrLocked, bucketlite.StatusFailed, "is locked"},
		"deleted":   {func(ctx context.Context, h *heldBulk) error { return storetest.ErrorOf(h.b.Delete(ctx)) }, nil, bucketlite.StatusFailed, ""},
	} {
		for operation, change := range map[string]func(context.Context, *bucketlite.Bucket) (*bucketlite.BulkResult, error){"delete": deleteAll, "patch": patchAll} {
			for _, steps := range []int{0, 1, 3} {
				t.Run(fmt.Sprintf("%s %s %d", name, operation, steps), func(t *testing.T) {
					t.Parallel()
					ctx := context.Background()
					h := holdBulk(t, change)
					for range steps {
						h.steps.step(t)
					}
					storetest.Must(t, tt.do(ctx, h))
					out := h.finish(t)
					task, err := h.st.Task(ctx, h.task)
					storetest.Must(t, err)
					done := int64(2 * max(0, steps-1))
					if out.err == nil || tt.want != nil && !errors.Is(out.err, tt.want) {
						t.Errorf("got %v, want %v", out.err, tt.want)
					}
					if out.r.Changed != done || out.r.TaskID != h.task {
						t.Errorf("got %+v, want %d objects and task %s", out.r, done, h.task)
					}
					if task.Status != tt.status || !strings.Contains(task.Error, tt.reason) || tt.status == bucketlite.StatusFailed && !strings.Contains(task.Error, fmt.Sprint(done, " objects were ")) {
						t.Errorf("got task %s: %s, want %s with what it has done", task.Status, task.Error, tt.status)
					}
					storetest.WantNoProblem(t, h.st)
				})
			}
		}
	}
}

// A schema change in the middle of a task is followed.
func TestBulkFollowsTheSchema(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	without := storetest.ItemsConfig("").Schema
	without.Properties = maps.Clone(without.Properties)
	delete(without.Properties, "n")
	for name, tt := range map[string]struct {
		schema bucketlite.Schema
		opts   bucketlite.SchemaChangeOptions
		change func(context.Context, *bucketlite.Bucket) (*bucketlite.BulkResult, error)
		failed string
	}{
		"another field": {without, bucketlite.SchemaChangeOptions{Drop: []string{"n"}}, patchAll, ""},
		"its field": {without, bucketlite.SchemaChangeOptions{Drop: []string{"n"}}, func(ctx context.Context, b *bucketlite.Bucket) (*bucketlite.BulkResult, error) {
			return b.DeleteObjects(ctx, bucketlite.Query{Filter: bucketlite.Not(bucketlite.Eq("n", 3))}, nil)
		}, `"n"`},
		"loosened": {storetest.LooserItems(), bucketlite.SchemaChangeOptions{}, deleteAll, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := holdBulk(t, tt.change)
			h.steps.step(t)
			h.steps.step(t)
			other := storetest.ReopenItems(t, h.path) // another store brings it into force
			storetest.Must(t, storetest.ErrorOf(other.ChangeSchema(ctx, tt.schema, &tt.opts)))
			out := h.finish(t)
			if tt.failed == "" {
				wantBulk(t, out.r, out.err, 10, 10, 0)
			} else if out.err == nil || !strings.Contains(out.err.Error(), tt.failed) {
				t.Errorf("got %+v, %v, want an error about %s", out.r, out.err, tt.failed)
			}
			storetest.WantNoProblem(t, h.st)
		})
	}
}

// A task continues where it was after the store was closed, and patches no object twice.
func TestBulkContinues(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := t.TempDir() + "/test.db"
	steps := &stepper{}
	st := storetest.OpenPath(t, path, bucketlite.WithSteps(bucketlite.Options{}, steps.mayWork, 2))
	b := numbered(t, st, 10)
	cursor := storetest.EventCursor(t, st)
	r, err := b.PatchObjects(ctx, bucketlite.Query{Filter: bucketlite.Exists("k")}, bucketlite.ObjectInput{Fields: map[string]any{"v": "new"}}, &bucketlite.BulkOptions{NoWait: true})
	storetest.Must(t, err)
	for range 4 {
		steps.step(t)
	}
	task, err := st.Task(ctx, r.TaskID)
	storetest.Must(t, err)
	if task.Done() || task.Processed != 6 || task.Total != 10 {
		t.Errorf("got %d of %d, want 6 of 10", task.Processed, task.Total)
	}
	storetest.Must(t, st.Close())
	st = storetest.OpenPath(t, path)
	task, err = st.Wait(ctx, r.TaskID)
	storetest.Must(t, err)
	if task.Status != bucketlite.StatusCompleted {
		t.Errorf("got %+v, want it completed", task)
	}
	r, err = task.BulkResult()
	wantBulk(t, r, err, 10, 10, 0)
	var patched []string
	for _, e := range storetest.EventsAfter(t, st, cursor) {
		patched = append(patched, e.ObjectID)
	}
	b, err = storetest.Namespace(t, st).Bucket(ctx, "items")
	storetest.Must(t, err)
	if diff := cmp.Diff(storetest.ObjectIDs(t, b), patched); diff != "" {
		t.Errorf("patched: (-want +got)\n%s", diff)
	}
	storetest.WantSound(t, path)
}

// A call whose context ends leaves its task to continue.
func TestBulkContextEnds(t *testing.T) {
	t.Parallel()
	h := holdBulk(t, func(ctx context.Context, b *bucketlite.Bucket) (*bucketlite.BulkResult, error) {
		return deleteAll(ctx, b)
	})
	ctx, cancel := context.WithCancel(context.Background())
	second := make(chan bulkOutcome, 1)
	go func() {
		r, err := patchAll(ctx, h.b)
		second <- bulkOutcome{r, err}
	}()
	if !storetest.Eventually(func() bool {
		tasks, err := h.st.ListTasks(context.Background(), bucketlite.TaskQuery{Type: bucketlite.ChangeObjectsTask})
		return err == nil && len(tasks.Results) == 2
	}) {
		t.Fatal("the second task does not begin")
	}
	cancel()
	out := <-second
	storetest.WantError(t, out.err, context.Canceled)
	if out.r == nil || out.r.TaskID == "" {
		t.Fatalf("got %+v, want the task's id", out.r)
	}
	h.finish(t)
	h.steps.step(t)
	task, err := h.st.Task(context.Background(), out.r.TaskID)
	storetest.Must(t, err)
	if task.Status != bucketlite.StatusCompleted {
		t.Errorf("got %+v, want it completed", task)
	}
}

// Only a change by query has a result.
func TestBulkResultOfAnotherTask(t *testing.T) {
	t.Parallel()
	b := numbered(t, storetest.OpenMemory(t), 1)
	_, err := mustDelete(t, b).BulkResult()
	storetest.WantError(t, err, bucketlite.ErrBadRequest)
}

// The lifecycle is that of other writes.
func TestBulkLifecycle(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := numbered(t, storetest.OpenMemory(t), 3)
	q := bucketlite.Query{Filter: bucketlite.Eq("v", "neither")}
	storetest.Must(t, b.Lock(ctx))
	_, err := b.DeleteObjects(ctx, q, nil)
	storetest.WantError(t, err, bucketlite.ErrLocked)
	storetest.Must(t, b.Unlock(ctx))
	storetest.Must(t, b.Archive(ctx))
	_, err = patchAll(ctx, b)
	storetest.WantError(t, err, bucketlite.ErrNotActive)
	r, err := b.DeleteObjects(ctx, bucketlite.Query{Filter: bucketlite.Eq("v", "odd")}, &bucketlite.BulkOptions{DryRun: true})
	wantBulk(t, r, err, 1, 1, 0)
}

// Contents go with their objects.
func TestDeleteObjectsWithContent(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, st *bucketlite.Store) {
		b := storetest.Items(t, st)
		for i := range 12 {
			storetest.PutItem(t, b, storetest.ItemWithDoc(fmt.Sprint(i), strings.Repeat(fmt.Sprint(i/2), 1000)))
		}
		r, err := b.DeleteObjects(context.Background(), bucketlite.Query{Filter: bucketlite.In("k", "0", "1", "2", "4", "5")}, nil)
		wantBulk(t, r, err, 5, 5, 0)
		storetest.WantContent(t, st, 4*1000)
		r, err = deleteAll(context.Background(), b)
		wantBulk(t, r, err, 7, 7, 0)
		storetest.WantContent(t, st, 0)
		storetest.WantNoProblem(t, st)
	})
}

// A null removes the blobs of a property.
func TestPatchObjectsRemovesBlobs(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, st *bucketlite.Store) {
		b := storetest.Items(t, st)
		for i := range 8 {
			storetest.PutItem(t, b, storetest.ItemWithDoc(fmt.Sprint(i), "text"))
		}
		r, err := b.PatchObjects(context.Background(), bucketlite.Query{Filter: bucketlite.Exists("blobs")}, bucketlite.ObjectInput{Fields: map[string]any{"doc": nil}}, nil)
		wantBulk(t, r, err, 8, 8, 0)
		storetest.WantContent(t, st, 0)
		storetest.WantExact(t, b)
		storetest.WantNoProblem(t, st)
	})
}

// A reader of a patch is not read.
func TestPatchObjectsReadsNothing(t *testing.T) {
	t.Parallel()
	b := numbered(t, storetest.OpenMemory(t), 1)
	r := strings.NewReader("doc")
	in := bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "doc", Reader: r}}}
	_, err := b.PatchObjects(context.Background(), bucketlite.Query{Filter: bucketlite.Exists("k")}, in, nil)
	storetest.WantError(t, err, bucketlite.ErrBadRequest)
	if left, _ := io.ReadAll(r); !slices.Equal(left, []byte("doc")) {
		t.Errorf("got %q left, want all", left)
	}
}

package bucketlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

const (
	openItems     = `{"properties":{"k":{"type":"string"},"v":{"type":"string"},"doc":{"type":"text"}}}`
	shortItems    = `{"properties":{"k":{"type":"string"},"v":{"type":"string","maxLength":3},"doc":{"type":"text"}}}`
	renamedItems  = `{"properties":{"k":{"type":"string"},"w":{"type":"string"},"text":{"type":"text"}}}`
	requiredItems = `{"properties":{"k":{"type":"string"},"v":{"type":"string","required":true},"doc":{"type":"text"}}}`
)

var renameItems = bucketlite.SchemaChangeOptions{Rename: map[string]string{"v": "w", "doc": "text"}}

// heldChange is a change of the schema of the bucket "items" whose task waits until steps
// let it continue.
type heldChange struct {
	path   string
	st     *bucketlite.Store
	b      *bucketlite.Bucket
	steps  *stepper
	task   string
	result chan error
}

// holdChange begins a change over three items.
func holdChange(t *testing.T, to string, opts bucketlite.SchemaChangeOptions) *heldChange {
	t.Helper()
	h := &heldChange{path: filepath.Join(t.TempDir(), "test.db"), steps: &stepper{}, result: make(chan error, 1)}
	h.st = storetest.OpenPath(t, h.path, bucketlite.WithSteps(bucketlite.Options{}, h.steps.mayWork, 1))
	h.b = storetest.Bucket(t, h.st, bucketlite.BucketConfig{Name: "items", Schema: rawSchema(t, openItems),
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}})
	for _, k := range []string{"a", "b", "c"} {
		storetest.PutItem(t, h.b, storetest.Item(k, "x"))
	}
	go func() {
		_, err := h.b.ChangeSchema(context.Background(), rawSchema(t, to), &opts)
		h.result <- err
	}()
	if !storetest.Eventually(func() bool {
		for task, err := range h.st.Tasks(context.Background(), bucketlite.TaskQuery{Type: bucketlite.ChangeSchemaTask}) {
			if err == nil {
				h.task = task.ID
			}
		}
		return h.task != ""
	}) {
		t.Fatal("the change does not begin")
	}
	return h
}

// release lets all background work continue.
func (h *heldChange) release(t *testing.T) {
	t.Helper()
	for range 60 {
		h.steps.step(t)
	}
}

func TestChangeSchemaPending(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := holdChange(t, shortItems, bucketlite.SchemaChangeOptions{})
	_, err := h.b.Put(ctx, storetest.Item("d", "long"), nil)
	if storetest.WantError(t, err, bucketlite.ErrInvalid); err != nil && !strings.Contains(err.Error(), "changing to schema version 2") {
		t.Errorf("got %v, want that the bucket is changing", err)
	}
	storetest.WantError(t, storetest.ErrorOf(h.b.Patch(ctx, storetest.PutItem(t, h.b, storetest.Item("d", "abc")).ID, storetest.Input(t, `{"v":"long"}`), nil)), bucketlite.ErrInvalid)
	storetest.WantError(t, h.b.Validate(ctx, storetest.Item("e", "long")), bucketlite.ErrInvalid)
	_, err = h.b.ChangeSchema(ctx, rawSchema(t, requiredItems), nil)
	if storetest.WantError(t, err, bucketlite.ErrConflict); err != nil && !strings.Contains(err.Error(), h.task) {
		t.Errorf("got %v, want it to name task %s", err, h.task)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	storetest.WantError(t, storetest.ErrorOf(h.b.ChangeSchema(ended, rawSchema(t, shortItems), nil)), context.Canceled)
	h.release(t)
	storetest.Must(t, <-h.result)
	// A call that comes after the task finds the schema in force.
	c, err := h.b.ChangeSchema(ctx, rawSchema(t, shortItems), nil)
	if err != nil || c.Effect != bucketlite.EffectNone || c.Version != 2 {
		t.Errorf("got %+v, %v, want no change of version 2", c, err)
	}
	storetest.WantNoProblem(t, h.st)
}

// A change that is withdrawn leaves the schema, and nothing of itself.
func TestChangeSchemaWithdrawn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(ctx context.Context, h *heldChange) error
		want error
	}{
		"canceled":  {func(ctx context.Context, h *heldChange) error { return storetest.ErrorOf(h.st.CancelTask(ctx, h.task)) }, bucketlite.ErrConflict},
		"archived":  {func(ctx context.Context, h *heldChange) error { return h.b.Archive(ctx) }, bucketlite.ErrNotActive},
		"suspended": {func(ctx context.Context, h *heldChange) error { return h.b.Suspend(ctx) }, bucketlite.ErrNotActive},
		"locked":    {func(ctx context.Context, h *heldChange) error { return h.b.Lock(ctx) }, bucketlite.ErrLocked},
		"deleted":   {func(ctx context.Context, h *heldChange) error { return storetest.ErrorOf(h.b.Delete(ctx)) }, nil},
	} {
		for form, to := range map[string]string{"checked": shortItems, "rewritten": renamedItems} {
			for _, steps := range []int{0, 5, 9} {
				t.Run(fmt.Sprintf("%s %s %d", name, form, steps), func(t *testing.T) {
					t.Parallel()
					ctx := context.Background()
					opts := bucketlite.SchemaChangeOptions{}
					if form == "rewritten" {
						opts = renameItems
					}
					h := holdChange(t, to, opts)
					for range min(steps, 3) { // three objects, one a step
						h.steps.step(t)
					}
					if form == "rewritten" {
						for range steps - min(steps, 3) {
							if task, err := h.st.Task(ctx, h.task); err != nil || task.Done() {
								break
							}
							h.steps.step(t)
						}
					}
					if task, err := h.st.Task(ctx, h.task); err != nil || task.Done() {
						return // it was too quick
					}
					storetest.Must(t, tt.do(ctx, h))
					h.release(t)
					err := <-h.result
					if tt.want != nil {
						storetest.WantError(t, err, tt.want)
						info, err := h.b.Info(ctx)
						if err != nil || info.SchemaVersion != 1 || info.Schema.Properties["v"].Type == "" {
							t.Errorf("got %+v, %v, want the first schema", info, err)
						}
					} else if err == nil {
						t.Error("got no error, want that the bucket is gone")
					}
					storetest.WantNoProblem(t, h.st)
					db := storetest.OpenRaw(t, h.path)
					for _, table := range []string{"old_partitions", "schema_changes", "object WHERE partition NOT IN (SELECT partition FROM buckets)"} {
						if got := storetest.Dump(t, db, "SELECT count(*) FROM "+table); got != "0\n" {
							t.Errorf("%s: got %q rows, want none", table, got)
						}
					}
				})
			}
		}
	}
}

func TestChangeSchemaRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: rawSchema(t, openItems), UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}})
	for name, tt := range map[string]struct {
		to   string
		opts bucketlite.SchemaChangeOptions
		want error
	}{
		"a missing field":      {renamedItems, bucketlite.SchemaChangeOptions{}, bucketlite.ErrInvalid},
		"a bad schema":         {`{"properties":{"k":{"type":"string"},"v":{"type":"strin"},"doc":{"type":"text"}}}`, bucketlite.SchemaChangeOptions{}, bucketlite.ErrInvalid},
		"a key field renamed":  {`{"properties":{"key":{"type":"string"},"v":{"type":"string"},"doc":{"type":"text"}}}`, bucketlite.SchemaChangeOptions{Rename: map[string]string{"k": "key"}}, bucketlite.ErrInvalid},
		"another version":      {shortItems, bucketlite.SchemaChangeOptions{IfVersion: 7}, bucketlite.ErrConflict},
		"a drop of no field":   {shortItems, bucketlite.SchemaChangeOptions{Drop: []string{"none"}}, bucketlite.ErrInvalid},
		"a schema without key": {`{"properties":{"v":{"type":"string"},"doc":{"type":"text"}}}`, bucketlite.SchemaChangeOptions{Drop: []string{"k"}}, bucketlite.ErrInvalid},
	} {
		if tt.to == `{"properties":{"k":{"type":"string"},"v":{"type":"strin"},"doc":{"type":"text"}}}` {
			bad := rawSchema(t, openItems)
			f := bad.Properties["v"]
			f.Type = "strin"
			bad.Properties["v"] = f
			storetest.WantError(t, storetest.ErrorOf(b.ChangeSchema(ctx, bad, &tt.opts)), tt.want)
			continue
		}
		if _, err := b.ChangeSchema(ctx, rawSchema(t, tt.to), &tt.opts); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	storetest.Must(t, b.Archive(ctx))
	storetest.WantError(t, storetest.ErrorOf(b.ChangeSchema(ctx, rawSchema(t, shortItems), nil)), bucketlite.ErrNotActive)
	storetest.WantError(t, storetest.ErrorOf(b.ChangeSchema(ctx, rawSchema(t, shortItems), &bucketlite.SchemaChangeOptions{DryRun: true})), bucketlite.ErrNotActive)
	storetest.Must(t, b.Activate(ctx))
	storetest.Must(t, b.Lock(ctx))
	storetest.WantError(t, storetest.ErrorOf(b.ChangeSchema(ctx, rawSchema(t, shortItems), nil)), bucketlite.ErrLocked)
}

// The error for a name that is gone says which change has removed it.
func TestRemovedNames(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: rawSchema(t, openItems)})
	for range 3 {
		storetest.PutItem(t, b, storetest.Item("a", "x"))
	}
	by := bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("v")}, Limit: 1}
	page, err := b.List(ctx, by)
	storetest.Must(t, err)
	plain, err := b.List(ctx, bucketlite.Query{Limit: 1})
	storetest.Must(t, err)
	u := storetest.CreateUpload(t, b, bucketlite.UploadInput{Filename: "doc.txt", ContentType: "text/plain", ObjectMetadata: map[string]any{"v": "x"}})
	storetest.WriteUpload(t, b, u.ID, "some text")
	if _, err := b.ChangeSchema(ctx, rawSchema(t, renamedItems), &renameItems); err != nil {
		t.Fatal(err)
	}
	by.Cursor = page.Next
	_, err = b.List(ctx, by)
	if storetest.WantError(t, err, bucketlite.ErrBadRequest); err != nil && !strings.Contains(err.Error(), `schema version 2 renamed "v" to "w"`) {
		t.Errorf("got %v, want it to name the change", err)
	}
	rest, err := b.List(ctx, bucketlite.Query{Cursor: plain.Next})
	if err != nil || len(rest.Results) != 2 {
		t.Errorf("a cursor that names no field: got %v, %v, want the two other objects", rest, err)
	}
	_, err = b.ConfirmUpload(ctx, u.ID, nil)
	if storetest.WantError(t, err, bucketlite.ErrConflict); err != nil && !strings.Contains(err.Error(), "schema version 2 renamed") {
		t.Errorf("got %v, want it to name the change", err)
	}
}

// onceReader fails a test that reads it again after its end.
type onceReader struct {
	t     *testing.T
	r     io.Reader
	ended bool
}

func (r *onceReader) Read(p []byte) (int, error) {
	if r.ended {
		r.t.Error("read after its end")
	}
	n, err := r.r.Read(p)
	r.ended = err != nil
	return n, err
}

// A reader is read once, though its input is checked again by the schema of another process.
func TestReadersAfterChange(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, size := range map[string]int{"empty": 0, "short": 100, "a chunk": 256 << 10, "staged": 2 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			b := storetest.Bucket(t, storetest.OpenPath(t, path), bucketlite.BucketConfig{Schema: rawSchema(t, openItems)})
			far, farther := bucketOf(t, storetest.OpenPath(t, path)), bucketOf(t, storetest.OpenPath(t, path))
			to := rawSchema(t, `{"properties":{"k":{"type":"string"},"v":{"type":"string"},"doc":{"type":"text"},"n":{"type":"integer"},"m":{"type":"integer","default":1}}}`)
			if _, err := b.ChangeSchema(ctx, to, nil); err != nil {
				t.Fatal(err)
			}
			data := bytes.Repeat([]byte("text "), size/5)
			input := func() bucketlite.ObjectInput {
				return bucketlite.ObjectInput{Fields: map[string]any{"k": "a", "n": 1}, Blobs: []bucketlite.BlobInput{{Property: "doc", Reader: &onceReader{t: t, r: bytes.NewReader(data)}}}}
			}
			res, err := far.Put(ctx, input(), nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := storetest.ReadBlob(far, res.Object.ID, "doc")
			if err != nil || !bytes.Equal(got, data) || res.Object.Fields["m"] == nil {
				t.Errorf("got %d bytes, %v, fields %v, want %d bytes, and the new default", len(got), err, res.Object.Fields, len(data))
			}
			for _, atomic := range []bool{false, true} {
				many, err := farther.PutMany(ctx, []bucketlite.ObjectInput{input(), input()}, &bucketlite.PutManyOptions{Atomic: atomic})
				if err != nil || len(many.Succeeded) != 2 || many.Succeeded[1].Object.Fields["m"] == nil {
					t.Errorf("got %+v, %v, want two objects with the new default", many, err)
				}
				farther = bucketOf(t, storetest.OpenPath(t, path))
			}
			storetest.WantSound(t, path)
		})
	}
}

// On a full disk a change is not waited for. It continues once there is space.
func TestChangeSchemaOnFullDisk(t *testing.T) {
	t.Parallel()
	ctx, st, b, commits := itemsOnFullDisk(t)
	next := storetest.ItemsConfig("").Schema
	next.Properties["w"] = next.Properties["v"]
	delete(next.Properties, "v")
	opts := &bucketlite.SchemaChangeOptions{Rename: map[string]string{"v": "w"}}
	commits.Store(1) // for the task itself
	if _, err := b.ChangeSchema(ctx, next, opts); !errors.Is(err, bucketlite.ErrFull) {
		t.Errorf("on a full disk: got error %v, want ErrFull", err)
	}
	commits.Store(diskSpace)
	if _, err := b.ChangeSchema(ctx, next, opts); err != nil {
		t.Errorf("once there is space: got error %v, want none", err)
	}
	if o, err := b.ObjectByKey(ctx, map[string]any{"k": "7"}); err != nil || o.Fields["w"] != "v" {
		t.Errorf("object: got %v and error %v, want w to be v", o, err)
	}
	storetest.WantNoProblem(t, st)
}

// A report of objects that do not conform is bounded, whatever is in their faults.
func TestChangeSchemaReportIsBounded(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	for i := range 30 {
		in := storetest.Item(fmt.Sprint(i), "v")
		in.Fields[strings.Repeat("x", 100_000)] = i
		storetest.PutItem(t, b, in)
	}
	next := storetest.ItemsConfig("").Schema
	next.AdditionalProperties = new(false)
	_, err := b.ChangeSchema(ctx, next, nil)
	var refused *bucketlite.SchemaChangeError
	if !errors.As(err, &refused) {
		t.Fatalf("got error %v, want a SchemaChangeError", err)
	}
	if refused.Count != 30 {
		t.Errorf("objects that do not conform: got %d, want 30", refused.Count)
	}
	if n := len(refused.Objects); n == 0 || n == 30 {
		t.Errorf("objects in the report: got %d, want some", n)
	}
}

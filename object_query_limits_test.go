package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Up to 1,000 objects of 4 MiB are changed at once, more by a task.
func TestBulkAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, tt := range map[string]struct {
		objects, bytes int
		task           bool
	}{
		"1000":       {1000, 10, false},
		"1001":       {1001, 10, true},
		"small":      {3, 1 << 20, false},
		"large":      {5, 1 << 20, true},
		"one larger": {1, 5 << 20, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := storetest.OpenMemory(t)
			b := storetest.Items(t, st)
			storetest.PutItems(t, b, tt.objects, tt.bytes)
			for _, change := range []func(context.Context, *bucketlite.Bucket) (*bucketlite.BulkResult, error){patchAllN, deleteAll} {
				r, err := change(ctx, b)
				wantBulk(t, r, err, int64(tt.objects), int64(tt.objects), 0)
				if (r.TaskID != "") != tt.task {
					t.Errorf("got task %q, want one: %t", r.TaskID, tt.task)
				}
			}
			storetest.WantNoProblem(t, st)
		})
	}
}

func patchAllN(ctx context.Context, b *bucketlite.Bucket) (*bucketlite.BulkResult, error) {
	return b.PatchObjects(ctx, bucketlite.Query{Filter: bucketlite.Exists("k")}, bucketlite.ObjectInput{Fields: map[string]any{"n": 5}}, nil)
}

// The query and the patch of a task come back from its record as they were given.
func TestBulkRecord(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	now := time.Now()
	for name, q := range map[string]bucketlite.Query{
		"a time":           {Filter: bucketlite.Lte("created_at", now.Add(time.Hour))},
		"values":           {Filter: bucketlite.In("n", 1, 2, 3, 4, 5, 6, 7, 8, 9)},
		"a large number":   {Filter: bucketlite.Lt("n", 1e19)},
		"quotes":           {Filter: bucketlite.Ne("v", "\"'\\$\u0001 é\u2028")},
		"case in a group":  {Filter: bucketlite.Or(bucketlite.Eq("v", "ODD").CaseSensitive(), bucketlite.Eq("v", "EVEN"), bucketlite.Eq("v", "odd").CaseSensitive())},
		"case in general":  {Filter: bucketlite.Or(bucketlite.Eq("v", "ODD"), bucketlite.In("v", "even", "odd")), CaseSensitive: true},
		"a search":         {Search: "0 9 7", Filter: bucketlite.Or(bucketlite.Exists("n"))},
		"a regular expr":   {Filter: bucketlite.Regex("v", `^(odd|even)$`)},
		"is null":          {Filter: bucketlite.IsNull("note")},
		"a nested nothing": {Filter: bucketlite.Not(bucketlite.Or())},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := storetest.Open(t, bucketlite.WithSteps(bucketlite.Options{}, nil, 2))
			b := numbered(t, st, 10)
			want, err := b.DeleteObjects(ctx, q, &bucketlite.BulkOptions{DryRun: true})
			storetest.Must(t, err)
			value := map[string]any{"note": map[string]any{"a": []any{1.50, "\"é\u2028", nil, true}}, "n": nil}
			r, err := b.PatchObjects(ctx, q, bucketlite.ObjectInput{Fields: value}, nil)
			wantBulk(t, r, err, want.Matched, want.Matched, 0)
			if want.Matched > 2 && r.TaskID == "" {
				t.Error("got no task, want one")
			}
			n, err := b.Count(ctx, bucketlite.Eq("note.a", "\"É\u2028"))
			if err != nil || n != want.Matched {
				t.Errorf("got %d patched, %v, want %d", n, err, want.Matched)
			}
		})
	}
}

// A damaged object is deleted only with all others, and never patched.
func TestBulkDamagedObject(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	_, st, b, o := newDamaged(t, damages["letter of a field"])
	some := bucketlite.Query{Filter: bucketlite.Exists("k")}
	r, err := b.PatchObjects(ctx, some, bucketlite.ObjectInput{Fields: map[string]any{"n": 1}}, nil)
	wantBulk(t, r, err, 2, 1, 1)
	r, err = b.DeleteObjects(ctx, some, nil)
	wantBulk(t, r, err, 2, 1, 1)
	if len(r.Failures) != 1 || r.Failures[0].ID != o.ID || !strings.Contains(r.Failures[0].Message, "checksum") {
		t.Errorf("got failures %+v, want one of object %s", r.Failures, o.ID)
	}
	r, err = deleteAll(ctx, b)
	wantBulk(t, r, err, 1, 1, 0)
	storetest.WantExact(t, b)
	storetest.Must(t, storetest.ErrorOf(st.Check(ctx, &bucketlite.CheckOptions{Repair: true})))
}

// A pattern that costs too much for an object ends the change, and nothing is changed.
func TestBulkCostlyPattern(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	costly := bucketlite.Query{Filter: bucketlite.Regex("v", strings.Repeat("(a?b?c?)", 60)+"$")}
	inBothForms(t, func(t *testing.T, st *bucketlite.Store) {
		b := numbered(t, st, 8)
		storetest.PutItem(t, b, storetest.Item("long", strings.Repeat("x", 1<<20)))
		r, err := b.DeleteObjects(ctx, costly, nil)
		want := bucketlite.ErrTooLarge
		if r != nil {
			want = bucketlite.ErrConflict // the task failed
		}
		storetest.WantError(t, err, want)
		if err == nil || !strings.Contains(err.Error(), "regular expression") {
			t.Errorf("got %v, want it to name the regular expression", err)
		}
		if n := len(values(t, b)); n != 9 {
			t.Errorf("got %d objects, want 9", n)
		}
	})
}

// On a full disk a patch is not waited for. It continues once there is space.
func TestBulkOnFullDisk(t *testing.T) {
	t.Parallel()
	var commits atomic.Int64
	commits.Store(diskSpace)
	ctx, cancel := context.WithTimeout(engine.WithCommitHook(context.Background(), func(commit func() error) error {
		if commits.Add(-1) < 0 {
			return bucketlite.ErrFull
		}
		return commit()
	}), time.Minute)
	t.Cleanup(cancel)
	st, err := bucketlite.Open(ctx, filepath.Join(t.TempDir(), "a.db"), bucketlite.WithSteps(bucketlite.Options{Reserve: -1}, nil, 7))
	storetest.Must(t, err)
	t.Cleanup(func() { st.Close() })
	b := numbered(t, st, 60)
	cursor := storetest.EventCursor(t, st)
	commits.Store(2) // for the task itself, and a slice
	r, err := patchAll(ctx, b)
	if !errors.Is(err, bucketlite.ErrFull) || r == nil || r.TaskID == "" {
		t.Fatalf("on a full disk: got %+v, %v, want ErrFull and the task", r, err)
	}
	commits.Store(diskSpace)
	task, err := st.Wait(ctx, r.TaskID)
	storetest.Must(t, err)
	r, err = task.BulkResult()
	wantBulk(t, r, err, 60, 60, 0)
	if n := len(storetest.EventsAfter(t, st, cursor)); n != 60 {
		t.Errorf("got %d events, want 60", n)
	}
	storetest.WantNoProblem(t, st)
}

// Objects fill a disk, and a deletion by query frees it.
func TestDeleteObjectsOnFullDisk(t *testing.T) {
	t.Parallel()
	// Where the processors are busy, the log may take that much before it is emptied.
	disk := smallDisk{path: filepath.Join(t.TempDir(), "a.db"), bytes: 8<<20 + engine.MaxLog}
	ctx := engine.WithCommitHook(context.Background(), disk.commit)
	st, err := bucketlite.Open(ctx, disk.path, bucketlite.WithIdleTime(bucketlite.Options{Durability: bucketlite.DurabilityNormal, Reserve: 1 << 20}, briefIdle))
	storetest.Must(t, err)
	defer st.Close()
	b := storetest.Items(t, st)
	storetest.WantReserve(t, disk.path)
	n := 0
	for ; ; n++ {
		in := storetest.Item(fmt.Sprint(n), strings.Repeat("v", 1000))
		in.Fields["n"] = n
		if _, err = b.Put(ctx, in, nil); err != nil {
			break
		}
	}
	storetest.WantError(t, err, bucketlite.ErrFull)
	if n < 2000 {
		t.Fatalf("got %d objects on the disk, want more", n)
	}
	r, err := b.DeleteObjects(ctx, bucketlite.Query{Filter: bucketlite.Gte("n", 100)}, nil)
	wantBulk(t, r, err, int64(n-100), int64(n-100), 0)
	if r.TaskID == "" {
		t.Error("got no task, want one")
	}
	if !storetest.Eventually(func() bool {
		_, err = b.Put(ctx, storetest.Item("after", "small"), nil)
		return err == nil
	}) {
		t.Errorf("put afterwards: got %v, want none", err)
	}
	storetest.WantExact(t, b)
	storetest.WantNoProblem(t, st)
}

package bucketlite_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// testdata/formats holds a file of each format there has been, made by the
// version that wrote it. Each has the same content.
func TestOldFormats(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/formats/*.db")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			copied := filepath.Join(t.TempDir(), "old.db")
			if err := os.WriteFile(copied, data, 0o600); err != nil {
				t.Fatal(err)
			}
			wantOldContent(t, openPath(t, copied, &bucketlite.Options{Now: newManualClock().now})) // of the day it was made
			wantSound(t, copied)
		})
	}
}

func wantOldContent(t *testing.T, st *bucketlite.Store) {
	t.Helper()
	ctx := context.Background()
	b, err := namespace(t, st).Bucket(ctx, "items")
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]string{"a": "value of a", "b": "value of b", "c": "value of c", "d": "with a document"} {
		o, err := b.ObjectByKey(ctx, map[string]any{"k": k})
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Fields["v"]; got != want {
			t.Errorf("object %q: got %v, want %q", k, got, want)
		}
		if k != "d" {
			continue
		}
		r, err := b.OpenBlob(ctx, o.ID, "doc")
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(r); err != nil || len(text) != 300 {
			t.Errorf("document: got %d bytes and %v, want 300", len(text), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	stats, err := b.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if stats.ObjectCount != 4 {
		t.Errorf("objects: got %d, want 4", stats.ObjectCount)
	}
	archived, err := namespace(t, st).Bucket(ctx, "archived")
	if err != nil {
		t.Fatal(err)
	}
	if err := archived.Activate(ctx); err != nil {
		t.Error(err)
	}
	tasks, err := st.ListTasks(ctx, bucketlite.TaskQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks.Results) != 1 || tasks.Results[0].Status != bucketlite.Completed {
		t.Errorf("tasks: got %v, want one that is completed", tasks.Results)
	}
	putItem(t, b, item("new", "")) // and it can be written
	wantNoProblem(t, st)
}

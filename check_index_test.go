package bucketlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A check believes what the text index is now, not what the connection that reads
// it remembers.
func TestCheckAfterTextsAreGone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	for range 3 {
		storetest.PutItems(t, b, 300, 100)
		storetest.EnsureText(t, b)
		storetest.WantNoProblem(t, st)
		storetest.Must(t, b.DropTextIndex(context.Background()))
		wantEmptyIndexes(t, path)
		storetest.WantNoProblem(t, st)
	}
}

// A bucket whose text is more than is looked up is checked all the same.
func TestCheckOfManyTexts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.EnsureText(t, b)
	var inputs []bucketlite.ObjectInput
	for i := range 3000 {
		inputs = append(inputs, storetest.Item(fmt.Sprint(i), fmt.Sprintf("text %d of many", i)))
	}
	storetest.Must(t, storetest.PutManyError(b.PutMany(ctx, inputs, nil)))
	storetest.WantNoProblem(t, st)
	storetest.Execute(t, storetest.OpenRaw(t, path), "DELETE FROM texts; INSERT INTO texts (rowid, text) SELECT seq, 'another text' FROM object")
	wantBroken(t, st, nil, false, "index.text")
	wantBroken(t, st, repairing, true, "index.text")
	storetest.EnsureText(t, b) // waits
	storetest.WantNoProblem(t, st)
	storetest.WantEntries(t, path, b)
}

// A repair of an object also repairs the indexes.
func TestRepairOfIndexedObjects(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.Ensure(t, b, "doc", "v")
	storetest.EnsureText(t, b)
	in := storetest.Item("k", "v")
	in.Blobs = []bucketlite.BlobInput{{Property: "doc", Data: "an inline text"}}
	storetest.PutItem(t, b, in)
	storetest.WantEntries(t, path, b)
	storetest.Execute(t, storetest.OpenRaw(t, path), `UPDATE object SET fields = jsonb_remove(fields, '$.doc')`+reseal)
	wantBroken(t, st, repairing, true, "object.inline")
	storetest.WantNoProblem(t, st)
	storetest.WantEntries(t, path, b)
}

// Indexes are repaired while others write.
func TestRepairOfIndexesAmidWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 300, 10)
	storetest.Ensure(t, b, "v", "tags", "n", "created_at")
	storetest.EnsureText(t, b)
	writing := storetest.ReopenItems(t, path)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		ended <- storetest.AtOnce(2, func(int) error { return storetest.WriteItems(ctx, writing, 400) })
	}()
	for range 3 {
		storetest.Execute(t, storetest.OpenRaw(t, path), `DELETE FROM entries WHERE seq % 3 = 0; INSERT OR IGNORE INTO entries SELECT idx, x'037a00', seq FROM entries WHERE seq % 3 = 1;
			UPDATE indexes SET many = 0, cut = 0; DELETE FROM texts WHERE rowid IN (SELECT seq FROM object WHERE seq % 5 = 0)`)
		report, err := st.Check(context.Background(), repairing)
		if err != nil || len(report.Problems) == 0 || report.Err() != nil {
			t.Errorf("got %+v, %v, want problems that are repaired", report, err)
		}
		storetest.WantNoProblem(t, st)
		storetest.Ensure(t, b, "v", "tags", "n", "created_at")
		storetest.EnsureText(t, b)
		storetest.WantNoProblem(t, st)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	storetest.WantEntries(t, path, b)
	storetest.WantSound(t, path)
}

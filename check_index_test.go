package bucketlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// A check believes what the text index is now, not what the connection that reads
// it remembers.
func TestCheckAfterTextsAreGone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	b := items(t, st)
	for range 3 {
		putItems(t, b, 300, 100)
		ensureText(t, b)
		wantNoProblem(t, st)
		must(t, b.DropTextIndex(context.Background()))
		wantEmptyIndexes(t, path)
		wantNoProblem(t, st)
	}
}

// A bucket whose text is more than is looked up is checked all the same.
func TestCheckOfManyTexts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	b := items(t, st)
	ensureText(t, b)
	var inputs []bucketlite.ObjectInput
	for i := range 3000 {
		inputs = append(inputs, item(fmt.Sprint(i), fmt.Sprintf("text %d of many", i)))
	}
	must(t, batchError(b.PutMany(ctx, inputs, nil)))
	wantNoProblem(t, st)
	execute(t, raw(t, path), "DELETE FROM texts; INSERT INTO texts (rowid, text) SELECT seq, 'another text' FROM object")
	wantBroken(t, st, nil, false, "index.text")
	wantBroken(t, st, repairing, true, "index.text")
	ensureText(t, b) // waits
	wantNoProblem(t, st)
	wantEntries(t, path, b)
}

// What a repair does to an object, it does to the indexes.
func TestRepairOfIndexedObjects(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	b := items(t, st)
	ensure(t, b, "doc", "v")
	ensureText(t, b)
	in := item("k", "v")
	in.Blobs = []bucketlite.BlobInput{{Property: "doc", Data: "an inline text"}}
	putItem(t, b, in)
	wantEntries(t, path, b)
	execute(t, raw(t, path), `UPDATE object SET fields = jsonb_remove(fields, '$.doc')`+reseal)
	wantBroken(t, st, repairing, true, "object.inline")
	wantNoProblem(t, st)
	wantEntries(t, path, b)
}

// Indexes are repaired while others write.
func TestRepairOfIndexesAmidWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
	b := items(t, st)
	putItems(t, b, 300, 10)
	ensure(t, b, "v", "tags", "n", "created_at")
	ensureText(t, b)
	writing := reopenItems(t, path)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- atOnce(2, func(int) error { return writeItems(ctx, writing, 400) }) }()
	for range 3 {
		execute(t, raw(t, path), `DELETE FROM entries WHERE seq % 3 = 0; INSERT OR IGNORE INTO entries SELECT idx, x'037a00', seq FROM entries WHERE seq % 3 = 1;
			UPDATE indexes SET many = 0, cut = 0; DELETE FROM texts WHERE rowid IN (SELECT seq FROM object WHERE seq % 5 = 0)`)
		report, err := st.Check(context.Background(), repairing)
		if err != nil || len(report.Problems) == 0 || report.Err() != nil {
			t.Errorf("got %+v, %v, want problems that are repaired", report, err)
		}
		wantNoProblem(t, st)
		ensure(t, b, "v", "tags", "n", "created_at")
		ensureText(t, b)
		wantNoProblem(t, st)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	wantEntries(t, path, b)
	wantSound(t, path)
}

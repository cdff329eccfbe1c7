package bucketlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

var repairing = &bucketlite.CheckOptions{Repair: true}

// repair has a store repaired, and fails unless the repair fixes all problems.
func repair(t *testing.T, st *bucketlite.Store) {
	t.Helper()
	report, err := st.Check(context.Background(), repairing)
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		t.Error(err)
	}
}

// All that can be repaired is repaired in one go.
func TestRepairTogether(t *testing.T) {
	t.Parallel()
	path := newChecked(t)
	for _, name := range slices.Sorted(maps.Keys(brokens)) {
		if b := brokens[name]; b.repairable {
			breakFile(t, path, b)
		}
	}
	st := storetest.OpenPath(t, path)
	repair(t, st)
	storetest.WantNoProblem(t, st)
	db := storetest.OpenRaw(t, path)
	// Until then the row that was made for them counts no bytes.
	if !storetest.Eventually(func() bool { return storetest.Dump(t, db, "SELECT id FROM chunks WHERE id >> 24 = 99") == "" }) {
		t.Error("the chunks that belong to no content are not collected")
	}
	storetest.WantNoProblem(t, st)
	storetest.WantSound(t, path)
}

// A store does not keep what it knew of a bucket before the repair.
func TestRepairIsSeen(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"statistics": "UPDATE events SET running = edit_totals(edit_totals(running, 0, 'objects', 5), 0, 'size', -3)",
		"sizes":      "UPDATE object SET size = size + 1",
		"clock":      "UPDATE object SET version = version + 500" + reseal,
		"tally":      "UPDATE events SET running = edit_totals(running, 0, 'tally', 0)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Items(t, st)
			for i := range 4 {
				storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i), "value"))
			}
			upload := storetest.MustStats(t, b).LastUploadAt
			storetest.Execute(t, storetest.OpenRaw(t, path), statement)
			repair(t, st)
			storetest.WantNoProblem(t, st)
			storetest.WantExact(t, b)
			if got := storetest.MustStats(t, b).LastUploadAt; !got.Equal(*upload) {
				t.Errorf("last upload: got %v, want %v", got, upload)
			}
			highest := int64(0)
			for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
				if err != nil {
					t.Fatal(err)
				}
				highest = max(highest, o.Version)
			}
			for i := range 4 {
				o := storetest.PutItem(t, b, storetest.Item(fmt.Sprint(i+2), "other"))
				if o.Version <= highest {
					t.Errorf("version: got %d after %d", o.Version, highest)
				}
				highest = o.Version
				storetest.WantExact(t, b)
			}
			storetest.WantSound(t, path)
		})
	}
}

// An object whose key was wrong is found by the right one, and holds it.
func TestRepairedKey(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	o := storetest.PutItem(t, b, storetest.Item("a", ""))
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE object SET key = NULL"+reseal)
	repair(t, st)
	if got, err := b.ObjectByKey(ctx, map[string]any{"k": "a"}); err != nil || got.ID != o.ID {
		t.Errorf("by key: got %v, %v, want %q", got, err, o.ID)
	}

	// A key that another object has is left.
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE object SET key = NULL"+reseal)
	storetest.PutItem(t, b, storetest.Item("a", "second"))
	wantBroken(t, st, repairing, false, "object.key")
	if got := len(storetest.ItemKeys(t, b)); got != 2 {
		t.Errorf("got %d objects, want both", got)
	}
}

// A file whose structure is damaged is not written.
func TestNoRepairOfDamaged(t *testing.T) {
	t.Parallel()
	path := newChecked(t)
	breakFile(t, path, brokens["page that is lost"])
	breakFile(t, path, brokens["bucket, count"])
	breakFile(t, path, brokens["content, too many references"])
	st := storetest.OpenPath(t, path)
	wantBroken(t, st, repairing, false, "file.integrity", "bucket.statistics", "content.references")
	wantBroken(t, st, nil, false, "file.integrity", "bucket.statistics", "content.references")
}

// While blobs cannot be read nobody knows what they refer to: counts are left.
func TestNoRepairOfUnknownReferences(t *testing.T) {
	t.Parallel()
	path := newChecked(t)
	breakFile(t, path, brokens["object, blobs that are no JSON"])
	breakFile(t, path, broken{statements: `UPDATE contents SET uses = uses - 1 WHERE size > 1000;
UPDATE store SET live_bytes = live_bytes - 614400, waiting_bytes = waiting_bytes + 614400`}) // none is left
	breakFile(t, path, broken{statements: "UPDATE contents SET lease_until = 1 << 62"}) // nor collected
	st := storetest.OpenPath(t, path)
	wantBroken(t, st, repairing, false, "object.json", "content.references")
	if got := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT uses FROM contents ORDER BY num"); got != "2\n0\n1\n" {
		t.Errorf("references: got %q, want those there were", got)
	}
}

func TestRepairReadOnly(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPath(t, newChecked(t), &bucketlite.Options{ReadOnly: true})
	if _, err := st.Check(context.Background(), repairing); !errors.Is(err, bucketlite.ErrReadOnly) {
		t.Errorf("got %v, want ErrReadOnly", err)
	}
}

// More is repaired than fits on a page, or in a report.
func TestRepairMany(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	const n = 1300
	inputs := make([]bucketlite.ObjectInput, n)
	for i := range inputs {
		inputs[i] = storetest.ItemWithDoc(fmt.Sprint(i), fmt.Sprint("doc ", i))
	}
	if err := storetest.PutManyError(b.PutMany(context.Background(), inputs, nil)); err != nil {
		t.Fatal(err)
	}
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE contents SET uses = uses + 1 + num % 3; UPDATE object SET size = size + 1, key = NULL"+reseal)
	report := wantBroken(t, st, repairing, true, "content.references", "object.size", "object.key", "bucket.statistics", "bucket.growth", "bucket.sizes")
	if got := len(report.Problems) + report.Omitted; got != 3*n+3 {
		t.Errorf("problems: got %d, want %d", got, 3*n+3)
	}
	storetest.WantNoProblem(t, st)
	storetest.WantSound(t, path)
}

// Repairs by two stores at once, beside writers, repair everything and break nothing.
func TestRepairAmidWrites(t *testing.T) {
	t.Parallel()
	rounds := 2
	if *storetest.Long {
		rounds = 100
	}
	t.Logf("%d repairs beside writes", rounds)
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
	other := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
	kept := storetest.Bucket(t, st, storetest.ItemsConfig("kept"))
	for i := range 30 {
		storetest.PutItem(t, kept, storetest.ItemWithDoc(fmt.Sprint(i), fmt.Sprint("doc ", i%7)))
	}
	storetest.Put(t, storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "kept films",
		Schema: storetest.Schema(t, `"film":{"type":"video"}`)}), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{
		{Property: "film", Reader: bytes.NewReader(storetest.Film(0, 300<<10))}}}, "")
	stop := writeBusily(t, st)
	db := storetest.OpenRaw(t, path)
	for range rounds {
		storetest.Execute(t, db, `
UPDATE contents SET uses = uses + 1 WHERE hash IS NOT NULL AND uses > 0;
UPDATE store SET live_bytes = live_bytes + 1000;
UPDATE buckets SET object_count = object_count + 3, total_size = total_size + 7;
UPDATE object SET size = size + 1 WHERE seq % 2;
UPDATE object SET key = NULL WHERE seq % 3 AND partition = 1`+reseal)
		err := storetest.AtOnce(2, func(i int) error {
			_, err := []*bucketlite.Store{st, other}[i].Check(context.Background(), repairing)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		storetest.WantNoProblem(t, st)
	}
	stop()
	storetest.WantSound(t, path)
}

package bucketlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// damages are ways in which the row of the object "a" may be damaged so that it can
// still be read.
var damages = map[string]string{
	"letter of a field": `fields = jsonb_replace(fields, '$.v', 'vilue')`,
	"digit of a number": `fields = jsonb_replace(fields, '$.n', 8)`,
	"blob":              `blobs = replace(blobs, 'a.txt', 'b.txt')`,
	"content of a blob": `blobs = json_set(blobs, '$[0].details.hash', printf('%064x', 1))`,
	"no blobs":          `blobs = NULL`,
	"key prefix":        `key_prefix = 'there/'`,
	"version":           `version = version + 1`,
	"time of creation":  `created_at = created_at + 1`,
	"time of update":    `updated_at = updated_at + 1`,
	"checksum":          `checksum = checksum + 1`,
}

// newDamaged makes a file with two objects, and damages one.
func newDamaged(t *testing.T, damage string) (path string, st *bucketlite.Store, b *bucketlite.Bucket, o *bucketlite.Object) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "a.db")
	st = storetest.OpenPath(t, path)
	b = storetest.Items(t, st)
	storetest.Ensure(t, b, "k", "v", "n")
	storetest.EnsureText(t, b)
	o = storetest.PutItem(t, b, bucketlite.ObjectInput{
		KeyPrefix: "here/", Fields: map[string]any{"k": "a", "v": "value", "n": 7},
		Blobs: []bucketlite.BlobInput{{Property: "doc", Reader: strings.NewReader("text"), Filename: "a.txt"}},
	})
	storetest.PutItem(t, b, storetest.Item("b", "sound"))
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE object SET "+damage+" WHERE id = '"+o.ID+"'")
	return path, st, b, o
}

// A row that is not as it was written is not handed out, and not written over by a
// call that keeps some of it. The error names the object.
func TestDamagedObjectIsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	calls := map[string]func(b *bucketlite.Bucket, o *bucketlite.Object) error{
		"by id": func(b *bucketlite.Bucket, o *bucketlite.Object) error { return storetest.ErrorOf(b.Object(ctx, o.ID)) },
		"by key": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.ErrorOf(b.ObjectByKey(ctx, map[string]any{"k": "a"}))
		},
		"list": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.ErrorOf(b.List(ctx, bucketlite.Query{}))
		},
		"list, select": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.ErrorOf(b.List(ctx, bucketlite.Query{Select: []string{"k"}}))
		},
		"list, select of none": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.ErrorOf(b.List(ctx, bucketlite.Query{Select: []string{"object_id"}}))
		},
		"raw list": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			page, err := b.ListRaw(ctx, bucketlite.Query{})
			for i := 0; err == nil && i < len(page.Results); i++ {
				_, err = page.Results[i].AppendJSON(nil)
			}
			return err
		},
		"list, filter": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.ErrorOf(b.List(ctx, bucketlite.Query{Filter: bucketlite.Eq("k", "a")}))
		},
		"list, sort": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.ErrorOf(b.List(ctx, bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Desc("k")}}))
		},
		"list, index": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.ErrorOf(b.List(ctx, bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("k")}}))
		},
		"iteration": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			for _, err := range b.Objects(ctx, bucketlite.Query{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"patch": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.ErrorOf(b.Patch(ctx, o.ID, bucketlite.ObjectInput{Fields: map[string]any{"v": "w"}}, nil))
		},
		"replacement": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.ErrorOf(b.Put(ctx, storetest.Item("a", "w"), nil))
		},
		"replacement of all": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			in := storetest.Item("a", "w")
			in.KeyPrefix, in.Blobs = "p", []bucketlite.BlobInput{}
			return storetest.ErrorOf(b.Put(ctx, in, nil))
		},
		"replacement in a batch": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{storetest.Item("a", "w")}, nil))
		},
		"deletion of a version": func(b *bucketlite.Bucket, o *bucketlite.Object) error {
			return b.DeleteObject(ctx, o.ID, &bucketlite.DeleteObjectOptions{IfVersion: o.Version})
		},
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, _, b, o := newDamaged(t, damage)
			state := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT * FROM object")
			for name, call := range calls {
				err := call(b, o)
				if !errors.Is(err, bucketlite.ErrCorrupt) || !strings.Contains(err.Error(), o.ID) || !strings.Contains(err.Error(), `"items"`) {
					t.Errorf("%s: got %v, want ErrCorrupt that names the bucket and the object", name, err)
				}
			}
			if got := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT * FROM object"); got != state {
				t.Errorf("objects (-before +after):\n%s", cmp.Diff(state, got))
			}
		})
	}
}

// A damaged object can be deleted, and leaves no trace in the indexes. Of its content
// a reference may be left over, which a repair corrects.
func TestDamagedObjectIsDeleted(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, st, b, o := newDamaged(t, damage)
			if err := b.DeleteObject(ctx, o.ID, nil); err != nil {
				t.Fatal(err)
			}
			storetest.WantEntries(t, path, b)
			repair(t, st)
			storetest.WantNoProblem(t, st)
			storetest.WantFields(t, storetest.PutItem(t, b, storetest.Item("a", "again")), `{"k":"a","v":"again"}`)
			storetest.WantSound(t, path)
		})
	}
}

// A bucket with a damaged object can be deleted, even if nobody can read its blobs.
func TestBucketWithDamagedObjectIsDeleted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	path, st, b, _ := newDamaged(t, `blobs = 'x' || blobs`)
	task, err := b.Delete(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Wait(ctx, task.ID); err != nil {
		t.Fatalf("deletion: got error %v, want none", err)
	}
	repair(t, st) // its content has a reference left over
	storetest.WantNoProblem(t, st)
	storetest.WantSound(t, path)
}

// A repair does not touch what a damaged row may refer to.
func TestRepairBesideDamage(t *testing.T) {
	t.Parallel()
	path, st, _, _ := newDamaged(t, damages["content of a blob"])
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE object SET size = size + 1 WHERE blobs IS NULL")
	report, err := st.Check(context.Background(), repairing)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]bool)
	for _, p := range report.Problems {
		got[p.Rule] = p.Repaired
	}
	want := map[string]bool{"object.checksum": false, "object.size": true, "bucket.statistics": true, "bucket.growth": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules, and whether they are repaired (-want +got):\n%s", diff)
	}
	if got := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT uses FROM contents"); got != "1\n" {
		t.Errorf("references to the content: got %s, want 1", got)
	}
}

// A batch ends the job of a damaged object as failed, and does the others.
func TestDamagedObjectInBatch(t *testing.T) {
	t.Parallel()
	_, st, b, o := newDamaged(t, damages["letter of a field"])
	sound := storetest.PutItem(t, b, storetest.Item("c", ""))
	id := storetest.Submit(t, b, o.ID, sound.ID)
	var done []string
	storetest.Process(t, st, func(_ context.Context, j *bucketlite.Job) error {
		done = append(done, j.Object.ID)
		return nil
	}, bucketlite.ProcessOptions{Concurrency: 1})
	if diff := cmp.Diff([]string{sound.ID}, done); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}
	for f, err := range b.FailedJobs(context.Background(), id, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if f.ObjectID != o.ID {
			t.Errorf("failed: got %+v, want the damaged object", f)
		}
	}
}

// Objects of older formats get their checksums in the background, except one that
// breaks a rule, which the log and a check name.
func TestOldObjectsGetChecksums(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := storetest.CopyFile(t, "testdata/formats/4.db")
	storetest.Execute(t, storetest.OpenRaw(t, path), `UPDATE objects SET fields = jsonb(replace(json(fields), '"k":"a"', '"k":"x"')) WHERE seq = (1 << 40) + 1`)
	damaged := strings.TrimSpace(storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT id FROM objects WHERE seq = (1 << 40) + 1"))
	var log bytes.Buffer
	st, err := bucketlite.Open(ctx, path, &bucketlite.Options{Now: storetest.NewManualClock().Now, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	db := storetest.OpenRaw(t, path)
	if !storetest.Eventually(func() bool { return storetest.Dump(t, db, "SELECT summed FROM store") == "<nil>\n" }) {
		t.Fatal("the objects of the old file get no checksums")
	}
	if got := storetest.Dump(t, db, "SELECT id FROM object WHERE checksum IS NULL"); got != damaged+"\n" {
		t.Errorf("without checksum: got %s, want %s", got, damaged)
	}
	if report := wantBroken(t, st, nil, false, "object.key"); report.WithoutChecksum != 1 {
		t.Errorf("without checksum: got %d, want 1", report.WithoutChecksum)
	}
	// It can be read as before, and gets its checksum when it is written.
	b, err := storetest.Namespace(t, st).Bucket(ctx, "items")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Object(ctx, damaged); err != nil {
		t.Error(err)
	}
	storetest.Must(t, b.DeleteObject(ctx, damaged, nil))
	if report := storetest.WantNoProblem(t, st); report.WithoutChecksum != 0 {
		t.Errorf("without checksum: got %d, want 0", report.WithoutChecksum)
	}
	storetest.Must(t, st.Close())
	if !strings.Contains(log.String(), damaged) || !strings.Contains(log.String(), "object.key") {
		t.Errorf("log: got %q, want object %s and the rule it breaks", &log, damaged)
	}
}

// More objects of an older format than fit into a slice get their checksums while
// others write, and a second store helps.
func TestManyOldObjectsGetChecksums(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 1000, 10)
	storetest.Must(t, st.Close())
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE object SET checksum = NULL; UPDATE store SET summed = 0")
	st, other := storetest.OpenPath(t, path), storetest.ReopenItems(t, path)
	db := storetest.OpenRaw(t, path)
	n := 0
	if !storetest.Eventually(func() bool {
		storetest.PutItem(t, other, storetest.Item(fmt.Sprint("new", n%10), fmt.Sprint(n)))
		n++
		return storetest.Dump(t, db, "SELECT summed FROM store") == "<nil>\n"
	}) {
		t.Fatal("the objects get no checksums")
	}
	if report := storetest.WantNoProblem(t, st); report.WithoutChecksum != 0 {
		t.Errorf("without checksum: got %d, want 0", report.WithoutChecksum)
	}
	storetest.WantSound(t, path)
}

// oldWrites are the statements by which the version before checksums writes objects.
var oldWrites = []string{
	`INSERT INTO objects (seq, bucket, id, key, version, size, status, key_prefix, created_at, updated_at, fields, blobs)
VALUES (7, 1, 'x', NULL, 1, 0, 'DRAFT', NULL, 0, 0, x'0c', NULL) ON CONFLICT DO NOTHING`,
	"UPDATE objects SET version = 1, status = 'DRAFT', error = NULL, key_prefix = NULL, updated_at = 0, fields = x'0c', blobs = NULL WHERE seq = seq",
	"UPDATE objects SET size = 0 WHERE seq = seq",
	"UPDATE objects SET key = NULL WHERE seq = seq",
	"UPDATE objects SET fields = x'0c' WHERE seq = seq",
	"DELETE FROM objects WHERE seq = seq",
	"DELETE FROM objects WHERE seq >= 0 AND seq <= 1 << 62",
	"UPDATE objects SET status = 'PENDING' WHERE seq = seq AND status <> 'PROCESSING'",
	"UPDATE objects SET status = 'FAILED', error = 'e' WHERE seq = seq",
	"UPDATE objects SET status = 'COMPLETED', error = NULL WHERE seq = seq",
	"UPDATE objects SET status = 'PROCESSING', error = NULL WHERE seq = seq AND status <> 'PROCESSING'",
	`UPDATE objects SET status = 'PENDING', error = NULL
WHERE seq IN (SELECT seq FROM jobs WHERE batch = 1) AND status NOT IN ('PENDING', 'PROCESSING')`,
	`UPDATE objects SET status = 'DRAFT' WHERE seq = seq AND status <> 'DRAFT'
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.seq = objects.seq AND status IN ('PENDING', 'PROCESSING'))`,
}

// A process of an older version that has the file open while it gets checksums can
// no longer read and write objects, so that no row has a checksum that is not its own.
func TestOldStatementsFail(t *testing.T) {
	t.Parallel()
	path := storetest.CopyFile(t, "testdata/formats/4.db")
	old := storetest.OpenRaw(t, path)
	old.SetMaxOpenConns(1)
	var statements []*sql.Stmt
	for _, text := range append([]string{"SELECT count(*) FROM objects"}, oldWrites...) {
		s, err := old.Prepare(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		defer s.Close()
		statements = append(statements, s)
	}
	if got := storetest.Dump(t, old, "SELECT count(*) > 0 FROM objects"); got != "1\n" {
		t.Fatalf("objects before: got %s, want some", got)
	}
	st := storetest.OpenPath(t, path, &bucketlite.Options{Now: storetest.NewManualClock().Now})
	db := storetest.OpenRaw(t, path)
	if !storetest.Eventually(func() bool { return storetest.Dump(t, db, "SELECT summed FROM store") == "<nil>\n" }) {
		t.Fatal("the objects of the old file get no checksums")
	}
	before := storetest.Dump(t, db, "SELECT * FROM object")
	for i, s := range statements {
		if _, err := s.Exec(); err == nil || !strings.Contains(err.Error(), "no such table: objects") {
			t.Errorf("statement %d: got %v, want an error that there is no such table", i, err)
		}
	}
	if after := storetest.Dump(t, db, "SELECT * FROM object"); after != before {
		t.Errorf("objects (-before +after):\n%s", cmp.Diff(before, after))
	}
	if report := storetest.WantNoProblem(t, st); report.WithoutChecksum != 0 {
		t.Errorf("without checksum: got %d, want 0", report.WithoutChecksum)
	}
}

// A file of an old format opens, and its objects get checksums, even if a row has a
// value of a type its column cannot have.
func TestOldRowOfAnotherType(t *testing.T) {
	t.Parallel()
	path := storetest.CopyFile(t, "testdata/formats/4.db")
	db := storetest.OpenRaw(t, path)
	db.SetMaxOpenConns(1)
	for _, statement := range []string{
		"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'objects'; PRAGMA writable_schema = RESET",
		"UPDATE objects SET created_at = 'some day' WHERE id = 'fourth'",
		"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = 'objects'; PRAGMA writable_schema = RESET",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Must(t, db.Close())
	st := storetest.OpenPath(t, path, &bucketlite.Options{Now: storetest.NewManualClock().Now})
	wantBroken(t, st, nil, false, "file.integrity")
}

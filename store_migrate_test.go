package bucketlite_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// testdata/formats holds a file of each format there has been, made by the
// version that wrote it, and what that version read of its objects. Each has the
// content of the one before, and something of what was new.
func TestOldFormats(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/formats/*.db")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			copied := storetest.CopyFile(t, path)
			st := storetest.OpenPath(t, copied, &bucketlite.Options{Now: storetest.NewManualClock().Now}) // of the day it was made
			want, err := os.ReadFile(strings.TrimSuffix(path, "db") + "json")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(objectsOf(t, st), "\n")); diff != "" {
				t.Errorf("objects (-then +now):\n%s", diff)
			}
			wantOldContent(t, st)
			if filepath.Base(path) != "1.db" {
				wantOldWork(t, st)
			}
			storetest.WantSound(t, copied)
		})
	}
}

// objectsOf returns all there is to see of the objects of the store's namespace
// "test", bucket by bucket, as text.
func objectsOf(t *testing.T, st *bucketlite.Store) string {
	t.Helper()
	ctx := context.Background()
	var all strings.Builder
	for info, err := range storetest.Namespace(t, st).Buckets(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		b, err := storetest.Namespace(t, st).Bucket(ctx, info.ID)
		if err != nil {
			t.Fatal(err)
		}
		for o, err := range b.Objects(ctx, bucketlite.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&all, "%s version %d, %d bytes: %s\n", info.Name, o.Version, o.Size, text)
		}
	}
	return all.String()
}

func wantOldContent(t *testing.T, st *bucketlite.Store) {
	t.Helper()
	ctx := context.Background()
	b, err := storetest.Namespace(t, st).Bucket(ctx, "items")
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
	archived, err := storetest.Namespace(t, st).Bucket(ctx, "archived")
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
	if len(tasks.Results) == 0 || tasks.Results[0].Type != "api_buckets_delete" || tasks.Results[0].Status != bucketlite.StatusCompleted {
		t.Errorf("tasks: got %v, want first a deletion that is completed", tasks.Results)
	}
	storetest.PutItem(t, b, storetest.Item("new", "")) // and it can be written
	wantOldIndexed(t, b)
	storetest.WantNoProblem(t, st)
}

// wantOldIndexed fails unless old objects can be indexed, and found so.
func wantOldIndexed(t *testing.T, b *bucketlite.Bucket) {
	t.Helper()
	storetest.IndexItems(t, b)
	for _, q := range []bucketlite.Query{{Filter: bucketlite.Eq("v", "value of B")}, {Filter: bucketlite.Contains("v", "lue of B")}} {
		page, err := b.List(context.Background(), q)
		if err != nil || len(page.Results) != 1 || page.Results[0].Fields["k"] != "b" {
			t.Errorf("%+v: got %v, %v, want the object b", q, page, err)
		}
		if e, err := b.Explain(context.Background(), q); err != nil || len(e.Indexes) != 1 {
			t.Errorf("%+v: got %v, %v, want an index to be used", q, e, err)
		}
	}
}

// wantOldWork fails unless the batches and uploads that came with format 2 are
// there, and can continue.
func wantOldWork(t *testing.T, st *bucketlite.Store) {
	t.Helper()
	ctx := context.Background()
	b, err := storetest.Namespace(t, st).Bucket(ctx, "values")
	if err != nil {
		t.Fatal(err)
	}
	var batches []string
	for k, err := range b.Batches(ctx, bucketlite.BatchQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, string(k.Status))
		if k.Status == bucketlite.StatusDraft {
			if _, err := b.SubmitBatch(ctx, k.ID); err != nil {
				t.Error(err)
			}
		}
	}
	if got, want := strings.Join(batches, " "), "COMPLETED FAILED DRAFT"; got != want {
		t.Errorf("batches: got %s, want %s", got, want)
	}
	done := 0
	storetest.Process(t, st, func(context.Context, *bucketlite.Job) error { done++; return nil }, bucketlite.ProcessOptions{Concurrency: 1})
	if done != 2 {
		t.Errorf("processed: got %d objects, want 2", done)
	}
	var uploads []string
	for u, err := range b.Uploads(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		uploads = append(uploads, string(u.Status))
		storetest.ConfirmUpload(t, b, u.ID)
	}
	if got, want := strings.Join(uploads, " "), "COMPLETED PENDING"; got != want {
		t.Errorf("uploads: got %s, want %s", got, want)
	}
	storetest.WantNoProblem(t, st)
}

// This format counts what waits to be collected. An older version that still has the
// file open would move references without counting, so its statements must fail.
func TestContentOfOlderFormats(t *testing.T) {
	t.Parallel()
	path := storetest.CopyFile(t, "testdata/formats/4.db")
	storetest.Execute(t, storetest.OpenRaw(t, path), `
INSERT INTO contents (num, hash, size, refs, lease_until) VALUES (90, x'01', 5, 0, 1 << 62), (91, NULL, 0, 0, 1 << 62), (92, x'02', 7, 0, NULL), (93, NULL, 0, 0, 0);
INSERT INTO chunks (id, sum, data) VALUES (90 << 24, 0, x'0102030405'), (91 << 24, 0, x'010203'), (91 << 24 | 1, 0, x'0102'), (92 << 24, 0, x'01020304050607'), (93 << 24, 0, x'01')`)
	st := storetest.OpenPath(t, path, &bucketlite.Options{Now: storetest.NewManualClock().Now})
	stats := func() *bucketlite.StoreStats {
		s, err := st.Stats(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if !storetest.Eventually(func() bool { return stats().WaitingBytes == 5 }) { // a lease protects them
		t.Errorf("bytes that wait: got %d, want 5", stats().WaitingBytes)
	}
	db := storetest.OpenRaw(t, path)
	if got, want := storetest.Dump(t, db, "SELECT num, size FROM contents WHERE num >= 90"), "90 5\n91 5\n"; got != want {
		t.Errorf("contents: got %q, want %q", got, want)
	}
	for _, statement := range []string{
		"UPDATE contents SET refs = refs + 1 WHERE hash = x'01'",
		"INSERT INTO contents (hash, size, refs) VALUES (x'03', 1, 1)",
		"UPDATE store SET content_bytes = content_bytes + 1",
	} {
		if _, err := db.Exec(statement); err == nil || !strings.Contains(err.Error(), "no column named refs") && !strings.Contains(err.Error(), "no such column") {
			t.Errorf("%s: got %v, want that there is no such column", statement, err)
		}
	}
}

// This format lets schemas change. An older version that still has the file open takes
// them for fixed, so its statements must fail.
func TestSchemasOfOlderFormats(t *testing.T) {
	t.Parallel()
	path := storetest.CopyFile(t, "testdata/formats/6.db")
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE sqlite_sequence SET seq = 90 WHERE name = 'buckets'") // the last one is deleted
	st := storetest.OpenPath(t, path, bucketlite.WithoutBackground(bucketlite.Options{Now: storetest.NewManualClock().Now}))
	db := storetest.OpenRaw(t, path)
	if got, want := storetest.Dump(t, db, "SELECT DISTINCT definition, partition - num, schema_version, rules FROM buckets"), "1 0 1 1\n"; got != want {
		t.Errorf("buckets: got %q, want %q", got, want)
	}
	storetest.Bucket(t, st, bucketlite.BucketConfig{})
	if got, want := storetest.Dump(t, db, "SELECT num, partition FROM buckets WHERE name = 'objects'"), "91 91\n"; got != want {
		t.Errorf("a new bucket: got %q, want %q", got, want)
	}
	for _, statement := range []string{
		"SELECT name, status, locked FROM buckets WHERE num = 1",
		"INSERT INTO object (seq, bucket, id, version, size, status, created_at, updated_at, fields) VALUES (1, 1, 'a', 1, 0, 'DRAFT', 0, 0, x'0c')",
		"SELECT max(size) FROM object WHERE bucket = 1",
		"SELECT EXISTS (SELECT 1 FROM indexes WHERE bucket = 1)",
		"INSERT INTO buckets (status, locked, clock, object_count, total_size, namespace, id, name, created_at, updated_at, storage_class, description, schema) VALUES ('ACTIVE', 0, 0, 0, 0, 1, 'b', 'b', 0, 0, 'standard', '', '{}')",
	} {
		if _, err := db.Exec(statement); err == nil || !strings.Contains(err.Error(), "no column named") && !strings.Contains(err.Error(), "no such column") {
			t.Errorf("%s: got %v, want that there is no such column", statement, err)
		}
	}
}

// This format lets objects expire, and has indexes of another kind. An older version that
// still has the file open takes a time of expiry for damage, so its statements must fail.
func TestRetentionOfOlderFormats(t *testing.T) {
	t.Parallel()
	path := storetest.CopyFile(t, "testdata/formats/7.db")
	storetest.OpenPath(t, path, bucketlite.WithoutBackground(bucketlite.Options{Now: storetest.NewManualClock().Now}))
	db := storetest.OpenRaw(t, path)
	for _, statement := range []string{
		"SELECT o.fields, o.sum FROM object o WHERE o.seq = 1",
		"INSERT INTO object (seq, partition, id, version, size, status, created_at, updated_at, fields, sum) VALUES (1, 1, 'a', 1, 0, 'DRAFT', 0, 0, x'0c', 0)",
		"UPDATE object SET version = 1, sum = 0 WHERE seq = 1",
		"SELECT num, kind, path, status, many, cut, format FROM indexes",
		"SELECT i.num, i.kind, i.status, i.format FROM indexes i WHERE i.status <> 'READY'",
	} {
		if _, err := db.Exec(statement); err == nil || !strings.Contains(err.Error(), "no column named") && !strings.Contains(err.Error(), "no such column") {
			t.Errorf("%s: got %v, want that there is no such column", statement, err)
		}
	}
	if got := storetest.Dump(t, db, "SELECT count(*) FROM object WHERE expires_at IS NOT NULL"); got != "0\n" {
		t.Errorf("objects that expire: got %q, want none", got)
	}
}

// This format counts objects by hour and by status. An older version that still has the
// file open would write without counting, so its statements must fail. The background counts
// the objects of the older file, and until then they are read.
func TestTalliesOfOlderFormats(t *testing.T) {
	t.Parallel()
	path := storetest.CopyFile(t, "testdata/formats/9.db")
	opts := bucketlite.Options{Now: storetest.NewManualClock().Now}
	st := storetest.OpenPath(t, path, bucketlite.WithoutBackground(opts))
	db := storetest.OpenRaw(t, path)
	for _, statement := range []string{
		"SELECT d.rank, d.objects FROM deltas d",
		"INSERT INTO deltas (bucket, clock, rank, objects, size, last_upload_at) VALUES (1, 9, 9, 1, 1, NULL)",
	} {
		if _, err := db.Exec(statement); err == nil || !strings.Contains(err.Error(), "no such table") {
			t.Errorf("%s: got %v, want that there is no such table", statement, err)
		}
	}
	const filled = "SELECT count(*) FROM buckets WHERE partition IN (SELECT partition FROM object)"
	if got, want := storetest.Dump(t, db, "SELECT count(*) FROM untallied"), storetest.Dump(t, db, filled); got != want || got == "0\n" {
		t.Errorf("buckets without counts: got %s, want those with objects, %s", got, want)
	}
	wantAllTallies := func(st *bucketlite.Store) {
		t.Helper()
		for info, err := range storetest.Namespace(t, st).Buckets(context.Background(), bucketlite.Query{}) {
			storetest.Must(t, err)
			if info.Status == bucketlite.StatusSuspended {
				continue
			}
			b, err := storetest.Namespace(t, st).Bucket(context.Background(), info.ID)
			storetest.Must(t, err)
			wantTallies(t, b, storetest.NewRand(t))
		}
		storetest.WantNoProblem(t, st)
	}
	wantAllTallies(st)
	storetest.Must(t, st.Close())
	st = storetest.OpenPath(t, path, &opts)
	if !storetest.Eventually(func() bool { return storetest.Dump(t, db, "SELECT count(*) FROM untallied") == "0\n" }) {
		t.Error("the background does not count the objects")
	}
	if got := storetest.Dump(t, db, "SELECT sum(objects) = (SELECT count(*) FROM object) FROM hours"); got != "1\n" {
		t.Errorf("objects in the counts are all objects: got %s, want 1", got)
	}
	wantAllTallies(st)
}

// In this format the newest events carry the changes of counts. An older version that still
// has the file open would write events without them, so its statements must fail. The
// counts of its delta rows are in the rows of the buckets.
func TestTotalsOfOlderFormats(t *testing.T) {
	t.Parallel()
	const old = "testdata/formats/10.db"
	const recorded = `SELECT b.name, max(b.clock, ifnull(d.clock, 0)), b.object_count + ifnull(d.objects, 0), b.total_size + ifnull(d.size, 0),
		nullif(max(ifnull(b.last_upload_at, 0), ifnull(d.last_upload_at, 0)), 0)
		FROM buckets b LEFT JOIN deltas d ON d.bucket = b.num AND d.clock = (SELECT max(clock) FROM deltas WHERE bucket = b.num) ORDER BY b.num`
	want := storetest.Dump(t, storetest.OpenRaw(t, storetest.CopyFile(t, old)), recorded)
	path := storetest.CopyFile(t, old)
	opts := bucketlite.Options{Now: storetest.NewManualClock().Now}
	st := storetest.OpenPath(t, path, bucketlite.WithoutBackground(opts))
	db := storetest.OpenRaw(t, path)
	if got := storetest.Dump(t, db, "SELECT name, clock, object_count, total_size, last_upload_at FROM buckets ORDER BY num"); got != want {
		t.Errorf("buckets: got %s, want %s", got, want)
	}
	for _, statement := range []string{
		"INSERT INTO deltas (bucket, clock, number, objects, size, last_upload_at, tally) VALUES (1, 99, 9, 1, 1, NULL, NULL)",
		"SELECT object_count FROM buckets b LEFT JOIN deltas d ON d.bucket = b.num",
		"INSERT INTO events (last, count, at, data) VALUES (999, 1, 0, x'')",
		"SELECT last, count, at, data FROM events",
	} {
		if _, err := db.Exec(statement); err == nil || !strings.Contains(err.Error(), "no column named") && !strings.Contains(err.Error(), "no such") {
			t.Errorf("%s: got %v, want that there is no such table or column", statement, err)
		}
	}
	b, err := storetest.Namespace(t, st).Bucket(context.Background(), "counted")
	storetest.Must(t, err)
	storetest.WantExact(t, b)
	wantTallies(t, b, storetest.NewRand(t))
	storetest.WantNoProblem(t, st)
	storetest.Must(t, st.Close())
	st = storetest.OpenPath(t, path, &opts)
	if !storetest.Eventually(func() bool { return storetest.Dump(t, db, "SELECT count(*) FROM untallied") == "0\n" }) {
		t.Error("the background does not count the objects")
	}
	b, err = storetest.Namespace(t, st).Bucket(context.Background(), "counted")
	storetest.Must(t, err)
	wantTallies(t, b, storetest.NewRand(t))
	storetest.WantNoProblem(t, st)
}

// This format counts objects by size. An older version that still has the file open would
// write without counting, so it must not be able to read or write what events carry.
func TestSizesOfOlderFormats(t *testing.T) {
	t.Parallel()
	path := storetest.CopyFile(t, "testdata/formats/11.db")
	opts := bucketlite.Options{Now: storetest.NewManualClock().Now}
	st := storetest.OpenPath(t, path, bucketlite.WithoutBackground(opts))
	db := storetest.OpenRaw(t, path)
	for _, statement := range []string{
		"SELECT last, totals FROM events ORDER BY last DESC LIMIT 1",
		"INSERT INTO events (last, count, committed_at, data, totals) VALUES (999, 1, 0, x'', x'')",
	} {
		if _, err := db.Exec(statement); err == nil || !strings.Contains(err.Error(), "no column named") && !strings.Contains(err.Error(), "no such column") {
			t.Errorf("%s: got %v, want that there is no such column", statement, err)
		}
	}
	b, err := storetest.Namespace(t, st).Bucket(context.Background(), "carried")
	storetest.Must(t, err)
	storetest.WantExact(t, b)
	if got, want := storetest.MustStats(t, b).Storage, (bucketlite.StorageStats{Total: 186, Avg: 37, Max: 65, Min: 16}); got != want {
		t.Errorf("sizes: got %+v, want %+v", got, want)
	}
	wantTallies(t, b, storetest.NewRand(t))
	storetest.Must(t, deleteKey(b, "5")) // the smallest, which an older version wrote
	storetest.WantExact(t, b)
	storetest.WantNoProblem(t, st)
}

// A file opens whatever is wrong with the row of a bucket, and its other buckets are as
// they were.
func TestDamagedBucketsOfOlderFormats(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"schema of another type":   "schema = x'00'",
		"no schema":                "schema = NULL",
		"status of another type":   "status = 5",
		"count of another type":    "object_count = 'many'",
		"namespace that is no one": "namespace = 'none'",
		"metadata":                 "metadata = '{'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := storetest.CopyFile(t, "testdata/formats/6.db")
			db := storetest.OpenRaw(t, path)
			loosen := func(from, to string) string {
				return "UPDATE sqlite_schema SET sql = replace(sql, '" + from + "', '" + to + "') WHERE type = 'table' AND name = 'buckets'; "
			}
			storetest.Execute(t, db, "PRAGMA writable_schema = ON; "+loosen("STRICT", "")+loosen("NOT NULL", "/*NOT NULL*/")+"PRAGMA writable_schema = RESET; "+
				"UPDATE buckets SET "+damage+" WHERE name = 'archived'; PRAGMA writable_schema = ON; "+loosen("/*NOT NULL*/", "NOT NULL")+
				loosen(") ", ") STRICT")+"PRAGMA writable_schema = RESET")
			st := storetest.OpenPath(t, path, bucketlite.WithoutBackground(bucketlite.Options{Now: storetest.NewManualClock().Now}))
			items, err := storetest.Namespace(t, st).Bucket(context.Background(), "items")
			if err != nil {
				t.Fatal(err)
			}
			storetest.PutItem(t, items, storetest.Item("new", ""))
			if got := storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT count(*) FROM buckets WHERE name = 'archived'"); got != "1\n" {
				t.Errorf("damaged buckets: got %q, want 1", got)
			}
		})
	}
}

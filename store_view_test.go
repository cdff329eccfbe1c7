package bucketlite_test

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// The view shows the objects as the library reads them, in files of every format.
func TestView(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"1", "2", "7", "8"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			path := storetest.CopyFile(t, "testdata/formats/"+format+".db")
			st := storetest.OpenPath(t, path, &bucketlite.Options{Now: storetest.NewManualClock().Now})
			want, got := listed(t, st), shown(t, path)
			if len(want) < 5 {
				t.Errorf("the file has %d objects, want 5 or more", len(want))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("objects (-listed +shown):\n%s", diff)
			}
		})
	}
}

// Only objects that can be read are shown, each once.
func TestViewOfStates(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path, bucketlite.WithoutBackground(bucketlite.Options{}))
	b := storetest.Items(t, st)
	o := storetest.PutItem(t, b, storetest.Item("a", "x"))
	want := func(when string, n int) {
		t.Helper()
		if got := len(shown(t, path)); got != n {
			t.Errorf("%s: got %d objects, want %d", when, got, n)
		}
	}
	do := func(f func(context.Context) error) {
		t.Helper()
		if err := f(ctx); err != nil {
			t.Fatal(err)
		}
	}
	want("active", 1)
	do(b.Lock)
	want("locked", 1)
	do(b.Unlock)
	do(b.Archive)
	want("archived", 1)
	do(b.Activate)
	do(b.Suspend)
	want("suspended", 0)
	do(b.Activate)
	// A change of the schema prepares objects in another partition.
	storetest.Execute(t, storetest.OpenRaw(t, path), `
INSERT INTO object (seq, partition, id, version, size, status, created_at, updated_at, fields)
SELECT seq + (1 << 50), partition + 1, id, version, size, status, created_at, updated_at, fields FROM object`)
	want("beside a change", 1)
	storetest.Execute(t, storetest.OpenRaw(t, path), "DELETE FROM object WHERE seq > 1 << 50")
	if err := b.DeleteObject(ctx, o.ID, nil); err != nil {
		t.Fatal(err)
	}
	want("deleted", 0)
	storetest.PutItem(t, b, storetest.Item("b", "y"))
	if _, err := b.Delete(ctx); err != nil {
		t.Fatal(err)
	}
	want("with the bucket being deleted", 0)
}

// viewed is an object as the view has it, without inline data among the fields.
type viewed struct {
	Namespace, Bucket, Status, KeyPrefix, CreatedAt, UpdatedAt string
	Size, Version                                              int64
	Fields                                                     map[string]any
	Blobs                                                      []map[string]any
}

// listed returns the objects of the namespace "test" by bucket and id.
func listed(t *testing.T, st *bucketlite.Store) map[string]viewed {
	t.Helper()
	const micro = "2006-01-02T15:04:05.000000Z"
	all := map[string]viewed{}
	ns := storetest.Namespace(t, st)
	for info, err := range ns.Buckets(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		b, err := ns.Bucket(context.Background(), info.ID)
		if err != nil {
			t.Fatal(err)
		}
		for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			blobs, err := json.Marshal(o.Blobs)
			if err != nil {
				t.Fatal(err)
			}
			all[info.Name+"/"+o.ID] = viewed{
				Namespace: "test", Bucket: info.Name, Status: string(o.Status), KeyPrefix: o.KeyPrefix,
				CreatedAt: o.CreatedAt.Format(micro), UpdatedAt: o.UpdatedAt.Format(micro),
				Size: o.Size, Version: o.Version, Fields: o.Fields, Blobs: decodedBlobs(t, blobs),
			}
		}
	}
	return all
}

// shown returns the objects of the view by bucket and id.
func shown(t *testing.T, path string) map[string]viewed {
	t.Helper()
	rows, err := storetest.OpenRaw(t, path).Query(`
SELECT namespace, bucket, object_id, status, ifnull(key_prefix, ''), created_at, updated_at, size, version, fields, blobs FROM bucket_objects`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]viewed{}
	for rows.Next() {
		var v viewed
		var id, fields, blobs string
		if err := rows.Scan(&v.Namespace, &v.Bucket, &id, &v.Status, &v.KeyPrefix, &v.CreatedAt, &v.UpdatedAt, &v.Size, &v.Version, &fields, &blobs); err != nil {
			t.Fatal(err)
		}
		v.Fields, v.Blobs = storetest.Input(t, fields).Fields, decodedBlobs(t, []byte(blobs))
		for _, b := range v.Blobs {
			if _, ok := b["properties"].(map[string]any)["data"]; ok {
				delete(v.Fields, b["property"].(string))
			}
		}
		if _, ok := all[v.Bucket+"/"+id]; ok {
			t.Errorf("object %q is there twice", id)
		}
		all[v.Bucket+"/"+id] = v
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// decodedBlobs returns a JSON array of blobs; nil if it is empty.
func decodedBlobs(t *testing.T, text []byte) (blobs []map[string]any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&blobs); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if len(blobs) == 0 {
		return nil
	}
	return blobs
}

package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

func TestBucketNames(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	ns := storetest.Namespace(t, st)
	renamed := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "renamed"})
	for _, name := range slices.Sorted(maps.Keys(names)) {
		tt := names[name]
		t.Run(name, func(t *testing.T) {
			created, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: tt.name})
			_, errUpdate := renamed.Update(ctx, bucketlite.BucketUpdate{Name: &tt.name})
			if !tt.valid {
				storetest.WantIssues(t, err, map[string]string{"bucket_name": "name"})
				storetest.WantIssues(t, errUpdate, map[string]string{"bucket_name": "name"})
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantConflict(t, errUpdate, created.ID())
			for _, key := range []string{tt.name, created.ID()} {
				if found, err := ns.Bucket(ctx, key); err != nil || found.ID() != created.ID() || found.Name() != tt.name {
					t.Errorf("by %q: got %v, %v, want %v", key, found, err, created)
				}
			}
		})
	}
}

func TestBucketNamesAreDistinct(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	ns := storetest.Namespace(t, storetest.OpenMemory(t))
	for _, name := range distinctNames {
		if _, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: name}); err != nil {
			t.Errorf("create %q: %v", name, err)
		}
	}
	for _, name := range distinctNames {
		b, err := ns.Bucket(ctx, name)
		if err != nil || b.Name() != name {
			t.Errorf("by name %q: got %v, %v", name, b, err)
		}
	}
}

func TestBucketNotFound(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	for _, key := range []string{"none", "", "ITEMS", "bkt_01ARZ3NDEKTSV4RRFFQ69G5FAV", strings.ToLower(b.ID()), "item%", storetest.Namespace(t, st).ID()} {
		if got, err := storetest.Namespace(t, st).Bucket(ctx, key); got != nil || !errors.Is(err, bucketlite.ErrNotFound) {
			t.Errorf("%q: got %v, %v, want ErrNotFound", key, got, err)
		}
	}
	other, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"items", b.ID()} {
		if got, err := other.Bucket(ctx, key); got != nil || !errors.Is(err, bucketlite.ErrNotFound) {
			t.Errorf("%q in another namespace: got %v, %v, want ErrNotFound", key, got, err)
		}
	}
}

func TestBucketExists(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	_, err := storetest.Namespace(t, st).CreateBucket(ctx, storetest.ItemsConfig("items"))
	wantConflict(t, err, b.ID())

	// In another namespace the name is free, and the buckets have nothing to do
	// with each other.
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	other, err := ns.CreateBucket(ctx, storetest.ItemsConfig("items"))
	if err != nil {
		t.Fatal(err)
	}
	storetest.PutItem(t, b, storetest.Item("k", "here"))
	storetest.PutItem(t, other, storetest.Item("k", "there"))
	for b, want := range map[*bucketlite.Bucket]string{b: "here", other: "there"} {
		if o, err := b.ObjectByKey(ctx, map[string]any{"k": "k"}); err != nil || o.Fields["v"] != want || o.BucketID != b.ID() {
			t.Errorf("got %+v, %v, want value %q", o, err, want)
		}
	}
}

// Of many who create one bucket at once, one does.
func TestBucketCreatedOnce(t *testing.T) {
	t.Parallel()
	ns := storetest.Namespace(t, storetest.Open(t))
	created := make(chan string, 16)
	err := storetest.AtOnce(16, func(int) error {
		b, err := ns.CreateBucket(context.Background(), storetest.ItemsConfig("items"))
		if errors.Is(err, bucketlite.ErrExists) {
			return nil
		}
		if err == nil {
			created <- b.ID()
		}
		return err
	})
	if err != nil || len(created) != 1 {
		t.Errorf("got %d created, %v, want 1", len(created), err)
	}
}

func TestBucketInvalid(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	config := bucketlite.BucketConfig{
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"a": {Type: "strnig"}, "b": {}, "list": {Type: bucketlite.Array},
		}},
		UniqueKey:    &bucketlite.UniqueKey{Fields: []string{"list", "none"}, DefaultPolicy: "replace"},
		Description:  "\xff",
		Metadata:     map[string]any{"m": []any{"\x00"}},
		StorageClass: "glacier",
	}
	want := []string{
		"bucket_name", "bucket_schema.properties.a.type", "bucket_schema.properties.b.type", "description", "metadata.m[0]",
		"storage_class", "unique_key.default_policy", "unique_key.fields[0]", "unique_key.fields[1]",
	}
	_, err := storetest.Namespace(t, st).CreateBucket(ctx, config)
	wantIssuePaths(t, err, want...)
	wantIssuePaths(t, bucketlite.ValidateBucket(config), want...)
	if err := bucketlite.ValidateBucket(storetest.ItemsConfig("items")); err != nil {
		t.Errorf("got %v, want nothing wrong", err)
	}
	page, err := storetest.Namespace(t, st).ListBuckets(ctx, bucketlite.Query{})
	if err != nil || len(page.Results) != 0 {
		t.Errorf("got %+v, %v, want no bucket", page, err)
	}
}

func TestStorageClass(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	ns := storetest.Namespace(t, storetest.OpenMemory(t))
	for class, want := range map[bucketlite.StorageClass]bucketlite.StorageClass{
		"":                         bucketlite.StorageStandard,
		bucketlite.StorageStandard: "standard",
		bucketlite.StorageNearline: "nearline",
		bucketlite.StorageColdline: "coldline",
		bucketlite.StorageArchive:  "archive",
	} {
		b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "class-" + string(class), StorageClass: class})
		if err != nil {
			t.Fatal(err)
		}
		if info, err := b.Info(ctx); err != nil || info.StorageClass != want {
			t.Errorf("%q: got %+v, %v, want %q", class, info, err, want)
		}
	}
	_, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "wrong", StorageClass: "STANDARD"})
	storetest.WantIssues(t, err, map[string]string{"storage_class": "enum"})
}

func TestBucketUpdate(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := storetest.NewManualClock()
	st := storetest.OpenMemory(t, &bucketlite.Options{Now: c.Now})
	config := storetest.ItemsConfig("before")
	config.Description, config.Metadata, config.StorageClass = "a", map[string]any{"n": json.Number("1.50")}, bucketlite.StorageColdline
	b := storetest.Bucket(t, st, config)
	want, err := b.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	created := *want
	created.Name, created.Description, created.Metadata = "before", "a", map[string]any{"n": json.Number("1.50")}
	created.Status, created.Locked, created.CreatedAt, created.UpdatedAt, created.LastUploadAt = bucketlite.StatusActive, false, c.Add(0), c.Add(0), nil
	storetest.WantEqual(t, "created", *want, created)
	same := want.Schema
	for _, tt := range []struct {
		name   string
		update bucketlite.BucketUpdate
		change func(*bucketlite.BucketInfo)
	}{
		{"nothing", bucketlite.BucketUpdate{}, func(*bucketlite.BucketInfo) {}},
		{"name", bucketlite.BucketUpdate{Name: new("after")}, func(i *bucketlite.BucketInfo) { i.Name = "after" }},
		{"name to itself", bucketlite.BucketUpdate{Name: new("after")}, func(*bucketlite.BucketInfo) {}},
		{"description", bucketlite.BucketUpdate{Description: new("b")}, func(i *bucketlite.BucketInfo) { i.Description = "b" }},
		{"description to none", bucketlite.BucketUpdate{Description: new("")}, func(i *bucketlite.BucketInfo) { i.Description = "" }},
		{"metadata", bucketlite.BucketUpdate{Metadata: map[string]any{"x": nil}}, func(i *bucketlite.BucketInfo) {
			i.Metadata = map[string]any{"x": nil}
		}},
		{"metadata to none", bucketlite.BucketUpdate{Metadata: map[string]any{}}, func(i *bucketlite.BucketInfo) { i.Metadata = map[string]any{} }},
		{"equal schema", bucketlite.BucketUpdate{Schema: &config.Schema}, func(*bucketlite.BucketInfo) {}},
		{"schema as returned", bucketlite.BucketUpdate{Schema: &same}, func(*bucketlite.BucketInfo) {}},
		{"equal key", bucketlite.BucketUpdate{UniqueKey: config.UniqueKey}, func(*bucketlite.BucketInfo) {}},
	} {
		want.UpdatedAt = c.Add(time.Second)
		tt.change(want)
		got, err := b.Update(ctx, tt.update)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if !cmp.Equal(got, want, cmp.AllowUnexported(bucketlite.BucketInfo{})) {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, want)
		}
	}
	if _, err := storetest.Namespace(t, st).Bucket(ctx, "before"); !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("by old name: got %v, want ErrNotFound", err)
	}
	if got, err := storetest.Namespace(t, st).Bucket(ctx, "after"); err != nil || got.ID() != b.ID() {
		t.Errorf("by new name: got %v, %v, want %s", got, err, b.ID())
	}
	storetest.Bucket(t, st, storetest.ItemsConfig("before"))
}

func TestBucketUpdateRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	config := bucketlite.BucketConfig{
		Name: "keyed",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"a": {Type: bucketlite.String}, "b": {Type: bucketlite.String, Keywords: map[string]any{"minLength": 1}},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"a", "b"}, DefaultPolicy: bucketlite.Upsert},
	}
	keyed := storetest.Bucket(t, st, config)
	config.Name, config.UniqueKey = "keyless", nil
	keyless := storetest.Bucket(t, st, config)
	other := config.Schema
	other.Properties = maps.Clone(other.Properties)
	delete(other.Properties, "b")
	key := func(p bucketlite.Policy, fields ...string) *bucketlite.UniqueKey {
		return &bucketlite.UniqueKey{Fields: fields, DefaultPolicy: p}
	}
	for name, tt := range map[string]struct {
		b      *bucketlite.Bucket
		update bucketlite.BucketUpdate
		want   map[string]string
	}{
		"a missing field":        {keyless, bucketlite.BucketUpdate{Schema: &other}, map[string]string{"bucket_schema.properties.b": "missing"}},
		"a missing key field":    {keyed, bucketlite.BucketUpdate{Schema: &other}, map[string]string{"unique_key.fields[1]": "key"}},
		"no fields":              {keyless, bucketlite.BucketUpdate{Schema: &bucketlite.Schema{}}, map[string]string{"bucket_schema.properties.a": "missing", "bucket_schema.properties.b": "missing"}},
		"another key":            {keyed, bucketlite.BucketUpdate{UniqueKey: key(bucketlite.Upsert, "a")}, map[string]string{"unique_key": "fixed"}},
		"another policy":         {keyed, bucketlite.BucketUpdate{UniqueKey: key(bucketlite.Insert, "a", "b")}, map[string]string{"unique_key": "fixed"}},
		"no policy":              {keyed, bucketlite.BucketUpdate{UniqueKey: key("", "a", "b")}, map[string]string{"unique_key": "fixed"}},
		"a key where none is":    {keyless, bucketlite.BucketUpdate{UniqueKey: key("", "a")}, map[string]string{"unique_key": "fixed"}},
		"fields in other order":  {keyed, bucketlite.BucketUpdate{UniqueKey: key(bucketlite.Upsert, "b", "a")}, nil},
		"a field named twice":    {keyed, bucketlite.BucketUpdate{UniqueKey: key(bucketlite.Upsert, "a", "b", "b")}, map[string]string{"unique_key": "fixed"}},
		"number written apart":   {keyed, bucketlite.BucketUpdate{Schema: withMinLength(config.Schema, json.Number("1.0"))}, nil},
		"schema and name, twice": {keyless, bucketlite.BucketUpdate{Schema: &other, Name: new(""), UniqueKey: key("", "a")}, map[string]string{"bucket_schema.properties.b": "missing", "bucket_name": "name", "unique_key": "fixed"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := storetest.Snapshot(t, tt.b)
			_, err := tt.b.Update(ctx, tt.update)
			if tt.want == nil {
				if err != nil {
					t.Errorf("got %v, want nil", err)
				}
				return
			}
			storetest.WantIssues(t, err, tt.want)
			storetest.WantSnapshot(t, tt.b, before)
		})
	}
	_, err := keyed.Update(ctx, bucketlite.BucketUpdate{Name: new("keyless"), Description: new("not to be kept")})
	wantConflict(t, err, keyless.ID())
	if info, err := keyed.Info(ctx); err != nil || info.Name != "keyed" || info.Description != "" {
		t.Errorf("after a conflict: got %+v, %v, want it unchanged", info, err)
	}
}

// Errors and tasks call a bucket by the name it has now.
func TestBucketRenamed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := t.TempDir() + "/test.db"
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	again := storetest.ReopenItems(t, path)
	for _, name := range []string{"second", "third"} {
		storetest.PutItem(t, b, storetest.Item("k", ""))
		if _, err := b.Update(ctx, bucketlite.BucketUpdate{Name: &name}); err != nil {
			t.Fatal(err)
		}
		if err := b.Archive(ctx); err != nil {
			t.Fatal(err)
		}
		for kind, b := range map[string]*bucketlite.Bucket{"same store": b, "another store": again} {
			var state *bucketlite.StateError
			if _, err := b.Put(ctx, storetest.Item("k", ""), nil); !errors.As(err, &state) || state.Bucket != name {
				t.Errorf("%s: put: got %v, want it to name %q", kind, err, name)
			}
		}
		if err := b.Activate(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if task := mustDelete(t, again); task.AdditionalData["bucket_name"] != "third" {
		t.Errorf("task: got %+v, want it to name the bucket", task)
	}
}

// withMinLength returns the schema with another minLength for its field "b".
func withMinLength(s bucketlite.Schema, n any) *bucketlite.Schema {
	s.Properties = maps.Clone(s.Properties)
	s.Properties["b"] = bucketlite.Field{Type: bucketlite.String, Keywords: map[string]any{"minLength": n}}
	return &s
}

// The caller cannot change the configuration of a created bucket.
func TestBucketConfigIsCopied(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	config := storetest.ItemsConfig("items")
	config.Metadata = map[string]any{"m": "before"}
	b := storetest.Bucket(t, st, config)
	before := storetest.Snapshot(t, b)
	config.Schema.Properties["k"] = bucketlite.Field{Type: bucketlite.Integer}
	config.UniqueKey.Fields[0] = "v"
	config.Metadata["m"] = "after"
	b.UniqueKey().Fields[0] = "n"
	storetest.WantSnapshot(t, b, before)
	storetest.PutItem(t, b, storetest.Item("k", "v"))
	found, err := storetest.Namespace(t, st).Bucket(ctx, "items")
	if err != nil {
		t.Fatal(err)
	}
	storetest.PutItem(t, found, storetest.Item("k", "v"))
	if got := found.UniqueKey(); !slices.Equal(got.Fields, []string{"k"}) || got.DefaultPolicy != bucketlite.Upsert {
		t.Errorf("unique key: got %+v", got)
	}
}

// A handle made in one store, or before a restart, sees what another did.
func TestBucketReopened(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := t.TempDir() + "/test.db"
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.PutItem(t, b, storetest.ItemWithDoc("k", "text"))
	before := storetest.Snapshot(t, b)
	again := storetest.ReopenItems(t, path)
	storetest.WantSnapshot(t, again, before)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	storetest.WantSnapshot(t, storetest.ReopenItems(t, path), before)
	if _, err := again.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"k": 1}}, nil); !errors.Is(err, bucketlite.ErrInvalid) {
		t.Errorf("put: got %v, want the stored schema to apply", err)
	}
}

func TestListBuckets(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	ns := storetest.Namespace(t, st)
	other, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 25 {
		want = append(want, storetest.Bucket(t, st, storetest.ItemsConfig(fmt.Sprint(99-i))).ID())
		if _, err := other.CreateBucket(ctx, storetest.ItemsConfig(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []int{1, 7, 25, 26, 1000} {
		var got []string
		for q := (bucketlite.Query{Limit: limit}); ; {
			page, err := ns.ListBuckets(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, info := range page.Results {
				got = append(got, info.ID)
			}
			if q.Cursor = page.Next; page.Next == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: got %q, want %q", limit, got, want)
		}
	}
	var got []string
	for info, err := range ns.Buckets(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, info.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("iterator: got %q, want %q", got, want)
	}
}

func TestBucketJSON(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	members := map[string]string{
		"bucket_id": "string", "bucket_name": "string", "bucket_schema": "object", "metadata": "object", "storage_class": "string",
		"status": "string", "is_locked": "boolean", "created_at": "time", "updated_at": "time", "schema_version": "number",
		"object_count": "number", "total_size_bytes": "number", "last_upload_at": "null", "stats_updated_at": "null",
		"storage_stats": "object", "batch_stats": "object",
	}
	info := func(b *bucketlite.Bucket) *bucketlite.BucketInfo {
		info, err := b.Info(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	wantMembers(t, info(storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "bare"})), members)

	config := storetest.ItemsConfig("full")
	config.Description, config.Metadata = "d", map[string]any{"m": 1}
	b := storetest.Bucket(t, st, config)
	storetest.PutItem(t, b, storetest.Item("k", "v"))
	members["description"], members["unique_key"], members["last_upload_at"] = "string", "object", "time"
	wantMembers(t, info(b), members)

	i := info(b)
	wantMembers(t, i.Schema, map[string]string{"properties": "object"})
	wantMembers(t, i.UniqueKey, map[string]string{"fields": "array", "default_policy": "string"})
	wantMembers(t, i.Storage, map[string]string{"total_size_bytes": "number", "avg_size_bytes": "number", "max_size_bytes": "number", "min_size_bytes": "number"})
	wantMembers(t, i.Batches, map[string]string{"total": "number", "active": "number", "completed": "number", "failed": "number"})
	wantMembers(t, &i.Stats, map[string]string{
		"object_count": "number", "total_size_bytes": "number", "last_upload_at": "time", "stats_updated_at": "null",
		"storage_stats": "object", "batch_stats": "object",
	})

	var got bucketlite.BucketConfig
	if err := json.Unmarshal([]byte(`{"bucket_name":"b","bucket_schema":{"properties":{"k":{"type":"string","default":null}}},
		"unique_key":{"fields":["k"],"default_policy":"upsert"},"metadata":{"m":1},"storage_class":"coldline","description":null}`), &got); err != nil {
		t.Fatal(err)
	}
	created := info(storetest.Bucket(t, st, got))
	if created.StorageClass != bucketlite.StorageColdline || !slices.Equal(created.UniqueKey.Fields, []string{"k"}) || created.Schema.Properties["k"].Type != bucketlite.String {
		t.Errorf("created from JSON: got %+v", created)
	}
	var update bucketlite.BucketUpdate
	if err := json.Unmarshal([]byte(`{"bucket_name":null,"description":"x","bucket_schema":null,"unique_key":null,"metadata":null}`), &update); err != nil {
		t.Fatal(err)
	}
	updated, err := b.Update(ctx, update)
	if err != nil {
		t.Fatal(err)
	}
	storetest.WantEqual(t, "updated from JSON: description, name and members of the metadata",
		[]any{updated.Description, updated.Name, len(updated.Metadata)}, []any{"x", "full", 1})
}

// OpenBucket finds what Namespace and Bucket find, and is not found where they are not.
func TestLocate(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "videos"})
	ns := storetest.Namespace(t, st)
	other, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, namespace, bucket string
		inNamespace, inBucket   bool
	}{
		{"names", "test", "videos", true, true},
		{"ids", ns.ID(), b.ID(), true, true},
		{"a name and an id", "test", b.ID(), true, true},
		{"another namespace's bucket by name", "other", "videos", true, false},
		{"another namespace's bucket by id", other.ID(), b.ID(), true, false},
		{"no such bucket", "test", "films", true, false},
		{"no such namespace", "nowhere", "videos", false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n, found, err := st.OpenBucket(ctx, test.namespace, test.bucket)
			if (n != nil) != test.inNamespace || (found != nil) != test.inBucket || errors.Is(err, bucketlite.ErrNotFound) == test.inBucket {
				t.Fatalf("got %v, %v, %v", n, found, err)
			}
			if found != nil && (found.ID() != b.ID() || found.Name() != "videos" || n.ID() != ns.ID() || n.Name() != "test") {
				t.Errorf("got %s and %s", n.ID(), found.ID())
			}
		})
	}
	if _, _, err := st.OpenBucket(ctx, "test", "videos"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Delete(ctx); err != nil {
		t.Fatal(err)
	}
	if _, found, err := st.OpenBucket(ctx, "test", "videos"); found != nil || !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("a deleted bucket by name: got %v, %v, want ErrNotFound", found, err)
	}
	if _, err := other.Delete(ctx); err != nil {
		t.Fatal(err)
	}
	if n, _, err := st.OpenBucket(ctx, "other", "videos"); n != nil || !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("a deleted namespace: got %v, %v, want ErrNotFound", n, err)
	}
}

package bucketlite_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"
)

// clock returns options of a store without background work, and with a clock that moves
// a second at each reading.
func clock() *bucketlite.Options {
	return stoppedAt(func() {})
}

// stoppedAt is clock with a hook that runs at each look.
func stoppedAt(hook func()) *bucketlite.Options {
	now := make(chan time.Time, 1)
	now <- time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)
	return bucketlite.WithoutBackground(bucketlite.Options{Now: func() time.Time {
		hook()
		at := (<-now).Add(time.Second)
		now <- at
		return at
	}})
}

// keyed creates a bucket with the unique key "k", a text, and other properties.
func keyed(t testing.TB, st *bucketlite.Store, properties string) *bucketlite.Bucket {
	t.Helper()
	return storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: storetest.Schema(t, `"k":{"type":"string"}`+properties),
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}})
}

func TestPutCreates(t *testing.T) {
	t.Parallel()
	b := keyed(t, storetest.OpenMemory(t, clock()), `,"image":{"type":"image"}`)
	res, err := b.Put(t.Context(), bucketlite.ObjectInput{
		KeyPrefix: "a/b", Fields: map[string]any{"k": "x", "n": 1},
		Blobs: []bucketlite.BlobInput{{Property: "image", Data: "s3://a/b.png"}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := res.Object
	if !res.Created || o.Version == 0 {
		t.Errorf("got created %t and version %d, want a new object with a version", res.Created, o.Version)
	}
	want := *o
	want.BucketID, want.KeyPrefix, want.Status, want.Error = b.ID(), "a/b", bucketlite.StatusDraft, ""
	storetest.WantEqual(t, "object", *o, want)
	if len(o.Blobs) != 1 {
		t.Fatalf("blobs: got %d, want 1", len(o.Blobs))
	}
	if !strings.HasPrefix(o.ID, "obj_") || !strings.HasPrefix(o.Blobs[0].ID, "blob_") {
		t.Errorf("ids: got %q and %q, want them to say obj_ and blob_", o.ID, o.Blobs[0].ID)
	}
	if o.CreatedAt.IsZero() || !o.CreatedAt.Equal(o.UpdatedAt) || o.CreatedAt.Location() != time.UTC {
		t.Errorf("got created at %v, updated at %v, want the same time in UTC", o.CreatedAt, o.UpdatedAt)
	}
	again, err := b.Object(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	if want, got := toJSON(t, o), toJSON(t, again); got != want || again.Version != o.Version || again.Size != o.Size {
		t.Errorf("got %s, want %s as Put returned", got, want)
	}
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Put onto an existing key replaces the fields; the id and created_at stay.
func TestPutReplaces(t *testing.T) {
	t.Parallel()
	b := keyed(t, storetest.OpenMemory(t, clock()), `,"image":{"type":"image"},"pdf":{"type":"pdf"},"note":{"type":"string"}`)
	blobs := []bucketlite.BlobInput{{Property: "image", Data: "s3://a/b.png"}, {Property: "note", Data: "hello"}}
	tests := []struct {
		name   string
		in     bucketlite.ObjectInput
		fields string
		blobs  string // properties
		prefix string
	}{
		{"fields, blobs absent", bucketlite.ObjectInput{Fields: map[string]any{"new": 1}}, `{"k":"x","new":1}`, "image note", "a/b"},
		{"fields, blobs empty", bucketlite.ObjectInput{Fields: map[string]any{"new": 1}, Blobs: []bucketlite.BlobInput{}}, `{"k":"x","new":1}`, "", "a/b"},
		{"fields, other blobs", bucketlite.ObjectInput{Fields: map[string]any{"note": "root"}, Blobs: []bucketlite.BlobInput{{Property: "pdf", Data: "s3://a/b.pdf"}}},
			`{"k":"x","note":"root"}`, "pdf", "a/b"},
		{"key prefix", bucketlite.ObjectInput{KeyPrefix: "c", Fields: map[string]any{}}, `{"k":"x"}`, "image note", "c"},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			key := fmt.Sprint("x", i)
			test.fields = strings.ReplaceAll(test.fields, `"x"`, `"`+key+`"`)
			old := storetest.Put(t, b, bucketlite.ObjectInput{KeyPrefix: "a/b", Fields: map[string]any{"k": key, "old": true}, Blobs: blobs}, "")
			test.in.Fields["k"] = key
			o := storetest.Put(t, b, test.in, "")
			storetest.WantFields(t, o, test.fields)
			var properties []string
			for _, blob := range o.Blobs {
				properties = append(properties, blob.Property)
			}
			if got := strings.Join(properties, " "); got != test.blobs {
				t.Errorf("got blobs %q, want %q", got, test.blobs)
			}
			if test.in.Blobs == nil {
				if diff := cmp.Diff(old.Blobs, o.Blobs); diff != "" {
					t.Errorf("blobs (-before +after):\n%s", diff)
				}
			}
			if o.ID != old.ID || !o.CreatedAt.Equal(old.CreatedAt) || o.KeyPrefix != test.prefix {
				t.Errorf("got id %q, created at %v, prefix %q, want %q, %v, %q", o.ID, o.CreatedAt, o.KeyPrefix, old.ID, old.CreatedAt, test.prefix)
			}
			if !o.UpdatedAt.After(old.UpdatedAt) || o.Version <= old.Version {
				t.Errorf("got updated at %v, version %d, want them beyond %v, %d", o.UpdatedAt, o.Version, old.UpdatedAt, old.Version)
			}
		})
	}
}

// A required field may be a blob, also one that a replacement keeps.
func TestRequiredByBlob(t *testing.T) {
	t.Parallel()
	b := keyed(t, storetest.OpenMemory(t), `,"video":{"type":"video","required":true},"title":{"type":"string","required":true,"enum":["a","b"],"default":"a"}`)
	blobs := []bucketlite.BlobInput{{Property: "video", Data: "s3://a/b.mp4"}, {Property: "title", Data: "b"}}
	in := bucketlite.ObjectInput{Fields: map[string]any{"k": "x"}}
	for _, policy := range []bucketlite.Policy{bucketlite.Insert, bucketlite.Upsert} {
		before := storetest.Snapshot(t, b)
		_, err := b.Put(t.Context(), in, &bucketlite.PutOptions{Policy: policy})
		storetest.WantIssues(t, err, map[string]string{"video": "required"})
		storetest.WantSnapshot(t, b, before)
	}
	_, err := b.Put(t.Context(), in, &bucketlite.PutOptions{Policy: bucketlite.Update})
	storetest.WantError(t, err, bucketlite.ErrNotFound)

	storetest.WantFields(t, storetest.Put(t, b, bucketlite.ObjectInput{Fields: in.Fields, Blobs: blobs}, ""), `{"k":"x"}`)
	for _, policy := range []bucketlite.Policy{bucketlite.Update, bucketlite.Upsert} {
		// The default of title stays out: its blob is kept.
		o := storetest.Put(t, b, in, policy)
		storetest.WantFields(t, o, `{"k":"x"}`)
		if len(o.Blobs) != 2 {
			t.Errorf("got %d blobs, want 2 kept", len(o.Blobs))
		}
	}
	before := storetest.Snapshot(t, b)
	for _, test := range []struct {
		in   bucketlite.ObjectInput
		want map[string]string
	}{
		{bucketlite.ObjectInput{Fields: in.Fields, Blobs: []bucketlite.BlobInput{}}, map[string]string{"video": "required"}},
		{bucketlite.ObjectInput{Fields: in.Fields, Blobs: blobs[1:]}, map[string]string{"video": "required"}},
		{bucketlite.ObjectInput{Fields: map[string]any{"k": "x", "title": "a"}}, map[string]string{"title": "property"}},
		{bucketlite.ObjectInput{Fields: map[string]any{"k": "x", "title": "a"}, Blobs: blobs}, map[string]string{"title": "property"}},
		{bucketlite.ObjectInput{Fields: in.Fields, Blobs: []bucketlite.BlobInput{blobs[0], {Property: "title", Data: "c"}}}, map[string]string{"blobs[1].data": "enum"}},
	} {
		_, err := b.Put(t.Context(), test.in, nil)
		storetest.WantIssues(t, err, test.want)
		storetest.WantSnapshot(t, b, before)
	}
}

// Faults outside the fields do not depend on stored blobs.
func TestPutRefusedBesideStoredBlobs(t *testing.T) {
	t.Parallel()
	b := keyed(t, storetest.OpenMemory(t), `,"note":{"type":"string"}`)
	storetest.Put(t, b, bucketlite.ObjectInput{ID: "x", Fields: map[string]any{"k": "x"}, Blobs: []bucketlite.BlobInput{{Property: "note", Data: "hello"}}}, "")
	fields := map[string]any{"k": "x"}
	wantRefused(t, b, bucketlite.ObjectInput{KeyPrefix: "\xff", Fields: fields}, map[string]string{"key_prefix": "utf8"})
	wantRefused(t, b, bucketlite.ObjectInput{KeyPrefix: "a\x00", Fields: fields}, map[string]string{"key_prefix": "nul"})
	wantRefused(t, b, bucketlite.ObjectInput{ID: "x y", Fields: fields}, map[string]string{"object_id": "name"})
}

// Size is the fields as compact JSON plus the blobs' content, inline text as it is.
func TestSize(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		fields string
		blobs  []bucketlite.BlobInput
		want   int64
	}{
		{"nothing", `{}`, nil, 0},
		{"an empty text", `{"s":""}`, nil, int64(len(`{"s":""}`))},
		{"an undeclared null", `{"x": null}`, nil, int64(len(`{"x":null}`))},
		{"a declared null", `{"s": null}`, nil, 0},
		{"white space and order do not count", "{ \"s\" : \"a\" ,\n\"n\": 1.50e0 }", nil, int64(len(`{"n":1.50e0,"s":"a"}`))},
		{"no HTML escape, nothing but UTF-8", `{"s":"<a&b>\u20ac\u00e9\ud83d\ude00\u2028"}`, nil, int64(len(`{"s":"<a&b>€é😀` + "\u2028" + `"}`))},
		{"escapes JSON asks for", `{"s":"\"\\\n\u0001\/"}`, nil, int64(len(`{"s":"\"\\\n\u0001/"}`))},
		{"a reference", `{}`, []bucketlite.BlobInput{{Property: "image", Data: "https://example.com/a.png"}}, 0},
		{"inline text", `{}`, []bucketlite.BlobInput{{Property: "text", Data: "<é>"}}, 4},
		{"inline text of a string", `{}`, []bucketlite.BlobInput{{Property: "s", Data: "<é>"}}, 4},
		{"stored text", `{}`, []bucketlite.BlobInput{{Property: "text", Data: map[string]any{"base64": "aGVsbG8="}}}, 5},
		{"a reader", `{"s":"a"}`, []bucketlite.BlobInput{{Property: "text", Reader: strings.NewReader("hello"), Metadata: map[string]any{"not": "counted"}}}, 5 + 9},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"s":{"type":"string"},"image":{"type":"image"},"text":{"type":"text"}`)})
			in := storetest.Input(t, test.fields)
			in.Blobs = test.blobs
			if o := storetest.Put(t, b, in, ""); o.Size != test.want {
				t.Errorf("got size %d, want %d", o.Size, test.want)
			}
			storetest.Put(t, b, storetest.Input(t, `{}`), "")
			s, err := b.Stats(t.Context())
			if err != nil || s.TotalSize != test.want || s.Storage.Max != test.want || s.Storage.Min != 0 {
				t.Errorf("got statistics %+v, %v, want a total and maximum of %d", s, err, test.want)
			}
		})
	}
	t.Run("shared content counts for each", func(t *testing.T) {
		t.Parallel()
		st := storetest.OpenMemory(t)
		b := storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: storetest.Schema(t, `"a":{"type":"text"},"b":{"type":"text"}`)})
		for range 2 {
			storetest.Put(t, b, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "a", Data: "data:,hello"}, {Property: "b", Data: "data:,hello"}}}, "")
		}
		s, err := b.Stats(t.Context())
		if err != nil || s.TotalSize != 20 {
			t.Errorf("got %+v, %v, want a total of 20", s, err)
		}
		if s, err := st.Stats(t.Context()); err != nil || s.ContentBytes != 5 {
			t.Errorf("got %+v, %v, want 5 bytes of content", s, err)
		}
	})
}

// A change of content takes an object back to DRAFT.
func TestStatusAfterChange(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	b := keyed(t, storetest.OpenPath(t, path), `,"image":{"type":"image"}`)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	o := storetest.Put(t, b, bucketlite.ObjectInput{Fields: map[string]any{"k": "x", "n": 1}, Blobs: []bucketlite.BlobInput{{Property: "image", Data: "s3://a"}}}, "")
	patch := func(in bucketlite.ObjectInput) (*bucketlite.Object, error) {
		return b.Patch(t.Context(), o.ID, in, nil)
	}
	replace := func(in bucketlite.ObjectInput) (*bucketlite.Object, error) {
		res, err := b.Put(t.Context(), in, nil)
		if err != nil {
			return nil, err
		}
		return res.Object, nil
	}
	tests := []struct {
		name string
		call func(bucketlite.ObjectInput) (*bucketlite.Object, error)
		in   bucketlite.ObjectInput
		want bucketlite.Status
	}{
		{"patch of a field", patch, storetest.Input(t, `{"n":2}`), bucketlite.StatusDraft},
		{"patch that removes a field", patch, storetest.Input(t, `{"n":null}`), bucketlite.StatusDraft},
		{"patch of a blob", patch, storetest.Input(t, `{"blobs":[{"property":"image","data":"s3://b"}]}`), bucketlite.StatusDraft},
		{"patch that removes a blob", patch, storetest.Input(t, `{"image":null}`), bucketlite.StatusDraft},
		{"patch of nothing", patch, storetest.Input(t, `{}`), bucketlite.StatusCompleted},
		{"put of other fields", replace, storetest.Input(t, `{"k":"x","n":3}`), bucketlite.StatusDraft},
		{"put of blobs", replace, storetest.Input(t, `{"k":"x","n":3,"blobs":[{"property":"image","data":"s3://c"}]}`), bucketlite.StatusDraft},
		{"put that removes blobs", replace, storetest.Input(t, `{"k":"x","n":3,"blobs":[]}`), bucketlite.StatusDraft},
		{"put of what is stored", replace, storetest.Input(t, `{"k":"x","n":3}`), bucketlite.StatusCompleted},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			storetest.Execute(t, db, "UPDATE object SET status = 'COMPLETED'; "+storetest.Uncount)
			o, err := test.call(test.in)
			if err != nil {
				t.Fatal(err)
			}
			if o.Status != test.want {
				t.Errorf("got status %s, want %s", o.Status, test.want)
			}
		})
	}
}

// Callers may choose an object's id, if it is free and in keeping with its key.
func TestChosenIDs(t *testing.T) {
	t.Parallel()
	t.Run("form", func(t *testing.T) {
		t.Parallel()
		b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{})
		for _, id := range []string{"a", "-", "_", "0", "AZaz09_-", strings.Repeat("x", 128), "obj_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
			if o := storetest.Put(t, b, bucketlite.ObjectInput{ID: id}, ""); o.ID != id {
				t.Errorf("got id %q, want %q", o.ID, id)
			}
		}
		for _, id := range []string{" ", "a b", "a.b", "a/b", "ü", "a\n", "a\x00", "\xff", strings.Repeat("x", 129)} {
			wantRefused(t, b, bucketlite.ObjectInput{ID: id}, map[string]string{"object_id": "name"})
		}
	})
	t.Run("taken", func(t *testing.T) {
		t.Parallel()
		st := storetest.OpenMemory(t)
		plain := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "plain"})
		storetest.Put(t, plain, bucketlite.ObjectInput{ID: "one"}, "")
		b := keyed(t, st, "")
		storetest.Put(t, b, bucketlite.ObjectInput{ID: "one", Fields: map[string]any{"k": "1"}}, "") // ids are the bucket's own
		storetest.Put(t, b, bucketlite.ObjectInput{ID: "two", Fields: map[string]any{"k": "2"}}, "")
		tests := []struct {
			name     string
			bucket   *bucketlite.Bucket
			id, key  string
			policies []bucketlite.Policy
			existing string
			want     error
		}{
			{"without a key", plain, "one", "", []bucketlite.Policy{"", bucketlite.Upsert}, "one", bucketlite.ErrExists},
			{"by an object with another key", b, "one", "3", []bucketlite.Policy{bucketlite.Insert, bucketlite.Upsert}, "one", bucketlite.ErrExists},
			{"of another object than the key", b, "one", "2", []bucketlite.Policy{bucketlite.Insert, bucketlite.Update, bucketlite.Upsert}, "two", bucketlite.ErrConflict},
			{"free, the key is not", b, "three", "2", []bucketlite.Policy{bucketlite.Insert, bucketlite.Update, bucketlite.Upsert}, "two", bucketlite.ErrConflict},
		}
		for _, test := range tests {
			for _, policy := range test.policies {
				before := storetest.Snapshot(t, test.bucket)
				in := bucketlite.ObjectInput{ID: test.id, Fields: map[string]any{"k": test.key}}
				_, err := test.bucket.Put(t.Context(), in, &bucketlite.PutOptions{Policy: policy})
				storetest.WantError(t, err, test.want)
				if got := conflictWith(t, err); got != test.existing {
					t.Errorf("%s: %s: got existing id %q, want %q", test.name, policy, got, test.existing)
				}
				storetest.WantSnapshot(t, test.bucket, before)
			}
		}
		if o := storetest.Put(t, b, bucketlite.ObjectInput{ID: "two", Fields: map[string]any{"k": "2"}}, bucketlite.Update); o.ID != "two" {
			t.Errorf("got id %q, want two replaced", o.ID)
		}
		if err := b.DeleteObject(t.Context(), "two", nil); err != nil {
			t.Fatal(err)
		}
		storetest.Put(t, b, bucketlite.ObjectInput{ID: "two", Fields: map[string]any{"k": "2"}}, bucketlite.Insert)
	})
}

// IfAbsent creates an object or fails, whatever else decides about that.
func TestIfAbsent(t *testing.T) {
	t.Parallel()
	for _, byDefault := range []bucketlite.Policy{"", bucketlite.Insert, bucketlite.Update, bucketlite.Upsert} {
		t.Run("default "+string(byDefault), func(t *testing.T) {
			t.Parallel()
			config := storetest.ItemsConfig("items")
			config.UniqueKey.DefaultPolicy = byDefault
			b := storetest.Bucket(t, storetest.OpenMemory(t), config)
			put := func(k string, opts bucketlite.PutOptions) (bool, error) {
				opts.IfAbsent = true
				res, err := b.Put(t.Context(), storetest.Item(k, ""), &opts)
				return err == nil && res.Created, err
			}
			for i, policy := range []bucketlite.Policy{"", bucketlite.Insert, bucketlite.Upsert} {
				k := fmt.Sprint(i)
				if created, err := put(k, bucketlite.PutOptions{Policy: policy}); !created {
					t.Errorf("free key, policy %q: got error %v, want a new object", policy, err)
				}
				_, err := put(k, bucketlite.PutOptions{Policy: policy})
				storetest.WantError(t, err, bucketlite.ErrExists)
			}
			before := storetest.Snapshot(t, b)
			for name, opts := range map[string]bucketlite.PutOptions{
				"policy update": {Policy: bucketlite.Update}, "another policy": {Policy: "other"}, "a version": {IfVersion: 1},
			} {
				_, err := put("free", opts)
				if !errors.Is(err, bucketlite.ErrBadRequest) {
					t.Errorf("%s: got error %v, want %q", name, err, bucketlite.ErrBadRequest)
				}
			}
			storetest.WantSnapshot(t, b, before)
		})
	}
	t.Run("without a unique key", func(t *testing.T) {
		t.Parallel()
		config := storetest.ItemsConfig("items")
		config.UniqueKey = nil
		b := storetest.Bucket(t, storetest.OpenMemory(t), config)
		in := storetest.Item("k", "")
		in.ID = "one"
		for _, want := range []error{nil, bucketlite.ErrExists} {
			_, err := b.Put(t.Context(), in, &bucketlite.PutOptions{IfAbsent: true, Policy: bucketlite.Update})
			if !errors.Is(err, want) {
				t.Errorf("got error %v, want %v", err, want)
			}
		}
	})
}

// IfVersion guards Put, Patch and Delete against lost updates.
func TestIfVersion(t *testing.T) {
	t.Parallel()
	b := keyed(t, storetest.OpenMemory(t), "")
	first := storetest.Put(t, b, storetest.Input(t, `{"k":"x","n":1}`), "")
	second := storetest.Put(t, b, storetest.Input(t, `{"k":"x","n":2}`), "")
	other := storetest.Put(t, b, storetest.Input(t, `{"k":"y"}`), "")
	before := storetest.Snapshot(t, b)
	in := storetest.Input(t, `{"k":"x","n":3}`)
	for name, err := range map[string]error{
		"put":                errOf(b.Put(t.Context(), in, &bucketlite.PutOptions{IfVersion: first.Version})),
		"put, update":        errOf(b.Put(t.Context(), in, &bucketlite.PutOptions{IfVersion: other.Version, Policy: bucketlite.Update})),
		"put of a new key":   errOf(b.Put(t.Context(), storetest.Input(t, `{"k":"new"}`), &bucketlite.PutOptions{IfVersion: first.Version})),
		"put, insert":        errOf(b.Put(t.Context(), in, &bucketlite.PutOptions{IfVersion: first.Version, Policy: bucketlite.Insert})),
		"put of a later one": errOf(b.Put(t.Context(), in, &bucketlite.PutOptions{IfVersion: 1 << 60})),
		"patch":              errOf(b.Patch(t.Context(), first.ID, storetest.Input(t, `{"n":3}`), &bucketlite.PatchOptions{IfVersion: first.Version})),
		"delete":             b.DeleteObject(t.Context(), first.ID, &bucketlite.DeleteObjectOptions{IfVersion: first.Version}),
	} {
		if !errors.Is(err, bucketlite.ErrConflict) {
			t.Errorf("%s: got %v, want ErrConflict", name, err)
		}
		var conflict *bucketlite.ConflictError
		if errors.As(err, &conflict) && conflict.Version != (name != "put, insert") {
			t.Errorf("%s: got a conflict of versions: %t", name, conflict.Version)
		}
	}
	_, err := b.Put(t.Context(), in, &bucketlite.PutOptions{IfVersion: -1})
	storetest.WantError(t, err, bucketlite.ErrBadRequest)
	storetest.WantError(t, b.DeleteObject(t.Context(), "nothing", &bucketlite.DeleteObjectOptions{IfVersion: 1}), bucketlite.ErrNotFound)
	storetest.WantSnapshot(t, b, before)

	third, err := b.Put(t.Context(), in, &bucketlite.PutOptions{IfVersion: second.Version})
	if err != nil {
		t.Fatal(err)
	}
	fourth, err := b.Patch(t.Context(), first.ID, storetest.Input(t, `{"n":4}`), &bucketlite.PatchOptions{IfVersion: third.Object.Version})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteObject(t.Context(), first.ID, &bucketlite.DeleteObjectOptions{IfVersion: fourth.Version}); err != nil {
		t.Fatal(err)
	}
	// An object that takes the place of another is not taken for it.
	if o := storetest.Put(t, b, in, ""); o.Version <= fourth.Version {
		t.Errorf("got version %d, want one beyond %d", o.Version, fourth.Version)
	}
}

func errOf[T any](_ T, err error) error { return err }

// A context that ends before the write has no effect; one that ends while the
// writer is at it comes too late.
func TestPutCancelled(t *testing.T) {
	t.Parallel()
	var cancel context.CancelFunc
	looks := 0
	b := keyed(t, storetest.OpenMemory(t, stoppedAt(func() {
		if looks--; looks == 0 {
			cancel()
		}
	})), `,"text":{"type":"text"}`)
	before := storetest.Snapshot(t, b)

	ctx, c := context.WithCancel(t.Context())
	c()
	storetest.WantError(t, errOf(b.Put(ctx, storetest.Input(t, `{"k":"x"}`), nil)), context.Canceled)
	storetest.WantError(t, errOf(b.PutMany(ctx, []bucketlite.ObjectInput{storetest.Input(t, `{"k":"x"}`)}, nil)), context.Canceled)
	storetest.WantError(t, errOf(b.Patch(ctx, "x", storetest.Input(t, `{"k":"x"}`), nil)), context.Canceled)
	storetest.WantError(t, b.DeleteObject(ctx, "x", nil), context.Canceled)
	storetest.WantError(t, b.Validate(ctx, storetest.Input(t, `{"k":"x"}`)), context.Canceled)

	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	in := storetest.Input(t, `{"k":"x"}`)
	in.Blobs = []bucketlite.BlobInput{{Property: "text", Reader: storetest.ReadFunc(func(p []byte) (int, error) {
		cancel()
		return copy(p, "hello"), io.EOF
	})}}
	storetest.WantError(t, errOf(b.Put(ctx, in, nil)), context.Canceled)
	storetest.WantSnapshot(t, b, before)

	// With an id chosen, the first reading of the clock is the writer's.
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	looks = 1
	if _, err := b.Put(ctx, storetest.Input(t, `{"object_id":"x","k":"x"}`), nil); err != nil || ctx.Err() == nil {
		t.Errorf("got %v, context's error %v, want the write to stand and the context ended", err, ctx.Err())
	}
	if _, err := b.Object(t.Context(), "x"); err != nil {
		t.Errorf("got %v, want the object to be there", err)
	}
}

// The compiled schema is shared by all goroutines.
func TestValidateConcurrently(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"s":{"type":"string","pattern":"^a+$","format":"hostname"},"l":{"type":"array","uniqueItems":true}`)})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if err := b.Validate(t.Context(), bucketlite.ObjectInput{Fields: map[string]any{"s": "aa", "l": []int{1, 2}}}); err != nil {
					t.Errorf("got %v, want no error", err)
				}
				err := b.Validate(t.Context(), bucketlite.ObjectInput{Fields: map[string]any{"s": "b b", "l": []int{1, 1}}})
				var invalid *bucketlite.ValidationError
				if !errors.As(err, &invalid) || len(invalid.Issues) != 3 {
					t.Errorf("got %v, want three issues", err)
				}
			}
		})
	}
	wg.Wait()
}

// blobNames shows an object's blobs in order: property, content and whether it is
// one of the old ones, by its place among them.
func blobNames(t testing.TB, b *bucketlite.Bucket, o *bucketlite.Object, old []bucketlite.Blob) string {
	t.Helper()
	var all []string
	for _, blob := range o.Blobs {
		text := fmt.Sprint(blob.Properties["url"])
		if blob.Properties["url"] == nil {
			data, err := storetest.ReadBlob(b, o.ID, blob.ID)
			if err != nil {
				t.Fatal(err)
			}
			text = string(data)
		}
		name := blob.Property + "=" + text
		for i := range old {
			if blob.ID == old[i].ID {
				name += fmt.Sprintf(" (%d)", i)
				if blob.Properties["old"] != true || blob.KeyPrefix != "old" {
					t.Errorf("got %+v, want what was stored with it", blob)
				}
			}
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}

func TestSkipDuplicates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		blobs      string // of the second call, without the members all have
		put, patch string // what there is then: (n) is the blob that was the nth
	}{
		{"the same", `one:a`, "one=a (0)", "one=a (0), two=b (1), many=a (2), many=b (3), many=b (4), ref=s3://r (5)"},
		{"all the same", `one:a two:b many:a many:b many:b`, "one=a (0), two=b (1), many=a (2), many=b (3), many=b (4)",
			"one=a (0), two=b (1), many=a (2), many=b (3), many=b (4), ref=s3://r (5)"},
		{"other bytes", `one:c`, "one=c", "two=b (1), many=a (2), many=b (3), many=b (4), ref=s3://r (5), one=c"},
		{"the bytes of another property", `one:b two:a`, "one=b, two=a", "many=a (2), many=b (3), many=b (4), ref=s3://r (5), one=b, two=a"},
		{"an array in another order", `many:b many:a`, "many=b (3), many=a (2)", "one=a (0), two=b (1), ref=s3://r (5), many=b (3), many=a (2)"},
		{"one more in an array", `many:a many:c many:b`, "many=a (2), many=c, many=b (3)", "one=a (0), two=b (1), ref=s3://r (5), many=a (2), many=c, many=b (3)"},
		{"more of the same than there are", `many:b many:b many:b`, "many=b (3), many=b (4), many=b", "one=a (0), two=b (1), ref=s3://r (5), many=b (3), many=b (4), many=b"},
		{"a reference", `ref:s3://r`, "ref=s3://r", "one=a (0), two=b (1), many=a (2), many=b (3), many=b (4), ref=s3://r"},
		{"nothing", ``, "", "one=a (0), two=b (1), many=a (2), many=b (3), many=b (4), ref=s3://r (5)"},
	}
	blobs := func(list, common string) string {
		var all []string
		for _, item := range strings.Fields(list) {
			property, data, _ := strings.Cut(item, ":")
			if !strings.Contains(data, ":") {
				data = "data:," + data
			}
			all = append(all, fmt.Sprintf(`{"property":%q,"data":%q%s}`, property, data, common))
		}
		return `"blobs":[` + strings.Join(all, ",") + "]"
	}
	for _, test := range tests {
		for _, call := range []string{"put", "patch", "batch"} {
			t.Run(test.name+"/"+call, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "a.db")
				st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
				b := keyed(t, st, `,"one":{"type":"text"},"two":{"type":"text"},"many":{"type":"array","items":{"type":"text"},"maxItems":3},"ref":{"type":"text"}`)
				first := storetest.Put(t, b, storetest.Input(t, `{"k":"x",`+blobs("one:a two:b many:a many:b many:b ref:s3://r", `,"key_prefix":"old","metadata":{"old":true}`)+`}`), "")
				in := storetest.Input(t, `{"k":"x","skip_duplicates":true,`+blobs(test.blobs, `,"key_prefix":"new","metadata":{"new":true}`)+`}`)
				want := test.put
				switch call {
				case "put":
					storetest.Put(t, b, in, "")
				case "batch":
					if err := storetest.PutManyError(b.PutMany(t.Context(), []bucketlite.ObjectInput{in, in}, nil)); err != nil {
						t.Fatal(err)
					}
				case "patch":
					want = test.patch
					if _, err := b.Patch(t.Context(), first.ID, in, nil); err != nil {
						t.Fatal(err)
					}
				}
				o, err := b.Object(t.Context(), first.ID)
				if err != nil {
					t.Fatal(err)
				}
				if got := blobNames(t, b, o, first.Blobs); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
				storetest.WantExact(t, b)
				storetest.WantSound(t, path)
			})
		}
	}
}

// Without skip_duplicates, and where an object is created, equal bytes are stored
// as they are given.
func TestDuplicatesKept(t *testing.T) {
	t.Parallel()
	b := keyed(t, storetest.OpenMemory(t), `,"one":{"type":"text"},"many":{"type":"array","items":{"type":"text"}}`)
	const blobs = `"blobs":[{"property":"many","data":"data:,a"},{"property":"many","data":"data:,a"},{"property":"one","data":"data:,a"}]}`
	o := storetest.Put(t, b, storetest.Input(t, `{"k":"x","skip_duplicates":true,`+blobs), "")
	if len(o.Blobs) != 3 {
		t.Errorf("got %d blobs, want 3", len(o.Blobs))
	}
	replaced := storetest.Put(t, b, storetest.Input(t, `{"k":"x","skip_duplicates":false,`+blobs), "")
	for i := range o.Blobs {
		if replaced.Blobs[i].ID == o.Blobs[i].ID {
			t.Errorf("blob %d: got the stored one, want a new one", i)
		}
	}
}

// Bytes that are long, or come from a URL, are duplicates like any others.
func TestSkipDuplicatesStaged(t *testing.T) {
	t.Parallel()
	src := newSources()
	data := storetest.Film(1, 2*storetest.MiB)
	src.add("https://example.com/a", data, bucketlite.Fetched{})
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path, &bucketlite.Options{Fetcher: src})
	b := storetest.Films(t, st)
	in := storetest.Input(t, `{"k":"a","skip_duplicates":true,"force_remirror":true,"blobs":[{"property":"film","data":"https://example.com/a"}]}`)
	o := storetest.Put(t, b, in, "")
	replaced := storetest.Put(t, b, in, bucketlite.Upsert)
	if replaced.Blobs[0].ID != o.Blobs[0].ID {
		t.Error("Put: got a new blob, want the stored one")
	}
	patched, err := b.Patch(t.Context(), o.ID, in, nil)
	if err != nil || patched.Blobs[0].ID != o.Blobs[0].ID {
		t.Errorf("Patch: got %+v, %v, want the stored blob", patched, err)
	}
	src.wantAsked(t, slices.Repeat([]string{"https://example.com/a"}, 3)...)
	wantFilm(t, b, o.ID, data)
	storetest.WantStored(t, st, path, int64(len(data)))
	storetest.WantSound(t, path)
}

// An input that leaves an object's content unchanged leaves its status.
func TestSkipDuplicatesKeepsStatus(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	b := keyed(t, storetest.OpenPath(t, path), `,"one":{"type":"text"},"many":{"type":"array","items":{"type":"text"}}`)
	const all = `"blobs":[{"property":"many","data":"data:,a"},{"property":"one","data":"data:,b"},{"property":"many","data":"data:,c"}]`
	first := storetest.Put(t, b, storetest.Input(t, `{"k":"x",`+all+`}`), "")
	for _, test := range []struct {
		in   string
		want bucketlite.Status
	}{
		{`{"k":"x","skip_duplicates":true,` + all + `}`, bucketlite.StatusCompleted},
		{`{"k":"x",` + all + `}`, bucketlite.StatusDraft},
		{`{"k":"x","n":1,"skip_duplicates":true,` + all + `}`, bucketlite.StatusDraft},
	} {
		for _, call := range []string{"Put", "Patch"} {
			storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE object SET status = 'COMPLETED'; "+storetest.Uncount)
			in := storetest.Input(t, test.in)
			var o *bucketlite.Object
			var err error
			if call == "Patch" {
				o, err = b.Patch(t.Context(), first.ID, in, nil)
			} else {
				o = storetest.Put(t, b, in, "")
			}
			want := test.want
			if strings.Contains(test.in, `"n"`) && call == "Patch" {
				want = bucketlite.StatusCompleted // Put has set the field already
			}
			if err != nil || o.Status != want {
				t.Errorf("%s with %s: got %s, %v, want %s", call, test.in, o.Status, err, want)
			}
		}
	}
}

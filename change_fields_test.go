package bucketlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// Fields exchange names, take over those of dropped ones, and move within objects. Their
// indexes follow, and find the object by each value.
func TestChangeSchemaFields(t *testing.T) {
	t.Parallel()
	type names = map[string]string
	const k = `{"properties":{"k":{"type":"string"},`
	for name, tt := range map[string]struct {
		from, to string
		rename   names
		drop     []string
		put      string
		after    string // "" if nothing was put
		indexes  string // the paths of value indexes before
		want     string // and afterwards
	}{
		"exchanged": {
			from: k + `"a":{"type":"string"},"b":{"type":"integer"}}}`, to: k + `"a":{"type":"integer"},"b":{"type":"string"}}}`,
			rename: names{"a": "b", "b": "a"}, put: `{"k":"a","a":"x","b":5}`, after: `{"a":5,"b":"x","k":"a"}`, indexes: "a", want: "b",
		},
		"in a row": {
			from: k + `"a":{"type":"string"},"b":{"type":"integer"}}}`, to: k + `"b":{"type":"string"},"c":{"type":"integer"}}}`,
			rename: names{"a": "b", "b": "c"}, put: `{"k":"a","a":"x","b":5}`, after: `{"b":"x","c":5,"k":"a"}`, indexes: "a b", want: "b c",
		},
		"onto a dropped name": {
			from: k + `"a":{"type":"string"},"b":{"type":"integer"}}}`, to: k + `"b":{"type":"string"}}}`,
			rename: names{"a": "b"}, drop: []string{"b"}, put: `{"k":"a","a":"x","b":5}`, after: `{"b":"x","k":"a"}`, indexes: "a b", want: "b",
		},
		"below renamed objects": {
			from:   k + `"o":{"type":"object","properties":{"l":{"type":"array","items":{"type":"object","properties":{"x":{"type":"integer"}}}}}}}}`,
			to:     k + `"p":{"type":"object","properties":{"m":{"type":"array","items":{"type":"object","properties":{"y":{"type":"integer"}}}}}}}}`,
			rename: names{"o": "p", "o.l": "o.m", "o.l.x": "o.l.y"}, put: `{"k":"a","o":{"u":1,"l":[{"x":2,"w":3},{"x":4}]}}`,
			after: `{"k":"a","p":{"m":[{"w":3,"y":2},{"y":4}],"u":1}}`, indexes: "o.l.x o.u", want: "p.m.y p.u",
		},
		"in inline data": {
			from:   k + `"o":{"type":"object","properties":{"a":{"type":"string"}}}}}`,
			to:     k + `"p":{"type":"object","properties":{"longer":{"type":"string"},"n":{"type":"integer","required":true,"default":7}}}}}`,
			rename: names{"o": "p", "o.a": "o.longer"}, put: `{"k":"a","blobs":[{"property":"o","data":{"a":"x"}}]}`,
			after: `{"k":"a","p":{"longer":"x","n":7}}`, indexes: "o.a", want: "p.longer",
		},
		"defaults beside inline data": {
			from: k + `"a":{"type":"string"},"b":{"type":"string"}}}`,
			to:   k + `"a":{"type":"string","required":true,"default":"d"},"b":{"type":"string","required":true,"default":"d"}}}`,
			put:  `{"k":"a","blobs":[{"property":"a","data":"x"}]}`, after: `{"a":"x","b":"d","k":"a"}`, indexes: "a b", want: "a b",
		},
		"of an empty bucket": {
			from: k + `"a":{"type":"string"},"b":{"type":"integer"},"c":{"type":"string"}}}`, to: k + `"b":{"type":"string"},"c":{"type":"string"}}}`,
			rename: names{"a": "b"}, drop: []string{"b"}, indexes: "a c", want: "b c",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: rawSchema(t, tt.from),
				UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}})
			if tt.put != "" {
				storetest.Put(t, b, storetest.Input(t, tt.put), "")
			}
			storetest.Ensure(t, b, strings.Fields(tt.indexes)...)
			if _, err := b.ChangeSchema(ctx, rawSchema(t, tt.to), &bucketlite.SchemaChangeOptions{Rename: tt.rename, Drop: tt.drop}); err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, path := range strings.Fields(tt.want) {
				want = append(want, "value "+path+" READY")
			}
			storetest.WantIndexes(t, b, want...)
			if tt.after != "" {
				for _, path := range strings.Fields(tt.want) {
					page, err := b.List(ctx, bucketlite.Query{Filter: bucketlite.Exists(path)})
					if err != nil || len(page.Results) != 1 || summary(t, b, page.Results[0]) != tt.after {
						t.Errorf("by %s: got %+v, %v, want %s", path, page, err, tt.after)
					}
				}
			}
			storetest.WantNoProblem(t, st)
			storetest.WantSound(t, path)
		})
	}
}

// A null where the new schema declares a field is named, so that it can be removed.
func TestChangeSchemaNulls(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Bucket(t, storetest.Open(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"o":{"type":"object"}`)})
	ids := map[string]string{
		"a null": storetest.Put(t, b, storetest.Input(t, `{"a":null}`), "").ID,
		"o null": storetest.Put(t, b, storetest.Input(t, `{"o":{"n":null}}`), "").ID,
	}
	want := storetest.Schema(t, `"a":{"type":"string"},"o":{"type":"object","properties":{"n":{"type":"string"}}}`)
	_, err := b.ChangeSchema(ctx, want, nil)
	var refused *bucketlite.SchemaChangeError
	if !errors.As(err, &refused) || refused.Count != 2 {
		t.Fatalf("got %v, want two objects that do not conform", err)
	}
	got := make(map[string]string)
	for _, o := range refused.Objects {
		got[o.Issues[0].Path+" "+o.Issues[0].Rule] = o.ID
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, id := range ids {
		if _, err := b.Patch(ctx, id, storetest.Input(t, `{"a":null,"o":{}}`), nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.ChangeSchema(ctx, want, nil); err != nil {
		t.Error(err)
	}
}

// The bytes of an upload are checked by the schema in force when they are written, and again
// when the upload is confirmed.
func TestChangeSchemaOfUploads(t *testing.T) {
	t.Parallel()
	const text = "too long"
	for name, write := range map[string]func(*testing.T, *bucketlite.Bucket) string{
		"written before": func(t *testing.T, b *bucketlite.Bucket) string {
			id := storetest.CreateUpload(t, b, storetest.DocUpload("a")).ID
			storetest.WriteUpload(t, b, id, text)
			return id
		},
		"created before": func(t *testing.T, b *bucketlite.Bucket) string {
			return storetest.CreateUpload(t, b, storetest.DocUpload("a")).ID
		},
		"shared": func(t *testing.T, b *bucketlite.Bucket) string {
			in := storetest.DocUpload("b")
			in.CreateObject = new(bool)
			first := storetest.CreateUpload(t, b, in).ID
			storetest.WriteUpload(t, b, first, text)
			storetest.ConfirmUpload(t, b, first)
			in = storetest.DocUpload("a")
			in.FileHash = storetest.HashOf(text)
			return storetest.CreateUpload(t, b, in).ID
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: storetest.Schema(t, `"k":{"type":"string"},"doc":{"type":"text"}`)})
			id := write(t, b)
			other := bucketOf(t, storetest.OpenPath(t, path, bucketlite.WithoutBackground(bucketlite.Options{})))
			if _, err := b.ChangeSchema(ctx, storetest.Schema(t, `"k":{"type":"string"},"doc":{"type":"text","maxLength":3}`), nil); err != nil {
				t.Fatal(err)
			}
			for _, h := range []*bucketlite.Bucket{b, other} {
				var err error
				if name == "created before" {
					_, err = h.WriteUpload(ctx, id, strings.NewReader(text))
				} else {
					_, err = h.ConfirmUpload(ctx, id, nil)
				}
				if !errors.Is(err, bucketlite.ErrInvalid) {
					t.Errorf("got %v, want ErrInvalid", err)
				}
			}
			if name != "shared" { // whose bytes were announced
				storetest.WriteUpload(t, b, id, "abc")
				storetest.ConfirmUpload(t, b, id)
			}
			storetest.WantNoProblem(t, st)
		})
	}
}

// An upload is refused if a field that it names has another name, or none, when it is
// confirmed; and if another field has taken over the name.
func TestChangeSchemaOfUploadedNames(t *testing.T) {
	t.Parallel()
	type change struct {
		to     string
		rename map[string]string
		drop   []string
	}
	fields := func(names ...string) string {
		text := `"doc":{"type":"text"}`
		for _, name := range names {
			text += `,"` + name + `":{"type":"string"}`
		}
		return text
	}
	object := func(name string) string {
		return `"doc":{"type":"text"},"o":{"type":"object","properties":{"` + name + `":{"type":"string"}}}`
	}
	for name, tt := range map[string]struct {
		from     string
		changes  []change
		metadata map[string]any
		want     string // in the error
	}{
		"exchanged":           {fields("a", "b"), []change{{fields("a", "b"), map[string]string{"a": "b", "b": "a"}, nil}}, map[string]any{"a": "x"}, `version 2 renamed "a" to "b"`},
		"onto a dropped name": {fields("a", "b"), []change{{fields("b"), map[string]string{"a": "b"}, []string{"b"}}}, map[string]any{"b": "x"}, `version 2 dropped "b"`},
		"onto an undeclared name": {fields("a"), []change{{fields("b"), map[string]string{"a": "b"}, nil}}, map[string]any{"b": "x"},
			`version 2 renamed "a" to "b"`},
		"within an object": {object("a"), []change{{object("b"), map[string]string{"o.a": "o.b"}, nil}}, map[string]any{"o": map[string]any{"a": "x"}},
			`version 2 renamed "o.a" to "o.b"`},
		"and back": {fields("a"), []change{{fields("b"), map[string]string{"a": "b"}, nil}, {fields("a"), map[string]string{"b": "a"}, nil}},
			map[string]any{"a": "x"}, ""},
		"another field": {fields("a", "b"), []change{{fields("a"), nil, []string{"b"}}}, map[string]any{"a": "x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: storetest.Schema(t, tt.from)})
			u := storetest.CreateUpload(t, b, bucketlite.UploadInput{Filename: "doc.txt", ContentType: "text/plain", ObjectMetadata: tt.metadata})
			storetest.WriteUpload(t, b, u.ID, "text")
			for _, c := range tt.changes {
				if _, err := b.ChangeSchema(ctx, storetest.Schema(t, c.to), &bucketlite.SchemaChangeOptions{Rename: c.rename, Drop: c.drop}); err != nil {
					t.Fatal(err)
				}
			}
			_, err := b.ConfirmUpload(ctx, u.ID, nil)
			if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, bucketlite.ErrConflict) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			storetest.WantNoProblem(t, st)
			storetest.WantSound(t, path)
		})
	}
}

// A change is refused if it makes an object longer than the store allows.
func TestChangeSchemaLimit(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Bucket(t, storetest.Open(t, &bucketlite.Options{MaxObjectBytes: 1 << 10}), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"a":{"type":"string"}`)})
	id := storetest.Put(t, b, storetest.Input(t, `{"a":"`+strings.Repeat("x", 1000)+`"}`), "").ID
	to := storetest.Schema(t, `"a":{"type":"string"},"b":{"type":"string","required":true,"default":"`+strings.Repeat("y", 100)+`"}`)
	for _, dry := range []bool{true, false} {
		_, err := b.ChangeSchema(ctx, to, &bucketlite.SchemaChangeOptions{DryRun: dry})
		var refused *bucketlite.SchemaChangeError
		if !errors.As(err, &refused) || refused.Count != 1 || refused.Objects[0].ID != id || refused.Objects[0].Issues[0].Rule != "size" {
			t.Errorf("dry run %t: got %v, want the object's size", dry, err)
		}
	}
}

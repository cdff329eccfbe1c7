package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// rawSchema parses a schema.
func rawSchema(t testing.TB, text string) bucketlite.Schema {
	t.Helper()
	s, err := bucketlite.ParseSchema([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each change is made by one handle, and tried by another one in the same process, by one
// in another process, and by a new one.
func TestChangeSchema(t *testing.T) {
	t.Parallel()
	const keyed = `{"properties":{"k":{"type":"string"},"v":{"type":"string"},"n":{"type":"integer"},"doc":{"type":"text"}}}`
	const closed = `{"additionalProperties":false,"properties":{"k":{"type":"string"},"v":{"type":"string"}}}`
	for name, tt := range map[string]struct {
		from, to string
		opts     bucketlite.SchemaChangeOptions
		effect   bucketlite.SchemaEffect
		put      string   // before the change
		after    string   // the object with the key "a" afterwards
		taken    []string // what is taken afterwards
		refused  []string // what is refused
	}{
		"a new field of a closed schema": {
			from: closed, to: `{"additionalProperties":false,"properties":{"k":{"type":"string"},"v":{"type":"string"},"w":{"type":"integer"}}}`,
			effect: bucketlite.EffectLoosens, put: `{"k":"a","v":"x"}`, after: `{"k":"a","v":"x"}`,
			taken: []string{`{"k":"b","w":5}`}, refused: []string{`{"k":"b","w":"five"}`},
		},
		"a wider type": {
			from: keyed, to: `{"properties":{"k":{"type":"string"},"v":{"type":"string"},"n":{"type":"number"},"doc":{"type":"text"}}}`,
			effect: bucketlite.EffectLoosens, put: `{"k":"a","n":5}`, after: `{"k":"a","n":5}`, taken: []string{`{"k":"b","n":1.5}`},
		},
		"a new field": {
			from: keyed, to: `{"properties":{"k":{"type":"string"},"v":{"type":"string"},"n":{"type":"integer"},"doc":{"type":"text"},"w":{"type":"integer"}}}`,
			effect: bucketlite.EffectTightens, put: `{"k":"a","w":7}`, after: `{"k":"a","w":7}`, refused: []string{`{"k":"b","w":"five"}`},
		},
		"a required field": {
			from: keyed, to: `{"properties":{"k":{"type":"string"},"v":{"type":"string","required":true},"n":{"type":"integer"},"doc":{"type":"text"}}}`,
			effect: bucketlite.EffectTightens, put: `{"k":"a","v":"x"}`, after: `{"k":"a","v":"x"}`, refused: []string{`{"k":"b"}`},
		},
		"a narrower type": {
			from: keyed, to: `{"properties":{"k":{"type":"string"},"v":{"type":"date"},"n":{"type":"integer"},"doc":{"type":"text"}}}`,
			effect: bucketlite.EffectRewrites, put: `{"k":"a","v":"2024-05-06"}`, after: `{"k":"a","v":"2024-05-06"}`, refused: []string{`{"k":"b","v":"x"}`},
		},
		"a renamed field": {
			from: keyed, to: `{"properties":{"k":{"type":"string"},"value":{"type":"string"},"n":{"type":"integer"},"doc":{"type":"text"}}}`,
			opts: bucketlite.SchemaChangeOptions{Rename: map[string]string{"v": "value"}}, effect: bucketlite.EffectRewrites,
			put: `{"k":"a","v":"x"}`, after: `{"k":"a","value":"x"}`, refused: []string{`{"k":"b","value":5}`},
		},
		"a renamed file": {
			from: keyed, to: `{"properties":{"k":{"type":"string"},"v":{"type":"string"},"n":{"type":"integer"},"text":{"type":"text"}}}`,
			opts: bucketlite.SchemaChangeOptions{Rename: map[string]string{"doc": "text"}}, effect: bucketlite.EffectRewrites,
			put:   `{"k":"a","blobs":[{"property":"doc","data":"data:text/plain,abc"},{"property":"v","data":"inline"}]}`,
			after: `{"k":"a","v":"inline"} text=data:text/plain,abc`, refused: []string{`{"k":"b","blobs":[{"property":"doc","data":"data:text/plain,abc"}]}`},
		},
		"a dropped field": {
			from: keyed, to: `{"properties":{"k":{"type":"string"},"v":{"type":"string"},"doc":{"type":"text"}}}`,
			opts: bucketlite.SchemaChangeOptions{Drop: []string{"n"}}, effect: bucketlite.EffectRewrites,
			put: `{"k":"a","n":5,"v":"x"}`, after: `{"k":"a","v":"x"}`, taken: []string{`{"k":"b","n":"undeclared"}`},
		},
		"a dropped file": {
			from: keyed, to: `{"properties":{"k":{"type":"string"},"v":{"type":"string"},"n":{"type":"integer"}}}`,
			opts: bucketlite.SchemaChangeOptions{Drop: []string{"doc"}}, effect: bucketlite.EffectRewrites,
			put: `{"k":"a","blobs":[{"property":"doc","data":"data:text/plain,abc"}]}`, after: `{"k":"a"}`,
		},
		"a default": {
			from: keyed, to: `{"properties":{"k":{"type":"string"},"v":{"type":"string","required":true,"default":"none"},"n":{"type":"integer"},"doc":{"type":"text"}}}`,
			effect: bucketlite.EffectRewrites, put: `{"k":"a"}`, after: `{"k":"a","v":"none"}`, taken: []string{`{"k":"b"}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path)
			b := storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: rawSchema(t, tt.from),
				UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}})
			before := storetest.Put(t, b, storetest.Input(t, tt.put), "")
			other := storetest.OpenPath(t, path, bucketlite.WithoutBackground(bucketlite.Options{}))
			handles := map[string]*bucketlite.Bucket{"the same": b, "of another process": bucketOf(t, other), "another": bucketOf(t, st)}

			dry := tt.opts
			dry.DryRun = true
			if got, err := b.ChangeSchema(ctx, rawSchema(t, tt.to), &dry); err != nil || got.Version != 2 || got.Effect != tt.effect || got.TaskID != "" {
				t.Errorf("dry run: got %+v, %v, want version 2, %s", got, err, tt.effect)
			}
			got, err := b.ChangeSchema(ctx, rawSchema(t, tt.to), &tt.opts)
			if err != nil || got.Version != 2 || got.Effect != tt.effect || (got.TaskID == "") != (tt.effect == bucketlite.EffectLoosens) {
				t.Fatalf("got %+v, %v, want version 2, %s", got, err, tt.effect)
			}
			handles["a new"] = bucketOf(t, st)
			for name, h := range handles {
				o, err := h.ObjectByKey(ctx, map[string]any{"k": "a"})
				if err != nil {
					t.Fatal(err)
				}
				if got := summary(t, h, o); got != tt.after {
					t.Errorf("%s handle: got %s, want %s", name, got, tt.after)
				}
				if o.ID != before.ID || o.Version != before.Version || !o.UpdatedAt.Equal(before.UpdatedAt) || !o.CreatedAt.Equal(before.CreatedAt) {
					t.Errorf("%s handle: got %+v, want the id, times and version of %+v", name, o, before)
				}
				for _, text := range tt.taken {
					if _, err := h.Put(ctx, storetest.Input(t, text), nil); err != nil {
						t.Errorf("%s handle: put %s: %v", name, text, err)
					}
				}
				for _, text := range tt.refused {
					if _, err := h.Put(ctx, storetest.Input(t, text), nil); !errors.Is(err, bucketlite.ErrInvalid) {
						t.Errorf("%s handle: put %s: got %v, want ErrInvalid", name, text, err)
					}
				}
				info, err := h.Info(ctx)
				if err != nil || info.SchemaVersion != 2 || info.UniqueKey == nil {
					t.Errorf("%s handle: got %+v, %v, want schema version 2", name, info, err)
				}
			}
			storetest.WantNoProblem(t, st)
			storetest.WantNoProblem(t, other)
			storetest.Eventually(func() bool {
				return storetest.Dump(t, storetest.OpenRaw(t, path), "SELECT count(*) FROM old_partitions") == "0\n"
			})
			storetest.WantSound(t, path)
		})
	}
}

// bucketOf returns a new handle on the bucket "objects".
func bucketOf(t testing.TB, st *bucketlite.Store) *bucketlite.Bucket {
	t.Helper()
	b, err := storetest.Namespace(t, st).Bucket(context.Background(), "objects")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// summary returns an object's fields as JSON, its inline data among them, and then the
// contents of its blobs.
func summary(t testing.TB, b *bucketlite.Bucket, o *bucketlite.Object) string {
	t.Helper()
	fields := maps.Clone(o.Fields)
	var blobs strings.Builder
	for _, blob := range o.Blobs {
		if data, ok := blob.Properties["data"]; ok {
			fields[blob.Property] = data
			continue
		}
		data, err := storetest.ReadBlob(b, o.ID, blob.Property)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&blobs, " %s=data:text/plain,%s", blob.Property, data)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + blobs.String()
}

package bucketlite_test

import (
	"context"
	"errors"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// An update changes the schema together with the rest, whether that takes a task or not, or
// changes nothing.
func TestUpdateSchema(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const from = `{"additionalProperties":false,"properties":{"k":{"type":"string"},"v":{"type":"string"}}}`
	for name, tt := range map[string]struct {
		to      string
		opts    *bucketlite.SchemaChangeOptions
		rename  string // of the bucket
		put     string
		refused error
		version int64 // afterwards
	}{
		"loosens":  {to: `{"additionalProperties":false,"properties":{"k":{"type":"string"},"v":{"type":"string"},"w":{"type":"date"}}}`, put: `{"k":"a"}`, version: 2},
		"tightens": {to: `{"additionalProperties":false,"properties":{"k":{"type":"string"},"v":{"type":"string","maxLength":3}}}`, put: `{"k":"a","v":"abc"}`, version: 2},
		"rewrites": {to: `{"additionalProperties":false,"properties":{"k":{"type":"string"},"w":{"type":"string"}}}`,
			opts: &bucketlite.SchemaChangeOptions{Rename: map[string]string{"v": "w"}}, put: `{"k":"a","v":"abc"}`, version: 2},
		"equal": {to: from, put: `{"k":"a"}`, version: 1},
		"an object that does not conform": {to: `{"additionalProperties":false,"properties":{"k":{"type":"string"},"v":{"type":"string","maxLength":3}}}`,
			put: `{"k":"a","v":"abcd"}`, refused: bucketlite.ErrInvalid, version: 1},
		"a missing field": {to: `{"additionalProperties":false,"properties":{"k":{"type":"string"}}}`, put: `{"k":"a"}`, refused: bucketlite.ErrInvalid, version: 1},
		"a taken name": {to: `{"additionalProperties":false,"properties":{"k":{"type":"string"},"v":{"type":"string","maxLength":3}}}`,
			rename: "other", put: `{"k":"a"}`, refused: bucketlite.ErrExists, version: 1},
		"the expected version": {to: `{"properties":{"k":{"type":"string"},"v":{"type":"string"}}}`, opts: &bucketlite.SchemaChangeOptions{IfVersion: 1},
			put: `{"k":"a"}`, version: 2},
		"another version": {to: `{"properties":{"k":{"type":"string"},"v":{"type":"string"}}}`, opts: &bucketlite.SchemaChangeOptions{IfVersion: 2},
			put: `{"k":"a"}`, refused: bucketlite.ErrConflict, version: 1},
		"a dry run": {to: `{"properties":{"k":{"type":"string"},"v":{"type":"string"}}}`, opts: &bucketlite.SchemaChangeOptions{DryRun: true}, put: `{"k":"a"}`, version: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := storetest.OpenMemory(t)
			config := bucketlite.BucketConfig{Name: "before", Schema: rawSchema(t, from), UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}}
			b := storetest.Bucket(t, st, config)
			config.Name = "other"
			storetest.Bucket(t, st, config)
			if _, err := b.Put(ctx, parsedInput(t, tt.put), nil); err != nil {
				t.Fatal(err)
			}
			next := rawSchema(t, tt.to)
			u := bucketlite.BucketUpdate{Name: new("after"), Description: new("d"), Metadata: map[string]any{"m": "v"}, Schema: &next, SchemaOptions: tt.opts}
			if tt.rename != "" {
				u.Name = &tt.rename
			}
			_, err := b.Update(ctx, u)
			if !errors.Is(err, tt.refused) {
				t.Fatalf("got %v, want %v", err, tt.refused)
			}
			info, err := b.Info(ctx)
			if err != nil {
				t.Fatal(err)
			}
			name, description, metadata := "after", "d", "v"
			if tt.refused != nil || tt.opts != nil && tt.opts.DryRun {
				name, description, metadata = "before", "", ""
			}
			if got, _ := info.Metadata["m"].(string); info.Name != name || info.Description != description || got != metadata || info.SchemaVersion != tt.version {
				t.Errorf("got %q, %q, %q, version %d, want %q, %q, %q, version %d",
					info.Name, info.Description, got, info.SchemaVersion, name, description, metadata, tt.version)
			}
		})
	}
}

// An archived bucket can be renamed, but its schema cannot be changed.
func TestUpdateSchemaArchived(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	same := rawSchema(t, `{"properties":{"k":{"type":"string"}}}`)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "b", Schema: same})
	if err := b.Archive(ctx); err != nil {
		t.Fatal(err)
	}
	if info, err := b.Update(ctx, bucketlite.BucketUpdate{Name: new("c"), Schema: &same}); err != nil || info.Name != "c" {
		t.Errorf("an equal schema: got %v", err)
	}
	next := rawSchema(t, `{"properties":{"k":{"type":"string","description":"d"}}}`)
	if _, err := b.Update(ctx, bucketlite.BucketUpdate{Name: new("d"), Schema: &next}); !errors.Is(err, bucketlite.ErrNotActive) {
		t.Errorf("another schema: got %v, want ErrNotActive", err)
	}
	if info, err := b.Info(ctx); err != nil || info.Name != "c" {
		t.Errorf("got name %q, %v, want c", info.Name, err)
	}
}

func parsedInput(t testing.TB, text string) bucketlite.ObjectInput {
	t.Helper()
	var in bucketlite.ObjectInput
	if err := in.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return in
}

package bucketlite_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/google/go-cmp/cmp"
)

func TestCompareSchema(t *testing.T) {
	t.Parallel()
	info := &bucketlite.BucketInfo{
		SchemaVersion: 3,
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"sku": {Type: bucketlite.String}, "name": {Type: bucketlite.String}, "price": {Type: bucketlite.Integer},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}},
	}
	next := bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"sku": {Type: bucketlite.String}, "title": {Type: bucketlite.String}, "price": {Type: bucketlite.Number},
	}}
	got, err := info.CompareSchema(next, &bucketlite.SchemaChangeOptions{Rename: map[string]string{"name": "title"}})
	if err != nil {
		t.Fatal(err)
	}
	want := &bucketlite.SchemaChange{Version: 4, Effect: bucketlite.EffectRewrites, Fields: []bucketlite.FieldChange{
		{Path: "price", Effect: bucketlite.EffectLoosens, Message: "type: integer to number"},
		{Path: "title", Effect: bucketlite.EffectRewrites, Message: `renamed from "name"`},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	same, err := info.CompareSchema(info.Schema, nil)
	if err != nil || same.Effect != bucketlite.EffectNone || same.Version != 3 || len(same.Fields) > 0 {
		t.Errorf("the same schema: got %+v, %v", same, err)
	}
}

func TestCompareSchemaInvalid(t *testing.T) {
	t.Parallel()
	info := &bucketlite.BucketInfo{
		Schema:    bucketlite.Schema{Properties: map[string]bucketlite.Field{"sku": {Type: bucketlite.String}, "name": {Type: bucketlite.String}}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}},
	}
	for _, tt := range []struct {
		name string
		next bucketlite.Schema
		opts *bucketlite.SchemaChangeOptions
		want []string // paths and rules
	}{
		{"a faulty schema", bucketlite.Schema{Properties: map[string]bucketlite.Field{"sku": {Type: "strnig"}}}, nil,
			[]string{"properties.sku.type type"}},
		{"a missing field", bucketlite.Schema{Properties: map[string]bucketlite.Field{"sku": {Type: bucketlite.String}}}, nil,
			[]string{"name missing"}},
		{"a key field with a default", bucketlite.Schema{Properties: map[string]bucketlite.Field{"sku": {Type: bucketlite.String, Default: "x"}, "name": {Type: bucketlite.String}}},
			nil, []string{"properties.sku.default key"}},
		{"a dropped field that stays", info.Schema, &bucketlite.SchemaChangeOptions{Drop: []string{"name"}}, []string{"name drop"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := info.CompareSchema(tt.next, tt.opts)
			var invalid *bucketlite.ValidationError
			if !errors.As(err, &invalid) || !errors.Is(err, bucketlite.ErrInvalid) {
				t.Fatalf("got %v, want a *ValidationError", err)
			}
			var got []string
			for _, issue := range invalid.Issues {
				got = append(got, issue.Path+" "+issue.Rule)
			}
			if slices.Sort(got); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

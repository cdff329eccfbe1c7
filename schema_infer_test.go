package bucketlite_test

import (
	"bytes"
	"errors"
	"iter"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/bucketlite/bucketlite/internal/value"
)

// samplesOf returns the lines of a text as samples, then an error unless it is nil.
func samplesOf(t *testing.T, text []byte, last error) iter.Seq2[map[string]any, error] {
	return func(yield func(map[string]any, error) bool) {
		for line := range bytes.Lines(text) {
			doc, err := value.Parse(line, value.Limits{})
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if !yield(doc.(map[string]any), nil) {
				return
			}
		}
		if last != nil {
			yield(nil, last)
		}
	}
}

// A bucket with the schema inferred from real data takes all of the data.
func TestInferSchemaOfOpenData(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("examples/quickstart/data/items.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	found, err := bucketlite.InferSchema(samplesOf(t, text, nil), &bucketlite.InferOptions{Enums: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Keys) == 0 || found.Keys[0].Field != "mediaid" {
		t.Fatalf("got keys %v, want mediaid first", found.Keys)
	}
	for name, want := range map[string]bucketlite.FieldType{
		"mediaid": bucketlite.String, "duration": bucketlite.Integer, "tags": bucketlite.Array, "title": bucketlite.String,
	} {
		if got := found.Schema.Properties[name].Type; got != want {
			t.Errorf("%s: got type %q, want %q", name, got, want)
		}
	}
	if f := found.Schema.Properties["mediatype"]; !f.Required || len(f.Enum) != 2 {
		t.Errorf("mediatype: got %+v, want a required field with an enum of 2", f)
	}
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{
		Name: "items", Schema: found.Schema, UniqueKey: &bucketlite.UniqueKey{Fields: []string{"mediaid"}, DefaultPolicy: bucketlite.Insert},
	})
	var inputs []bucketlite.ObjectInput
	for line := range bytes.Lines(text) {
		inputs = append(inputs, storetest.Input(t, string(line)))
	}
	result, err := b.PutMany(t.Context(), inputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Failed {
		t.Errorf("line %d: %v", f.Index+1, f.Err)
	}
	if int64(len(inputs)) != found.Samples {
		t.Errorf("got %d samples, want %d", found.Samples, len(inputs))
	}
}

// Inputs with blobs conform to their schema, too.
func TestInferSchemaOfBlobs(t *testing.T) {
	t.Parallel()
	const text = `{"object_id": "a", "key_prefix": "x", "name": "A", "blobs": [{"property": "photo", "data": "https://example.com/a.jpg"}, {"property": "size", "type": "integer", "data": 5}]}
{"object_id": "b", "name": "B", "blobs": [{"property": "photo", "type": "image", "data": {"url": "s3://bucket/b"}}, {"property": "photo", "data": "https://example.com/c.png"}]}`
	found, err := bucketlite.InferSchema(samplesOf(t, []byte(text), nil), &bucketlite.InferOptions{MinSamples: 1})
	if err != nil {
		t.Fatal(err)
	}
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Name: "items", Schema: found.Schema})
	for line := range strings.Lines(text) {
		if err := b.Validate(t.Context(), storetest.Input(t, line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestInferSchemaRefuses(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken line")
	one := []byte(`{"a": 1}`)
	odd := func(v any) iter.Seq2[map[string]any, error] {
		return func(yield func(map[string]any, error) bool) { yield(map[string]any{"a": v}, nil) }
	}
	for _, test := range []struct {
		name    string
		samples iter.Seq2[map[string]any, error]
		opts    *bucketlite.InferOptions
		want    error
	}{
		{"no sample", samplesOf(t, nil, nil), nil, bucketlite.ErrBadRequest},
		{"an error after a sample", samplesOf(t, one, broken), nil, broken},
		{"too few samples asked for", samplesOf(t, one, nil), &bucketlite.InferOptions{MinSamples: -1}, bucketlite.ErrBadRequest},
		{"not a number", odd(math.NaN()), nil, bucketlite.ErrInvalid},
		{"no UTF-8", odd("\xff"), nil, bucketlite.ErrInvalid},
		{"no JSON form", odd(func() {}), nil, bucketlite.ErrInvalid},
		{"too large", odd(strings.Repeat("x", 17<<20)), nil, bucketlite.ErrTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if found, err := bucketlite.InferSchema(test.samples, test.opts); !errors.Is(err, test.want) {
				t.Errorf("got %+v, %v, want %v", found, err, test.want)
			}
		})
	}
}

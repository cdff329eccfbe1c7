package infer

import (
	"bytes"
	"maps"
	"testing"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Every sample conforms to the schema that was made from it, and a candidate for a key
// is one.
func FuzzConform(f *testing.F) {
	for _, text := range []string{
		"{\"a\":1}\n{\"a\":1.5}",
		"{\"a\":[{\"b\":null}]}\n{\"a\":[null]}\n{\"a\":{}}",
		"{\"a\":\"2024-01-01\"}\n{\"a\":\"2024-01-01T00:00Z\"}\n{\"b\":\"x\"}\n{\"b\":\"x\"}",
		"{\"a.b\":1,\"\":2,\"c\":{\"\":1,\"status\":true}}",
		"{\"a\":true}\n{\"a\":\"\"}\n{\"a\":null}",
		"{\"a\":99999999999999999999}\n{\"a\":-0}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := New(Options{MinSamples: 2, Enums: true})
		var docs []map[string]any
		for line := range bytes.Lines(text) {
			v, err := value.Parse(line, value.Limits{})
			doc, ok := v.(map[string]any)
			if err != nil || !ok {
				continue
			}
			maps.DeleteFunc(doc, func(name string, _ any) bool { return schema.IsReserved(name) })
			docs = append(docs, doc)
			s.Add(doc)
		}
		r := s.Result()
		plan, faults := schema.Compile(r.Schema)
		if len(faults) > 0 {
			t.Fatalf("the schema has faults: %v", faults)
		}
		for _, doc := range docs {
			var v schema.Validation
			if plan.Validate(&v, nil, doc, nil); v.Any() {
				t.Errorf("%s does not conform to %s: %v", value.Append(nil, doc), value.Append(nil, r.Schema), v.List)
			}
		}
		for _, k := range r.Keys {
			var v schema.Validation
			key := plan.CompileKey([]string{k.Field}, nil, v.Add)
			seen := make(map[string]bool)
			for _, doc := range docs {
				encoded := string(key.Encode(&v, doc))
				if encoded == "" || seen[encoded] || v.Any() {
					t.Errorf("key %q: %s has an unfit or a known value: %v", k.Field, value.Append(nil, doc), v.List)
				}
				seen[encoded] = true
			}
		}
	})
}

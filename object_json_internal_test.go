package bucketlite

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// The form that is written member by member is the one that is made of a map, and an object
// that has a fault gets none.
func TestSoundForm(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 4, 3, 2, 1, 123456000, time.FixedZone("", 3600))
	nested := func(depth int) (v any) {
		for range depth {
			v = []any{v}
		}
		return v
	}
	deepest := objectFormLimits.MaxDepth
	sound := map[string]Object{
		"zero":   {CreatedAt: at, UpdatedAt: at},
		"system": {ID: "obj_1", BucketID: "bkt_1", KeyPrefix: "/a/\"b\"", Error: "broken\n", Status: StatusFailed, CreatedAt: at, UpdatedAt: at.UTC(), ExpiresAt: at, Version: 7, Size: 12},
		"fields": {CreatedAt: at, UpdatedAt: at, Size: 1 << 40, Fields: map[string]any{"": nil, "a": 1, "z": json.Number("1.50"), "blob": []any(nil), "blobsx": map[string]any(nil),
			"größe": 2.0, "\"": "<&>\u2028", "list": []any{1, "two", map[string]any{"b": 1, "a": false}}}},
		"Go values": {CreatedAt: at, UpdatedAt: at, Fields: map[string]any{"t": at, "s": []string{"a"}, "raw": json.RawMessage(`{"b":1,"a":[]}`), "p": new(3), "f": float32(0.1)}},
		"blobs":     {CreatedAt: at, UpdatedAt: at, Blobs: []Blob{{ID: "b", Property: "p", Type: Text, Properties: map[string]any{"data": "x", "n": json.Number("1e5")}}, {}}},
		"no blobs":  {CreatedAt: at, UpdatedAt: at, Blobs: []Blob{}},
		"many":      {CreatedAt: at, UpdatedAt: at, Fields: map[string]any{}},
		"deep":      {CreatedAt: at, UpdatedAt: at, Fields: map[string]any{"a": nested(deepest - 1)}},
	}
	for i := range 100 {
		sound["many"].Fields[strings.Repeat("x", i)] = i
	}
	for name, o := range sound {
		want, err := o.marshal()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, ok := o.appendSound([]byte("before"))
		if !ok || string(got) != "before"+string(want) {
			t.Errorf("%s: got %s, %t, want %s", name, got, ok, want)
		}
		if text, err := o.MarshalJSON(); err != nil || string(text) != string(want) {
			t.Errorf("%s: MarshalJSON: got %s, %v, want %s", name, text, err, want)
		}
	}
	faults := map[string]Object{
		"id":          {ID: "\xff", CreatedAt: at, UpdatedAt: at},
		"error":       {Error: "a\x00", CreatedAt: at, UpdatedAt: at},
		"key prefix":  {KeyPrefix: "\xff", CreatedAt: at, UpdatedAt: at},
		"time":        {CreatedAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), UpdatedAt: at},
		"expiry":      {CreatedAt: at, UpdatedAt: at, ExpiresAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"field":       {CreatedAt: at, UpdatedAt: at, Fields: map[string]any{"a": math.NaN()}},
		"name":        {CreatedAt: at, UpdatedAt: at, Fields: map[string]any{"\xff": 1}},
		"bytes":       {CreatedAt: at, UpdatedAt: at, Fields: map[string]any{"a": []byte("x")}},
		"too deep":    {CreatedAt: at, UpdatedAt: at, Fields: map[string]any{"a": nested(deepest)}},
		"deep blob":   {CreatedAt: at, UpdatedAt: at, Blobs: []Blob{{Properties: map[string]any{"data": nested(deepest)}}}},
		"faulty blob": {CreatedAt: at, UpdatedAt: at, Blobs: []Blob{{Properties: map[string]any{"a": func() {}}}}},
	}
	for name, o := range faults {
		if got, ok := o.appendSound(nil); ok {
			t.Errorf("%s: got %.200s, want no form", name, got)
		}
		if text, err := o.MarshalJSON(); err == nil {
			t.Errorf("%s: got %.200s, want an error", name, text)
		}
	}
	// A field of a system member's name counts only where the object has no such member.
	o := Object{CreatedAt: at, UpdatedAt: at, Fields: map[string]any{"error": "a field", "status": "another"}}
	if _, ok := o.appendSound(nil); ok {
		t.Error("a field of a system member's name: got a form, want none")
	}
	text, err := o.MarshalJSON()
	if err != nil || !strings.Contains(string(text), `"error":"a field"`) || strings.Contains(string(text), "another") {
		t.Errorf("a field of a system member's name: got %s, %v", text, err)
	}
}

func BenchmarkObjectForm(b *testing.B) {
	at := time.Date(2026, 5, 4, 3, 2, 1, 123456000, time.UTC)
	o := Object{ID: "obj_01M8PQABYHGJYZEQTSQTZN8ZB9", BucketID: "bkt_01M8PQABXZRV77BFHX0X04FXCQ", Status: StatusDraft, CreatedAt: at, UpdatedAt: at, Size: 396, Fields: map[string]any{
		"sku": "sku-000012345", "title": "Red sneaker number 12345 with a rather long title", "body": strings.Repeat("9f6b2c7d1a3e5f80 ", 6), "category": "shoes",
		"price": json.Number("481.75"), "stock": json.Number("317"), "active": true, "released": "2024-05-06", "updated": "2024-05-06T07:08:09Z",
		"publisher": "The Acme Publishing Company of Springfield",
	}}
	for name, form := range map[string]func() ([]byte, error){"by member": o.MarshalJSON, "by map": o.marshal} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := form(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

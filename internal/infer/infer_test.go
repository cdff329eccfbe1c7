package infer

import (
	"encoding/json"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
	"github.com/google/go-cmp/cmp"
)

// samples returns the result of samples, given as JSON.
func samples(t *testing.T, opts Options, docs ...string) Result {
	t.Helper()
	s := New(opts)
	for _, text := range docs {
		doc, err := value.Parse([]byte(text), value.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		s.Add(doc.(map[string]any))
	}
	r := s.Result()
	if _, faults := schema.Compile(r.Schema); len(faults) > 0 {
		t.Errorf("the schema has faults: %v", faults)
	}
	return r
}

// properties returns the schema's fields as JSON.
func properties(r Result) string { return string(value.Append(nil, r.Schema["properties"])) }

func TestTypes(t *testing.T) {
	t.Parallel()
	array := func(of string) string {
		return `{"f":{"items":{"type":"` + of + `"},"type":"array"}}`
	}
	only := func(of string) string { return `{"f":{"type":"` + of + `"}}` }
	const none = `{}`
	for _, test := range []struct {
		name, values, want string
	}{
		{"integers", `1 -5 9223372036854775807`, only("integer")},
		{"integer and fraction", `1 2.5`, only("number")},
		{"fraction that is zero", `1.0 2.0`, only("number")},
		{"exponent", `1e3`, only("number")},
		{"beyond 64 bits", `1 9223372036854775808`, only("number")},
		{"booleans", `true false`, only("boolean")},
		{"strings", `"a" ""`, only("string")},
		{"digits in a string", `"5" "6"`, only("string")},
		{"dates", `"2024-02-29" "0001-01-01"`, only("date")},
		{"no such day", `"2024-02-29" "2023-02-29"`, only("string")},
		{"datetimes", `"2024-03-18T09:26:53.5Z" "2024-03-18T09:26" "2024-03-18T09:26+0530"`, only("datetime")},
		{"times with spaces", `"2024-03-18 09:26:53-05"`, only("string")},
		{"leap second", `"2016-12-31T23:59:60Z"`, only("string")},
		{"date and datetime", `"2024-03-18" "2024-03-18T09:26:53Z"`, only("string")},
		{"date and text", `"2024-03-18" "soon"`, only("string")},
		{"null and a value", `null 5`, only("integer")},
		{"nulls", `null null`, none},
		{"string and number", `"a" 5`, none},
		{"boolean and number", `true 1`, none},
		{"object and array", `{} []`, none},
		{"arrays", `[1] [2,3] []`, array("integer")},
		{"empty arrays", `[] []`, `{"f":{"type":"array"}}`},
		{"array of mixed items", `[1,"a"]`, `{"f":{"type":"array"}}`},
		{"items widen", `[1] [2.5]`, array("number")},
		{"array with null", `[1,null]`, none},
		{"only null in an array", `[null]`, none},
		{"arrays of arrays", `[[1],[]] [[2]]`, `{"f":{"items":{"items":{"type":"integer"},"type":"array"},"type":"array"}}`},
		{"null in an inner array", `[[1,null]]`, `{"f":{"type":"array"}}`},
		{"objects", `{"a":1} {"b":"x"}`, `{"f":{"properties":{"a":{"type":"integer"},"b":{"type":"string"}},"type":"object"}}`},
		{"empty object", `{}`, `{"f":{"type":"object"}}`},
		{"mixed member", `{"a":1} {"a":"x"}`, `{"f":{"type":"object"}}`},
		{"reserved name inside", `{"status":1}`, `{"f":{"properties":{"status":{"type":"integer"}},"type":"object"}}`},
		{"name with a dot inside", `{"a.b":1}`, `{"f":{"type":"object"}}`},
		{"objects in arrays", `[{"a":1}] [{"a":2},{}]`, `{"f":{"items":{"properties":{"a":{"type":"integer"}},"type":"object"},"type":"array"}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var docs []string
			for v := range strings.SplitSeq(test.values, " ") {
				docs = append(docs, `{"f":`+v+`}`)
			}
			if strings.Contains(test.values, "09:26:53-05") {
				docs = []string{`{"f":` + test.values + `}`}
			}
			if got := properties(samples(t, Options{MinSamples: 100}, docs...)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestTextTypes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, cells, want string
	}{
		{"integers", "1,-5,0,9223372036854775807", "integer"},
		{"fractions", "9.99,19.50,3", "number"},
		{"exponents", "1.5e3,1e-05,2E+20", "number"},
		{"postal codes", "80331,01067", "string"},
		{"telephone numbers", "+4989,+4930", "string"},
		{"account numbers", "12345678901234567890", "string"},
		{"codes with an e", "12e4,17e9", "string"},
		{"grouped digits", "1,000;2", "string"},
		{"spaces", " 5", "string"},
		{"not a number", "1.5,NaN", "string"},
		{"booleans", "true,false", "boolean"},
		{"boolean and number", "true,1", "string"},
		{"other words", "yes,no", "string"},
		{"dates", "2024-01-31,2024-02-01", "date"},
		{"datetimes", "2024-01-31T10:00Z", "datetime"},
		{"date and number", "2024-01-31,5", "string"},
		{"empty cells", ",5,", "integer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := New(Options{MinSamples: 100, Text: true})
			separator := ","
			if strings.Contains(test.cells, ";") {
				separator = ";"
			}
			for cell := range strings.SplitSeq(test.cells, separator) {
				s.Add(map[string]any{"f": cell})
			}
			got, want := properties(s.Result()), `{"f":{"type":"`+test.want+`"}}`
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// described returns the fields by path, without what a test does not compare.
func described(r Result, keep func(f Field) Field) map[string]Field {
	fields := make(map[string]Field)
	for _, f := range r.Fields {
		fields[f.Path] = keep(f)
	}
	return fields
}

func TestCounts(t *testing.T) {
	t.Parallel()
	r := samples(t, Options{MinSamples: 3},
		`{"id": 1, "at": {"x": 1, "y": 2}, "tags": ["a"]}`,
		`{"id": 2, "at": {"x": 3}, "tags": [], "note": null}`,
		`{"id": 3, "at": {"x": 5, "y": null}}`)
	got := described(r, func(f Field) Field { f.Examples, f.Note = nil, ""; return f })
	want := map[string]Field{
		"id":     {Path: "id", Type: "integer", Required: true, Seen: 3, Of: 3},
		"at":     {Path: "at", Type: "object", Required: true, Seen: 3, Of: 3},
		"at.x":   {Path: "at.x", Type: "integer", Required: true, Seen: 3, Of: 3},
		"at.y":   {Path: "at.y", Type: "integer", Seen: 1, Null: 1, Of: 3},
		"tags":   {Path: "tags", Type: "array", Seen: 2, Of: 3},
		"tags[]": {Path: "tags[]", Type: "string", Seen: 1, Of: 1},
		"note":   {Path: "note", Null: 1, Of: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	few := samples(t, Options{MinSamples: 4}, `{"id": 1}`, `{"id": 2}`, `{"id": 3}`)
	if few.Fields[0].Required || len(few.Notes) != 1 {
		t.Errorf("got %+v, notes %q, want an optional field and a note", few.Fields[0], few.Notes)
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 80)
	r := samples(t, Options{}, `{"n": 1, "s": "a"}`, `{"n": 1.0, "s": "`+long+`"}`, `{"n": 2, "s": "b"}`, `{"n": 3, "s": "c"}`, `{"n": 4}`)
	got := described(r, func(f Field) Field { return Field{Examples: f.Examples} })
	want := map[string]Field{
		"n": {Examples: []any{json.Number("1"), json.Number("2"), json.Number("3")}},
		"s": {Examples: []any{"a", strings.Repeat("é", 50) + "…", "b"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("examples (-want +got):\n%s", diff)
	}
}

func TestEnum(t *testing.T) {
	t.Parallel()
	repeat := func(n int, texts ...string) (docs []string) {
		for i := range n {
			docs = append(docs, `{"f":`+strconv.Quote(texts[i%len(texts)])+`}`)
		}
		return docs
	}
	var many []string
	for i := range maxEnum + 1 {
		many = append(many, strconv.Itoa(i)+" apples")
	}
	for _, test := range []struct {
		name string
		docs []string
		want []any
	}{
		{"two values", repeat(30, "red", "blue"), []any{"blue", "red"}},
		{"one value", repeat(30, "red"), nil},
		{"too few samples", repeat(15, "red", "blue"), nil},
		{"too seldom", repeat(25, "a", "b", "c"), nil},
		{"too many values", repeat(500, many...), nil},
		{"a long value", repeat(30, "red", strings.Repeat("x", maxEnumValue+1)), nil},
		{"an empty value", repeat(30, "red", ""), nil},
		{"dates", repeat(30, "2024-01-01", "2024-01-02"), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := samples(t, Options{MinSamples: 20}, test.docs...)
			if diff := cmp.Diff(test.want, r.Fields[0].Enum); diff != "" {
				t.Errorf("enum (-want +got):\n%s", diff)
			}
			if strings.Contains(properties(r), "enum") {
				t.Errorf("declared: %s", properties(r))
			}
			r = samples(t, Options{MinSamples: 20, Enums: true}, test.docs...)
			if got := strings.Contains(properties(r), "enum"); got != (test.want != nil) {
				t.Errorf("with Enums: %s", properties(r))
			}
		})
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	r := samples(t, Options{},
		`{"price": 1.5, "title": "A", "photo_id": 7, "sku": "x", "twice": 1, "empty": "", "gone": 1, "tags": [1], "at": "2024-01-01T00:00Z", "maybe": 1}`,
		`{"price": 2.5, "title": "B", "photo_id": 8, "sku": "y", "twice": 1, "empty": "a", "tags": [2], "at": "2024-01-02", "maybe": null}`,
		`{"price": 3.5, "title": "C", "photo_id": 9, "sku": "z", "twice": 2, "empty": "b", "gone": 2, "tags": [3], "at": "2024-01-03", "maybe": 2, "late": 1}`)
	want := []Key{{"photo_id", 3}, {"sku", 3}, {"at", 3}, {"title", 3}}
	if diff := cmp.Diff(want, r.Keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for _, test := range []struct{ name, a, b string }{
		{"equal numbers", `1`, `1.0`},
		{"equal instants", `"2024-01-01T00:00Z"`, `"2024-01-01T01:00:00+01:00"`},
		{"too long", `"a"`, `"` + strings.Repeat("x", maxKeyText+1) + `"`},
	} {
		if r := samples(t, Options{}, `{"id":`+test.a+`}`, `{"id":`+test.b+`}`); len(r.Keys) > 0 {
			t.Errorf("%s: got %v, want no key", test.name, r.Keys)
		}
	}
}

func TestFileURLs(t *testing.T) {
	t.Parallel()
	r := samples(t, Options{},
		`{"photo": "https://example.com/a.JPG?size=1", "clip": "s3://b/c.mp4", "either": "http://x/a.png", "page": "https://example.com/a.html", "name": "a.jpg"}`,
		`{"photo": "http://example.com/b.png#top", "clip": "gs://b/d.webm", "either": "http://x/a.mp3", "page": "https://example.com/", "name": "b.jpg"}`)
	got := make(map[string]string)
	for _, f := range r.Fields {
		got[f.Path] = f.Type + " " + f.File
	}
	want := map[string]string{"photo": "string image", "clip": "string video", "either": "string ", "page": "string ", "name": "string "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	r := samples(t, Options{MinSamples: 2},
		`{"object_id": "a", "blobs": [{"property": "photo", "type": "IMAGE", "data": "https://example.com/1"}, {"property": "clips", "file": "files/a.mp4"},
			{"property": "clips", "data": {"url": "https://example.com/b.mp4"}}, {"property": "n", "type": "integer", "data": 5}, {"property": "x", "mime_type": "audio/mpeg"}, {"property": "", "data": 1}]}`,
		`{"object_id": "b", "blobs": [{"property": "photo", "data": {"base64": "", "filename": "a.png"}}, {"property": "x", "data": "a,b"}]}`,
		`{"object_id": "c", "blobs": [{"property": "photo", "file": "a.png"}]}`)
	want := `{"clips":{"items":{"type":"video"},"type":"array"},"n":{"type":"integer"},"photo":{"required":true,"type":"image"},"x":{"type":"file"}}`
	if got := properties(r); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(r.Keys) > 0 {
		t.Errorf("got keys %v, want none", r.Keys)
	}
}

func TestUnfitNames(t *testing.T) {
	t.Parallel()
	r := samples(t, Options{MinSamples: 2}, `{"status": "new", "a.b": 1, "": 2, "object_id": "x", "`+strings.Repeat("n", maxName+1)+`": 3, "good": 4}`)
	if got, want := properties(r), `{"good":{"type":"integer"}}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, f := range r.Fields {
		if (f.Type == "") != (f.Note != "") {
			t.Errorf("field %q: type %q, note %q", f.Path, f.Type, f.Note)
		}
	}
	if len(r.Notes) != 2 {
		t.Errorf("got notes %q, want one on the few samples and one on the long name", r.Notes)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	wide := make(map[string]any)
	for i := range 5 * maxFields {
		wide["f"+strconv.Itoa(i)] = strconv.Itoa(i)
	}
	dictionary := make(map[string]any)
	for i := range maxMembers + 1 {
		dictionary["key"+strconv.Itoa(i)] = i
	}
	var deep any = "end"
	for range 3 * maxNesting {
		deep = map[string]any{"a": []any{deep}}
	}
	for _, test := range []struct {
		name   string
		doc    map[string]any
		fields int
	}{
		{"many fields", wide, maxFields},
		{"a dictionary", map[string]any{"d": dictionary}, 1},
		{"deep nesting", map[string]any{"d": deep}, maxNesting},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := New(Options{MinSamples: 1})
			s.Add(test.doc)
			s.Add(test.doc)
			r := s.Result()
			if len(r.Fields) != test.fields || s.fields != test.fields {
				t.Errorf("got %d fields, %d counted, want %d", len(r.Fields), s.fields, test.fields)
			}
			plan, faults := schema.Compile(r.Schema)
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			var v schema.Validation
			if plan.Validate(&v, nil, test.doc, nil); v.Any() {
				t.Errorf("the sample does not conform: %v", v.List)
			}
		})
	}
}

// A field that had no room must not appear later, without its first values.
func TestNoRoomOnce(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	first := map[string]any{"dict": map[string]any{}}
	for i := range maxMembers {
		first["dict"].(map[string]any)[strconv.Itoa(i)] = i
	}
	for i := range maxFields {
		first["f"+strconv.Itoa(i)] = "text"
	}
	s.Add(first)
	// The dictionary gives up its members now, so that there would be room.
	s.Add(map[string]any{"dict": map[string]any{"one more": 1, "and more": 2}})
	third := maps.Clone(first)
	for name := range third {
		third[name] = 5
	}
	s.Add(third)
	r := s.Result()
	plan, _ := schema.Compile(r.Schema)
	for i, doc := range []map[string]any{first, third} {
		var v schema.Validation
		if plan.Validate(&v, nil, doc, nil); v.Any() {
			t.Errorf("sample %d does not conform: %v", i, v.List[0])
		}
	}
}

func TestConstantMemory(t *testing.T) {
	s := New(Options{MinSamples: 20})
	const keys = maxHashes/maxCompared + 2 // more than may be compared at once
	doc := make(map[string]any)
	add := func(from, to int) {
		for i := from; i < to; i++ {
			text := strconv.Itoa(i)
			doc["tags"], doc["by"] = []any{text}, map[string]any{"n" + text: i}
			for k := range keys {
				doc["key"+strconv.Itoa(k)] = i
			}
			s.Add(doc)
		}
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	add(0, maxCompared+1)
	before := heap()
	add(maxCompared+1, maxCompared+maxCompared/2)
	if after := heap(); after > before+1<<20 {
		t.Errorf("memory grew from %d to %d bytes", before, after)
	}
	if s.hashes > maxHashes {
		t.Errorf("got %d hashes, want at most %d", s.hashes, maxHashes)
	}
	r := s.Result()
	if len(r.Keys) != keys || !slices.ContainsFunc(r.Keys, func(k Key) bool { return k.Compared < maxCompared }) {
		t.Errorf("got %v, want %d keys that share the bound on hashes", r.Keys, keys)
	}
}

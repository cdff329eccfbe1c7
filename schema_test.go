package bucketlite_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite"
	compiled "github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// The types that a program can name are those that a schema can.
func TestFieldTypes(t *testing.T) {
	t.Parallel()
	named := []string{}
	for _, name := range []bucketlite.FieldType{
		bucketlite.String, bucketlite.Number, bucketlite.Integer, bucketlite.Float, bucketlite.Boolean, bucketlite.ObjectField,
		bucketlite.Array, bucketlite.Date, bucketlite.DateTime, bucketlite.Text, bucketlite.Image, bucketlite.Audio,
		bucketlite.Video, bucketlite.PDF, bucketlite.Excel, bucketlite.Document, bucketlite.File,
	} {
		named = append(named, string(name))
	}
	if diff := cmp.Diff(compiled.Types(), named); diff != "" {
		t.Errorf("types of schemas and of programs (-want +got):\n%s", diff)
	}
}

// goSchema builds in Go the schema that a JSON document describes, however wrong
// it is. Some documents cannot be said in Go.
func goSchema(t *testing.T, text string) (s bucketlite.Schema, ok bool) {
	t.Helper()
	var doc map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		return s, false
	}
	properties, ok := doc["properties"].(map[string]any)
	if !ok {
		return s, false
	}
	s.Keywords = doc
	s.Properties = make(map[string]bucketlite.Field)
	for name, field := range properties {
		keywords, ok := field.(map[string]any)
		if !ok {
			return s, false
		}
		s.Properties[name] = bucketlite.Field{Keywords: keywords}
	}
	return s, true
}

// wantSchemaFaults checks that a schema is refused for the reasons wanted by
// ParseSchema, by ValidateSchema and by CreateBucket, and that no bucket appears.
func wantSchemaFaults(t *testing.T, text string, want map[string]string) {
	t.Helper()
	_, err := bucketlite.ParseSchema([]byte(text))
	storetest.WantIssues(t, err, want)

	s, ok := goSchema(t, text)
	if !ok {
		return
	}
	storetest.WantIssues(t, bucketlite.ValidateSchema(s, nil), want)

	ns := storetest.Namespace(t, storetest.OpenMemory(t))
	_, err = ns.CreateBucket(t.Context(), bucketlite.BucketConfig{Name: "b", Schema: s})
	below := make(map[string]string)
	for path, rule := range want {
		below[strings.TrimSuffix("bucket_schema."+path, ".")] = rule
	}
	storetest.WantIssues(t, err, below)
	page, err := ns.ListBuckets(t.Context(), bucketlite.Query{})
	if err != nil || len(page.Results) != 0 {
		t.Errorf("got %d buckets, %v, want none", len(page.Results), err)
	}
}

func TestSchemaFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		schema string
		want   map[string]string
	}{
		{"not an object", `[]`, map[string]string{"": "type"}},
		{"null", `null`, map[string]string{"": "type"}},
		{"no properties", `{}`, map[string]string{"properties": "required"}},
		{"null properties", `{"properties":null}`, map[string]string{"properties": "required"}},
		{"properties is a list", `{"properties":[]}`, map[string]string{"properties": "type"}},
		{"additionalProperties is no boolean", `{"properties":{},"additionalProperties":"no"}`, map[string]string{"additionalProperties": "type"}},
		{"a null field", `{"properties":{"a":null}}`, map[string]string{"properties.a": "type"}},
		{"a field that is a type's name", `{"properties":{"a":"string"}}`, map[string]string{"properties.a": "type"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			wantSchemaFaults(t, test.schema, test.want)
		})
	}
}

// A field "a" with each fault; paths are below it.
func TestFieldFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		field string
		want  map[string]string
	}{
		{"no type", `{}`, map[string]string{".type": "required"}},
		{"null type", `{"type":null}`, map[string]string{".type": "required"}},
		{"type is a number", `{"type":5}`, map[string]string{".type": "type"}},
		{"unknown type", `{"type":"strnig"}`, map[string]string{".type": "type"}},
		{"type in capitals", `{"type":"STRING"}`, map[string]string{".type": "type"}},
		{"empty type", `{"type":""}`, map[string]string{".type": "type"}},
		{"required is text", `{"type":"string","required":"yes"}`, map[string]string{".required": "type"}},
		{"description is a number", `{"type":"string","description":1}`, map[string]string{".description": "type"}},
		{"additionalProperties is a schema", `{"type":"object","additionalProperties":{}}`, map[string]string{".additionalProperties": "type"}},

		{"items of a string", `{"type":"string","items":{"type":"string"}}`, map[string]string{".items": "items"}},
		{"items of an object", `{"type":"object","items":{"type":"string"}}`, map[string]string{".items": "items"}},
		{"items of an image", `{"type":"image","items":{"type":"image"}}`, map[string]string{".items": "items"}},
		{"items is a list", `{"type":"array","items":[{"type":"string"}]}`, map[string]string{".items": "type"}},
		{"items without a type", `{"type":"array","items":{}}`, map[string]string{".items.type": "required"}},
		{"items of unknown type", `{"type":"array","items":{"type":"json"}}`, map[string]string{".items.type": "type"}},
		{"properties of a string", `{"type":"string","properties":{}}`, map[string]string{".properties": "properties"}},
		{"properties of an array", `{"type":"array","properties":{"b":{"type":"string"}}}`, map[string]string{".properties": "properties"}},
		{"properties is a list", `{"type":"object","properties":["b"]}`, map[string]string{".properties": "type"}},
		{"a member without a type", `{"type":"object","properties":{"b":{}}}`, map[string]string{".properties.b.type": "required"}},
		{"a null member", `{"type":"object","properties":{"b":null}}`, map[string]string{".properties.b": "type"}},
		{"a member with an empty name", `{"type":"object","properties":{"":{"type":"string"}}}`, map[string]string{`.properties[""]`: "name"}},
		{"a member with a dot", `{"type":"object","properties":{"b.c":{"type":"string"}}}`, map[string]string{`.properties["b.c"]`: "name"}},

		{"default of another type", `{"type":"integer","default":"5"}`, map[string]string{".default": "type"}},
		{"default with a fraction", `{"type":"integer","default":5.5}`, map[string]string{".default": "type"}},
		{"default is no datetime", `{"type":"datetime","default":"now"}`, map[string]string{".default": "type"}},
		{"default of an image", `{"type":"image","default":"https://example.com/a.png"}`, map[string]string{".default": "type"}},
		{"default outside the enum", `{"type":"string","enum":["a"],"default":"b"}`, map[string]string{".default": "enum"}},
		{"default too short", `{"type":"string","minLength":3,"default":"ab"}`, map[string]string{".default": "minLength"}},
		{"an item of the default", `{"type":"array","items":{"type":"integer"},"default":[1,"2"]}`, map[string]string{".default[1]": "type"}},
		{"a null item of the default", `{"type":"array","default":[null]}`, map[string]string{".default[0]": "type"}},
		{"a member of the default", `{"type":"object","properties":{"b":{"type":"string","required":true}},"default":{}}`, map[string]string{".default.b": "required"}},

		{"empty enum", `{"type":"string","enum":[]}`, map[string]string{".enum": "minItems"}},
		{"enum is a string", `{"type":"string","enum":"a"}`, map[string]string{".enum": "type"}},
		{"enum values of another type", `{"type":"string","enum":["a",1,"c",true]}`, map[string]string{".enum[1]": "type", ".enum[3]": "type"}},
		{"null in an enum", `{"type":"string","enum":["a",null]}`, map[string]string{".enum[1]": "type"}},
		{"enum of an image", `{"type":"image","enum":["a"]}`, map[string]string{".enum[0]": "type"}},
		{"examples is a string", `{"type":"string","examples":"a"}`, map[string]string{".examples": "type"}},
		{"examples of another type", `{"type":"date","examples":["2024-05-06","06.05.2024"]}`, map[string]string{".examples[1]": "type"}},
		{"null among the examples", `{"type":"integer","examples":[null]}`, map[string]string{".examples[0]": "type"}},

		{"pattern is no expression", `{"type":"string","pattern":"["}`, map[string]string{".pattern": "format"}},
		{"pattern with a lookahead", `{"type":"string","pattern":"(?=a)"}`, map[string]string{".pattern": "format"}},
		{"pattern is a number", `{"type":"string","pattern":1}`, map[string]string{".pattern": "type"}},
		{"minLength below 0", `{"type":"string","minLength":-1}`, map[string]string{".minLength": "minimum"}},
		{"maxLength with a fraction", `{"type":"string","maxLength":1.5}`, map[string]string{".maxLength": "type"}},
		{"minItems is text", `{"type":"array","minItems":"1"}`, map[string]string{".minItems": "type"}},
		{"maxItems below 0", `{"type":"array","maxItems":-1}`, map[string]string{".maxItems": "minimum"}},
		{"minProperties is text", `{"type":"object","minProperties":"1"}`, map[string]string{".minProperties": "type"}},
		{"maxProperties below 0", `{"type":"object","maxProperties":-1}`, map[string]string{".maxProperties": "minimum"}},
		{"uniqueItems is text", `{"type":"array","uniqueItems":"yes"}`, map[string]string{".uniqueItems": "type"}},
		{"minimum is text", `{"type":"number","minimum":"1"}`, map[string]string{".minimum": "type"}},
		{"maximum is text", `{"type":"number","maximum":"1"}`, map[string]string{".maximum": "type"}},
		{"exclusiveMinimum is a boolean", `{"type":"number","exclusiveMinimum":true}`, map[string]string{".exclusiveMinimum": "type"}},
		{"exclusiveMaximum is a list", `{"type":"number","exclusiveMaximum":[]}`, map[string]string{".exclusiveMaximum": "type"}},
		{"multipleOf 0", `{"type":"number","multipleOf":0}`, map[string]string{".multipleOf": "exclusiveMinimum"}},
		{"multipleOf below 0", `{"type":"number","multipleOf":-1}`, map[string]string{".multipleOf": "exclusiveMinimum"}},
		{"format is a number", `{"type":"string","format":1}`, map[string]string{".format": "type"}},
		{"an assertion of a bad default", `{"type":"string","pattern":"[","default":5}`, map[string]string{".pattern": "format", ".default": "type"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := make(map[string]string)
			for path, rule := range test.want {
				want["properties.a"+path] = rule
			}
			wantSchemaFaults(t, `{"properties":{"a":`+test.field+`}}`, want)
		})
	}
}

func TestReservedNames(t *testing.T) {
	t.Parallel()
	for _, name := range strings.Fields(`object_id bucket_id key_prefix blobs source_details status error created_at updated_at
		skip_duplicates canonicalize_source force_remirror AND OR NOT case_sensitive`) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantSchemaFaults(t, `{"properties":{"`+name+`":{"type":"string"}}}`, map[string]string{"properties." + name: "reserved"})
		})
	}
}

func TestFieldNames(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, field, rule string }{
		{"empty", "", "name"},
		{"dot", "a.b", "name"},
		{"only a dot", ".", "name"},
		{"101 characters", strings.Repeat("ü", 101), "name"},
		{"100 characters", strings.Repeat("ü", 100), ""},
		{"invalid UTF-8", "a\xff", "utf8"},
		{"NUL", "a\x00", "nul"},
		{"blanks and signs", "a b-c/d$[0]", ""},
		{"a reserved name in other case", "Object_ID", ""},
		{"and in small letters", "and", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := bucketlite.Schema{Properties: map[string]bucketlite.Field{test.field: {Type: bucketlite.String}}}
			err := bucketlite.ValidateSchema(s, nil)
			if test.rule == "" {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			path := "properties." + test.field
			if strings.ContainsAny(test.field, ".\x00") || !utf8.ValidString(test.field) || test.field == "" {
				path = fmt.Sprintf("properties[%q]", test.field)
			}
			storetest.WantIssues(t, err, map[string]string{path: test.rule})
		})
	}
}

// A schema must never refer to anything outside itself.
func TestSchemaReferences(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"$ref", "$dynamicRef", "$id", "$schema"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			member := `"` + name + `":"https://example.com/schema"`
			wantSchemaFaults(t, `{`+member+`,"properties":{}}`, map[string]string{name: name})
			wantSchemaFaults(t, `{"properties":{"a":{"type":"string",`+member+`}}}`, map[string]string{"properties.a." + name: name})
			wantSchemaFaults(t, `{"properties":{"a":{"type":"array","items":{"type":"string",`+member+`}}}}`, map[string]string{"properties.a.items." + name: name})
			wantSchemaFaults(t, `{"properties":{"a":{"type":"object","properties":{"b":{"type":"string",`+member+`}}}}}`,
				map[string]string{"properties.a.properties.b." + name: name})
		})
	}
}

func TestSchemaNesting(t *testing.T) {
	t.Parallel()
	nested := func(n int, kind string) string {
		head, tail := `{"type":"object","properties":{"a":`, "}}"
		if kind == "items" {
			head, tail = `{"type":"array","items":`, "}"
		}
		return `{"properties":{"a":` + strings.Repeat(head, n-1) + `{"type":"string"}` + strings.Repeat(tail, n-1) + "}}"
	}
	for kind, step := range map[string]string{"items": ".items", "properties": ".properties.a"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			if _, err := bucketlite.ParseSchema([]byte(nested(32, kind))); err != nil {
				t.Errorf("32 deep: got %v, want no error", err)
			}
			wantSchemaFaults(t, nested(33, kind), map[string]string{"properties.a" + strings.Repeat(step, 32): "nesting"})
			for _, n := range []int{50, 100, 10_000} {
				_, err := bucketlite.ParseSchema([]byte(nested(n, kind)))
				storetest.WantError(t, err, bucketlite.ErrInvalid)
			}
		})
	}
	t.Run("without end", func(t *testing.T) {
		t.Parallel()
		fields := map[string]bucketlite.Field{}
		fields["a"] = bucketlite.Field{Type: bucketlite.ObjectField, Properties: fields}
		storetest.WantError(t, bucketlite.ValidateSchema(bucketlite.Schema{Properties: fields}, nil), bucketlite.ErrInvalid)
		field := bucketlite.Field{Type: bucketlite.Array}
		field.Items = &field
		storetest.WantError(t, bucketlite.ValidateSchema(bucketlite.Schema{Properties: map[string]bucketlite.Field{"a": field}}, nil), bucketlite.ErrInvalid)
	})
}

// Several faults of one schema are all reported, always in the same order.
func TestSchemaFaultsTogether(t *testing.T) {
	t.Parallel()
	const text = `{"additionalProperties":1,"properties":{
		"z":{},
		"status":{"type":"string"},
		"a.b":{"type":"json"},
		"size":{"type":"integer","default":"big","enum":[1,"two"],"minimum":"low"},
		"tags":{"type":"array","items":{"type":"strnig"},"default":["x"]},
		"meta":{"type":"object","items":{"type":"string"},"properties":{"url":{"type":"string","$ref":"#","pattern":"(","default":1}}}}}`
	want := []string{
		"additionalProperties type",
		"properties.meta.items items",
		"properties.meta.properties.url.$ref $ref",
		"properties.meta.properties.url.default type",
		"properties.meta.properties.url.pattern format",
		"properties.size.default type",
		"properties.size.enum[1] type",
		"properties.size.minimum type",
		"properties.status reserved",
		"properties.tags.items.type type",
		"properties.z.type required",
		`properties["a.b"] name`,
		`properties["a.b"].type type`,
	}
	for range 10 {
		_, err := bucketlite.ParseSchema([]byte(text))
		var invalid *bucketlite.ValidationError
		if !errors.As(err, &invalid) {
			t.Fatalf("got %v, want a ValidationError", err)
		}
		var got []string
		for _, issue := range invalid.Issues {
			got = append(got, issue.Path+" "+issue.Rule)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("issues (-want +got):\n%s", diff)
		}
	}
}

func TestUnknownTypeSuggestion(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]string{
		"strnig": "string", "json": "object", "JSON": "object", "int": "integer", "Integer": "integer", "bool": "boolean",
		"flaot": "float", "array ": "array", "vidoe": "video", "imgae": "image", "datetme": "datetime", "qwerty": "",
	} {
		_, err := bucketlite.ParseSchema([]byte(`{"properties":{"a":{"type":"` + typ + `"}}}`))
		var invalid *bucketlite.ValidationError
		if !errors.As(err, &invalid) || len(invalid.Issues) != 1 {
			t.Fatalf("%s: got %v, want one issue", typ, err)
		}
		_, suggestion, _ := strings.Cut(invalid.Issues[0].Message, "did you mean ")
		if got := strings.Trim(suggestion, `"?`); got != want {
			t.Errorf("%s: got suggestion %q, want %q", typ, got, want)
		}
	}
}

// Schema text that is not sound JSON is refused before anything else reads it.
func TestSchemaText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, path, rule string }{
		{"nothing", ``, "", "json"},
		{"cut short", `{"properties":{`, "properties", "json"},
		{"more text", `{"properties":{}} {}`, "", "json"},
		{"a member twice", `{"properties":{"a":{"type":"string","type":"integer"}}}`, "properties.a.type", "duplicate"},
		{"a field twice", `{"properties":{"a":{"type":"string"},"a":{"type":"integer"}}}`, "properties.a", "duplicate"},
		{"invalid UTF-8", "{\"properties\":{\"a\":{\"type\":\"string\",\"default\":\"\xff\"}}}", "properties.a.default", "utf8"},
		{"half a surrogate pair", `{"properties":{"a":{"type":"string","default":"\ud800"}}}`, "properties.a.default", "surrogate"},
		{"NUL", `{"properties":{"a":{"type":"string","default":"\u0000"}}}`, "properties.a.default", "nul"},
		{"a number out of range", `{"properties":{"a":{"type":"number","default":1e999999}}}`, "properties.a.default", "number"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := bucketlite.ParseSchema([]byte(test.text))
			storetest.WantIssues(t, err, map[string]string{test.path: test.rule})
		})
	}
	t.Run("2 MB", func(t *testing.T) {
		t.Parallel()
		text := `{"properties":{"a":{"type":"string","description":"` + strings.Repeat("x", 2<<20) + `"}}}`
		_, err := bucketlite.ParseSchema([]byte(text))
		storetest.WantIssues(t, err, map[string]string{"": "size"})
	})
}

const soundSchema = `{"additionalProperties":false,"properties":{
	"s":{"type":"string","required":true,"default":"x","enum":["x","y"],"description":"d","examples":["x"],"minLength":1,"x-unit":{"a":[1.50,null]}},
	"n":{"type":"number","default":1.10},"i":{"type":"integer","default":5.0},"f":{"type":"float","format":"nonsense"},"b":{"type":"boolean","default":false},
	"o":{"type":"object","properties":{"status":{"type":"string"}},"additionalProperties":true},"p":{"type":"object","properties":{}},
	"a":{"type":"array","items":{"type":"object","properties":{"x":{"type":"date"}}}},"l":{"type":"array"},
	"d":{"type":"date","default":"2024-02-29"},"t":{"type":"datetime","enum":["2024-02-29T00:00:00+01:00"]},
	"text":{"type":"text","default":"hello"},"image":{"type":"image","examples":["https://example.com/a.png"]},"audio":{"type":"audio"},
	"video":{"type":"video","required":true},"pdf":{"type":"pdf"},"excel":{"type":"excel"},"photos":{"type":"array","items":{"type":"image"}}},
	"title":"a title","x-all":[{"$ref":"https://example.com/"}]}`

// A sound schema comes back as it was given, from everywhere.
func TestSchemaIsKept(t *testing.T) {
	t.Parallel()
	want := compact(t, soundSchema)
	s, err := bucketlite.ParseSchema([]byte(soundSchema))
	if err != nil {
		t.Fatal(err)
	}
	if err := bucketlite.ValidateSchema(s, nil); err != nil {
		t.Errorf("ValidateSchema: got %v, want no error", err)
	}
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: s})
	clear(s.Properties) // the bucket has a copy
	info, err := b.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(info.Schema)
	if err != nil {
		t.Fatal(err)
	}
	if got := compact(t, string(text)); got != want {
		t.Errorf("schema (-want +got):\n%s", cmp.Diff(want, got))
	}
	var again bucketlite.Schema
	if err := json.Unmarshal(text, &again); err != nil {
		t.Errorf("unmarshal: got %v, want no error", err)
	}
	if diff := cmp.Diff(info.Schema, again); diff != "" {
		t.Errorf("schema after a round trip (-want +got):\n%s", diff)
	}
}

// A JSON Schema assertion without effect is a fault, and so is a misspelt keyword. All
// other names are kept.
func TestSchemaKeywords(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		schema string
		want   map[string]string
	}{
		"root required": {`{"properties":{"a":{"type":"string"}},"required":["a"]}`, map[string]string{"required": "keyword"}},
		"combinators": {`{"properties":{"a":{"type":"string","oneOf":[]}},"allOf":[],"if":{}}`,
			map[string]string{"properties.a.oneOf": "keyword", "allOf": "keyword", "if": "keyword"}},
		"misspelt": {`{"properties":{"a":{"type":"array","maxitems":1,"items":{"type":"string","minlenght":1}}}}`,
			map[string]string{"properties.a.maxitems": "spelling", "properties.a.items.minlenght": "spelling"}},
		"within an object": {`{"properties":{"a":{"type":"object","dependentRequired":{},"properties":{"b":{"type":"string","patern":"a"}}}}}`,
			map[string]string{"properties.a.dependentRequired": "keyword", "properties.a.properties.b.patern": "spelling"}},
		"with other faults": {`{"properties":{"a":{"type":"strin","not":{}}},"patternProperties":{}}`,
			map[string]string{"properties.a.type": "type", "properties.a.not": "keyword", "patternProperties": "keyword"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantSchemaFaults(t, test.schema, test.want)
		})
	}
	const kept = `{"properties":{"a":{"type":"string","must_contain":["b"],"min_length":9,"x-minlength":9,"title":5,"$comment":[]}},"title":1}`
	s, err := bucketlite.ParseSchema([]byte(kept))
	if err != nil {
		t.Fatal(err)
	}
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: s})
	storetest.Put(t, b, storetest.Input(t, `{"a":"c"}`), "")
	info, err := b.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := info.Schema.MarshalJSON(); err != nil || compact(t, string(got)) != compact(t, kept) {
		t.Errorf("got %s, %v, want %s", got, err, kept)
	}
}

// KeepIneffective stores what would be refused, and the bucket can be read like others.
func TestSchemaKeepIneffective(t *testing.T) {
	t.Parallel()
	const text = `{"properties":{"a":{"type":"string","oneOf":[5],"minlenght":9,"maxLength":3}},"required":["a"]}`
	var s bucketlite.Schema
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("unmarshal: %v", err)
	}
	want := map[string]string{"properties.a.oneOf": "keyword", "properties.a.minlenght": "spelling", "required": "keyword"}
	storetest.WantIssues(t, bucketlite.ValidateSchema(s, nil), want)
	s.KeepIneffective = true
	if err := bucketlite.ValidateSchema(s, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: s})
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := storetest.Namespace(t, storetest.OpenPath(t, path)).Bucket(t.Context(), "objects")
	if err != nil {
		t.Fatal(err)
	}
	wantRefused(t, b, storetest.Input(t, `{"a":"abcd"}`), map[string]string{"a": "maxLength"})
	storetest.Put(t, b, storetest.Input(t, `{}`), "")
	info, err := b.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, new(bucketlite.BucketInfo)); err != nil {
		t.Errorf("unmarshal the bucket's info: %v", err)
	}
	if got := string(got); !strings.Contains(got, `"required":["a"]`) || !strings.Contains(got, `"oneOf":[5]`) {
		t.Errorf("got %s, want the keywords as given", got)
	}
	s.Properties["a"].Keywords["maxLength"] = -1
	storetest.WantIssues(t, bucketlite.ValidateSchema(s, nil), map[string]string{"properties.a.maxLength": "minimum"})
}

// The rules hold after the file is opened again.
func TestSchemaAfterReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	s := storetest.Schema(t, `"s":{"type":"string","pattern":"^a"},"n":{"type":"number","enum":[1.0,18446744073709551616]},"o":{"type":"object","additionalProperties":false},"d":{"type":"number","default":1.10}`)
	storetest.Bucket(t, st, bucketlite.BucketConfig{Schema: s, UniqueKey: &bucketlite.UniqueKey{Fields: []string{"s"}, DefaultPolicy: bucketlite.Insert}})
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := storetest.Namespace(t, storetest.OpenPath(t, path)).Bucket(t.Context(), "objects")
	if err != nil {
		t.Fatal(err)
	}
	wantRefused(t, b, storetest.Input(t, `{"s":"b","n":2,"o":{"x":1}}`), map[string]string{"s": "pattern", "n": "enum", "o.x": "additionalProperties"})
	storetest.WantFields(t, storetest.Put(t, b, storetest.Input(t, `{"s":"a","n":18446744073709551616}`), ""), `{"s":"a","n":18446744073709551616,"d":1.10}`)
	_, err = b.Put(t.Context(), storetest.Input(t, `{"s":"a","n":1}`), nil)
	storetest.WantError(t, err, bucketlite.ErrExists)
}

// compact returns JSON text without white space, with sorted members.
func compact(t *testing.T, text string) string {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

// Generated clients send null for whatever is unset.
func TestSchemaNulls(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(maps.Keys(map[string]bool{
		"default": true, "items": true, "properties": true, "examples": true, "description": true, "enum": true, "required": true,
		"additionalProperties": true, "minLength": true, "pattern": true, "const": true, "format": true, "$ref": true, "x-unknown": true,
	}))
	nulls := `,"` + strings.Join(names, `":null,"`) + `":null`
	for _, typ := range []string{"string", "array", "object", "image"} {
		text := `{"$id":null,"additionalProperties":null,"properties":{"a":{"type":"` + typ + `"` + nulls + `}}}`
		s, err := bucketlite.ParseSchema([]byte(text))
		if err != nil {
			t.Errorf("%s: got %v, want no error", typ, err)
			continue
		}
		want := bucketlite.Schema{Properties: map[string]bucketlite.Field{"a": {Type: bucketlite.FieldType(typ)}}}
		if diff := cmp.Diff(want, s); diff != "" {
			t.Errorf("%s: schema (-want +got):\n%s", typ, diff)
		}
	}
}

func TestUpdateNulls(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Description: "d", Metadata: map[string]any{"a": "b"}, Schema: storetest.Schema(t, `"s":{"type":"string"}`)})
	before, err := b.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var u bucketlite.BucketUpdate
	if err := json.Unmarshal([]byte(`{"bucket_name":null,"description":null,"metadata":null,"bucket_schema":null,"unique_key":null}`), &u); err != nil {
		t.Fatalf("got %v, want no error", err)
	}
	after, err := b.Update(context.Background(), u)
	if err != nil {
		t.Fatalf("got %v, want no error", err)
	}
	before.UpdatedAt = after.UpdatedAt
	if diff := cmp.Diff(before.Name+before.Description+fmt.Sprint(before.Metadata), after.Name+after.Description+fmt.Sprint(after.Metadata)); diff != "" {
		t.Errorf("info (-before +after):\n%s", diff)
	}
}

// patternSchema has one field for each of the patterns.
func patternSchema(patterns ...string) bucketlite.Schema {
	s := bucketlite.Schema{Properties: make(map[string]bucketlite.Field)}
	for i, p := range patterns {
		s.Properties[fmt.Sprintf("f%02d", i)] = bucketlite.Field{Type: bucketlite.String, Keywords: map[string]any{"pattern": p}}
	}
	return s
}

func TestSchemaPatternsAreBounded(t *testing.T) {
	t.Parallel()
	large := `(?:` + strings.Repeat("a?", 45) + `){1000}`
	strings900 := make([]any, 900)
	for i := range strings900 {
		strings900[i] = strings.Repeat("a", 1000)
	}
	texts := bucketlite.Field{Type: bucketlite.String, Keywords: map[string]any{"pattern": manyStates}}
	tests := []struct {
		name   string
		schema bucketlite.Schema
		want   map[string]string
	}{
		{"one large pattern", patternSchema(large, `^a$`), nil},
		{"two large patterns", patternSchema(`^a$`, large, large), map[string]string{"properties.f02.pattern": "pattern"}},
		{"a pattern costly to parse", patternSchema(`(?i)[` + strings.Repeat("B-\U0001e943", 333) + `]`), map[string]string{"properties.f00.pattern": "pattern"}},
		{"a costly default", bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"a": {Type: bucketlite.Array, Items: &texts, Default: strings900[:2]},
		}}, map[string]string{"properties.a.default[0]": "pattern", "properties.a.default[1]": "pattern"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := bucketlite.ValidateSchema(test.schema, nil)
			if test.want == nil {
				if err != nil {
					t.Fatalf("ValidateSchema: %v", err)
				}
				return
			}
			storetest.WantIssues(t, err, test.want)
		})
	}
}

// The patterns of one input share a bound on their work.
func TestSchemaPatternWorkIsBounded(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.Open(t), bucketlite.BucketConfig{Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"a": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String, Keywords: map[string]any{"pattern": `^(?:a?b?){1000}$`}}},
	}}})
	put := func(n int) error {
		items := make([]any, n)
		for i := range items {
			items[i] = strings.Repeat("a", 100)
		}
		return storetest.ErrorOf(b.Put(context.Background(), bucketlite.ObjectInput{Fields: map[string]any{"a": items}}, nil))
	}
	if err := put(10); err != nil {
		t.Errorf("10 strings: %v", err)
	}
	err := put(10_000)
	var invalid *bucketlite.ValidationError
	if !errors.As(err, &invalid) || invalid.Issues[0].Rule != "pattern" || !strings.Contains(invalid.Issues[0].Message, "100 bytes") {
		t.Errorf("10,000 strings: got %v, want issues of pattern that tell the bytes", err)
	}
}

// A format of regular expressions does not compile the value.
func TestFormatRegexIsBounded(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.Open(t), bucketlite.BucketConfig{Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"re": {Type: bucketlite.String, Keywords: map[string]any{"format": "regex"}},
	}}})
	for re, valid := range map[string]bool{`^a+$`: true, `(`: false, `[` + strings.Repeat(`\pL`, 10_000) + `]`: false} {
		err := b.Validate(context.Background(), bucketlite.ObjectInput{Fields: map[string]any{"re": re}})
		if (err == nil) != valid || err != nil && !errors.Is(err, bucketlite.ErrInvalid) {
			t.Errorf("%.20s: got %v, want valid %t", re, err, valid)
		}
	}
}

// A schema that was stored with a pattern beyond today's bound still opens, lists and
// reads; only a value of that field cannot be checked.
func TestStoredSchemaWithLargePattern(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "app.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "old", Schema: patternSchema(`^a`, `^b`)})
	o := storetest.Put(t, b, storetest.Input(t, `{"f00":"abc","f01":"bcd"}`), "")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	large := `(?:` + strings.Repeat("a?", 700) + `){1000}`
	storetest.Execute(t, storetest.OpenRaw(t, path), `UPDATE buckets SET schema = replace(schema, '"^a"', '"`+large+`"')`)

	st = storetest.OpenPath(t, path)
	ns := storetest.Namespace(t, st)
	page, err := ns.ListBuckets(ctx, bucketlite.Query{})
	if err != nil || page.Results[0].Schema.Properties["f00"].Keywords["pattern"] != large {
		t.Fatalf("ListBuckets: got %v, want the pattern as it is stored", err)
	}
	if b, err = ns.Bucket(ctx, "old"); err != nil {
		t.Fatalf("Bucket: %v", err)
	}
	if got, err := b.Object(ctx, o.ID); err != nil || got.Fields["f00"] != "abc" {
		t.Errorf("Object: got %v, %v, want what is stored", got, err)
	}
	storetest.Put(t, b, storetest.Input(t, `{"f01":"b"}`), "")
	_, err = b.Put(ctx, storetest.Input(t, `{"f00":"a","f01":"b"}`), nil)
	storetest.WantIssues(t, err, map[string]string{"f00": "pattern"})
	storetest.WantNoProblem(t, st) // though stored values cannot be checked either
}

// A list of buckets compiles no pattern. Not parallel, since it measures what is
// allocated.
func TestListBucketsCompilesNothing(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "app.db")
	st := storetest.OpenPath(t, path)
	const buckets = 10
	for i := range buckets {
		storetest.Bucket(t, st, bucketlite.BucketConfig{Name: fmt.Sprint(i), Schema: patternSchema(fmt.Sprintf("%d%s", i, manyStates))})
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	ns := storetest.Namespace(t, storetest.OpenPath(t, path))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	page, err := ns.ListBuckets(ctx, bucketlite.Query{})
	for i := range page.Results {
		if _, err := ns.Bucket(ctx, page.Results[i].ID); err != nil {
			t.Error(err)
		}
	}
	runtime.ReadMemStats(&after)
	if err != nil || len(page.Results) != buckets {
		t.Fatalf("got %v, want %d buckets", err, buckets)
	}
	// To compile one of these patterns takes 10 MB.
	if n := after.TotalAlloc - before.TotalAlloc; n > 5<<20 {
		t.Errorf("listing and finding %d buckets allocated %d bytes", buckets, n)
	}
}

// A message about an enum does not grow with it.
func TestLargeEnum(t *testing.T) {
	t.Parallel()
	values := make([]any, 10_000)
	for i := range values {
		values[i] = fmt.Sprintf("value %d", i)
	}
	b := storetest.Bucket(t, storetest.Open(t), bucketlite.BucketConfig{Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"a": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String, Enum: values}},
	}}})
	err := b.Validate(context.Background(), bucketlite.ObjectInput{Fields: map[string]any{"a": []any{"x", "value 9999", "y"}}})
	storetest.WantIssues(t, err, map[string]string{"a[0]": "enum", "a[2]": "enum"})
	if n := len(err.Error()); n > 4000 || !strings.Contains(err.Error(), "9980 more") {
		t.Errorf("got a message of %d bytes, want a short one that counts the other values", n)
	}
}

package bucketlite_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// wantRefused checks that Validate and Put refuse an input for the same reasons,
// and that nothing changes.
func wantRefused(t *testing.T, b *bucketlite.Bucket, in bucketlite.ObjectInput, want map[string]string) {
	t.Helper()
	before := storetest.Snapshot(t, b)
	storetest.WantIssues(t, b.Validate(t.Context(), in), want)
	res, err := b.Put(t.Context(), in, &bucketlite.PutOptions{Policy: bucketlite.Upsert})
	if res != nil {
		t.Errorf("got result %v, want none", res)
	}
	storetest.WantIssues(t, err, want)
	storetest.WantSnapshot(t, b, before)
}

// wantKept checks that Validate and Put accept an object and that it is stored
// as it was given.
func wantKept(t *testing.T, b *bucketlite.Bucket, text string) {
	t.Helper()
	if err := b.Validate(t.Context(), storetest.Input(t, text)); err != nil {
		t.Errorf("Validate: got %v, want no error", err)
	}
	o := storetest.Put(t, b, storetest.Input(t, text), bucketlite.Insert)
	storetest.WantFields(t, o, text)
	o, err := b.Object(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	storetest.WantFields(t, o, text)
}

// Every kind of value given for a field of each of the 15 types, at the root.
func TestTypeMatrix(t *testing.T) {
	t.Parallel()
	values := []string{
		`true`, `false`, `""`, `"text"`, `"5"`, `"true"`, `"2024-05-06"`, `"2024-05-06T07:08:09Z"`, `"https://example.com/a"`,
		`0`, `-0`, `5`, `-5`, `5.0`, `50e-1`, `5.5`, `1e18`, `1e19`, `9223372036854775807`, `9223372036854775808`, `-9223372036854775808`,
		`-9223372036854775809`, `18446744073709551616`, `1e-7`, `0.1`, `{}`, `{"a":1}`, `[]`, `["a"]`, `[1,[2]]`, `[{}]`,
	}
	strs := []string{`""`, `"text"`, `"5"`, `"true"`, `"2024-05-06"`, `"2024-05-06T07:08:09Z"`, `"https://example.com/a"`}
	integers := []string{`0`, `-0`, `5`, `-5`, `5.0`, `50e-1`, `1e18`, `9223372036854775807`, `-9223372036854775808`}
	numbers := append([]string{`5.5`, `1e19`, `9223372036854775808`, `-9223372036854775809`, `18446744073709551616`, `1e-7`, `0.1`}, integers...)
	accepted := map[bucketlite.FieldType][]string{
		bucketlite.String:      strs,
		bucketlite.Number:      numbers,
		bucketlite.Integer:     integers,
		bucketlite.Float:       numbers,
		bucketlite.Boolean:     {`true`, `false`},
		bucketlite.ObjectField: {`{}`, `{"a":1}`},
		bucketlite.Array:       {`[]`, `["a"]`, `[1,[2]]`, `[{}]`},
		bucketlite.Date:        {`"2024-05-06"`},
		bucketlite.DateTime:    {`"2024-05-06T07:08:09Z"`},
		bucketlite.Text:        strs,
		bucketlite.Image:       nil,
		bucketlite.Audio:       nil,
		bucketlite.Video:       nil,
		bucketlite.PDF:         nil,
		bucketlite.Excel:       nil,
	}
	for typ, accepted := range accepted {
		t.Run(string(typ), func(t *testing.T) {
			t.Parallel()
			b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"v":{"type":"`+string(typ)+`"},"l":{"type":"array","items":{"type":"`+string(typ)+`"}}`)})
			for _, v := range values {
				if slices.Contains(accepted, v) {
					wantKept(t, b, `{"v":`+v+`,"l":[`+v+`]}`)
				} else {
					wantRefused(t, b, storetest.Input(t, `{"v":`+v+`,"l":[`+v+`]}`), map[string]string{"v": "type", "l[0]": "type"})
				}
			}
			o := storetest.Put(t, b, storetest.Input(t, `{"v":null}`), "")
			storetest.WantFields(t, o, `{}`)
			wantRefused(t, b, storetest.Input(t, `{"l":[null]}`), map[string]string{"l[0]": "type"})
			if typ == bucketlite.Array {
				wantRefused(t, b, storetest.Input(t, `{"v":[1,null]}`), map[string]string{"v[1]": "type"})
			}
		})
	}
}

// The error of a file given at the root says what to do instead.
func TestFileAtRoot(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"image", "audio", "video", "pdf", "excel"} {
		b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"v":{"type":"`+typ+`"}`)})
		err := b.Validate(t.Context(), storetest.Input(t, `{"v":"https://example.com/a"}`))
		var invalid *bucketlite.ValidationError
		if !errors.As(err, &invalid) || !strings.Contains(invalid.Issues[0].Message, "blob") {
			t.Errorf("%s: got %v, want an error that speaks of blobs", typ, err)
		}
	}
}

type (
	named   string
	level   int
	details struct {
		A int    `json:"a"`
		B string `json:"b,omitempty"`
	}
)

// Go values other than those encoding/json decodes into.
func TestGoValues(t *testing.T) {
	t.Parallel()
	text, number := "x", 5
	var none *string
	at := time.Date(2024, 5, 6, 7, 8, 9, 10, time.FixedZone("", 3600))
	tests := []struct {
		name  string
		typ   bucketlite.FieldType
		value any
		want  string // stored form, or the rule that is broken
	}{
		{"int8", bucketlite.Integer, int8(-5), `{"v":-5}`},
		{"int64", bucketlite.Integer, int64(math.MinInt64), `{"v":-9223372036854775808}`},
		{"uint64", bucketlite.Integer, uint64(math.MaxInt64), `{"v":9223372036854775807}`},
		{"uint64 beyond 63 bits", bucketlite.Integer, uint64(math.MaxUint64), "type"},
		{"uint64 as a number", bucketlite.Number, uint64(math.MaxUint64), `{"v":18446744073709551615}`},
		{"whole float", bucketlite.Integer, 5.0, `{"v":5}`},
		{"float", bucketlite.Integer, 5.5, "type"},
		{"float64", bucketlite.Float, 0.1, `{"v":0.1}`},
		{"float32", bucketlite.Float, float32(0.1), `{"v":0.1}`},
		{"large float", bucketlite.Number, 1e300, `{"v":1e+300}`},
		{"NaN", bucketlite.Number, math.NaN(), "number"},
		{"infinity", bucketlite.Float, math.Inf(-1), "number"},
		{"json.Number", bucketlite.Number, json.Number("1.10"), `{"v":1.10}`},
		{"json.Number that is none", bucketlite.Number, json.Number("five"), "number"},
		{"json.Number out of range", bucketlite.Number, json.Number("1e999999"), "number"},
		{"json.Number for a string", bucketlite.String, json.Number("5"), "type"},
		{"named int", bucketlite.Integer, level(3), `{"v":3}`},
		{"named string", bucketlite.String, named("x"), `{"v":"x"}`},
		{"pointer to a string", bucketlite.String, &text, `{"v":"x"}`},
		{"pointer to an int", bucketlite.Integer, &number, `{"v":5}`},
		{"nil pointer", bucketlite.String, none, `{}`},
		{"time", bucketlite.DateTime, at, `{"v":"2024-05-06T07:08:09.00000001+01:00"}`},
		{"time of the year 10000", bucketlite.DateTime, at.AddDate(8000, 0, 0), "type"},
		{"strings", bucketlite.Array, []string{"a", "b"}, `{"v":["a","b"]}`},
		{"nil strings", bucketlite.Array, []string(nil), `{"v":[]}`},
		{"array", bucketlite.Array, [2]int{1, 2}, `{"v":[1,2]}`},
		{"map", bucketlite.ObjectField, map[string]int{"a": 1}, `{"v":{"a":1}}`},
		{"struct", bucketlite.ObjectField, details{A: 1}, `{"v":{"a":1}}`},
		{"raw JSON", bucketlite.ObjectField, json.RawMessage(`{"a":1.0}`), `{"v":{"a":1.0}}`},
		{"broken raw JSON", bucketlite.ObjectField, json.RawMessage(`{"a":`), "json"},
		{"bytes", bucketlite.String, []byte("x"), "type"},
		{"channel", bucketlite.String, make(chan int), "type"},
		{"function", bucketlite.ObjectField, func() {}, "type"},
		{"complex", bucketlite.Number, complex(1, 1), "type"},
		{"map of ints", bucketlite.ObjectField, map[int]string{1: "a"}, `{"v":{"1":"a"}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"v":{"type":"`+string(test.typ)+`"}`)})
			in := bucketlite.ObjectInput{Fields: map[string]any{"v": test.value}}
			if strings.HasPrefix(test.want, "{") {
				storetest.WantFields(t, storetest.Put(t, b, in, ""), test.want)
				return
			}
			path := "v"
			if test.name == "broken raw JSON" {
				path = "v.a"
			}
			wantRefused(t, b, in, map[string]string{path: test.want})
		})
	}
}

// Datetimes are RFC 3339, also without a zone; dates are YYYY-MM-DD.
func TestDates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typ  bucketlite.FieldType
		good string
		bad  string // one a line
	}{
		{bucketlite.DateTime, `
2024-05-06T07:08:09Z
2024-05-06t07:08:09z
2024-05-06T07:08:09
2024-05-06T07:08:09.123456789
2024-05-06T07:08:09.1+05:30
2024-05-06T07:08:09-00:00
2024-05-06T07:08:09+23:59
0001-01-01T00:00:00Z
9999-12-31T23:59:59.999999999Z
2024-02-29T00:00:00Z
2000-02-29T00:00:00Z
1969-12-31T23:59:59.5Z
2024-05-06T07:08
2024-05-06T07:08Z
2024-05-06T07:08-0500
2010-02-14T00:00:00-0500
2024-05-06T07:08:09+0000`, `
2010-02-14 00:00:00-05
2010-02-14 00:00:00-05:00
2010-02-14T00:00:00-05
2024-05-06
2024-05-06T07
2024-05-06T07:08:
2024-05-06T07:08.5
2024-05-06 07:08
2024-05-06T07:08:09.Z
2024-05-06T07:08:09,5Z
2024-05-06T07:08:09.1234567890Z
2024-05-06T07:08:60Z
2016-12-31T23:59:60Z
2024-05-06T24:00:00Z
2024-05-06T07:60:00Z
2024-05-06T07:08:09+24:00
2024-05-06T07:08:09+05:60
2024-05-06T07:08:09 Z
 2024-05-06T07:08:09Z
2024-05-06T7:08:09Z
24-05-06T07:08:09Z
0000-12-31T23:59:59Z
10000-01-01T00:00:00Z
-0001-01-01T00:00:00Z
2024-13-01T00:00:00Z
2024-00-01T00:00:00Z
2024-04-31T00:00:00Z
2023-02-29T00:00:00Z
1900-02-29T00:00:00Z
2024-05-06T07:08:09ZZ
２０24-05-06T07:08:09Z
1715000000
now`},
		{bucketlite.Date, `
2024-05-06
2024-02-29
0001-01-01
9999-12-31`, `
2024-5-6
2024-05-06T00:00:00Z
20240506
2024/05/06
2023-02-29
2024-04-31
2024-00-10
2024-05-00
2024-05-32
0000-01-01
10000-01-01
 2024-05-06
2024-05-06 
2024-W19-1`},
	}
	for _, test := range tests {
		t.Run(string(test.typ), func(t *testing.T) {
			t.Parallel()
			b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"v":{"type":"`+string(test.typ)+`"}`)})
			for _, v := range strings.Split(test.good, "\n")[1:] {
				wantKept(t, b, `{"v":"`+v+`"}`)
			}
			for _, v := range strings.Split(test.bad, "\n")[1:] {
				wantRefused(t, b, bucketlite.ObjectInput{Fields: map[string]any{"v": v}}, map[string]string{"v": "type"})
			}
		})
	}
	t.Run("message", func(t *testing.T) {
		t.Parallel()
		b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"v":{"type":"datetime"}`)})
		err := b.Validate(t.Context(), storetest.Input(t, `{"v":"2010-02-14 00:00:00-05"}`))
		var invalid *bucketlite.ValidationError
		if !errors.As(err, &invalid) {
			t.Fatalf("got %v, want a ValidationError", err)
		}
		for _, want := range []string{"RFC 3339", `"2010-02-14 00:00:00-05"`} {
			if got := invalid.Issues[0].Message; !strings.Contains(got, want) {
				t.Errorf("got message %q, want it to mention %s", got, want)
			}
		}
	})
}

// Assertions and enums: what a field with the keywords takes, and what breaks
// which keyword.
func TestAssertions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		field string
		good  []string
		bad   map[string]string
	}{
		{`"type":"string","minLength":2`, []string{`"ab"`, `"üü"`}, map[string]string{`"ü"`: "minLength", `""`: "minLength"}},
		{`"type":"string","maxLength":2`, []string{`""`, `"üü"`, `"😀😀"`}, map[string]string{`"abc"`: "maxLength"}},
		{`"type":"string","pattern":"^a+$"`, []string{`"aa"`}, map[string]string{`"ab"`: "pattern", `""`: "pattern"}},
		{`"type":"string","pattern":"b"`, []string{`"abc"`}, map[string]string{`"ac"`: "pattern"}},
		{`"type":"string","const":"x"`, []string{`"x"`}, map[string]string{`"y"`: "const"}},
		{`"type":"string","minLength":3,"pattern":"^a"`, []string{`"abc"`}, map[string]string{`"b"`: "minLength pattern"}},
		{`"type":"text","maxLength":2`, []string{`"ab"`}, map[string]string{`"abc"`: "maxLength"}},
		{`"type":"number","minimum":1.5`, []string{`1.5`, `1.50`, `1e3`}, map[string]string{`1.4999999999999999999`: "minimum"}},
		{`"type":"number","maximum":0.1`, []string{`0.1`, `0.10`}, map[string]string{`0.10000000000000000001`: "maximum"}},
		{`"type":"integer","exclusiveMinimum":5`, []string{`6`}, map[string]string{`5`: "exclusiveMinimum", `5.0`: "exclusiveMinimum"}},
		{`"type":"integer","exclusiveMaximum":9223372036854775807`, []string{`9223372036854775806`}, map[string]string{`9223372036854775807`: "exclusiveMaximum"}},
		{`"type":"number","multipleOf":0.01`, []string{`19.99`, `0`, `1e2`}, map[string]string{`19.999`: "multipleOf"}},
		{`"type":"number","const":1`, []string{`1`, `1.0`, `1e0`}, map[string]string{`1.1`: "const"}},
		{`"type":"array","minItems":1`, []string{`[1]`}, map[string]string{`[]`: "minItems"}},
		{`"type":"array","maxItems":1`, []string{`[]`, `[1]`}, map[string]string{`[1,2]`: "maxItems"}},
		{`"type":"array","uniqueItems":true`, []string{`[1,"1",[1],{"a":1}]`}, map[string]string{`[1,1.0]`: "uniqueItems", `[{"a":1,"b":2},{"b":2,"a":1}]`: "uniqueItems"}},
		{`"type":"array","uniqueItems":false`, []string{`[1,1]`}, nil},
		{`"type":"object","minProperties":1`, []string{`{"a":null}`}, map[string]string{`{}`: "minProperties"}},
		{`"type":"object","maxProperties":1`, []string{`{}`}, map[string]string{`{"a":1,"b":2}`: "maxProperties"}},
		{`"type":"object","const":{"a":[1.0]}`, []string{`{"a":[1]}`}, map[string]string{`{"a":[1,2]}`: "const"}},
		{`"type":"string","format":"email"`, []string{`"a@example.com"`}, map[string]string{`"nobody"`: "format"}},
		{`"type":"string","format":"uuid"`, []string{`"123e4567-e89b-12d3-a456-426614174000"`}, map[string]string{`"123"`: "format"}},
		{`"type":"string","format":"ipv4"`, []string{`"127.0.0.1"`}, map[string]string{`"localhost"`: "format"}},
		// Keywords of another type, unknown formats and unknown keywords assert nothing.
		{`"type":"integer","minLength":5,"pattern":"x","minItems":3`, []string{`1`}, nil},
		{`"type":"string","format":"nonsense"`, []string{`"anything"`}, nil},
		{`"type":"string","contentMediaType":"image/png","must_contain":"x","x-all":[false],"title":"not"`, []string{`"anything"`}, nil},

		{`"type":"string","enum":["a","b"]`, []string{`"a"`, `"b"`}, map[string]string{`"A"`: "enum", `""`: "enum"}},
		{`"type":"number","enum":[1,2.50,1e3]`, []string{`1`, `1.0`, `10e-1`, `2.5`, `1000`}, map[string]string{`3`: "enum", `2.51`: "enum"}},
		{`"type":"integer","enum":[1.0]`, []string{`1`}, map[string]string{`2`: "enum"}},
		{`"type":"boolean","enum":[true]`, []string{`true`}, map[string]string{`false`: "enum"}},
		{`"type":"datetime","enum":["2024-05-06T07:00:00Z"]`, []string{`"2024-05-06T07:00:00Z"`, `"2024-05-06T09:00:00.000+02:00"`, `"2024-05-06T07:00:00"`},
			map[string]string{`"2024-05-06T07:00:00+01:00"`: "enum", `"2024-05-06T07:00:00.000000001Z"`: "enum"}},
		{`"type":"date","enum":["2024-05-06"]`, []string{`"2024-05-06"`}, map[string]string{`"2024-05-07"`: "enum"}},
		{`"type":"text","enum":["a"]`, []string{`"a"`}, map[string]string{`"b"`: "enum"}},
		{`"type":"array","enum":[[1,2]]`, []string{`[1.0,2]`}, map[string]string{`[2,1]`: "enum"}},
		{`"type":"object","enum":[{"a":1,"b":2}]`, []string{`{"b":2,"a":1.0}`}, map[string]string{`{"a":1}`: "enum"}},
		{`"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer","default":2}},"enum":[{"a":1}]`,
			nil, map[string]string{`{"a":2}`: "enum"}},
	}
	for _, test := range tests {
		t.Run(test.field, func(t *testing.T) {
			t.Parallel()
			b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"v":{`+test.field+`}`)})
			for _, v := range test.good {
				wantKept(t, b, `{"v":`+v+`}`)
			}
			for v, rule := range test.bad {
				wantRefused(t, b, storetest.Input(t, `{"v":`+v+`}`), map[string]string{"v": rule})
			}
		})
	}
}

// A struct with a default inside can equal an enum value that leaves it out.
func TestEnumWithNestedDefault(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t,
		`"v":{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer","default":2}},"enum":[{"a":1}]}`)})
	o := storetest.Put(t, b, storetest.Input(t, `{"v":{"a":1}}`), "")
	storetest.WantFields(t, o, `{"v":{"a":1,"b":2}}`)
	for _, patch := range []string{`{"x":1}`, `{"v":{"a":1,"b":2}}`, `{"v":{"a":1}}`} {
		if _, err := b.Patch(t.Context(), o.ID, storetest.Input(t, patch), nil); err != nil {
			t.Errorf("patch %s: got %v, want no error", patch, err)
		}
	}
}

// All that is wrong with an input is said at once, in a fixed order.
func TestIssuesTogether(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: bucketlite.Schema{
		AdditionalProperties: new(bool),
		Properties: storetest.Schema(t, `"n":{"type":"integer"},"r":{"type":"string","required":true},"meta":{"type":"object","additionalProperties":false,"properties":{
			"tags":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string","maxLength":3}}}},"lang":{"type":"string","required":true}}}`).Properties,
	}})
	in := storetest.Input(t, `{"n":"5","z":1,"y":2,"meta":{"tags":[{"name":"red"},{"name":"green"},{"name":5},null],"color":1}}`)
	in.Blobs = []bucketlite.BlobInput{{Property: "nothing", Data: "x"}, {}}
	var want []string
	for range 10 {
		err := b.Validate(t.Context(), in)
		var invalid *bucketlite.ValidationError
		if !errors.As(err, &invalid) {
			t.Fatalf("got %v, want a ValidationError", err)
		}
		var got []string
		for _, issue := range invalid.Issues {
			got = append(got, issue.Path+" "+issue.Rule)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got order %q, then %q, want always the same", want, got)
		}
	}
	wantRefused(t, b, in, map[string]string{
		"n": "type", "r": "required", "z": "additionalProperties", "y": "additionalProperties",
		"meta.lang": "required", "meta.color": "additionalProperties",
		"meta.tags[1].name": "maxLength", "meta.tags[2].name": "type", "meta.tags[3]": "type",
		"blobs[0].property": "property", "blobs[1].property": "property",
	})
}

// An error has room for 100 issues and counts the others.
func TestIssuesAreBounded(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"v":{"type":"array","items":{"type":"string"}}`)})
	err := b.Validate(t.Context(), bucketlite.ObjectInput{Fields: map[string]any{"v": make([]int, 100_000)}})
	var invalid *bucketlite.ValidationError
	if !errors.As(err, &invalid) || len(invalid.Issues) != 100 || invalid.Omitted != 99_900 {
		t.Errorf("got %.200v, want 100 issues and 99900 omitted", err)
	}
}

// Members that are not declared are kept as given, at any depth, or refused.
func TestUndeclaredMembers(t *testing.T) {
	t.Parallel()
	const free = `{"x":null,"y":{"z":[null,1.10,{"":""}],"w":null},"meta":{"u":null,"v":{"w":[null]},"a.b":1},"list":[{"q":null}]}`
	const declared = `"meta":{"type":"object","properties":{"lang":{"type":"string"}}},"list":{"type":"array","items":{"type":"object","properties":{"p":{"type":"string"}}}}`
	st := storetest.OpenMemory(t)
	wantKept(t, storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "open", Schema: storetest.Schema(t, declared)}), free)
	wantKept(t, storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "empty"}), free)

	closed := strings.ReplaceAll(declared, `"type":"object"`, `"type":"object","additionalProperties":false`)
	wantRefused(t, storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "nested", Schema: storetest.Schema(t, closed)}), storetest.Input(t, free), map[string]string{
		"meta.u": "additionalProperties", "meta.v": "additionalProperties", `meta["a.b"]`: "additionalProperties", "list[0].q": "additionalProperties",
	})
	root := storetest.Schema(t, declared)
	root.AdditionalProperties = new(bool)
	wantRefused(t, storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "root", Schema: root}), storetest.Input(t, free), map[string]string{
		"x": "additionalProperties", "y": "additionalProperties",
	})
	// A struct that declares nothing but that takes nothing.
	none := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "none", Schema: storetest.Schema(t, `"meta":{"type":"object","additionalProperties":false}`)})
	wantRefused(t, none, storetest.Input(t, `{"meta":{"a":null}}`), map[string]string{"meta.a": "additionalProperties"})
}

func TestRequired(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"s":{"type":"string","required":true},
		"o":{"type":"object","properties":{"s":{"type":"string","required":true}}},"l":{"type":"array","items":{"type":"object","properties":{"s":{"type":"string","required":true}}}}`)})
	wantKept(t, b, `{"s":""}`)
	wantKept(t, b, `{"s":"","o":{"s":""},"l":[{"s":""}]}`)
	for text, want := range map[string]map[string]string{
		`{}`:                           {"s": "required"},
		`{"s":null}`:                   {"s": "required"},
		`{"s":"","o":{}}`:              {"o.s": "required"},
		`{"s":"","l":[{},{"s":null}]}`: {"l[0].s": "required", "l[1].s": "required"},
	} {
		wantRefused(t, b, storetest.Input(t, text), want)
	}
}

// Defaults come in where a field is absent or null, before it is checked.
func TestDefaults(t *testing.T) {
	t.Parallel()
	const properties = `"s":{"type":"string","required":true,"default":"x"},"n":{"type":"number","default":1.10},"z":{"type":"boolean","default":false},
		"l":{"type":"array","default":[1,2],"items":{"type":"integer"}},"t":{"type":"text","default":"hello"},
		"o":{"type":"object","properties":{"lang":{"type":"string","default":"en","required":true}}},
		"q":{"type":"array","items":{"type":"object","properties":{"lang":{"type":"string","default":"en"}}}},
		"p":{"type":"object","default":{},"properties":{"deep":{"type":"object","default":{"b":2},"properties":{"a":{"type":"integer","default":1}}}}}`
	const all = `"s":"x","n":1.10,"z":false,"l":[1,2],"t":"hello","p":{"deep":{"a":1,"b":2}}`
	tests := map[string]string{
		`{}`: `{` + all + `}`,
		`{"s":null,"n":null,"z":null,"l":null,"t":null,"o":null,"p":null}`: `{` + all + `}`,
		`{"o":{}}`:                 `{` + all + `,"o":{"lang":"en"}}`,
		`{"q":[{},{"lang":"de"}]}`: `{` + all + `,"q":[{"lang":"en"},{"lang":"de"}]}`,
		`{"o":{"lang":null}}`:      `{` + all + `,"o":{"lang":"en"}}`,
		`{"s":"","n":0,"z":true,"l":[],"t":"","p":{"deep":{"a":5}},"u":null}`: `{"s":"","n":0,"z":true,"l":[],"t":"","p":{"deep":{"a":5}},"u":null}`,
	}
	for _, given := range slices.Sorted(maps.Keys(tests)) {
		t.Run(given, func(t *testing.T) {
			t.Parallel()
			b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `"id":{"type":"integer"},`+properties),
				UniqueKey: &bucketlite.UniqueKey{Fields: []string{"id"}}})
			in := storetest.Input(t, given)
			in.Fields["id"] = 1
			before := fmt.Sprint(in.Fields)
			want := strings.TrimSuffix(tests[given], "}") + `,"id":1}`
			storetest.WantFields(t, storetest.Put(t, b, in, bucketlite.Insert), want)
			storetest.Put(t, b, storetest.Input(t, `{"id":1,"s":"other","l":[7]}`), bucketlite.Update)
			storetest.WantFields(t, storetest.Put(t, b, in, bucketlite.Update), want)
			if after := fmt.Sprint(in.Fields); after != before {
				t.Errorf("got the caller's fields %s, want %s as before", after, before)
			}
		})
	}
}

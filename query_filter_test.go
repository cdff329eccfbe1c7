package bucketlite_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// built are filters as they are built, by their JSON form.
func built() map[string]bucketlite.Filter {
	type colour string
	noon := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	return map[string]bucketlite.Filter{
		`{}`: {},
		`{"field":"title","operator":"eq","value":"x"}`:                          bucketlite.Eq("title", "x"),
		`{"field":"n","operator":"ne","value":5}`:                                bucketlite.Ne("n", 5),
		`{"field":"a.b","operator":"eq","value":null}`:                           bucketlite.Eq("a.b", nil),
		`{"field":"m","operator":"eq","value":{"x":[1,2.5]}}`:                    bucketlite.Eq("m", map[string]any{"x": []float64{1, 2.5}}),
		`{"field":"n","operator":"gt","value":1.50}`:                             bucketlite.Gt("n", json.Number("1.50")),
		`{"field":"n","operator":"lt","value":9223372036854775807}`:              bucketlite.Lt("n", int64(math.MaxInt64)),
		`{"field":"at","operator":"gte","value":"2024-03-01T12:00:00Z"}`:         bucketlite.Gte("at", noon),
		`{"field":"s","operator":"lte","value":"red"}`:                           bucketlite.Lte("s", colour("red")),
		`{"field":"n","operator":"in","value":[1,2,3]}`:                          bucketlite.In("n", 1, 2, 3),
		`{"field":"s","operator":"in","value":["red","blue"]}`:                   bucketlite.In("s", []colour{"red", "blue"}...),
		`{"field":"x","operator":"in","value":[null,5,"a",[1]]}`:                 bucketlite.In[any]("x", nil, 5, "a", []int{1}),
		`{"field":"x","operator":"in","value":[]}`:                               bucketlite.In[string]("x"),
		`{"field":"b","operator":"in","value":[1,2]}`:                            bucketlite.In("b", []byte{1, 2}...),
		`{"field":"s","operator":"nin","value":["red"]}`:                         bucketlite.NotIn("s", "red"),
		`{"field":"s","operator":"contains","value":"a"}`:                        bucketlite.Contains("s", "a"),
		`{"field":"s","operator":"starts_with","value":"a"}`:                     bucketlite.StartsWith("s", "a"),
		`{"field":"s","operator":"ends_with","value":"a"}`:                       bucketlite.EndsWith("s", "a"),
		`{"field":"s","operator":"regex","value":"^a"}`:                          bucketlite.Regex("s", "^a"),
		`{"field":"s","operator":"exists","value":true}`:                         bucketlite.Exists("s"),
		`{"field":"s","operator":"is_null","value":true}`:                        bucketlite.IsNull("s"),
		`{"field":"s","operator":"text","value":"a b"}`:                          bucketlite.Words("s", "a b"),
		`{"case_sensitive":true,"field":"s","operator":"eq","value":"A"}`:        bucketlite.Eq("s", "A").CaseSensitive(),
		`{"case_sensitive":true}`:                                                bucketlite.Filter{}.CaseSensitive(),
		`{"OR":[]}`:                                                              bucketlite.Or(),
		`{"NOT":[]}`:                                                             bucketlite.Not(),
		`{"AND":[{},{"field":"a","operator":"eq","value":1}]}`:                   bucketlite.And(bucketlite.Filter{}, bucketlite.Eq("a", 1)),
		`{"NOT":[{"OR":[{"field":"a","operator":"exists","value":true}]}]}`:      bucketlite.Not(bucketlite.Or(bucketlite.Exists("a"))),
		`{"OR":[{"field":"a","operator":"eq","value":1}],"case_sensitive":true}`: bucketlite.Or(bucketlite.Eq("a", 1)).CaseSensitive(),
	}
}

// A filter that is built and one that is read from its JSON form are one type,
// and the same.
func TestFilterRoundTrip(t *testing.T) {
	t.Parallel()
	for want, f := range built() {
		data, err := json.Marshal(f)
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if string(data) != want {
			t.Errorf("JSON: got %s, want %s", data, want)
		}
		var again bucketlite.Filter
		if err := json.Unmarshal(data, &again); err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if twice, err := json.Marshal(again); err != nil || string(twice) != want {
			t.Errorf("JSON another time: got %s, %v, want %s", twice, err, want)
		}
		if got, want := again.String(), f.String(); got != want || got == "" {
			t.Errorf("text: got %q, want %q", got, want)
		}
	}
}

func TestParseFilter(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`null`, ` {} `, `{"AND":[]}`, `{"AND":null,"case_sensitive":null}`} {
		f, err := bucketlite.ParseFilter([]byte(text))
		if err != nil || f != (bucketlite.Filter{}) {
			t.Errorf("%s: got %v, %v, want the zero Filter", text, f, err)
		}
	}
	f := bucketlite.Eq("a", 1)
	if err := json.Unmarshal([]byte(`null`), &f); err != nil || f != (bucketlite.Filter{}) {
		t.Errorf("null: got %v, %v, want the zero Filter", f, err)
	}
	f, err := bucketlite.ParseFilter([]byte(`{"title":"x","OR":[{"n":1},{"field":"n","operator":"gt","value":5}]}`))
	if got, want := f.String(), `(n eq 1 or n gt 5) and title eq "x"`; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// wantQueryError fails unless err is a bad request with faults at the places given,
// as "path: rule".
func wantQueryError(t testing.TB, err error, want ...string) {
	t.Helper()
	var bad *bucketlite.QueryError
	if !errors.As(err, &bad) || !errors.Is(err, bucketlite.ErrBadRequest) || errors.Is(err, bucketlite.ErrInvalid) {
		t.Errorf("got error %v, want a bad request", err)
		return
	}
	var got []string
	for _, issue := range bad.Issues {
		if issue.Message == "" {
			t.Errorf("%s: no message", issue.Path)
		}
		got = append(got, issue.Path+": "+issue.Rule)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	for _, path := range got[:min(len(got), 10)] {
		if path, _, _ := strings.Cut(path, ": "); !strings.Contains(bad.Error(), path) {
			t.Errorf("got error %q, which does not name %q", bad, path)
		}
	}
}

func TestParseFilterFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want []string
	}{
		{``, []string{"filters: json"}},
		{`{"a":1} {}`, []string{"filters: json"}},
		{`{"a":1,"a":1}`, []string{"filters.a: duplicate"}},
		{`{"AND":[{"a":"\ud800"}]}`, []string{"filters.AND[0].a: surrogate"}},
		{`{"a":"\u0000"}`, []string{"filters.a: nul"}},
		{`{"a":1e999}`, []string{"filters.a: number"}},
		{"{\"a\":\"\xff\"}", []string{"filters.a: utf8"}},
		{`{"a":"` + strings.Repeat("x", 1<<20) + `"}`, []string{"filters: size"}},
		{`5`, []string{"filters: type"}},
		{`{"AND":[{"a":1},{"b":2},{"field":"c","operator":"gt","value":null}]}`, []string{"filters.AND[2].value: type"}},
		{`{"a.b":{"type":"dynamic","field":"inputs.x"}}`, []string{`filters["a.b"]: dynamic`}},
		{`{"OR":[{"field":"a","operator":"like","value":1},{"field":"","value":1}],"case_sensitive":1}`,
			[]string{"filters.case_sensitive: type", "filters.OR[0].operator: unknown", "filters.OR[1].field: path"}},
	}
	for _, test := range tests {
		f, err := bucketlite.ParseFilter([]byte(test.in))
		if f != (bucketlite.Filter{}) {
			t.Errorf("%.60s: got %v", test.in, f)
		}
		wantQueryError(t, err, test.want...)
		kept := bucketlite.Exists("a")
		f = kept
		if err := f.UnmarshalJSON([]byte(test.in)); !errors.Is(err, bucketlite.ErrBadRequest) || f != kept {
			t.Errorf("%.60s: got %v, %v, want the filter as it was", test.in, f, err)
		}
	}
}

// All faults of a built filter show when it is marshalled.
func TestFilterFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		f    bucketlite.Filter
		want []string
	}{
		{"value", bucketlite.Eq("a", math.NaN()), []string{"filters.value: number"}},
		{"values", bucketlite.In[any]("a", 1, func() {}, "\xff"), []string{"filters.value[1]: type", "filters.value[2]: utf8"}},
		{"bytes", bucketlite.Eq("a", []byte("x")), []string{"filters.value: type"}},
		{"null", bucketlite.Gt("a", nil), []string{"filters.value: type"}},
		{"path", bucketlite.Exists("a..b"), []string{"filters.field: path"}},
		{"path that is no text", bucketlite.Exists("\xff"), []string{"filters.field: path"}},
		{"pattern", bucketlite.Regex("a", "("), []string{"filters.value: pattern"}},
		{"dynamic", bucketlite.Eq("a", map[string]string{"type": "dynamic", "field": "x"}), []string{"filters.value: dynamic"}},
		{"several", bucketlite.Or(bucketlite.Eq("", 1), bucketlite.Not(bucketlite.Lt("a", true), bucketlite.Eq("b", 1))),
			[]string{"filters.OR[0].field: path", "filters.OR[1].NOT[0].value: type"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			data, err := json.Marshal(test.f)
			if data != nil {
				t.Errorf("got %s", data)
			}
			wantQueryError(t, err, test.want...)
			if test.f.String() == "" {
				t.Error("no text for people")
			}
		})
	}
}

// A filter keeps nothing of what it was made of, and is not changed by what is
// made of it.
func TestFilterIsFixed(t *testing.T) {
	t.Parallel()
	list := []any{map[string]any{"x": 1}}
	args := []bucketlite.Filter{bucketlite.Eq("a", list), bucketlite.In("b", list...)}
	f := bucketlite.And(args...)
	before := f.String()
	list[0].(map[string]any)["x"] = 2
	list[0] = 3
	args[0] = bucketlite.Filter{}
	_ = f.CaseSensitive()
	if got := f.String(); got != before || !strings.Contains(before, `{"x":1}`) {
		t.Errorf("got %s, want %s", got, before)
	}
}

// An error carries the first faults, and counts the others.
func TestQueryErrorIsBounded(t *testing.T) {
	t.Parallel()
	_, err := bucketlite.ParseFilter([]byte(`{"OR":[` + strings.Join(slices.Repeat([]string{"5"}, 500), ",") + `]}`))
	var bad *bucketlite.QueryError
	if !errors.As(err, &bad) {
		t.Fatalf("got error %v, want a QueryError", err)
	}
	storetest.WantEqual(t, "issues, omitted and subject", []any{len(bad.Issues), bad.Omitted, bad.Subject}, []any{100, 400, "filter"})
	if len(bad.Error()) > 1000 || !strings.HasPrefix(bad.Error(), "bucketlite: ") {
		t.Errorf("got %q", bad.Error())
	}
}

// A queryCase is a query in the hosted service's JSON form, and the ids it finds.
type queryCase struct {
	Name    string            `json:"name"`
	Filters bucketlite.Filter `json:"filters"`
	Sort    []bucketlite.Sort `json:"sort"`
	Search  string            `json:"search"`
	Want    []string          `json:"want"`
}

// The meaning of operators, paths, sorting and searching, by example: each case finds
// the same without indexes, with indexes, and with its filter written by the package.
func TestQueryCases(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var cases []queryCase
	if err := json.Unmarshal(readFile(t, "testdata/queries/cases.json"), &cases); err != nil {
		t.Fatal(err)
	}
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Name: "shop", Schema: storetest.Schema(t, `
		"title": {"type": "string"}, "price": {"type": "number"}, "stock": {"type": "integer"},
		"tags": {"type": "array", "items": {"type": "string"}}, "released": {"type": "datetime"}`)})
	lines := bufio.NewScanner(bytes.NewReader(readFile(t, "testdata/queries/objects.jsonl")))
	for lines.Scan() {
		storetest.Put(t, b, storetest.Input(t, lines.Text()), bucketlite.Insert)
	}
	for _, indexes := range []string{"none", "values", "values and texts"} {
		switch indexes {
		case "values":
			if err := b.EnsureIndex(ctx, "title", "price", "stock", "tags", "released", "code", "meta.author.name", "lines.qty", "lines.colour"); err != nil {
				t.Fatal(err)
			}
		case "values and texts":
			if err := b.EnsureTextIndex(ctx); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range cases {
			text, err := json.Marshal(c.Filters)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			written, err := bucketlite.ParseFilter(text)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			for _, f := range []bucketlite.Filter{c.Filters, written} {
				got := []string{}
				for o, err := range b.Objects(ctx, bucketlite.Query{Filter: f, Sort: c.Sort, Search: c.Search}) {
					if err != nil {
						t.Fatalf("%s: %v", c.Name, err)
					}
					got = append(got, o.ID)
				}
				if !slices.Equal(got, c.Want) {
					t.Errorf("%s, indexes: %s: %v: got %v, want %v", c.Name, indexes, f, got, c.Want)
				}
			}
		}
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Of a wrong query every fault is named with its place, and a strange one means
// what it says.
func TestQueryFaults(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	storetest.PutItem(t, b, storetest.Item("k", "v"))
	long := strings.Repeat
	many := func(n int) (words string) {
		for i := range n {
			words += fmt.Sprint(i, " ")
		}
		return words
	}
	deep := bucketlite.Eq("v", "v")
	for range 40 {
		deep = bucketlite.And(deep)
	}
	tests := map[string]struct {
		query  bucketlite.Query
		faults []string // nil if it is not a QueryError
	}{
		"limit below 0":         {query: bucketlite.Query{Limit: -1}},
		"limit too high":        {query: bucketlite.Query{Limit: 1_000_000_000}},
		"offset below 0":        {query: bucketlite.Query{Offset: -1}},
		"offset too high":       {query: bucketlite.Query{Offset: bucketlite.MaxOffset + 1}},
		"offset and cursor":     {query: bucketlite.Query{Offset: 1, Cursor: "x"}},
		"cursor":                {query: bucketlite.Query{Cursor: "x"}},
		"direction and path":    {query: bucketlite.Query{Sort: []bucketlite.Sort{{Field: "v", Direction: "up"}, {Field: "a..b"}}}, faults: []string{"sort[0].direction: enum", "sort[1].field: path"}},
		"too many to sort by":   {query: bucketlite.Query{Sort: make([]bucketlite.Sort, bucketlite.MaxSort+1)}, faults: []string{"sort: size"}},
		"select":                {query: bucketlite.Query{Select: []string{"v", "", "a\x00"}}, faults: []string{"select[1]: path", "select[2]: path"}},
		"search: utf8":          {query: bucketlite.Query{Search: "\xff"}, faults: []string{"search: utf8"}},
		"too deep":              {query: bucketlite.Query{Filter: deep}, faults: []string{"filters.AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0]: depth"}},
		"regex":                 {query: bucketlite.Query{Filter: bucketlite.And(bucketlite.Eq("v", "v"), bucketlite.Regex("v", "("))}, faults: []string{"filters.AND[1].value: pattern"}},
		"a null to be above of": {query: bucketlite.Query{Filter: bucketlite.Gt("v", nil)}, faults: []string{"filters.value: type"}},
		"path with NUL":         {query: bucketlite.Query{Filter: bucketlite.Exists("v\x00"), Sort: []bucketlite.Sort{bucketlite.Asc("v\x00")}}, faults: []string{"filters.field: path", "sort[0].field: path"}},
		"path too deep":         {query: bucketlite.Query{Filter: bucketlite.Exists(long("v.", 32) + "v"), Sort: []bucketlite.Sort{bucketlite.Desc(long("v.", 32) + "v")}}, faults: []string{"filters.field: path", "sort[0].field: path"}},
		"name too long":         {query: bucketlite.Query{Filter: bucketlite.Exists(long("é", 256)), Sort: []bucketlite.Sort{bucketlite.Asc(long("é", 256))}}, faults: []string{"filters.field: path", "sort[0].field: path"}},
		"text too long":         {query: bucketlite.Query{Filter: bucketlite.Eq("v", long("v", 64<<10+1))}, faults: []string{"filters.value: size"}},
		"search too long":       {query: bucketlite.Query{Search: long("v", 64<<10+1)}, faults: []string{"search: size"}},
		"search for too much":   {query: bucketlite.Query{Search: many(1001)}, faults: []string{"search: count"}},
		"pattern too long":      {query: bucketlite.Query{Filter: bucketlite.Regex("v", long("v", 1001))}, faults: []string{"filters.value: pattern"}},
		"too many values":       {query: bucketlite.Query{Filter: bucketlite.In("n", make([]int, 10_001)...)}, faults: []string{"filters.value: count"}},
		"above a list":          {query: bucketlite.Query{Filter: bucketlite.Not(bucketlite.Eq("n", 1), bucketlite.Gt("n", []int{5}))}, faults: []string{"filters.NOT[1].value: type"}},
		"no datetime":           {query: bucketlite.Query{Filter: bucketlite.Gt("created_at", "yesterday")}, faults: []string{"filters.value: type"}},
		"two at once": {query: bucketlite.Query{Filter: bucketlite.Contains("", "x"), Sort: []bucketlite.Sort{{Direction: "asc"}}},
			faults: []string{"filters.field: path", "sort[0].field: path"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := b.List(ctx, test.query)
			storetest.WantError(t, err, bucketlite.ErrBadRequest)
			if test.faults != nil {
				wantQueryError(t, err, test.faults...)
			}
			if _, err := b.Explain(ctx, test.query); err == nil {
				t.Error("it was explained")
			}
		})
	}
	for name, q := range map[string]bucketlite.Query{
		"in nothing":   {Filter: bucketlite.In[string]("v")},
		"any of none":  {Filter: bucketlite.Or()},
		"past the end": {Offset: bucketlite.MaxOffset},
	} {
		if p, err := b.List(ctx, q); err != nil || len(p.Results) != 0 || p.Next != "" {
			t.Errorf("%s: got %d objects, %v, want none", name, len(p.Results), err)
		}
	}
}

// A name is a name, whatever it looks like to SQL, JSON or a pattern.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	names := []string{`"`, `'`, `'); DROP TABLE object; --`, "$", "$[0]", "#", "a b", "?1", "`", `\`, `\u0041`, "select", "*", "%", "_", "é", "\n", "[*]", "NULL", "rowid", "seq",
		"NEAR(a b)", "text:x", "-x", "^x", "a + b", "x OR y", "{x}: y", `"x" *`}
	properties := make(map[string]bucketlite.Field)
	for _, name := range names {
		properties[name] = bucketlite.Field{Type: bucketlite.String}
	}
	for _, indexed := range []bool{false, true} {
		b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Name: "hostile", Schema: bucketlite.Schema{Properties: properties}})
		if indexed {
			if err := b.EnsureIndex(ctx, names...); err != nil {
				t.Fatal(err)
			}
			if err := b.EnsureTextIndex(ctx, names...); err != nil {
				t.Fatal(err)
			}
		}
		for i, name := range names {
			storetest.Put(t, b, bucketlite.ObjectInput{ID: fmt.Sprint(i), Fields: map[string]any{name: name + name + name}}, bucketlite.Insert)
		}
		for i, name := range names {
			text := name + name + name
			for _, f := range []bucketlite.Filter{bucketlite.Eq(name, text), bucketlite.Contains(name, text), bucketlite.StartsWith(name, name), bucketlite.In(name, text, "x"), bucketlite.Exists(name)} {
				for _, q := range []bucketlite.Query{{Filter: f}, {Filter: f, Sort: []bucketlite.Sort{bucketlite.Desc(name)}, Select: []string{name}}, {Filter: f, Search: text}} {
					p, err := b.List(ctx, q)
					if err != nil || len(p.Results) != 1 || p.Results[0].ID != fmt.Sprint(i) || p.Results[0].Fields[name] != text {
						t.Errorf("indexed %t: %v: got %v, %v", indexed, f, p, err)
					}
				}
			}
			if p, err := b.List(ctx, bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc(name)}, Limit: 1}); err != nil || p.Results[0].ID != fmt.Sprint(i) {
				t.Errorf("indexed %t: sorted by %q: got %v, %v", indexed, name, p, err)
			}
		}
	}
}

// manyStates has 759 characters and a program of nearly 100,000 instructions, which
// took a minute to match with a text of 40 kB.
var manyStates = `(?:` + strings.Repeat("a?", 375) + `){130}z`

// scans are the calls that match a filter with objects.
var scans = map[string]func(context.Context, *bucketlite.Bucket, bucketlite.Filter) error{
	"List": func(ctx context.Context, b *bucketlite.Bucket, f bucketlite.Filter) error {
		return storetest.ErrorOf(b.List(ctx, bucketlite.Query{Filter: f}))
	},
	"List sorted": func(ctx context.Context, b *bucketlite.Bucket, f bucketlite.Filter) error {
		return storetest.ErrorOf(b.List(ctx, bucketlite.Query{Filter: f, Sort: []bucketlite.Sort{bucketlite.Asc("k")}}))
	},
	"List with a total": func(ctx context.Context, b *bucketlite.Bucket, f bucketlite.Filter) error {
		return storetest.ErrorOf(b.List(ctx, bucketlite.Query{Filter: f, Total: true}))
	},
	"Objects": func(ctx context.Context, b *bucketlite.Bucket, f bucketlite.Filter) error {
		return storetest.LastError(b.Objects(ctx, bucketlite.Query{Filter: f}))
	},
	"Aggregate": func(ctx context.Context, b *bucketlite.Bucket, f bucketlite.Filter) error {
		return storetest.ErrorOf(b.Aggregate(ctx, bucketlite.Aggregation{Filter: f, GroupBy: []bucketlite.GroupBy{{Field: "n"}}, Metrics: []bucketlite.Metric{{Function: bucketlite.MetricCount, Alias: "n"}}}))
	},
	"ListStats": func(ctx context.Context, b *bucketlite.Bucket, f bucketlite.Filter) error {
		return storetest.ErrorOf(b.ListStats(ctx, bucketlite.Query{Filter: f}))
	},
}

func TestRegexCostsTooMuch(t *testing.T) {
	t.Parallel()
	b := storetest.Items(t, storetest.Open(t))
	o := storetest.PutItem(t, b, storetest.Item("k", strings.Repeat("a", 40_000)))
	for name, scan := range scans {
		for _, filter := range []bucketlite.Filter{bucketlite.Regex("v", manyStates), bucketlite.Not(bucketlite.Regex("v", manyStates))} {
			err := scan(context.Background(), b, filter)
			if !errors.Is(err, bucketlite.ErrTooLarge) {
				t.Errorf("%s: got %v, want %v", name, err, bucketlite.ErrTooLarge)
				continue
			}
			for _, part := range []string{`"items"`, o.ID, "v: ", "40000 bytes"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%s: got %v, want it to name %s", name, err, part)
				}
			}
		}
	}
}

func TestRegexCostsTooMuchInList(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	config := storetest.ItemsConfig("long")
	config.Description = strings.Repeat("a", 40_000)
	b := storetest.Bucket(t, st, config)
	_, err := storetest.Namespace(t, st).ListBuckets(context.Background(), bucketlite.Query{Filter: bucketlite.Regex("description", manyStates)})
	if !errors.Is(err, bucketlite.ErrTooLarge) || !strings.Contains(err.Error(), b.ID()) {
		t.Errorf("got %v, want %v that names %s", err, bucketlite.ErrTooLarge, b.ID())
	}
}

// Patterns that take long to parse are refused, where they stand.
func TestRegexTooLarge(t *testing.T) {
	t.Parallel()
	b := storetest.Items(t, storetest.Open(t))
	costly := bucketlite.Regex("v", `[`+strings.Repeat("B-\U0001e943", 333)+`]`)
	err := storetest.ErrorOf(b.List(context.Background(), bucketlite.Query{Filter: bucketlite.And(bucketlite.Eq("k", "k"), costly)}))
	var bad *bucketlite.QueryError
	if !errors.As(err, &bad) || bad.Issues[0].Path != "filters.AND[1].value" || bad.Issues[0].Rule != "pattern" {
		t.Errorf("got %v, want a fault of filters.AND[1].value", err)
	}
}

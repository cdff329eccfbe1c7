package bucketlite_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
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

// What is wrong with a built filter shows when it is marshalled, all at once.
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
	if !errors.As(err, &bad) || len(bad.Issues) != 100 || bad.Omitted != 400 || bad.Subject != "filter" {
		t.Fatalf("got %+v", bad)
	}
	if len(bad.Error()) > 1000 || !strings.HasPrefix(bad.Error(), "bucketlite: ") {
		t.Errorf("got %q", bad.Error())
	}
}

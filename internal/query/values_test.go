package query_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

func TestValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		doc, path string
		values    string // as JSON
		asc, desc any    // what is sorted by
	}{
		{`{}`, "a", `[]`, nil, nil},
		{`{"a":null}`, "a", `[null]`, nil, nil},
		{`{"a":5}`, "a", `[5]`, int64(5), int64(5)},
		{`{"a":5}`, "a.b", `[]`, nil, nil},
		{`{"a":[]}`, "a", `[]`, nil, nil},
		{`{"a":[3,null,7.5,[1,[9]]]}`, "a", `[3,null,7.5,1,9]`, int64(1), int64(9)},
		{`{"a":["b","B","c"]}`, "a", `["b","B","c"]`, "B", "c"},
		{`{"a":[{"b":[2,1]},{"c":9},{"b":null},5,{"b":{"c":3}}]}`, "a.b", `[2,1,null,{"c":3}]`, int64(1), query.Object(`{"c":3}`)},
		{`{"a":[true,"x",5,false,{}]}`, "a", `[true,"x",5,false,{}]`, false, query.Object(`{}`)},
		{`{"a":{"b":{"c":"x"}}}`, "a.b.c", `["x"]`, "x", "x"},
		{`{"a":[0.5,0.25]}`, "a", `[0.5,0.25]`, 0.25, 0.5},
	}
	for _, test := range tests {
		doc, path := document(t, test.doc), strings.Split(test.path, ".")
		got := string(value.Append(nil, query.Values(doc, path)))
		if got != test.values {
			t.Errorf("%s: %s: got %s, want %s", test.doc, test.path, got, test.values)
		}
		for _, desc := range []bool{false, true} {
			want := test.asc
			if desc {
				want = test.desc
			}
			v := query.SortValue(doc, path, query.Type{Many: true}, desc)
			if n, ok := v.(query.Num); ok {
				if v, ok = n.Int(); !ok {
					v = n.Float()
				}
			}
			if i, ok := v.(int64); ok && fmt.Sprint(i) == "0" && want == nil {
				t.Errorf("%s: %s: got a number for nothing", test.doc, test.path)
			}
			if v != want {
				t.Errorf("%s: %s, desc %t: got %#v, want %#v", test.doc, test.path, desc, v, want)
			}
		}
	}
}

func TestSortValueDateTime(t *testing.T) {
	t.Parallel()
	doc := document(t, `{"at":["2024-03-01T12:30:00+01:00","2024-03-01T12:00:00Z","2024-03-01T11:45:00"]}`)
	path := []string{"at"}
	typ := query.Type{Kind: query.DateTime, Many: true}
	if got, want := query.SortValue(doc, path, typ, false), instant(t, "2024-03-01T11:30:00Z"); got != want {
		t.Errorf("ascending: got %v, want %v", got, want)
	}
	if got, want := query.SortValue(doc, path, typ, true), instant(t, "2024-03-01T12:00:00Z"); got != want {
		t.Errorf("descending: got %v, want %v", got, want)
	}
	if got := query.SortValue(doc, path, query.Type{Many: true}, false); got != "2024-03-01T11:45:00" {
		t.Errorf("undeclared: got %v", got)
	}
}

package query_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/query"
)

// byName declares paths by their first segment.
func byName(path []string) query.Type {
	switch path[0] {
	case "s":
		return query.Type{Kind: query.String}
	case "n":
		return query.Type{Kind: query.Number}
	case "b":
		return query.Type{Kind: query.Boolean}
	case "day":
		return query.Type{Kind: query.Date}
	case "days":
		return query.Type{Kind: query.Date, Many: true}
	case "at":
		return query.Type{Kind: query.DateTime}
	case "ats":
		return query.Type{Kind: query.DateTime, Many: true}
	}
	return query.Type{Many: true}
}

// Faults by the declared type of a path.
func TestCompileFaults(t *testing.T) {
	t.Parallel()
	const at, day = `"2024-03-01T12:00:00Z"`, `"2024-03-01"`
	tests := []struct {
		field, op, value string
		want             []string
	}{
		{"at", "eq", at, nil},
		{"at", "eq", `null`, nil},
		{"at", "eq", day, []string{"value: type"}},
		{"at", "ne", `"noon"`, []string{"value: type"}},
		{"at", "eq", `5`, []string{"value: type"}},
		{"at", "eq", `true`, []string{"value: type"}},
		{"at", "eq", `{}`, []string{"value: type"}},
		{"at", "eq", `[` + at + `]`, []string{"value: type"}},
		{"at", "gt", at, nil},
		{"at", "gt", `"2024-03-01 12:00:00Z"`, []string{"value: type"}},
		{"at", "lte", `1709294400`, []string{"value: type"}},
		{"at", "gt", `null`, []string{"value: type"}},
		{"at", "in", `[` + at + `,null]`, nil},
		{"at", "in", `[` + at + `,` + day + `,5,null,[]]`, []string{"value[1]: type", "value[2]: type", "value[4]: type"}},
		{"at", "nin", `["2024-02-30T00:00:00Z"]`, []string{"value[0]: type"}},
		{"at", "starts_with", `"2024"`, nil},
		{"at", "regex", `"^2024"`, nil},
		{"at", "exists", `true`, nil},
		{"ats", "eq", at, nil},
		{"ats", "eq", `[` + at + `]`, nil},
		{"ats", "eq", `["x"]`, nil}, // as a whole it is what it is
		{"ats", "eq", `"x"`, []string{"value: type"}},
		{"ats", "eq", `{}`, []string{"value: type"}},
		{"ats", "in", `[` + at + `,[` + at + `],"x"]`, []string{"value[2]: type"}},
		{"ats", "gt", `[]`, []string{"value: type"}},

		{"day", "eq", day, nil},
		{"day", "eq", `null`, nil},
		{"day", "eq", at, []string{"value: type"}},
		{"day", "ne", `"2024-02-30"`, []string{"value: type"}},
		{"day", "gt", `"2024"`, []string{"value: type"}},
		{"day", "lt", `5`, []string{"value: type"}},
		{"day", "in", `[` + day + `,"x"]`, []string{"value[1]: type"}},
		{"day", "eq", `[]`, []string{"value: type"}},
		{"day", "starts_with", `"2024-"`, nil},
		{"days", "eq", `[` + day + `]`, nil},
		{"days", "gte", `[` + day + `]`, []string{"value: type"}},

		// Other types are equal to nothing of another type, and that is no fault.
		{"n", "eq", `"5"`, nil},
		{"n", "gt", `"5"`, nil},
		{"n", "contains", `"5"`, nil},
		{"s", "lt", `5`, nil},
		{"b", "in", `[1,"true"]`, nil},
	}
	for _, test := range tests {
		text := fmt.Sprintf(`{"field":%q,"operator":%q,"value":%s}`, test.field, test.op, test.value)
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			e, err := query.Parse(tree(t, text))
			if err == nil {
				_, err = query.Compile(e, byName)
			}
			wantFaults(t, err, test.want...)
		})
	}
}

// Faults are located where the filter was written, or else in its canonical form.
func TestCompilePlaces(t *testing.T) {
	t.Parallel()
	short := parsed(t, `{"n":1,"at":"x","OR":[{"day":"y"},{"field":"at","value":5}],"AND":[{"at":1}],"NOT":{"day":""}}`)
	_, err := query.Compile(short, byName)
	wantFaults(t, err, "AND[0].at: type", "NOT.day: type", "OR[0].day: type", "OR[1].value: type", "at: type")

	again := parsed(t, string(short.Append(nil)))
	_, err = query.Compile(again, byName)
	wantFaults(t, err, "AND[0].value: type", "AND[1].NOT[0].value: type", "AND[2].OR[0].value: type", "AND[2].OR[1].value: type", "AND[3].value: type")

	one := parsed(t, `{"at":"x"}`)
	_, err = query.Compile(one, byName)
	wantFaults(t, err, "at: type")

	made := query.Group(query.Or, query.Condition("day", query.Gt, 5), query.Group(query.Not, one, short))
	_, err = query.Compile(made, byName)
	wantFaults(t, err, "OR[0].value: type", "OR[1].NOT[0].at: type",
		"OR[1].NOT[1].AND[0].at: type", "OR[1].NOT[1].NOT.day: type", "OR[1].NOT[1].OR[0].day: type", "OR[1].NOT[1].OR[1].value: type", "OR[1].NOT[1].at: type")
}

func conditionOf(t *testing.T, text string) *query.Node {
	t.Helper()
	return compiled(t, text, byName).Root
}

// The nodes as a compiler to another language finds them.
func TestNodes(t *testing.T) {
	t.Parallel()
	num := func(v any) query.Num {
		n, ok := query.NumOf(v)
		if !ok {
			t.Fatalf("%v is no number", v)
		}
		return n
	}
	noon := instant(t, "2024-03-01T12:00:00Z")
	tests := []struct {
		filter  string
		op      query.Op
		negated bool
		value   any
	}{
		{`{"n":5.0}`, query.Eq, false, num(5)},
		{`{"field":"n","operator":"ne","value":"É x"}`, query.Eq, true, "É x"},
		{`{"s":"ÉÀ X"}`, query.Eq, false, "ÉÀ x"},
		{`{"s":"éX","case_sensitive":true}`, query.Eq, false, "éX"},
		{`{"b":true}`, query.Eq, false, true},
		{`{"b":null}`, query.IsNull, false, nil},
		{`{"field":"b","operator":"ne","value":null}`, query.IsNull, true, nil},
		{`{"field":"b","operator":"is_null","value":false}`, query.IsNull, true, nil},
		{`{"field":"b","operator":"exists"}`, query.Exists, false, nil},
		{`{"field":"b","operator":"exists","value":false}`, query.Exists, true, nil},
		{`{"at":"2024-03-01T13:00:00+01:00"}`, query.Eq, false, noon},
		{`{"field":"at","operator":"gte","value":"2024-03-01T12:00:00"}`, query.Gte, false, noon},
		{`{"field":"n","operator":"lt","value":0.5}`, query.Lt, false, num(0.5)},
		{`{"field":"s","operator":"contains","value":"ABC"}`, query.Contains, false, "abc"},
		{`{"field":"s","operator":"ends_with","value":"ABC","case_sensitive":true}`, query.EndsWith, false, "ABC"},
	}
	for _, test := range tests {
		n := conditionOf(t, test.filter)
		if n.Op != test.op || n.Negated != test.negated || n.Value != test.value {
			t.Errorf("%s: got %s, negated %t, %#v, want %s, %t, %#v", test.filter, n.Op, n.Negated, n.Value, test.op, test.negated, test.value)
		}
	}

	n := conditionOf(t, `{"field":"x.y","operator":"nin","value":[null,5,"A","a",5.0,false,true,{"a":1},{"a":1.0},[]]}`)
	set := n.Value.(*query.Set)
	wantEqual(t, "operator and negated", []any{n.Op, n.Negated}, []any{query.In, true})
	wantEqual(t, "set: null, true and false", []bool{set.Null, set.True, set.False}, []bool{true, true, true})
	wantEqual(t, "set: its size and wholes", []int{set.Len(), len(set.Wholes)}, []int{7, 2})
	wantEqual(t, "set: numbers", set.Nums, []query.Num{num(5)})
	wantEqual(t, "set: strings", set.Strings, []string{"a"})
	if !slices.Equal(n.Path, []string{"x", "y"}) || n.Type != (query.Type{Many: true}) {
		t.Errorf("path and type: got %q, %+v", n.Path, n.Type)
	}
	n = conditionOf(t, `{"field":"at","operator":"in","value":["2024-03-01T12:00:00Z","2024-03-01T13:00:00+01:00"]}`)
	if set := n.Value.(*query.Set); !slices.Equal(set.Instants, []query.Instant{noon}) || set.Len() != 1 || n.Type.Kind != query.DateTime {
		t.Errorf("got %+v", set)
	}
	if n = conditionOf(t, `{"field":"s","operator":"in","value":[]}`); n.Value.(*query.Set).Len() != 0 {
		t.Errorf("got %+v", n.Value)
	}
	if n = conditionOf(t, `{"field":"s","operator":"regex","value":"a+"}`); n.Value.(*pattern.Pattern).String() != "(?i)a+" {
		t.Errorf("got %v", n.Value)
	}
	if n = conditionOf(t, `{"field":"s","operator":"text","value":"b A b"}`); !slices.Equal(n.Value.(*query.WordSet).Words, []string{"a", "b"}) {
		t.Errorf("got %+v", n.Value)
	}
	if n = conditionOf(t, `{"s":[1]}`); n.Value.(*query.Whole) == nil {
		t.Errorf("got %+v", n.Value)
	}
	n = conditionOf(t, `{"OR":[{"a":1},{"NOT":[]}],"case_sensitive":true}`)
	if n.Op != query.Or || len(n.Nodes) != 2 {
		t.Fatalf("got %s of %d nodes, want OR of 2", n.Op, len(n.Nodes))
	}
	wantEqual(t, "the first minds case", n.Nodes[0].CaseSensitive, true)
	wantEqual(t, "operator of the second", n.Nodes[1].Op, query.Not)
	wantEqual(t, "nodes of the second", len(n.Nodes[1].Nodes), 0)
	p, err := query.Compile(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "the filter of everything: operator", p.Root.Op, query.And)
	wantEqual(t, "the filter of everything: nodes", len(p.Root.Nodes), 0)
	wantEqual(t, "the filter of everything matches", p.Match(query.Map{}, new(query.Work)), true)
}

package query_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

func TestConditionCopies(t *testing.T) {
	t.Parallel()
	inner := map[string]any{"n": 1}
	list := []any{inner, "x"}
	e := query.Condition("a", query.In, list)
	args := []*query.Expr{e, e}
	group := query.Group(query.Or, args...)
	list[1], inner["n"], args[0] = "y", 2, nil
	want := `{"OR":[{"field":"a","operator":"in","value":[{"n":1},"x"]},{"field":"a","operator":"in","value":[{"n":1},"x"]}]}`
	if got := string(group.Append(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A filter made of Go values equals the one read from its JSON form.
func TestConditionIsParsed(t *testing.T) {
	t.Parallel()
	type word string
	five := 5
	for _, v := range []any{
		nil, true, "text", word("w"), 5, int8(-5), uint64(math.MaxUint64), 0.1, float32(0.1), 1e300, &five, (*int)(nil),
		time.Date(2024, 3, 1, 12, 0, 0, 5, time.FixedZone("", 3600)), []string{"a"}, []int(nil), map[string]int{"x": 1}, [2]any{1, nil},
	} {
		e := query.Condition("a", query.Eq, v)
		again := parsed(t, string(e.Append(nil)))
		if !again.Equal(e) || !reflect.DeepEqual(again.Value, e.Value) {
			t.Errorf("%#v: got %#v, want %#v", v, again.Value, e.Value)
		}
	}
}

func TestConditionFaults(t *testing.T) {
	t.Parallel()
	bad := []any{1, "\xff", map[string]any{"f": func() {}, "n": math.NaN()}}
	e := query.Condition("a", query.In, bad)
	wantFaults(t, e.Check(), "value[1]: utf8", "value[2].f: type", "value[2].n: number")
	wantFaults(t, query.Group(query.Not, e).Check(), "NOT[0].value[1]: utf8", "NOT[0].value[2].f: type", "NOT[0].value[2].n: number")
	wantFaults(t, query.Condition("a", query.Eq, "\x00").Check(), "value: nul")
	wantFaults(t, query.Condition("a", query.Eq, []byte("x")).Check(), "value: type")
	wantFaults(t, query.Condition("a\xff", query.Eq, 1).Check(), "field: path")
	wantFaults(t, query.Condition("a\x00", query.Eq, 1).Check(), "field: path")
	wantFaults(t, query.Condition("a", "like", 1).Check(), "operator: unknown")
	wantFaults(t, query.Condition("a", "", 1).Check(), "operator: unknown")
	wantFaults(t, query.Condition("a", query.Exists, nil).Check(), "value: type")
	wantFaults(t, query.Condition("a", query.Eq, map[string]any{"type": "dynamic", "field": "x"}).Check(), "value: dynamic")
	wantFaults(t, query.Condition("a", query.Eq, strings.Repeat("x", 2<<20)).Check(), "value: size")
	itself := map[string]any{}
	itself["x"] = itself
	wantFaults(t, query.Condition("a", query.Eq, itself).Check(), "value"+strings.Repeat(".x", 100)+": depth")
}

// A filter that is part of itself many times over has no more faults, and takes
// no more time, than one that is merely too large.
func TestGroupShared(t *testing.T) {
	t.Parallel()
	for _, e := range []*query.Expr{query.Condition("a", query.Eq, 1), nil} {
		for range 31 {
			e = query.Group(query.And, e, e)
		}
		if got := faultsOf(t, e.Check()); len(got) != 1 || !strings.HasSuffix(got[0], ": count") {
			t.Errorf("got %q, want one fault", got)
		}
		if got := e.String(); len(got) > 3000 {
			t.Errorf("got a text of %d bytes", len(got))
		}
	}
	deep := query.Condition("a", query.Eq, 1)
	for range 100_000 {
		deep = query.Group(query.And, deep)
	}
	wantFaults(t, deep.Check(), strings.TrimSuffix(strings.Repeat("AND[0].", 32), ".")+": depth")
}

func TestEqual(t *testing.T) {
	t.Parallel()
	forms := []string{
		`{}`, `{"OR":[]}`, `{"NOT":[]}`, `{"case_sensitive":true}`, `{"case_sensitive":false}`, `{"AND":[{}]}`, `{"OR":[{}]}`,
		`{"a":1}`, `{"a":"1"}`, `{"a":2}`, `{"b":1}`, `{"a":null}`, `{"a":1,"case_sensitive":true}`, `{"a":1,"case_sensitive":false}`,
		`{"field":"a","operator":"ne","value":1}`, `{"AND":[{"a":1}]}`, `{"AND":[{"a":1},{"a":1}]}`, `{"AND":[{"a":1},{"b":1}]}`, `{"AND":[{"b":1},{"a":1}]}`, `{"OR":[{"a":1},{"b":1}]}`,
	}
	for i, a := range forms {
		for j, b := range forms {
			if got := parsed(t, a).Equal(parsed(t, b)); got != (i == j) {
				t.Errorf("%s equals %s: got %t, want %t", a, b, got, i == j)
			}
		}
	}
	same := [][2]string{{`{"a":1}`, `{"field":"a","value":1.0}`}, {`null`, `{"AND":[]}`}, {`{"a":1,"b":2}`, `{"AND":[{"a":1},{"b":2}]}`}}
	for _, pair := range same {
		if !parsed(t, pair[0]).Equal(parsed(t, pair[1])) {
			t.Errorf("%s does not equal %s", pair[0], pair[1])
		}
	}
	var none *query.Expr
	if !none.Equal(nil) || !none.Equal(parsed(t, `{}`)) || !parsed(t, `{}`).Equal(nil) || parsed(t, `{"a":1}`).Equal(nil) || none.Equal(parsed(t, `{"case_sensitive":true}`)) {
		t.Error("nil is not the filter that everything matches")
	}
}

func TestMindCase(t *testing.T) {
	t.Parallel()
	e := query.Condition("a", query.Eq, "Red")
	minded := e.MindCase(true)
	yes, no := true, false
	wantEqual(t, "original", e.CaseSensitive, nil)
	wantEqual(t, "minded", minded.CaseSensitive, &yes)
	wantEqual(t, "no longer minded", minded.MindCase(false).CaseSensitive, &no)
	var none *query.Expr
	if got := string(none.MindCase(true).Append(nil)); got != `{"case_sensitive":true}` {
		t.Errorf("got %s", got)
	}
	// Marked as a whole, what was written in short stays where it was written.
	short := query.Group(query.Or, parsed(t, `{"at":"x","n":1}`).MindCase(true))
	_, err := query.Compile(short, byName)
	wantFaults(t, err, "OR[0].at: type")
}

func TestExprString(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{`{}`, `everything`},
		{`{"OR":[]}`, `nothing`},
		{`{"NOT":[]}`, `everything`},
		{`{"a":"x y"}`, `a eq "x y"`},
		{`{"a":"x","case_sensitive":true}`, `a eq "x" (case sensitive)`},
		{`{"field":"a.b","operator":"in","value":[1,null,"x"]}`, `a.b in [1,null,"x"]`},
		{`{"a":1,"b":2}`, `a eq 1 and b eq 2`},
		{`{"OR":[{"a":1,"b":2},{"NOT":{"c":3}}]}`, `(a eq 1 and b eq 2) or not (c eq 3)`},
		{`{"NOT":[{"a":1},{"b":2}]}`, `not (a eq 1 or b eq 2)`},
		{`{"NOT":{"AND":[{"a":1},{"b":2}]}}`, `not (a eq 1 and b eq 2)`},
		{`{"AND":[{"OR":[{"a":1},{"b":2}]}]}`, `a eq 1 or b eq 2`},
		{`{"OR":[{"c":3},{"AND":[{"OR":[{"a":1},{"b":2}]}]}]}`, `c eq 3 or (a eq 1 or b eq 2)`},
		{`{"NOT":[{"OR":[]},{}]}`, `not (nothing or everything)`},
		{`{"AND":[{"a":1},{"b":2}],"case_sensitive":false}`, `(a eq 1 and b eq 2) (case insensitive)`},
		{`{"a":"` + strings.Repeat("ä", 2000) + `"}`, `a eq "` + strings.Repeat("ä", 997) + `…`},
	}
	for _, test := range tests {
		if got := parsed(t, test.in).String(); got != test.want {
			t.Errorf("%.50s: got %s, want %s", test.in, got, test.want)
		}
	}
	var none *query.Expr
	if got := none.String(); got != "everything" {
		t.Errorf("nil: got %s", got)
	}
}

func TestJSONIsPlain(t *testing.T) {
	t.Parallel()
	e := query.Group(query.And, query.Condition("a", query.Gt, 5), nil)
	v, ok := value.Plain(e.JSON(), nil, query.Limits(), nil)
	if !ok || !value.Equal(v, tree(t, `{"AND":[{"field":"a","operator":"gt","value":5},{}]}`)) {
		t.Errorf("got %v, %t", v, ok)
	}
	if got := string(e.Append([]byte("x"))); !strings.HasPrefix(got, `x{"AND"`) {
		t.Errorf("got %s", got)
	}
}

package query_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// The canonical form of what may be written in several ways.
func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{`null`, `{}`},
		{`{}`, `{}`},
		{`{"AND":[]}`, `{}`},
		{`{"AND":null,"OR":null,"NOT":null,"case_sensitive":null}`, `{}`},
		{`{"OR":[]}`, `{"OR":[]}`},
		{`{"NOT":[]}`, `{"NOT":[]}`},
		{`{"case_sensitive":false}`, `{"case_sensitive":false}`},
		{`{"title":"x"}`, `{"field":"title","operator":"eq","value":"x"}`},
		{`{"a.b":{"c":[1]}}`, `{"field":"a.b","operator":"eq","value":{"c":[1]}}`},
		{`{"title":"x","case_sensitive":true}`, `{"case_sensitive":true,"field":"title","operator":"eq","value":"x"}`},
		{`{"b":1.50,"a":null}`, `{"AND":[{"field":"a","operator":"eq","value":null},{"field":"b","operator":"eq","value":1.50}]}`},
		{`{"NOT":{"a":1}}`, `{"NOT":[{"field":"a","operator":"eq","value":1}]}`},
		{`{"AND":[{"a":1}],"b":2}`, `{"AND":[{"field":"a","operator":"eq","value":1},{"field":"b","operator":"eq","value":2}]}`},
		{`{"AND":[],"b":2}`, `{"AND":[{"field":"b","operator":"eq","value":2}]}`},
		{`{"AND":[{"a":1}]}`, `{"AND":[{"field":"a","operator":"eq","value":1}]}`},
		{`{"OR":[{}],"NOT":[null],"case_sensitive":true}`, `{"AND":[{"NOT":[{}]},{"OR":[{}]}],"case_sensitive":true}`},
		{`{"field":"a","value":1,"operator":null,"case_sensitive":null}`, `{"field":"a","operator":"eq","value":1}`},
		{`{"field":"a","operator":"exists"}`, `{"field":"a","operator":"exists","value":true}`},
		{`{"field":"a","operator":"is_null","value":null}`, `{"field":"a","operator":"is_null","value":true}`},
		{`{"field":"a","operator":"exists","value":false}`, `{"field":"a","operator":"exists","value":false}`},
		{`{"field":"f","colour":"c"}`, `{"AND":[{"field":"colour","operator":"eq","value":"c"},{"field":"field","operator":"eq","value":"f"}]}`},
		{`{"v":{"field":"x"}}`, `{"field":"v","operator":"eq","value":{"field":"x"}}`},
		{`{"v":{"type":"dynamic"}}`, `{"field":"v","operator":"eq","value":{"type":"dynamic"}}`},
		{`{"v":{"type":"static","field":"x"}}`, `{"field":"v","operator":"eq","value":{"field":"x","type":"static"}}`},
	}
	for _, test := range tests {
		e := parsed(t, test.in)
		if got := string(e.Append(nil)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.in, got, test.want)
		}
		if again := parsed(t, test.want); !again.Equal(e) || string(again.Append(nil)) != test.want {
			t.Errorf("%s: got %s another time", test.want, again.Append(nil))
		}
	}
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want []string
	}{
		{`5`, []string{": type"}},
		{`[]`, []string{": type"}},
		{`"a"`, []string{": type"}},
		{`{"AND":{"a":1}}`, []string{"AND: type"}},
		{`{"AND":5}`, []string{"AND: type"}},
		{`{"OR":{"a":1},"NOT":5}`, []string{"NOT: type", "OR: type"}},
		{`{"OR":[5,[],{"a":1},true]}`, []string{"OR[0]: type", "OR[1]: type", "OR[3]: type"}},
		{`{"NOT":[{"NOT":{"OR":["x"]}}]}`, []string{"NOT[0].NOT.OR[0]: type"}},
		{`{"case_sensitive":"yes"}`, []string{"case_sensitive: type"}},
		{`{"a":1,"case_sensitive":0}`, []string{"case_sensitive: type"}},

		// Conditions.
		{`{"field":"a"}`, []string{"value: required"}},
		{`{"field":"a","case_sensitive":true}`, []string{"value: required"}},
		{`{"field":"a","operator":"gt"}`, []string{"value: required"}},
		{`{"field":"a","operator":"equals"}`, []string{"operator: unknown"}},
		{`{"field":"a","operator":"EQ","value":1}`, []string{"operator: unknown"}},
		{`{"field":"a","operator":"AND","value":1}`, []string{"operator: unknown"}},
		{`{"field":"a","operator":"","value":1}`, []string{"operator: unknown"}},
		{`{"field":"a","operator":5,"value":1}`, []string{"operator: type"}},
		{`{"field":"a","value":1,"colour":2,"AND":[]}`, []string{"AND: unknown", "colour: unknown"}},
		{`{"field":"a","operator":"eq","colour":2}`, []string{"colour: unknown", "value: required"}},
		{`{"field":"a","value":1,"case_sensitive":1}`, []string{"case_sensitive: type"}},

		// Paths.
		{`{"field":"","value":1}`, []string{"field: path"}},
		{`{"field":"a..b","value":1}`, []string{"field: path"}},
		{`{"field":".a","value":1}`, []string{"field: path"}},
		{`{"":1}`, []string{`[""]: path`}},
		{`{"a.":1,"b":2}`, []string{`["a."]: path`}},
		{`{"OR":[{".":1}]}`, []string{`OR[0]["."]: path`}},
		{`{"` + strings.Repeat("a.", 31) + `a":1}`, nil},
		{`{"OR":[{"field":"` + strings.Repeat("a.", 32) + `a","value":1}]}`, []string{"OR[0].field: path"}},
		{`{"` + strings.Repeat("ä", 255) + `":1}`, nil},
		{`{"field":"` + strings.Repeat("ä", 256) + `","value":1}`, []string{"field: path"}},

		// Values.
		{`{"field":"a","operator":"gt","value":null}`, []string{"value: type"}},
		{`{"field":"a","operator":"lt","value":true}`, []string{"value: type"}},
		{`{"field":"a","operator":"gte","value":[1]}`, []string{"value: type"}},
		{`{"field":"a","operator":"lte","value":{}}`, []string{"value: type"}},
		{`{"field":"a","operator":"in","value":1}`, []string{"value: type"}},
		{`{"field":"a","operator":"nin","value":null}`, []string{"value: type"}},
		{`{"field":"a","operator":"in","value":{}}`, []string{"value: type"}},
		{`{"field":"a","operator":"contains","value":5}`, []string{"value: type"}},
		{`{"field":"a","operator":"starts_with","value":null}`, []string{"value: type"}},
		{`{"field":"a","operator":"ends_with","value":["x"]}`, []string{"value: type"}},
		{`{"field":"a","operator":"regex","value":5}`, []string{"value: type"}},
		{`{"field":"a","operator":"text","value":false}`, []string{"value: type"}},
		{`{"field":"a","operator":"exists","value":"yes"}`, []string{"value: type"}},
		{`{"field":"a","operator":"is_null","value":1}`, []string{"value: type"}},
		{`{"field":"a","operator":"regex","value":"a("}`, []string{"value: pattern"}},
		{`{"field":"a","operator":"regex","value":"a)(b"}`, []string{"value: pattern"}},
		{`{"field":"a","operator":"regex","value":"(?=a)"}`, []string{"value: pattern"}},
		{`{"field":"a","operator":"regex","value":"x{1001}"}`, []string{"value: pattern"}},
		{`{"field":"a","operator":"regex","value":"(x{100}){100}"}`, []string{"value: pattern"}},

		// Dynamic values.
		{`{"field":"a","value":{"type":"dynamic","field":"inputs.x"}}`, []string{"value: dynamic"}},
		{`{"OR":[{"a":{"type":"dynamic","field":"inputs.x"}}]}`, []string{"OR[0].a: dynamic"}},
		{`{"a.b":{"type":"dynamic","field":null}}`, []string{`["a.b"]: dynamic`}},
		{`{"field":"a","operator":"gt","value":{"type":"dynamic","field":"x"}}`, []string{"value: dynamic"}},
		{`{"field":"a","operator":"in","value":{"type":"dynamic","field":"x"}}`, []string{"value: dynamic"}},
		{`{"field":"a","operator":"in","value":[1,{"type":"dynamic","field":"x"}]}`, []string{"value[1]: dynamic"}},

		// Several, in the order in which they stand.
		{`{"AND":[{"field":"","operator":"gt","value":null},{"field":"x","operator":"zz","value":1}],"NOT":{"b":{"type":"dynamic","field":"q"}},"a..":1,"case_sensitive":5}`,
			[]string{"case_sensitive: type", "AND[0].field: path", "AND[0].value: type", "AND[1].operator: unknown", "NOT.b: dynamic", `["a.."]: path`}},
		// Except faults that could not be distinguished.
		{`{"field":"a","operator":5,"value":{"type":"dynamic","field":"x"}}`, []string{"operator: type"}},
	}
	for _, test := range tests {
		_, err := query.Parse(tree(t, test.in))
		if err == nil && test.want == nil {
			continue
		}
		t.Run(test.in, func(t *testing.T) { wantFaults(t, err, test.want...) })
	}
}

// repeat writes an array of n items.
func repeat(n int, item string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
}

func TestParseLimits(t *testing.T) {
	t.Parallel()
	nested := func(n int, inner string) string {
		return strings.Repeat(`{"OR":[`, n) + inner + strings.Repeat(`]}`, n)
	}
	deepValue := func(n int) string {
		return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`
	}
	list := func(n int) string { return `{"field":"a","operator":"in","value":` + repeat(n, "1") + `}` }
	regex := func(pattern string) string { return `{"field":"a","operator":"regex","value":"` + pattern + `"}` }
	long := strings.Repeat("x", query.MaxString)
	tests := []struct {
		name, in string
		want     []string
	}{
		{"groups at the limit of depth", nested(32, `{"a":1}`), nil},
		{"groups too deep", nested(33, `{"a":1}`), []string{strings.TrimSuffix(strings.Repeat("OR[0].", 32), ".") + ": depth"}},
		{"groups far too deep", nested(1000, `{"a":1}`), []string{strings.TrimSuffix(strings.Repeat("OR[0].", 32), ".") + ": depth"}},
		{"two that are too deep", `{"AND":[` + nested(32, `{"a":1}`) + `,` + nested(31, `{"a":1}`) + `,` + nested(40, `{}`) + `]}`,
			[]string{"AND[0]." + strings.TrimSuffix(strings.Repeat("OR[0].", 31), ".") + ": depth", "AND[2]." + strings.TrimSuffix(strings.Repeat("OR[0].", 31), ".") + ": depth"}},
		{"as many conditions as may be", `{"OR":` + repeat(1000, `{"a":1}`) + `}`, nil},
		{"too many conditions", `{"OR":` + repeat(5000, `{"a":1}`) + `}`, []string{"OR[1000]: count"}},
		{"as many groups as may be", `{"OR":` + repeat(999, `{}`) + `}`, nil},
		{"too many groups", `{"OR":` + repeat(5000, `{}`) + `}`, []string{"OR[999]: count"}},
		{"as many values as may be", list(10_000), nil},
		{"too many values", list(10_001), []string{"value: count"}},
		{"as many values in two lists", `{"AND":[` + list(6000) + `,` + list(4000) + `]}`, nil},
		{"too many values in two lists", `{"AND":[` + list(6000) + `,` + list(4001) + `]}`, []string{"AND[1].value: count"}},
		{"too many values in lists in a list", `{"a":` + repeat(101, repeat(100, `1`)) + `}`, []string{"a[98]: count"}},
		{"values as deep as may be", deepValue(100), nil},
		{"values too deep", deepValue(101), []string{"a" + strings.Repeat("[0]", 100) + ": depth"}},
		{"groups and values as deep as may be", nested(32, deepValue(100)), nil},
		{"a string as long as may be", `{"a":"` + long + `"}`, nil},
		{"strings too long", `{"a":"x` + long + `","b":["","y` + long + `"],"c":{"d":"z` + long + `"}}`, []string{"a: size", "b[1]: size", "c.d: size"}},
		{"a name too long", `{"a":{"x` + long + `":1}}`, []string{"a.x" + long + ": size"}},
		{"a pattern as long as may be", regex(strings.Repeat("ä", 1000)), nil},
		{"a pattern too long", regex(strings.Repeat("ä", 1001)), []string{"value: pattern"}},
		{"a large pattern", regex("(x{30}){30}"), nil},
		{"many large patterns", `{"OR":` + repeat(500, regex("x{1000}")) + `}`, []string{"OR[99].value: pattern"}},
		{"many large classes", `{"OR":` + repeat(900, regex(strings.Repeat(`\\pL`, 300))) + `}`, []string{"OR[1].value: pattern"}},
		{"as many bytes as may be", `{"AND":` + repeat(15, `{"a":"`+long+`"}`) + `}`, nil},
		{"too many bytes", `{"AND":` + repeat(16, `{"a":"`+long+`"}`) + `}`, []string{": size"}},
		{"no more faults than an error carries", `{"OR":` + repeat(500, `5`) + `}`, func() (want []string) {
			for i := range 100 {
				want = append(want, fmt.Sprintf("OR[%d]: type", i))
			}
			return want
		}()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e, err := query.Parse(tree(t, test.in))
			wantFaults(t, err, test.want...)
			if err == nil {
				// A text at the limit can be read again.
				v, err := value.Parse(e.Append(nil), query.Limits())
				if err != nil {
					t.Fatal(err)
				}
				if again, err := query.Parse(v); err != nil || !again.Equal(e) {
					t.Errorf("the canonical form is another filter: %v", err)
				}
				if _, err := query.Compile(e, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	_, err := query.Parse(tree(t, `{"OR":`+repeat(500, `5`)+`}`))
	if got, want := err.Error(), "OR[0]: a filter is an object, got 5; and 499 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = query.Parse("x")
	if got, want := err.Error(), `a filter is an object, got "x"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Numbers of Go are taken for their text, and what was given is not changed.
func TestParseGoNumbers(t *testing.T) {
	t.Parallel()
	list := []any{1, 2.5, "x"}
	e, err := query.Parse(map[string]any{"field": "a", "operator": "in", "value": list})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(e.Append(nil)), `{"field":"a","operator":"in","value":[1,2.5,"x"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if e.Value.([]any)[0] != json.Number("1") || list[0] != 1 {
		t.Errorf("got %#v of %#v", e.Value, list)
	}
}

package query_test

import (
	"fmt"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
)

// shapes are the documents that tables speak of, by what is at the path f.v. In
// the last ones the path leads through an array.
var shapes = map[string]string{
	"absent":        `{}`,
	"nowhere":       `{"f":{}}`,
	"scalar on way": `{"f":5}`,
	"null on way":   `{"f":null}`,
	"null":          `{"f":{"v":null}}`,
	"true":          `{"f":{"v":true}}`,
	"false":         `{"f":{"v":false}}`,
	"5":             `{"f":{"v":5}}`,
	"5.0":           `{"f":{"v":5.0}}`,
	"7":             `{"f":{"v":7}}`,
	"'5'":           `{"f":{"v":"5"}}`,
	"red":           `{"f":{"v":"red"}}`,
	"Red":           `{"f":{"v":"Red"}}`,
	"red shoe":      `{"f":{"v":"A red, red SHOE."}}`,
	"empty":         `{"f":{"v":""}}`,
	"[]":            `{"f":{"v":[]}}`,
	"[5,red]":       `{"f":{"v":[5,"red"]}}`,
	"[null]":        `{"f":{"v":[null]}}`,
	"[[Red],7]":     `{"f":{"v":[["Red"],7]}}`,
	"{}":            `{"f":{"v":{}}}`,
	"{a:Red}":       `{"f":{"v":{"a":"Red","n":[5]}}}`,
	"[{a:red}]":     `{"f":{"v":[1,{"n":[5.0],"a":"red"}]}}`,

	"way []":            `{"f":[]}`,
	"way [{}]":          `{"f":[{}]}`,
	"way [5,red]":       `{"f":[{"v":5},{"v":"red"}]}`,
	"way [7,absent]":    `{"f":[{"v":7},{}]}`,
	"way [[7],[[red]]]": `{"f":[[{"v":7}],[[{"v":["red"]}]]]}`,
	"way [7,null]":      `{"f":[{"v":7},{"v":null}]}`,
	"way scalars":       `{"f":["red",5]}`,
}

func TestMatch(t *testing.T) {
	t.Parallel()
	// Absent and null values, for the two groups of operators.
	nulls := []string{"absent", "nowhere", "scalar on way", "null on way", "null", "[null]", "way []", "way [{}]", "way [7,absent]", "way [7,null]", "way scalars"}
	reds := []string{"red", "Red", "[5,red]", "[[Red],7]", "way [5,red]", "way [[7],[[red]]]"}
	fives := []string{"5", "5.0", "[5,red]", "way [5,red]"}
	sevens := []string{"7", "[[Red],7]", "way [7,absent]", "way [[7],[[red]]]", "way [7,null]"}
	both := func(lists ...[]string) (all []string) {
		for _, l := range lists {
			all = append(all, l...)
		}
		return all
	}
	tests := []struct {
		op, value string
		want      []string
	}{
		{"eq", `null`, nulls},
		{"eq", `true`, []string{"true"}},
		{"eq", `false`, []string{"false"}},
		{"eq", `5`, fives},
		{"eq", `50e-1`, fives},
		{"eq", `"5"`, []string{"'5'"}},
		{"eq", `"rED"`, reds},
		{"eq", `""`, []string{"empty"}},
		{"eq", `[]`, []string{"[]"}},
		{"eq", `[5.0,"RED"]`, []string{"[5,red]"}},
		{"eq", `["red",5]`, nil},
		{"eq", `["red"]`, []string{"[[Red],7]", "way [[7],[[red]]]"}},
		{"eq", `[null]`, []string{"[null]"}},
		{"eq", `{}`, []string{"{}"}},
		{"eq", `{"n":[5],"a":"RED"}`, []string{"{a:Red}", "[{a:red}]"}},
		{"eq", `{"n":[5],"A":"red"}`, nil}, // names are compared exactly
		{"eq", `{"a":"Red"}`, nil},

		{"gt", `5`, sevens},
		{"gte", `5`, both(fives, sevens)},
		{"lt", `7`, both(fives, []string{"[{a:red}]"})}, // whose array begins with 1
		{"lt", `5`, []string{"[{a:red}]"}},
		{"lte", `5`, both(fives, []string{"[{a:red}]"})},
		{"gt", `"RE"`, reds},
		{"gt", `"Red"`, nil},
		{"gte", `"Red"`, reds},
		{"lt", `"a"`, []string{"'5'", "empty"}},
		{"lte", `"a RED, red shoe."`, []string{"'5'", "red shoe", "empty"}},
		{"lte", `""`, []string{"empty"}},

		{"in", `[]`, nil},
		{"in", `[null]`, nulls},
		{"in", `[7,5,7]`, both(fives, sevens)},
		{"in", `["RED",true,null]`, both(reds, nulls, []string{"true"})},
		{"in", `[false,{},[]]`, []string{"false", "{}", "[]"}},
		{"in", `[["Red"],{"a":"red","n":[5e0]}]`, []string{"[[Red],7]", "way [[7],[[red]]]", "{a:Red}", "[{a:red}]"}},

		{"contains", `"ED"`, both(reds, []string{"red shoe"})},
		{"contains", `"5"`, []string{"'5'"}},
		{"contains", `""`, both(reds, []string{"red shoe", "'5'", "empty"})},
		{"starts_with", `"RE"`, reds},
		{"starts_with", `"a RED"`, []string{"red shoe"}},
		{"ends_with", `"ED"`, reds},
		{"ends_with", `"Shoe."`, []string{"red shoe"}},
		{"regex", `"^r.D$"`, reds},
		{"regex", `"E[DH]|5"`, both(reds, []string{"red shoe", "'5'"})},
		{"text", `"RED"`, both(reds, []string{"red shoe"})},
		{"text", `"shoe red"`, []string{"red shoe"}},
		{"text", `"re"`, nil},
		{"text", `" - "`, nil},
		{"text", `""`, nil},

		{"exists", `true`, []string{
			"null", "true", "false", "5", "5.0", "7", "'5'", "red", "Red", "red shoe", "empty", "[]", "[5,red]", "[null]", "[[Red],7]", "{}", "{a:Red}", "[{a:red}]",
			"way [5,red]", "way [7,absent]", "way [[7],[[red]]]", "way [7,null]",
		}},
		{"is_null", `true`, nulls},
	}
	opposite := map[string]string{"eq": "ne", "in": "nin"}
	for _, test := range tests {
		t.Run(test.op+" "+test.value, func(t *testing.T) {
			t.Parallel()
			want := make(map[string]bool)
			for _, name := range test.want {
				if shapes[name] == "" {
					t.Fatalf("no shape %q", name)
				}
				want[name] = true
			}
			check := func(op, value string, negated bool) {
				p := compiled(t, fmt.Sprintf(`{"field":"f.v","operator":%q,"value":%s}`, op, value), nil)
				not := compiled(t, fmt.Sprintf(`{"NOT":{"field":"f.v","operator":%q,"value":%s}}`, op, value), nil)
				for name, doc := range shapes {
					if got := p.Match(document(t, doc), new(query.Work)); got != (want[name] != negated) {
						t.Errorf("%s %s: %s: got %t, want %t", op, value, name, got, !got)
					}
					if got := not.Match(document(t, doc), new(query.Work)); got != (want[name] == negated) {
						t.Errorf("not %s %s: %s: got %t, want %t", op, value, name, got, !got)
					}
				}
			}
			check(test.op, test.value, false)
			if op := opposite[test.op]; op != "" {
				check(op, test.value, true)
			}
			if test.op == "exists" || test.op == "is_null" {
				check(test.op, `false`, true)
				check(test.op, `null`, false)
			}
		})
	}
}

func TestMatchCaseSensitive(t *testing.T) {
	t.Parallel()
	tests := []struct {
		filter   string
		yes, not string // values of v
	}{
		{`{"v":"Red","case_sensitive":true}`, `"Red"`, `"red"`},
		{`{"v":"Red","case_sensitive":false}`, `"red"`, `"rod"`},
		{`{"field":"v","operator":"ne","value":"Red","case_sensitive":true}`, `"red"`, `"Red"`},
		{`{"field":"v","operator":"in","value":["Red"],"case_sensitive":true}`, `"Red"`, `"red"`},
		{`{"field":"v","operator":"nin","value":["Red"],"case_sensitive":true}`, `"red"`, `"Red"`},
		{`{"field":"v","operator":"gt","value":"Red","case_sensitive":true}`, `"a"`, `"REE"`},
		{`{"field":"v","operator":"gt","value":"Red"}`, `"REE"`, `"a"`},
		{`{"field":"v","operator":"lt","value":"a","case_sensitive":true}`, `"Z"`, `"b"`},
		{`{"field":"v","operator":"contains","value":"Re","case_sensitive":true}`, `"aRed"`, `"ared"`},
		{`{"field":"v","operator":"starts_with","value":"Re","case_sensitive":true}`, `"Red"`, `"red"`},
		{`{"field":"v","operator":"ends_with","value":"eD","case_sensitive":true}`, `"ReD"`, `"Red"`},
		{`{"field":"v","operator":"regex","value":"Re","case_sensitive":true}`, `"aRed"`, `"ared"`},
		{`{"field":"v","operator":"regex","value":"(?i)Re","case_sensitive":true}`, `"ared"`, `"rod"`},
		{`{"field":"v","operator":"text","value":"Red","case_sensitive":true}`, `"a Red"`, `"a red"`},
		{`{"v":{"a":["Red"]},"case_sensitive":true}`, `{"a":["Red"]}`, `{"a":["red"]}`},
		{`{"field":"v","operator":"in","value":[["Red"]],"case_sensitive":true}`, `["Red"]`, `["red"]`},

		// The innermost setting decides.
		{`{"AND":[{"v":"Red"}],"case_sensitive":true}`, `"Red"`, `"red"`},
		{`{"AND":[{"v":"Red","case_sensitive":false}],"case_sensitive":true}`, `"red"`, `"rod"`},
		{`{"OR":[{"AND":[{"v":"Red"}]}],"case_sensitive":true}`, `"Red"`, `"red"`},
		{`{"OR":[{"AND":[{"v":"Red"}],"case_sensitive":false}],"case_sensitive":true}`, `"red"`, `"rod"`},
		{`{"OR":[{"AND":[{"v":"Red"}],"case_sensitive":null}],"case_sensitive":true}`, `"Red"`, `"red"`},
		{`{"NOT":{"v":"Red"},"case_sensitive":true}`, `"red"`, `"Red"`},
	}
	for _, test := range tests {
		p := compiled(t, test.filter, nil)
		if !p.Match(document(t, `{"v":`+test.yes+`}`), new(query.Work)) {
			t.Errorf("%s: %s does not match", test.filter, test.yes)
		}
		if p.Match(document(t, `{"v":`+test.not+`}`), new(query.Work)) {
			t.Errorf("%s: %s matches", test.filter, test.not)
		}
	}
}

func TestMatchGroups(t *testing.T) {
	t.Parallel()
	const yes, no = `{"v":1}`, `{"v":2}`
	tests := []struct {
		filter string
		want   bool
	}{
		{`null`, true},
		{`{}`, true},
		{`{"case_sensitive":true}`, true},
		{`{"AND":null,"OR":null,"NOT":null,"case_sensitive":null}`, true},
		{`{"AND":[]}`, true},
		{`{"OR":[]}`, false},
		{`{"NOT":[]}`, true},
		{`{"AND":[null,{}]}`, true},
		{`{"NOT":[{}]}`, false},
		{`{"NOT":{}}`, false},
		{`{"NOT":{"OR":[]}}`, true},
		{`{"AND":[` + yes + `,` + yes + `]}`, true},
		{`{"AND":[` + yes + `,` + no + `]}`, false},
		{`{"OR":[` + no + `,` + yes + `]}`, true},
		{`{"OR":[` + no + `,` + no + `]}`, false},
		{`{"NOT":` + no + `}`, true},
		{`{"NOT":` + yes + `}`, false},
		{`{"NOT":[` + no + `,` + no + `]}`, true},
		{`{"NOT":[` + no + `,` + yes + `]}`, false}, // none of them, not merely not all
		{`{"NOT":{"AND":[` + no + `,` + yes + `]}}`, true},
		{`{"v":1,"w":"x"}`, true},
		{`{"v":1,"w":"y"}`, false},
		{`{"v":1,"OR":[` + yes + `]}`, true},
		{`{"v":1,"OR":[` + no + `]}`, false},
		{`{"v":1,"OR":[]}`, false},
		{`{"AND":[` + yes + `],"OR":[` + no + `]}`, false},
		{`{"AND":[` + no + `],"OR":[` + yes + `]}`, false},
		{`{"AND":[` + yes + `],"OR":[` + yes + `],"NOT":` + no + `}`, true},
		{`{"AND":[` + yes + `],"OR":[` + yes + `],"NOT":` + yes + `}`, false},
		{`{"and":[]}`, false}, // a field
		{`{"field":"w","value":"x"}`, true},
		{`{"field":"w","operator":null,"value":"x"}`, true},
		{`{"field":"f","colour":"c"}`, true}, // fields called field and colour
		{`{"field":"f","colour":"d"}`, false},
		{`{"field":5}`, false},
		{`{"field":null}`, false},
		{`{"operator":null,"value":null}`, true},
		{`{"operator":"eq","value":1}`, false},
	}
	doc := document(t, `{"v":1,"w":"x","field":"f","colour":"c"}`)
	for _, test := range tests {
		if got := compiled(t, test.filter, nil).Match(doc, new(query.Work)); got != test.want {
			t.Errorf("%s: got %t, want %t", test.filter, got, test.want)
		}
	}
}

func TestMatchDateTime(t *testing.T) {
	t.Parallel()
	const noon = `"2024-03-01T12:00:00Z"`
	tests := []struct {
		op, value string
		yes, not  []string // datetimes at v
	}{
		{"eq", noon,
			[]string{`"2024-03-01T12:00:00Z"`, `"2024-03-01T12:00:00"`, `"2024-03-01t12:00:00.000z"`, `"2024-03-01T13:00:00+01:00"`, `"2024-02-29T23:59:00-12:01"`, `["2024-03-01T11:00:00-01:00"]`},
			[]string{`"2024-03-01T12:00:00.000000001Z"`, `"2024-03-01T12:00:00+01:00"`, `null`, `[]`, `5`, `"noon"`}},
		{"ne", noon, []string{`"2024-03-01T12:00:00.1Z"`, `null`}, []string{`"2024-03-01T13:00:00+01:00"`}},
		{"gt", noon, []string{`"2024-03-01T12:00:00.000000001Z"`, `"2024-03-01T12:00:00-01:00"`}, []string{noon, `"2024-03-01T12:59:59+01:00"`, `"noon"`}},
		{"gte", noon, []string{noon, `"2024-03-01T13:00:00+01:00"`}, []string{`"2024-03-01T12:59:59.999999999+01:00"`}},
		{"lt", noon, []string{`"2024-03-01T12:59:59+01:00"`}, []string{`"2024-03-01T12:00:00-01:00"`, noon}},
		{"lte", noon, []string{`"2024-03-01T13:00:00+01:00"`}, []string{`"2024-03-01T12:00:00.000000001Z"`}},
		{"in", `[null,` + noon + `]`, []string{`"2024-03-01T13:00:00+01:00"`, `null`}, []string{`"2024-03-01T13:00:00Z"`, `"noon"`}},
		{"nin", `[` + noon + `]`, []string{`"2024-03-01T13:00:00Z"`, `null`}, []string{`"2024-03-01T13:00:00+01:00"`}},
		{"eq", `null`, []string{`null`}, []string{noon}},
		{"eq", `[` + noon + `]`, []string{`[` + noon + `]`}, []string{`["2024-03-01T12:00:00"]`, noon}}, // as a whole, as it is written
		// As text they are what was given.
		{"starts_with", `"2024-03"`, []string{`"2024-03-01T12:00:00Z"`}, []string{`"2024-02-29T23:59:00-12:01"`}},
		{"contains", `"+01:"`, []string{`"2024-03-01T13:00:00+01:00"`}, []string{noon}},
		{"regex", `"z$"`, []string{noon}, []string{`"2024-03-01T12:00:00"`}},
	}
	types := func([]string) query.Type { return query.Type{Kind: query.DateTime, Many: true} }
	for _, test := range tests {
		p := compiled(t, fmt.Sprintf(`{"field":"v","operator":%q,"value":%s}`, test.op, test.value), types)
		for _, v := range test.yes {
			if !p.Match(document(t, `{"v":`+v+`}`), new(query.Work)) {
				t.Errorf("%s %s: %s does not match", test.op, test.value, v)
			}
		}
		for _, v := range test.not {
			if p.Match(document(t, `{"v":`+v+`}`), new(query.Work)) {
				t.Errorf("%s %s: %s matches", test.op, test.value, v)
			}
		}
	}
	// Nobody said that these are datetimes.
	p := compiled(t, `{"v":"2024-03-01T12:00:00Z"}`, nil)
	if p.Match(document(t, `{"v":"2024-03-01T12:00:00"}`), new(query.Work)) {
		t.Error("undeclared strings were compared as instants")
	}
}

func TestMatchDate(t *testing.T) {
	t.Parallel()
	types := func([]string) query.Type { return query.Type{Kind: query.Date} }
	tests := []struct {
		op, value string
		want      bool
	}{
		{"eq", `"2024-03-01"`, true},
		{"ne", `"2024-03-01"`, false},
		{"gt", `"2024-02-29"`, true},
		{"gt", `"2024-03-01"`, false},
		{"lte", `"2024-03-01"`, true},
		{"in", `["2024-03-02","2024-03-01",null]`, true},
		{"starts_with", `"2024-"`, true},
		{"contains", `"-03-"`, true},
	}
	for _, test := range tests {
		p := compiled(t, fmt.Sprintf(`{"field":"v","operator":%q,"value":%s}`, test.op, test.value), types)
		if got := p.Match(document(t, `{"v":"2024-03-01"}`), new(query.Work)); got != test.want {
			t.Errorf("%s %s: got %t, want %t", test.op, test.value, got, test.want)
		}
	}
}

// Members may also be of the Go types that stand for numbers.
func TestMatchGoNumbers(t *testing.T) {
	t.Parallel()
	doc := query.Map{"v": int64(9007199254740993)}
	if !compiled(t, `{"v":9007199254740993}`, nil).Match(doc, new(query.Work)) || compiled(t, `{"v":9007199254740992}`, nil).Match(doc, new(query.Work)) {
		t.Error("an int64 is not compared exactly")
	}
	if !compiled(t, `{"field":"v","operator":"in","value":[0.5]}`, nil).Match(query.Map{"v": 0.5}, new(query.Work)) {
		t.Error("a float64 is not in the list that has it")
	}
}

// lazy is a document that fails a test when a member is asked for that no filter
// is about.
type lazy struct {
	t    *testing.T
	only string
}

func (l lazy) Member(name string) (any, bool) {
	if name != l.only {
		l.t.Errorf("member %q was asked for", name)
	}
	return nil, false
}

func TestMatchIsLazy(t *testing.T) {
	t.Parallel()
	compiled(t, `{"AND":[{"field":"a.b","operator":"exists"},{"c":1}]}`, nil).Match(lazy{t, "a"}, new(query.Work))
}

// A match of scalars must not allocate: a scan does it for every row.
func TestMatchAllocates(t *testing.T) {
	doc := document(t, `{"n":5,"f":5.25,"s":"Red Sneaker, STRASSE und Straße","at":"2024-03-01T12:00:00+01:00","tags":["a","b"],"m":{"x":{"y":1}}}`)
	for _, filter := range []string{
		`{"n":5}`, `{"f":5.25}`, `{"field":"n","operator":"gt","value":4.5}`, `{"m.x.y":1}`, `{"tags":"B"}`,
		`{"s":"red sneaker, strasse und straße"}`, `{"field":"s","operator":"lt","value":"red sneaker, strasse und straßen"}`,
		`{"field":"s","operator":"contains","value":"UND STRAẞE"}`, `{"field":"s","operator":"starts_with","value":"red"}`, `{"field":"s","operator":"ends_with","value":"STRAẞE"}`,
		`{"field":"s","operator":"in","value":["a","red sneaker, strasse und straße"]}`, `{"field":"n","operator":"in","value":[1,2,5]}`,
		`{"field":"s","operator":"text","value":"und sneaker straße"}`, `{"field":"at","operator":"gte","value":"2024-03-01T11:00:00Z"}`,
		`{"field":"none","operator":"exists","value":false}`, `{"AND":[{"n":5},{"OR":[{"n":6},{"f":5.25}]},{"NOT":[{"n":7}]}]}`,
	} {
		p := compiled(t, filter, func(path []string) query.Type {
			if path[0] == "at" {
				return query.Type{Kind: query.DateTime}
			}
			return query.Type{Many: true}
		})
		var d query.Doc = doc
		if !p.Match(d, new(query.Work)) {
			t.Errorf("%s does not match", filter)
		}
		w := new(query.Work)
		if n := testing.AllocsPerRun(100, func() { p.Match(d, w) }); n != 0 {
			t.Errorf("%s: %v allocations a match, want none", filter, n)
		}
	}
}

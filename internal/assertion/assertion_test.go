package assertion_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/format"
	"github.com/bucketlite/bucketlite/internal/pattern"
)

type m = map[string]any

func TestKeywords(t *testing.T) {
	t.Parallel()
	want := strings.Fields(`const exclusiveMaximum exclusiveMinimum format maxItems maxLength maxProperties
		maximum minItems minLength minProperties minimum multipleOf pattern uniqueItems`)
	if got := assertion.Keywords(); !slices.Equal(got, want) {
		t.Errorf("Keywords() = %q, want %q", got, want)
	}
	for _, name := range want {
		if !assertion.IsKeyword(name) {
			t.Errorf("IsKeyword(%q) = false, want true", name)
		}
	}
	for _, name := range []string{"", "type", "enum", "required", "minlength", "$ref", "contentMediaType", "patternProperties"} {
		if assertion.IsKeyword(name) {
			t.Errorf("IsKeyword(%q) = true, want false", name)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const pass = ""
	tests := []struct {
		name     string
		keywords m
		value    any
		want     string // "rule: message", joined by "; "
	}{
		{"minLength pass", m{"minLength": 3}, "abc", pass},
		{"minLength fail", m{"minLength": 3}, "ab", "minLength: at least 3 characters expected, got 2"},
		{"minLength one", m{"minLength": 1}, "", "minLength: at least 1 character expected, got 0"},
		{"minLength counts characters", m{"minLength": 3}, "äöü", pass},
		{"minLength of a float", m{"minLength": json.Number("3.0")}, "ab", "minLength: at least 3 characters expected, got 2"},
		{"minLength beyond int", m{"minLength": json.Number("1e30")}, "ab", "minLength: at least 9007199254740992 characters expected, got 2"},
		{"minLength not applicable", m{"minLength": 3}, 5, pass},
		{"minLength not applicable to a number", m{"minLength": 3}, json.Number("5"), pass},
		{"maxLength pass", m{"maxLength": 3}, "äöü", pass},
		{"maxLength fail", m{"maxLength": 3}, "äöüx", "maxLength: at most 3 characters expected, got 4"},
		{"maxLength beyond int", m{"maxLength": json.Number("1e30")}, "ab", pass},
		{"maxLength beyond float", m{"maxLength": json.Number("1e400")}, "ab", pass},
		{"maxLength at int64", m{"maxLength": int64(math.MaxInt64)}, "ab", pass},
		{"maxLength not applicable", m{"maxLength": 0}, []any{"x"}, pass},

		{"pattern pass", m{"pattern": "^a+$"}, "aaa", pass},
		{"pattern fail", m{"pattern": "^a+$"}, "bbb", `pattern: must match "^a+$", got "bbb"`},
		{"pattern unanchored", m{"pattern": "b"}, "abc", pass},
		{"pattern not applicable", m{"pattern": "^a+$"}, json.Number("5"), pass},
		{"pattern not applicable to null", m{"pattern": "^a+$"}, nil, pass},

		{"minimum pass", m{"minimum": 10}, 10, pass},
		{"minimum fail", m{"minimum": 10}, 9, "minimum: at least 10 expected, got 9"},
		{"minimum of a json.Number", m{"minimum": 10}, json.Number("9.99"), "minimum: at least 10 expected, got 9.99"},
		{"minimum of a uint8", m{"minimum": 10}, uint8(9), "minimum: at least 10 expected, got 9"},
		{"minimum of a float32", m{"minimum": json.Number("0.1")}, float32(0.1), pass},
		{"minimum past 2^53 int", m{"minimum": json.Number("9007199254740993")}, int64(9007199254740992), "minimum: at least 9007199254740993 expected, got 9007199254740992"},
		{"minimum past 2^53 number", m{"minimum": json.Number("9007199254740993")}, json.Number("9007199254740992"), "minimum: at least 9007199254740993 expected, got 9007199254740992"},
		{"minimum past 2^53 pass", m{"minimum": int64(9007199254740993)}, uint64(9007199254740993), pass},
		{"minimum past int64", m{"minimum": json.Number("18446744073709551617")}, json.Number("18446744073709551616"), "minimum: at least 18446744073709551617 expected, got 18446744073709551616"},
		{"minimum not applicable", m{"minimum": 10}, "9", pass},
		{"maximum pass", m{"maximum": 10}, json.Number("1e1"), pass},
		{"maximum fail", m{"maximum": 10}, 12, "maximum: at most 10 expected, got 12"},
		{"maximum float fail", m{"maximum": 0.1}, 0.1000001, "maximum: at most 0.1 expected, got 0.1000001"},
		{"maximum not applicable", m{"maximum": 10}, true, pass},
		{"exclusiveMinimum pass", m{"exclusiveMinimum": 10}, json.Number("10.0000000000000000001"), pass},
		{"exclusiveMinimum fail", m{"exclusiveMinimum": 10}, json.Number("10.0"), "exclusiveMinimum: more than 10 expected, got 10.0"},
		{"exclusiveMinimum not applicable", m{"exclusiveMinimum": 10}, []any{1}, pass},
		{"exclusiveMaximum pass", m{"exclusiveMaximum": 10}, 9.5, pass},
		{"exclusiveMaximum fail", m{"exclusiveMaximum": 10}, 10.0, "exclusiveMaximum: less than 10 expected, got 10"},
		{"exclusiveMaximum not applicable", m{"exclusiveMaximum": 10}, m{"a": 11}, pass},
		{"multipleOf pass float", m{"multipleOf": 0.1}, 0.3, pass},
		{"multipleOf pass float32", m{"multipleOf": 0.1}, float32(0.3), pass},
		{"multipleOf pass number", m{"multipleOf": json.Number("0.1")}, json.Number("1.10"), pass},
		{"multipleOf fail", m{"multipleOf": 0.1}, json.Number("0.25"), "multipleOf: a multiple of 0.1 expected, got 0.25"},
		{"multipleOf past 2^53", m{"multipleOf": 2}, json.Number("9007199254740993"), "multipleOf: a multiple of 2 expected, got 9007199254740993"},
		{"multipleOf not applicable", m{"multipleOf": 2}, "3", pass},

		{"minItems pass", m{"minItems": 1}, []any{nil}, pass},
		{"minItems fail", m{"minItems": 1}, []any{}, "minItems: at least 1 item expected, got 0"},
		{"minItems nil slice", m{"minItems": 1}, []any(nil), "minItems: at least 1 item expected, got 0"},
		{"minItems not applicable", m{"minItems": 1}, "", pass},
		{"maxItems pass", m{"maxItems": 2}, []any{1, 2}, pass},
		{"maxItems fail", m{"maxItems": 2}, []any{1, 2, 3}, "maxItems: at most 2 items expected, got 3"},
		{"maxItems not applicable", m{"maxItems": 0}, m{"a": 1}, pass},
		{"uniqueItems pass", m{"uniqueItems": true}, []any{1, "1", true, nil, []any{1}, m{"a": 1}}, pass},
		{"uniqueItems fail", m{"uniqueItems": true}, []any{"a", "b", "a"}, "uniqueItems: items must be unique"},
		{"uniqueItems equal numbers", m{"uniqueItems": true}, []any{1, json.Number("1.0")}, "uniqueItems: items must be unique"},
		{"uniqueItems equal json.Numbers", m{"uniqueItems": true}, []any{json.Number("10"), json.Number("1e1")}, "uniqueItems: items must be unique"},
		{"uniqueItems big numbers", m{"uniqueItems": true}, []any{json.Number("9007199254740993"), json.Number("9007199254740992")}, pass},
		{"uniqueItems equal objects", m{"uniqueItems": true}, []any{m{"a": 1, "b": 2}, m{"b": json.Number("2.0"), "a": 1}}, "uniqueItems: items must be unique"},
		{"uniqueItems equal floats", m{"uniqueItems": true}, []any{0.1, json.Number("1e-1")}, "uniqueItems: items must be unique"},
		{"uniqueItems equal float32", m{"uniqueItems": true}, []any{float32(0.1), json.Number("0.10")}, "uniqueItems: items must be unique"},
		{"uniqueItems minus zero", m{"uniqueItems": true}, []any{json.Number("-0.0"), 0}, "uniqueItems: items must be unique"},
		{"uniqueItems equal within", m{"uniqueItems": true}, []any{[]any{m{"a": uint8(1)}}, []any{m{"a": 1.0}}}, "uniqueItems: items must be unique"},
		{"uniqueItems nulls", m{"uniqueItems": true}, []any{nil, nil}, "uniqueItems: items must be unique"},
		{"uniqueItems split otherwise", m{"uniqueItems": true}, []any{[]any{"a", "bc"}, []any{"ab", "c"}, []any{1, 11}, []any{11, 1},
			[]any{"abc"}, []any{[]any{"abc"}}, m{"a": "bc"}, m{"ab": "c"}, []any{nil}, []any{}, m{}, []any{false}, []any{"false"}, []any{"1:a"}}, pass},
		{"uniqueItems with other rules", m{"uniqueItems": true, "maxItems": 1, "const": 1}, []any{1, 1},
			"const: must be 1, got [1,1]; maxItems: at most 1 item expected, got 2; uniqueItems: items must be unique"},
		{"uniqueItems not applicable", m{"uniqueItems": true}, "aa", pass},
		{"minProperties pass", m{"minProperties": 1}, m{"a": nil}, pass},
		{"minProperties fail", m{"minProperties": 2}, m{"a": 1}, "minProperties: at least 2 members expected, got 1"},
		{"minProperties not applicable", m{"minProperties": 2}, []any{}, pass},
		{"maxProperties pass", m{"maxProperties": 1}, m{"a": 1}, pass},
		{"maxProperties fail", m{"maxProperties": 1}, m{"a": 1, "b": 2}, "maxProperties: at most 1 member expected, got 2"},
		{"maxProperties not applicable", m{"maxProperties": 0}, "ab", pass},

		{"const pass", m{"const": "x"}, "x", pass},
		{"const fail", m{"const": "x"}, "y", `const: must be "x", got "y"`},
		{"const of another type", m{"const": "1"}, 1, `const: must be "1", got 1`},
		{"const equal number", m{"const": 1}, json.Number("1.0"), pass},
		{"const equal float32", m{"const": json.Number("0.1")}, float32(0.1), pass},
		{"const equal float64", m{"const": json.Number("1.0")}, 1.0, pass},
		{"const big number", m{"const": json.Number("9007199254740993")}, int64(9007199254740992), "const: must be 9007199254740993, got 9007199254740992"},
		{"const object pass", m{"const": m{"a": []any{1, nil}}}, m{"a": []any{json.Number("1.0"), nil}}, pass},
		{"const object fail", m{"const": m{"a": 1}}, m{"a": 2}, `const: must be {"a":1}, got {"a":2}`},
		{"const false", m{"const": false}, nil, "const: must be false, got null"},

		{"format pass", m{"format": "email"}, "a@example.com", pass},
		{"format fail", m{"format": "email"}, "x", `format: must be a valid email, got "x"`},
		{"format uuid", m{"format": "uuid"}, "123", `format: must be a valid uuid, got "123"`},
		{"format date-time", m{"format": "date-time"}, "2026-01-02 03:04:05Z", `format: must be a valid date-time, got "2026-01-02 03:04:05Z"`},
		{"format uri", m{"format": "uri"}, "/a", `format: must be a valid uri, got "/a"`},
		{"format not applicable", m{"format": "email"}, 5, pass},
		{"format not applicable to a number", m{"format": "email"}, json.Number("5"), pass},
		{"format unknown", m{"format": "email address", "minLength": 1}, "x", pass},

		{"several, sorted", m{"minLength": 4, "format": "email", "pattern": "^a", "const": "abcd"}, "x",
			`const: must be "abcd", got "x"; format: must be a valid email, got "x"; minLength: at least 4 characters expected, got 1; pattern: must match "^a", got "x"`},
		{"null value absent", m{"minLength": nil, "const": nil, "maxLength": 1}, "ab", "maxLength: at most 1 character expected, got 2"},
		{"value as given", m{"const": "x"}, "<&>", `const: must be "x", got "<&>"`},
		{"value of 60 characters", m{"const": 1}, strings.Repeat("ä", 58), `const: must be 1, got "` + strings.Repeat("ä", 58) + `"`},
		{"value of 61 characters", m{"const": 1}, strings.Repeat("ä", 59), `const: must be 1, got "` + strings.Repeat("ä", 58) + `…`},
		{"number too large", m{"minimum": 1}, json.Number("1e9999999"), "type: cannot be checked, got 1e9999999"},
		{"not a number", m{"minimum": 1}, math.NaN(), "type: cannot be checked, got NaN"},
		{"not a json.Number", m{"format": "email"}, json.Number("x"), "type: cannot be checked, got x"},
		{"names the same in JSON", m{"format": "email", "const": 1}, m{"\xff": 1, "\xfe": 1}, `type: cannot be checked, got {"\ufffd":1,"\ufffd":1}`},
		{"bytes", m{"format": "email"}, []byte("x"), `type: cannot be checked, got "eA=="`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, err := assertion.Compile(tt.keywords, assertion.LatestRules)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // a used copy checks as a new one does
				var got []string
				for _, f := range a.Check(tt.value, new(pattern.Allowance)) {
					got = append(got, f.Rule+": "+f.Message)
				}
				if got := strings.Join(got, "; "); got != tt.want {
					t.Errorf("Check(%v)\n got %s\nwant %s", tt.value, got, tt.want)
				}
			}
		})
	}
}

func TestCompileNothing(t *testing.T) {
	t.Parallel()
	for _, keywords := range []m{nil, {}, {"format": "phone"}, {"format": ""}, {"const": nil}, {"uniqueItems": false}} {
		a, err := assertion.Compile(keywords, assertion.LatestRules)
		if a != nil || err != nil {
			t.Errorf("Compile(%v) = %v, %v, want nil, nil", keywords, a, err)
		}
		if got := a.Check("x", new(pattern.Allowance)); got != nil {
			t.Errorf("nil Assertion: Check = %v, want nil", got)
		}
	}
}

func TestCompileError(t *testing.T) {
	t.Parallel()
	for _, keywords := range []m{
		{"type": "string"}, {"$ref": "#"},
		{"minLength": -1}, {"minLength": 1.5}, {"minLength": "3"}, {"minLength": math.NaN()},
		{"pattern": 5}, {"format": 5},
		{"minimum": true}, {"minimum": json.Number("1e9999999")}, {"maximum": math.Inf(1)}, {"uniqueItems": "yes"},
	} {
		if a, err := assertion.Compile(keywords, assertion.LatestRules); a != nil || err == nil {
			t.Errorf("Compile(%v) = %v, %v, want an error", keywords, a, err)
		}
	}
}

// TestUniqueItemsHostile fails by its time limit: the items are all the ways to
// cut one text in ten, which a careless hash takes for one.
func TestUniqueItemsHostile(t *testing.T) {
	t.Parallel()
	var items []any
	var cut func(head []any, tail string)
	cut = func(head []any, tail string) {
		if len(head) == 9 {
			items = append(items, append(head[:9:9], tail))
			return
		}
		for i := range len(tail) + 1 {
			cut(append(head[:len(head):len(head)], tail[:i]), tail[i:])
		}
	}
	cut(nil, "aaaaaaaaaa")
	a, err := assertion.Compile(m{"uniqueItems": true}, assertion.LatestRules)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if got := a.Check(items, new(pattern.Allowance)); got != nil {
		t.Errorf("Check of %d unique items = %v, want nil", len(items), got)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("Check of %d items took %v", len(items), took)
	}
}

// TestCheckConcurrent is for the race detector: a compiled schema compiles its
// pattern at the first value.
func TestCheckConcurrent(t *testing.T) {
	t.Parallel()
	a, err := assertion.Compile(m{"pattern": "^a+$", "minLength": 2, "format": "hostname", "uniqueItems": true, "multipleOf": 0.1}, assertion.LatestRules)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			for i := range 100 {
				s := fmt.Sprintf("b%d-%d", g, i)
				if got := a.Check(s, new(pattern.Allowance)); len(got) != 1 || got[0].Message != fmt.Sprintf(`must match "^a+$", got %q`, s) {
					t.Errorf("Check(%q) = %v, want one failure of pattern", s, got)
				}
				if got := a.Check("aaa", new(pattern.Allowance)); got != nil {
					t.Errorf("Check(aaa) = %v, want none", got)
				}
				if got := a.Check([]any{g, i, json.Number("1.0"), 1}, new(pattern.Allowance)); len(got) != 1 {
					t.Errorf("Check = %v, want one failure of uniqueItems", got)
				}
				if got := a.Check(json.Number("0.15"), new(pattern.Allowance)); len(got) != 1 {
					t.Errorf("Check = %v, want one failure of multipleOf", got)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzCheckString(f *testing.F) {
	var all []*assertion.Assertion
	for _, format := range append(format.Names(), "regex") {
		for rules := assertion.Rules1; rules.Known(); rules++ {
			a, err := assertion.Compile(m{"format": format}, rules)
			if err != nil {
				f.Fatalf("Compile(format %s, %d) = %v, want an assertion", format, rules, err)
			}
			all = append(all, a)
		}
	}
	f.Add("")
	f.Add("P1Y")
	f.Add("2026-01-02T03:04:05Z/P1D")
	f.Add("a@[IPv6:::1]")
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range all {
			a.Check(s, new(pattern.Allowance)) // must not panic
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	for _, bb := range []struct {
		name     string
		keywords m
		value    any
		failures int
	}{
		{"string/pass", m{"pattern": "^[a-z]+$", "minLength": 2}, "bucket", 0},
		{"string/fail", m{"pattern": "^[a-z]+$", "minLength": 2}, "7", 2},
		{"int", m{"minimum": 1, "maximum": 10}, 5, 0},
		{"json.Number", m{"minimum": 1, "maximum": 10}, json.Number("5"), 0},
		{"json.Number/fraction", m{"minimum": 1, "maximum": 10}, json.Number("5.5"), 0},
		{"string/100kB", m{"minLength": 2}, strings.Repeat("x", 100_000), 0},
		{"array", m{"minItems": 1, "maxItems": 10}, []any{"a", "b", "c"}, 0},
		{"array/unique", m{"uniqueItems": true}, []any{"a", "b", "c"}, 0},
	} {
		b.Run(bb.name, func(b *testing.B) {
			a, err := assertion.Compile(bb.keywords, assertion.LatestRules)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if got := len(a.Check(bb.value, new(pattern.Allowance))); got != bb.failures {
					b.Fatalf("%d failures, want %d", got, bb.failures)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := assertion.Compile(m{"pattern": "^[a-z]+$", "minLength": 2}, assertion.LatestRules); err != nil {
			b.Fatal(err)
		}
	}
}

package value

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAppend(t *testing.T) {
	many := object{}
	var names []string
	for i := range 100 {
		name := fmt.Sprintf("%02d", i*37%100)
		many[name] = i
		names = append(names, name)
	}
	slices.Sort(names)
	var manyText []string
	for _, name := range names {
		manyText = append(manyText, fmt.Sprintf("%q:%v", name, many[name]))
	}

	tests := []struct {
		name string
		in   any
		want string
	}{
		{"nil", nil, `null`},
		{"true", true, `true`},
		{"false", false, `false`},
		{"string", "a<b>&c", `"a<b>&c"`},
		{"text number", number("1.50"), `1.50`},
		{"int", -3, `-3`},
		{"uint8", uint8(200), `200`},
		{"float", 1e21, `1e+21`},
		{"small float", 1e-9, `1e-9`},
		{"array", list{1, "two", nil, list{}, object{}}, `[1,"two",null,[],{}]`},
		{"nil array", list(nil), `[]`},
		{"nil object", object(nil), `{}`},
		{"sorted", object{"b": 1, "a": 2, "": 3, "aa": 4, "B": 5}, `{"":3,"B":5,"a":2,"aa":4,"b":1}`},
		{"sorted by code point", object{"\U0001f600": 1, "\uffff": 2, "é": 3, "z": 4}, "{\"z\":4,\"é\":3,\"\uffff\":2,\"\U0001f600\":1}"},
		{"escaped name", object{"a\"\n": 1}, `{"a\"\n":1}`},
		{"many members", many, "{" + strings.Join(manyText, ",") + "}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(Append([]byte("x"), tt.in)); got != "x"+tt.want {
				t.Errorf("Append = %s, want x%s", got, tt.want)
			}
		})
	}
}

func TestAppendPanics(t *testing.T) {
	for _, v := range []any{struct{}{}, []string{"a"}, list{map[string]int{}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Append(%T) did not panic", v)
				}
			}()
			Append(nil, v)
		}()
	}
}

func TestAppendString(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want string
	}{
		{"empty", "", `""`},
		{"plain", "hello", `"hello"`},
		{"quotes", `"a" \b/`, `"\"a\" \\b/"`},
		{"short escapes", "\b\f\n\r\t", `"\b\f\n\r\t"`},
		{"control characters", "\x00\x01\x0b\x1f", `"\u0000\u0001\u000b\u001f"`},
		{"delete", "\x7f", "\"\x7f\""},
		{"html", "<&>", `"<&>"`},
		{"line separators", "\u2028\u2029", "\"\u2028\u2029\""},
		{"unicode", "größe 😀", `"größe 😀"`},
		{"mixed", "a\nb\"c", `"a\nb\"c"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(AppendString(nil, tt.in)); got != tt.want {
				t.Errorf("AppendString(%q) = %s, want %s", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzAppendString(f *testing.F) {
	f.Add("hello")
	f.Add("\x00\u2028\"\\\n<é>😀")
	f.Fuzz(func(t *testing.T, s string) {
		text := AppendString(nil, s)
		if !utf8.ValidString(s) {
			return
		}
		var got string
		if err := json.Unmarshal(text, &got); err != nil || got != s {
			t.Errorf("AppendString(%q) = %s, which is %q, %v", s, text, got, err)
		}
	})
}

// classes are lists of equal values; no two of different classes are equal.
var classes = [][]any{
	{nil},
	{true},
	{false},
	{"", ""},
	{"1"},
	{"true"},
	{0, 0.0, number("-0.0"), uint8(0)},
	{1, 1.0, number("1"), number("10e-1"), int8(1), float32(1)},
	{0.1, float32(0.1), number("0.1"), number("0.10")},
	{int64(9007199254740993), number("9007199254740993.0")},
	{int64(9007199254740992), float64(1 << 53)},
	{number("0.1000000000000000055511151231257827")},
	{list{}, list(nil)},
	{list{nil}},
	{list{1, "a"}, list{1.0, "a"}},
	{list{"a", 1}},
	{list{1}, list{number("1.0")}},
	{list{list{1}}},
	{list{"1"}},
	{object{}, object(nil)},
	{object{"a": nil}},
	{object{"b": nil}},
	{object{"a": 1, "b": list{2}}, object{"b": list{number("2.0")}, "a": uint(1)}},
	{object{"a": 1, "b": list{3}}},
	{object{"a": 1, "c": list{2}}},
	{object{"a": object{"b": 1}}},
	{object{"a": list{"b", 1}}},
}

func TestEqualAndAppendKey(t *testing.T) {
	for i, as := range classes {
		for j, bs := range classes {
			for _, a := range as {
				for _, b := range bs {
					want := i == j
					if got := Equal(a, b); got != want {
						t.Errorf("Equal(%#v, %#v) = %t, want %t", a, b, got, want)
					}
					ka, kb := AppendKey(nil, a), AppendKey(nil, b)
					if got := bytes.Equal(ka, kb); got != want {
						t.Errorf("keys of %#v and %#v are %s and %s, want equal = %t", a, b, ka, kb, want)
					}
				}
			}
		}
	}
}

func TestEqualNotPlain(t *testing.T) {
	if v := []string{"a"}; Equal(v, v) || Equal(1, v) || Equal(struct{}{}, struct{}{}) {
		t.Error("Equal of values that are not plain = true, want false")
	}
}

func TestClone(t *testing.T) {
	v := object{"a": list{1, object{"b": "c"}, nil}, "d": number("1.0"), "e": object{}, "f": list{}}
	c := Clone(v)
	if !reflect.DeepEqual(c, any(v)) {
		t.Fatalf("Clone = %#v, want %#v", c, v)
	}
	copied := c.(object)
	copied["a"].(list)[1].(object)["b"] = "changed"
	copied["a"].(list)[0] = "changed"
	copied["e"].(object)["x"] = "added"
	maps.DeleteFunc(copied, func(name string, _ any) bool { return name == "d" })
	want := object{"a": list{1, object{"b": "c"}, nil}, "d": number("1.0"), "e": object{}, "f": list{}}
	if !reflect.DeepEqual(v, want) {
		t.Errorf("after changes to its clone the value is %#v, want %#v", v, want)
	}
}

func TestAppendAllocs(t *testing.T) {
	v, err := Parse([]byte(flatObject), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 0, 1024)
	n := testing.AllocsPerRun(100, func() {
		Append(buf, v)
		AppendKey(buf, v)
		Equal(v, v)
	})
	if n != 0 {
		t.Errorf("encoding and comparing allocate %v times, want 0", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	v, err := Parse([]byte(flatObject), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		Append(buf, v)
	}
}

func BenchmarkAppendStandard(b *testing.B) {
	v, err := Parse([]byte(flatObject), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEqual(b *testing.B) {
	x, err := Parse([]byte(flatObject), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	y := Clone(x)
	b.ReportAllocs()
	for b.Loop() {
		Equal(x, y)
	}
}

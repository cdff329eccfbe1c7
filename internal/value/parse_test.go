package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

type (
	object = map[string]any
	list   = []any
	number = json.Number
)

func TestParse(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want any
	}{
		{"null", `null`, nil},
		{"true", `true`, true},
		{"false", `false`, false},
		{"number", `-12.50e3`, number("-12.50e3")},
		{"string", `"hello"`, "hello"},
		{"empty string", `""`, ""},
		{"empty object", `{}`, object{}},
		{"byte order mark", "\ufeff{\"a\":1}", object{"a": number("1")}},
		{"UTF-16, little end first", "\xFF\xFE[\x00\"\x00\xE9\x00\"\x00]\x00", list{"é"}},
		{"UTF-16, big end first", "\xFE\xFF\x00\"\xD8\x3D\xDE\x00\x00\"", "😀"},
		{"a mark in a string", "\"\ufeffa\"", "\ufeffa"},
		{"empty array", `[]`, list{}},
		{"white space", " \t\r\n{ \"a\" : [ 1 , 2 ] }\n", object{"a": list{number("1"), number("2")}}},
		{"nested", `{"a":{"b":[{"c":null},[],{}]},"d":[[1],[2,[3]]]}`, object{
			"a": object{"b": list{object{"c": nil}, list{}, object{}}},
			"d": list{list{number("1")}, list{number("2"), list{number("3")}}},
		}},
		{"after nested", `[[[1,2],3],{"a":{"b":4},"c":5},6]`, list{
			list{list{number("1"), number("2")}, number("3")},
			object{"a": object{"b": number("4")}, "c": number("5")},
			number("6"),
		}},
		{"unicode", `"größe 日本 😀"`, "größe 日本 😀"},
		{"escapes", `"\"\\\/\b\f\n\r\t\u0041\u00e9"`, "\"\\/\b\f\n\r\tAé"},
		{"surrogate pair", `"\ud83d\ude00\uD83D\uDE00"`, "😀😀"},
		{"escaped name", `{"\u0061b":1}`, object{"ab": number("1")}},
		{"replacement character", `"\ufffd"`, "\ufffd"},
		{"noncharacter", `"\uffff"`, "\uffff"},
		{"same name in other objects", `{"a":{"a":{"a":1}},"b":[{"a":2},{"a":3}]}`, object{
			"a": object{"a": object{"a": number("1")}},
			"b": list{object{"a": number("2")}, object{"a": number("3")}},
		}},
		{"names that differ in case", `{"a":1,"A":2}`, object{"a": number("1"), "A": number("2")}},
		{"empty name", `{"":1}`, object{"": number("1")}},
		{"big integer", `123456789012345678901234567890`, number("123456789012345678901234567890")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse([]byte(tt.in), Limits{})
			if err != nil {
				t.Fatalf("Parse(%s): %v", tt.in, err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Parse(%s) = %#v, want %#v", tt.in, got, tt.want)
			}
		})
	}
}

func TestParseFaults(t *testing.T) {
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct {
		name string
		in   string
		rule string
		path string
	}{
		{"empty", ``, "json", ""},
		{"white space only", " \n", "json", ""},
		{"garbage", `nope`, "json", ""},
		{"a byte order mark after another", "\ufeff\ufeff{}", "json", ""},
		{"a byte order mark in the middle", "{\ufeff}", "json", ""},
		{"a byte order mark alone", "\ufeff", "json", ""},
		{"UTF-16 without a mark", "{\x00}\x00", "json", ""},
		{"half a character of UTF-16", "\xFF\xFE{\x00}", "utf8", ""},
		{"half a surrogate pair of UTF-16", "\xFF\xFE\"\x00\x3D\xD8\"\x00", "utf8", ""},
		{"trailing value", `{} {}`, "json", ""},
		{"trailing garbage", `[1]x`, "json", ""},
		{"trailing comma", `{"a":1},`, "json", ""},
		{"trailing bracket", `[]]`, "json", ""},
		{"comment", `{/**/}`, "json", ""},
		{"cut short", `{"a":[1,`, "json", "a[1]"},
		{"cut short in string", `{"a":"b`, "json", "a"},
		{"cut short after name", `{"a"`, "json", "a"},
		{"cut short in object", `{"a":1`, "json", ""},
		{"cut short in literal", `[tru`, "json", "[0]"},
		{"bad literal", `{"a":{"b":[0,tru]}}`, "json", "a.b[1]"},
		{"capital literal", `True`, "json", ""},
		{"name not a string", `{1:2}`, "json", ""},
		{"name is an object", `{{}:2}`, "json", ""},
		{"no colon", `{"a" 1}`, "json", "a"},
		{"no comma", `[1 2]`, "json", "[1]"},
		{"comma before bracket", `[1,]`, "json", "[1]"},
		{"comma before brace", `{"a":1,}`, "json", ""},
		{"mismatched", `[1}`, "json", "[1]"},
		{"mismatched brace", `{"a":1]`, "json", ""},
		{"single quotes", `['a']`, "json", "[0]"},
		{"control character", "[\"a\nb\"]", "json", "[0]"},
		{"raw NUL", "[\"a\x00b\"]", "json", "[0]"},
		{"bad escape", `["\x41"]`, "json", "[0]"},
		{"short escape", `["\u12"]`, "json", "[0]"},
		{"leading zero", `{"a":01}`, "json", ""},
		{"plus", `+1`, "json", ""},
		{"no fraction", `[1.]`, "json", "[0]"},
		{"NaN", `[NaN]`, "json", "[0]"},

		{"invalid UTF-8", "{\"a\":[\"ok\",\"\xff\"]}", "utf8", "a[1]"},
		{"UTF-8 of a surrogate", "[\"\xed\xa0\x80\"]", "utf8", "[0]"},
		{"overlong UTF-8", "[\"\xc0\xaf\"]", "utf8", "[0]"},
		{"UTF-8 cut short", "\"\xe2\x82\"", "utf8", ""},
		{"invalid UTF-8 in name", "{\"a\":{\"x\xff\":1}}", "utf8", `a["x\xff"]`},
		{"invalid UTF-8 outside strings", "[1,\xff]", "utf8", "[1]"},

		{"high surrogate", `{"a":"\ud83d"}`, "surrogate", "a"},
		{"high surrogate and text", `{"a":"\ud83dxxxxxxxx"}`, "surrogate", "a"},
		{"low surrogate", `["\ude00\ud83d"]`, "surrogate", "[0]"},
		{"high surrogate twice", `["\ud83d\ud83d"]`, "surrogate", "[0]"},
		{"high surrogate and escape", `["\ud83d\u0041"]`, "surrogate", "[0]"},
		{"surrogate in name", `{"a":{"\udead":1}}`, "surrogate", "a.\ufffd"},

		{"NUL", `{"a":["x\u0000"]}`, "nul", "a[0]"},
		{"NUL in name", `{"a":{"x\u0000":1}}`, "nul", `a["x\x00"]`},

		{"duplicate", `{"a":1,"b":2,"a":3}`, "duplicate", "a"},
		{"duplicate by escape", `{"a":1,"\u0061":3}`, "duplicate", "a"},
		{"duplicate nested", `[{"x":{"y":1,"y":1}}]`, "duplicate", "[0].x.y"},

		{"number too large", `{"a":[1e400]}`, "number", "a[0]"},
		{"number too small", `-1e-400`, "number", ""},
		{"number too long", `[0.` + strings.Repeat("1", 999) + `]`, "number", "[0]"},

		{"depth", nest(101), "depth", strings.Repeat("[0]", 100)},
		{"depth of unclosed", strings.Repeat(`{"a":`, 101), "depth", strings.Repeat("a.", 99) + "a"},
		{"depth before garbage", strings.Repeat("[", 101) + "nope", "depth", strings.Repeat("[0]", 100)},
		{"depth beyond the tokeniser's", strings.Repeat("[", 1<<20), "depth", strings.Repeat("[0]", 100)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := Parse([]byte(tt.in), Limits{})
			var serr *SyntaxError
			if !errors.As(err, &serr) {
				t.Fatalf("Parse(%.60q) = %v, %v, want a SyntaxError", tt.in, v, err)
			}
			if v != nil {
				t.Errorf("Parse(%.60q) = %v, want nil", tt.in, v)
			}
			if serr.Rule != tt.rule || serr.Path != tt.path {
				t.Errorf("Parse(%.60q) broke %q at %q, want %q at %q (%v)",
					tt.in, serr.Rule, serr.Path, tt.rule, tt.path, err)
			}
			if serr.Message == "" {
				t.Errorf("Parse(%.60q) has no message", tt.in)
			}
			if !utf8.ValidString(err.Error()) {
				t.Errorf("message %q is not UTF-8", err)
			}
		})
	}
}

func TestParseLimits(t *testing.T) {
	tests := []struct {
		name string
		in   string
		lim  Limits
		rule string // empty if the limits allow it
	}{
		{"depth at default", strings.Repeat("[", 100) + strings.Repeat("]", 100), Limits{}, ""},
		{"depth at limit", `{"a":[1]}`, Limits{MaxDepth: 2}, ""},
		{"depth above limit", `{"a":[[]]}`, Limits{MaxDepth: 2}, "depth"},
		{"siblings are not depth", `[[],[],[[]],{},{"a":[]}]`, Limits{MaxDepth: 3}, ""},
		{"scalar at any depth", `1`, Limits{MaxDepth: 1}, ""},
		{"negative depth", `[[1]]`, Limits{MaxDepth: -1}, ""},
		{"depth above default", strings.Repeat("[", 9000) + strings.Repeat("]", 9000), Limits{MaxDepth: 9000}, ""},
		{"depth above the most", strings.Repeat("[", 10001), Limits{MaxDepth: 1 << 30}, "depth"},
		{"size at limit", `"12345"`, Limits{MaxBytes: 7}, ""},
		{"size above limit", `"123456"`, Limits{MaxBytes: 7}, "size"},
		{"size before syntax", `nope`, Limits{MaxBytes: 3}, "size"},
		{"size above default", `"` + strings.Repeat("x", DefaultMaxBytes) + `"`, Limits{}, "size"},
		{"size above default allowed", `"` + strings.Repeat("x", DefaultMaxBytes) + `"`, Limits{MaxBytes: DefaultMaxBytes + 2}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.in), tt.lim)
			var serr *SyntaxError
			errors.As(err, &serr)
			got := ""
			if serr != nil {
				got = serr.Rule
			}
			if got != tt.rule {
				t.Errorf("Parse broke %q, want %q (%v)", got, tt.rule, err)
			}
		})
	}
}

func TestSyntaxErrorError(t *testing.T) {
	tests := []struct {
		in   string
		want string
	}{
		{``, "no JSON value"},
		{`{"a":[1,`, "a[1]: JSON value is cut short"},
		{`{} x`, "malformed JSON at byte 2: unexpected text after the value"},
		{`{"a":1,"a":2}`, `a: member "a" is repeated`},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(tt.in), Limits{})
		if err == nil || err.Error() != tt.want {
			t.Errorf("Parse(%s) error = %v, want %s", tt.in, err, tt.want)
		}
	}
}

// TestParseLarge has text too large to share between strings.
func TestParseLarge(t *testing.T) {
	want := make(list, 5000)
	for i := range want {
		want[i] = object{"name": strings.Repeat("é\n", i%7), "n": number("12"), "tags": list{"a", nil, true}}
	}
	text := Append(nil, want)
	if len(text) <= smallText {
		t.Fatalf("text has %d bytes, want more than %d", len(text), smallText)
	}
	got, err := Parse(text, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("Parse did not return what was encoded")
	}
}

func TestParseKeepsNothing(t *testing.T) {
	data := []byte(`{"name":["value","es\u0063aped",12.5]}`)
	want := object{"name": list{"value", "escaped", number("12.5")}}
	got, err := Parse(data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = '#'
	}
	// Memory that parsers reuse must not show through either.
	for range 10 {
		if _, err := Parse([]byte(`["\u0078xxxxxx",{"y":"z"},1,2,3]`), Limits{}); err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("value became %v, want %v", got, want)
	}
}

func TestParseConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			good := bytes.Repeat([]byte(`[{"a":"b"},"c\n"],`), i)
			good = append(append([]byte("["), good...), "1]"...)
			for range 200 {
				if _, err := Parse(good, Limits{}); err != nil {
					t.Error(err)
				}
				if _, err := Parse(good[:len(good)-1], Limits{}); err == nil {
					t.Error("Parse accepted text cut short")
				}
			}
		})
	}
	wg.Wait()
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`null`, `{"a":[1,2.50,-3e7],"b":{"c":"d\u00e9\ud83d\ude00"}}`, `{"a":1,"a":2}`, `"\ud800"`, `"\u0000"`,
		"\"\xff\"", `[[[[]]]]`, `1e400`, `{"a" 1}`, `[1,]`, ` true `, `"a\/b"`, flatObject,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		v, err := Parse(data, Limits{})
		if !bytes.Equal(data, before) {
			t.Fatalf("Parse changed its input %q to %q", before, data)
		}
		if err != nil {
			// Beyond its own rules Parse accepts what encoding/json does.
			if rule := err.(*SyntaxError).Rule; rule == "json" && json.Valid(data) {
				t.Fatalf("Parse(%q) = %v, but it is JSON", data, err)
			}
			return
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("Parse(%q) accepted what is not JSON: %v", data, err)
		}
		if !reflect.DeepEqual(v, want) {
			t.Fatalf("Parse(%q) = %#v, want %#v", data, v, want)
		}

		text := Append(nil, v)
		again, err := Parse(text, Limits{MaxBytes: len(text)})
		if err != nil {
			t.Fatalf("Parse refused its own value %q: %v", text, err)
		}
		if !reflect.DeepEqual(again, v) || !Equal(again, v) {
			t.Fatalf("%q became %#v, want %#v", text, again, v)
		}
		if twice := Append(nil, again); !bytes.Equal(twice, text) {
			t.Fatalf("Append is not canonical: %q and %q", text, twice)
		}
		if p, ok := Plain(v, nil, Limits{}, nil); !ok || !Equal(p, v) {
			t.Fatalf("Plain(%#v) = %#v, %t, want it as it is", v, p, ok)
		}
	})
}

// flatObject is an object of ten fields such as a typical one on disk.
const flatObject = `{"active":true,"code":"inv-2024-000318","count":42,` +
	`"created":"2024-03-18T09:26:53.589793Z",` +
	`"description":"A short line of text that describes the object well enough to be found again.",` +
	`"id":"01HS9V6Q3M8Z5T7W2X4Y6A8B0C","owner":"3f2504e0-4f89-11d3-9a0c-0305e82c3301",` +
	`"price":1299.95,"status":"pending",` +
	`"title":"Quarterly report for the northern region, second revision of the draft"}`

func BenchmarkParse(b *testing.B) {
	benchmarkParse(b, func(data []byte) (any, error) { return Parse(data, Limits{}) })
}

func BenchmarkParseStandard(b *testing.B) {
	benchmarkParse(b, func(data []byte) (any, error) {
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var v any
		err := d.Decode(&v)
		return v, err
	})
}

func benchmarkParse(b *testing.B, parse func([]byte) (any, error)) {
	large := append([]byte("["), bytes.Repeat([]byte(flatObject+","), 999)...)
	large = append(append(large, flatObject...), ']')
	for _, bb := range []struct {
		name string
		data []byte
	}{
		{"flat", []byte(flatObject)},
		{"nested", []byte(`{"a":{"b":[1,2,3,{"c":"d"}],"e":[["f"],["g"]]},"h":"line\nline","i":null}`)},
		{"large", large},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(bb.data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parse(bb.data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package value

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseTrusted(t *testing.T) {
	large := object{"list": list{}}
	for i := range 3000 {
		large["list"] = append(large["list"].(list), object{"name": strings.Repeat("é\n", i%7), "n": number("12")})
	}
	tests := []struct {
		name string
		in   string
	}{
		{"empty", `{}`},
		{"flat", flatObject},
		{"literals", `{"f":false,"n":null,"t":true}`},
		{"nested", `{"a":{"b":[{"c":null},[],{}]},"d":[[1],[2,[3]]]}`},
		{"escapes", `{"a\nb":"\"x\\\"\\\\","c":"\\","d":"\u0001\t","e":""}`},
		{"numbers", `{"a":[0,-1,1.50,1e300,12E-7]}`},
		{"unicode", `{"größe":"日本 😀"}`},
		{"large", string(Append(nil, large))},
		{"deep", strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5000)},

		{"not canonical", " { \"b\" : [ 1 , 2 ] ,\n\"a\" : \"\\u0041\\/\\ud83d\\ude00\" } "},
		{"not sorted", `{"b":1,"a":2}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseTrusted(tt.in)
			if err != nil {
				t.Fatalf("ParseTrusted(%.60q): %v", tt.in, err)
			}
			want, err := Parse([]byte(tt.in), Limits{MaxDepth: maxDepth})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(any(got), want) {
				t.Errorf("ParseTrusted(%.60q) = %.60v, want %.60v", tt.in, got, want)
			}
		})
	}
}

func TestParseTrustedFaults(t *testing.T) {
	tests := []struct {
		name string
		in   string
		rule string
		path string
	}{
		{"empty", ``, "json", ""},
		{"array", `[1]`, "json", ""},
		{"null", `null`, "json", ""},
		{"cut short", `{"a":[1,2`, "json", "a[2]"},
		{"cut short in string", `{"a":"b`, "json", "a"},
		{"cut short in escape", `{"a":"b\`, "json", "a"},
		{"cut short after escape", `{"a":"b\"`, "json", "a"},
		{"cut short after name", `{"a`, "json", ""},
		{"cut short before value", `{"a":`, "json", "a"},
		{"brace only", `{`, "json", ""},
		{"bad escape", `{"a":"\x"}`, "json", "a"},
		{"bad literal", `{"a":nul}`, "json", "a"},
		{"bad number", `{"a":1.}`, "json", "a"},
		{"no value", `{"a":}`, "json", "a"},
		{"no colon", `{"a",1}`, "json", "a"},
		{"no comma", `{"a":[1 2]}`, "json", "a[1]"},
		{"no comma in object", `{"a":"b""c":1}`, "json", ""},
		{"bad name", `{a:1}`, "json", ""},
		{"comma before bracket", `{"a":[1,]}`, "json", "a[1]"},
		{"trailing", `{}}`, "json", ""},
		{"duplicate", `{"x":{"a":1,"a":2}}`, "duplicate", "x.a"},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", "utf8", "a"},
		{"surrogate", `{"a":"\udead"}`, "surrogate", "a"},
		{"NUL", `{"a":"\u0000"}`, "nul", "a"},
		{"raw NUL", "{\"a\":\"\x00\"}", "json", "a"},
		{"number out of range", `{"a":1e999}`, "number", "a"},
		{"deep", strings.Repeat(`{"":`, maxDepth+1), "depth", strings.Repeat(`[""]`, maxDepth)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := ParseTrusted(tt.in)
			var serr *SyntaxError
			if !errors.As(err, &serr) || m != nil {
				t.Fatalf("ParseTrusted(%.60q) = %v, %v, want nil and a SyntaxError", tt.in, m, err)
			}
			if serr.Rule != tt.rule || serr.Path != tt.path {
				t.Errorf("ParseTrusted(%.60q) broke %q at %q, want %q at %q (%v)",
					tt.in, serr.Rule, serr.Path, tt.rule, tt.path, err)
			}
		})
	}
}

func FuzzParseTrusted(f *testing.F) {
	for _, s := range []string{
		`{}`, flatObject, `{"a":["\"",null,true,{"b":-1.5e3}],"\u0001":false}`, ` {"a" : 1} `, `{"a":1,"a":2}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseTrusted(text)
		want, werr := Parse([]byte(text), Limits{MaxDepth: maxDepth, MaxBytes: len(text)})
		switch {
		case werr == nil:
			if _, ok := want.(object); ok && (err != nil || !reflect.DeepEqual(any(got), want)) {
				t.Fatalf("ParseTrusted(%q) = %v, %v, want %v", text, got, err, want)
			}
		case err == nil:
			// Only raw control characters may make a difference.
			if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
				t.Fatalf("ParseTrusted(%q) = %v, want %v", text, got, werr)
			}
			if _, ok := Plain(got, nil, Limits{MaxDepth: maxDepth}, nil); !ok {
				t.Fatalf("ParseTrusted(%q) = %v, which is not plain", text, got)
			}
		}
	})
}

func BenchmarkParseTrusted(b *testing.B) {
	for _, bb := range []struct{ name, text string }{
		{"flat", flatObject},
		{"escaped", `{"text":"` + strings.Repeat(`a line of text\n`, 20) + `"}`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(bb.text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseTrusted(bb.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package value

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

type (
	word    string
	flag    bool
	count   int16
	size    uint32
	ratio   float32
	names   []word
	blob    []byte
	anyList []any
	anyDict map[string]any
	wordMap map[word]count
	point   struct {
		X int    `json:"x"`
		Y *point `json:"y,omitempty"`
	}
	byValue   struct{ s string }
	byPointer struct{ s string }
	asText    struct{ s string }
	bad       struct{}
	loop      *loop
)

func (v byValue) MarshalJSON() ([]byte, error)    { return []byte(v.s), nil }
func (v *byPointer) MarshalJSON() ([]byte, error) { return []byte(v.s), nil }
func (v asText) MarshalText() ([]byte, error)     { return []byte(v.s), nil }
func (bad) MarshalJSON() ([]byte, error)          { return nil, errors.New("will not") }

func ptr[T any](v T) *T { return &v }

func TestPlainConverts(t *testing.T) {
	tests := []struct {
		name string
		in   any
		want any
	}{
		{"string", word("w"), "w"},
		{"bool", flag(true), true},
		{"int", count(-7), int64(-7)},
		{"duration", time.Second, int64(1e9)},
		{"uint", size(7), uint64(7)},
		{"uintptr", uintptr(7), uint64(7)},
		{"float", ratio(0.1), float32(0.1)},

		{"time", time.Date(2024, 3, 18, 9, 26, 53, 500, time.UTC), "2024-03-18T09:26:53.0000005Z"},
		{"time with zone", time.Date(2024, 3, 18, 9, 26, 53, 0, time.FixedZone("", -7*3600)), "2024-03-18T09:26:53-07:00"},
		{"time with odd zone", time.Date(1890, 1, 1, 0, 19, 32, 0, time.FixedZone("", 1172)), "1890-01-01T00:00:00Z"},
		{"zero time", time.Time{}, "0001-01-01T00:00:00Z"},
		{"time pointer", ptr(time.Unix(0, 0).UTC()), "1970-01-01T00:00:00Z"},

		{"raw", json.RawMessage(` {"a": [1.50, "b"]} `), object{"a": list{number("1.50"), "b"}}},
		{"nil raw", json.RawMessage(nil), nil},
		{"raw pointer", ptr(json.RawMessage(`1`)), number("1")},

		{"pointer", ptr(7), 7},
		{"pointer to pointer", ptr(ptr("x")), "x"},
		{"pointer to any", ptr(any(word("w"))), "w"},
		{"pointer to nil", ptr(any(nil)), nil},
		{"nil pointer", (*int)(nil), nil},
		{"nil pointer to struct", (*point)(nil), nil},
		{"nil pointer to marshaler", (*byPointer)(nil), nil},
		{"pointer to object", &object{"a": 1}, object{"a": 1}},

		{"strings", []string{"a", "b"}, list{"a", "b"}},
		{"named strings", names{"a"}, list{"a"}},
		{"nil strings", []string(nil), list{}},
		{"named list", anyList{1, word("w")}, list{1, "w"}},
		{"array", [2]int{1, 2}, list{1, 2}},
		{"array of any", [2]any{1, nil}, list{1, nil}},
		{"times", []time.Time{time.Unix(0, 0).UTC()}, list{"1970-01-01T00:00:00Z"}},
		{"pointers", []*int{ptr(1), nil}, list{1, nil}},
		{"nested", [][]count{{1}, nil}, list{list{int64(1)}, list{}}},
		{"objects", []object{{"a": 1}, nil}, list{object{"a": 1}, object(nil)}},

		{"map", map[string]int{"a": 1}, object{"a": 1}},
		{"map of named", wordMap{"a": 1}, object{"a": int64(1)}},
		{"nil map", map[string]int(nil), object{}},
		{"named map", anyDict{"a": word("w")}, object{"a": "w"}},
		{"map of lists", map[string][]string{"a": {"b"}}, object{"a": list{"b"}}},
		{"map with int keys", map[int]string{1: "a"}, object{"1": "a"}},

		{"struct", point{X: 1, Y: &point{X: 2}}, object{"x": number("1"), "y": object{"x": number("2")}}},
		{"struct pointer", &point{X: 1}, object{"x": number("1")}},
		{"structs", []point{{X: 1}}, list{object{"x": number("1")}}},
		{"marshaler", byValue{`[1,"<a>"]`}, list{number("1"), "<a>"}},
		{"marshaler by pointer", &byPointer{`"x"`}, "x"},
		{"pointer to marshaler", &byValue{`"x"`}, "x"},
		{"pointer to marshaler by pointer", ptr(&byPointer{`"x"`}), "x"},
		{"text marshaler", asText{`"x"`}, `"x"`},
		{"big integer", big.NewInt(1 << 62), number("4611686018427387904")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Plain(tt.in, nil, Limits{}, func(path Path, rule, message string) {
				t.Errorf("fault %q at %q: %s", rule, path, message)
			})
			if !ok || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Plain(%#v) = %#v, %t, want %#v", tt.in, got, ok, tt.want)
			}
			again, ok := Plain(got, nil, Limits{}, nil)
			if !ok || !reflect.DeepEqual(again, got) {
				t.Errorf("Plain(%#v) = %#v, %t, want it as it is", got, again, ok)
			}
		})
	}
}

func TestPlainSharesNamedContainers(t *testing.T) {
	dict, items := anyDict{"a": 1}, anyList{1}
	for _, v := range []any{dict, items, &dict, &items} {
		got, ok := Plain(v, nil, Limits{}, nil)
		if !ok {
			t.Fatalf("Plain(%#v) reported false", v)
		}
		if rv := reflect.Indirect(reflect.ValueOf(v)); reflect.ValueOf(got).Pointer() != rv.Pointer() {
			t.Errorf("Plain(%T) copied a container of plain values", v)
		}
	}
}

func TestPlainConvertFaults(t *testing.T) {
	var round loop
	round = &round
	var self any
	self = &self
	late := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		in   any
		lim  Limits
		want []string
	}{
		{"bytes", object{"a": []byte("x")}, Limits{}, []string{"a: type"}},
		{"pointer to bytes", ptr([]byte("x")), Limits{}, []string{": type"}},
		{"named bytes", blob("x"), Limits{}, []string{": type"}},
		{"channel", list{make(chan int)}, Limits{}, []string{"[0]: type"}},
		{"function", func() {}, Limits{}, []string{": type"}},
		{"complex", 1i, Limits{}, []string{": type"}},
		{"struct with function", struct{ F func() }{}, Limits{}, []string{": type"}},
		{"struct with NaN", struct{ F float64 }{math.NaN()}, Limits{}, []string{": type"}},
		{"map with keys of no text", map[point]int{{}: 1}, Limits{}, []string{": type"}},
		{"marshaler that fails", bad{}, Limits{}, []string{": type"}},
		{"marshaler of garbage", byValue{"nope"}, Limits{}, []string{": type"}},
		{"pointer to itself", round, Limits{}, []string{": type"}},
		{"any pointing to itself", self, Limits{}, []string{": type"}},
		{"cyclic struct", func() any { p := &point{}; p.Y = p; return p }(), Limits{}, []string{": type"}},
		{"late time", late, Limits{}, []string{": type"}},
		{"time early in UTC", time.Date(1, 1, 1, 0, 0, 0, 0, time.FixedZone("", 61)), Limits{}, []string{": type"}},

		{"named string", list{word("\xff"), word("\x00")}, Limits{}, []string{"[0]: utf8", "[1]: nul"}},
		{"named float", []ratio{1, ratio(math.Inf(1))}, Limits{}, []string{"[1]: number"}},
		{"strings", []string{"ok", "\xff", "\x00"}, Limits{}, []string{"[1]: utf8", "[2]: nul"}},
		{"map", map[word]any{"b": "\xff", "a\x00": 1}, Limits{}, []string{`["a\x00"]: nul`, "b: utf8"}},
		{"pointers", map[string]*string{"b": ptr("\xff"), "a": nil}, Limits{}, []string{"b: utf8"}},

		{"raw not JSON", object{"r": json.RawMessage(`{"a":[tru]}`)}, Limits{}, []string{"r.a[0]: json"}},
		{"empty raw", json.RawMessage{}, Limits{}, []string{": json"}},
		{"raw duplicate", list{json.RawMessage(`{"a":1,"a":2}`), "\xff"}, Limits{}, []string{"[0].a: duplicate", "[1]: utf8"}},
		{"raw surrogate", json.RawMessage(`["\ud800"]`), Limits{}, []string{"[0]: surrogate"}},
		{"marshaler of duplicates", byValue{`{"a":1,"a":2}`}, Limits{}, []string{"a: duplicate"}},
		{"marshaler of NUL", asText{"\x00"}, Limits{}, []string{": nul"}},

		{"depth of raw", list{json.RawMessage(`[[1]]`)}, Limits{MaxDepth: 2}, []string{"[0][0]: depth"}},
		{"depth of raw at limit", list{json.RawMessage(`[1]`)}, Limits{MaxDepth: 2}, nil},
		{"depth of scalar raw", list{json.RawMessage(`1`)}, Limits{MaxDepth: 1}, nil},
		{"depth of lists", [][][]int{{{1}}}, Limits{MaxDepth: 2}, []string{"[0][0]: depth"}},
		{"depth of struct", list{point{}}, Limits{MaxDepth: 1}, []string{"[0]: depth"}},
		{"size of strings", []string{"12345", "6789"}, Limits{MaxBytes: 10}, []string{"[1]: size"}},
		{"size of raw", list{json.RawMessage(`"12345"`)}, Limits{MaxBytes: 7}, []string{"[0]: size"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := faults(t, tt.in, tt.lim); !slices.Equal(got, tt.want) {
				t.Errorf("Plain reported %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPlainMessages(t *testing.T) {
	tests := []struct {
		in   any
		want string
	}{
		{[]byte("x"), "blob"},
		{make(chan int), "chan int"},
		{time.Date(12024, 1, 1, 0, 0, 0, 0, time.UTC), "12024"},
		{bad{}, "will not"},
	}
	for _, tt := range tests {
		Plain(tt.in, nil, Limits{}, func(_ Path, _, message string) {
			if !strings.Contains(message, tt.want) {
				t.Errorf("message for %T is %q, want %q in it", tt.in, message, tt.want)
			}
		})
	}
}

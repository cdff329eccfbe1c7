package value

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// same reports whether two maps or slices are one.
func same(a, b any) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// faults calls Plain and returns what it reports as "path: rule".
func faults(t *testing.T, v any, lim Limits) []string {
	t.Helper()
	var got []string
	p, ok := Plain(v, nil, lim, func(path Path, rule, message string) {
		if message == "" {
			t.Errorf("fault %q at %q has no message", rule, path)
		}
		got = append(got, path.String()+": "+rule)
	})
	if ok != (got == nil) {
		t.Errorf("Plain ok = %t with faults %q", ok, got)
	}
	if !ok && p != nil {
		t.Errorf("Plain = %v with faults %q, want nil", p, got)
	}
	if _, quiet := Plain(v, nil, lim, nil); quiet != ok {
		t.Errorf("Plain without a report ok = %t, want %t", quiet, ok)
	}
	return got
}

func TestPlainReturnsPlainAsIs(t *testing.T) {
	scalars := list{
		nil, true, "text", 1, int8(1), int16(1), int32(1), int64(1), uint(1), uint8(1), uint16(1),
		uint32(1), uint64(1), float32(1), 1.5, number("1.50"), "", "größe 😀",
	}
	for _, v := range scalars {
		if got, ok := Plain(v, nil, Limits{}, nil); !ok || got != v {
			t.Errorf("Plain(%#v) = %#v, %t, want it as it is", v, got, ok)
		}
	}
	inner := object{"scalars": scalars, "empty": object{}, "none": list{}}
	outer := list{inner, list{inner}}
	got, ok := Plain(outer, nil, Limits{}, nil)
	if !ok || !same(got, outer) {
		t.Fatalf("Plain(%v) = %v, %t, want it as it is", outer, got, ok)
	}
	if !same(got.(list)[0], inner) || !same(inner["scalars"], scalars) {
		t.Error("Plain replaced a container of plain values")
	}
}

func TestPlainCopiesOnlyTheWay(t *testing.T) {
	kept := object{"x": 1}
	items := list{kept, []string{"a"}, kept}
	in := object{"items": items, "kept": kept, "word": word("w")}
	v, ok := Plain(in, nil, Limits{}, nil)
	if !ok {
		t.Fatal("Plain reported false")
	}
	want := object{"items": list{object{"x": 1}, list{"a"}, object{"x": 1}}, "kept": object{"x": 1}, "word": "w"}
	if !reflect.DeepEqual(v, any(want)) {
		t.Errorf("Plain = %#v, want %#v", v, want)
	}
	out := v.(object)
	if !same(out["kept"], kept) || !same(out["items"].(list)[0], kept) {
		t.Error("Plain copied a container that was plain")
	}
	if same(out, in) || same(out["items"], items) {
		t.Error("Plain did not copy a container it had to change")
	}
	before := object{"items": list{object{"x": 1}, []string{"a"}, object{"x": 1}}, "kept": object{"x": 1}, "word": word("w")}
	if !reflect.DeepEqual(in, before) {
		t.Errorf("Plain changed its argument to %#v, want %#v", in, before)
	}
}

func TestPlainFaults(t *testing.T) {
	cycle := object{"x": 1}
	cycle["a"] = cycle
	itself := list{nil}
	itself[0] = itself
	tests := []struct {
		name string
		in   any
		lim  Limits
		want []string
	}{
		{"invalid UTF-8", "a\xff", Limits{}, []string{": utf8"}},
		{"surrogate in UTF-8", "\xed\xa0\x80", Limits{}, []string{": utf8"}},
		{"NUL", "a\x00b", Limits{}, []string{": nul"}},
		{"name not UTF-8", object{"a\xff": 1}, Limits{}, []string{`["a\xff"]: utf8`}},
		{"name with NUL", object{"a\x00": 1}, Limits{}, []string{`["a\x00"]: nul`}},
		{"name and value", object{"\x00": "\xff"}, Limits{}, []string{`["\x00"]: nul`, `["\x00"]: utf8`}},
		{"NaN", math.NaN(), Limits{}, []string{": number"}},
		{"infinity", list{math.Inf(1), float32(math.Inf(-1))}, Limits{}, []string{"[0]: number", "[1]: number"}},
		{"bad number text", list{number(""), number("0x1"), number("NaN"), number("1")}, Limits{},
			[]string{"[0]: number", "[1]: number", "[2]: number"}},
		{"number text out of range", number("1e999"), Limits{}, []string{": number"}},
		{"all are reported in order",
			object{"d": "\xff", "b": list{1, "\x00", object{"z": number("x"), "y": math.NaN()}}, "c": 1, "a": func() {}}, Limits{},
			[]string{"a: type", "b[1]: nul", "b[2].y: number", "b[2].z: number", "d: utf8"}},

		{"depth", object{"a": list{object{}}}, Limits{MaxDepth: 2}, []string{"a[0]: depth"}},
		{"depth at limit", object{"a": list{1}}, Limits{MaxDepth: 2}, nil},
		{"depth twice", list{list{list{}, 1}, list{}, list{list{}}}, Limits{MaxDepth: 2}, []string{"[0][0]: depth", "[2][0]: depth"}},
		{"depth and others", list{list{list{}, "\xff"}, "\x00"}, Limits{MaxDepth: 2}, []string{"[0][0]: depth", "[0][1]: utf8", "[1]: nul"}},
		{"cycle of objects", cycle, Limits{MaxDepth: 3}, []string{"a.a.a: depth"}},
		{"cycle of arrays", itself, Limits{}, []string{strings.Repeat("[0]", 100) + ": depth"}},

		{"size at limit", object{"ab": "cde"}, Limits{MaxBytes: 7}, nil},
		{"size above limit", object{"ab": "cdef"}, Limits{MaxBytes: 7}, []string{"ab: size"}},
		{"size of name", object{"abcdefgh": 1}, Limits{MaxBytes: 7}, []string{"abcdefgh: size"}},
		{"size of many", list{1, 2, 3}, Limits{MaxBytes: 3}, []string{"[2]: size"}},
		{"size ends the walk", object{"a": "\xff", "b": "123456789", "c": "\xff"}, Limits{MaxBytes: 8},
			[]string{"a: utf8", "b: size"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := faults(t, tt.in, tt.lim); !slices.Equal(got, tt.want) {
				t.Errorf("Plain reported %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPlainPath(t *testing.T) {
	var got []string
	path := make(Path, 0, 4).Member("objects").Item(7)
	Plain(object{"b": "\x00", "a": list{"\xff"}}, path, Limits{}, func(path Path, rule, _ string) {
		got = append(got, fmt.Sprint(path, ": ", rule))
	})
	want := []string{"objects[7].a[0]: utf8", "objects[7].b: nul"}
	if !slices.Equal(got, want) {
		t.Errorf("Plain reported %q, want %q", got, want)
	}
}

// TestPlainBounded has values whose size grows exponentially with their depth.
func TestPlainBounded(t *testing.T) {
	shared := list{}
	for range 60 {
		shared = list{shared, shared}
	}
	if got := faults(t, shared, Limits{MaxBytes: 1000}); len(got) != 1 || !strings.HasSuffix(got[0], ": size") {
		t.Errorf("Plain of a shared array reported %q, want one fault of size", got)
	}

	cycle := object{}
	cycle["a"], cycle["b"] = cycle, list{cycle, cycle}
	got := faults(t, cycle, Limits{})
	if len(got) != maxFaults {
		t.Errorf("Plain of a cycle reported %d faults, want %d", len(got), maxFaults)
	}
}

func TestPlainAllocs(t *testing.T) {
	v := object{"a": 1, "b": "text", "c": list{1.5, number("2"), nil, true, object{"d": int64(7)}}}
	n := testing.AllocsPerRun(100, func() {
		if _, ok := Plain(v, nil, Limits{}, func(Path, string, string) {}); !ok {
			t.Error("Plain reported false")
		}
	})
	if n != 0 {
		t.Errorf("Plain of a plain value allocates %v times, want 0", n)
	}
}

func FuzzPlainString(f *testing.F) {
	f.Add("a", "1")
	f.Add("\x00", "\xff")
	f.Fuzz(func(t *testing.T, s, n string) {
		v := object{s: list{s, json.Number(n)}}
		p, ok := Plain(v, nil, Limits{}, nil)
		if !ok {
			return
		}
		text := Append(nil, p)
		got, err := Parse(text, Limits{MaxBytes: len(text)})
		if err != nil || !reflect.DeepEqual(got, any(v)) {
			t.Errorf("plain value %#v was read back as %#v, %v", v, got, err)
		}
	})
}

func BenchmarkPlain(b *testing.B) {
	v, err := Parse([]byte(flatObject), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Plain(v, nil, Limits{}, nil); !ok {
			b.Fatal("not plain")
		}
	}
}

package jsonb_test

import (
	"database/sql"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/value"
)

// names are names of members that are hard to look up.
var names = []string{
	"", "a", "aa", "ab", "A", "a.b", "a[0]", "$", "#", "a b", `"`, `""`, `a"b`, `\`, `\\`, `a\b`, `\"`, `a\"`, `\u0061`, "'", "it's",
	"a\nb", "\t", "\x01", "\x1f", "\x7f", "é", "größe", "日本", "\u2028", "\uffff", "😀", "\U0010ffff", `é"`, "😀\n",
}

func TestMember(t *testing.T) {
	t.Parallel()
	o := newOracle(t)
	m := object{}
	for i, name := range names {
		m[name] = []any{"value of " + name, i, list{name}, object{name: nil}, nil, i%2 == 0}[i%6]
	}
	ours, _ := jsonb.Append(nil, m)
	var theirs []byte
	o.ask(&theirs, "jsonb(?1)", string(value.Append(nil, m)))
	parsed, err := jsonb.Parse(ours)
	if err != nil {
		t.Fatal(err)
	}
	for writer, b := range map[string][]byte{"Append": ours, "SQLite": theirs} {
		for _, name := range names {
			v, ok, err := jsonb.Member(b, name)
			if err != nil || !ok || !reflect.DeepEqual(v, parsed[name]) {
				t.Errorf("%q in what %s wrote: got %v, %t, %v, want %v", name, writer, v, ok, err, parsed[name])
			}
			var got, want sql.NullString
			path := "$." + string(value.AppendString(nil, name))
			o.ask(&got, "json_extract(?1, ?2)", b, path)
			o.ask(&want, "json_extract(?1, ?2)", string(value.Append(nil, object{"v": v})), "$.v")
			if got != want {
				t.Errorf("%q as SQLite finds it by %s in what %s wrote: got %s, want %s", name, path, writer, got.String, want.String)
			}
		}
		for _, name := range []string{"none", "aaa", "b", `\"\`, "é\n", "\\n", "a\n", "😀\n "} {
			if v, ok, err := jsonb.Member(b, name); err != nil || ok || v != nil {
				t.Errorf("%q in what %s wrote: got %v, %t, %v, want none", name, writer, v, ok, err)
			}
		}
	}
}

func TestMemberEdges(t *testing.T) {
	t.Parallel()
	damage := element(kindInt, "x")
	tests := []struct {
		name  string
		in    []byte
		want  any
		ok    bool
		fault bool
	}{
		{"empty", obj(), nil, false, false},
		{"null", obj(text("a"), "\x00"), nil, true, false},
		{"not sorted", obj(text("b"), "\x01", text("a"), "\x02"), false, true, false},
		{"twice", obj(text("a"), "\x01", text("a"), "\x02"), true, true, false},
		{"raw", obj(element(kindRaw, "a"), "\x01"), true, true, false},
		{"escaped", obj(element(kindEscaped, `\u0061`), "\x01"), true, true, false},
		{"escaped without need", obj(element(kindEscaped, "a"), "\x01"), true, true, false},
		{"escaped, longer", obj(element(kindEscaped, `a\n`), "\x01"), nil, false, false},
		{"escaped badly", obj(element(kindEscaped, `a\`), "\x01"), nil, false, true},
		{"damage after it", obj(text("a"), "\x01", text("b"), damage), true, true, false},
		{"damage before it", obj(text("b"), damage, text("a"), "\x01"), true, true, false},
		{"damage in it", obj(text("a"), damage), nil, false, true},
		{"damage deep in it", obj(text("a"), string(obj(text("b"), damage))), nil, false, true},
		{"value missing", obj(text("a")), nil, false, true},
		{"value missing elsewhere", obj(text("b")), nil, false, true},
		{"value that overruns", obj(text("b"), "\x27"), nil, false, true},
		{"name that overruns", obj("\x27b"), nil, false, true},
		{"name that is none", obj("\x00", "\x01", text("a"), "\x02"), nil, false, true},
		{"array", []byte("\x0b"), nil, false, true},
		{"nothing", nil, nil, false, true},
		{"trailing", append(obj(text("a"), "\x01"), 0), nil, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, ok, err := jsonb.Member(tt.in, "a")
			if v != tt.want || ok != tt.ok || (err != nil) != tt.fault {
				t.Errorf("% x: got %v, %t, %v, want %v, %t, error = %t", tt.in, v, ok, err, tt.want, tt.ok, tt.fault)
			}
		})
	}
}

func TestMemberAllocs(t *testing.T) {
	b, _ := jsonb.Append(nil, object{"a": list{"x", object{"y": 1}}, "b": "text\n", "c": 1.5, "d": true})
	var theirs []byte
	newOracle(t).ask(&theirs, `jsonb('{"a\nb":"x","b":["\n"],"c\u0064":1,"d":true}')`)
	for _, b := range [][]byte{b, theirs} {
		for name, want := range map[string]bool{"d": true, "none": false} {
			n := testing.AllocsPerRun(100, func() {
				if v, ok, err := jsonb.Member(b, name); err != nil || ok != want || want && v != true {
					t.Fatal(v, ok, err)
				}
			})
			if n != 0 {
				t.Errorf("% x: finding %q allocates %v times, want 0", b, name, n)
			}
		}
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	r, o := newRand(t), newOracle(t)
	for range 200 {
		v := randomObject(r, 4)
		want := stringsIn(v)
		ours, _ := jsonb.Append(nil, v)
		var theirs []byte
		o.ask(&theirs, "jsonb(?1)", string(value.Append(nil, v)))
		for writer, b := range map[string][]byte{"Append": ours, "SQLite": theirs} {
			var got []string
			if err := jsonb.Strings(b, func(s string) bool { got = append(got, s); return true }); err != nil || !slices.Equal(got, want) {
				t.Fatalf("what %s wrote of %.200v: got %.200q, %v, want %.200q", writer, v, got, err, want)
			}
		}
	}
}

func TestStringsStops(t *testing.T) {
	t.Parallel()
	b, _ := jsonb.Append(nil, object{"a": list{"1", object{"b": "2"}}, "b": "3", "c": "4"})
	for want := range 5 {
		n := 0
		err := jsonb.Strings(b, func(string) bool { n++; return n < want })
		if err != nil || n != max(want, 1) {
			t.Errorf("stop at %d: visited %d, %v", want, n, err)
		}
	}
}

func TestStringsAllocs(t *testing.T) {
	b, _ := jsonb.Append(nil, object{"a": list{"x\n", object{"y": "z"}}, "b": "text", "c": 1.5, "large": strings.Repeat("x", 20_000)})
	visited := 0
	n := testing.AllocsPerRun(100, func() {
		if err := jsonb.Strings(b, func(string) bool { visited++; return true }); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 || visited == 0 {
		t.Errorf("a visit of %d strings allocates %v times, want 0", visited, n)
	}
}

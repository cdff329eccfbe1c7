package jsonb_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/value"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   any
		want string
	}{
		{"null", nil, "\x00"},
		{"true", true, "\x01"},
		{"false", false, "\x02"},
		{"int", -12, "\x33-12"},
		{"float", 1.5, "\x351.5"},
		{"exponent", number("1e5"), "\x351e5"},
		{"text", "abc", "\x37abc"},
		{"raw", "a\nb", "\x3aa\nb"},
		{"empty", list{"", list{}, object{}}, "\x3b\x07\x0b\x0c"},
		{"array", list{nil, 1, "a"}, "\x5b\x00\x131\x17a"},
		{"object", object{"b": 1, "a": list{true}}, "\x8c\x17a\x1b\x01\x17b\x131"},
		{"one byte of size", strings.Repeat("x", 12), "\xc7\x0c" + strings.Repeat("x", 12)},
		{"two bytes of size", strings.Repeat("x", 256), "\xd7\x01\x00" + strings.Repeat("x", 256)},
		{"four bytes of size", strings.Repeat("x", 65536), "\xe7\x00\x01\x00\x00" + strings.Repeat("x", 65536)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, size := jsonb.Append([]byte("before"), tt.in)
			if string(got) != "before"+tt.want {
				t.Errorf("got % .60x, want % .60x", got, "before"+tt.want)
			}
			if want := len(value.Append(nil, tt.in)); size != want {
				t.Errorf("text size: got %d, want %d", size, want)
			}
		})
	}
}

func TestAppendGrows(t *testing.T) {
	t.Parallel()
	v := object{"array": list{1, "two", list{3}}, "text": strings.Repeat("x", 300), "z": object{"a": "b\n"}}
	want, _ := jsonb.Append(nil, v)
	for spare := range 2 * len(want) {
		dst := append(make([]byte, 0, len("before")+spare), "before"...)
		got, _ := jsonb.Append(dst, v)
		if string(got) != "before"+string(want) {
			t.Fatalf("with room for %d: got % x, want % x", spare, got, "before"+string(want))
		}
		if string(dst) != "before" {
			t.Fatalf("with room for %d: what was there before has become %q", spare, dst)
		}
		if fits := spare >= len(want); fits != (&got[0] == &dst[0]) {
			t.Fatalf("with room for %d of %d: in place = %t", spare, len(want), !fits)
		}
	}
}

func TestAppendPanics(t *testing.T) {
	t.Parallel()
	for _, v := range []any{struct{}{}, []string{"a"}, list{map[string]int{}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Append(%T) did not panic", v)
				}
			}()
			jsonb.Append(nil, v)
		}()
	}
}

func TestAppendAllocs(t *testing.T) {
	v := record()
	buf := make([]byte, 0, 512)
	if n := testing.AllocsPerRun(100, func() { jsonb.Append(buf, v) }); n != 0 {
		t.Errorf("encoding allocates %v times, want 0", n)
	}
}

func TestCorners(t *testing.T) {
	t.Parallel()
	o := newOracle(t)
	for name, v := range corners() {
		t.Run(name, func(t *testing.T) {
			oracle{t, o.db}.agree(object{"before": 1, "v": v, "z": list{"after"}})
		})
	}
}

func TestRandom(t *testing.T) {
	t.Parallel()
	r, o := newRand(t), newOracle(t)
	for range 500 {
		if o.agree(randomObject(r, 5)); t.Failed() {
			break
		}
	}
}

// FuzzAppend takes JSON text for what is to be encoded.
func FuzzAppend(f *testing.F) {
	for _, v := range corners() {
		if text := value.Append(nil, object{"v": v}); len(text) < 1000 {
			f.Add(string(text))
		}
	}
	o := newOracle(f)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.Parse([]byte(text), value.Limits{MaxDepth: 500})
		if err != nil {
			return
		}
		m, ok := v.(object)
		if !ok {
			m = object{"v": v}
		}
		oracle{t, o.db}.agree(m)
		again, _ := jsonb.Append(nil, m)
		if b, _ := jsonb.Append(make([]byte, 0, 300), m); !bytes.Equal(b, again) {
			t.Errorf("got % x, then % x", b, again)
		}
	})
}

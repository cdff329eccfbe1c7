package query_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
)

func compareKeys(a, b any) int {
	return bytes.Compare(query.AppendKey(nil, a), query.AppendKey(nil, b))
}

func instant(t testing.TB, s string) query.Instant {
	t.Helper()
	at, ok := query.ParseInstant(s)
	if !ok {
		t.Fatalf("%q is no datetime", s)
	}
	return at
}

// Every value is before those in later groups, and equal to those in its own.
func TestCompare(t *testing.T) {
	t.Parallel()
	type list = []any
	groups := []list{
		{false},
		{true},
		{json.Number("-1e308"), -1e308},
		{json.Number("-9223372036854777856")},
		{json.Number("-9223372036854775808"), int64(math.MinInt64), json.Number("-9223372036854775808.0"), json.Number("-9223372036854775809")},
		{json.Number("-9223372036854775807")},
		{json.Number("-9007199254740993"), json.Number("-9007199254740993.0"), json.Number("-9007199254740993e0")},
		{json.Number("-9007199254740992"), json.Number("-9007199254740992.5")}, // to the even neighbour
		{json.Number("-5.5"), -5.5},
		{-5, json.Number("-5.0")},
		{json.Number("-5e-324"), -5e-324},
		{0, json.Number("-0"), json.Number("0.0"), json.Number("-0.0"), json.Number("0e5"), math.Copysign(0, -1), uint8(0)},
		{json.Number("5e-324"), math.SmallestNonzeroFloat64},
		{json.Number("2.2250738585072014e-308")},
		{json.Number("0.1"), 0.1, float32(0.1), json.Number("0.1000000000000000000001")},
		{json.Number("0.3")},
		{json.Number("0.30000000000000004")},
		{5, json.Number("5"), json.Number("5.0"), json.Number("0.5e1"), json.Number("50e-1"), json.Number("5.00000000000000000000001"), json.Number("4.99999999999999999999999"), 5.0, float32(5), int8(5), uint64(5)},
		{json.Number("5.000000000000001")},
		{json.Number("9007199254740991")},
		{json.Number("9007199254740992"), int64(1 << 53)},
		{json.Number("9007199254740993"), int64(1<<53 + 1), json.Number("9007199254740993.0"), json.Number("9.007199254740993e15")},
		{json.Number("9007199254740994"), json.Number("9007199254740993.5")},
		{json.Number("1152921504606846976")},
		{json.Number("1152921504606847000"), float64(1 << 60)}, // its shortest text
		{json.Number("9223372036854775806")},
		{json.Number("9223372036854775807"), int64(math.MaxInt64), json.Number("9223372036854775807.0")},
		{json.Number("9223372036854775808"), json.Number("9223372036854775809"), json.Number("9223372036854775807.5"), uint64(1 << 63)},
		{json.Number("18446744073709551615"), uint64(math.MaxUint64)},
		{json.Number("1e308"), 1e308},
		{json.Number("1.7976931348623157e308"), math.MaxFloat64},
		{""},
		{"\x00"},
		{"\x00\xff"},
		{"\x01"},
		{"A"},
		{"A\x00"},
		{"A\x00B"},
		{"AB"},
		{"Z"},
		{"a"},
		{"é"},
		{"\uffff"},
		{"\U00010000"},
		{instant(t, "0001-01-01T00:00:00Z")},
		{instant(t, "1969-12-31T23:59:59.999999999Z")},
		{instant(t, "1970-01-01T00:00:00"), instant(t, "1970-01-01T01:00:00+01:00")},
		{instant(t, "1970-01-01T00:00:00.000000001Z")},
		{instant(t, "9999-12-31T23:59:59.999999999Z")},
		{map[string]any{"a": json.Number("10")}, query.Object(`{"a":10}`)},
		{map[string]any{"a": json.Number("9")}},
		{map[string]any{"b": nil}},
		{map[string]any{}},
		{nil},
	}
	for i, a := range groups {
		for j, b := range groups {
			want := 0
			switch {
			case i < j:
				want = -1
			case i > j:
				want = 1
			}
			for _, x := range a {
				for _, y := range b {
					if got := query.Compare(x, y); got != want {
						t.Errorf("Compare(%#v, %#v) = %d, want %d", x, y, got, want)
					}
					if got := compareKeys(x, y); got != want {
						t.Errorf("keys of %#v and %#v: got %d, want %d", x, y, got, want)
					}
					// A key that is followed by another still differs from longer ones.
					p := query.AppendKey(query.AppendKey(nil, x), nil)
					q := query.AppendKey(query.AppendKey(nil, y), false)
					if got := bytes.Compare(p, q); want != 0 && got != want {
						t.Errorf("keys of %#v and %#v, followed by others: got %d, want %d", x, y, got, want)
					}
				}
			}
		}
	}
}

func TestKeyKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	dst := []byte("kept")
	for _, v := range []any{nil, true, 5, "a", query.Instant{}, query.Object("{}")} {
		if got := query.AppendKey(dst, v); string(got[:4]) != "kept" || !bytes.Equal(got[4:], query.AppendKey(nil, v)) {
			t.Errorf("AppendKey(%q, %#v) = %q", dst, v, got)
		}
	}
}

func TestCompareOther(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a value that is not plain was compared")
		}
	}()
	query.Compare(struct{}{}, 1)
}

// Numbers of all sizes, and their neighbours, in text or not.
func TestNumRandom(t *testing.T) {
	t.Parallel()
	r := random(t)
	number := func() any {
		var f float64
		for f = math.Inf(1); math.IsInf(f, 0) || f != f; {
			f = math.Float64frombits(r.Uint64())
		}
		i := int64(r.Uint64()) >> r.IntN(64)
		switch r.IntN(6) {
		case 0:
			return f
		case 1:
			return i
		case 2:
			return float64(i) + []float64{-1, -0.5, 0, 0.5, 1}[r.IntN(5)]
		case 3:
			return math.Nextafter(float64(i), f)
		case 4:
			return r.Uint64()
		}
		return int64(1)<<r.IntN(63) + r.Int64N(3) - 1
	}
	for range 60_000 {
		a, b := number(), number()
		if r.IntN(4) == 0 {
			b = a
		}
		want := query.Compare(a, b)
		if got := compareKeys(a, b); got != want {
			t.Fatalf("keys of %#v and %#v: got %d, want %d", a, b, got, want)
		}
		if back := query.Compare(b, a); back != -want {
			t.Fatalf("Compare(%#v, %#v) = %d, and %d the other way", a, b, want, back)
		}
		x, _ := query.NumOf(a)
		y, _ := query.NumOf(b)
		if (x == y) != (want == 0) {
			t.Fatalf("%#v and %#v: equal %t, compared %d", a, b, x == y, want)
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if z, ok := query.NumOf(json.Number(text)); !ok || z != x {
			t.Fatalf("%#v: got %v, in text %v", a, x, z)
		}
		switch a := a.(type) {
		case int64:
			if i, ok := x.Int(); !ok || i != a {
				t.Fatalf("Int of %d: got %d, %t", a, i, ok)
			}
			if x.Float() != float64(a) {
				t.Fatalf("Float of %d: got %v", a, x.Float())
			}
		case float64:
			if x.Float() != a {
				t.Fatalf("Float of %v: got %v", a, x.Float())
			}
		}
	}
}

func TestNumOfOthers(t *testing.T) {
	t.Parallel()
	for _, v := range []any{nil, true, "5", []any{}, map[string]any{}, struct{}{}, math.NaN(), math.Inf(-1), json.Number(""), json.Number("-"), json.Number("x"), json.Number("1e999")} {
		if n, ok := query.NumOf(v); ok {
			t.Errorf("NumOf(%#v) = %v, want none", v, n)
		}
	}
}

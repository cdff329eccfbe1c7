package value

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestCheckNumber(t *testing.T) {
	long := func(n int) string { return strings.Repeat("1", n) }
	tests := []struct {
		name string
		in   string
		want error
	}{
		{"zero", "0", nil},
		{"negative zero", "-0", nil},
		{"integer", "42", nil},
		{"fraction", "-3.25", nil},
		{"leading zeros in fraction", "0.001", nil},
		{"exponents", "1e10", nil},
		{"signed exponents", "1.5E+10", nil},
		{"zero-padded exponent", "1e-0007", nil},
		{"zero with a huge exponent", "0.000e99999999999999999999", nil},
		{"beyond 64 bits", "123456789012345678901234567890", nil},
		{"many digits", "0." + long(900), nil},
		{"longest", "0." + long(998), nil},

		{"largest float", "1.7976931348623157e308", nil},
		{"rounds to the largest float", "1.7976931348623158e308", nil},
		{"rounds to infinity", "1.7976931348623159e308", errNumberRange},
		{"too large", "1e309", errNumberRange},
		{"negative too large", "-1e309", errNumberRange},
		{"too large without exponent", long(310), errNumberRange},
		{"large without exponent", long(309), nil},
		{"scaled down into range", long(400) + "e-200", nil},
		{"smallest float", "5e-324", nil},
		{"rounds to the smallest float", "2.5e-324", nil},
		{"rounds to zero", "2.4e-324", errNumberRange},
		{"too small", "1e-325", errNumberRange},
		{"scaled up into range", "0." + strings.Repeat("0", 400) + "1e200", nil},
		{"huge exponent", "1e999999", errNumberRange},
		{"tiny exponent", "1e-999999", errNumberRange},
		{"absurd exponent", "1e" + strings.Repeat("9", 900), errNumberRange},
		{"too long", "0." + long(999), errNumberLength},
		{"far too long", long(1 << 20), errNumberLength},

		{"empty", "", errNumberSyntax},
		{"sign only", "-", errNumberSyntax},
		{"plus", "+1", errNumberSyntax},
		{"leading zero", "01", errNumberSyntax},
		{"negative leading zero", "-00", errNumberSyntax},
		{"no integer part", ".5", errNumberSyntax},
		{"no fraction", "1.", errNumberSyntax},
		{"no fraction before exponent", "1.e5", errNumberSyntax},
		{"no exponent", "1e", errNumberSyntax},
		{"no exponent digits", "1e+", errNumberSyntax},
		{"hexadecimal", "0x1", errNumberSyntax},
		{"underscore", "1_000", errNumberSyntax},
		{"NaN", "NaN", errNumberSyntax},
		{"infinity", "-Infinity", errNumberSyntax},
		{"space before", " 1", errNumberSyntax},
		{"space after", "1 ", errNumberSyntax},
		{"two", "1,2", errNumberSyntax},
		{"other digits", "１", errNumberSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := CheckNumber(tt.in); got != tt.want {
				t.Errorf("CheckNumber(%.40q) = %v, want %v", tt.in, got, tt.want)
			}
		})
	}
}

func TestInt(t *testing.T) {
	tests := []struct {
		name     string
		in       any
		want     int64
		ok       bool
		integral bool
	}{
		{"int", -7, -7, true, true},
		{"int8", int8(math.MinInt8), math.MinInt8, true, true},
		{"int16", int16(300), 300, true, true},
		{"int32", int32(math.MinInt32), math.MinInt32, true, true},
		{"int64 min", int64(math.MinInt64), math.MinInt64, true, true},
		{"uint", uint(7), 7, true, true},
		{"uint8", uint8(255), 255, true, true},
		{"uint16", uint16(65535), 65535, true, true},
		{"uint32", uint32(math.MaxUint32), math.MaxUint32, true, true},
		{"uint64", uint64(math.MaxInt64), math.MaxInt64, true, true},
		{"uint64 too large", uint64(1 << 63), 0, false, true},

		{"float64", 5.0, 5, true, true},
		{"float64 negative zero", math.Copysign(0, -1), 0, true, true},
		{"float64 fraction", 5.5, 0, false, false},
		{"float64 2^53", float64(1 << 53), 1 << 53, true, true},
		{"float64 above 2^53", float64(1 << 62), 4611686018427388000, true, true},
		{"float64 2^63", float64(1 << 63), 0, false, true},
		{"float64 huge", 1e300, 0, false, true},
		{"float64 NaN", math.NaN(), 0, false, false},
		{"float64 infinite", math.Inf(-1), 0, false, false},
		{"float32", float32(-3), -3, true, true},
		{"float32 fraction", float32(0.1), 0, false, false},
		{"float32 above 2^24", float32(1 << 30), 1073741800, true, true},

		{"text", json.Number("5"), 5, true, true},
		{"text with fraction of zeros", json.Number("5.000"), 5, true, true},
		{"text with exponent", json.Number("1e3"), 1000, true, true},
		{"text with both", json.Number("-1.25E2"), -125, true, true},
		{"text scaled down", json.Number("12000e-3"), 12, true, true},
		{"text scaled down too far", json.Number("1200e-3"), 0, false, false},
		{"text zero", json.Number("-0.0e5"), 0, true, true},
		{"text max", json.Number("9223372036854775807"), math.MaxInt64, true, true},
		{"text max and zeros", json.Number("9223372036854775807.0"), math.MaxInt64, true, true},
		{"text above max", json.Number("9223372036854775808"), 0, false, true},
		{"text min", json.Number("-9223372036854775808"), math.MinInt64, true, true},
		{"text below min", json.Number("-9223372036854775809"), 0, false, true},
		{"text of 20 digits", json.Number("99999999999999999999"), 0, false, true},
		{"text of 2^64", json.Number("18446744073709551616"), 0, false, true},
		{"text above max by a fraction", json.Number("9223372036854775807.5"), 0, false, false},
		{"text huge", json.Number("1e999999999999999999999"), 0, false, true},
		{"text tiny", json.Number("1e-999999999999999999999"), 0, false, false},
		{"text not a number", json.Number("five"), 0, false, false},
		{"text empty", json.Number(""), 0, false, false},

		{"string", "5", 0, false, false},
		{"bool", true, 0, false, false},
		{"nil", nil, 0, false, false},
		{"named", big.Word(5), 0, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := Int(tt.in); got != tt.want && ok || ok != tt.ok {
				t.Errorf("Int(%v) = %d, %t, want %d, %t", tt.in, got, ok, tt.want, tt.ok)
			}
			if got := IsIntegral(tt.in); got != tt.integral {
				t.Errorf("IsIntegral(%v) = %t, want %t", tt.in, got, tt.integral)
			}
		})
	}
}

func TestIsNumber(t *testing.T) {
	for _, v := range []any{
		0, int8(0), int16(0), int32(0), int64(0), uint(0), uint8(0), uint16(0),
		uint32(0), uint64(0), float32(0), float64(0), json.Number("0"),
	} {
		if !IsNumber(v) {
			t.Errorf("IsNumber(%T) = false, want true", v)
		}
	}
	for _, v := range []any{nil, true, "0", []any{}, map[string]any{}, big.Word(0), uintptr(0)} {
		if IsNumber(v) {
			t.Errorf("IsNumber(%T) = true, want false", v)
		}
	}
}

func TestAppendNumber(t *testing.T) {
	tests := []struct {
		in   any
		want string
	}{
		{json.Number("1.50e+01"), "1.50e+01"},
		{0, "0"},
		{int64(math.MinInt64), "-9223372036854775808"},
		{uint64(math.MaxUint64), "18446744073709551615"},
		{int8(-128), "-128"},
		{0.1, "0.1"},
		{float32(0.1), "0.1"},
		{math.Copysign(0, -1), "-0"},
	}
	for _, tt := range tests {
		if got := string(AppendNumber(nil, tt.in)); got != tt.want {
			t.Errorf("AppendNumber(%T %v) = %s, want %s", tt.in, tt.in, got, tt.want)
		}
	}
}

// floats returns floats of all magnitudes, with the ones at limits first.
func floats() []float64 {
	fs := []float64{
		0, 1, 10, 0.1, 1e-6, 9.99e-7, 1e-7, 1e-9, 1e-10, 1e-100, 1e20, 1e21, 9.99e20, 1e22, 1e100,
		1 << 24, 1<<24 + 1, 1 << 53, 1<<53 + 2, 1 << 62, 1 << 63, 1 << 64,
		math.MaxFloat64, math.SmallestNonzeroFloat64, math.MaxFloat32, math.SmallestNonzeroFloat32,
	}
	r := rand.New(rand.NewPCG(1, 2))
	for len(fs) < 20000 {
		f := math.Float64frombits(r.Uint64())
		if !math.IsNaN(f) && !math.IsInf(f, 0) {
			fs = append(fs, f, math.Trunc(math.Mod(f, 1e19)), float64(r.IntN(1e6))/1000)
		}
	}
	return fs
}

func TestFloats(t *testing.T) {
	check := func(v any) {
		t.Helper()
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(AppendNumber(nil, v)); got != string(want) {
			t.Errorf("AppendNumber(%T %v) = %s, want %s", v, v, got, want)
		}
		text := json.Number(want)
		if got, want := string(AppendNumberKey(nil, v)), string(AppendNumberKey(nil, text)); got != want {
			t.Errorf("AppendNumberKey(%T %v) = %s, want %s as of its text", v, v, got, want)
		}
		gotInt, gotOK := Int(v)
		if wantInt, wantOK := Int(text); gotInt != wantInt || gotOK != wantOK {
			t.Errorf("Int(%T %v) = %d, %t, want %d, %t as of its text", v, v, gotInt, gotOK, wantInt, wantOK)
		}
		if got, want := IsIntegral(v), IsIntegral(text); got != want {
			t.Errorf("IsIntegral(%T %v) = %t, want %t as of its text", v, v, got, want)
		}
	}
	for _, f := range floats() {
		check(f)
		check(-f)
		if g := float32(f); !math.IsInf(float64(g), 0) {
			check(g)
		}
	}
}

func TestAppendNumberKey(t *testing.T) {
	tests := []struct {
		want string
		in   []any
	}{
		{"0", []any{0, uint8(0), 0.0, math.Copysign(0, -1), json.Number("0"), json.Number("-0.00e7"), json.Number("0e-99999999999")}},
		{"1", []any{1, int64(1), uint64(1), float32(1), 1.0, json.Number("1"), json.Number("1.0"), json.Number("1e0"), json.Number("10e-1"), json.Number("0.001e3")}},
		{"-1", []any{-1, int8(-1), -1.0, json.Number("-1"), json.Number("-100E-2")}},
		{"1e1", []any{10, 10.0, json.Number("10"), json.Number("1e+1")}},
		{"12e2", []any{1200, float32(1200), json.Number("1200.0"), json.Number("0.12e4")}},
		{"15e-1", []any{1.5, float32(1.5), json.Number("1.5"), json.Number("1.50"), json.Number("150e-2")}},
		{"1e-1", []any{0.1, float32(0.1), json.Number("0.1"), json.Number("0.0001e3")}},
		{"1e21", []any{1e21, json.Number("1e21"), json.Number("1000000000000000000000")}},
		{"9007199254740993", []any{int64(9007199254740993), json.Number("9007199254740993"), json.Number("9007199254740993.0")}},
		{"-9223372036854775808", []any{int64(math.MinInt64), json.Number("-9223372036854775808")}},
		{"5e-324", []any{math.SmallestNonzeroFloat64, json.Number("5e-324")}},
		{"10000000000000000000000000000000001e-34", []any{json.Number("1.0000000000000000000000000000000001")}},
	}
	for _, tt := range tests {
		for _, v := range tt.in {
			if got := string(AppendNumberKey(nil, v)); got != tt.want {
				t.Errorf("AppendNumberKey(%T %v) = %s, want %s", v, v, got, tt.want)
			}
		}
	}
}

func TestNumberPanics(t *testing.T) {
	for name, call := range map[string]func(){
		"AppendNumber":    func() { AppendNumber(nil, "1") },
		"AppendNumberKey": func() { AppendNumberKey(nil, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s did not panic", name)
				}
			}()
			call()
		}()
	}
}

func TestNumberAllocs(t *testing.T) {
	buf := make([]byte, 0, 64)
	for _, v := range []any{42, 1200000, 0.1, 1e100, float32(2.5), json.Number("1299.950"), json.Number("1e300")} {
		n := testing.AllocsPerRun(100, func() {
			AppendNumber(buf, v)
			AppendNumberKey(buf, v)
			Int(v)
			IsIntegral(v)
			equalNumbers(v, v)
		})
		if n != 0 {
			t.Errorf("number functions allocate %v times for %T %v, want 0", n, v, v)
		}
	}
	if n := testing.AllocsPerRun(100, func() { CheckNumber("-1299.950e-300") }); n != 0 {
		t.Errorf("CheckNumber allocates %v times, want 0", n)
	}
}

// rat returns the exact value of a number, which must be in range.
func rat(t *testing.T, s string) *big.Rat {
	t.Helper()
	// Only zero can be in range with an exponent that would take big.Rat long.
	if d, _ := scan(s); d.isZero() {
		return new(big.Rat)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("big.Rat refused %q", s)
	}
	return r
}

func FuzzCheckNumber(f *testing.F) {
	for _, s := range []string{"0", "-0.0", "1e3", "12.50E-7", "1e309", "1e-324", "01", "1.", "0x1", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > maxNumberLen {
			return
		}
		spaced := strings.TrimSpace(s) != s
		syntax := !spaced && json.Valid([]byte(s)) && strings.ContainsAny(s[:1], "-0123456789")
		err := CheckNumber(s)
		if got := err != errNumberSyntax; got != syntax {
			t.Fatalf("CheckNumber(%q) = %v, want syntax ok = %t", s, err, syntax)
		}
		if !syntax {
			return
		}
		v, perr := strconv.ParseFloat(s, 64)
		mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
		inRange := perr == nil && (v != 0 || !strings.ContainsAny(mantissa, "123456789"))
		if got := err == nil; got != inRange {
			t.Fatalf("CheckNumber(%q) = %v, want in range = %t", s, err, inRange)
		}
	})
}

func FuzzNumberKey(f *testing.F) {
	for _, s := range [][2]string{
		{"1", "1.0"}, {"10e-1", "1"}, {"-0", "0"}, {"0.1", "0.10"}, {"1e21", "1000000000000000000000"},
		{"9007199254740993", "9007199254740992"}, {"-1", "1"}, {"12", "1.2"}, {"5e-324", "4.9e-324"},
		{"9223372036854775807.0", "9223372036854775808"}, {"0e99999", "0"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if CheckNumber(a) != nil || CheckNumber(b) != nil {
			return
		}
		ra, rb := rat(t, a), rat(t, b)
		ka, kb := string(AppendNumberKey(nil, json.Number(a))), string(AppendNumberKey(nil, json.Number(b)))
		if got, want := ka == kb, ra.Cmp(rb) == 0; got != want {
			t.Errorf("keys of %s and %s are %s and %s, want equal = %t", a, b, ka, kb, want)
		}
		if err := CheckNumber(ka); err != nil {
			t.Errorf("key %s of %s is refused: %v", ka, a, err)
		} else if rat(t, ka).Cmp(ra) != 0 {
			t.Errorf("key of %s is %s, another number", a, ka)
		}
		if got, want := IsIntegral(json.Number(a)), ra.IsInt(); got != want {
			t.Errorf("IsIntegral(%s) = %t, want %t", a, got, want)
		}
		got, ok := Int(json.Number(a))
		want := ra.IsInt() && ra.Num().IsInt64()
		if ok != want || ok && got != ra.Num().Int64() {
			t.Errorf("Int(%s) = %d, %t, want %s, %t", a, got, ok, ra, want)
		}
	})
}

func BenchmarkCheckNumber(b *testing.B) {
	for _, s := range []string{"42", "1299.95", "6.02214076e23", "1.7976931348623157e308", "1e999999"} {
		b.Run(s, func(b *testing.B) {
			for b.Loop() {
				CheckNumber(s)
			}
		})
	}
}

func BenchmarkAppendNumberKey(b *testing.B) {
	buf := make([]byte, 0, 64)
	for name, v := range map[string]any{"int": 42, "float": 1299.95, "text": json.Number("1299.95")} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				AppendNumberKey(buf, v)
			}
		})
	}
}

package query

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"

	"github.com/bucketlite/bucketlite/internal/value"
)

// Num is a number as filters and sorting compare it: exactly if it is a whole
// number within 64 bits, however it is written, and otherwise as the nearest
// 64-bit float. Two are the same number if and only if they are equal by ==.
//
// SQLite reads a JSON number the same way, except that it rounds whole numbers of 2^53
// and beyond that are written with a point or an exponent.
type Num struct {
	i int64
	f float64 // 0 if i is the number, else one that i cannot be
}

// NumOf returns the number v is, of any plain number type or a Num. It reports
// false if v is none.
func NumOf(v any) (Num, bool) {
	switch v := v.(type) {
	case json.Number:
		return numOfText(string(v))
	case Num:
		return v, true
	case nil, bool, string, []any, map[string]any:
		return Num{}, false
	}
	if i, ok := value.Int(v); ok {
		return Num{i: i}, true
	}
	if !value.IsNumber(v) {
		return Num{}, false
	}
	return numOfText(string(value.AppendNumber(nil, v)))
}

func numOfText(s string) (Num, bool) {
	if i, ok := shortInt(s); ok {
		return Num{i: i}, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || f != f {
		return Num{}, false
	}
	if f != math.Trunc(f) || f < math.MinInt64 || f > -math.MinInt64 {
		return Num{f: f}, true
	}
	// A whole number within 64 bits rounds to a float like this, and so may other
	// numbers, which then count as the float.
	if i, ok := value.Int(json.Number(s)); ok {
		return Num{i: i}, true
	}
	if f == -math.MinInt64 {
		return Num{f: f}, true
	}
	return Num{i: int64(f)}, true
}

// shortInt reads a whole number of up to 18 digits, without point or exponent.
func shortInt(s string) (int64, bool) {
	digits := s
	if s != "" && s[0] == '-' {
		digits = s[1:]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	var i int64
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
		i = i*10 + int64(c-'0')
	}
	if len(digits) < len(s) {
		i = -i
	}
	return i, true
}

// Int returns the number if it is whole and within 64 bits.
func (n Num) Int() (int64, bool) { return n.i, n.f == 0 }

// Float returns the 64-bit float nearest to the number.
func (n Num) Float() float64 {
	if n.f == 0 {
		return float64(n.i)
	}
	return n.f
}

// Compare returns -1, 0 or 1 for n less than, equal to or greater than o.
func (n Num) Compare(o Num) int {
	switch {
	case n.f == 0 && o.f == 0:
		return cmp.Compare(n.i, o.i)
	case n.f == 0:
		return compareIntFloat(n.i, o.f)
	case o.f == 0:
		return -compareIntFloat(o.i, n.f)
	}
	return cmp.Compare(n.f, o.f)
}

// compareIntFloat compares with a float that is no whole number within 64 bits.
func compareIntFloat(i int64, f float64) int {
	switch {
	case f >= -math.MinInt64:
		return -1
	case f < math.MinInt64:
		return 1
	case i <= int64(math.Floor(f)):
		return -1
	}
	return 1
}

// appendKey appends ten bytes that have the order of Compare: the float
// that is nearest below, or the number itself, and how far above that it is.
func (n Num) appendKey(dst []byte) []byte {
	f, above := n.f, int64(0)
	if f == 0 {
		f = float64(n.i)
		if f >= -math.MinInt64 || int64(f) > n.i {
			f = math.Nextafter(f, math.Inf(-1))
		}
		above = n.i - int64(f)
	}
	// The bits of positive floats are ordered as they are, below the sign bit;
	// those of negative ones in reverse.
	bits := math.Float64bits(f)
	if bits>>63 == 0 {
		bits |= 1 << 63
	} else {
		bits = ^bits
	}
	dst = binary.BigEndian.AppendUint64(dst, bits)
	return binary.BigEndian.AppendUint16(dst, uint16(above))
}

// appendText appends a JSON number that two Num share only if they are equal.
func (n Num) appendText(dst []byte) []byte {
	if n.f == 0 {
		return strconv.AppendInt(dst, n.i, 10)
	}
	return strconv.AppendFloat(dst, n.f, 'g', -1, 64)
}

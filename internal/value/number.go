package value

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// maxNumberLen is the length in bytes of the longest number text accepted.
const maxNumberLen = 1000

var (
	errNumberSyntax = errors.New("not a JSON number")
	errNumberLength = errors.New("number is longer than " + strconv.Itoa(maxNumberLen) + " bytes")
	errNumberRange  = errors.New("number is out of range: it does not fit a 64-bit float")
)

// CheckNumber returns an error if s is not the text of a number: if it is not JSON, is
// longer than 1000 bytes, or is out of range because the nearest 64-bit float is
// infinite, or is zero although s is not.
func CheckNumber(s string) error {
	if len(s) > maxNumberLen {
		return errNumberLength
	}
	d, ok := split(s)
	if !ok {
		return errNumberSyntax
	}
	if d.exp == 0 && len(s) < 300 {
		return nil // too few digits to reach either limit
	}
	d = d.trim()
	if d.isZero() {
		return nil
	}
	// Only a number of the same magnitude as the largest or the smallest float
	// needs to be rounded to know on which side of the limit it falls.
	switch m := d.magnitude(); {
	case -324 < m && m < 308:
		return nil
	case m < -324 || m > 308:
		return errNumberRange
	}
	if f, err := strconv.ParseFloat(s, 64); err != nil || f == 0 {
		return errNumberRange
	}
	return nil
}

// IsNumber reports whether v is of one of the plain number kinds.
func IsNumber(v any) bool {
	switch v.(type) {
	case json.Number, float64, float32,
		int, int8, int16, int32, int64,
		uint, uint8, uint16, uint32, uint64:
		return true
	}
	return false
}

// Int returns the value of the number v as an int64. It reports false if v is
// not a number, has a fractional part, or is outside the range of int64. As
// everywhere in this package a float means its shortest text, so from 2^53 up the
// result may differ from a Go conversion.
func Int(v any) (int64, bool) {
	switch v := v.(type) {
	case json.Number:
		d, ok := scan(string(v))
		if !ok {
			return 0, false
		}
		return d.int64()
	case float64:
		return floatInt(v, 64)
	case float32:
		return floatInt(float64(v), 32)
	}
	u, neg, ok := integer(v)
	switch {
	case !ok:
		return 0, false
	case neg:
		return -int64(u), true
	}
	return int64(u), u <= math.MaxInt64
}

// IsIntegral reports whether v is a number without a fractional part, however
// large it is.
func IsIntegral(v any) bool {
	switch v := v.(type) {
	case json.Number:
		d, ok := scan(string(v))
		return ok && d.exp >= 0
	case float64:
		return v == math.Trunc(v) && !math.IsInf(v, 0)
	case float32:
		return IsIntegral(float64(v))
	}
	_, _, ok := integer(v)
	return ok
}

// AppendNumber appends the JSON text of the number v to dst. A json.Number is
// copied as it is, and a float is written as encoding/json does; it must be
// finite. AppendNumber panics if v is not a number.
func AppendNumber(dst []byte, v any) []byte {
	switch v := v.(type) {
	case json.Number:
		return append(dst, v...)
	case float64:
		return appendFloat(dst, v, 64)
	case float32:
		return appendFloat(dst, float64(v), 32)
	}
	u, neg, ok := integer(v)
	if !ok {
		panic("value: not a number")
	}
	if neg {
		dst = append(dst, '-')
	}
	return strconv.AppendUint(dst, u, 10)
}

// AppendNumberKey appends to dst a text that is the same for two numbers if
// and only if they are equal: 1, 1.0, 10e-1 and int(1) share one key, as do 0
// and -0. The number must satisfy [CheckNumber]. The key is itself a JSON
// number. AppendNumberKey panics if v is not a number.
func AppendNumberKey(dst []byte, v any) []byte {
	switch v := v.(type) {
	case json.Number:
		d, _ := scan(string(v))
		return d.appendKey(dst)
	case float64:
		return appendFloatKey(dst, v, 64)
	case float32:
		return appendFloatKey(dst, float64(v), 32)
	}
	u, neg, ok := integer(v)
	if !ok {
		panic("value: not a number")
	}
	return appendIntKey(dst, u, neg)
}

// integer returns the magnitude and sign of v if it is of a Go integer kind.
func integer(v any) (u uint64, neg, ok bool) {
	var i int64
	switch v := v.(type) {
	case int:
		i = int64(v)
	case int64:
		i = v
	case int32:
		i = int64(v)
	case int16:
		i = int64(v)
	case int8:
		i = int64(v)
	case uint:
		return uint64(v), false, true
	case uint64:
		return v, false, true
	case uint32:
		return uint64(v), false, true
	case uint16:
		return uint64(v), false, true
	case uint8:
		return uint64(v), false, true
	default:
		return 0, false, false
	}
	if i < 0 {
		return -uint64(i), true, true
	}
	return uint64(i), false, true
}

// exactInt returns f as an integer if it is one that every float of the given
// size around it can tell from its neighbours, so that its shortest text is
// simply its decimal digits.
func exactInt(f float64, bits int) (int64, bool) {
	limit := float64(1 << 53)
	if bits == 32 {
		limit = 1 << 24
	}
	if -limit < f && f < limit && f == math.Trunc(f) {
		return int64(f), true
	}
	return 0, false
}

func floatInt(f float64, bits int) (int64, bool) {
	if i, ok := exactInt(f, bits); ok {
		return i, true
	}
	var buf [32]byte
	d, ok := scan(string(strconv.AppendFloat(buf[:0], f, 'e', -1, bits)))
	if !ok {
		return 0, false // not finite
	}
	return d.int64()
}

// appendFloat follows the form encoding/json gives floats: plain digits for
// the usual magnitudes and an exponent without padding beyond them.
func appendFloat(dst []byte, f float64, bits int) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 {
		if bits == 64 && (abs < 1e-6 || abs >= 1e21) ||
			bits == 32 && (float32(abs) < 1e-6 || float32(abs) >= 1e21) {
			format = 'e'
		}
	}
	dst = strconv.AppendFloat(dst, f, format, -1, bits)
	if format == 'e' {
		if n := len(dst); n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
			dst[n-2] = dst[n-1]
			dst = dst[:n-1]
		}
	}
	return dst
}

func appendFloatKey(dst []byte, f float64, bits int) []byte {
	if i, ok := exactInt(f, bits); ok {
		return appendIntKey(dst, uint64(max(i, -i)), i < 0)
	}
	var buf [32]byte
	d, _ := scan(string(strconv.AppendFloat(buf[:0], f, 'e', -1, bits)))
	return d.appendKey(dst)
}

func appendIntKey(dst []byte, u uint64, neg bool) []byte {
	if u == 0 {
		return append(dst, '0')
	}
	if neg {
		dst = append(dst, '-')
	}
	exp := 0
	for u%10 == 0 {
		u /= 10
		exp++
	}
	return appendExp(strconv.AppendUint(dst, u, 10), exp)
}

func appendExp(dst []byte, exp int) []byte {
	if exp == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, 'e'), int64(exp), 10)
}

// equalNumbers reports whether the numbers a and b are equal.
func equalNumbers(a, b any) bool {
	if a, ok := a.(json.Number); ok {
		if b, ok := b.(json.Number); ok && a == b {
			return true
		}
	}
	var abuf, bbuf [64]byte
	return string(AppendNumberKey(abuf[:0], a)) == string(AppendNumberKey(bbuf[:0], b))
}

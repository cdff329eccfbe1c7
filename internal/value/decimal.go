package value

import (
	"math"
	"strings"
)

// A decimal is the text of a number taken apart. Its value is the integer
// spelled by hi and then lo, times ten to the power exp. The digits neither
// begin nor end with a zero, which makes the decimal of a value unique; zero
// has no digits, exponent 0 and no sign.
type decimal struct {
	hi, lo string
	exp    int
	neg    bool
}

func (d decimal) isZero() bool { return d.hi == "" && d.lo == "" }

// magnitude returns the power of ten of the leading digit.
func (d decimal) magnitude() int { return len(d.hi) + len(d.lo) + d.exp - 1 }

func (d decimal) int64() (int64, bool) {
	if d.exp < 0 || d.magnitude() >= 19 {
		return 0, false
	}
	// Nineteen digits always fit an uint64.
	var u uint64
	for _, c := range []byte(d.hi) {
		u = u*10 + uint64(c-'0')
	}
	for _, c := range []byte(d.lo) {
		u = u*10 + uint64(c-'0')
	}
	for range d.exp {
		u *= 10
	}
	if d.neg {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u <= math.MaxInt64
}

func (d decimal) appendKey(dst []byte) []byte {
	if d.isZero() {
		return append(dst, '0')
	}
	if d.neg {
		dst = append(dst, '-')
	}
	dst = append(dst, d.hi...)
	dst = append(dst, d.lo...)
	return appendExp(dst, d.exp)
}

// scan takes the text of a number apart. It reports false if s is not a JSON
// number.
func scan(s string) (decimal, bool) {
	d, ok := split(s)
	return d.trim(), ok
}

// maxExp is where split stops counting an exponent. It is far beyond the exponent of the
// longest text in range, and far from overflowing an int.
const maxExp = 1 << 24

// split is scan without moving zeros: hi and lo are the digits before and
// after the point, and exp is the exponent as written.
func split(s string) (d decimal, ok bool) {
	if s != "" && s[0] == '-' {
		d.neg = true
		s = s[1:]
	}
	n := leadingDigits(s)
	if n == 0 || n > 1 && s[0] == '0' {
		return decimal{}, false
	}
	d.hi, s = s[:n], s[n:]

	if s != "" && s[0] == '.' {
		n := leadingDigits(s[1:])
		if n == 0 {
			return decimal{}, false
		}
		d.lo, s = s[1:1+n], s[1+n:]
	}

	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		neg := false
		if s != "" && (s[0] == '-' || s[0] == '+') {
			neg = s[0] == '-'
			s = s[1:]
		}
		n := leadingDigits(s)
		if n == 0 {
			return decimal{}, false
		}
		for _, c := range []byte(s[:n]) {
			d.exp = min(d.exp*10+int(c-'0'), maxExp)
		}
		if neg {
			d.exp = -d.exp
		}
		s = s[n:]
	}
	if s != "" {
		return decimal{}, false
	}
	return d, true
}

// trim returns the decimal for what split returned.
func (d decimal) trim() decimal {
	d.exp -= len(d.lo)
	n := len(d.lo)
	d.lo = strings.TrimRight(d.lo, "0")
	d.exp += n - len(d.lo)
	if d.lo == "" {
		n := len(d.hi)
		d.hi = strings.TrimRight(d.hi, "0")
		d.exp += n - len(d.hi)
	}
	if d.hi == "0" {
		d.hi = ""
	}
	if d.hi == "" {
		d.lo = strings.TrimLeft(d.lo, "0")
	}
	if d.isZero() {
		return decimal{}
	}
	return d
}

func leadingDigits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

package aggregate

import (
	"encoding/json"
	"math"
	"math/big"
	"math/bits"
	"strconv"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A sum adds numbers without error, so that their order does not matter.
type sum struct {
	// The sum of the numbers that are whole and within 64 bits, in 128 bits.
	high int64
	low  uint64
	// The sum of the others, as floats that do not overlap, the smallest first:
	// what Shewchuk's algorithm makes of them.
	floats  []float64
	isFloat bool // there were others
	// The sum of the others once it has been beyond the range of a float.
	large *big.Float
}

func (s *sum) add(n query.Num) {
	if i, ok := n.Int(); ok {
		var carry uint64
		s.low, carry = bits.Add64(s.low, uint64(i), 0)
		s.high += i>>63 + int64(carry)
		return
	}
	s.isFloat = true
	if s.large != nil {
		s.large.Add(s.large, big.NewFloat(n.Float()))
		return
	}
	x, kept := n.Float(), 0
	for i, y := range s.floats {
		if math.Abs(x) < math.Abs(y) {
			x, y = y, x
		}
		high := x + y
		if math.IsInf(high, 0) {
			s.grow(append(append(s.floats[:kept:kept], x, y), s.floats[i+1:]...))
			return
		}
		if low := y - (high - x); low != 0 {
			s.floats[kept] = low
			kept++
		}
		x = high
	}
	s.floats = append(s.floats[:kept], x)
}

// grow continues with a sum of the parts that has room for any.
func (s *sum) grow(parts []float64) {
	s.large = exact()
	for _, f := range parts {
		s.large.Add(s.large, big.NewFloat(f))
	}
	s.floats = nil
}

// exact returns a zero with bits enough for the sum of 2^60 floats of any size.
func exact() *big.Float { return new(big.Float).SetPrec(2200) }

// whole returns the sum of the whole numbers.
func (s *sum) whole() *big.Int {
	n := new(big.Int).Lsh(big.NewInt(s.high), 64)
	return n.Add(n, new(big.Int).SetUint64(s.low))
}

// int returns the sum if it is that of whole numbers, and within 64 bits.
func (s *sum) int() (int64, bool) {
	return int64(s.low), !s.isFloat && s.high == int64(s.low)>>63
}

// total returns the sum.
func (s *sum) total() *big.Float {
	t := exact().SetInt(s.whole())
	for _, f := range s.floats {
		t.Add(t, big.NewFloat(f))
	}
	if s.large != nil {
		t.Add(t, s.large)
	}
	return t
}

// float returns the float nearest to the sum; it may be infinite.
func (s *sum) float() float64 {
	if i, ok := s.int(); ok {
		return float64(i)
	}
	if len(s.floats) == 1 && s.high == 0 && s.low == 0 {
		return s.floats[0]
	}
	f, _ := s.total().Float64()
	return f
}

// show returns the sum as a plain number: a whole one with all its digits if all
// numbers were whole and within 64 bits, else the nearest float. It is nil beyond
// the range of floats.
func (s *sum) show() any {
	if i, ok := s.int(); ok {
		return json.Number(strconv.FormatInt(i, 10))
	}
	if !s.isFloat {
		return json.Number(s.whole().String())
	}
	return showFloat(s.float())
}

// average returns the nth part of the nearest float, or nil if n is zero.
func (s *sum) average(n int64) any {
	if n == 0 {
		return nil
	}
	f := s.float()
	if math.IsInf(f, 0) {
		t := s.total()
		f, _ = t.Quo(t, exact().SetInt64(n)).Float64()
		return showFloat(f)
	}
	return showFloat(f / float64(n))
}

func showFloat(f float64) any {
	if math.IsInf(f, 0) {
		return nil
	}
	return json.Number(value.AppendNumber(nil, f))
}

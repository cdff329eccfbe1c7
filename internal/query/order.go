package query

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

// Instant is a point in time: Unix seconds, and the nanoseconds past them.
type Instant struct {
	Sec   int64
	Nanos int32
}

// ParseInstant reads a datetime, as value.ParseDateTime does.
func ParseInstant(s string) (Instant, bool) {
	sec, nanos, ok := value.ParseDateTime(s)
	return Instant{sec, nanos}, ok
}

// Compare returns -1, 0 or 1 for a before, equal to or after b.
func (a Instant) Compare(b Instant) int {
	return cmp.Or(cmp.Compare(a.Sec, b.Sec), cmp.Compare(a.Nanos, b.Nanos))
}

// MaxKeyText is how many bytes of a string, or of an object's text, count when it
// is sorted by. It keeps cursors and the keys of an index short.
const MaxKeyText = 512

// Object is an object's canonical JSON text, by which it is sorted.
type Object string

func objectOf(v any) Object { return Object(value.Append(nil, v)) }

// OrderBy is a path to sort by.
type OrderBy struct {
	Path []string
	Type Type
	Desc bool
}

// Order is what documents are sorted by: where the first are equal, by the next.
type Order []OrderBy

// AppendKey appends bytes to dst that have the order of the documents. Null and
// absent values come last in either direction.
func (o Order) AppendKey(dst []byte, doc Doc) []byte {
	for i := range o {
		by := &o[i]
		v := SortValue(doc, by.Path, by.Type, by.Desc)
		start := len(dst)
		if dst = AppendKey(dst, v); by.Desc {
			reverse(dst[start:])
		}
	}
	return dst
}

// Reverse returns what [Order.AppendKey] has in descending order where it has key
// in ascending order, and the other way round.
func Reverse(key []byte) []byte {
	key = bytes.Clone(key)
	reverse(key)
	return key
}

// reverse is its own inverse, and leaves the key of null the greatest.
func reverse(key []byte) {
	switch rank(key[0]) {
	case rankNil:
		key[0] = ^byte(0)
	case ^rank(0):
		key[0] = byte(rankNil)
	default:
		for i, b := range key {
			key[i] = ^b
		}
	}
}

// A rank is the first byte of a key, and what values of different types are
// ordered by. None is 0xFF, which in a string's key stands for itself.
type rank byte

const (
	rankBool rank = 1 + iota
	rankNum
	rankString
	rankInstant
	rankObject
	rankNil
)

func rankOf(v any) rank {
	switch v.(type) {
	case nil:
		return rankNil
	case bool:
		return rankBool
	case string:
		return rankString
	case Num:
		return rankNum
	case Instant:
		return rankInstant
	case Object, map[string]any, []any:
		return rankObject
	}
	if value.IsNumber(v) {
		return rankNum
	}
	panic(fmt.Sprintf("query: %T has no place in the order of values", v))
}

// Compare returns -1, 0 or 1 for a before, equal to or after b in the order that
// documents are sorted by: false, true, numbers, strings by code point, instants,
// objects by their canonical JSON text, and last nil, which stands for null and
// for nothing at all. It takes what [SortValue] returns and plain values. An array
// as such has no place in it, and is taken for an object.
func Compare(a, b any) int {
	r := rankOf(a)
	if s := rankOf(b); r != s {
		return cmp.Compare(r, s)
	}
	switch r {
	case rankBool:
		return cmp.Compare(bit(a), bit(b))
	case rankNum:
		x, _ := NumOf(a)
		y, _ := NumOf(b)
		return x.Compare(y)
	case rankString:
		return strings.Compare(a.(string), b.(string))
	case rankInstant:
		return a.(Instant).Compare(b.(Instant))
	case rankObject:
		return strings.Compare(objectText(a), objectText(b))
	}
	return 0
}

// AppendKey appends a key of v to dst, so that bytes.Compare of two keys is
// [Compare] of the values. No key begins another, so that keys which follow each
// other are ordered by the first values that differ.
func AppendKey(dst []byte, v any) []byte {
	r := rankOf(v)
	dst = append(dst, byte(r))
	switch r {
	case rankBool:
		return append(dst, bit(v))
	case rankNum:
		n, _ := NumOf(v)
		return n.appendKey(dst)
	case rankString:
		return appendTextKey(dst, v.(string))
	case rankInstant:
		at := v.(Instant)
		dst = binary.BigEndian.AppendUint64(dst, uint64(at.Sec)^-math.MinInt64) // the negative ones first
		return binary.BigEndian.AppendUint32(dst, uint32(at.Nanos))
	case rankObject:
		return appendTextKey(dst, objectText(v))
	}
	return dst
}

// appendTextKey appends s and an end that is less than whatever could continue: a
// zero byte, while those within s become one followed by 0xFF.
func appendTextKey(dst []byte, s string) []byte {
	for {
		i := strings.IndexByte(s, 0)
		if i < 0 {
			return append(append(dst, s...), 0)
		}
		dst = append(append(dst, s[:i]...), 0, 0xFF)
		s = s[i+1:]
	}
}

func objectText(v any) string {
	if o, ok := v.(Object); ok {
		return string(o)
	}
	return string(objectOf(v))
}

func bit(v any) byte {
	if v.(bool) {
		return 1
	}
	return 0
}

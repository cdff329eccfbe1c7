package query

import (
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/bucketlite/bucketlite/internal/value"
)

// Whole is an array or object that is compared as a whole: it equals one that
// has equal elements, or members of the same names with equal values. Numbers are
// compared as Num, and strings in folded form unless case matters.
type Whole struct {
	key string
}

func newWhole(v any, caseSensitive bool) *Whole {
	return &Whole{key: string(appendWhole(nil, v, caseSensitive))}
}

func (w *Whole) match(v any, caseSensitive bool) bool {
	if (w.key[0] == '[') != isArray(v) {
		return false
	}
	b := scratch.Get().(*[]byte)
	*b = appendWhole((*b)[:0], v, caseSensitive)
	equal := string(*b) == w.key
	release(b)
	return equal
}

func isArray(v any) bool {
	_, ok := v.([]any)
	return ok
}

// appendWhole appends a JSON text that two plain values share if and only if they
// are equal as a whole.
func appendWhole(dst []byte, v any, caseSensitive bool) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		if !caseSensitive {
			v = Fold(v)
		}
		return value.AppendString(dst, v)
	case []any:
		dst = append(dst, '[')
		for _, item := range v {
			dst = append(appendWhole(dst, item, caseSensitive), ',')
		}
		return append(dst, ']')
	case map[string]any:
		dst = append(dst, '{')
		for _, name := range slices.Sorted(maps.Keys(v)) {
			dst = append(value.AppendString(dst, name), ':')
			dst = append(appendWhole(dst, v[name], caseSensitive), ',')
		}
		return append(dst, '}')
	}
	n, _ := NumOf(v)
	return n.appendText(dst)
}

// Set is the list of an In, by type and without repetitions. Strings are folded
// unless case matters.
type Set struct {
	// Null, False and True tell whether those are in the list.
	Null, False, True bool
	Nums              []Num
	Strings           []string
	Instants          []Instant
	Wholes            []*Whole

	nums     map[Num]struct{}
	strings  map[string]struct{}
	instants map[Instant]struct{}
	wholes   map[string]struct{}
	longest  int // bytes of a string
}

// Len returns the number of values in the set.
func (s *Set) Len() int {
	n := len(s.Nums) + len(s.Strings) + len(s.Instants) + len(s.Wholes)
	for _, there := range []bool{s.Null, s.False, s.True} {
		if there {
			n++
		}
	}
	return n
}

// add adds a value that is prepared for comparison.
func (s *Set) add(v any) {
	switch v := v.(type) {
	case nil:
		s.Null = true
	case bool:
		s.True = s.True || v
		s.False = s.False || !v
	case Num:
		s.Nums = appendNew(s.Nums, &s.nums, v, v)
	case string:
		s.Strings = appendNew(s.Strings, &s.strings, v, v)
		s.longest = max(s.longest, len(v))
	case Instant:
		s.Instants = appendNew(s.Instants, &s.instants, v, v)
	case *Whole:
		s.Wholes = appendNew(s.Wholes, &s.wholes, v.key, v)
	}
}

// appendNew appends v to list unless its key is in index.
func appendNew[T any, K comparable](list []T, index *map[K]struct{}, key K, v T) []T {
	if *index == nil {
		*index = make(map[K]struct{})
	}
	if _, ok := (*index)[key]; ok {
		return list
	}
	(*index)[key] = struct{}{}
	return append(list, v)
}

func (s *Set) hasString(v string, caseSensitive bool) (ok bool) {
	if len(s.strings) == 0 {
		return false
	}
	if caseSensitive {
		_, ok = s.strings[v]
		return ok
	}
	var few [128]byte // enough for most, and off the heap
	key, ok := foldedKey(few[:], v, s.longest)
	if ok {
		_, ok = s.strings[string(key)]
	}
	return ok
}

func (s *Set) hasInstant(v string) bool {
	at, ok := ParseInstant(v)
	if ok {
		_, ok = s.instants[at]
	}
	return ok
}

func (s *Set) hasNum(v any) bool {
	if len(s.nums) == 0 {
		return false
	}
	n, ok := NumOf(v)
	if ok {
		_, ok = s.nums[n]
	}
	return ok
}

func (s *Set) hasWhole(v any, caseSensitive bool) bool {
	if len(s.wholes) == 0 {
		return false
	}
	b := scratch.Get().(*[]byte)
	*b = appendWhole((*b)[:0], v, caseSensitive)
	_, ok := s.wholes[string(*b)]
	release(b)
	return ok
}

// scratch holds buffers for temporary comparands that do not fit on the stack.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// release puts a buffer back, unless it has grown too large to keep.
func release(b *[]byte) {
	if cap(*b) <= 1<<20 {
		scratch.Put(b)
	}
}

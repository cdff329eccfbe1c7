package aggregate

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"sort"
	"strconv"

	"github.com/bucketlite/bucketlite/internal/query"
)

// A column is one of the things that documents are grouped by.
type column struct {
	name        string
	path        *path
	trunc, part string  // units, of which one may be set
	ranges      *ranges // nil unless it is grouped by ranges
}

// ranges are the ranges of numbers between boundaries. Each has its upper boundary
// and not its lower one.
type ranges struct {
	bounds []query.Num
	names  []string // of the ranges, one fewer than boundaries
	other  string   // the name for values in none of them
}

// of returns the index of the range v is in; len(names) if it is in none.
func (r *ranges) of(v any) int {
	n, ok := query.NumOf(v)
	if !ok {
		return len(r.names)
	}
	// The first boundary that n does not exceed is the upper one of its range.
	upper := sort.Search(len(r.bounds), func(i int) bool { return n.Compare(r.bounds[i]) <= 0 })
	if upper == 0 || upper == len(r.bounds) {
		return len(r.names)
	}
	return upper - 1
}

func (r *ranges) name(i int) string {
	if i == len(r.names) {
		return r.other
	}
	return r.names[i]
}

// A rangeIndex stands for a range among kept values.
type rangeIndex int

// derive returns the group value of a document with the value v at the path: a
// query.Instant, int or rangeIndex, or a plain value, which still is the document's.
func (k *column) derive(v any) any {
	switch {
	case k.ranges != nil:
		return rangeIndex(k.ranges.of(v))
	case k.trunc != "":
		if at, ok := instantOf(v); ok {
			return truncate(at, k.trunc)
		}
		return nil
	case k.part != "":
		if at, ok := instantOf(v); ok {
			return part(at, k.part)
		}
		return nil
	}
	return v
}

// appendKey appends the key of what derive returned.
func (k *column) appendKey(dst []byte, v any) []byte {
	if i, ok := v.(rangeIndex); ok {
		return binary.BigEndian.AppendUint16(dst, uint16(i))
	}
	return appendKey(dst, v, k.path.typ.Kind)
}

// show returns what derive returned as a plain value.
func (k *column) show(v any) any {
	switch v := v.(type) {
	case rangeIndex:
		return k.ranges.name(int(v))
	case query.Instant:
		return datetime(v)
	case int:
		return json.Number(strconv.Itoa(v))
	}
	return v
}

// rankContainer is the first byte of the keys of arrays and objects. It is the one
// that query.AppendKey has for objects, which are never left to it here.
const rankContainer = 5

// appendKey appends a key of v, which is plain or an Instant, so that values are
// equal if and only if their keys are. No key begins another. Strings are instants
// if that is the kind that is declared.
func appendKey(dst []byte, v any, kind query.Kind) []byte {
	switch x := v.(type) {
	case string:
		if kind == query.DateTime {
			if at, ok := query.ParseInstant(x); ok {
				return query.AppendKey(dst, at)
			}
		}
	case []any:
		dst = append(dst, rankContainer, 0)
		for _, item := range x {
			dst = appendKey(dst, item, query.Undeclared)
		}
		return append(dst, 0) // less than what keys begin with
	case map[string]any:
		dst = append(dst, rankContainer, 1)
		for _, name := range slices.Sorted(maps.Keys(x)) {
			dst = query.AppendKey(dst, name)
			dst = appendKey(dst, x[name], query.Undeclared)
		}
		return append(dst, 0)
	}
	return query.AppendKey(dst, v)
}

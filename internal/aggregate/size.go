package aggregate

import (
	"encoding/json"
	"strings"
	"unsafe"
)

// Memory taken by things other than texts, with the spare room of maps and slices that
// have just grown, and the rounding of the allocator. [Limits].Bytes
// counts by these.
const (
	slotSize   = 16 // of an any
	stringSize = 16 // of a string's header, on the heap if it is in an any
	sliceSize  = 24 // of a slice's header

	smallMap  = 48 + 288 // a map[string]any of up to 8 members
	largeMap  = 48 + 64  // one of more, without its members
	memberMap = 80       // each member of that

	// A group: itself, its place among the groups, and its place among those that
	// are sorted in the end.
	groupSize = int(unsafe.Sizeof(group{})) + 64 + 80
	// The set of a metric: the map, and each key.
	setSize = 48 + 144
	keySize = 56
	// A value of a list, whose slice may have just grown.
	listSize = 2 * slotSize
)

// textSize is what n bytes of text take.
func textSize(n int) int { return (n + n/8 + 15) &^ 15 }

// mapSize is the memory of a map[string]any of n members, without them.
func mapSize(n int) int {
	if n <= 8 {
		return smallMap
	}
	return largeMap + n*memberMap
}

// accumulatorSize returns the size of an empty accumulator and its slot.
func (m *metric) accumulatorSize() int {
	switch m.function {
	case Sum, Avg:
		return slotSize + 96 // with a float
	case Min, Max, First, Last:
		return slotSize + 96 // with a key that is no text
	}
	return slotSize + 32
}

// rowSize is the memory of the result of a group, without the group's own values.
func (p *Plan) rowSize() int {
	const shown = 2 * (stringSize + 16) // a number that is written, or a time
	return 2*int(unsafe.Sizeof(Row{})) + mapSize(len(p.columns)) + mapSize(len(p.metrics)) + shown*(len(p.columns)+len(p.metrics))
}

// keep returns a copy of v that may be kept, and its memory without its slot.
func keep(v any) (any, int) {
	switch v := v.(type) {
	case string:
		return strings.Clone(v), stringSize + textSize(len(v))
	case json.Number:
		return json.Number(strings.Clone(string(v))), stringSize + textSize(len(v))
	case []any:
		items, size := make([]any, len(v)), sliceSize+slotSize*len(v)
		for i, item := range v {
			var n int
			items[i], n = keep(item)
			size += n
		}
		return items, size
	case map[string]any:
		members, size := make(map[string]any, len(v)), mapSize(len(v))
		for name, item := range v {
			item, n := keep(item)
			members[strings.Clone(name)] = item
			size += textSize(len(name)) + n
		}
		return members, size
	}
	return v, slotSize
}

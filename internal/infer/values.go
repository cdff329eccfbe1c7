package infer

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

const (
	maxExamples = 3
	maxExample  = 100 // bytes of an example

	maxEnum      = 20 // different values of an enum
	maxEnumValue = 50 // bytes of each
	enumRepeats  = 10 // values of an enum, for each different one
)

// values holds some of the values of a field that are no objects and no arrays.
type values struct {
	examples []any            // the first that differ
	texts    map[string]int64 // how often each text was seen
	many     bool             // the values are too many, too long or no texts
}

func (vs *values) add(v any) {
	if len(vs.examples) < maxExamples {
		vs.example(v)
	}
	if vs.many {
		return
	}
	s, isText := v.(string)
	n, known := vs.texts[s]
	if !isText || s == "" || len(s) > maxEnumValue || !known && len(vs.texts) == maxEnum {
		vs.many, vs.texts = true, nil
		return
	}
	if vs.texts == nil {
		vs.texts = make(map[string]int64)
	}
	if !known {
		s = strings.Clone(s)
	}
	vs.texts[s] = n + 1
}

func (vs *values) example(v any) {
	switch x := v.(type) {
	case string:
		if len(x) > maxExample {
			x = strings.ToValidUTF8(x[:maxExample], "") + "…"
		}
		v = strings.Clone(x)
	case json.Number:
		v = json.Number(strings.Clone(string(x)))
	}
	if !slices.ContainsFunc(vs.examples, func(other any) bool { return value.Equal(v, other) }) {
		vs.examples = append(vs.examples, v)
	}
}

// enum returns the values that a field of so many values seems to be limited to, sorted,
// or nil. One value that is always the same is no choice.
func (vs *values) enum(seen, least int64) []any {
	if n := int64(len(vs.texts)); n < 2 || seen < least || seen < n*enumRepeats {
		return nil
	}
	var enum []any
	for _, s := range slices.Sorted(maps.Keys(vs.texts)) {
		enum = append(enum, s)
	}
	return enum
}

package jsonb

import (
	"encoding/json"

	"github.com/bucketlite/bucketlite/internal/value"
)

// Copy returns the object that [Parse] reads from what [Append] writes of m, without
// writing it. The copy shares strings with m, but no map and no slice. Copy panics if m is
// not plain.
func Copy(m map[string]any) map[string]any {
	if len(m) == 0 {
		return map[string]any{}
	}
	out := make(map[string]any, len(m))
	for name, v := range m {
		if !isParsed(v) {
			v = copyValue(v)
		}
		out[name] = v
	}
	return out
}

// isParsed reports whether v is what Parse makes of it, and cannot change.
func isParsed(v any) bool {
	switch v.(type) {
	case nil, bool, string, json.Number:
		return true
	}
	return false
}

func copyValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return Copy(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			if isParsed(item) {
				out[i] = item
			} else {
				out[i] = copyValue(item)
			}
		}
		return out
	}
	var few [32]byte // enough for any but a json.Number
	return json.Number(value.AppendNumber(few[:0], v))
}

package assertion

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/bucketlite/bucketlite/internal/value"
)

// unique reports whether no two items are equal, as JSON understands it: 1 and
// 1.0 are, whatever Go types they come in, and so are objects whose members are.
//
// It is the one keyword not left to the library, which hashes ["a","bc"] and
// ["ab","c"] alike and then compares every pair: 400 kB made to that pattern
// cost it half a minute.
func unique(items []any) bool {
	seen := make(map[string]struct{}, len(items))
	var key []byte
	for _, v := range items {
		key = appendKey(key[:0], v)
		if _, ok := seen[string(key)]; ok {
			return false
		}
		seen[string(key)] = struct{}{}
	}
	return true
}

// appendKey appends a text that two values have in common only if they are
// equal. Each begins with its type and says where it ends.
func appendKey(key []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(key, 'n')
	case bool:
		return append(strconv.AppendBool(key, v), ';')
	case string:
		return appendText(key, '"', v)
	case []any:
		key = append(key, '[')
		for _, item := range v {
			key = appendKey(key, item)
		}
		return append(key, ']')
	case map[string]any:
		key = append(key, '{')
		for _, name := range slices.Sorted(maps.Keys(v)) {
			key = appendKey(appendText(key, '"', name), v[name])
		}
		return append(key, '}')
	}
	return appendText(key, '#', number(v))
}

func appendText(key []byte, kind byte, s string) []byte {
	key = append(strconv.AppendInt(append(key, kind), int64(len(s)), 10), ':')
	return append(key, s...)
}

// number returns the one text of the number v, however it is written. It is about
// as short as v: 1e999 written out would have a thousand digits.
func number(v any) string {
	switch n := v.(type) {
	case json.Number:
		if value.CheckNumber(string(n)) != nil {
			return string(n)
		}
	case float64:
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return fmt.Sprint(n)
		}
	case float32:
		if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Sprint(n)
		}
	}
	if !value.IsNumber(v) {
		return fmt.Sprint(v)
	}
	return string(value.AppendNumberKey(nil, v))
}

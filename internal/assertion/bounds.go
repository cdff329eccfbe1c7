package assertion

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/value"
)

// bounds are the keywords of an assertion that bounds whole numbers and the lengths of
// strings, and nothing else. They accept most values without the library, which takes some
// ten times as long. A value that they do not accept may still be valid.
type bounds struct {
	low, high         int64 // of numbers
	shortest, longest int64 // of strings, in characters
}

// newBounds returns the bounds of some keywords, or nil if there are others, or a number
// that is not whole.
func newBounds(keywords map[string]any) *bounds {
	b := &bounds{low: math.MinInt64, high: math.MaxInt64, longest: math.MaxInt64}
	for name, v := range keywords {
		text, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		n, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return nil
		}
		switch name {
		case "minimum":
			b.low = n
		case "maximum":
			b.high = n
		case "minLength":
			b.shortest = n
		case "maxLength":
			b.longest = n
		default:
			return nil
		}
	}
	return b
}

// accepts reports whether v certainly is within the bounds; nil bounds accept nothing.
func (b *bounds) accepts(v any) bool {
	if b == nil {
		return false
	}
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		return err == nil && b.low <= n && n <= b.high
	case string:
		n := int64(utf8.RuneCountInString(v))
		return b.shortest <= n && n <= b.longest
	}
	n, ok := value.Int(v)
	return ok && b.low <= n && n <= b.high
}

package value

import "strings"

// shown is how many bytes of a text Show shows.
const shown = 60

// Show returns a value as error messages show it: an object and an array by their kind,
// anything else as JSON, and a long text only in part.
func Show(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case string:
		if len(v) > shown {
			v = strings.ToValidUTF8(v[:shown], "") + "…"
		}
		return string(AppendString(nil, v))
	}
	return string(Append(nil, v))
}

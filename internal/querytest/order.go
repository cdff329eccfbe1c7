package querytest

import (
	"encoding/json"
	"math/big"
	"strings"
	"time"
)

// Less reports whether the document a is sorted before b, by what is at path,
// which is declared to be of the given kind. Neither is before the other if they
// have nothing there, or the same.
func Less(a, b map[string]any, path, kind string, desc bool) bool {
	x, y := sortValue(a, path, kind, desc), sortValue(b, path, kind, desc)
	switch {
	case x == nil:
		return false
	case y == nil:
		return true
	case desc:
		return compare(y, x) < 0
	}
	return compare(x, y) < 0
}

// sortValue returns what doc is sorted by, or nil.
func sortValue(doc map[string]any, path, kind string, desc bool) any {
	var best any
	for _, v := range reached(doc, strings.Split(path, ".")) {
		switch x := v.(type) {
		case nil, absent, []any:
			continue
		case string:
			v = cut(x)
			if kind == "datetime" {
				v = parseTime(x)
			}
		case json.Number:
			v = number(x)
		case map[string]any:
			v = objectText(cut(text(x)))
		}
		if best == nil || desc && compare(v, best) > 0 || !desc && compare(v, best) < 0 {
			best = v
		}
	}
	return best
}

// maxText is how many bytes of a text count when it is sorted by.
const maxText = 512

func cut(s string) string { return s[:min(len(s), maxText)] }

// objectText is what counts of an object that is sorted by.
type objectText string

func compare(a, b any) int {
	if x, y := place(a), place(b); x != y {
		return x - y
	}
	switch a := a.(type) {
	case bool:
		return yes(a) - yes(b.(bool))
	case *big.Rat:
		return a.Cmp(b.(*big.Rat))
	case string:
		return strings.Compare(a, b.(string))
	case time.Time:
		return a.Compare(b.(time.Time))
	}
	return strings.Compare(text(a), text(b))
}

// place returns where values of a type come in the order of types.
func place(v any) int {
	switch v.(type) {
	case bool:
		return 1
	case *big.Rat:
		return 2
	case string:
		return 3
	case time.Time:
		return 4
	}
	return 5
}

func yes(b bool) int {
	if b {
		return 1
	}
	return 0
}

// text returns the JSON text of an object: compact, in the order of the names,
// and without escaping for HTML.
func text(v any) string {
	if t, ok := v.(objectText); ok {
		return string(t)
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

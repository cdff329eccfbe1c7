package value

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Segment is one step of a [Path]: into a member of an object or an item of
// an array.
type Segment struct {
	Name    string // member name, unless IsIndex
	Index   int    // item position, if IsIndex
	IsIndex bool
}

// Path says where in a value something is. The empty path is the value itself.
//
// A walk extends its path on the way down with [Path.Member] and [Path.Item]
// and passes the result by value. Siblings may share memory, so a path is good
// only until the walk moves on; what outlives that should keep the string.
type Path []Segment

// Member returns the path of the member called name of the object at p.
func (p Path) Member(name string) Path {
	return append(p, Segment{Name: name})
}

// Item returns the path of item i of the array at p.
func (p Path) Item(i int) Path {
	return append(p, Segment{Index: i, IsIndex: true})
}

// String returns p as people write it, such as meta.tags[3].name. A member
// name that could be misread is quoted in brackets: meta["a.b"]. The empty
// path is the empty string.
func (p Path) String() string {
	if len(p) == 0 {
		return ""
	}
	if len(p) == 1 && !p[0].IsIndex && isBare(p[0].Name) {
		return p[0].Name
	}
	var b []byte
	for _, s := range p {
		switch {
		case s.IsIndex:
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(s.Index), 10)
			b = append(b, ']')
		case isBare(s.Name):
			if len(b) > 0 {
				b = append(b, '.')
			}
			b = append(b, s.Name...)
		default:
			b = append(b, '[')
			b = strconv.AppendQuote(b, s.Name)
			b = append(b, ']')
		}
	}
	return string(b)
}

// isBare reports whether a member name can stand in a path without quotes.
func isBare(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool {
		switch r {
		case '.', '[', ']', '"':
			return true
		}
		return unicode.IsControl(r) || unicode.IsSpace(r)
	})
}

// SetMember sets the member at a path of names, of which there is at least one. It makes
// the objects on the way, in place of values that are none.
func SetMember(fields map[string]any, path []string, v any) {
	for _, step := range path[:len(path)-1] {
		inner, ok := fields[step].(map[string]any)
		if !ok {
			inner = make(map[string]any)
			fields[step] = inner
		}
		fields = inner
	}
	fields[path[len(path)-1]] = v
}

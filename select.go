package bucketlite

import (
	"strconv"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A selection is a tree of the members that are selected: nil for all of them.
type selection map[string]selection

// compileSelect judges the paths of the members to select; none select all.
func compileSelect(paths []string, faults *QueryError) selection {
	at := value.Path{{Name: "select"}}
	if len(paths) > MaxSelect {
		faults.fault(at, ruleSize, "at most "+strconv.Itoa(MaxSelect)+" paths expected, got "+strconv.Itoa(len(paths)))
		return nil
	}
	var chosen selection
	for i, p := range paths {
		path, err := query.ParsePath(p)
		if err != nil {
			faults.fault(at.Item(i), rulePath, err.Error())
			continue
		}
		if chosen == nil {
			chosen = make(selection)
		}
		chosen.add(path)
	}
	return chosen
}

// add selects the member that path leads to. What is selected as a whole stays so.
func (s selection) add(path []string) {
	below, there := s[path[0]]
	switch {
	case len(path) == 1:
		s[path[0]] = nil
	case there && below == nil:
	case there:
		below.add(path[1:])
	default:
		below = make(selection)
		below.add(path[1:])
		s[path[0]] = below
	}
}

// has reports whether the member, or part of it, is selected.
func (s selection) has(name string) bool {
	_, ok := s[name]
	return s == nil || ok
}

// members returns the selected members of m.
func (s selection) members(m map[string]any) map[string]any {
	if s == nil {
		return m
	}
	out := make(map[string]any, len(s))
	for name, below := range s {
		if v, ok := m[name]; ok {
			if v, ok = below.of(v); ok {
				out[name] = v
			}
		}
	}
	return out
}

// of returns what is selected of v, through arrays, and whether there is any of it.
func (s selection) of(v any) (any, bool) {
	switch x := v.(type) {
	case map[string]any:
		m := s.members(x)
		return m, s == nil || len(m) > 0
	case []any:
		if s == nil {
			return v, true
		}
		list := []any{}
		for _, item := range x {
			if item, ok := s.of(item); ok {
				list = append(list, item)
			}
		}
		return list, true
	}
	return v, s == nil
}

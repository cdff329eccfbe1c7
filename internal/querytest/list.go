package querytest

import (
	"slices"
	"strings"
)

// List is what a list of documents is asked for. The filter is in its JSON form,
// and none of it has faults.
type List struct {
	Filter        any
	Search        string
	CaseSensitive bool
	Sort          []By
	Reverse       bool
}

// By is a path to sort by.
type By struct {
	Path string
	Desc bool
}

// Find returns where in docs those stand that the list wants, in its order. For
// kind see [Matches]. The members of documents that [Search] knows are the system's.
func Find(l List, docs []map[string]any, kind func(path string) string) []int {
	var found []int
	for i, doc := range docs {
		if matches(l.Filter, doc, kind, l.CaseSensitive) && Search(l.Search, doc, l.CaseSensitive) {
			found = append(found, i)
		}
	}
	if l.Reverse {
		slices.Reverse(found)
	}
	return Sort(l.Sort, found, docs, kind)
}

// Sort returns the places, each in docs, in another order. Places that are equal in it
// keep theirs.
func Sort(by []By, places []int, docs []map[string]any, kind func(path string) string) []int {
	keys := make(map[int][]any)
	for _, place := range places {
		for _, b := range by {
			keys[place] = append(keys[place], sortValue(docs[place], b.Path, kind(b.Path), b.Desc))
		}
	}
	sorted := slices.Clone(places)
	slices.SortStableFunc(sorted, func(x, y int) int {
		for i, b := range by {
			a, c := keys[x][i], keys[y][i]
			switch {
			case a == nil && c == nil:
				continue
			case a == nil:
				return 1
			case c == nil:
				return -1
			}
			order := compare(a, c)
			if b.Desc {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return 0
	})
	return sorted
}

// Select returns what is left of v if only the paths are wanted: members of objects
// that lie on a path, or below one; through arrays, of which all elements are left
// that have any. It returns nil if there is nothing.
func Select(v any, paths []string) any {
	if slices.Contains(paths, "") {
		return v
	}
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, item := range v {
			if left := Select(item, paths); left != nil {
				list = append(list, left)
			}
		}
		return list
	case map[string]any:
		object := make(map[string]any)
		for name, member := range v {
			var below []string
			for _, path := range paths {
				if first, rest, _ := strings.Cut(path, "."); first == name {
					below = append(below, rest)
				}
			}
			if len(below) == 0 {
				continue
			}
			if left := Select(member, below); left != nil || slices.Contains(below, "") {
				object[name] = left
			}
		}
		if len(object) > 0 {
			return object
		}
	}
	return nil
}

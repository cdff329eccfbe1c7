package query

// Doc is a document to be matched.
type Doc interface {
	// Member returns the member of the document's root that is called name, a
	// plain value, and whether there is one.
	Member(name string) (v any, ok bool)
}

// Map is a document that is a map of plain values.
type Map map[string]any

// Member returns m[name].
func (m Map) Member(name string) (any, bool) {
	v, ok := m[name]
	return v, ok
}

// Values returns all that path leads to in doc, in order: nulls, scalars and
// objects, but no arrays, since it leads through those.
func Values(doc Doc, path []string) []any {
	v, ok := doc.Member(path[0])
	if !ok {
		return nil
	}
	var values []any
	reach(v, path[1:], func(v any) { values = append(values, v) })
	return values
}

// SortValue returns what doc is sorted by, if it is sorted by path, whose type is
// t: the smallest of the [Values] in ascending order, the largest in descending
// order. It is in the form [Compare] prefers: a bool, Num, string, Instant or
// Object, or nil if there is nothing but nulls. Of a text the first [MaxKeyText]
// bytes are left.
func SortValue(doc Doc, path []string, t Type, desc bool) any {
	var best any
	v, ok := doc.Member(path[0])
	if !ok {
		return nil
	}
	reach(v, path[1:], func(v any) {
		if v = prepare(v, t); v == nil {
			return
		}
		if best == nil || (Compare(v, best) > 0) == desc {
			best = v
		}
	})
	return best
}

// reach calls f with all that the path rest leads to from v.
func reach(v any, rest []string, f func(any)) {
	switch x := v.(type) {
	case []any:
		for _, item := range x {
			reach(item, rest, f)
		}
		return
	case map[string]any:
		if len(rest) > 0 {
			if member, ok := x[rest[0]]; ok {
				reach(member, rest[1:], f)
			}
			return
		}
	}
	if len(rest) == 0 {
		f(v)
	}
}

// cut returns what counts of a text that is sorted by.
func cut[T ~string](s T) T { return s[:min(len(s), MaxKeyText)] }

// prepare returns a plain value that is no array in the form that is compared.
func prepare(v any, t Type) any {
	switch v := v.(type) {
	case nil, bool:
		return v
	case string:
		if t.Kind == DateTime {
			if at, ok := ParseInstant(v); ok {
				return at
			}
		}
		return cut(v)
	case map[string]any:
		return cut(objectOf(v))
	}
	if n, ok := NumOf(v); ok {
		return n
	}
	return v
}

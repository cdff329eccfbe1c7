package value

// A Selection is a tree of the members that are selected of an object. Nil selects
// all of them.
type Selection map[string]Selection

// Add selects the member that path leads to. A member that is selected as a whole
// stays so.
func (s Selection) Add(path []string) {
	below, there := s[path[0]]
	switch {
	case len(path) == 1:
		s[path[0]] = nil
	case there && below == nil:
	case there:
		below.Add(path[1:])
	default:
		below = make(Selection)
		below.Add(path[1:])
		s[path[0]] = below
	}
}

// Has reports whether the member, or part of it, is selected.
func (s Selection) Has(name string) bool {
	_, ok := s[name]
	return s == nil || ok
}

// Members returns the selected members of m.
func (s Selection) Members(m map[string]any) map[string]any {
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

// of returns the selected part of v, through arrays, and whether there is any.
func (s Selection) of(v any) (any, bool) {
	switch x := v.(type) {
	case map[string]any:
		m := s.Members(x)
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

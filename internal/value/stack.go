package value

// A stack holds the members and items of the objects and arrays that are being
// read, innermost last. Collecting them before making the map or slice lets it
// be made at its final size.
type stack struct {
	names  []string // of members
	values []any    // of members and items
}

// A mark is where on a stack an object or array begins.
type mark struct{ names, values int }

func (s *stack) mark() mark { return mark{len(s.names), len(s.values)} }

func (s *stack) pushMember(name string, v any) {
	s.names = append(s.names, name)
	s.values = append(s.values, v)
}

func (s *stack) pushItem(v any) {
	s.values = append(s.values, v)
}

// popObject removes the members from m on and returns the object of them. If a
// name is repeated it leaves them and reports false.
func (s *stack) popObject(m mark) (map[string]any, bool) {
	names, values := s.names[m.names:], s.values[m.values:]
	object := make(map[string]any, len(names))
	for i, name := range names {
		object[name] = values[i]
	}
	if len(object) < len(names) {
		return nil, false
	}
	s.truncate(m)
	return object, true
}

// popArray removes the items from m on and returns the array of them.
func (s *stack) popArray(m mark) []any {
	array := make([]any, len(s.values)-m.values)
	copy(array, s.values[m.values:])
	s.truncate(m)
	return array
}

// repeated returns the first name from m on that is there a second time.
func (s *stack) repeated(m mark) string {
	seen := make(map[string]bool)
	for _, name := range s.names[m.names:] {
		if seen[name] {
			return name
		}
		seen[name] = true
	}
	return ""
}

// truncate cuts s off at m, without keeping its values alive.
func (s *stack) truncate(m mark) {
	clear(s.names[m.names:])
	clear(s.values[m.values:])
	s.names, s.values = s.names[:m.names], s.values[:m.values]
}

func (s *stack) reset() { s.truncate(mark{}) }

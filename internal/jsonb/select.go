package jsonb

import "github.com/bucketlite/bucketlite/internal/value"

// ParseSelected reads the selected members of the object b: what s.Members returns of
// what [Parse] reads. It steps over the other members without reading their values,
// so that a fault in them may go unnoticed; a nil s makes it Parse.
func ParseSelected(b []byte, s value.Selection) (map[string]any, error) {
	if s == nil {
		return Parse(b)
	}
	r := newReader(b)
	start, end, err := r.root()
	if err != nil {
		return nil, err
	}
	return r.selected(start, end, s)
}

// selected is object for the selected members.
func (r *reader) selected(start, end int, s value.Selection) (map[string]any, error) {
	if err := r.enter(start); err != nil {
		return nil, err
	}
	m := make(map[string]any, len(s))
	err := r.members(start, end, func(name string, kind byte, from, to int) error {
		below, ok := s[name]
		if !ok {
			return nil
		}
		if _, twice := m[name]; twice {
			return fault(start, messageTwice)
		}
		v, ok, err := r.part(kind, from, to, below)
		if ok {
			m[name] = v
		}
		return err
	})
	r.depth--
	return m, err
}

// part reads the selected part of the element of the kind whose payload lies there, and
// reports whether there is any.
func (r *reader) part(kind byte, start, end int, s value.Selection) (any, bool, error) {
	switch {
	case s == nil:
		v, err := r.value(kind, start, end)
		return v, err == nil, err
	case kind == kindObject:
		m, err := r.selected(start, end, s)
		return m, len(m) > 0 && err == nil, err
	case kind != kindArray:
		return nil, false, nil
	}
	if err := r.enter(start); err != nil {
		return nil, false, err
	}
	list := []any{}
	for i := start; i < end; {
		item, from, to := r.header(i, end)
		if to < 0 {
			return nil, false, fault(i, messageMalformed)
		}
		v, ok, err := r.part(item, from, to, s)
		if err != nil {
			return nil, false, err
		}
		if ok {
			list = append(list, v)
		}
		i = to
	}
	r.depth--
	return list, true, nil
}

// members calls visit with each member of an object: its name, and the kind of its
// value and where that lies.
func (r *reader) members(start, end int, visit func(name string, kind byte, from, to int) error) error {
	for i := start; i < end; {
		kind, from, to := r.header(i, end)
		if to < 0 {
			return fault(i, messageMalformed)
		}
		name, err := r.string(kind, from, to)
		if err != nil {
			return err
		}
		i = to
		if kind, from, to = r.header(i, end); to < 0 {
			return fault(i, messageMalformed)
		}
		if err := visit(name, kind, from, to); err != nil {
			return err
		}
		i = to
	}
	return nil
}

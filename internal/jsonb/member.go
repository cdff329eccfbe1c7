package jsonb

import "strings"

// Member returns the named member of the object b, and whether there is one. It reads no
// further than that value, so it may not detect faults elsewhere in b. Of several members
// with the name it returns the first. The
// value may share memory with b, as with [Parse].
func Member(b []byte, name string) (v any, ok bool, err error) {
	r := newReader(b)
	i, end, err := r.root()
	if err != nil {
		return nil, false, err
	}
	for i < end {
		kind, from, to := r.header(i, end)
		if to < 0 {
			return nil, false, fault(i, messageMalformed)
		}
		is, err := r.is(name, kind, from, to)
		if err != nil {
			return nil, false, err
		}
		i = to
		if kind, from, to = r.header(i, end); to < 0 {
			return nil, false, fault(i, messageMalformed)
		}
		if is {
			r.depth = 1 // in the root
			if v, err = r.value(kind, from, to); err != nil {
				return nil, false, err
			}
			return v, true, nil
		}
		i = to
	}
	return nil, false, nil
}

// is reports whether the string of the kind whose payload lies there equals s.
func (r *reader) is(s string, kind byte, start, end int) (bool, error) {
	text := r.text[start:end]
	switch kind {
	case kindText, kindRaw:
		return text == s, nil
	case kindEscaped:
		// Comparing the text before the first escape spares nearly all the rest.
		plain, _, escaped := strings.Cut(text, `\`)
		if !escaped || !strings.HasPrefix(s, plain) {
			return text == s, nil
		}
		text, err := unescape(text, start)
		return text == s, err
	}
	return false, fault(start, messageNoString)
}

// Strings calls visit with each string in b, an object, at any depth and in order,
// until it returns false. Names of members are none of them. The strings share
// memory with b. If b is malformed that is an error, after what precedes.
func Strings(b []byte, visit func(s string) bool) error {
	r := newReader(b)
	r.share = true
	start, end, err := r.root()
	if err != nil {
		return err
	}
	_, err = r.visit(kindObject, start, end, visit)
	return err
}

// visit is Strings for the element of the kind whose payload lies there. It
// reports whether to continue.
func (r *reader) visit(kind byte, start, end int, visit func(s string) bool) (bool, error) {
	switch kind {
	case kindText, kindRaw, kindEscaped:
		s, err := r.string(kind, start, end)
		return err == nil && visit(s), err
	case kindArray, kindObject:
	default:
		return true, nil
	}
	if err := r.enter(start); err != nil {
		return false, err
	}
	for i := start; i < end; {
		item, from, to := r.header(i, end)
		if kind == kindObject && to >= 0 {
			item, from, to = r.header(to, end)
		}
		if to < 0 {
			return false, fault(i, messageMalformed)
		}
		if more, err := r.visit(item, from, to, visit); !more {
			return false, err
		}
		i = to
	}
	r.depth--
	return true, nil
}

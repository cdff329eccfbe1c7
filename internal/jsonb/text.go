package jsonb

import (
	"errors"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

// A Field is a member of an object: its name, and its value in stored form.
type Field struct {
	Name  string
	Value Element
}

// An Element is a value in stored form.
type Element struct {
	text       string // in which the payload lies
	kind       byte
	start, end int
}

// Fields returns the members of the object b, sorted by name, without reading their
// values. The names and values share memory with b.
func Fields(b []byte) ([]Field, error) {
	r := newReader(b)
	r.share = true
	start, end, err := r.root()
	if err != nil {
		return nil, err
	}
	var fields []Field
	err = r.members(start, end, func(name string, kind byte, from, to int) error {
		fields = append(fields, Field{name, Element{r.text, kind, from, to}})
		return nil
	})
	if err != nil {
		return nil, err
	}
	byName := func(a, b Field) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(fields, byName) {
		slices.SortFunc(fields, byName)
	}
	for i := 1; i < len(fields); i++ {
		if fields[i].Name == fields[i-1].Name {
			return nil, fault(start, messageTwice)
		}
	}
	return fields, nil
}

// AppendJSON appends the value's canonical JSON text to dst, the one that
// [value.Append] writes of the value once it is read. It makes no values of it, so
// that its memory is that of the text. The error is what [Parse] would find.
func (e Element) AppendJSON(dst []byte) ([]byte, error) {
	r := reader{text: e.text, share: true, depth: 1} // a member of the root
	return r.appendJSON(dst, e.kind, e.start, e.end)
}

func (r *reader) appendJSON(dst []byte, kind byte, start, end int) ([]byte, error) {
	switch kind {
	case kindText, kindRaw, kindEscaped:
		s, err := r.string(kind, start, end)
		if err != nil {
			return dst, err
		}
		return value.AppendString(dst, s), nil
	case kindArray:
		return r.appendArray(dst, start, end)
	case kindObject:
		return r.appendObject(dst, start, end)
	}
	if kind == kindInt || kind == kindFloat {
		s, err := r.numberText(kind, start, end)
		return append(dst, s...), err
	}
	v, err := r.value(kind, start, end)
	if err != nil {
		return dst, err
	}
	return value.Append(dst, v), nil
}

func (r *reader) appendArray(dst []byte, start, end int) ([]byte, error) {
	if err := r.enter(start); err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	for i := start; i < end; {
		kind, from, to := r.header(i, end)
		if to < 0 {
			return dst, fault(i, messageMalformed)
		}
		if i > start {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = r.appendJSON(dst, kind, from, to); err != nil {
			return dst, err
		}
		i = to
	}
	r.depth--
	return append(dst, ']'), nil
}

// errUnsorted ends a visit of members that are not in order.
var errUnsorted = errors.New("not in order")

// appendObject writes members as they come, which is in order unless another program
// has written them. Only in order is it plain that none is repeated.
func (r *reader) appendObject(dst []byte, start, end int) ([]byte, error) {
	if err := r.enter(start); err != nil {
		return dst, err
	}
	began, depth := len(dst), r.depth
	dst = append(dst, '{')
	last := ""
	err := r.members(start, end, func(name string, kind byte, from, to int) (err error) {
		if len(dst) > began+1 {
			if name <= last {
				return errUnsorted
			}
			dst = append(dst, ',')
		}
		last = name
		dst = append(value.AppendString(dst, name), ':')
		dst, err = r.appendJSON(dst, kind, from, to)
		return err
	})
	r.depth = depth - 1
	if err == errUnsorted {
		m, err := r.object(start, end)
		if err != nil {
			return dst, err
		}
		return value.Append(dst[:began], m), nil
	}
	if err != nil {
		return dst, err
	}
	return append(dst, '}'), nil
}

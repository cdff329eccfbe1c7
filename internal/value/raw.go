package value

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
)

// ParseObject is [Parse] for an object, or null, for which the object is nil. Of the
// members that raw names it returns the text instead of the value, which has been
// checked for its syntax alone: reading it later gives the other faults, at paths
// that begin there. The text shares memory with data, unless that is UTF-16; a null is
// left out.
func ParseObject(data []byte, lim Limits, raw ...string) (object map[string]any, texts map[string][]byte, err error) {
	lim = lim.withDefaults()
	p := &parser{raw: raw, texts: map[string][]byte{}}
	v, f := p.limited(data, lim)
	if f != nil {
		return nil, nil, f.err()
	}
	object, ok := v.(map[string]any)
	if !ok && v != nil {
		return nil, nil, &SyntaxError{Rule: ruleType, Message: "object expected, got " + kindOf(v)}
	}
	for name, text := range p.texts {
		delete(object, name)
		if string(text) == "null" {
			delete(p.texts, name)
		}
	}
	return object, p.texts, nil
}

// kindOf names the kind of a value that is no object.
func kindOf(v any) string {
	switch v.(type) {
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	}
	return "an array"
}

// Items returns the texts of the items of an array, which share memory with its text.
// That must be of one value that has been checked for its syntax, as by [ParseObject].
// Of no text there are no items, and of another value it reports false.
func Items(array []byte) (items [][]byte, ok bool) {
	if len(array) == 0 {
		return nil, true
	}
	if array[0] != '[' {
		return nil, false
	}
	p := &parser{}
	p.buf = *bytes.NewBuffer(array)
	p.dec.Reset(&p.buf, decoderOptions...)
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, false
	}
	for p.dec.PeekKind() != ']' {
		text, err := p.next(array)
		if err != nil {
			return nil, false
		}
		items = append(items, text)
	}
	_, err := p.dec.ReadToken()
	if err == nil {
		_, err = p.dec.ReadToken()
	}
	return items, err == io.EOF
}

// next returns the text of the next value, of which data is the whole.
func (p *parser) next(data []byte) ([]byte, error) {
	raw, err := p.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	end := int(p.dec.InputOffset())
	return data[end-len(raw) : end : end], nil
}

// AppendObject appends the JSON text of an object of values, as [Append] does, and of
// members that are text already.
func AppendObject(b []byte, object map[string]any, texts map[string][]byte) []byte {
	size := len(b) + 2
	for name, text := range texts {
		size += len(name) + len(text) + 4
	}
	b = slices.Grow(b, size)
	b = append(b, '{')
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		b = append(append(Append(b, name), ':'), texts[name]...)
		b = append(b, ',')
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		b = append(Append(append(Append(b, name), ':'), object[name]), ',')
	}
	return append(bytes.TrimSuffix(b, []byte{','}), '}')
}

// Count returns how many values there are in JSON text, those in objects and arrays and
// these themselves, and costs no memory. Of text that is not JSON it returns any number.
func Count(data []byte) int {
	n := 1
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case ',':
			n++
		case '[', '{':
			if next := bytes.TrimLeft(data[i+1:], " \t\r\n"); len(next) > 0 && next[0] != ']' && next[0] != '}' {
				n++
			}
		case '"':
			i = endOfString(data, i+1)
		}
	}
	return n
}

// endOfString returns where the string ends whose text begins at i: at its closing
// quotation mark, or the end of data.
func endOfString(data []byte, i int) int {
	for i < len(data) {
		n := bytes.IndexAny(data[i:], `"\`)
		if n < 0 {
			return len(data)
		}
		if i += n; data[i] == '"' {
			return i
		}
		i += 2
	}
	return i
}

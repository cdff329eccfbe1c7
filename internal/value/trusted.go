package value

import (
	"encoding/json"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// ParseTrusted reads an object from the text [Append] made of it. It is
// [Parse] without limits of its own and without a copy of the text, for text
// that was checked before it was stored. Other text is as safe to read: the
// result is plain or an error, and all that can go unnoticed is a control
// character in a string. The strings of the object may share memory with text.
func ParseTrusted(text string) (map[string]any, error) {
	r := readers.Get().(*reader)
	m, ok := r.read(text)
	if len(text) <= smallText {
		r.release()
		readers.Put(r)
	}
	if ok {
		return m, nil
	}

	// The reader has given up: the text is wrong, or merely not canonical.
	v, f := parse([]byte(text), Limits{MaxDepth: maxDepth, MaxBytes: len(text)})
	if f != nil {
		return nil, f.err()
	}
	if m, ok := v.(map[string]any); ok {
		return m, nil
	}
	return nil, &SyntaxError{Rule: ruleJSON, Message: "JSON value is not an object"}
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// reader builds a value from canonical text. It stops at any unexpected text, without
// describing the fault: its methods report false, and the reader must then be released.
type reader struct {
	text  string // the text left to read
	share bool   // strings may share memory with the text
	depth int    // how much deeper the value may nest
	stack stack
}

func (r *reader) read(text string) (map[string]any, bool) {
	if !strings.HasPrefix(text, "{") || !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		return nil, false
	}
	r.text = text
	r.share = len(text) <= smallText
	r.depth = maxDepth
	m, ok := r.object()
	return m, ok && r.text == ""
}

func (r *reader) release() {
	r.text = ""
	r.stack.reset()
}

// skip moves past c if it comes next.
func (r *reader) skip(c byte) bool {
	if r.text == "" || r.text[0] != c {
		return false
	}
	r.text = r.text[1:]
	return true
}

func (r *reader) value() (any, bool) {
	if r.text == "" {
		return nil, false
	}
	switch r.text[0] {
	case '{':
		return r.object()
	case '[':
		return r.array()
	case '"':
		return r.string()
	case 'n':
		return nil, r.literal("null")
	case 't':
		return true, r.literal("true")
	case 'f':
		return false, r.literal("false")
	}
	return r.number()
}

func (r *reader) literal(s string) (ok bool) {
	r.text, ok = strings.CutPrefix(r.text, s)
	return ok
}

func (r *reader) number() (any, bool) {
	n := 0
	for n < len(r.text) && r.text[n] != ',' && r.text[n] != ']' && r.text[n] != '}' {
		n++
	}
	s := r.text[:n]
	if CheckNumber(s) != nil {
		return nil, false
	}
	r.text = r.text[n:]
	return json.Number(r.keep(s)), true
}

func (r *reader) string() (string, bool) {
	start := r.text
	if !r.skip('"') {
		return "", false
	}
	n := strings.IndexByte(r.text, '"')
	if n < 0 {
		return "", false
	}
	if s := r.text[:n]; strings.IndexByte(s, '\\') < 0 {
		r.text = r.text[n+1:]
		return r.keep(s), true
	}

	// The quotation mark may be an escaped one, so look for the end again.
	for n = 0; n < len(r.text) && r.text[n] != '"'; n++ {
		if r.text[n] == '\\' {
			n++
		}
	}
	if n >= len(r.text) {
		return "", false
	}
	r.text = r.text[n+1:]
	b, err := jsontext.AppendUnquote(nil, start[:n+2])
	if err != nil {
		return "", false
	}
	s := string(b)
	return s, strings.IndexByte(s, 0) < 0
}

// keep returns s, part of the text, in a form that may outlive it.
func (r *reader) keep(s string) string {
	if r.share {
		return s
	}
	return strings.Clone(s)
}

func (r *reader) object() (map[string]any, bool) {
	if !r.skip('{') || r.depth == 0 {
		return nil, false
	}
	r.depth--
	mark := r.stack.mark()
	if !r.skip('}') {
		for {
			name, ok := r.string()
			if !ok || !r.skip(':') {
				return nil, false
			}
			v, ok := r.value()
			if !ok {
				return nil, false
			}
			r.stack.pushMember(name, v)
			if r.skip('}') {
				break
			}
			if !r.skip(',') {
				return nil, false
			}
		}
	}
	r.depth++
	return r.stack.popObject(mark)
}

func (r *reader) array() (any, bool) {
	if !r.skip('[') || r.depth == 0 {
		return nil, false
	}
	r.depth--
	mark := r.stack.mark()
	if !r.skip(']') {
		for {
			v, ok := r.value()
			if !ok {
				return nil, false
			}
			r.stack.pushItem(v)
			if r.skip(']') {
				break
			}
			if !r.skip(',') {
				return nil, false
			}
		}
	}
	r.depth++
	return r.stack.popArray(mark), true
}

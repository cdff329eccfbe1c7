package jsonb

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bucketlite/bucketlite/internal/value"
)

// maxDepth is how deep objects and arrays may nest: as deep as SQLite lets them.
const maxDepth = 1000

// smallSize is the size up to which the strings of a value share the memory they
// are read from, as in package value.
const smallSize = 16 << 10

// Parse reads an object. The result is plain, with numbers as [json.Number]. It is an
// error if b is malformed, is not an object, has a member twice or nests more than 1000
// deep. The object may share memory with b, which must not be
// changed any more.
func Parse(b []byte) (map[string]any, error) {
	r := newReader(b)
	start, end, err := r.root()
	if err != nil {
		return nil, err
	}
	return r.object(start, end)
}

// A reader reads the elements of a text that need not be well-formed.
type reader struct {
	text  string
	share bool // strings may share memory with the text
	depth int  // how deep the value nests here
}

func newReader(b []byte) reader {
	// The bytes are not changed any more, which makes them as good as a string.
	return reader{text: unsafe.String(unsafe.SliceData(b), len(b)), share: len(b) <= smallSize}
}

// fault returns an error with its place.
func fault(at int, what string) error {
	return fmt.Errorf("jsonb: byte %d: %s", at, what)
}

// root returns where the members of the object lie that is all of the text.
func (r *reader) root() (start, end int, err error) {
	kind, start, end := r.header(0, len(r.text))
	switch {
	case end < len(r.text):
		return 0, 0, fault(max(end, 0), messageMalformed)
	case kind != kindObject:
		return 0, 0, fault(0, "not an object")
	}
	return start, end, nil
}

// header returns the kind of the element at i, and where its payload begins and
// ends. The end is negative if the header is malformed or tells of more than there
// is up to limit.
func (r *reader) header(i, limit int) (kind byte, start, end int) {
	if i >= limit {
		return 0, 0, -1
	}
	c := r.text[i]
	kind, start = c&0xf, i+1
	if c < 12<<4 {
		end = start + int(c>>4)
	} else {
		start, end = r.longHeader(i, limit)
	}
	if end > limit {
		end = -1
	}
	return kind, start, end
}

func (r *reader) longHeader(i, limit int) (start, end int) {
	n := 1 << (r.text[i]>>4 - 12) // bytes that hold the size
	start = i + 1 + n
	if start > limit {
		return 0, -1
	}
	size := uint64(0)
	for _, c := range []byte(r.text[i+1 : start]) {
		size = size<<8 | uint64(c)
	}
	if size > uint64(limit-start) {
		return 0, -1
	}
	return start, start + int(size)
}

// value reads the element of the kind whose payload lies there.
func (r *reader) value(kind byte, start, end int) (any, error) {
	switch kind {
	case kindText, kindRaw, kindEscaped:
		return r.string(kind, start, end)
	case kindInt, kindFloat:
		return r.number(kind, start, end)
	case kindNull, kindTrue, kindFalse:
		return r.literal(kind, start)
	case kindArray:
		return r.array(start, end)
	case kindObject:
		return r.object(start, end)
	}
	return nil, fault(start, messageMalformed)
}

// literal reads the element of the kind, which has no payload and may not claim
// that in more than one byte.
func (r *reader) literal(kind byte, start int) (any, error) {
	if r.text[start-1] != kind {
		return nil, fault(start, messageKind)
	}
	if kind == kindNull {
		return nil, nil
	}
	return kind == kindTrue, nil
}

func (r *reader) number(kind byte, start, end int) (any, error) {
	s, err := r.numberText(kind, start, end)
	if err != nil {
		return nil, err
	}
	return json.Number(r.keep(s)), nil
}

func (r *reader) numberText(kind byte, start, end int) (string, error) {
	s := r.text[start:end]
	if isInt(s) != (kind == kindInt) {
		return "", fault(start, messageKind)
	}
	if err := value.CheckNumber(s); err != nil {
		return "", fault(start, err.Error())
	}
	return s, nil
}

// isInt reports whether the text of a number has nothing but digits and a sign.
func isInt(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

const (
	messageMalformed = "malformed element"
	messageKind      = "not of its kind"
	messageNoString  = "not a string"
	messageUTF8      = "text is not valid UTF-8"
	messageNUL       = "text contains U+0000"
	messageTwice     = "a member is repeated"
)

func (r *reader) string(kind byte, start, end int) (string, error) {
	s := r.text[start:end]
	verbatim, ascii := inspect(s)
	if !ascii && !utf8.ValidString(s) {
		return "", fault(start, messageUTF8)
	}
	switch kind {
	case kindText:
		if !verbatim {
			return "", fault(start, messageKind)
		}
		return r.keep(s), nil
	case kindRaw:
		if !verbatim && strings.IndexByte(s, 0) >= 0 {
			return "", fault(start, messageNUL)
		}
		return r.keep(s), nil
	case kindEscaped:
		return unescape(s, start)
	}
	return "", fault(start, messageNoString)
}

// unescape returns the string that s, found at start, is the escaped form of.
func unescape(s string, start int) (string, error) {
	for i := range len(s) {
		if s[i] < ' ' {
			return "", fault(start, messageKind)
		}
	}
	b, err := jsontext.AppendUnquote(nil, `"`+s+`"`)
	if err != nil {
		return "", fault(start, messageKind)
	}
	out := string(b)
	if strings.IndexByte(out, 0) >= 0 {
		return "", fault(start, messageNUL)
	}
	return out, nil
}

// keep returns s, part of the text, in a form that may outlive it.
func (r *reader) keep(s string) string {
	if r.share {
		return s
	}
	return strings.Clone(s)
}

// count returns how many elements there are from start to end. After that their
// headers are known to be sound.
func (r *reader) count(start, end int) (n int, err error) {
	for i := start; i < end; n++ {
		_, _, next := r.header(i, end)
		if next < 0 {
			return 0, fault(i, messageMalformed)
		}
		i = next
	}
	return n, nil
}

// enter goes one level deeper. The caller comes back up.
func (r *reader) enter(start int) error {
	if r.depth == maxDepth {
		return fault(start, "objects and arrays are nested too deep")
	}
	r.depth++
	return nil
}

func (r *reader) object(start, end int) (map[string]any, error) {
	if err := r.enter(start); err != nil {
		return nil, err
	}
	n, err := r.count(start, end)
	if err != nil {
		return nil, err
	}
	if n%2 != 0 {
		return nil, fault(end, "a name without a value")
	}
	m := make(map[string]any, n/2)
	for i := start; i < end; {
		kind, from, to := r.header(i, end)
		name, err := r.string(kind, from, to)
		if err != nil {
			return nil, err
		}
		kind, from, to = r.header(to, end)
		if m[name], err = r.value(kind, from, to); err != nil {
			return nil, err
		}
		i = to
	}
	if len(m) < n/2 {
		return nil, fault(start, messageTwice)
	}
	r.depth--
	return m, nil
}

func (r *reader) array(start, end int) (any, error) {
	if err := r.enter(start); err != nil {
		return nil, err
	}
	n, err := r.count(start, end)
	if err != nil {
		return nil, err
	}
	a := make([]any, n)
	at := start
	for i := range a {
		kind, from, to := r.header(at, end)
		if a[i], err = r.value(kind, from, to); err != nil {
			return nil, err
		}
		at = to
	}
	r.depth--
	return a, nil
}

package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/bom"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// DefaultMaxDepth is how deep objects and arrays may nest by default.
	DefaultMaxDepth = 100

	// DefaultMaxBytes is how large a value may be by default.
	DefaultMaxBytes = 16 << 20

	// maxDepth is the deepest nesting the tokeniser supports.
	maxDepth = 10000
)

// The rules that a value can break whatever its declared type.
const (
	ruleJSON      = "json"
	ruleUTF8      = "utf8"
	ruleSurrogate = "surrogate"
	ruleNUL       = "nul"
	ruleDuplicate = "duplicate"
	ruleDepth     = "depth"
	ruleNumber    = "number"
	ruleSize      = "size"
	ruleType      = "type"
)

const (
	messageUTF8  = "text is not valid UTF-8"
	messageNUL   = "text contains U+0000"
	messageDepth = "objects and arrays are nested too deep"
)

// Limits bounds the values that are accepted.
type Limits struct {
	// MaxDepth is how deep objects and arrays may nest; a value that is
	// neither has depth 0. Zero or less means DefaultMaxDepth, and more than
	// 10000 means that.
	MaxDepth int

	// MaxBytes is how long the JSON text may be. Zero or less means
	// DefaultMaxBytes.
	MaxBytes int

	// Option is what sets MaxBytes, for messages. It may be empty.
	Option string
}

// exceeded is the message about a value that is longer than MaxBytes.
func (l Limits) exceeded() string {
	if l.Option != "" {
		return fmt.Sprintf("at most %d bytes of JSON expected (%s)", l.MaxBytes, l.Option)
	}
	return fmt.Sprintf("at most %d bytes of JSON expected", l.MaxBytes)
}

func (l Limits) withDefaults() Limits {
	if l.MaxDepth <= 0 {
		l.MaxDepth = DefaultMaxDepth
	}
	l.MaxDepth = min(l.MaxDepth, maxDepth)
	if l.MaxBytes <= 0 {
		l.MaxBytes = DefaultMaxBytes
	}
	return l
}

// SyntaxError says why JSON text was refused.
type SyntaxError struct {
	// Path is where in the value the fault is, as [Path.String] writes it.
	Path string

	// Rule names the broken rule: "json" for text that is not one JSON value,
	// "utf8", "surrogate" or "nul" for text with invalid UTF-8 or UTF-16, half a
	// surrogate pair or U+0000, "duplicate" for a repeated member name,
	// "number" for a number that [CheckNumber] refuses, and "depth" or "size"
	// for a value beyond the limits.
	Rule string

	// Message describes the fault to people.
	Message string
}

// Error returns the message, with the path before it unless that is empty.
func (e *SyntaxError) Error() string {
	if e.Path == "" {
		return e.Message
	}
	return e.Path + ": " + e.Message
}

// Parse reads data as exactly one JSON value. It is UTF-8, or begins with a byte
// order mark: that of UTF-8 is ignored, and UTF-16 is converted. The result
// consists of nil, bool, string, json.Number, []any and map[string]any. An error
// is a [*SyntaxError]. The value shares no memory with data.
func Parse(data []byte, lim Limits) (any, error) {
	v, f := parse(data, lim.withDefaults())
	if f != nil {
		return nil, f.err()
	}
	return v, nil
}

// A fault is a broken rule and where it was broken.
type fault struct {
	path    Path
	rule    string
	message string
}

func (f *fault) err() *SyntaxError {
	return &SyntaxError{Path: f.path.String(), Rule: f.rule, Message: f.message}
}

// in adds the segment that leads to where f was found so far. That builds the
// path from its end.
func (f *fault) in(s Segment) *fault {
	f.path = append(f.path, s)
	return f
}

// parse is Parse with the limits as given, even if they are zero.
func parse(data []byte, lim Limits) (any, *fault) {
	p := parsers.Get().(*parser)
	v, f := p.limited(data, lim)
	// A parser that has grown with a large text is not worth keeping.
	if len(data) <= smallText {
		p.release()
		parsers.Put(p)
	}
	return v, f
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

// smallText is the size up to which the strings of a value share one copy of
// its text. That saves most allocations, at the price that a single string
// someone keeps holds on to the whole text, so it is kept to small ones.
const smallText = 16 << 10

// A parser builds a value from the tokens of its text.
type parser struct {
	dec     jsontext.Decoder
	buf     bytes.Buffer // what dec reads from
	text    string       // a copy of the text, if it is small
	scratch []byte       // a string being unescaped
	depth   int          // how much deeper the value may nest
	invalid bool         // the text is not all valid UTF-8
	stack   stack

	// Of the outermost object the members named raw are left as texts, parts of data.
	raw   []string
	texts map[string][]byte
	data  []byte
	deep  int // how deep the value is that is being read
}

// The decoder is to leave alone what this package has its own rules for: it
// would report duplicates only by name, and invalid UTF-8 and surrogates in
// errors that cannot be distinguished from others.
var decoderOptions = []jsontext.Options{
	jsontext.AllowDuplicateNames(true),
	jsontext.AllowInvalidUTF8(true),
}

// limited reads data, unless it is too long.
func (p *parser) limited(data []byte, lim Limits) (any, *fault) {
	if f := checkSize(data, lim); f != nil {
		return nil, f
	}
	data, err := bom.Text(data)
	if err != nil {
		return nil, &fault{rule: ruleUTF8, message: err.Error()}
	}
	if f := checkSize(data, lim); f != nil { // UTF-16 may be shorter than UTF-8
		return nil, f
	}
	return p.parse(data, lim.MaxDepth)
}

func checkSize(data []byte, lim Limits) *fault {
	if len(data) <= lim.MaxBytes {
		return nil
	}
	return &fault{rule: ruleSize, message: fmt.Sprintf("%s, got %d", lim.exceeded(), len(data))}
}

func (p *parser) parse(data []byte, depth int) (any, *fault) {
	p.data = data
	p.buf = *bytes.NewBuffer(data)
	p.dec.Reset(&p.buf, decoderOptions...)
	p.depth, p.deep = depth, 0
	p.invalid = !utf8.Valid(data)
	if len(data) <= smallText {
		p.text = string(data)
	}
	v, f := p.value()
	if f == nil {
		if _, err := p.dec.ReadToken(); err != io.EOF {
			f = p.syntax(errTrailing)
		}
	}
	if f != nil {
		slices.Reverse(f.path) // it was built from its end
		return nil, f
	}
	return v, nil
}

var errTrailing = errors.New("unexpected text after the value")

// release drops what p holds of the last value.
func (p *parser) release() {
	p.buf = bytes.Buffer{}
	p.text = ""
	p.data = nil
	p.stack.reset()
}

// value reads the next value. A fault has the path to it in reverse.
func (p *parser) value() (any, *fault) {
	switch p.dec.PeekKind() {
	case '{':
		return p.object()
	case '[':
		return p.array()
	}
	raw, err := p.dec.ReadValue()
	if err != nil {
		return nil, p.syntax(err)
	}
	switch raw[0] {
	case 'n':
		return nil, nil
	case 't':
		return true, nil
	case 'f':
		return false, nil
	case '"':
		s, f := p.string(raw)
		if f != nil {
			return nil, f
		}
		return s, nil
	}
	n := json.Number(p.verbatim(raw, 0))
	if err := CheckNumber(string(n)); err != nil {
		return nil, &fault{rule: ruleNumber, message: err.Error()}
	}
	return n, nil
}

func (p *parser) object() (any, *fault) {
	if f := p.open(); f != nil {
		return nil, f
	}
	mark := p.stack.mark()
	for p.dec.PeekKind() != '}' {
		raw, err := p.dec.ReadValue()
		if err != nil {
			return nil, p.syntax(err)
		}
		name, f := p.string(raw)
		if f != nil {
			return nil, f.in(Segment{Name: name})
		}
		if p.deep == 1 && slices.Contains(p.raw, name) {
			if p.texts[name], err = p.next(p.data); err != nil {
				return nil, p.syntax(err)
			}
			p.stack.pushMember(name, nil)
			continue
		}
		v, f := p.value()
		if f != nil {
			return nil, f.in(Segment{Name: name})
		}
		p.stack.pushMember(name, v)
	}
	if f := p.close(); f != nil {
		return nil, f
	}
	m, ok := p.stack.popObject(mark)
	if !ok {
		name := p.stack.repeated(mark)
		f := &fault{rule: ruleDuplicate, message: fmt.Sprintf("member %q is repeated", name)}
		return nil, f.in(Segment{Name: name})
	}
	return m, nil
}

func (p *parser) array() (any, *fault) {
	if f := p.open(); f != nil {
		return nil, f
	}
	mark := p.stack.mark()
	for i := 0; p.dec.PeekKind() != ']'; i++ {
		v, f := p.value()
		if f != nil {
			return nil, f.in(Segment{Index: i, IsIndex: true})
		}
		p.stack.pushItem(v)
	}
	if f := p.close(); f != nil {
		return nil, f
	}
	return p.stack.popArray(mark), nil
}

// open reads the start of an object or array.
func (p *parser) open() *fault {
	if p.depth == 0 {
		return &fault{rule: ruleDepth, message: messageDepth}
	}
	p.depth--
	p.deep++
	if _, err := p.dec.ReadToken(); err != nil {
		return p.syntax(err)
	}
	return nil
}

// close reads the end of an object or array.
func (p *parser) close() *fault {
	p.depth++
	p.deep--
	if _, err := p.dec.ReadToken(); err != nil {
		return p.syntax(err)
	}
	return nil
}

// string returns the string that raw, just read, is the JSON text of. If there
// is a fault with it the string is still good enough to say where.
func (p *parser) string(raw jsontext.Value) (string, *fault) {
	if p.invalid && !utf8.Valid(raw) {
		return string(raw[1 : len(raw)-1]), &fault{rule: ruleUTF8, message: messageUTF8}
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return p.verbatim(raw, 1), nil
	}
	// Of text the decoder has passed and that is valid UTF-8, there is nothing
	// left to refuse but a surrogate without its other half.
	b, err := jsontext.AppendUnquote(p.scratch[:0], raw)
	p.scratch = b
	s := string(b)
	switch {
	case err != nil:
		return s, &fault{rule: ruleSurrogate, message: "text contains half a surrogate pair"}
	case strings.IndexByte(s, 0) >= 0:
		return s, &fault{rule: ruleNUL, message: messageNUL}
	}
	return s, nil
}

// verbatim returns raw, just read, as a string without trim bytes on each side.
func (p *parser) verbatim(raw jsontext.Value, trim int) string {
	if p.text == "" {
		return string(raw[trim : len(raw)-trim])
	}
	end := int(p.dec.InputOffset())
	return p.text[end-len(raw)+trim : end-trim]
}

// syntax turns an error of the decoder into a fault.
func (p *parser) syntax(err error) *fault {
	// Text in another encoding is rarely well-formed either; the encoding is the
	// fault to report.
	if p.invalid {
		return &fault{rule: ruleUTF8, message: messageUTF8}
	}
	offset := p.dec.InputOffset()
	var serr *jsontext.SyntacticError
	if errors.As(err, &serr) {
		offset = serr.ByteOffset
		err = serr.Err
	}
	f := &fault{rule: ruleJSON}
	switch {
	case err == io.EOF:
		f.message = "no JSON value"
	case errors.Is(err, io.ErrUnexpectedEOF):
		f.message = "JSON value is cut short"
	default:
		f.message = fmt.Sprintf("malformed JSON at byte %d: %v", offset, err)
	}
	return f
}

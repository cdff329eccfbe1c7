package record

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// Array reads the elements of one JSON array. An element ends at a comma or the array's end,
// so a faulty element does not affect the next, unless its own brackets or quotes are
// unbalanced: then it includes what follows.
type Array struct {
	text  *text
	most  int
	buf   []byte
	state arrayState
	at    Position // after the last element
}

// An arrayState is what an Array expects next.
type arrayState int

const (
	atStart   arrayState = iota // the opening bracket
	atFirst                     // an element or the end
	atElement                   // an element
	afterOne                    // a comma or the end
	atEnd                       // nothing
)

// BeginsArray reports whether a text begins with a bracket, after a byte order mark and
// white space, and takes nothing from the reader. An error comes again with the text.
func BeginsArray(text *bufio.Reader) bool {
	head, _ := text.Peek(512)
	return bytes.HasPrefix(bytes.TrimLeft(head, "\xEF\xBB\xBF\xFE\xFF\x00 \t\r\n"), []byte("["))
}

// NewArray returns a reader of the elements of an array, of at most so many bytes each; 0
// selects [DefaultMaxBytes].
func NewArray(r io.Reader, most int) *Array {
	a := &Array{text: newText(decode(r, Detect, true)), most: limit(most)}
	a.at = a.text.position()
	return a
}

// Next implements [Reader].
func (a *Array) Next() (Record, error) {
	for {
		c, err := a.peek()
		if err != nil {
			return Record{}, a.cut(err)
		}
		switch {
		case a.state == atStart:
			if c != '[' {
				return a.fail("array expected, got %q", c)
			}
			a.skipByte()
			a.state = atFirst
		case c == ']' && (a.state == atFirst || a.state == afterOne):
			a.skipByte()
			a.state = atEnd
		case a.state == afterOne && c == ',':
			a.skipByte()
			a.state = atElement
		case a.state == atEnd:
			return a.fail("the end expected after the array, got %q", c)
		case c == ',' || c == ']':
			line := a.nextLine()
			if a.skipByte(); c == ']' {
				a.state = atEnd
			}
			a.mark()
			return Record{}, &Fault{line, line, RuleArray, fmt.Sprintf("element expected, got %q", c)}
		default:
			return a.element()
		}
	}
}

// cut returns the error at the end of the text.
func (a *Array) cut(err error) error {
	state := a.state
	if err != io.EOF || state == atEnd {
		return err
	}
	a.state = atEnd
	if state == atStart && a.text.size == 0 {
		return io.EOF // an empty text has no elements
	}
	line := max(a.text.line, 1)
	if state == atStart {
		return &Fault{line, line, RuleArray, "array expected, got blank text"}
	}
	return &Fault{line, line, RuleArray, "the array is cut off: a comma or ] expected"}
}

// fail ends the text with a fault, since its rest is no array.
func (a *Array) fail(format string, args ...any) (Record, error) {
	line := a.nextLine()
	for {
		part, err := a.text.more()
		if err == io.EOF {
			break
		}
		if err != nil {
			return Record{}, err
		}
		a.text.discard(part, len(part))
	}
	a.state = atEnd
	a.mark()
	return Record{}, &Fault{line, max(line, a.text.line), RuleArray, fmt.Sprintf(format, args...)}
}

// peek skips white space and returns the next byte.
func (a *Array) peek() (byte, error) {
	for {
		part, err := a.text.more()
		if err != nil {
			return 0, err
		}
		for i, c := range part {
			if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
				a.text.discard(part, i)
				return c, nil
			}
		}
		a.text.discard(part, len(part))
	}
}

func (a *Array) skipByte() {
	if part, err := a.text.more(); err == nil {
		a.text.discard(part, 1)
	}
}

// nextLine returns the line of the next byte.
func (a *Array) nextLine() int {
	if a.text.open {
		return a.text.line
	}
	return a.text.line + 1
}

// element reads an element up to the comma or bracket after it.
func (a *Array) element() (Record, error) {
	a.buf = a.buf[:0]
	first, offset, long := a.nextLine(), a.text.size, false
	var s scanner
	ended := false
	for !ended {
		part, err := a.text.more()
		if err == io.EOF {
			break
		}
		if err != nil {
			return Record{}, err
		}
		n := s.scan(part)
		ended = n < len(part)
		if long = long || len(a.buf)+n > a.most; !long {
			a.buf = append(a.buf, part[:n]...)
		}
		a.text.discard(part, n)
	}
	if a.state = afterOne; ended {
		a.mark() // one that is cut off is read again when there is more
	}
	if long {
		return Record{}, tooLong(first, a.text.line, a.most)
	}
	return Record{Line: first, Offset: offset, Text: a.buf}, nil
}

// A scanner finds the end of an element.
type scanner struct {
	depth           int
	quoted, escaped bool
}

// scan returns how many bytes of part belong to the element.
func (s *scanner) scan(part []byte) int {
	for i, c := range part {
		switch {
		case s.escaped:
			s.escaped = false
		case s.quoted:
			s.escaped = c == '\\'
			s.quoted = c != '"'
		case c == '"':
			s.quoted = true
		case c == '{' || c == '[':
			s.depth++
		case s.depth == 0 && (c == ',' || c == ']'):
			return i
		case s.depth > 0 && (c == '}' || c == ']'):
			s.depth--
		}
	}
	return len(part)
}

// mark records the position after an element.
func (a *Array) mark() { a.at = a.text.position() }

// Position implements [Reader].
func (a *Array) Position() Position { return a.at }

// Skip implements [Reader]. The array may have more elements than before.
func (a *Array) Skip(to Position) (same bool, err error) {
	same, err = a.text.skip(to)
	if same && to.Bytes > 0 {
		a.state = afterOne
	}
	a.at = to
	return same, err
}

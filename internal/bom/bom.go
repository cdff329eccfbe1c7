// Package bom reads texts that begin with a byte order mark, as programs on Windows write
// them: UTF-8 with a mark, and UTF-16. A text without a mark is UTF-8.
package bom

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// The byte order marks.
var (
	markUTF8 = []byte("\xEF\xBB\xBF")
	markLE   = []byte("\xFF\xFE")
	markBE   = []byte("\xFE\xFF")
)

// ErrUTF16 is the error of a text that begins with the mark of UTF-16 and is not valid
// UTF-16: half a surrogate pair, or an odd number of bytes.
var ErrUTF16 = errors.New("text is not valid UTF-16")

// Text returns a text as UTF-8 without its mark. It shares memory with text, unless text
// is UTF-16.
func Text(text []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(text, markUTF8):
		return text[len(markUTF8):], nil
	case orderOf(text) == nil:
		return text, nil
	}
	return io.ReadAll(NewReader(bytes.NewReader(text)))
}

// Marked reports whether a text begins with a byte order mark.
func Marked(text []byte) bool { return bytes.HasPrefix(text, markUTF8) || orderOf(text) != nil }

// orderOf returns the byte order that the mark of UTF-16 at the beginning of a text says,
// or nil if there is none.
func orderOf(text []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(text, markLE):
		return binary.LittleEndian
	case bytes.HasPrefix(text, markBE):
		return binary.BigEndian
	}
	return nil
}

// NewReader returns a reader of r's text as UTF-8 without its mark. Its errors are those
// of r, and [ErrUTF16].
func NewReader(r io.Reader) io.Reader { return &reader{in: bufio.NewReader(r)} }

type reader struct {
	in    *bufio.Reader
	begun bool
	order binary.ByteOrder // nil for UTF-8
	text  []byte           // decoded, not yet read
}

// Read reads UTF-8. It implements [io.Reader].
func (r *reader) Read(p []byte) (n int, err error) {
	if !r.begun {
		r.begin()
	}
	if r.order == nil {
		return r.in.Read(p)
	}
	for len(r.text) < len(p) {
		var c rune
		if c, err = r.next(); err != nil {
			break
		}
		r.text = utf8.AppendRune(r.text, c)
	}
	n = copy(p, r.text)
	r.text = r.text[:copy(r.text, r.text[n:])]
	if n > 0 {
		err = nil // the next call returns it
	}
	return n, err
}

// begin reads the mark.
func (r *reader) begin() {
	r.begun = true
	start, _ := r.in.Peek(len(markUTF8)) // an error comes again with the text
	if r.order = orderOf(start); r.order != nil {
		r.in.Discard(len(markLE))
	} else if bytes.HasPrefix(start, markUTF8) {
		r.in.Discard(len(markUTF8))
	}
}

// next reads a character of UTF-16. After an error it returns the same error.
func (r *reader) next() (rune, error) {
	first, err := r.unit(0)
	if err != nil {
		return 0, err
	}
	if !utf16.IsSurrogate(first) {
		r.in.Discard(2)
		return first, nil
	}
	second, err := r.unit(2)
	c := utf16.DecodeRune(first, second)
	if err == io.EOF || err == nil && c == utf8.RuneError {
		err = ErrUTF16
	}
	if err == nil {
		r.in.Discard(4)
	}
	return c, err
}

// unit returns the unit of UTF-16 that begins so many bytes ahead.
func (r *reader) unit(ahead int) (rune, error) {
	b, err := r.in.Peek(ahead + 2)
	switch {
	case len(b) == ahead+2:
		return rune(r.order.Uint16(b[ahead:])), nil
	case err == io.EOF && len(b) > ahead:
		err = ErrUTF16
	}
	return 0, err
}

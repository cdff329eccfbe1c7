package schema

import (
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"
)

// A TextCheck decides whether content is text: whether it decodes as UTF-8, as UTF-16
// with a byte order mark, or in its declared charset, without control characters
// except for white space. It takes the content in pieces and keeps none of them.
type TextCheck struct {
	base     string    // MIME type without the charset
	declared string    // charset, or ""
	utf8     string    // the declared name of UTF-8, or ""
	first    []byte    // what came before the first two bytes were there
	readings []reading // that have not failed
	err      error     // of the declared one, or else of the first that has
}

// A reading is one way to decode content, by the charset that names it. UTF-8 that is
// not declared has no name.
// Its text takes the content in pieces. Write returns an error at the first that is no
// text, Close returns one if the last character is not whole.
type reading struct {
	charset string
	text    io.WriteCloser
}

// NewTextCheck returns a check of content whose MIME type, with the declared charset,
// is known.
func NewTextCheck(mimeType string) *TextCheck {
	m, _ := parseMediaType(mimeType)
	c := &TextCheck{base: m.base, declared: m.charset}
	switch {
	case m.charset == "":
	case isUTF8(m.charset):
		c.utf8 = m.charset
	default:
		if text := declaredText(m.charset); text != nil {
			c.readings = append(c.readings, reading{m.charset, text})
		} else {
			c.err = fmt.Errorf("the data is not UTF-8, and its charset %q is not known", m.charset)
		}
	}
	return c
}

// Write checks the next piece of the content. It returns an error, and so do all later
// calls, once the content is no text.
func (c *TextCheck) Write(p []byte) (int, error) {
	piece := p
	if len(c.first) < 2 {
		held := len(c.first)
		if c.first = append(c.first, p[:min(len(p), 2-held)]...); len(c.first) < 2 {
			return len(p), nil
		}
		c.begin()
		if held == 1 { // the other is in p
			piece = append(c.first[:1:1], p...)
		}
	}
	if !c.each(func(text io.WriteCloser) error { _, err := text.Write(piece); return err }) {
		return 0, c.err
	}
	return len(p), nil
}

// begin adds the reading that the first bytes tell.
func (c *TextCheck) begin() {
	switch string(c.first) {
	case "\xff\xfe", "\xfe\xff":
		c.readings = append(c.readings, reading{"utf-16", &utf16Text{big: c.first[0] == 0xfe}})
	default:
		c.readings = append(c.readings, reading{c.utf8, &utf8Text{alone: c.declared == ""}})
	}
}

// Type returns the MIME type of the content, with its charset if it is declared, and
// right, or UTF-16; or an error if the content is no text. No more of it may follow.
func (c *TextCheck) Type() (string, error) {
	m := mediaType{base: c.base}
	switch len(c.first) {
	case 0:
		return m.base, nil
	case 1:
		c.begin()
		c.each(func(text io.WriteCloser) error { _, err := text.Write(c.first); return err })
	}
	if !c.each(io.WriteCloser.Close) {
		return "", c.err
	}
	m.charset = c.readings[0].charset // the declared one, if that is right
	return m.named(m.base), nil
}

// each drops the readings that fail, and reports whether any is left.
func (c *TextCheck) each(do func(io.WriteCloser) error) bool {
	kept := c.readings[:0]
	for _, r := range c.readings {
		if err := do(r.text); err == nil {
			kept = append(kept, r)
		} else if c.err == nil || c.declared != "" && r.charset == c.declared {
			c.err = err
		}
	}
	c.readings = kept
	return len(kept) > 0
}

// declaredText returns a decoder for a charset, or nil if the charset is not known.
func declaredText(charset string) io.WriteCloser {
	e, err := htmlindex.Get(charset)
	if err != nil {
		return nil
	}
	switch name, _ := htmlindex.Name(e); name {
	case "utf-8":
		return &utf8Text{}
	case "utf-16le", "utf-16be":
		return &utf16Text{big: name == "utf-16be"}
	}
	return transform.NewWriter(&utf8Text{charset: charset}, e.NewDecoder())
}

// utf8Text checks UTF-8.
type utf8Text struct {
	charset string // that was decoded to UTF-8; what could not be is U+FFFD
	alone   bool   // no charset is declared
	rest    []byte // the beginning of a character
	at      int64  // bytes before rest
}

func (u *utf8Text) Write(p []byte) (int, error) {
	n := len(p)
	for len(u.rest) > 0 && len(p) > 0 && !utf8.FullRune(u.rest) {
		u.rest, p = append(u.rest, p[0]), p[1:]
	}
	if len(u.rest) > 0 && utf8.FullRune(u.rest) {
		if _, err := u.check(u.rest); err != nil {
			return 0, err
		}
		u.rest = u.rest[:0]
	}
	left, err := u.check(p)
	u.rest = append(u.rest, left...)
	return n, err
}

// check checks whole characters, and returns the beginning of one that is not whole.
func (u *utf8Text) check(p []byte) (left []byte, err error) {
	for len(p) > 0 {
		printable := 0
		for printable < len(p) && ' ' <= p[printable] && p[printable] < 0x7f {
			printable++
		}
		if p, u.at = p[printable:], u.at+int64(printable); len(p) == 0 {
			break
		}
		r, size := rune(p[0]), 1
		if r >= utf8.RuneSelf {
			if !utf8.FullRune(p) {
				return p, nil
			}
			r, size = utf8.DecodeRune(p)
		}
		switch {
		case r == utf8.RuneError && (size == 1 || u.charset != ""):
			return nil, u.broken()
		case isControl(r):
			return nil, u.control(r)
		}
		p, u.at = p[size:], u.at+int64(size)
	}
	return nil, nil
}

// Close returns an error if the last character is not whole.
func (u *utf8Text) Close() error {
	if len(u.rest) > 0 {
		return u.broken()
	}
	return nil
}

func (u *utf8Text) broken() error {
	if u.charset != "" {
		return fmt.Errorf("the data is not %s", u.charset)
	}
	if u.alone {
		return fmt.Errorf("the data is not UTF-8: invalid at byte %d, and no charset is declared", u.at)
	}
	return fmt.Errorf("the data is not UTF-8: invalid at byte %d", u.at)
}

func (u *utf8Text) control(r rune) error {
	if u.charset != "" {
		return fmt.Errorf("the data is not text: it contains the control character U+%04X", r)
	}
	return fmt.Errorf("the data is not text: control character U+%04X at byte %d", r, u.at)
}

// isControl reports whether text does not contain the character.
func isControl(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }

// utf16Text checks UTF-16.
type utf16Text struct {
	big  bool // the high byte comes first
	rest []byte
	high rune // the first half of a pair; 0 if there is none
}

var errUTF16 = errors.New("the data is not UTF-16")

func (u *utf16Text) Write(p []byte) (int, error) {
	for _, b := range p {
		if u.rest = append(u.rest, b); len(u.rest) < 2 {
			continue
		}
		r := rune(u.rest[1])<<8 | rune(u.rest[0])
		if u.big {
			r = rune(u.rest[0])<<8 | rune(u.rest[1])
		}
		u.rest = u.rest[:0]
		isLow := 0xdc00 <= r && r < 0xe000
		switch {
		case (u.high != 0) != isLow:
			return 0, errUTF16
		case isLow:
			r, u.high = utf16.DecodeRune(u.high, r), 0
		case utf16.IsSurrogate(r):
			u.high = r
			continue
		}
		if isControl(r) {
			return 0, fmt.Errorf("the data is not text: it contains the control character U+%04X", r)
		}
	}
	return len(p), nil
}

// Close returns an error if the last character is not whole.
func (u *utf16Text) Close() error {
	if len(u.rest) > 0 || u.high != 0 {
		return errUTF16
	}
	return nil
}

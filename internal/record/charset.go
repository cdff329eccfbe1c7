package record

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// A Charset is an encoding of text.
type Charset string

// The encodings that are known.
const (
	Detect      Charset = ""             // one of the others
	UTF8        Charset = "utf-8"        // with or without a byte order mark
	UTF16LE     Charset = "utf-16le"     // the low byte first
	UTF16BE     Charset = "utf-16be"     // the high byte first
	Windows1252 Charset = "windows-1252" // a superset of ISO 8859-1 in practice
)

// ParseCharset returns the charset of that name, in any letter case.
func ParseCharset(name string) (Charset, error) {
	switch c := Charset(strings.ToLower(name)); c {
	case Detect, UTF8, UTF16LE, UTF16BE, Windows1252:
		return c, nil
	case "iso-8859-1", "latin1":
		return Windows1252, nil
	}
	return "", fmt.Errorf("charset: got %q, want utf-8, utf-16le, utf-16be or windows-1252", name)
}

// decode returns a reader of r's text as UTF-8 without a byte order mark. Text
// that is invalid in the charset becomes invalid UTF-8, so that its line can be refused.
//
// With Detect, a byte order mark or zero bytes between the first characters decide.
// Without them, the text is taken as it is, if json; otherwise the first bytes beyond
// ASCII, wherever they are, decide between UTF-8 and Windows-1252.
func decode(r io.Reader, charset Charset, json bool) io.Reader {
	return &decoder{in: bufio.NewReaderSize(r, bufferBytes), charset: charset, json: json}
}

type decoder struct {
	in      *bufio.Reader
	charset Charset
	json    bool // the text is JSON, which is never in Windows-1252
	begun   bool
	out     []byte // decoded and not yet read
	err     error  // after out
}

// Read reads UTF-8. It implements [io.Reader].
func (d *decoder) Read(p []byte) (int, error) {
	if !d.begun {
		d.begin()
	}
	if len(p) == 0 {
		return 0, nil
	}
	switch {
	case d.charset == UTF8:
		return d.in.Read(p)
	case d.charset == Detect:
		return d.ascii(p)
	}
	for len(d.out) == 0 && d.err == nil {
		d.err = d.fill(len(p))
	}
	n := copy(p, d.out)
	if d.out = d.out[n:]; n > 0 {
		return n, nil
	}
	return 0, d.err
}

// begin recognises a byte order mark or the zero bytes of UTF-16.
func (d *decoder) begin() {
	d.begun = true
	head, _ := d.in.Peek(4) // an error comes again with the text
	mark := 0
	switch {
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")) && (d.charset == Detect || d.charset == UTF8):
		d.charset, mark = UTF8, 3
	case bytes.HasPrefix(head, []byte("\xFF\xFE")) && (d.charset == Detect || d.charset == UTF16LE):
		d.charset, mark = UTF16LE, 2
	case bytes.HasPrefix(head, []byte("\xFE\xFF")) && (d.charset == Detect || d.charset == UTF16BE):
		d.charset, mark = UTF16BE, 2
	case d.charset != Detect:
	case len(head) == 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		d.charset = UTF16LE
	case len(head) == 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		d.charset = UTF16BE
	case d.json:
		d.charset = UTF8
	}
	d.in.Discard(mark)
}

// ascii reads text whose charset is open, up to the first byte beyond ASCII, which decides.
func (d *decoder) ascii(p []byte) (int, error) {
	if _, err := d.in.Peek(1); err != nil {
		return 0, err
	}
	part, _ := d.in.Peek(min(d.in.Buffered(), len(p)))
	end := bytes.IndexFunc(part, func(r rune) bool { return r >= utf8.RuneSelf })
	if end < 0 {
		end = len(part)
	}
	if end == 0 {
		sample, _ := d.in.Peek(bufferBytes / 4)
		d.charset = guess(sample)
		return d.Read(p)
	}
	copy(p, part[:end])
	return d.in.Discard(end)
}

// guess tells UTF-8 from Windows-1252. In a text of the one, what looks like the other is
// rare, so the more frequent one wins.
func guess(sample []byte) Charset {
	characters, others := 0, 0
	for len(sample) > 0 {
		r, n := utf8.DecodeRune(sample)
		switch {
		case r == utf8.RuneError && n == 1 && utf8.FullRune(sample):
			others++
		case n > 1:
			characters++
		}
		sample = sample[n:]
	}
	if characters >= others {
		return UTF8
	}
	return Windows1252
}

// fill decodes some more text.
func (d *decoder) fill(most int) error {
	d.out = d.out[:0]
	if _, err := d.in.Peek(2); err != nil && d.in.Buffered() == 0 {
		return err
	}
	part, _ := d.in.Peek(min(d.in.Buffered(), max(most, 4)))
	if d.charset == Windows1252 {
		for _, b := range part {
			d.out = utf8.AppendRune(d.out, charmap.Windows1252.DecodeByte(b))
		}
		d.in.Discard(len(part))
		return nil
	}
	d.in.Discard(d.utf16(part))
	return nil
}

// invalid is a byte that makes the text around it invalid UTF-8.
const invalid = 0xFF

// utf16 decodes the beginning of part and returns how many bytes it decoded, at least one.
func (d *decoder) utf16(part []byte) (n int) {
	order := binary.ByteOrder(binary.LittleEndian)
	if d.charset == UTF16BE {
		order = binary.BigEndian
	}
	for n+2 <= len(part) {
		c := rune(order.Uint16(part[n:]))
		if utf16.IsSurrogate(c) {
			if n+4 > len(part) && n > 0 {
				return n // the other half comes with the next part
			}
			if n+4 > len(part) {
				part, _ = d.in.Peek(4)
			}
			if c = rune(utf8.RuneError); len(part) >= n+4 {
				c = utf16.DecodeRune(rune(order.Uint16(part[n:])), rune(order.Uint16(part[n+2:])))
			}
			if c == utf8.RuneError {
				d.out = append(d.out, invalid)
				n += 2
				continue
			}
			n += 2
		}
		d.out = utf8.AppendRune(d.out, c)
		n += 2
	}
	if n == 0 { // an odd number of bytes
		d.out = append(d.out, invalid)
		n = len(part)
	}
	return n
}

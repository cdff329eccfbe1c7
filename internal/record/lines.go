package record

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Lines reads JSON lines. Blank lines are no records. The text is UTF-8, or UTF-16 if it
// begins so; several texts with a byte order mark may follow each other.
type Lines struct {
	text *text
	most int
	buf  []byte
}

// NewLines returns a reader of lines of at most so many bytes; 0 selects
// [DefaultMaxBytes].
func NewLines(r io.Reader, most int) *Lines {
	return &Lines{text: newText(decode(r, Detect, true)), most: limit(most)}
}

// Next implements [Reader].
func (l *Lines) Next() (Record, error) {
	for {
		line, long, err := l.line()
		if err != nil {
			return Record{}, err
		}
		if long {
			return Record{}, tooLong(l.text.line, l.text.line, l.most)
		}
		// Texts that were written one after the other may each begin with a mark.
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, lineBreak), []byte("\r"))
		if len(bytes.TrimSpace(line)) > 0 {
			return Record{Line: l.text.line, Text: line}, nil
		}
	}
}

// line reads a line with its line break, but no more bytes of a long one than allowed.
func (l *Lines) line() (line []byte, long bool, err error) {
	l.buf = l.buf[:0]
	for read := false; ; read = true {
		part, err := l.text.r.ReadSlice('\n')
		l.text.take(part)
		if long = long || len(l.buf)+len(part) > l.most; !long {
			l.buf = append(l.buf, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF && (read || len(part) > 0), err == nil:
			return l.buf, long, nil
		default:
			return nil, false, err
		}
	}
}

// Position implements [Reader].
func (l *Lines) Position() Position { return l.text.position() }

// Skip implements [Reader]. If the line before the position had no line break, it must
// still be the last, or have one now.
func (l *Lines) Skip(to Position) (same bool, err error) { return l.text.skipLine(to) }

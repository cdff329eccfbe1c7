package record

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

// bufferBytes is the size of the read buffer, and bounds the sample for detection.
const bufferBytes = 256 << 10

// text is a text in UTF-8 that knows how much of it was read.
type text struct {
	r    *bufio.Reader
	line int   // lines begun
	size int64 // bytes read
	open bool  // the last byte that was read was no line break
	sum  hash.Hash
}

func newText(r io.Reader) *text {
	return &text{r: bufio.NewReaderSize(r, bufferBytes), sum: sha256.New()}
}

// more returns the bytes that can be read without waiting, at least one. They are valid
// until the next call.
func (t *text) more() ([]byte, error) {
	if _, err := t.r.Peek(1); err != nil {
		return nil, err
	}
	return t.r.Peek(t.r.Buffered())
}

// take marks part, which was returned by more or ReadSlice, as read.
func (t *text) take(part []byte) {
	if len(part) == 0 {
		return
	}
	t.sum.Write(part)
	t.size += int64(len(part))
	t.line += bytes.Count(part, lineBreak)
	if !t.open {
		t.line++
	}
	if t.open = part[len(part)-1] != '\n'; !t.open {
		t.line--
	}
}

var lineBreak = []byte("\n")

// discard takes the first n of the bytes that more returned.
func (t *text) discard(part []byte, n int) {
	t.take(part[:n])
	t.r.Discard(n)
}

// position returns the position after the bytes that were read.
func (t *text) position() Position {
	return Position{Line: t.line, Bytes: t.size, Open: t.open, Sum: fmt.Sprintf("%x", t.sum.Sum(nil))}
}

// skip reads up to a position, and reports whether the text before it is the same.
func (t *text) skip(to Position) (same bool, err error) {
	if to.Bytes < t.size {
		return false, nil
	}
	for t.size < to.Bytes {
		part, err := t.more()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		t.discard(part, int(min(int64(len(part)), to.Bytes-t.size)))
	}
	return t.position() == to, nil
}

// skipLine is skip for a text whose records end with a line. If the last line before the
// position was not ended, it must still be the last one, or end there now.
func (t *text) skipLine(to Position) (same bool, err error) {
	same, err = t.skip(to)
	if !same || err != nil || !to.Open {
		return same, err
	}
	next, err := t.r.Peek(2)
	switch {
	case len(next) == 0 && err == io.EOF:
		return true, nil
	case len(next) == 0:
		return false, err
	case next[0] != '\n' && !bytes.Equal(next, []byte("\r\n")):
		return false, nil
	}
	t.discard(next, bytes.IndexByte(next, '\n')+1)
	return true, nil
}

package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/bom"
)

// maxLine bounds a line: fields and inline blobs of the largest useful size, as
// the library reads them.
const maxLine = 256 << 20

// lineReader reads lines, and knows where it is. The text may begin with a byte order
// mark. Positions are those in UTF-8 without the mark.
type lineReader struct {
	r      *bufio.Reader
	most   int   // bytes of a line
	number int   // of the last line, from 1
	offset int64 // bytes up to the end of the last line
	open   bool  // the last line had no line break
	sum    hash.Hash
	buf    []byte
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{most: maxLine, r: bufio.NewReaderSize(bom.NewReader(r), 256<<10), sum: sha256.New()}
}

// next returns the next line without its line break, which is good until the next
// call, or io.EOF. A line that is too long is skipped: that error is about it alone.
func (l *lineReader) next() ([]byte, error) {
	l.buf = l.buf[:0]
	long, read := false, false
	for {
		part, err := l.r.ReadSlice('\n')
		read = read || len(part) > 0
		l.offset += int64(len(part))
		l.sum.Write(part)
		if long = long || len(l.buf)+len(part) > l.most; !long {
			l.buf = append(l.buf, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && (err != io.EOF || !read):
			return nil, err
		}
		l.open = err == io.EOF
		break
	}
	l.number++
	if long {
		return nil, fmt.Errorf("%w: a line has at most %v", bucketlite.ErrTooLarge, size(l.most))
	}
	// Several files in a row may have a mark at the beginning of each.
	line := bytes.TrimPrefix(l.buf, []byte("\ufeff"))
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), nil
}

// skip goes to where another reader of the same lines was, and reports whether
// they are the same up to there.
func (l *lineReader) skip(to position) (same bool, err error) {
	if _, err := io.CopyN(l.sum, l.r, to.Bytes); err == io.EOF {
		return false, nil
	} else if err != nil {
		return false, err
	}
	l.number, l.offset, l.open = to.Lines, to.Bytes, to.Open
	if l.position() != to {
		return false, nil
	}
	if !to.Open {
		return true, nil
	}
	// The last line had not ended. If there is more now, it must begin a new one.
	next, err := l.r.Peek(2)
	switch {
	case len(next) == 0 && err == io.EOF:
		return true, nil
	case len(next) == 0:
		return false, err
	case next[0] != '\n' && !bytes.Equal(next, []byte("\r\n")):
		return false, nil
	}
	rest, err := l.r.ReadSlice('\n')
	l.offset += int64(len(rest))
	l.sum.Write(rest)
	l.open = false
	return true, err
}

// position is the position of a reader, and a hash of the text before it.
type position struct {
	Lines int    `json:"lines"`
	Bytes int64  `json:"bytes"`
	Open  bool   `json:"open_line"`
	Sum   string `json:"sha256"`
}

func (l *lineReader) position() position {
	return position{l.number, l.offset, l.open, fmt.Sprintf("%x", l.sum.Sum(nil))}
}

package httpapi

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/bom"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A body of JSON may be compressed with gzip. It has the limits of its route once it is
// decompressed, and two more, so that a small request cannot take the time and memory of a
// large one. The bytes of an upload are never decoded, see [call.bare].
const (
	// maxRatio is how many times longer a body may become.
	maxRatio = 100
	// freeRatio is how long a body may become whatever its ratio.
	freeRatio = 1 << 20
)

var (
	errNotGzip  = errors.New("httpapi: the body is not gzip")
	errTooDense = errors.New("httpapi: the body becomes too long")
)

// decoded returns the request's body without its Content-Encoding, and its length, which
// is negative if it is not announced.
func (c *call) decoded() (body io.Reader, length int64, err error) {
	switch codings := contentEncodings(c.r.Header); {
	case len(codings) == 0:
		return c.r.Body, c.r.ContentLength, nil
	case len(codings) == 1 && (codings[0] == "gzip" || codings[0] == "x-gzip"):
		return &gunzip{in: counted{r: c.r.Body}}, -1, nil
	}
	c.w.Header().Set("Accept-Encoding", "gzip")
	return nil, 0, unsupported("header Content-Encoding: got " + value.Show(c.r.Header.Get("Content-Encoding")) + ", want gzip, identity or none")
}

// readError returns the failure for an error of reading a body.
func (c *call) readError(err error) error {
	switch err {
	case errBodyTooLong:
		return c.tooManyBytes()
	case errTooDense:
		return payloadTooLarge(fmt.Sprintf("body: got gzip that becomes more than %d times longer, want at most that; send it without Content-Encoding", maxRatio),
			map[string]any{"max_ratio": maxRatio})
	case errNotGzip:
		return badRequest("header Content-Encoding: got gzip, but the body is not valid gzip")
	}
	// The client has gone, or is too slow, or sent something else than it announced.
	return badRequest("the body ended early")
}

// isGzip reports whether a body begins as gzip does, and as no text can.
func isGzip(data []byte) bool { return bytes.HasPrefix(data, []byte{0x1f, 0x8b}) }

// utf8 returns a body without its byte order mark, and UTF-16 with such a mark as UTF-8.
func (c *call) utf8(data []byte) ([]byte, error) {
	text, err := readBody(bom.NewReader(bytes.NewReader(data)), -1, c.limit)
	if err == bom.ErrUTF16 {
		return nil, formError{{"body", bucketlite.Issue{Rule: "utf8", Message: err.Error()}}}
	}
	if err != nil {
		return nil, c.readError(err)
	}
	return text, nil
}

// A gunzip decompresses a body as far as its ratio allows.
type gunzip struct {
	in  counted
	out int64 // how much has been decompressed
	z   *gzip.Reader
}

// Read returns errNotGzip, errTooDense and errors of the body.
func (g *gunzip) Read(p []byte) (n int, err error) {
	if g.z == nil {
		g.z, err = gzip.NewReader(&g.in)
	}
	if err == nil {
		n, err = g.z.Read(p)
		g.out += int64(n)
	}
	switch {
	case g.in.err != nil:
		return n, g.in.err
	case g.out > freeRatio && g.out > maxRatio*g.in.n:
		return n, errTooDense
	case err != nil && err != io.EOF:
		return n, errNotGzip
	}
	return n, err
}

// A counted reader notes how much was read, and the error that ended it early.
type counted struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/bom"
	"github.com/bucketlite/bucketlite/internal/value"
)

const (
	// bodyAhead limits the memory that is allocated for an announced size.
	bodyAhead = 64 << 10
	// bytesPerValue is how many bytes of a limit allow for one value of JSON. The
	// largest value in memory, an object with one member, takes 340 bytes however short
	// its text is, so that a body with its text takes at most 4 times its limit.
	bytesPerValue = 192
	// minValues is how many values a body of any limit may have.
	minValues = 16384
)

// maxValues returns how many values a body may have that has a limit of bytes.
func maxValues(limit int64) int64 { return max(limit/bytesPerValue, minValues) }

// body returns the request's body, which is JSON within the limits of the route, or
// empty. It is not null, not compressed, and has no byte order mark.
func (c *call) body() ([]byte, error) {
	body, announced, err := c.decoded()
	if err != nil {
		return nil, err
	}
	if c.r.ContentLength > c.limit {
		return nil, c.tooManyBytes()
	}
	c.timeout.pause()
	data, err := readBody(body, announced, c.limit)
	if err != nil {
		return nil, c.readError(err)
	}
	// The rest of the request may take longer than the body.
	c.readDeadline(time.Time{})
	c.timeout.restart()
	if isGzip(data) {
		return nil, formError{{"body", bucketlite.Issue{Rule: "utf8",
			Message: "text expected, got gzip; a compressed body needs the header Content-Encoding: gzip"}}}
	}
	if bom.Marked(data) {
		if data, err = c.utf8(data); err != nil {
			return nil, err
		}
	}
	if string(bytes.TrimSpace(data)) == "null" { // which is no body, nor an empty object
		return nil, formError{{"body", bucketlite.Issue{Rule: "type", Message: "object expected, got null"}}}
	}
	if most := maxValues(c.limit); int64(value.Count(data)) > most {
		return nil, c.bodyTooLarge(most, "values", "; send less in one request")
	}
	return data, nil
}

func (c *call) tooManyBytes() error { return c.bodyTooLarge(c.limit, "bytes", "") }

// bodyTooLarge refuses a body that has more of a unit than the limit. The answer names the
// option that sets the limit, if one does.
func (c *call) bodyTooLarge(limit int64, unit, advice string) error {
	details := map[string]any{"max_" + unit: limit}
	if c.limitOption != "" {
		details["option"] = c.limitOption
		advice += "; Options." + c.limitOption + " sets the limit"
	}
	message := fmt.Sprintf("body: got more than %d %s, want at most that%s", limit, unit, advice)
	return payloadTooLarge(message, details)
}

func payloadTooLarge(message string, details map[string]any) error {
	return &failure{http.StatusRequestEntityTooLarge, "PayloadTooLargeError", message, details}
}

var errBodyTooLong = errors.New("httpapi: the body is too long")

// readBody reads a body of at most limit bytes. The announced size is negative if there is
// none. Memory is allocated only as bytes arrive: the buffer grows to twice the bytes
// received, and to the whole size once half of the bytes have arrived.
func readBody(r io.Reader, announced, limit int64) ([]byte, error) {
	if r == nil || r == http.NoBody {
		return nil, nil
	}
	want := limit
	if announced >= 0 {
		want = announced
	}
	data := make([]byte, 0, min(want, bodyAhead)+1) // with room to see the end
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, errBodyTooLong
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, err
		}
		if len(data) == cap(data) {
			data = append(make([]byte, 0, max(min(2*int64(len(data)), want+1), int64(len(data))+1)), data...)
		}
	}
}

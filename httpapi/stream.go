package httpapi

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/bucketlite/bucketlite"
)

// A streamed body is a JSON object whose member "results" may be large: it is written
// result by result.
type streamed interface {
	// results returns how many there are.
	results() int
	// appendResult appends the text of one. It may be called more than once.
	appendResult(dst []byte, i int) ([]byte, error)
	// rest returns the object's other members.
	rest() any
}

// wholeBody is the size up to which a streamed body is encoded before it is written.
const wholeBody = 1 << 20

// stream answers with a body as JSON. An error means that nothing has been written: a
// small body is encoded first, and a large one twice, the first time to find its length
// and any result that cannot be encoded.
func (a *answer) stream(status int, body streamed) error {
	page := 0 // the bytes of it in memory
	if p, ok := body.(interface{ held() int }); ok {
		page = p.held()
	}
	e := encoder{body: body}
	if err := a.measure(&e, page); err != nil {
		return err
	}
	whole := e.buf
	if e.length == len(whole) {
		e, body, page = encoder{length: e.length}, nil, 0 // a client that is slow must not keep the page
	}
	leave, err := a.holds(max(e.length, page))
	if err != nil {
		return err
	}
	defer leave()
	a.Header().Set("Content-Type", "application/json")
	a.Header().Set("Content-Length", strconv.Itoa(e.length))
	a.WriteHeader(status)
	if body == nil {
		a.Write(whole) // if it fails the client is gone
		return nil
	}
	write := func(p []byte) error {
		_, err := a.Write(p)
		return err
	}
	err = e.encode(write)
	if err == nil {
		err = write(e.buf)
	}
	if err != nil {
		panic(http.ErrAbortHandler) // half an answer must not look whole
	}
	return nil
}

// measure encodes a body for its length, while so many bytes of it are in memory.
func (a *answer) measure(e *encoder, page int) error {
	leave, err := a.holds(page)
	if err != nil {
		return err
	}
	defer leave()
	return e.encode(func([]byte) error { return nil })
}

// An encoder encodes a streamed body in a buffer that it uses again.
type encoder struct {
	body   streamed
	buf    []byte // bytes that have not been handed over
	length int    // of the body so far
}

// encode encodes the body, and hands it over whenever there is much of it. The last
// part stays in the buffer.
func (e *encoder) encode(write func([]byte) error) error {
	rest, err := encode(e.body.rest())
	if err != nil {
		return err
	}
	e.buf, e.length = append(e.buf[:0], `{"results":[`...), 0
	for i := range e.body.results() {
		if len(e.buf) > wholeBody {
			if err := write(e.buf); err != nil {
				return err
			}
			e.length += len(e.buf)
			e.buf = e.buf[:0]
		}
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		if e.buf, err = e.body.appendResult(e.buf, i); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, ']')
	if rest = rest[1:]; rest[0] != '}' { // after {
		e.buf = append(e.buf, ',')
	}
	e.buf = append(e.buf, rest...)
	e.length += len(e.buf)
	return nil
}

// appendEncoded appends the text of a result.
func appendEncoded(dst []byte, v any) ([]byte, error) {
	if o, ok := v.(*bucketlite.RawObject); ok {
		at := len(dst)
		dst, err := o.AppendJSON(dst)
		if err != nil {
			return dst, err
		}
		text, err := hostedBlobs(dst[at:])
		return append(dst[:at], text...), err
	}
	text, err := encode(v)
	return append(dst, bytes.TrimSuffix(text, []byte("\n"))...), err
}

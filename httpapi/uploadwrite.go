package httpapi

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/value"
)

// writeUpload stores the body as the bytes of an upload, as it comes, and answers
// with their ETag, which confirming takes. The body must be the bytes themselves, see
// [call.bare]. Apart from that the header Content-Type does not matter: clients send all
// sorts, and the bytes are held to the type that was announced. Until the upload is
// confirmed other bytes may take their place.
func (c *call) writeUpload() (any, error) {
	if err := c.bare(); err != nil {
		return nil, err
	}
	digests, err := digestsOf(c.r.Header)
	if err != nil {
		return nil, err
	}
	leave, err := c.h.transfers.enter(nil, 1)
	if err != nil {
		return nil, err
	}
	defer leave()
	id := c.r.PathValue("upload")
	if n := c.r.ContentLength; n >= 0 {
		// A client that waits for "100 Continue" is spared the sending: reading the
		// body is what gives it.
		if err := c.bucket.CheckUploadSize(c.ctx(), id, n); err != nil {
			return nil, err
		}
	}
	body := &patientBody{call: c}
	digested := &digestedBody{r: body, digests: digests}
	u, err := c.bucket.WriteUpload(c.ctx(), id, digested)
	switch {
	case err == nil:
	case digested.err != nil:
		return nil, digested.err
	case body.err != nil:
		return nil, badRequest("the body ended early")
	default:
		return nil, err
	}
	h := c.w.Header()
	h.Set("ETag", u.ETag)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", "0")
	c.writeDeadline(time.Now().Add(c.h.patience))
	c.w.WriteHeader(http.StatusOK)
	return written{}, nil
}

// bare refuses a body that is, by its own header, not the bytes of the file but a
// part of them or something they are wrapped in. Stored as they come, they would be
// another file than the client has.
func (c *call) bare() error {
	h := c.r.Header
	encodings := contentEncodings(h)
	streaming := strings.HasPrefix(strings.ToUpper(h.Get(contentSHA256)), "STREAMING-")
	switch mediaType, _, _ := strings.Cut(h.Get("Content-Type"), ";"); {
	case strings.EqualFold(strings.TrimSpace(mediaType), "multipart/form-data"):
		return unsupported("header Content-Type: got multipart/form-data, want the bytes of the file alone, not a form")
	case slices.Contains(encodings, "aws-chunked"), streaming, h.Get("X-Amz-Decoded-Content-Length") != "", h.Get("X-Amz-Trailer") != "":
		return &failure{http.StatusNotImplemented, "NotImplementedError", "aws-chunked bodies and streaming signatures: not supported, send the bytes of the file alone", nil}
	case len(encodings) > 0:
		c.w.Header().Set("Accept-Encoding", "identity")
		return unsupported("header Content-Encoding: got " + value.Show(encodings[0]) + ", want identity or none")
	case h.Get("Content-Range") != "":
		return badRequest("header Content-Range: got " + value.Show(h.Get("Content-Range")) + ", want none: a file is sent as a whole")
	}
	return nil
}

// contentEncodings returns the codings of a body, in lower case, except identity.
func contentEncodings(h http.Header) (codings []string) {
	for coding := range strings.SplitSeq(strings.Join(h.Values("Content-Encoding"), ","), ",") {
		if coding = strings.ToLower(strings.TrimSpace(coding)); coding != "" && coding != "identity" {
			codings = append(codings, coding)
		}
	}
	return codings
}

func unsupported(message string) error {
	return &failure{http.StatusUnsupportedMediaType, "UnsupportedMediaTypeError", message, nil}
}

// patientBody is the body of a request that may take its time, as long as it continues.
type patientBody struct {
	call *call
	err  error // why it is not whole
}

func (b *patientBody) Read(p []byte) (int, error) {
	b.call.readDeadline(time.Now().Add(b.call.h.patience))
	n, err := b.call.r.Body.Read(p)
	switch err {
	case nil:
	case io.EOF:
		b.call.readDeadline(time.Time{}) // storing what has come may take its time too
	default:
		b.err = err
	}
	return n, err
}

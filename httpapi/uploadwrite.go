package httpapi

import (
	"io"
	"net/http"
	"time"
)

// writeUpload stores the body as the bytes of an upload, as it comes, and answers
// with their ETag, which confirming takes. What the header Content-Type says is not
// looked at: clients send all sorts, and the bytes are held to the type that was
// announced. Until the upload is confirmed other bytes may take their place.
func (c *call) writeUpload() (any, error) {
	id := c.r.PathValue("upload")
	if n := c.r.ContentLength; n >= 0 {
		// A client that waits for "100 Continue" is spared the sending: reading the
		// body is what gives it.
		if err := c.bucket.ExpectUpload(c.ctx(), id, n); err != nil {
			return nil, err
		}
	}
	body := &patientBody{call: c}
	u, err := c.bucket.WriteUpload(c.ctx(), id, body)
	if err != nil {
		if body.err != nil {
			return nil, badRequest("the body ended early")
		}
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

// patientBody is the body of a request that may take its time, as long as it goes on.
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

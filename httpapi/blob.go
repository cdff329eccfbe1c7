package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite"
)

var blobRoutes = []route{
	{"GET /v1/presigned/blobs/{namespace}/{bucket}/{object}/{blob}", signed, reads, noBody, (*call).getBlob},
}

// blobPolicy keeps what uploaders chose from doing anything in a browser.
const blobPolicy = "default-src 'none'; sandbox"

// getBlob answers with the bytes of a blob, or the ranges of them that are asked for,
// under the conditions that the client makes. The ETag is their hash. Or it answers with a
// thumbnail of the blob.
func (c *call) getBlob() (any, error) {
	edge, err := c.edge()
	if err != nil {
		return nil, err
	}
	leave, err := c.h.transfers.enter(nil, 1)
	if err != nil {
		return nil, err
	}
	defer leave()
	object, blob := c.r.PathValue("object"), c.r.PathValue("blob")
	if edge > 0 {
		return written{}, c.serveThumb(c.bucket, object, blob, edge, c.untilExpiry())
	}
	return written{}, c.serveBlob(c.bucket, object, blob, disposition)
}

// ServeBlob answers a request to a mount with the bytes of a blob, as its signed URL does:
// with ranges and conditions, and as a type that can run nothing. A PDF is shown too,
// since a page can put it into a frame; with download the browser saves any type. An error
// means that nothing has been written.
func (h *Handler) ServeBlob(w http.ResponseWriter, r *http.Request, b *bucketlite.Bucket, objectID, blobID string, download bool) error {
	c := &call{h: h, w: w.(*answer), r: r}
	leave, err := h.transfers.enter(nil, 1)
	if err != nil {
		return err
	}
	defer leave()
	return c.serveBlob(b, objectID, blobID, func(mimeType, filename string) string {
		if mimeType == "application/pdf" && !download {
			mimeType = "text/plain" // which is shown
		}
		if download {
			mimeType = "application/octet-stream"
		}
		return disposition(mimeType, filename)
	})
}

// serveBlob writes the bytes of a blob, or those of the ranges that are asked for. The
// function returns the disposition of a type and a filename.
func (c *call) serveBlob(b *bucketlite.Bucket, objectID, id string, disposition func(mimeType, filename string) string) error {
	blob, err := openBlob(c.ctx(), b, objectID, id)
	if err != nil {
		return err
	}
	defer blob.Close()
	mimeType := servedType(blob)
	// Uploaders choose what others see, so the bytes must be able to do nothing: a browser
	// shows only types that cannot run, and runs nothing if it shows others.
	h := c.w.Header()
	h.Set("Content-Type", mimeType)
	h.Set("Content-Disposition", disposition(mimeType, blob.Filename()))
	h.Set("Content-Security-Policy", blobPolicy)
	h.Set("Cache-Control", "private")
	h.Set("ETag", `"`+blob.Hash()+`"`)
	source := &blobSource{BlobReader: blob}
	refusal := c.sendContent(source, blob.Size())
	if err := source.failure(); err != nil {
		return err // which cuts the answer off, for it has begun
	}
	return refusal
}

// sendContent writes content, or the ranges of it that are asked for, under the conditions
// that the client makes. The headers that describe it are set. An error means that nothing
// was written.
func (c *call) sendContent(content io.ReadSeeker, size int64) error {
	w, h := &blobWriter{call: c}, c.w.Header()
	http.ServeContent(w, withoutEmptyRanges(c.r, size), "", time.Time{}, content)
	if w.refusal == 0 {
		return nil
	}
	h.Del("Content-Disposition")
	h.Del("ETag")
	if w.refusal == http.StatusRequestedRangeNotSatisfiable {
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
	}
	return refusals[w.refusal]
}

// utf8Within is how much of a text is read to see whether it is UTF-8, in bytes.
const utf8Within = 256 << 10

// servedType returns the MIME type that a blob is served with. Text has the charset
// that it was declared with. Other text has UTF-8 if its beginning is UTF-8, since
// browsers take text without a charset for another. ASCII needs none: it is the same in
// all.
func servedType(blob *bucketlite.BlobReader) string {
	mimeType := blob.MIMEType()
	switch {
	case mimeType == "":
		return "application/octet-stream"
	case !strings.HasPrefix(mimeType, "text/") || strings.Contains(mimeType, ";"):
		return mimeType
	}
	head := make([]byte, min(blob.Size(), utf8Within))
	if _, err := blob.ReadAt(head, 0); err != nil && err != io.EOF {
		return mimeType // the reader of the body will report it
	}
	isWhole := int64(len(head)) == blob.Size()
	if !isWhole { // the last character may be cut off
		for i := len(head) - 1; i >= 0 && i >= len(head)-utf8.UTFMax; i-- {
			if utf8.RuneStart(head[i]) && !utf8.FullRune(head[i:]) {
				head = head[:i]
			}
		}
	}
	isASCII := isWhole && bytes.IndexFunc(head, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
	if isASCII || !utf8.Valid(head) {
		return mimeType
	}
	return mimeType + "; charset=utf-8"
}

// withoutEmptyRanges returns a request without the ranges that have no bytes: those of
// the last 0, and any at the end of an empty blob. [http.ServeContent] would answer with
// a Content-Range whose end is before its beginning. If no other range is left, the
// request gets a range that ServeContent refuses once it has checked the conditions.
func withoutEmptyRanges(r *http.Request, size int64) *http.Request {
	ranges, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes=")
	if !ok {
		return r
	}
	var kept []string
	for each := range strings.SplitSeq(ranges, ",") {
		suffix, ok := strings.CutPrefix(strings.TrimSpace(each), "-")
		empty := ok && suffix != "" && strings.Trim(suffix, "0") == ""
		if size == 0 {
			empty = ok && suffix != "" && strings.Trim(suffix, "0123456789") == ""
		}
		if !empty {
			kept = append(kept, each)
		}
	}
	if len(kept) == 0 {
		kept = []string{"-"}
	}
	other := *r
	other.Header = r.Header.Clone()
	other.Header.Set("Range", "bytes="+strings.Join(kept, ","))
	return &other
}

// disposition returns the header that tells whether a browser may show the bytes, and the
// name under which it saves them.
func disposition(mimeType, filename string) string {
	kind := "attachment"
	if shown(mimeType) {
		kind = "inline"
	}
	params := map[string]string{}
	if filename != "" {
		params["filename"] = filename
	}
	return mime.FormatMediaType(kind, params)
}

// shown reports whether bytes of the type are pictures, sound or plain text, in which
// there is nothing to run. SVG, PDF and what nobody knows are not.
func shown(mimeType string) bool {
	mimeType, _, _ = strings.Cut(mimeType, ";")
	family, _, _ := strings.Cut(mimeType, "/")
	switch mimeType {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "text/plain":
		return true
	}
	return family == "audio" || family == "video"
}

// refusals are the answers that the standard library has its own form for.
var refusals = map[int]*failure{
	http.StatusPreconditionFailed:           {http.StatusPreconditionFailed, "PreconditionFailedError", "the blob is not as the request expects", nil},
	http.StatusRequestedRangeNotSatisfiable: {http.StatusRequestedRangeNotSatisfiable, "RangeNotSatisfiableError", "the blob has no such range", nil},
}

// blobWriter gives the client time for each piece anew, and keeps back refusals.
type blobWriter struct {
	call    *call
	refusal int // the status; 0 if it is none
}

func (w *blobWriter) Header() http.Header { return w.call.w.Header() }

func (w *blobWriter) WriteHeader(status int) {
	if refusals[status] != nil {
		w.refusal = status
		return
	}
	w.call.w.WriteHeader(status)
}

func (w *blobWriter) Write(p []byte) (int, error) {
	if w.refusal != 0 {
		return len(p), nil
	}
	w.call.writeDeadline(time.Now().Add(w.call.h.patience))
	return w.call.w.Write(p)
}

// blobSource records the error of reading a blob, which [http.ServeContent] drops. Several
// ranges are read by a goroutine of their own.
type blobSource struct {
	*bucketlite.BlobReader
	mu  sync.Mutex
	err error
}

func (s *blobSource) Read(p []byte) (int, error) {
	n, err := s.BlobReader.Read(p)
	if err != nil && err != io.EOF {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
	return n, err
}

func (s *blobSource) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

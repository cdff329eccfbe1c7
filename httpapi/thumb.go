package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/thumb"
	"github.com/bucketlite/bucketlite/internal/value"
)

// thumbCacheBytes bounds the thumbnails that a handler keeps in memory.
const thumbCacheBytes = 64 << 20

// Thumbnail is a small picture of a blob: a JPEG, or a PNG if it is transparent. It is shared
// with other callers and must not be changed.
type Thumbnail = thumb.Image

// Thumb returns a thumbnail of the object's blob with the id. Its longest edge is 160, 320 or
// 640 pixels, or the picture's own if that is shorter. It is made from JPEG, PNG, GIF, WebP or
// BMP, which the content tells, upright, and from the first frame of a GIF. The API and all
// other callers share one cache of 64 MiB, and one bound on how many are made at once.
//
// An error has the status that [Describe] returns: 415 if the blob is no such picture, is damaged,
// or has over 64 MiB, 50 megapixels or 20,000 pixels on a side; 503 if too many thumbnails are
// being made; 422 for another edge; and those of [bucketlite.Bucket.OpenBlob].
func (h *Handler) Thumb(ctx context.Context, b *bucketlite.Bucket, objectID, blobID string, edge int) (*Thumbnail, error) {
	if err := checkEdge(edge); err != nil {
		return nil, err
	}
	blob, err := openBlob(ctx, b, objectID, blobID)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	return h.thumbOf(ctx, b, objectID, blob, edge)
}

func checkEdge(edge int) error {
	if slices.Contains(thumb.Edges, edge) {
		return nil
	}
	return formError{{"query", bucketlite.Issue{Path: "edge", Rule: "enum", Message: fmt.Sprintf("160, 320 or 640 expected, got %d", edge)}}}
}

// thumbOf is [Handler.Thumb] of a blob that has been opened. It is opened again if there is no
// thumbnail yet, since the work may outlast the call.
func (h *Handler) thumbOf(ctx context.Context, b *bucketlite.Bucket, objectID string, blob *bucketlite.BlobReader, edge int) (*Thumbnail, error) {
	id, hash := blob.Blob().ID, blob.Hash()
	return h.thumbs.Thumb(ctx, hash, edge, func(ctx context.Context) (thumb.Source, error) {
		again, err := openBlob(ctx, b, objectID, id)
		switch {
		case err != nil:
			return nil, err
		case again.Hash() != hash:
			again.Close()
			return nil, noBlob(id)
		}
		return again, nil
	})
}

// openBlob opens the blob of an object that has the id, which may not be that of a property.
func openBlob(ctx context.Context, b *bucketlite.Bucket, objectID, id string) (*bucketlite.BlobReader, error) {
	blob, err := b.OpenBlob(ctx, objectID, id)
	if err == nil && blob.Blob().ID != id {
		blob.Close()
		return nil, noBlob(id)
	}
	return blob, err
}

func noBlob(id string) error {
	return &failure{http.StatusNotFound, "NotFoundError", "blob " + value.Show(id), nil}
}

// Preview returns the blob whose picture stands for the object, and whether there is one: the
// first picture of a property named "poster" or "thumbnail", or else the first picture. A
// picture is stored content of a type and size that [Handler.Thumb] takes. So a video is shown by a
// picture that somebody, perhaps a processor, has stored beside it.
func Preview(o *bucketlite.Object) (bucketlite.Blob, bool) {
	isPicture := func(b bucketlite.Blob) bool {
		return b.Details.Hash != "" && thumb.Takes(b.Details.MIMEType) && b.Details.Size <= thumb.MaxBytes
	}
	i := slices.IndexFunc(o.Blobs, func(b bucketlite.Blob) bool {
		return isPicture(b) && (strings.EqualFold(b.Property, "poster") || strings.EqualFold(b.Property, "thumbnail"))
	})
	if i < 0 {
		i = slices.IndexFunc(o.Blobs, isPicture)
	}
	if i < 0 {
		return bucketlite.Blob{}, false
	}
	return o.Blobs[i], true
}

// edge returns the longest edge of the thumbnail that the request wants, 0 for none. The
// signature of the URL does not cover it: who may read the blob may read less of it.
func (c *call) edge() (int, error) {
	var choices []string
	for _, edge := range thumb.Edges {
		choices = append(choices, strconv.Itoa(edge))
	}
	edge, _ := strconv.Atoi(c.params().choice("thumb", "0", choices...))
	return edge, c.check()
}

// untilExpiry lets a client keep what a signed URL leads to until the URL expires: a blob with
// an id never gets other bytes.
func (c *call) untilExpiry() (cacheControl string) {
	expires, _ := strconv.ParseInt(c.query.Get("expires"), 10, 64) // which was verified
	return fmt.Sprintf("private, max-age=%d", expires-c.h.opts.Now().Unix())
}

// ServeThumb answers a request to a mount with a thumbnail, see [Handler.Thumb], under the
// conditions that the client makes. The browser may keep it for a year, since a blob with an
// id never gets other bytes. An error means that nothing has been written.
func (h *Handler) ServeThumb(w http.ResponseWriter, r *http.Request, b *bucketlite.Bucket, objectID, blobID string, edge int) error {
	if err := checkEdge(edge); err != nil {
		return err
	}
	c := &call{h: h, w: w.(*answer), r: r}
	leave, err := h.transfers.enter(nil, 1)
	if err != nil {
		return err
	}
	defer leave()
	return c.serveThumb(b, objectID, blobID, edge, "private, max-age=31536000, immutable")
}

// statusClientClosed is that of a request whose client has left, in the log alone.
const statusClientClosed = 499

// serveThumb writes a thumbnail.
func (c *call) serveThumb(b *bucketlite.Bucket, objectID, id string, edge int, cacheControl string) error {
	blob, err := openBlob(c.ctx(), b, objectID, id)
	if err != nil {
		return err
	}
	defer blob.Close()
	h, tag := c.w.Header(), thumb.Tag(blob.Hash(), edge)
	if listed(c.r.Header, tag) { // then it need not be made
		h.Set("ETag", tag)
		h.Set("Cache-Control", cacheControl)
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	img, err := c.h.thumbOf(c.ctx(), b, objectID, blob, edge)
	switch {
	case err != nil && c.ctx().Err() != nil:
		return &failure{statusClientClosed, "ClientClosedRequest", "the client has left", nil}
	case err != nil:
		return err
	}
	h.Set("ETag", tag)
	h.Set("Cache-Control", cacheControl)
	h.Set("Content-Type", img.MIMEType)
	h.Set("Content-Disposition", "inline")
	h.Set("Content-Security-Policy", blobPolicy)
	return c.sendContent(bytes.NewReader(img.Data), int64(len(img.Data)))
}

// listed reports whether the client has what a tag stands for, by If-None-Match alone.
func listed(h http.Header, tag string) bool {
	if h.Get("If-Match") != "" {
		return false
	}
	return slices.ContainsFunc(strings.Split(strings.Join(h.Values("If-None-Match"), ","), ","), func(each string) bool {
		return strings.TrimPrefix(strings.TrimSpace(each), "W/") == tag
	})
}

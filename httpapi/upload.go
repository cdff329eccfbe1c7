package httpapi

import (
	"errors"
	"fmt"
	"maps"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

var uploadRoutes = []route{
	{"POST /v1/buckets/{bucket}/uploads", scoped, writes, listBody, (*call).createUpload},
	{"POST /v1/buckets/{bucket}/uploads/batch", scoped, writes, listBody, (*call).createUploads},
	{"POST /v1/buckets/{bucket}/uploads/list", scoped, reads, formBody, (*call).listUploads},
	{"GET /v1/buckets/{bucket}/uploads/{upload}", scoped, reads, noBody, (*call).getUpload},
	{"DELETE /v1/buckets/{bucket}/uploads/{upload}", scoped, writes, noBody, (*call).deleteUpload},
	{"POST /v1/buckets/{bucket}/uploads/{upload}/confirm", scoped, writes, formBody, (*call).confirmUpload},
	{"POST /v1/buckets/{bucket}/uploads/confirm/batch", scoped, writes, listBody, (*call).confirmUploads},
	{"PUT /v1/presigned/uploads/{namespace}/{bucket}/{upload}", signed, writes, noBody, (*call).writeUpload},
}

// createUpload announces an upload, and says where its bytes are to go.
func (c *call) createUpload() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	in := f.uploadInput()
	if err := c.check(); err != nil {
		return nil, err
	}
	if _, err := c.base(); err != nil { // not when it is too late
		return nil, err
	}
	u, err := c.bucket.CreateUpload(c.ctx(), in)
	if err != nil {
		return nil, err
	}
	c.warnOfDocument("content_type", u.Type, u.ContentType)
	return u, c.presignUploads(u)
}

// uploadInput returns the form as the announcement of an upload.
func (f *form) uploadInput() (in bucketlite.UploadInput) {
	doc := maps.Clone(f.doc)
	if v, name := f.fileSize(); name == "file_size" {
		doc["file_size_bytes"] = v
	}
	if doc["content_type"] == "" { // a browser has that for a file that it does not know
		f.call.warn(f.at.Member("content_type").String() + ": a MIME type expected")
		doc["content_type"] = "application/octet-stream"
	}
	if t := f.call.ownType(doc, "blob_type", f.at.Member("blob_type").String()); t != "" {
		doc["blob_type"] = t
	}
	f.takeAt(f.at.String(), in.UnmarshalJSON(value.Append(nil, doc)))
	for _, name := range []string{"file_size_bytes", "presigned_url_expiration"} {
		if n, ok := value.Int(doc[name]); ok && n == 0 { // which is absent in the store's own form
			f.fault(name, "minimum", "1 or more expected, got 0")
		}
	}
	if in.Policy != "" {
		in.Policy = f.policy()
	}
	in.AllowDocument = true
	return in
}

// presignUploads sets the URLs for the bytes of new uploads, except those that need
// none.
func (c *call) presignUploads(uploads ...*bucketlite.Upload) (err error) {
	for _, u := range uploads {
		if u.Status == bucketlite.StatusPending && u.ETag == "" {
			if u.PresignedURL, err = c.uploadURL(u); err != nil {
				return err
			}
		}
	}
	return nil
}

// createdUploads is the answer to the creation of several uploads.
type createdUploads struct {
	Uploads []hostedUpload `json:"uploads"`
	Total   int            `json:"total"`
}

// createUploads is createUpload for several, of which all or none are created.
func (c *call) createUploads() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	opts := &bucketlite.CreateUploadsOptions{Metadata: f.object("shared_metadata"), ObjectMetadata: f.object("shared_object_metadata")}
	var inputs []bucketlite.UploadInput
	if f.several("uploads") {
		f.each("uploads", func(f *form) { inputs = append(inputs, f.uploadInput()) })
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if _, err := c.base(); err != nil {
		return nil, err
	}
	uploads, err := c.bucket.CreateUploads(c.ctx(), inputs, opts)
	if err != nil {
		return nil, err
	}
	answer := createdUploads{Total: len(uploads)}
	for _, u := range uploads {
		c.warnOfDocument("uploads.content_type", u.Type, u.ContentType)
		answer.Uploads = append(answer.Uploads, hostedUploadOf(u))
	}
	return answer, c.presignUploads(uploads...)
}

// several reports whether a list has at least one and at most
// [bucketlite.MaxUploads] members, and notes if it has not.
func (f *form) several(name string) bool {
	before := len(f.call.faults)
	n := len(f.list(name))
	switch {
	case len(f.call.faults) > before:
	case f.doc[name] == nil:
		f.fault(name, "required", "required")
	case n == 0:
		f.fault(name, "minItems", "at least one upload expected")
	case n > bucketlite.MaxUploads:
		f.fault(name, "maxItems", fmt.Sprintf("at most %d uploads expected, got %d", bucketlite.MaxUploads, n))
	}
	return len(f.call.faults) == before
}

// getUpload returns an upload. Only the answer that creates it has the URL for its
// bytes; return_presigned_urls is about downloads, as it is for lists.
func (c *call) getUpload() (any, error) {
	presign := c.params().boolean("return_presigned_urls", false)
	if err := c.check(); err != nil {
		return nil, err
	}
	u, err := c.bucket.Upload(c.ctx(), c.r.PathValue("upload"))
	if err == nil && presign {
		err = c.presignDownload(c.bucket, u)
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// presignDownload sets the URL for the bytes of a confirmed upload: that of the blob
// that they became, as long as its object has it. An upload that has become no blob, or
// is not confirmed, gets no URL.
func (c *call) presignDownload(b *bucketlite.Bucket, u *bucketlite.Upload) error {
	if u.Status != bucketlite.StatusCompleted || u.ObjectID == "" {
		return nil
	}
	o, err := b.Object(c.ctx(), u.ObjectID)
	if errors.Is(err, bucketlite.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, blob := range o.Blobs {
		if blob.Property == u.Property && blob.Details.Hash == u.FileHash {
			u.PresignedURL, err = c.blobURL(b, o.ID, blob.ID)
			return err
		}
	}
	return nil
}

// listUploads returns a page of the bucket's uploads, the newest first unless the request
// sorts them.
func (c *call) listUploads() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	presign := f.boolean("return_presigned_urls", false)
	q, err := c.listed(f, 20, 100)
	if err != nil {
		return nil, err
	}
	q.Reverse = q.Reverse || q.unsorted
	b := c.bucket
	page, err := b.ListUploads(c.ctx(), q.Query)
	if err != nil {
		return nil, err
	}
	q.noStats = false // the hosted service always has them
	stats, err := statsOf(q, b.ID()+" uploads", func() (*bucketlite.UploadListStats, error) { return b.UploadListStats(c.ctx(), q.Query) })
	if err != nil {
		return nil, err
	}
	for _, u := range page.Results {
		if !presign {
			break
		}
		if err := c.presignDownload(b, u); err != nil {
			return nil, err
		}
	}
	return answerOf(q, page, stats, false), nil
}

// deleteUpload gives up an upload that is not confirmed. Nobody could get at its bytes
// any more, so they go with it: who wants them to stay is refused if there are any.
func (c *call) deleteUpload() (any, error) {
	drop := c.params().boolean("delete_s3_object", true)
	if err := c.check(); err != nil {
		return nil, err
	}
	id := c.r.PathValue("upload")
	if !drop {
		u, err := c.bucket.Upload(c.ctx(), id)
		if err != nil {
			return nil, err
		}
		if u.Status == bucketlite.StatusPending && u.ETag != "" {
			return nil, &bucketlite.ConflictError{Subject: "upload " + value.Show(id), Reason: "it has bytes, which cannot be kept without it"}
		}
	}
	return nil, c.bucket.CancelUpload(c.ctx(), id)
}

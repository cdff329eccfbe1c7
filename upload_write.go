package bucketlite

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// WriteUpload stores the bytes of a pending upload: all bytes of r. They are written
// as they arrive, in constant memory and without blocking other writers. WriteUpload
// checks their type by the first bytes, and their number and hash against the
// announced ones. Until the upload is confirmed it can be written again, which
// replaces the earlier bytes.
//
// If WriteUpload fails, the upload does not change. WriteUpload waits for a blocked
// reader even after ctx has ended: give the reader a deadline of its own.
//
// Errors: [ErrNotFound], [ErrConflict] if the upload is not pending, [ErrInvalid],
// [ErrTooLarge], [ErrLocked], [ErrNotActive], and errors of r.
func (b *Bucket) WriteUpload(ctx context.Context, id string, r io.Reader) (*Upload, error) {
	ctx = engine.WaitOnce(ctx)
	w, err := b.uploadWriter(ctx, id)
	if err != nil {
		return nil, err
	}
	stored := false
	defer func() {
		if !stored { // refused, or the reader has panicked
			b.store.stage.Release(ctx, w.contents...)
		}
	}()
	if err := w.take(ctx, r); err != nil {
		return nil, err
	}
	if err := b.store.write(ctx, w.write); err != nil {
		return nil, err
	}
	stored = true
	content.EndRenewals(w.contents)
	return w.row.decode(b)
}

// uploadWriter reads the upload with the id, to be written by the definition that stands. If
// that moves while the bytes are written, the upload's confirmation checks them again.
func (b *Bucket) uploadWriter(ctx context.Context, id string) (w *uploadWriter, err error) {
	err = b.following(ctx, func(b *Bucket) error {
		w = &uploadWriter{bucket: b, id: id}
		return b.store.read(ctx, func(c *engine.Conn) error {
			if err := w.load(c); err != nil {
				return err
			}
			return b.readable(c)
		})
	})
	return w, err
}

// CheckUploadSize reports whether [Bucket.WriteUpload] may accept this number of
// bytes, for callers that know the size in advance. It returns nil, or the error that
// WriteUpload would return because of the size or the current state of the upload and
// the bucket.
func (b *Bucket) CheckUploadSize(ctx context.Context, id string, size int64) error {
	w, err := b.uploadWriter(ctx, id)
	if err != nil {
		return err
	}
	b = w.bucket
	in, err := w.row.input(b)
	if err != nil {
		return err
	}
	j := &judge{}
	limit := b.contentLimit(b.def.plan.File(in.Property))
	switch {
	case size > limit:
		j.fault(contentPath, ruleSize, fmt.Sprintf("%s, got %d", b.store.opts.atMost(limit), size))
	case in.Size != 0 && size != in.Size:
		j.fault(contentPath, ruleMatch, fmt.Sprintf("%d bytes were announced, got %d", in.Size, size))
	}
	return b.refusal(j)
}

// contentPath is the path of an upload's bytes.
var contentPath = value.Path{{Name: "content"}}

// contentLimit returns the maximum size of a value of a file field; f is nil if the
// field is unknown.
func (b *Bucket) contentLimit(f *schema.Field) int64 {
	if f != nil && f.NeedsText() {
		return min(b.store.opts.MaxBlobBytes, maxDataBytes)
	}
	return b.store.opts.MaxBlobBytes
}

// uploadWriter is one WriteUpload call.
type uploadWriter struct {
	bucket   *Bucket
	id       string
	row      uploadRow
	mimeType string
	contents []*content.Content // has one element once the bytes have been read
}

// load reads the upload, and checks that it can be written.
func (w *uploadWriter) load(c *engine.Conn) error {
	u, err := w.bucket.selectUpload(c, writeObjects, w.id)
	if err == nil {
		err = u.open(w.bucket, w.bucket.store.now())
	}
	if err == nil {
		w.row = *u
	}
	return err
}

// take reads and checks the bytes.
func (w *uploadWriter) take(ctx context.Context, r io.Reader) error {
	b := w.bucket
	in, err := w.row.input(b)
	if err != nil {
		return err
	}
	f := b.def.plan.File(in.Property)
	if f == nil {
		f = &schema.Field{Type: string(in.Type)}
	}
	if in.Size != 0 {
		r = io.LimitReader(r, in.Size+1) // one more byte reveals that there are too many
	}
	j := &judge{}
	builder := blobBuilder{ctx: ctx, bucket: b, judge: j, document: in.AllowDocument}
	blob := Blob{}
	builder.stream(contentPath, &BlobInput{Reader: r, Filename: in.Filename, MIMEType: in.ContentType}, f, &blob)
	w.contents, w.mimeType = builder.contents, blob.Details.MIMEType
	if builder.err != nil {
		return builder.err
	}
	if size := blob.Details.Size; !j.Any() && in.Size != 0 && size != in.Size {
		message := fmt.Sprintf("%d bytes were announced, got %d", in.Size, size)
		if size > in.Size {
			message = fmt.Sprintf("%d bytes were announced, got more", in.Size)
		}
		j.fault(contentPath, ruleMatch, message)
	}
	if hash := blob.Details.Hash; !j.Any() && in.FileHash != "" && hash != in.FileHash {
		j.fault(contentPath, ruleMatch, fmt.Sprintf("SHA-256 %s was announced, got %s", in.FileHash, hash))
	}
	return b.refusal(j)
}

// write sets the upload's content to the bytes.
func (w *uploadWriter) write(tx *commit.Tx) error {
	if err := w.load(tx.Conn); err != nil {
		return err
	}
	if err := checkContents(tx, w.contents); err != nil {
		return err
	}
	u, c, now := &w.row, w.contents[0], w.bucket.store.now()
	if err := keepContent(tx, c); err != nil {
		return err
	}
	if u.holds {
		if err := content.DropHash(tx, u.hash); err != nil {
			return err
		}
	}
	written := timeOf(now)
	u.hash, u.size, u.mimeType, u.holds, u.written = c.Hash[:], c.Size, w.mimeType, true, &written
	return u.saveContent(tx)
}

// uploaded sets the blob's content to the bytes of an upload.
func (bb *blobBuilder) uploaded(path value.Path, id string, f *schema.Field, b *Blob) {
	if bb.judging {
		return
	}
	u, own := bb.upload, bb.upload != nil
	if !own {
		if u, bb.err = bb.bucket.confirmedUpload(bb.ctx, id); bb.err != nil {
			return
		}
	}
	in, err := u.input(bb.bucket)
	if err != nil {
		bb.err = err
		return
	}
	mimeType := u.mimeType
	if string(in.Type) != f.Type { // the bytes were checked for another type of field
		faults := len(bb.judge.List)
		bb.document = bb.document || in.AllowDocument
		mimeType = bb.storedMIME(path, u.hash, u.size, schema.Content{Declared: in.ContentType, Filename: in.Filename}, f)
		if bb.err != nil || len(bb.judge.List) > faults {
			return
		}
	}
	if f.NeedsText() && !bb.uploadedText(path, u, f) {
		return
	}
	bb.store(&content.Content{Hash: [32]byte(u.hash), Size: u.size, There: true, Upload: u.num}, in.Filename, mimeType, b)
}

// uploadedText validates an upload's text as a whole, and reports whether it is valid
// UTF-8.
func (bb *blobBuilder) uploadedText(path value.Path, u *uploadRow, f *schema.Field) bool {
	if limit := bb.inMemory(); u.size > limit {
		bb.tooLong(path, limit)
		return false
	}
	source := &blobSource{ctx: bb.ctx, bucket: bb.bucket}
	there := false
	if there, bb.err = source.find(hex.EncodeToString(u.hash), u.size); bb.err == nil && !there {
		bb.err = notFound("content %x", u.hash)
	}
	data := make([]byte, u.size)
	if bb.err == nil {
		_, bb.err = io.ReadFull(io.NewSectionReader(source, 0, u.size), data)
	}
	return bb.err == nil && bb.conformText(path, data, f)
}

// confirmedUpload returns the confirmed upload with the id, for a blob to use.
func (b *Bucket) confirmedUpload(ctx context.Context, id string) (u *uploadRow, err error) {
	err = b.store.read(ctx, func(c *engine.Conn) error {
		u, err = b.selectUpload(c, readObjects, id)
		return err
	})
	if err == nil && u.status != StatusCompleted {
		err = u.conflict(b, "it is %s, not confirmed", u.status)
	}
	return u, err
}

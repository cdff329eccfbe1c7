package bucketlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// BlobReader reads a blob's bytes. It implements [io.ReadSeekCloser] and
// [io.ReaderAt], and is what [net/http.ServeContent] wants. Each chunk is
// verified before any of its bytes are handed out. Read and Seek are for one
// goroutine at a time, ReadAt, Close and the rest for any number.
//
// No lock is held between reads: the object may be changed or deleted meanwhile.
// Reading goes on as long as the content is there, and never yields bytes of
// another.
type BlobReader struct {
	io.SectionReader
	blob   Blob
	hash   string
	source *blobSource
}

// OpenBlob opens the blob of a property of an object; where there are several,
// the first. A blob's id in the place of the property opens that blob, unless the
// schema declares a property of this name. Stored content and inline data can be
// read, a reference cannot: [ErrBadRequest].
//
// Reading ends with an error when ctx does, or the reader or the store is closed:
// the context's, [io/fs.ErrClosed], [ErrClosed]. If the content is deleted
// meanwhile, reading fails with [ErrNotFound]; if it is damaged, with
// [ErrCorrupt]. The caller must Close the reader.
func (b *Bucket) OpenBlob(ctx context.Context, objectID, property string) (*BlobReader, error) {
	missed := int64(0) // the version of the object whose content was not there
	for {
		o, err := b.Object(ctx, objectID)
		if err != nil {
			return nil, err
		}
		blob, err := b.findBlob(o, property)
		if err != nil {
			return nil, err
		}
		r, err := b.openBlob(ctx, blob)
		switch {
		case err != nil || r != nil:
			return r, err
		case o.Version == missed:
			// It had this content before and after nothing was found.
			return nil, errorf("%s: object %q: content %s is missing: %w", b, objectID, blob.Details.Hash, ErrCorrupt)
		}
		missed = o.Version
	}
}

// findBlob returns the blob of a property, or with an id.
func (b *Bucket) findBlob(o *Object, property string) (Blob, error) {
	what, named := "of property ", func(blob Blob) bool { return blob.Property == property }
	if b.def.plan.Field(property) == nil {
		what, named = "", func(blob Blob) bool { return blob.ID == property }
	}
	i := slices.IndexFunc(o.Blobs, named)
	if i < 0 {
		return Blob{}, notFound("%s: object %q: blob %s%s", b, o.ID, what, value.Show(property))
	}
	return o.Blobs[i], nil
}

// openBlob returns a reader of the blob, or nil if its content is not there.
func (b *Bucket) openBlob(ctx context.Context, blob Blob) (*BlobReader, error) {
	r := &BlobReader{blob: blob, hash: blob.Details.Hash, source: &blobSource{ctx: ctx, bucket: b}}
	size := blob.Details.Size
	switch data, isInline := blob.Properties["data"]; {
	case r.hash != "":
		if found, err := r.source.find(r.hash, size); err != nil || !found {
			return nil, err
		}
	case isInline:
		text, isText := data.(string)
		if !isText {
			text = string(value.Append(nil, data))
		}
		sum := sha256.Sum256([]byte(text))
		r.hash, size = hex.EncodeToString(sum[:]), int64(len(text))
		r.source.inline = strings.NewReader(text)
	default:
		return nil, badRequest("%s: the blob %s of %s is a reference, nothing is stored", b, value.Show(blob.ID), value.Show(blob.Property))
	}
	r.SectionReader = *io.NewSectionReader(r.source, 0, size)
	return r, nil
}

// Blob returns the description of what is read.
func (r *BlobReader) Blob() Blob { return r.blob }

// Hash returns the SHA-256 of the bytes in hexadecimal, also of inline data. In
// quotes it is a strong ETag.
func (r *BlobReader) Hash() string { return r.hash }

// MIMEType returns the MIME type of the bytes.
func (r *BlobReader) MIMEType() string { return r.blob.Details.MIMEType }

// Filename returns the filename given with the blob, empty if there is none. It
// has no path, but is otherwise the user's own: escape it where that matters.
func (r *BlobReader) Filename() string { return r.blob.Details.Filename }

// Close makes later reads fail. It returns nil.
func (r *BlobReader) Close() error {
	r.source.closed.Store(true)
	return nil
}

// blobSource is where a reader's bytes come from. No connection is held between
// reads.
type blobSource struct {
	ctx    context.Context
	bucket *Bucket
	closed atomic.Bool
	inline *strings.Reader // nil for stored content
	stored *content.Reader // nil for inline data
}

// find looks for the stored content, and reports whether it is there.
func (s *blobSource) find(hash string, size int64) (ok bool, err error) {
	read := func(f func(*engine.Conn) error) error { return s.bucket.store.read(s.ctx, f) }
	err = read(func(conn *engine.Conn) error {
		var num int64
		if num, ok, err = content.Find(conn, hash); ok {
			s.stored = content.NewReader(num, size, read)
		}
		return err
	})
	return ok, err
}

// ReadAt reads inline data or stored content; the section reader above keeps it within
// that.
func (s *blobSource) ReadAt(p []byte, offset int64) (n int, err error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	if s.inline != nil {
		return s.inline.ReadAt(p, offset)
	}
	n, err = s.stored.ReadAt(p, offset)
	switch {
	case err == content.ErrGone:
		err = notFound("%s: the content was deleted while it was read", s.bucket)
	case err != nil && err != io.EOF && !ours(err):
		err = errorf("%s: %w", s.bucket, err)
	}
	return n, err
}

// usable returns why nothing can be read any more, not even what is in memory.
func (s *blobSource) usable() error {
	if s.closed.Load() {
		return errorf("%s: read of a closed blob: %w", s.bucket, fs.ErrClosed)
	}
	select {
	case <-s.ctx.Done():
		return s.ctx.Err()
	case <-s.bucket.store.db.Closing():
		return public(ErrClosed)
	default:
		return nil
	}
}

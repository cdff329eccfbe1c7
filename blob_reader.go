package bucketlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"strings"
	"sync/atomic"

	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// BlobReader reads a blob's bytes. It implements [io.ReadSeekCloser] and
// [io.ReaderAt], and can be passed to [net/http.ServeContent]. Each chunk is verified
// before any of its bytes are returned. One goroutine at a time may call Read and
// Seek; the other methods are safe for concurrent use.
//
// A reader holds no lock between reads, so the object may be changed or deleted
// meanwhile. Reads succeed as long as the content is stored, and never return bytes
// of other content.
type BlobReader struct {
	io.SectionReader
	blob   Blob
	hash   string
	source *blobSource
}

// openBlob returns a reader of the blob, or nil if its content is missing.
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
		return nil, badRequest("%s: blob %s of %s is a reference, without stored content", b, value.Show(blob.ID), value.Show(blob.Property))
	}
	r.SectionReader = *io.NewSectionReader(r.source, 0, size)
	return r, nil
}

// Blob returns the blob's description.
func (r *BlobReader) Blob() Blob { return r.blob }

// Hash returns the SHA-256 of the bytes in hexadecimal, for inline data too. In
// quotes it is a strong ETag.
func (r *BlobReader) Hash() string { return r.hash }

// MIMEType returns the MIME type of the bytes.
func (r *BlobReader) MIMEType() string { return r.blob.Details.MIMEType }

// Filename returns the filename given with the blob, or empty. It has no path, but is
// otherwise unchecked user input: escape it where that matters.
func (r *BlobReader) Filename() string { return r.blob.Details.Filename }

// Close makes later reads fail. It always returns nil.
func (r *BlobReader) Close() error {
	r.source.closed.Store(true)
	return nil
}

// blobSource supplies a reader's bytes. It holds no connection between reads.
type blobSource struct {
	ctx    context.Context
	bucket *Bucket
	closed atomic.Bool
	inline *strings.Reader // nil for stored content
	stored *content.Reader // nil for inline data
}

// find looks up the stored content, and reports whether it exists.
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

// ReadAt reads inline data or stored content. The section reader on top limits the
// range.
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
		err = notFound("%s: content was deleted during the read", s.bucket)
	case err != nil && err != io.EOF && !ours(err):
		err = errorf("%s: %w", s.bucket, err)
	}
	return n, err
}

// usable returns an error once reads must fail, even those of inline data.
func (s *blobSource) usable() error {
	if s.closed.Load() {
		return errorf("%s: read on a closed blob reader: %w", s.bucket, fs.ErrClosed)
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

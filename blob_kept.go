package bucketlite

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// keptReader is a blob's reader, and what was read of it. An input is checked again if the
// bucket's schema has changed meanwhile, and a reader can be read only once.
type keptReader struct {
	io.Reader // the caller's

	head     []byte           // the bytes that were read, unless they are too many
	ended    error            // what ended the reader, or nil
	lost     bool             // some bytes are neither in head nor staged
	content  *content.Content // all bytes, staged; nil if they are not
	mimeType string           // of content
}

// keepReaders makes the input keep what is read of its blobs. It changes only a copy of the
// caller's list.
func (in *ObjectInput) keepReaders() {
	hasReader := func(b BlobInput) bool { return b.Reader != nil }
	if !slices.ContainsFunc(in.Blobs, hasReader) {
		return
	}
	in.Blobs = slices.Clone(in.Blobs)
	for i := range in.Blobs {
		if b := &in.Blobs[i]; b.Reader != nil {
			b.Reader = &keptReader{Reader: b.Reader}
		}
	}
}

// keptContents returns what was staged of the input's readers.
func (in *ObjectInput) keptContents() (contents []*content.Content) {
	for i := range in.Blobs {
		if k, ok := in.Blobs[i].Reader.(*keptReader); ok && k.content != nil {
			contents = append(contents, k.content)
		}
	}
	return contents
}

// withoutKept returns the contents that are not keptContents.
func (in *ObjectInput) withoutKept(contents []*content.Content) []*content.Content {
	kept := in.keptContents()
	if len(kept) == 0 {
		return contents
	}
	return slices.DeleteFunc(slices.Clone(contents), func(c *content.Content) bool { return slices.Contains(kept, c) })
}

// maxKept limits the bytes of a reader that are kept in memory while it is not known
// whether they will be staged.
const maxKept = 2 * content.ChunkSize

// stream stores the bytes of the caller's reader.
func (bb *blobBuilder) stream(path value.Path, in *BlobInput, f *schema.Field, b *Blob) {
	k, keeps := in.Reader.(*keptReader)
	if !keeps {
		k = &keptReader{Reader: in.Reader, lost: true}
	} else if k.lost || k.content != nil && f.NeedsText() {
		bb.err = &ConflictError{Subject: fmt.Sprint(bb.bucket), Reason: "the schema changed while the bytes of " + path.String() + " were read; repeat the call"}
		return
	}
	if k.content != nil {
		if !schema.Fits(f.Type, k.mimeType) {
			bb.judge.fault(path, ruleMIME, fmt.Sprintf("the content is %s, which does not fit %s", k.mimeType, f.Type))
			return
		}
		bb.store(k.content, in.Filename, k.mimeType, b)
		return
	}
	r := content.NewInflow(bb.ctx, k.again(f))
	held := len(bb.contents)
	bb.err = bb.read(path, r, schema.Content{Filename: in.Filename, Declared: in.MIMEType}, f, b)
	if err := r.Broken(); err != nil && bb.err != nil && bb.ctx.Err() == nil {
		bb.err = errorf("%s: %s: read: %w", bb.bucket, path, err)
	}
	if len(bb.contents) > held && bb.contents[held].Data == nil && keeps {
		k.content, k.mimeType, k.head, k.lost = bb.contents[held], b.Details.MIMEType, nil, false
	}
}

// again returns a reader of the kept bytes and then of the rest, which it keeps.
func (k *keptReader) again(f *schema.Field) io.Reader {
	limit := maxKept
	if f.NeedsText() {
		limit = maxDataBytes + 1
	}
	return io.MultiReader(bytes.NewReader(slices.Clip(k.head)), &keepingReader{k, limit})
}

// keepingReader reads the caller's reader and keeps what it reads, up to a limit.
type keepingReader struct {
	kept  *keptReader
	limit int
}

func (r *keepingReader) Read(p []byte) (int, error) {
	k := r.kept
	if k.ended != nil {
		return 0, k.ended
	}
	n, err := k.Reader.Read(p)
	k.ended = err
	switch {
	case k.lost:
	case len(k.head)+n > r.limit:
		k.head, k.lost = nil, true
	default:
		k.head = append(k.head, p[:n]...)
	}
	return n, err
}

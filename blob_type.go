package bucketlite

import (
	"encoding/hex"
	"io"

	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// mime returns the type of the content that begins with head, and reports content that
// does not fit the field.
func (bb *blobBuilder) mime(path value.Path, head []byte, about schema.Content, f *schema.Field) string {
	if about.Head = head; head == nil {
		about.Head = []byte{} // it is known, and empty
	}
	about.Documents = bb.document
	mimeType, err := about.Type(f.Type)
	if err != nil {
		bb.judge.fault(path, ruleMIME, err.Error())
	}
	return mimeType
}

// declared validates the MIME type declared for the content of a URL.
func (bb *blobBuilder) declared(path value.Path, mimeType string, f *schema.Field) {
	if _, err := (schema.Content{Declared: mimeType, Documents: bb.document}).Type(f.Type); err != nil {
		bb.judge.fault(path, ruleMIME, err.Error())
	}
}

// A typedReader reads content whose first bytes have been checked. Content of a text
// field must be text to its end: the reader checks each piece that it reads, and
// keeps none.
type typedReader struct {
	r        io.Reader
	text     *schema.TextCheck // nil if the content need not be text
	mimeType string            // at the end with the charset that the content has
	read     int64             // bytes so far
	refusal  error             // why it is no text
}

// newTypedReader returns a reader of content of the MIME type, for a field.
func newTypedReader(r io.Reader, f *schema.Field, mimeType string) *typedReader {
	t := &typedReader{r: r, mimeType: mimeType}
	if f.Type == schema.Text && schema.Fits(schema.Text, mimeType) {
		t.text = schema.NewTextCheck(mimeType)
	}
	return t
}

func (t *typedReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.read += int64(n)
	if t.text == nil {
		return n, err
	}
	if _, t.refusal = t.text.Write(p[:n]); t.refusal == nil && err == io.EOF {
		t.mimeType, t.refusal = t.text.Type()
	}
	if t.refusal != nil {
		return 0, t.refusal
	}
	return n, err
}

// drain reads to the end, or to the refusal, if the content must be text.
func (t *typedReader) drain() error {
	if t.text == nil {
		return nil
	}
	_, err := io.Copy(io.Discard, t)
	if t.refusal != nil {
		return nil
	}
	return err
}

// storedMIME returns the type of stored content for a field, and reports content that
// does not fit. It sets bb.err if the content cannot be read.
func (bb *blobBuilder) storedMIME(path value.Path, hash []byte, size int64, about schema.Content, f *schema.Field) string {
	source := &blobSource{ctx: bb.ctx, bucket: bb.bucket}
	there := false
	if there, bb.err = source.find(hex.EncodeToString(hash), size); bb.err == nil && !there {
		bb.err = notFound("content %x", hash)
	}
	if bb.err != nil {
		return ""
	}
	all := io.NewSectionReader(source, 0, size)
	head := make([]byte, min(size, content.ChunkSize))
	if _, bb.err = io.ReadFull(all, head); bb.err != nil {
		return ""
	}
	faults := len(bb.judge.List)
	mimeType := bb.mime(path, head, about, f)
	if len(bb.judge.List) > faults {
		return ""
	}
	checked := newTypedReader(io.NewSectionReader(source, 0, size), f, mimeType)
	if bb.err = checked.drain(); checked.refusal != nil {
		bb.judge.fault(path, ruleMIME, checked.refusal.Error())
	}
	return checked.mimeType
}

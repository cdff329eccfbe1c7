package bucketlite

import (
	"context"
	"slices"

	"github.com/bucketlite/bucketlite/internal/value"
)

// OpenBlob opens the blob of a property of an object; if the property has several,
// the first. The id of a blob can take the place of the property, unless the schema
// declares a property of that name. A reference has no bytes to read:
// [ErrBadRequest].
//
// Reads fail with the context's error after ctx has ended, with [io/fs.ErrClosed]
// after the reader was closed, and with [ErrClosed] after the store was closed. If
// the content was deleted they fail with [ErrNotFound], if it is damaged with
// [ErrCorrupt]. The caller must close the reader.
func (b *Bucket) OpenBlob(ctx context.Context, objectID, property string) (*BlobReader, error) {
	var r *BlobReader
	err := b.following(ctx, func(b *Bucket) (err error) {
		r, err = b.openBlobOf(ctx, objectID, property)
		return err
	})
	return r, err
}

func (b *Bucket) openBlobOf(ctx context.Context, objectID, property string) (*BlobReader, error) {
	missed := int64(0) // the version of the object whose content was missing
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
			// The object had this content both before and after the lookup.
			return nil, errorf("%s: object %q: content %s is missing: %w", b, objectID, blob.Details.Hash, ErrCorrupt)
		}
		missed = o.Version
	}
}

// findBlob returns the first blob of a property, or the blob with an id.
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

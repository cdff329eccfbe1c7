package bucketlite

import (
	"bytes"
	"context"
	"errors"
	"io/fs"

	"github.com/bucketlite/bucketlite/internal/record"
	"github.com/bucketlite/bucketlite/internal/value"
)

// ExportedDir is a source with the objects of a complete export, as [Bucket.ExportDir]
// wrote it: their ids, fields and blobs, with the bytes of these. The hashes of the files
// are compared. An object that is stored as its line says is [ImportCounts].Unchanged.
//
// Objects get new times and versions, and blobs new ids. URLs are not fetched: a blob
// comes back with the URL and the bytes that it had. Read fsys by [os.Root.FS] if links in
// it must not lead out of it. If there is no complete export, the error is [ErrNotFound].
func ExportedDir(fsys fs.FS) Source {
	return Source{func(_ context.Context, im *importer) (importItems, error) {
		if _, err := ReadManifest(fsys); err != nil {
			return nil, err
		}
		f, err := openFile(fsys, exportObjects)
		if err != nil {
			return nil, err
		}
		im.opts.Files = fsys
		j := &jsonItems{im: im, reader: record.NewLines(f, im.opts.MaxLineBytes), size: -1, closer: f}
		if info, err := f.Stat(); err == nil {
			j.size = info.Size()
		}
		j.adapt = im.exported
		return j, nil
	}}
}

// exported adapts a line of an export.
func (im *importer) exported(ctx context.Context, item *importItem, text []byte) error {
	for i := range item.in.Blobs {
		item.in.Blobs[i].KeepReference = new(true)
	}
	if im.opts.NewIDs || item.in.ID == "" {
		return nil
	}
	o, err := im.bucket.Object(ctx, item.in.ID)
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrBadRequest), errors.Is(err, ErrInvalid):
		return nil // putting it reports the error
	case err != nil:
		return err
	}
	e := &exporter{bucket: im.bucket}
	stored, err := e.line(ctx, o)
	if err != nil {
		return err
	}
	// Compared as values: exports of older releases have their members in another order.
	given, err := value.Parse(text, value.Limits{MaxDepth: objectFormLimits.MaxDepth, MaxBytes: maxInputBytes})
	item.unchanged = err == nil && bytes.Equal(stored, value.Append(nil, given))
	return nil
}

package bucketlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/bom"
	"github.com/bucketlite/bucketlite/internal/folder"
	"github.com/bucketlite/bucketlite/internal/tempfile"
)

// An export is a directory with these files, and those of contents. The manifest is
// written last: a directory without it is no complete export.
const (
	exportManifest = "bucketlite-export.json"
	exportObjects  = "objects.jsonl"
	exportFormat   = "bucketlite-export-1"
)

// maxManifest bounds the size of a manifest.
const maxManifest = 16 << 20

// ExportManifest describes a complete export in a directory.
type ExportManifest struct {
	Format   string    `json:"format"`
	Exported time.Time `json:"exported_at"`
	ExportReport
	// Bucket describes a bucket that can hold the objects, with the same indexes and limits.
	Bucket BucketConfig `json:"bucket"`
}

// ExportDir writes objects and the bytes of their blobs to a directory, which it creates.
// [ExportedDir] imports it again.
//
//	bucketlite-export.json  the bucket's schema, key, indexes and limits, written last
//	objects.jsonl           the objects, one a line
//	files/…                 the bytes of blobs, named by their SHA-256
//
// A file gets its name when it is complete. An interrupted export can be repeated, and keeps
// the files that exist. A directory with a complete export, or with other files, is refused
// with [ErrExists]; Overwrite replaces an export. Paths do not lead out of the directory,
// whatever links are in it.
func (b *Bucket) ExportDir(ctx context.Context, dir string, opts *ExportOptions) (*ExportManifest, error) {
	if opts == nil {
		opts = &ExportOptions{}
	}
	e := &exporter{bucket: b.current(), opts: *opts}
	form, err := e.form()
	switch {
	case err != nil:
		return nil, err
	case e.opts.Format != "" && e.opts.Format != ExportLines || e.opts.Inline:
		return nil, badRequest("export: a directory has JSON lines beside its files, so Format and Inline must be empty")
	}
	config, err := b.config(ctx)
	if err != nil {
		return nil, err
	}
	root, err := openExport(dir, opts.Overwrite)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	e.files = &exportFiles{root: root, have: make(map[string]bool)}
	m := &ExportManifest{Format: exportFormat, Exported: time.Now().UTC().Truncate(time.Second), Bucket: *config}
	err = tempfile.Write(root, exportObjects, func(w io.Writer) error { return e.write(ctx, w, form) })
	m.ExportReport = e.report
	if err != nil {
		return m, err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	return m, tempfile.Write(root, exportManifest, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// config returns the configuration of a bucket like this one.
func (b *Bucket) config(ctx context.Context) (*BucketConfig, error) {
	info, err := b.Info(ctx)
	if err != nil {
		return nil, err
	}
	c := &BucketConfig{
		Name: info.Name, Description: info.Description, Schema: info.Schema, UniqueKey: info.UniqueKey,
		Metadata: info.Metadata, StorageClass: info.StorageClass, Retention: info.Retention,
	}
	indexes, err := b.Indexes(ctx)
	for _, x := range indexes {
		if x.Kind == TextIndex {
			c.TextIndexes = append(c.TextIndexes, x.Path)
		} else {
			c.Indexes = append(c.Indexes, x.Path)
		}
	}
	return c, err
}

// openExport opens a directory for an export. Paths in it cannot lead out of it.
func openExport(dir string, overwrite bool) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if err := prepareExport(root, dir, overwrite); err != nil {
		root.Close()
		return nil, err
	}
	return root, nil
}

// prepareExport refuses a directory of something else, and one of a complete export unless
// that is to be replaced. It removes what an export that died has left.
func prepareExport(root *os.Root, dir string, overwrite bool) error {
	_, err := root.Lstat(exportManifest)
	switch {
	case err == nil && !overwrite:
		return errorf("%s: %w: it is a complete export", dir, ErrExists)
	case err == nil:
		if err := root.Remove(exportManifest); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name != exportDirFiles && name != exportObjects && !strings.HasPrefix(name, tempfile.Prefix) {
			return errorf("%s: %w: it has other files in it, such as %q; an empty directory expected", dir, ErrExists, name)
		}
	}
	return tempfile.Sweep(root)
}

// exportFiles are the files of contents in a directory. A nil exportFiles writes none.
type exportFiles struct {
	root *os.Root
	have map[string]bool // by name
}

// add writes the contents of an object that are not there yet.
func (f *exportFiles) add(ctx context.Context, e *exporter, o *Object) error {
	if f == nil {
		return nil
	}
	for i := range o.Blobs {
		b := &o.Blobs[i]
		name := exportName(b)
		if name == "" || f.have[name] {
			continue
		}
		if err := f.write(ctx, e.bucket, o.ID, b, name); err != nil {
			return err
		}
		f.have[name] = true
		e.report.Files++
		e.report.FileBytes += b.Details.Size
	}
	return nil
}

// write writes the bytes of a blob, unless they are there.
func (f *exportFiles) write(ctx context.Context, bucket *Bucket, id string, b *Blob, name string) error {
	local := filepath.FromSlash(name)
	// The name is the hash of the content, given when the file was complete.
	if info, err := f.root.Lstat(local); err == nil && info.Mode().IsRegular() && info.Size() == b.Details.Size {
		return nil
	}
	r, err := bucket.OpenBlob(ctx, id, b.ID)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := f.root.MkdirAll(filepath.Dir(local), 0o777); err != nil {
		return err
	}
	return tempfile.Write(f.root, local, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// ReadManifest returns the description of the export in fsys. If there is no complete
// export, the error is [ErrNotFound]; if it is malformed, [ErrInvalid].
func ReadManifest(fsys fs.FS) (*ExportManifest, error) {
	f, err := openFile(fsys, exportManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound("%s, so it is not a complete export", exportManifest)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := &ExportManifest{}
	if err := json.NewDecoder(bom.NewReader(io.LimitReader(f, maxManifest))).Decode(m); err != nil {
		if !errors.Is(err, ErrInvalid) {
			err = errorf("%s: %w: %w", exportManifest, ErrInvalid, err)
		}
		return nil, err
	}
	if m.Format != exportFormat {
		return nil, errorf("%s: %w: format: got %q, want %q", exportManifest, ErrInvalid, m.Format, exportFormat)
	}
	return m, nil
}

// openFile opens a regular file below a root.
func openFile(fsys fs.FS, name string) (fs.File, error) {
	clean := path.Clean(name)
	if !fs.ValidPath(clean) {
		return nil, fmt.Errorf("a path below the directory expected: %w", fs.ErrInvalid)
	}
	info, err := fs.Stat(fsys, clean)
	if err == nil && !info.Mode().IsRegular() {
		err = folder.ErrSpecial // opening a pipe waits
	}
	if err != nil {
		return nil, err
	}
	return fsys.Open(clean)
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

// An export is a directory with these files and filesDir. The manifest is written
// last: a directory without it is no whole export.
const (
	manifestFile = "bucketlite-export.json"
	objectsFile  = "objects.jsonl"
	filesDir     = "files"
	exportFormat = "bucketlite-export-1"
)

// manifest describes an export.
type manifest struct {
	Format   string    `json:"format"`
	Exported time.Time `json:"exported_at"`
	Objects  int64     `json:"objects"`
	Files    int64     `json:"files"`      // different ones
	Bytes    int64     `json:"file_bytes"` // of these
	// Bucket describes a bucket that can hold the objects.
	Bucket bucketlite.BucketConfig `json:"bucket"`
}

func newExportCommand(a *app) *cobra.Command {
	f := &queryFlags{}
	var overwrite bool
	c := &cobra.Command{
		Use:   "export BUCKET DIR",
		Short: "Write a bucket's objects and blobs to a directory",
		Long: `Write a bucket's objects and the bytes of their blobs to a directory, for
"bucketlite import".

  ` + manifestFile + `  the bucket's schema and unique key, written last
  ` + objectsFile + `           the objects, one a line
  ` + filesDir + `/…                 the bytes of blobs, named by their SHA-256

A file gets its name when it is complete. An interrupted export can be run again; it
keeps the files that exist. A complete export is replaced only with --overwrite. An
object that changes meanwhile is written in its old or its new state; "bucketlite
backup" copies a snapshot.`,
		Example: `  bucketlite export videos ./videos
  bucketlite export videos ./english --where 'language = "en"'`,
		Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveFilterDirs),
	}
	f.addFilter(a, c)
	c.Flags().BoolVar(&overwrite, "overwrite", false, "replace an existing export; its files stay")
	c.RunE = a.withBucket(toRead, func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
		q, err := f.query(ctx, a)
		if err != nil {
			return err
		}
		root, err := openExport(args[0], overwrite)
		if err != nil {
			return err
		}
		defer root.Close()
		e := &exporter{app: a, bucket: b, root: root, have: map[string]bool{}}
		if err := e.export(ctx, q); err != nil {
			return err
		}
		done := struct {
			manifest
			Dir string `json:"directory"`
		}{e.manifest, args[0]}
		return a.show(done, func(t *table) {
			t.row("exported to", args[0])
			t.row("objects", e.manifest.Objects)
			t.row("files", e.manifest.Files)
			t.row("bytes of files", size(e.manifest.Bytes))
		})
	})
	return c
}

// openExport opens a directory for an export, and makes it if it does not exist.
// Paths in it cannot lead out of it, whatever links are there.
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

// prepareExport refuses a directory of something else, and one of a whole export
// unless that is to be replaced. Then it is no whole one from here on.
func prepareExport(root *os.Root, dir string, overwrite bool) error {
	_, err := root.Lstat(manifestFile)
	switch {
	case err == nil && !overwrite:
		return fmt.Errorf("%s: %w: it is a complete export; --overwrite replaces it", dir, bucketlite.ErrExists)
	case err == nil:
		return root.Remove(manifestFile)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name != filesDir && name != objectsFile && !strings.HasPrefix(name, tempPrefix) {
			return fmt.Errorf("%s: %w: it has other files in it, such as %q; an empty directory expected", dir, bucketlite.ErrExists, name)
		}
	}
	return nil
}

// exporter writes one bucket to one directory.
type exporter struct {
	app      *app
	bucket   *bucketlite.Bucket
	root     *os.Root
	manifest manifest
	have     map[string]bool // the files that are there
}

func (e *exporter) export(ctx context.Context, q bucketlite.Query) error {
	info, err := e.bucket.Info(ctx)
	if err != nil {
		return err
	}
	e.manifest = manifest{
		Format: exportFormat, Exported: time.Now().UTC().Truncate(time.Second),
		Bucket: bucketlite.BucketConfig{
			Name: info.Name, Description: info.Description, Schema: info.Schema, UniqueKey: info.UniqueKey,
			Metadata: info.Metadata, StorageClass: info.StorageClass,
		},
	}
	if err := e.sweep(); err != nil {
		return err
	}
	bar := e.app.progress("exporting", max(info.ObjectCount, 1), inNumbers)
	defer bar.end()
	err = writeIn(e.root, objectsFile, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 256<<10)
		for o, err := range e.bucket.Objects(ctx, q) {
			if err != nil {
				return err
			}
			line, err := e.object(ctx, o)
			if err != nil {
				return err
			}
			if line == nil {
				continue
			}
			out.Write(line)
			out.WriteByte('\n')
			e.manifest.Objects++
			bar.set(e.manifest.Objects)
		}
		return out.Flush()
	})
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(e.manifest, "", "  ")
	if err != nil {
		return err
	}
	return writeIn(e.root, manifestFile, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// object writes the files of an object, and returns its line; nil if it was deleted
// meanwhile.
func (e *exporter) object(ctx context.Context, o *bucketlite.Object) ([]byte, error) {
	for {
		err := e.files(ctx, o)
		if err == nil {
			return exportLine(o)
		}
		if !errors.Is(err, bucketlite.ErrNotFound) {
			return nil, &located{fmt.Sprintf("object %q", o.ID), err}
		}
		// The blob is gone, so the object has changed since it was read.
		version := o.Version
		o, err = e.bucket.Object(ctx, o.ID)
		switch {
		case errors.Is(err, bucketlite.ErrNotFound):
			_, err := e.bucket.Info(ctx)
			return nil, err
		case err != nil:
			return nil, err
		case o.Version == version:
			return nil, fmt.Errorf("object %q: %w: the bytes of a blob are missing", o.ID, bucketlite.ErrCorrupt)
		}
	}
}

func (e *exporter) files(ctx context.Context, o *bucketlite.Object) error {
	for i := range o.Blobs {
		blob := &o.Blobs[i]
		name := fileName(blob)
		if name == "" || e.have[name] {
			continue
		}
		if err := e.file(ctx, o.ID, blob, name); err != nil {
			return err
		}
		e.have[name] = true
		e.manifest.Files++
		e.manifest.Bytes += blob.Details.Size
	}
	return nil
}

// file writes the bytes of a blob, unless they are there.
func (e *exporter) file(ctx context.Context, id string, blob *bucketlite.Blob, name string) error {
	local := filepath.FromSlash(name)
	// The name is the hash of the content, given when the file was complete.
	if info, err := e.root.Lstat(local); err == nil && info.Mode().IsRegular() && info.Size() == blob.Details.Size {
		return nil
	}
	r, err := e.bucket.OpenBlob(ctx, id, blob.ID)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := e.root.MkdirAll(filepath.Dir(local), 0o777); err != nil {
		return err
	}
	return writeIn(e.root, local, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// sweep removes the incomplete files of a run that died.
func (e *exporter) sweep() error {
	entries, err := fs.ReadDir(e.root.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), tempPrefix) {
			if err := e.root.Remove(entry.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// fileName returns where an export keeps the bytes of a blob, empty if it has none
// that are stored. It is made from their hash. Of the user's filename only an
// extension is taken, for people who read the files, and only if it is harmless.
func fileName(blob *bucketlite.Blob) string {
	hash := blob.Details.Hash
	if len(hash) < 2 {
		return ""
	}
	ext := strings.ToLower(path.Ext(blob.Details.Filename))
	harmless := len(ext) >= 2 && len(ext) <= 9 && strings.Trim(ext[1:], "abcdefghijklmnopqrstuvwxyz0123456789") == ""
	if !harmless {
		ext = ""
	}
	return path.Join(filesDir, hash[:2], hash+ext)
}

// exportLine returns the line of an object: a form that can be put again.
func exportLine(o *bucketlite.Object) ([]byte, error) {
	doc := maps.Clone(o.Fields)
	if doc == nil {
		doc = map[string]any{}
	}
	doc["object_id"] = o.ID
	if o.KeyPrefix != "" {
		doc["key_prefix"] = o.KeyPrefix
	}
	blobs := make([]exportBlob, len(o.Blobs))
	for i := range o.Blobs {
		blobs[i] = blobForm(&o.Blobs[i])
	}
	doc["blobs"] = blobs
	return compact(doc)
}

// exportBlob is a blob in a line.
type exportBlob struct {
	Property  string         `json:"property"`
	KeyPrefix string         `json:"key_prefix,omitempty"`
	Metadata  map[string]any `json:"metadata,omitempty"`
	Data      any            `json:"data,omitempty"`
	*fileBlob
}

func blobForm(b *bucketlite.Blob) exportBlob {
	form := exportBlob{Property: b.Property, KeyPrefix: b.KeyPrefix}
	metadata := maps.Clone(b.Properties)
	data, inline := metadata["data"]
	url, reference := metadata["url"].(string)
	delete(metadata, "data")
	delete(metadata, "url")
	if len(metadata) > 0 {
		form.Metadata = metadata
	}
	d := b.Details
	switch {
	case d.Hash != "":
		form.fileBlob = &fileBlob{File: fileName(b), URL: url, Filename: d.Filename, MIMEType: d.MIMEType, Size: d.Size, Hash: d.Hash}
	case inline:
		form.Data = data
	case reference && (d.Filename != "" || d.MIMEType != ""):
		form.Data = fileBlob{Filename: d.Filename, MIMEType: d.MIMEType}.reference(url)
	case reference:
		form.Data = url
	}
	return form
}

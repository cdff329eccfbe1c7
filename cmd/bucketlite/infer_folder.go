package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/folder"
	"github.com/bucketlite/bucketlite/internal/infer"
	"github.com/bucketlite/bucketlite/picture"
)

// maxFolderSamples is how many files are read for the schema of a folder.
const maxFolderSamples = 1000

// fileProperty is the property with the bytes of a folder's files.
const fileProperty = "file"

// inferFolder makes a schema for the files of a folder: a field for each fact that is known
// of the first files, and one for their bytes, of their type if they all have one.
func (a *app) inferFolder(ctx context.Context, dir string) (*bucketlite.Inference, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f := folderSampler{fsys: root.FS()}
	found, err := bucketlite.InferSchema(f.samples(ctx), nil)
	if errors.Is(err, bucketlite.ErrBadRequest) {
		err = &located{dir, fmt.Errorf("%w: there are no files to infer a schema from", bucketlite.ErrInvalid)}
	}
	if err != nil {
		return nil, err
	}
	for name, field := range found.Schema.Properties {
		field.Required = false // a file is stored without the facts that it does not have
		found.Schema.Properties[name] = field
	}
	for i := range found.Fields {
		found.Fields[i].Required, found.Fields[i].Enum = false, nil
	}
	found.Schema.Properties[fileProperty] = bucketlite.Field{Type: f.kind, Required: true}
	found.Fields = append(found.Fields, bucketlite.InferredField{
		Path: fileProperty, Type: f.kind, Required: true, Seen: found.Samples, Of: found.Samples, Note: "the bytes",
	})
	found.Notes = nil
	if f.more {
		found.Notes = []string{fmt.Sprintf("only the first %d files were read", maxFolderSamples)}
	}
	return found, nil
}

// folderSampler reads facts about the files of a folder.
type folderSampler struct {
	fsys  fs.FS
	count int
	more  bool // there are more files than were read
	kind  bucketlite.FieldType
}

func (f *folderSampler) samples(ctx context.Context) iter.Seq2[map[string]any, error] {
	return func(yield func(map[string]any, error) bool) {
		enough := errors.New("enough")
		err := folder.Walk(ctx, f.fsys, folder.Options{}, func(file folder.File) error {
			if f.more = f.count == maxFolderSamples; f.more || !yield(f.sample(file), nil) {
				return enough
			}
			f.count++
			return nil
		}, nil)
		if err != nil && err != enough {
			yield(nil, err)
		}
	}
}

// sample returns the facts about a file. Those of one that cannot be read are few.
func (f *folderSampler) sample(file folder.File) map[string]any {
	facts := map[string]any{"path": file.Path, "name": path.Base(file.Path), "size": file.Size, "modified": file.Modified.UTC()}
	kind := bucketlite.File
	if opened, err := folder.Open(f.fsys, file.Path); err == nil {
		defer opened.Close()
		if r, ok := opened.(io.ReadSeeker); ok {
			known, _ := picture.Facts(file.Path, r)
			maps.Copy(facts, known)
		}
		kind = fileKind(file.Path)
	}
	switch f.kind {
	case "", kind:
		f.kind = kind
	default:
		f.kind = bucketlite.File
	}
	return facts
}

// fileKind returns the type of a file by its name.
func fileKind(name string) bucketlite.FieldType {
	if t := infer.FileType(name); t != "" {
		return bucketlite.FieldType(t)
	}
	return bucketlite.File
}

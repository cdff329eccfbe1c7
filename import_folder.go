package bucketlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"

	"github.com/bucketlite/bucketlite/internal/folder"
	"github.com/bucketlite/bucketlite/internal/record"
)

// FolderOptions configure [Folder]. Nil selects the defaults.
type FolderOptions struct {
	// Include selects files, if it has any patterns. Exclude leaves out files and whole
	// folders, also included ones. A pattern with a slash is compared with the path below
	// the root, one without with the last name in it. In a pattern, * and ? stand for parts
	// of a name, ** for any number of names, [a-z] for one character, and {a,b} for one of
	// several texts. Default: all files.
	Include, Exclude []string
	// Hidden also imports files and folders whose names begin with a dot. Default: false.
	Hidden bool

	// Property is the property that gets the bytes. By default each file goes to the property
	// of its own kind, which its first bytes and its name tell: a picture goes to an Image,
	// other content to a File. If several properties have the same type, the one that is
	// Required gets them. A file of which no property takes the kind is refused.
	Property string
	// Fields maps a field's name to the fact that it gets; an empty fact leaves the field
	// alone. By default each fact goes to the field of its name, if the schema declares one
	// with a type that can hold it. The facts of every file:
	//
	//	path      below the root, with slashes
	//	name      the last part of the path
	//	dir       the path without the name; absent at the root
	//	album     the name of the folder; absent at the root
	//	size      in bytes
	//	modified  the time of the last modification
	//	sha256    of the content in hexadecimal; needs a second reading of large files
	//
	// The fields "filename", "modified_at" and "taken_at" get name, modified and taken.
	Fields map[string]string
	// Facts, unless nil, returns more facts about a file. [picture.Facts] of package
	// picture knows the size of a picture and when it was taken. If it also
	// returns an error, the file is imported with the facts there are.
	Facts FactFunc
	// TrustModified takes a file for unchanged, without reading it, if its size is that of
	// the stored content, and its modification time is in the stored object's field. By
	// default the hash of its content decides.
	TrustModified bool

	// Skipped, unless nil, is called for each entry that is no file to import: link, pipe,
	// hidden or excluded. The reason is one word.
	Skipped func(path, reason string)
}

// FactFunc returns facts about a file, by name; nil if there are none. It must not keep r.
// Values are as in [ObjectInput].Fields; a time in a string field becomes RFC 3339.
type FactFunc func(name string, r io.ReadSeeker) (map[string]any, error)

// SkippedFiles counts what a folder has beside the files to import.
type SkippedFiles struct {
	// Excluded and Hidden were left out by [FolderOptions]. A folder counts once.
	Excluded int64 `json:"excluded"`
	Hidden   int64 `json:"hidden"`
	// Links are symbolic links, which are not followed, and Special are devices, sockets
	// and pipes.
	Links   int64 `json:"links"`
	Special int64 `json:"special"`
}

// Folder is a source with an object for each regular file below the root of fsys, in the
// order of the names. Its fields come from facts about the file, its bytes are a blob.
//
// If the bucket's unique key consists of such fields, usually "path", a file finds its
// object again: it is [ImportCounts].Unchanged, without a new version, if the stored
// content has the same hash; else the object gets the new content and facts by
// [Bucket.Patch], and keeps its other fields and blobs. Without such a key each import
// makes new objects.
//
// Links are not followed, and nothing waits for a pipe. Unreadable files and names that are
// not UTF-8 are refusals. The root itself must be readable. With
// [os.Root.FS] no change of the folder during the import leads out of it.
func Folder(fsys fs.FS, opts *FolderOptions) Source {
	if opts == nil {
		opts = &FolderOptions{}
	}
	o := *opts
	return Source{func(ctx context.Context, im *importer) (importItems, error) {
		f := newFolderItems(im, fsys, o)
		return f, f.begin(ctx)
	}}
}

func newFolderItems(im *importer, fsys fs.FS, opts FolderOptions) *folderItems {
	return &folderItems{im: im, fsys: fsys, opts: opts, sum: sha256.New(), size: -1}
}

// folderItems are the files of a folder.
type folderItems struct {
	im      *importer
	fsys    fs.FS
	opts    FolderOptions
	mapping *factMapping
	size    int64

	pull func() (walked, bool)
	stop func()

	count int       // of files so far
	bytes int64     // of these
	sum   hash.Hash // of their paths and sizes
}

// walked is what a walk finds: a file, or a fault.
type walked struct {
	file folder.File
	skip *folder.Skip
	err  error // that ends the walk
}

func (f *folderItems) patterns() folder.Options {
	return folder.Options{Include: f.opts.Include, Exclude: f.opts.Exclude, Hidden: f.opts.Hidden, Except: f.im.bucket.store.db.Files()}
}

// begin validates the options and starts the walk.
func (f *folderItems) begin(ctx context.Context) (err error) {
	if err := f.patterns().Validate(); err != nil {
		return badRequest("folder: %w", err)
	}
	if f.mapping, err = newFactMapping(f.im.bucket.current(), &f.opts); err != nil {
		return err
	}
	if f.im.opts.Progress != nil {
		if f.size, err = f.measure(ctx); err != nil {
			return err
		}
	}
	f.im.inFolder, f.im.report.Skipped = true, &SkippedFiles{}
	f.pull, f.stop = iter.Pull(f.walk(ctx))
	return nil
}

// measure returns the bytes of all files.
func (f *folderItems) measure(ctx context.Context) (size int64, err error) {
	err = folder.Walk(ctx, f.fsys, f.patterns(), func(file folder.File) error {
		size += file.Size
		return nil
	}, nil)
	return size, f.ofFolder(err)
}

// walk iterates over the files of the folder, and the faults among its entries.
func (f *folderItems) walk(ctx context.Context) iter.Seq[walked] {
	return func(yield func(walked) bool) {
		stopped := errors.New("stopped")
		more := true
		err := folder.Walk(ctx, f.fsys, f.patterns(), func(file folder.File) error {
			if more = more && yield(walked{file: file}); !more {
				return stopped
			}
			return nil
		}, func(s folder.Skip) {
			if !f.leave(s) {
				more = more && yield(walked{skip: &s})
			}
		})
		if err != nil && err != stopped {
			yield(walked{err: f.ofFolder(err)})
		}
	}
}

// leave counts an entry that is left out, and reports false if that is a fault.
func (f *folderItems) leave(s folder.Skip) bool {
	if !f.im.report.Skipped.count(s.Reason) {
		return false
	}
	if f.opts.Skipped != nil {
		f.opts.Skipped(s.Path, string(s.Reason))
	}
	return true
}

// count counts an entry that is left out as intended, and reports false if it is a fault.
func (s *SkippedFiles) count(reason folder.Reason) bool {
	switch reason {
	case folder.Excluded:
		s.Excluded++
	case folder.Hidden:
		s.Hidden++
	case folder.Link:
		s.Links++
	case folder.Special:
		s.Special++
	default:
		return false
	}
	return true
}

// ofFolder returns an error of the walk as one of this package.
func (f *folderItems) ofFolder(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return errorf("%s: import: folder: %w", f.im.bucket, err)
}

func (f *folderItems) next(ctx context.Context) (importItem, error) {
	w, ok := f.pull()
	switch {
	case !ok:
		return importItem{}, io.EOF
	case w.err != nil:
		return importItem{}, w.err
	case w.skip != nil:
		return importItem{}, f.refusal(w.skip)
	}
	f.pass(w.file)
	item := importItem{file: w.file.Path, number: int64(f.count)}
	err := f.fill(ctx, &item, w.file)
	switch {
	case err == nil:
		return item, nil
	case ctx.Err() == nil && isRefusal(err):
		item.close()
		return importItem{}, &refusedItem{file: w.file.Path, err: err}
	}
	item.close()
	return importItem{}, f.im.at(&item, err)
}

// pass notes that a file was reached.
func (f *folderItems) pass(file folder.File) {
	f.count++
	f.bytes += file.Size
	fmt.Fprintf(f.sum, "%d %q %d\n", f.count, file.Path, file.Size)
}

// refusal returns the refusal of an entry that cannot be a file of a bucket.
func (f *folderItems) refusal(s *folder.Skip) error {
	return &refusedItem{file: s.Path, err: skipError(s)}
}

// skipError returns the error of such an entry.
func skipError(s *folder.Skip) error {
	err := s.Err
	if s.Reason == folder.Name {
		err = errors.New("the name is not valid UTF-8")
	}
	return &ImportFileError{s.Path, err}
}

func (f *folderItems) position() record.Position {
	return record.Position{Line: f.count, Bytes: f.bytes, Sum: fmt.Sprintf("%x", f.sum.Sum(nil))}
}

// skip passes the files before a position. The walk reports their faults again, which the
// mark has counted already.
func (f *folderItems) skip(_ context.Context, to record.Position) (bool, error) {
	for f.count < to.Line {
		w, ok := f.pull()
		switch {
		case !ok:
			return false, nil
		case w.err != nil:
			return false, w.err
		case w.skip == nil:
			f.pass(w.file)
		}
	}
	return f.position() == to, nil
}

func (f *folderItems) total() int64 { return f.size }

func (f *folderItems) close() {
	if f.stop != nil {
		f.stop()
	}
}

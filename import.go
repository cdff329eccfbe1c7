package bucketlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/bucketlite/bucketlite/internal/record"
)

const (
	// DefaultBatchSize is the default of [ImportOptions].BatchSize.
	DefaultBatchSize = 1000
	// DefaultMaxLineBytes is the default of [ImportOptions].MaxLineBytes.
	DefaultMaxLineBytes = record.DefaultMaxBytes
	// MaxRefusals is how many refusals an [ImportReport] lists.
	MaxRefusals = 100
)

// ImportOptions configure [Bucket.Import]. Nil selects the defaults.
type ImportOptions struct {
	// Policy is as in [PutOptions], for every object.
	Policy Policy
	// BatchSize is the number of objects that are put and recorded together, at most
	// [MaxPutMany]. A batch also ends at 16 MiB of text and file contents in memory.
	// Default: [DefaultBatchSize].
	BatchSize int
	// MaxLineBytes is the size of one line, array element or row of a table. A longer
	// one is refused, without holding it in memory. Default: [DefaultMaxLineBytes].
	MaxLineBytes int
	// MaxRefused ends the import with [ErrInvalid] when more records than this were
	// refused. Default: 0, which stands for no limit.
	MaxRefused int64
	// ValidateOnly validates the records as [Bucket.Validate] does, and stores nothing. It
	// does not read the files that records name. [ImportCounts].Refused counts the invalid
	// ones.
	ValidateOnly bool
	// NewIDs gives all objects new ids and ignores those of the records.
	NewIDs bool
	// Files holds files that records name: a blob {"property", "file"} in JSON, or a path
	// in a table's column of a file type. Names have slashes and do not lead out of
	// Files. Default: nil, and such records are refused.
	Files fs.FS

	// Refused, unless nil, is called for each refused record, batch by batch, and in the
	// order of the lines within a batch.
	Refused func(Refusal)
	// Progress, unless nil, is called after each batch, and from time to time while large
	// files are read.
	Progress func(ImportProgress)

	// Save, unless nil, is called with the mark of the import before its first batch and
	// after each batch, when that is stored. An error ends the import. Keep the mark's
	// JSON form to continue an import that was killed.
	Save func(ImportMark) error
	// Mark continues an import of the same source into the same bucket: records before
	// the mark are skipped, and those that were stored after it are recognised. If the
	// source does not begin as it did, the error is [ErrBadRequest]. A source may have
	// more records at its end than before. Default: nil, which begins at the beginning.
	Mark *ImportMark
}

// ImportProgress says how far an import has come.
type ImportProgress struct {
	// Records is the number of records that were read.
	Records int64
	// Bytes is the number of bytes that were read, of records and files, and Total that
	// of the whole source; -1 if it is not known.
	Bytes, Total int64
}

// ImportCounts are the numbers of records by result. Blank lines are no records.
type ImportCounts struct {
	// Records is the number of lines, elements, rows or files. Its JSON name is that of
	// the most common source.
	Records  int64 `json:"lines"`
	Created  int64 `json:"created"`
	Replaced int64 `json:"replaced"`
	// Unchanged counts records that were stored already: files whose content is the same,
	// and records that an import stored after its last mark.
	Unchanged int64 `json:"unchanged"`
	Refused   int64 `json:"refused"`
}

// ImportReport is the result of [Bucket.Import].
type ImportReport struct {
	// ImportCounts include those before [ImportOptions].Mark.
	ImportCounts
	// After is the line, or the number of files, after which the import continued; 0 if
	// it began at the beginning.
	After int `json:"resumed_after_line,omitempty"`
	// Skipped counts what a folder has beside its files, and is nil for other sources.
	Skipped *SkippedFiles `json:"skipped,omitempty"`
	// Refusals are the first [MaxRefusals] records that this call refused.
	Refusals []Refusal `json:"errors"`
}

// Refusal is a record that an import did not store.
type Refusal struct {
	// Line is the line on which the record begins, from 1; 0 for a file.
	Line int `json:"line,omitempty"`
	// File is the path of a file in a folder, else empty.
	File string `json:"file,omitempty"`
	// Message is the text of Err.
	Message string `json:"message"`
	// Issues are the faults, if the record is invalid.
	Issues []Issue `json:"issues,omitempty"`
	// ExistingID is the object that is in the way, if one is.
	ExistingID string `json:"existing_object_id,omitempty"`
	// Err is the reason. It matches [ErrInvalid], [ErrTooLarge], [ErrConflict],
	// [ErrNotFound], or is an [*ImportFileError].
	Err error `json:"-"`
}

// ImportFileError says that a file cannot be read.
type ImportFileError struct {
	Name string
	Err  error
}

func (e *ImportFileError) Error() string {
	err := e.Err
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		err = p.Err // the path is known
	}
	return fmt.Sprintf("file %q: %s", e.Name, strings.TrimPrefix(err.Error(), errorPrefix))
}

func (e *ImportFileError) Unwrap() error { return e.Err }

// Source is where an import reads its records from. Make one with [JSONLines],
// [JSONArray], [CSV], [Folder], [ExportedDir] or
// [DetectSource]. A Source that reads an
// io.Reader can be imported once.
type Source struct {
	open func(ctx context.Context, im *importer) (importItems, error)
}

// importItems are the records of a source that is being imported.
type importItems interface {
	// next returns the next record, or io.EOF. A [*refusedItem] is the error of one
	// record; any other error ends the import.
	next(ctx context.Context) (importItem, error)
	// position is the position after the last record.
	position() record.Position
	// skip continues at a position, and reports whether what is before it is the same.
	skip(ctx context.Context, to record.Position) (bool, error)
	// total is the number of bytes of the source, or -1.
	total() int64
	close()
}

// importItem is a record as an input for Put.
type importItem struct {
	line   int
	file   string
	number int64 // distinguishes the records of the source
	in     ObjectInput
	held   int   // bytes in memory
	size   int64 // bytes of its files, as far as they are known

	readers   []*importFile // to be closed
	unchanged bool          // it is stored as it is
	patches   string        // the id of the object that it changes; empty to put it
}

// close closes the item's files.
func (item *importItem) close() {
	for _, f := range item.readers {
		f.close()
	}
}

// refusedItem is the error of one record.
type refusedItem struct {
	line int
	file string
	err  error
}

func (e *refusedItem) Error() string { return e.err.Error() }

// Import puts the records of a source into the bucket, in batches, each as
// [Bucket.PutMany] does. A record that is malformed, or that the bucket refuses, is
// reported with its line or file and does not affect the others.
//
// The report is there also if there is an error: everything it counts as stored stays.
// Errors: those of the source, of ctx, and those that concern all records, such as
// [ErrLocked], [ErrFull] or a missing policy; [ErrInvalid] after MaxRefused.
//
// Memory is bounded by a batch, whatever the size of the source. To repeat an import
// that was interrupted without storing anything twice, use a unique key with [Upsert],
// or [ImportOptions].Save and Mark.
func (b *Bucket) Import(ctx context.Context, source Source, opts *ImportOptions) (*ImportReport, error) {
	if opts == nil {
		opts = &ImportOptions{}
	}
	im := &importer{bucket: b.current(), opts: *opts}
	if err := im.check(source); err != nil {
		return nil, err
	}
	im.report.Refusals = []Refusal{}
	err := im.run(ctx, source)
	return &im.report, err
}

// check validates the options and fills in the defaults.
func (im *importer) check(source Source) error {
	o := &im.opts
	switch {
	case source.open == nil:
		return badRequest("import: the source is empty; make one with JSONLines, CSV or another function")
	case o.BatchSize < 0 || o.BatchSize > MaxPutMany:
		return badRequest("BatchSize: got %d, want 0 to %d", o.BatchSize, MaxPutMany)
	case o.MaxLineBytes < 0:
		return badRequest("MaxLineBytes: got %d, want 0 or more", o.MaxLineBytes)
	case o.MaxRefused < 0:
		return badRequest("MaxRefused: got %d, want 0 or more", o.MaxRefused)
	}
	o.BatchSize, o.MaxLineBytes = cmp.Or(o.BatchSize, DefaultBatchSize), cmp.Or(o.MaxLineBytes, DefaultMaxLineBytes)
	if im.bucket.def.key != nil && !o.ValidateOnly {
		if _, err := im.bucket.def.unique.policy(o.Policy); err != nil {
			return err
		}
	}
	return nil
}

// isRefusal reports whether err is the fault of one record, and not one that affects all,
// such as a locked bucket or a full disk.
func isRefusal(err error) bool {
	var file *ImportFileError
	return errors.Is(err, ErrInvalid) || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) || errors.As(err, &file)
}

// newRefusal describes a record that was refused.
func newRefusal(line int, file string, err error) Refusal {
	r := Refusal{Line: line, File: file, Message: strings.TrimPrefix(err.Error(), errorPrefix), Err: err}
	var invalid *ValidationError
	if errors.As(err, &invalid) {
		r.Issues = invalid.Issues
	}
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		r.ExistingID = conflict.ExistingID
	}
	return r
}

// sizeOf returns the number of bytes that a reader will return, or -1 if it is not known.
func sizeOf(r io.Reader) int64 {
	switch r := r.(type) {
	case interface{ Len() int }: // a bytes.Reader, a strings.Reader
		return int64(r.Len())
	case interface{ Stat() (fs.FileInfo, error) }: // a file
		if info, err := r.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	}
	return -1
}

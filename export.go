package bucketlite

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"path"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

// ExportFormat is the form of an export.
type ExportFormat string

// The forms of an export.
const (
	ExportLines ExportFormat = "jsonl" // an object on each line
	ExportArray ExportFormat = "json"  // one array of objects
	ExportCSV   ExportFormat = "csv"   // a table with a header
)

// ExportOptions configure [Bucket.Export] and [Bucket.ExportDir]. Nil selects the defaults.
type ExportOptions struct {
	// Query selects, sorts and projects the objects. Limit and Cursor must be empty.
	// Default: all objects, in the order of creation.
	Query Query
	// Format is the form of the text. Default: [ExportLines], and always that for
	// ExportDir.
	Format ExportFormat
	// Columns are the columns of a table: paths of fields, "object_id", "key_prefix",
	// "x-expires-at"; also "status", "error", "created_at" and "updated_at", which Import does
	// not set.
	// Default: object_id, the fields of the unique key, and the other declared fields by
	// name. A declared member of an object field has a column of its own, such as
	// "address.city".
	Columns []string
	// Comma is the delimiter of a table's cells. Default: a comma.
	Comma rune
	// EscapeFormulas writes ' before a text or a name of a column in a table that a
	// spreadsheet would take for a formula: one that begins with =, +, -, @, a tab or a line
	// break. Numbers stay as they are. [Bucket.Import] reads the ' as part of the text.
	EscapeFormulas bool
	// Inline writes the bytes of stored contents into the text, as base64. By default the
	// text has the names that ExportDir gives their files. Contents of more than 32 MiB
	// cannot be inline: [ErrTooLarge].
	Inline bool
	// Overwrite lets ExportDir replace a complete export. Its files of contents stay.
	Overwrite bool
	// Progress, unless nil, is called after each object with the number of objects.
	Progress func(objects int64)
}

// ExportReport is the result of an export.
type ExportReport struct {
	Objects int64 `json:"objects"`
	// Files and FileBytes count the different contents that ExportDir has written.
	Files     int64 `json:"files"`
	FileBytes int64 `json:"file_bytes"`
	// Partial counts the objects of which a table has not all: they have members without
	// a column, or metadata of blobs.
	Partial int64 `json:"partial,omitempty"`
}

// Export writes objects to w in a form that [Bucket.Import] reads. The bytes of stored
// contents are not part of it, unless Inline is set: blobs name the files that
// [Bucket.ExportDir] would write, and importing them needs [ImportOptions].Files.
//
// A table has a cell for each value: text as it is, numbers as stored, true and false,
// JSON for arrays and for objects without declared members, and for a blob its URL, its
// file or its text. An absent field is an empty cell, an empty text is "" in quotes, which
// [CSVOptions].KeepEmpty reads as such. Text that begins with =, +, - or @ is not altered:
// a spreadsheet may take it for a formula, so set EscapeFormulas, or open tables of
// untrusted text as text.
//
// Objects are read page by page, as [Bucket.Objects] does: one that changes meanwhile is
// written in its old or its new state. The report is there also if there is an error. If
// that comes before the first object, nothing is written.
// Errors: those of w, and those of Objects; [ErrBadRequest] for options that exclude each
// other.
func (b *Bucket) Export(ctx context.Context, w io.Writer, opts *ExportOptions) (*ExportReport, error) {
	if opts == nil {
		opts = &ExportOptions{}
	}
	e := &exporter{bucket: b.current(), opts: *opts}
	form, err := e.form()
	if err != nil {
		return nil, err
	}
	err = e.write(ctx, w, form)
	return &e.report, err
}

// exporter is one export.
type exporter struct {
	bucket *Bucket
	opts   ExportOptions
	report ExportReport
	files  *exportFiles // of a directory, or nil
}

// exportForm writes objects in one form.
type exportForm interface {
	begin(w *bufio.Writer)
	object(ctx context.Context, w *bufio.Writer, o *Object) error
	end(w *bufio.Writer)
}

// form validates the options.
func (e *exporter) form() (exportForm, error) {
	q := e.opts.Query
	if q.Limit != 0 || q.Cursor != "" {
		return nil, badRequest("export: Limit and Cursor select a page, and an export has no pages")
	}
	if e.opts.Format != ExportCSV && (e.opts.Columns != nil || e.opts.Comma != 0 || e.opts.EscapeFormulas) {
		return nil, badRequest("export: Columns, Comma and EscapeFormulas need the format %q", ExportCSV)
	}
	switch e.opts.Format {
	case "", ExportLines:
		return &exportJSON{e: e}, nil
	case ExportArray:
		return &exportJSON{e: e, array: true}, nil
	case ExportCSV:
		return newExportTable(e)
	}
	return nil, badRequest("export: Format: got %q, want %q, %q or %q", e.opts.Format, ExportLines, ExportArray, ExportCSV)
}

// write writes all objects.
func (e *exporter) write(ctx context.Context, w io.Writer, form exportForm) error {
	out := bufio.NewWriterSize(w, 256<<10)
	form.begin(out)
	for o, err := range e.bucket.Objects(ctx, e.opts.Query) {
		if err == nil {
			err = e.object(ctx, out, form, o)
		}
		if err != nil && e.report.Objects == 0 {
			return err
		}
		if err != nil {
			return errors.Join(err, out.Flush())
		}
	}
	form.end(out)
	return out.Flush()
}

// object writes an object, and before it the files of its contents. If a content is gone,
// the object has changed since it was read, and its new state is written.
func (e *exporter) object(ctx context.Context, w *bufio.Writer, form exportForm, o *Object) error {
	for {
		err := e.files.add(ctx, e, o)
		if err == nil {
			err = form.object(ctx, w, o)
		}
		if err == nil {
			e.report.Objects++
			if e.opts.Progress != nil {
				e.opts.Progress(e.report.Objects)
			}
			return nil
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		version := o.Version
		o, err = e.bucket.Object(ctx, o.ID)
		switch {
		case errors.Is(err, ErrNotFound): // deleted, or the whole bucket is
			_, err := e.bucket.Info(ctx)
			return err
		case err != nil:
			return err
		case o.Version == version:
			return errorf("%s: export: object %q: %w: the bytes of a blob are missing", e.bucket, o.ID, ErrCorrupt)
		}
	}
}

// exportJSON writes JSON lines, or an array.
type exportJSON struct {
	e     *exporter
	array bool
	begun bool
}

func (j *exportJSON) begin(w *bufio.Writer) {
	if j.array {
		w.WriteByte('[')
	}
}

func (j *exportJSON) end(w *bufio.Writer) {
	if j.array {
		w.WriteString("\n]\n")
	}
}

func (j *exportJSON) object(ctx context.Context, w *bufio.Writer, o *Object) error {
	line, err := j.e.line(ctx, o)
	if err != nil {
		return err
	}
	switch {
	case j.array && j.begun:
		w.WriteString(",\n")
	case j.array:
		w.WriteByte('\n')
	}
	j.begun = true
	w.Write(line)
	if !j.array {
		w.WriteByte('\n')
	}
	return nil // an error of w stays until the end
}

// line returns an object in a form that can be put again.
func (e *exporter) line(ctx context.Context, o *Object) ([]byte, error) {
	doc := maps.Clone(o.Fields)
	if doc == nil {
		doc = map[string]any{}
	}
	doc["object_id"] = o.ID
	if o.KeyPrefix != "" {
		doc["key_prefix"] = o.KeyPrefix
	}
	if !o.ExpiresAt.IsZero() {
		doc[expiryMember] = o.expiryText()
	}
	if o.chosen == nil || len(o.Blobs) > 0 { // an empty list would remove blobs
		blobs := make([]any, len(o.Blobs))
		for i := range o.Blobs {
			var err error
			if blobs[i], err = e.blob(ctx, o, &o.Blobs[i]); err != nil {
				return nil, err
			}
		}
		doc["blobs"] = blobs
	}
	var issues []Issue
	plain, ok := value.Plain(doc, nil, value.Limits{MaxDepth: objectFormLimits.MaxDepth, MaxBytes: maxInputBytes}, appendTo(&issues))
	if !ok {
		return nil, newValidationError("object", issues)
	}
	return value.Append(nil, plain), nil
}

// blob returns a blob in a form that can be put again.
func (e *exporter) blob(ctx context.Context, o *Object, b *Blob) (map[string]any, error) {
	form := map[string]any{"property": b.Property}
	if b.KeyPrefix != "" {
		form["key_prefix"] = b.KeyPrefix
	}
	metadata := maps.Clone(b.Properties)
	data, inline := metadata["data"]
	url, reference := metadata["url"].(string)
	delete(metadata, "data")
	delete(metadata, "url")
	if len(metadata) > 0 {
		form["metadata"] = metadata
	}
	about := make(map[string]any) // what is known of the bytes
	if b.Details.Filename != "" {
		about["filename"] = b.Details.Filename
	}
	if b.Details.MIMEType != "" {
		about["mime_type"] = b.Details.MIMEType
	}
	switch {
	case b.Details.Hash != "" && e.opts.Inline:
		content, err := e.content(ctx, o, b)
		if err != nil {
			return nil, err
		}
		about["base64"] = content
		form["data"] = about
	case b.Details.Hash != "":
		maps.Copy(form, about)
		form["file"], form["hash"] = exportName(b), b.Details.Hash
		if b.Details.Size > 0 {
			form["size_bytes"] = b.Details.Size
		}
		if reference {
			form["url"] = url
		}
	case inline:
		form["data"] = data
	case reference && len(about) > 0:
		about["url"] = url
		form["data"] = about
	case reference:
		form["data"] = url
	}
	return form, nil
}

// content returns the bytes of a blob as base64.
func (e *exporter) content(ctx context.Context, o *Object, b *Blob) (string, error) {
	if b.Details.Size > maxDataBytes {
		return "", errorf("%s: export: object %q: %w: %q has %d bytes, and at most %d can be inline", e.bucket, o.ID, ErrTooLarge, b.Property, b.Details.Size, maxDataBytes)
	}
	r, err := e.bucket.OpenBlob(ctx, o.ID, b.ID)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return base64.StdEncoding.EncodeToString(data), err
}

// exportDirFiles is the directory of contents in an export.
const exportDirFiles = "files"

// exportName returns where an export keeps the bytes of a blob, empty if it has none that
// are stored. It is made from their hash. Of the user's filename only an extension is
// taken, for people who read the files, and only if it is harmless.
func exportName(b *Blob) string {
	hash := b.Details.Hash
	if len(hash) < 2 {
		return ""
	}
	ext := strings.ToLower(path.Ext(b.Details.Filename))
	harmless := len(ext) >= 2 && len(ext) <= 9 && strings.Trim(ext[1:], "abcdefghijklmnopqrstuvwxyz0123456789") == ""
	if !harmless {
		ext = ""
	}
	return path.Join(exportDirFiles, hash[:2], hash+ext)
}

package bucketlite

import (
	"bufio"
	"context"
	"errors"
	"io"

	"github.com/bucketlite/bucketlite/internal/record"
)

// JSONLines is a source with a JSON object on each line, in the form of [ObjectInput].
// Blank lines are ignored. The text is UTF-8, or UTF-16.
func JSONLines(r io.Reader) Source {
	return Source{func(_ context.Context, im *importer) (importItems, error) {
		return &jsonItems{im: im, reader: record.NewLines(r, im.opts.MaxLineBytes), size: sizeOf(r)}, nil
	}}
}

// JSONArray is a source with one JSON array of objects, in the form of [ObjectInput]. An
// element is refused by itself, unless its brackets or quotes are unbalanced; then the
// refusal includes what follows, up to where they are balanced again.
func JSONArray(r io.Reader) Source {
	return Source{func(_ context.Context, im *importer) (importItems, error) {
		return &jsonItems{im: im, reader: record.NewArray(r, im.opts.MaxLineBytes), size: sizeOf(r)}, nil
	}}
}

// DetectSource is [CSV] for a name that ends in .csv, .tsv or .tab, and [JSONLines] for
// .jsonl and .ndjson. For any other name the text decides between [JSONArray], if it
// begins with a bracket, and [JSONLines].
func DetectSource(name string, r io.Reader) Source {
	switch record.FormOfName(name) {
	case "csv":
		return CSV(r, nil)
	case "tsv":
		return CSV(r, &CSVOptions{Comma: '\t'})
	case "jsonl":
		return JSONLines(r)
	}
	return Source{func(ctx context.Context, im *importer) (importItems, error) {
		text := &sizedReader{bufio.NewReader(r), sizeOf(r)}
		if record.BeginsArray(text.Reader) {
			return JSONArray(text).open(ctx, im)
		}
		return JSONLines(text).open(ctx, im)
	}}
}

// sizedReader is a reader whose size is known.
type sizedReader struct {
	*bufio.Reader
	size int64
}

// Len returns the size, so that sizeOf finds it.
func (r *sizedReader) Len() int { return int(r.size) }

// jsonItems are the records of JSON text.
type jsonItems struct {
	im     *importer
	reader record.Reader
	size   int64

	closer io.Closer // or nil

	// adapt, unless nil, changes an item that was read from text.
	adapt func(ctx context.Context, item *importItem, text []byte) error
}

func (j *jsonItems) next(ctx context.Context) (importItem, error) {
	rec, err := j.reader.Next()
	if err != nil {
		return importItem{}, j.im.unread(j.reader, err)
	}
	item := importItem{line: rec.Line, number: int64(rec.Line), held: len(rec.Text)}
	if _, ok := j.reader.(*record.Array); ok { // several elements may be on one line
		item.number = rec.Offset
	}
	// Called directly, since json.Unmarshal would read the text twice, and its own syntax
	// errors do not say where.
	err = item.in.UnmarshalJSON(rec.Text)
	if err == nil {
		err = j.im.attach(&item, rec.Text)
	}
	if err == nil && j.adapt != nil {
		err = j.adapt(ctx, &item, rec.Text)
	}
	switch {
	case err == nil:
		return item, nil
	case isRefusal(err):
		return importItem{}, &refusedItem{line: rec.Line, err: err}
	}
	return importItem{}, j.im.at(&item, err)
}

func (j *jsonItems) position() record.Position { return j.reader.Position() }
func (j *jsonItems) total() int64              { return j.size }

func (j *jsonItems) close() {
	if j.closer != nil {
		j.closer.Close()
	}
}

func (j *jsonItems) skip(_ context.Context, to record.Position) (bool, error) {
	return j.reader.Skip(to)
}

// unread returns the error for a record that could not be read: a [*refusedItem] unless
// it ends the import.
func (im *importer) unread(r record.Reader, err error) error {
	if err == io.EOF {
		return err
	}
	var fault *record.Fault
	if !errors.As(err, &fault) {
		return im.at(&importItem{line: r.Position().Line + 1}, err)
	}
	return &refusedItem{line: fault.First, err: newValidationError("record", []Issue{{Rule: fault.Rule, Message: fault.Error()}})}
}

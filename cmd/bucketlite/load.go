package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/bucketlite/bucketlite"
)

const (
	batchObjects = 1000     // objects in one PutMany call
	batchBytes   = 4 << 20  // and bytes of their lines
	batchFiles   = 64 << 20 // and bytes of their files, as far as they are known

	maxErrors = 100 // refused lines in the summary
)

// loader reads lines of JSON and puts them into a bucket, many at a time. A refused
// line is reported and does not affect the others; any other error ends the load, and
// everything stored until then stays.
type loader struct {
	app    *app
	bucket *bucketlite.Bucket
	policy bucketlite.Policy
	source string       // where the lines come from, for messages
	files  *os.Root     // where their files are, nil if they must have none
	fetch  *fileFetcher // the store's, if it has one
	resume *resume      // nil if the load cannot continue later
	bar    *progress

	// prepare, unless nil, changes an input before it is put, or reports that it is
	// stored already.
	prepare func(ctx context.Context, line []byte, in *bucketlite.ObjectInput) (stored bool, err error)

	sum      summary
	batch    []bucketlite.ObjectInput
	items    []item // of the batch
	bytes    int    // of the batch's lines
	fileSize int64  // of the batch's files
	refusals []refusal
	opened   []*blobFile
}

// item describes an input.
type item struct {
	line int
	ours bool // its id was made from the line's number
}

// refusal is a line that was not stored.
type refusal struct {
	Line    int                `json:"line"`
	Message string             `json:"message"`
	Issues  []bucketlite.Issue `json:"issues,omitempty"`
	// ExistingID is the object that is in the way, if one is.
	ExistingID string `json:"existing_object_id,omitempty"`

	err error
}

// counts are the numbers of lines by result. Blank lines are not counted.
type counts struct {
	Lines     int64 `json:"lines"`
	Created   int64 `json:"created"`
	Replaced  int64 `json:"replaced"`
	Unchanged int64 `json:"unchanged"` // stored already
	Refused   int64 `json:"refused"`
}

// summary is the result of all lines.
type summary struct {
	counts
	// After is the line after which this run continued, 0 if it began at the beginning.
	After int `json:"resumed_after_line,omitempty"`
	// Errors are the first lines this run refused.
	Errors []refusal `json:"errors"`
}

// load puts every line of r.
func (l *loader) load(ctx context.Context, r io.Reader) error {
	lines := newLineReader(r)
	if l.resume != nil && l.resume.keep {
		same, err := lines.skip(l.resume.Position)
		if err != nil {
			return err
		}
		if !same {
			return usagef("%s: this is not the input whose first %s were put with %s",
				l.source, plural(int64(l.resume.Position.Lines), "line", "lines"), l.resume.path)
		}
		l.sum.counts, l.sum.After = l.resume.Counts, l.resume.Position.Lines
	}
	for {
		line, err := lines.next()
		if err == io.EOF {
			return l.flush(ctx, lines)
		}
		if err != nil && !errors.Is(err, bucketlite.ErrTooLarge) {
			return join(l.at(lines.number+1, err), l.flush(ctx, lines))
		}
		if err == nil && isBlank(line) {
			continue
		}
		l.sum.Lines++
		if err == nil {
			err = l.add(ctx, lines.number, line)
		}
		if err != nil {
			if !linesFault(err) {
				return l.at(lines.number, err)
			}
			l.refusals = append(l.refusals, refusal{Line: lines.number, err: err})
		}
		if len(l.batch) >= batchObjects || l.bytes >= batchBytes || l.fileSize >= batchFiles || len(l.refusals) >= batchObjects {
			if err := l.flush(ctx, lines); err != nil {
				return err
			}
		}
	}
}

// at says on which line something went wrong. That a load was interrupted is not
// the fault of any.
func (l *loader) at(line int, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &located{fmt.Sprintf("%s:%d", l.source, line), err}
}

// add reads a line and adds it to the batch.
func (l *loader) add(ctx context.Context, number int, line []byte) error {
	var in bucketlite.ObjectInput
	// Called directly, since json.Unmarshal would read the line twice and its own
	// syntax errors do not say where.
	if err := in.UnmarshalJSON(line); err != nil {
		return err
	}
	if l.prepare != nil {
		stored, err := l.prepare(ctx, line, &in)
		if err != nil {
			return err
		}
		if stored {
			l.sum.Unchanged++
			return nil
		}
	}
	if err := l.attach(ctx, line, &in); err != nil {
		return err
	}
	it := item{line: number}
	if l.resume != nil && in.ID == "" && l.creates() {
		in.ID, it.ours = l.resume.id(number), true
	}
	l.batch, l.items, l.bytes = append(l.batch, in), append(l.items, it), l.bytes+len(line)
	return nil
}

// creates reports whether every line makes an object of its own. Then putting one
// again would make another, or be refused.
func (l *loader) creates() bool {
	key := l.bucket.UniqueKey()
	return key == nil || cmp.Or(l.policy, key.DefaultPolicy) == bucketlite.Insert
}

// attach gives the blobs of a line that name files their readers.
func (l *loader) attach(ctx context.Context, line []byte, in *bucketlite.ObjectInput) error {
	for i, blob := range filesOf(line, *in) {
		b := &in.Blobs[i]
		if l.fetch != nil {
			b.KeepReference = new(blob.URL == "")
		}
		switch {
		case blob.File == "":
		case l.files == nil:
			return &bucketlite.ValidationError{Subject: "object", Issues: []bucketlite.Issue{{
				Path: fmt.Sprintf("blobs[%d].file", i), Rule: "file", Message: "files are read only with --files DIR"}}}
		case blob.URL != "" && l.fetch != nil:
			b.Data = blob.reference(blob.URL)
			if !l.fetch.add(blob) { // the batch has another file for the same URL
				if err := l.put(ctx); err != nil {
					return err
				}
				l.fetch.add(blob)
			}
		default:
			r := &blobFile{root: l.files, blob: blob, bar: l.bar}
			l.opened = append(l.opened, r)
			b.Reader, b.Filename, b.MIMEType = r, blob.Filename, blob.MIMEType
		}
		l.fileSize += blob.Size
	}
	return nil
}

// filesOf returns the file of each blob of a line's input, or nil if the line names no
// files.
func filesOf(line []byte, in bucketlite.ObjectInput) []fileBlob {
	var doc struct {
		Blobs []fileBlob `json:"blobs"`
	}
	// A value of another type names no file, and the library has reported it.
	if len(in.Blobs) == 0 || json.Unmarshal(line, &doc) != nil || len(doc.Blobs) != len(in.Blobs) {
		return nil
	}
	return doc.Blobs
}

func isBlank(line []byte) bool { return len(bytes.TrimSpace(line)) == 0 }

// flush stores the batch, tells the lines that were refused up to here, and keeps
// the state.
func (l *loader) flush(ctx context.Context, lines *lineReader) error {
	err := l.put(ctx)
	slices.SortFunc(l.refusals, func(a, b refusal) int { return cmp.Compare(a.Line, b.Line) })
	for _, r := range l.refusals {
		l.sum.Refused++
		l.app.note("%s:%d: %s", l.source, r.Line, message(r.err))
		if len(l.sum.Errors) < maxErrors {
			l.sum.Errors = append(l.sum.Errors, r.described())
		}
	}
	l.refusals = l.refusals[:0]
	l.bar.set(lines.offset)
	if err == nil && l.resume != nil {
		l.resume.Position, l.resume.Counts = lines.position(), l.sum.counts
		err = l.resume.save()
	}
	return err
}

// put stores the batch.
func (l *loader) put(ctx context.Context) error {
	defer func() {
		for _, f := range l.opened {
			f.Close()
		}
		if l.fetch != nil {
			l.fetch.clear()
		}
		clear(l.batch)
		l.batch, l.items, l.opened, l.bytes, l.fileSize = l.batch[:0], l.items[:0], l.opened[:0], 0, 0
	}()
	if len(l.batch) == 0 {
		return ctx.Err()
	}
	result, err := l.bucket.PutMany(ctx, l.batch, &bucketlite.PutManyOptions{Policy: l.policy})
	if result != nil { // if ctx ended midway there are both
		for _, s := range result.Succeeded {
			if s.Created {
				l.sum.Created++
			} else {
				l.sum.Replaced++
			}
		}
	}
	if err != nil {
		return err
	}
	for _, f := range result.Failed {
		it := l.items[f.Index]
		switch {
		case l.isOurs(ctx, it, &l.batch[f.Index], f.Err):
			l.sum.Unchanged++
		case linesFault(f.Err):
			l.refusals = append(l.refusals, refusal{Line: it.line, err: f.Err})
		default:
			err = orElse(err, l.at(it.line, f.Err))
		}
	}
	if err == nil && slices.ContainsFunc(l.refusals, func(r refusal) bool { return errors.Is(r.err, bucketlite.ErrNotFound) }) {
		// Either an item that a line names is missing, or the bucket itself.
		_, err = l.bucket.Info(ctx)
	}
	return err
}

// isOurs reports whether a line was refused only because the run that this one
// carries on had stored it, and died before it could write that down.
func (l *loader) isOurs(ctx context.Context, it item, in *bucketlite.ObjectInput, err error) bool {
	var conflict *bucketlite.ConflictError
	if l.resume == nil || in.ID == "" || !errors.As(err, &conflict) || conflict.ExistingID != in.ID {
		return false
	}
	if it.ours {
		return true
	}
	// The id is the user's own: the stored object must equal the line.
	stored, err := l.bucket.Object(ctx, in.ID)
	if err != nil {
		return false
	}
	for name, v := range in.Fields {
		want, err1 := compact(v)
		got, err2 := compact(stored.Fields[name])
		if err1 != nil || err2 != nil || !bytes.Equal(want, got) {
			return false
		}
	}
	return true
}

// linesFault reports whether err is the fault of one line, and not one that affects all
// lines, such as a locked bucket or a full disk.
func linesFault(err error) bool {
	var file *fileError
	return errors.Is(err, bucketlite.ErrInvalid) || errors.Is(err, bucketlite.ErrTooLarge) ||
		errors.Is(err, bucketlite.ErrConflict) || errors.Is(err, bucketlite.ErrNotFound) || errors.As(err, &file)
}

// described returns the refusal as the summary shows it.
func (r refusal) described() refusal {
	r.Message = message(r.err)
	var invalid *bucketlite.ValidationError
	if errors.As(r.err, &invalid) {
		r.Issues = invalid.Issues
	}
	var conflict *bucketlite.ConflictError
	if errors.As(r.err, &conflict) {
		r.ExistingID = conflict.ExistingID
	}
	return r
}

// report prints the result of the lines, and returns err, or an error if some were
// refused.
func (l *loader) report(err error) error {
	s := l.sum
	if s.Errors == nil {
		s.Errors = []refusal{}
	}
	e := l.app.show(s, func(t *table) {
		if s.After > 0 {
			t.row("continued after line", s.After)
		}
		t.row("lines", s.Lines)
		t.row("created", s.Created)
		t.row("replaced", s.Replaced)
		t.row("stored already", s.Unchanged)
		t.row("refused", s.Refused)
	})
	switch {
	case errors.Is(err, context.Canceled) && l.resume != nil:
		err = &advised{err, "everything stored until then stays, and the same command continues from there"}
	case errors.Is(err, context.Canceled):
		err = &advised{err, "everything stored until then stays"}
	case err == nil && s.Refused > 0:
		err = fmt.Errorf("%d of %s %w", s.Refused, plural(s.Lines, "line", "lines"), errRefused)
	}
	return orElse(err, e)
}

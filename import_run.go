package bucketlite

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/bucketlite/bucketlite/internal/value"
)

const (
	importBytes     = 16 << 20 // of records and files, that a batch holds in memory
	importFileBytes = 64 << 20 // of files, as far as their sizes are known
)

// progressBytes is how often the reading of files is reported.
const progressBytes = 1 << 20

// importer is one Import call.
type importer struct {
	bucket *Bucket
	opts   ImportOptions
	items  importItems
	mark   *ImportMark // nil without Save and Mark
	report ImportReport

	batch    []importItem
	held     int   // bytes of the batch in memory
	size     int64 // bytes of its files
	refusals []Refusal

	inFolder bool  // the position counts files, also those that are not read yet
	fileRead int64 // bytes read from files, beyond the position
	unsaid   int   // of fileRead, since the last report
}

// run imports the source.
func (im *importer) run(ctx context.Context, source Source) (err error) {
	if im.mark, err = im.openMark(); err != nil {
		return err
	}
	if im.items, err = source.open(ctx, im); err != nil {
		return err
	}
	defer im.items.close()
	if err := im.begin(ctx); err != nil {
		return err
	}
	for {
		item, err := im.items.next(ctx)
		if err == io.EOF {
			return im.flush(ctx)
		}
		var refused *refusedItem
		if err != nil && !errors.As(err, &refused) {
			return errors.Join(err, im.flushAfter(ctx))
		}
		im.report.Records++
		switch {
		case refused != nil:
			im.refuse(refused.line, refused.file, refused.err)
		case item.unchanged:
			im.report.Unchanged++
		default:
			im.add(item)
		}
		if len(im.batch) >= im.opts.BatchSize || im.held >= importBytes || im.size >= importFileBytes || len(im.refusals) >= im.opts.BatchSize {
			if err := im.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// begin continues at the mark, or saves the first one.
func (im *importer) begin(ctx context.Context) error {
	if im.mark == nil {
		return nil
	}
	if !im.mark.begun() {
		im.mark.position = im.items.position()
		// Saved at once: the ids that are made from it must not change after the first batch.
		return im.save()
	}
	same, err := im.items.skip(ctx, im.mark.position)
	if err != nil {
		return err
	}
	if !same {
		return badRequest("mark: the source has changed before line %d, where the import was to continue", im.mark.position.Line)
	}
	im.report.ImportCounts, im.report.After = im.mark.Counts, im.mark.position.Line
	return nil
}

// add adds a record to the batch.
func (im *importer) add(item importItem) {
	if im.opts.NewIDs {
		item.in.ID = ""
	}
	im.batch, im.held, im.size = append(im.batch, item), im.held+item.held, im.size+item.size
	if im.inFolder {
		im.fileRead -= item.size
	}
}

// refuse notes a record that is not stored.
func (im *importer) refuse(line int, file string, err error) {
	im.refusals = append(im.refusals, newRefusal(line, file, err))
}

// flushAfter stores the batch after the source has failed.
func (im *importer) flushAfter(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil // that is why the source has failed
	}
	return im.flush(ctx)
}

// flush stores the batch, reports what was refused up to here, and saves the mark.
func (im *importer) flush(ctx context.Context) error {
	err := im.store(ctx)
	slices.SortStableFunc(im.refusals, func(a, b Refusal) int { return cmp.Compare(a.Line, b.Line) })
	for _, r := range im.refusals {
		im.report.Refused++
		if len(im.report.Refusals) < MaxRefusals {
			im.report.Refusals = append(im.report.Refusals, r)
		}
		if im.opts.Refused != nil {
			im.opts.Refused(r)
		}
	}
	im.refusals = im.refusals[:0]
	im.progress()
	if err != nil {
		return err
	}
	if im.mark != nil {
		im.mark.position, im.mark.Counts = im.items.position(), im.report.ImportCounts
		if err := im.save(); err != nil {
			return err
		}
	}
	if most := im.opts.MaxRefused; most > 0 && im.report.Refused > most {
		return errorf("%s: import: %w: more than %d records were refused", im.bucket, ErrInvalid, most)
	}
	return nil
}

// store stores the batch.
func (im *importer) store(ctx context.Context) error {
	defer func() {
		for i := range im.batch {
			im.batch[i].close()
		}
		clear(im.batch)
		im.batch, im.held, im.size = im.batch[:0], 0, 0
		if im.inFolder {
			im.fileRead = 0
		}
	}()
	if im.opts.ValidateOnly {
		return im.validate(ctx)
	}
	var puts []int // indexes of the records to put
	inputs := make([]ObjectInput, 0, len(im.batch))
	for i := range im.batch {
		if im.batch[i].patches == "" {
			puts, inputs = append(puts, i), append(inputs, im.input(i))
		}
	}
	if err := im.put(ctx, puts, inputs); err != nil {
		return err
	}
	if err := im.patch(ctx); err != nil {
		return err
	}
	if slices.ContainsFunc(im.refusals, func(r Refusal) bool { return errors.Is(r.Err, ErrNotFound) }) {
		// Either an item that a record names is missing, or the bucket itself.
		if _, err := im.bucket.Info(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// validate validates the batch.
func (im *importer) validate(ctx context.Context) error {
	for i := range im.batch {
		item := &im.batch[i]
		switch err := im.bucket.Validate(ctx, item.in); {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case isRefusal(err):
			im.refuse(item.line, item.file, err)
		default:
			return im.at(item, err)
		}
	}
	return ctx.Err()
}

// input returns the input of a record, with an id if it could not be recognised without.
func (im *importer) input(i int) ObjectInput {
	in := im.batch[i].in
	if im.mark != nil && in.ID == "" && im.creates() {
		in.ID = im.mark.id(im.batch[i].number)
	}
	return in
}

// creates reports whether each record makes an object of its own. Then a record that is
// put again would make another object, or be refused.
func (im *importer) creates() bool { return im.policy() == Insert }

// policy returns the policy of the import: Insert if there is no unique key.
func (im *importer) policy() Policy {
	key := im.bucket.def.unique
	if key == nil {
		return Insert
	}
	return cmp.Or(im.opts.Policy, key.DefaultPolicy)
}

// put puts the inputs of the records with these indexes.
func (im *importer) put(ctx context.Context, puts []int, inputs []ObjectInput) error {
	if len(inputs) == 0 {
		return nil
	}
	result, err := im.bucket.PutMany(ctx, inputs, &PutManyOptions{Policy: im.opts.Policy})
	if result == nil {
		return err
	}
	for _, s := range result.Succeeded {
		if s.Created {
			im.report.Created++
		} else {
			im.report.Replaced++
		}
	}
	if err != nil { // ctx ended
		return err
	}
	for _, f := range result.Failed {
		item := &im.batch[puts[f.Index]]
		switch {
		case im.isOurs(ctx, item, &inputs[f.Index], f.Err):
			im.report.Unchanged++
		case isRefusal(f.Err):
			im.refuse(item.line, item.file, f.Err)
		default:
			err = cmp.Or(err, im.at(item, f.Err))
		}
	}
	return err
}

// patch changes the objects of the records that change one.
func (im *importer) patch(ctx context.Context) error {
	for i := range im.batch {
		item := &im.batch[i]
		if item.patches == "" {
			continue
		}
		_, err := im.bucket.Patch(ctx, item.patches, item.in, nil)
		switch {
		case err == nil:
			im.report.Replaced++
		case ctx.Err() != nil:
			return ctx.Err()
		case isRefusal(err):
			im.refuse(item.line, item.file, err)
		default:
			return im.at(item, err)
		}
	}
	return nil
}

// at says at which record something went wrong that is not its fault.
func (im *importer) at(item *importItem, err error) error {
	if item.file != "" {
		return errorf("%s: import: file %q: %w", im.bucket, item.file, err)
	}
	return errorf("%s: import: line %d: %w", im.bucket, item.line, err)
}

// isOurs reports whether a record was refused only because the import that this one
// continues had stored it, and ended before it could save its mark.
func (im *importer) isOurs(ctx context.Context, item *importItem, in *ObjectInput, err error) bool {
	var conflict *ConflictError
	if im.mark == nil || in.ID == "" || !errors.As(err, &conflict) || conflict.ExistingID != in.ID {
		return false
	}
	if item.in.ID == "" { // the id was made for the record
		return true
	}
	// The id is the user's own: the stored object must equal the record.
	stored, err := im.bucket.Object(ctx, in.ID)
	if err != nil {
		return false
	}
	for name, v := range in.Fields {
		want, ok := value.Plain(v, nil, objectFormLimits, func(value.Path, string, string) {})
		if !ok || !bytes.Equal(value.Append(nil, want), value.Append(nil, stored.Fields[name])) {
			return false
		}
	}
	return true
}

// progress reports how far the import has come.
func (im *importer) progress() {
	if im.opts.Progress == nil {
		return
	}
	im.unsaid = 0
	im.opts.Progress(ImportProgress{Records: im.report.Records, Bytes: im.items.position().Bytes + im.fileRead, Total: im.items.total()})
}

// readFile counts bytes that were read from a file.
func (im *importer) readFile(n int) {
	im.fileRead += int64(n)
	if im.unsaid += n; im.unsaid >= progressBytes {
		im.progress()
	}
}

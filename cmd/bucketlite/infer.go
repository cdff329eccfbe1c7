package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/infer"
	"github.com/bucketlite/bucketlite/internal/record"
	"github.com/bucketlite/bucketlite/internal/value"
	"github.com/spf13/cobra"
)

// inferFlags are the flags of creating a bucket from data.
type inferFlags struct {
	file       string
	enums, yes bool
	text       textFlags

	found *bucketlite.Inference // nil without file
}

func (f *inferFlags) add(a *app, c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.file, "infer", "", "make the schema from the data in a `file`, or the files of a folder; - reads standard input")
	flags.BoolVar(&f.enums, "enums", false, "with --infer, declare the few values of a field as its enum")
	flags.BoolVarP(&f.yes, "yes", "y", false, "with --infer, create the bucket without asking")
	f.text.add(c)
	a.exclude(c, "schema", "infer")
}

// config returns the configuration of a new bucket, with a given schema or an inferred one.
func (f *inferFlags) config(ctx context.Context, a *app, b *bucketFlags, name string) (config bucketlite.BucketConfig, err error) {
	switch {
	case f.file == "" && (f.enums || f.yes || f.text != textFlags{}):
		return config, usagef("--enums, --yes and the flags of the data's form need --infer")
	case f.file == "":
		return b.config(ctx, a, name)
	}
	if isFolder(f.file) {
		f.found, err = a.inferFolder(ctx, f.file)
		if len(b.key) == 0 {
			b.key, b.policy = []string{"path"}, cmp.Or(b.policy, string(bucketlite.Upsert))
		}
	} else {
		f.found, err = a.infer(ctx, f.file, &f.text, bucketlite.InferOptions{Enums: f.enums})
	}
	if err != nil {
		return config, err
	}
	config, err = b.keyed(bucketlite.BucketConfig{Name: name, Schema: f.found.Schema})
	if err == nil {
		err = bucketlite.ValidateSchema(config.Schema, config.UniqueKey)
	}
	return config, err
}

// confirmed prints the inferred schema, if there is one, and reports whether the bucket is to
// be created.
func (f *inferFlags) confirmed(ctx context.Context, a *app, b *bucketFlags, name string) (bool, error) {
	if f.found == nil {
		return true, nil
	}
	if !a.json {
		if err := a.ground(f.found, len(b.key) == 0); err != nil {
			return false, err
		}
	}
	if f.yes {
		return true, nil
	}
	shown := any(f.found.Schema)
	if a.json {
		shown = f.found
	}
	if err := cmp.Or(a.document(shown), a.out.Flush()); err != nil {
		return false, err
	}
	if !a.asks || f.file == "-" {
		a.note("nothing was created; --yes creates the bucket")
		return false, nil
	}
	yes, err := a.ask(ctx, fmt.Sprintf("Create bucket %q with this schema?", name))
	if err == nil && !yes {
		err = errors.New("nothing was created")
	}
	return yes, err
}

// offer creates a bucket that does not exist, with a schema made from the data that is to be
// put there, if somebody says so.
func (a *app) offer(ctx context.Context, st *bucketlite.Store, bucket, file string, text textFlags, missing error) (*bucketlite.Bucket, error) {
	ns, err := a.theNamespace(ctx, st)
	if err != nil || file == "-" {
		return nil, missing
	}
	if !a.asks {
		return nil, &advised{missing, fmt.Sprintf(`"bucketlite bucket create %s --infer %s" makes it from the data`, bucket, file)}
	}
	a.note("%s", message(missing))
	f, b := inferFlags{file: file, text: text}, bucketFlags{}
	config, err := f.config(ctx, a, &b, bucket)
	if err != nil {
		return nil, err
	}
	if err := a.ground(f.found, len(b.key) == 0); err != nil {
		return nil, err
	}
	yes, err := a.ask(ctx, fmt.Sprintf("Create bucket %q with these fields?", bucket))
	if err != nil || !yes {
		return nil, cmp.Or(err, missing)
	}
	return ns.CreateBucket(ctx, config)
}

// infer makes a schema from the records in a file. It prints faulty records and skips
// them.
func (a *app) infer(ctx context.Context, name string, text *textFlags, opts bucketlite.InferOptions) (*bucketlite.Inference, error) {
	in, err := a.openInput(ctx, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	s := &sampler{app: a, source: sourceName(name)}
	if s.reader, opts.Text, err = text.records(name, in); err != nil {
		return nil, err
	}
	s.bar = a.progress("reading", fileSize(in), inBytes)
	found, err := bucketlite.InferSchema(s.samples(ctx), &opts)
	s.bar.end()
	if err != nil && s.count == 0 && errors.Is(err, bucketlite.ErrBadRequest) {
		err = &located{s.source, fmt.Errorf("%w: there are no objects to infer a schema from", bucketlite.ErrInvalid)}
	}
	if err != nil {
		return nil, err
	}
	if s.faulty > 0 {
		a.note("%s: %s skipped", s.source, plural(s.faulty, "faulty record was", "faulty records were"))
	}
	return found, nil
}

// records returns a reader of the records in a file, and whether they are the rows of a
// table. It detects the form as put does.
func (f *textFlags) records(name string, r io.Reader) (reader record.Reader, table bool, err error) {
	comma, err := f.comma()
	if err != nil {
		return nil, false, err
	}
	charset, err := record.ParseCharset(f.charset)
	if err != nil {
		return nil, false, usagef("--charset: %w", err)
	}
	text := bufio.NewReader(r)
	form := cmp.Or(f.form(name), record.FormOf(name, text))
	switch form {
	case "csv":
		return record.NewTable(text, record.TableOptions{Comma: comma, Charset: charset}), true, nil
	case "tsv":
		return record.NewTable(text, record.TableOptions{Comma: cmp.Or(comma, '\t'), Charset: charset}), true, nil
	case "json":
		return record.NewArray(text, 0), false, nil
	case "jsonl":
		return record.NewLines(text, 0), false, nil
	}
	return nil, false, usagef("--format: got %q, want one of %s", f.format, strings.Join(formats, ", "))
}

// sampler reads samples from records.
type sampler struct {
	app    *app
	source string // for messages
	reader record.Reader
	bar    *progress
	count  int64 // of samples
	faulty int64 // of records
}

func (s *sampler) samples(ctx context.Context) iter.Seq2[map[string]any, error] {
	return func(yield func(map[string]any, error) bool) {
		sampler, err := infer.NewSampler(s.reader)
		if header := (*record.HeaderError)(nil); errors.As(err, &header) {
			err = fmt.Errorf("%w: %w", bucketlite.ErrInvalid, err)
		}
		if err != nil {
			yield(nil, &located{s.source, err})
			return
		}
		for rec, err := range record.All(s.reader) {
			var sample map[string]any
			if err == nil {
				sample, err = sampler.Sample(rec)
			}
			s.bar.set(s.reader.Position().Bytes)
			switch fault := (*record.Fault)(nil); {
			case ctx.Err() != nil:
				yield(nil, ctx.Err())
				return
			case errors.As(err, &fault):
				s.faulty++
				s.app.note("%s:%d: %s", s.source, fault.First, fault.Message)
			case err != nil:
				yield(nil, &located{s.source, err})
				return
			default:
				if s.count++; !yield(sample, nil) {
					return
				}
			}
		}
	}
}

// ground prints on standard error what a schema was inferred from, and candidates for a
// key if there is none.
func (a *app) ground(found *bucketlite.Inference, keyless bool) error {
	t := newTable(a.err)
	t.row("FIELD", "TYPE", "REQUIRED", "SEEN", "EXAMPLE", "NOTE")
	for _, f := range found.Fields {
		example := ""
		if len(f.Examples) > 0 {
			example = cut(value.Show(f.Examples[0]), 30)
		}
		seen := fmt.Sprintf("%d of %d", f.Seen, f.Of)
		if strings.HasSuffix(f.Path, "[]") {
			seen = fmt.Sprint(f.Seen)
		}
		t.row(f.Path, string(f.Type), f.Required, seen, example, noteOf(f))
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, note := range found.Notes {
		a.note("%s", note)
	}
	var keys []string
	for _, k := range found.Keys {
		keys = append(keys, k.Field)
	}
	if keyless && len(keys) > 0 {
		a.note("each sample has another value of %s; --unique-key %s makes it the key", strings.Join(keys, ", "), keys[0])
	}
	return nil
}

// noteOf returns what is to be said about a field in one line.
func noteOf(f bucketlite.InferredField) string {
	var notes []string
	if f.Note != "" {
		notes = append(notes, f.Note)
	}
	if f.FileType != "" {
		notes = append(notes, fmt.Sprintf("URLs of files, type %s", f.FileType))
	}
	if len(f.Enum) > 0 {
		texts := make([]string, len(f.Enum))
		for i, v := range f.Enum {
			texts[i] = value.Show(v)
		}
		notes = append(notes, "one of "+cut(strings.Join(texts, ", "), 60))
	}
	return strings.Join(notes, "; ")
}

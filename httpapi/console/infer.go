package console

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/infer"
	"github.com/bucketlite/bucketlite/internal/record"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Bounds of what a schema is inferred from.
const (
	maxSamples     = 1000
	maxSampleBytes = 1 << 20
)

// found is what the form of a bucket was filled in from.
type found struct {
	File     string
	Samples  int64
	Whole    bool     // the samples are all records of the file
	Keys     []string // fields that can be the unique key
	Notes    []string
	Unread   int64    // records that are faulty
	Faults   []string // of the first of these
	Excluded []string // fields that the schema does not declare, with the reason
}

// inferBucket returns the form of a bucket for the records of a file, of which r has the
// beginning, and more tells that there is more. It reads at most maxSamples records.
func inferBucket(name string, r io.Reader, more bool) (*bucketForm, error) {
	s := &fileSamples{reader: recordsOf(name, r), more: more, found: &found{File: name}}
	var err error
	if s.sampler, err = infer.NewSampler(s.reader); err != nil {
		if header := (*record.HeaderError)(nil); errors.As(err, &header) {
			err = fmt.Errorf("%w: %w", bucketlite.ErrInvalid, err)
		}
		return nil, err
	}
	inferred, err := bucketlite.InferSchema(s.all(), &bucketlite.InferOptions{Text: s.sampler.IsTable()})
	if err != nil && s.found.Samples == 0 && errors.Is(err, bucketlite.ErrBadRequest) {
		return nil, invalid(cmp.Or(strings.Join(s.found.Faults, "; "), "there are no records in the file"))
	}
	if err != nil {
		return nil, err
	}
	return inferredForm(s.found, inferred)
}

// fileSamples are the samples in a file, and what was found on the way.
type fileSamples struct {
	reader  record.Reader
	sampler *infer.Sampler
	more    bool // the file continues after the part that was read
	found   *found
}

func (s *fileSamples) all() iter.Seq2[map[string]any, error] {
	return func(yield func(map[string]any, error) bool) {
		for rec, err := range record.All(s.reader) {
			var sample map[string]any
			if err == nil {
				sample, err = s.sampler.Sample(rec)
			}
			var fault *record.Fault
			switch {
			case errors.As(err, &fault):
				if s.found.Unread++; len(s.found.Faults) < 3 {
					s.found.Faults = append(s.found.Faults, fmt.Sprintf("line %d: %s", fault.First, fault.Message))
				}
				if s.found.Unread > maxSamples {
					return
				}
			case err != nil:
				yield(nil, err)
				return
			default:
				if s.found.Samples++; !yield(sample, nil) || s.found.Samples == maxSamples {
					return
				}
			}
		}
		s.found.Whole = !s.more
	}
}

// recordsOf returns a reader of the records of a file, whose form is as for
// [bucketlite.DetectSource].
func recordsOf(name string, r io.Reader) record.Reader {
	text := bufio.NewReader(r)
	switch record.FormOf(name, text) {
	case "csv":
		return record.NewTable(text, record.TableOptions{})
	case "tsv":
		return record.NewTable(text, record.TableOptions{Comma: '\t'})
	case "json":
		return record.NewArray(text, maxSampleBytes)
	}
	return record.NewLines(text, maxSampleBytes)
}

// inferredForm fills in the form of a bucket. A field is required only if the whole file was
// read: else an import of the rest would be refused where the field is missing.
func inferredForm(f *found, inferred *bucketlite.Inference) (*bucketForm, error) {
	text, err := inferred.Schema.MarshalJSON()
	if err != nil {
		return nil, err
	}
	doc, err := value.ParseTrusted(string(text))
	if err != nil {
		return nil, err
	}
	if !f.Whole {
		requireNothing(doc)
	}
	form := &bucketForm{Schema: newSchemaForm(doc), Found: f, Wrong: make(wrongs)}
	form.Name = strings.TrimSpace(strings.TrimSuffix(path.Base(strings.ReplaceAll(f.File, `\`, "/")), path.Ext(f.File)))
	f.Notes = inferred.Notes
	for _, key := range inferred.Keys {
		f.Keys = append(f.Keys, key.Field)
	}
	for _, field := range inferred.Fields {
		form.note(field)
	}
	return form, nil
}

// requireNothing removes "required" from the JSON form of a schema, at all depths.
func requireNothing(doc any) {
	members, _ := doc.(map[string]any)
	properties, _ := members["properties"].(map[string]any)
	for _, field := range properties {
		if field, ok := field.(map[string]any); ok {
			delete(field, "required")
			requireNothing(field)
			requireNothing(field["items"])
		}
	}
}

// note puts what an inference says of a field to its row, or to the field around it.
func (f *bucketForm) note(field bucketlite.InferredField) {
	name, _, nested := strings.Cut(field.Path, ".")
	name, _, items := strings.Cut(name, "[]")
	for i := range f.Schema.Rows {
		row := &f.Schema.Rows[i]
		if row.Name != field.Path && (row.Name != name || !nested && !items) {
			continue
		}
		text := evidence(field)
		if row.Name != field.Path {
			text = field.Path + ": " + text
		}
		row.Found = append(row.Found, text)
		if row.Name == field.Path {
			for _, v := range field.Enum {
				if line, ok := formText(row.Type, v); ok {
					row.Some = append(row.Some, line)
				}
			}
		}
		return
	}
	f.Found.Excluded = append(f.Found.Excluded, field.Path+": "+cmp.Or(field.Note, "not declared"))
}

// typeNouns are what values of a type are called.
var typeNouns = map[bucketlite.FieldType]string{
	bucketlite.String: "texts", bucketlite.Integer: "integers", bucketlite.Number: "numbers", bucketlite.Float: "numbers",
	bucketlite.Boolean: "true or false", bucketlite.Date: "dates", bucketlite.DateTime: "times",
	bucketlite.Array: "lists", bucketlite.ObjectField: "objects",
}

// evidence says what a guess is based on, as in "987 of 1,000 are integers".
func evidence(f bucketlite.InferredField) string {
	noun := cmp.Or(typeNouns[f.Type], string(f.Type), "values")
	text := fmt.Sprintf("%s of %s are %s", formatCount(f.Seen), formatCount(f.Of), noun)
	switch {
	case strings.HasSuffix(f.Path, "[]"):
		text = fmt.Sprintf("the items are %s, in %s", noun, plural(f.Seen, "list"))
	case f.Seen == f.Of && f.Required:
		text = fmt.Sprintf("all %s are %s", formatCount(f.Of), noun)
	}
	if f.Null > 0 {
		text += fmt.Sprintf(", %s are null", formatCount(f.Null))
	}
	if len(f.Enum) > 0 {
		values := make([]string, len(f.Enum))
		for i, v := range f.Enum {
			values[i] = plainText(v)
		}
		text += fmt.Sprintf(", of only %s: %s", plural(len(values), "value"), cut(strings.Join(values, ", "), 120))
	} else if len(f.Examples) > 0 {
		text += ", such as " + cut(plainText(f.Examples[0]), 40)
	}
	if f.FileType != "" {
		text += fmt.Sprintf("; URLs of files: the type %s keeps the files", f.FileType)
	}
	if f.Note != "" {
		text += "; " + f.Note
	}
	return text
}

package bucketlite

import (
	"fmt"
	"iter"

	"github.com/bucketlite/bucketlite/internal/infer"
	"github.com/bucketlite/bucketlite/internal/value"
)

// InferOptions configure [InferSchema]. Nil selects the defaults.
type InferOptions struct {
	// MinSamples is how many samples it takes to declare a field as required, or to
	// suggest an enum; default 20. With fewer, every field is optional. If a field is in
	// 20 of 20 samples, it is with 95 % confidence in six of seven objects.
	MinSamples int
	// Text says that values are texts, as in CSV files: a field is an integer if all
	// its texts are integers, and likewise for the other types. An empty text counts
	// as null.
	Text bool
	// Enums declares the suggested enums. By default they are only in [InferredField].
	Enums bool
}

// Inference is a schema that was made from samples, and how it came about.
type Inference struct {
	// Schema is valid, and every sample conforms to it.
	Schema Schema `json:"schema"`
	// Samples is the number of samples.
	Samples int64 `json:"samples"`
	// Fields are all fields of the samples, declared or not, sorted by path.
	Fields []InferredField `json:"fields"`
	// Keys are the fields that can be a unique key, by the samples, the most likely
	// one first.
	Keys []KeyCandidate `json:"keys"`
	// Notes say in what respect the samples did not suffice, or were too many.
	Notes []string `json:"notes,omitempty"`
}

// InferredField describes a field that samples have.
type InferredField struct {
	// Path locates the field, as in "address.city". The items of an array are at the
	// array's path with "[]", as in "tags[]".
	Path string `json:"path"`
	// Type is the narrowest type that takes every value, or empty if the schema does
	// not declare the field. Note then says why. A bucket keeps undeclared fields as
	// given.
	Type FieldType `json:"type,omitempty"`
	// Required is true if the schema requires the field.
	Required bool `json:"required"`
	// Seen is how many values are not null, Null how many are, and Of how many objects
	// could have the field. Of items, it is how many arrays have some.
	Seen int64 `json:"seen"`
	Null int64 `json:"null"`
	Of   int64 `json:"of"`
	// Examples are up to three different values. Long texts are cut. With Text they are
	// texts.
	Examples []any `json:"examples,omitempty"`
	// Enum are the values that the field seems to be limited to: 2 to 20 short texts,
	// each seen ten times on average.
	Enum []any `json:"enum,omitempty"`
	// FileType is the type of files that all values are URLs of, by the extensions of
	// their names, or empty. The field itself is a String. A field of this type would
	// hold the files as blobs.
	FileType FieldType `json:"file_type,omitempty"`
	// Note says why the field is not declared, or only in part, or is empty.
	Note string `json:"note,omitempty"`
}

// KeyCandidate is a field that can be a unique key, by the samples: every sample has it,
// as text, integer or time, and no two have the same value.
type KeyCandidate struct {
	// Field is the name of the field.
	Field string `json:"field"`
	// Compared is how many samples, the first ones, were compared with each other.
	Compared int64 `json:"compared"`
}

// InferSchema returns a schema that every sample conforms to, with the narrowest types
// that do. A sample holds the fields of one object. Memory does not grow with the number
// of samples: up to 1,000 fields are declared, nested up to 32 deep, and up to 100 in an
// object inside another; others stay undeclared, which the schema allows.
//
//   - A field whose values have no common type stays undeclared, and so does one that
//     is always null, whose name no field can have, or an array with a null item.
//   - Integers and other numbers are together a Number. A number with a fraction, such
//     as 5.0, makes a field a Number.
//   - A text is a Date or DateTime if all texts of the field are.
//   - A field is required if every sample has it, not null; see MinSamples.
//   - Enums, files behind URLs and keys are suggestions: [InferredField].Enum and
//     FileType, [Inference].Keys.
//
// If samples yield an error, InferSchema returns it. Errors: [ErrBadRequest] if there is
// no sample, [ErrInvalid] or [ErrTooLarge] for a sample that no object can have.
func InferSchema(samples iter.Seq2[map[string]any, error], opts *InferOptions) (*Inference, error) {
	if opts == nil {
		opts = &InferOptions{}
	}
	least := int64(opts.MinSamples)
	switch {
	case least < 0:
		return nil, badRequest("MinSamples: got %d, want 0 or more", least)
	case least == 0:
		least = 20
	}
	found := infer.New(infer.Options{MinSamples: least, Text: opts.Text, Enums: opts.Enums})
	n := 0
	for sample, err := range samples {
		if err != nil {
			return nil, err
		}
		n++
		var issues []Issue
		plain, ok := value.Plain(sample, nil, value.Limits{}, appendTo(&issues))
		if !ok {
			return nil, newValidationError(fmt.Sprintf("sample %d", n), issues)
		}
		found.Add(plain.(map[string]any))
	}
	if n == 0 {
		return nil, badRequest("there are no samples to infer a schema from")
	}
	return inferenceOf(found.Result())
}

// inferenceOf returns a result in its public form.
func inferenceOf(r infer.Result) (*Inference, error) {
	s, ok := schemaOf(r.Schema)
	if !ok {
		return nil, errorf("inferred schema: wrong form")
	}
	if err := ValidateSchema(s, nil); err != nil {
		return nil, err
	}
	in := &Inference{Schema: s, Samples: r.Samples, Fields: []InferredField{}, Keys: []KeyCandidate{}, Notes: r.Notes}
	for _, f := range r.Fields {
		in.Fields = append(in.Fields, InferredField{
			Path: f.Path, Type: FieldType(f.Type), Required: f.Required, Seen: f.Seen, Null: f.Null, Of: f.Of,
			Examples: f.Examples, Enum: f.Enum, FileType: FieldType(f.File), Note: f.Note,
		})
	}
	for _, k := range r.Keys {
		in.Keys = append(in.Keys, KeyCandidate(k))
	}
	return in, nil
}

package bucketlite

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/typed"
	"github.com/bucketlite/bucketlite/internal/value"
)

// goTypes are the plans of the Go types that objects are converted from and to.
var goTypes = typed.NewTypes(typed.Special{
	Stored: reflect.TypeFor[Blob](), Given: reflect.TypeFor[BlobInput](), Status: reflect.TypeFor[Status](),
})

// SchemaOf returns the schema of objects that hold a T, a struct. Its members have the
// names that encoding/json gives them. Their Go types decide the types of the fields:
//
//	string, MarshalText    string; also date, datetime, text
//	intN, uintN            integer, within the range of the Go type and of int64; also number, float
//	floatN, json.Number    number; also float; json.Number also integer
//	bool                   boolean
//	time.Time              datetime; also date
//	slice, array           array; an array has exactly its length
//	struct, map            object
//	Blob, BlobInput        a file, of the type that the tag names
//	MarshalJSON            the type that the tag names
//	any, json.RawMessage   not declared, unless the tag names a type
//
// A pointer is like its target, and a slice of Blob or BlobInput is an array of files.
// Members that json:"-" leaves out, those with names of the system, and unexported fields
// without tags are no part of the schema. An embedded struct's members are those of T.
//
// A tag named bucketlite says more, in words separated by commas:
//
//	Size string `json:"size" bucketlite:"required,enum=S|M|L,default=M"`
//
// The words are required, type, enum, default, description and the assertions that
// [Field].Keywords lists, of which minimum, maximum, minLength and maxLength are min, max,
// minlen and maxlen, too. A word whose value has a comma, a bar or a quotation mark has it
// in single quotes, as in pattern='^[A-Z]{1,3}$', and a quotation mark in those is written
// twice. On a list, required, default, description, minItems, maxItems and uniqueItems are
// about the list, and all other words about its elements. Defaults of lists and objects are
// JSON text. A default needs a member that can be absent: a pointer, or one with omitempty
// or omitzero.
//
// The error is a [*ValidationError] that names the Go fields of T that make no schema, with
// all faults: types without a JSON form or that contain themselves, names twice or
// reserved, words that are unknown or have no effect.
func SchemaOf[T any]() (Schema, error) { return schemaOfType(reflect.TypeFor[T]()) }

func schemaOfType(of reflect.Type) (Schema, error) {
	r, err := structOf(of)
	if err != nil {
		return Schema{}, err
	}
	doc, faults := r.Schema()
	if err := typeError(of, faults); err != nil {
		return Schema{}, err
	}
	parsed, err := value.Parse(value.Append(nil, doc.Root), schema.Limits)
	if err != nil {
		return Schema{}, &ValidationError{Subject: "Go type " + of.String(), Issues: syntaxIssues(nil, err)}
	}
	s, _, issues := compileSchema(parsed, schema.Compile)
	if len(issues) == 0 {
		return s, nil
	}
	for i := range issues {
		issues[i].Path = doc.Field(issues[i].Path)
	}
	slices.SortStableFunc(issues, func(a, b Issue) int { return cmp.Compare(a.Path, b.Path) })
	return Schema{}, newValidationError("Go type "+typeName(of), issues)
}

// structOf returns the plan of a struct type.
func structOf(of reflect.Type) (*typed.Record, error) {
	r, faults := goTypes.Struct(of)
	if err := typeError(of, faults); err != nil {
		return nil, err
	}
	return r, nil
}

// typeError returns the faults of a Go type as an error, or nil.
func typeError(of reflect.Type, faults []value.Fault) error {
	if len(faults) == 0 {
		return nil
	}
	issues := issuesOf(faults)
	slices.SortStableFunc(issues, func(a, b Issue) int { return cmp.Compare(a.Path, b.Path) })
	return newValidationError("Go type "+typeName(of), issues)
}

// typeName returns the name of a Go type in the form used in messages. A struct without a
// name would fill a page.
func typeName(of reflect.Type) string {
	if of.Kind() == reflect.Struct && of.Name() == "" {
		return "struct"
	}
	return of.String()
}

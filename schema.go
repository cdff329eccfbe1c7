package bucketlite

import (
	"errors"
	"maps"
	"reflect"
	"slices"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// FieldType is the type of a schema field.
type FieldType string

// The types of fields that hold values.
const (
	String      FieldType = "string"
	Number      FieldType = "number"  // any number
	Integer     FieldType = "integer" // a whole number within 64 bits, such as 5.0
	Float       FieldType = "float"   // any number, like Number
	Boolean     FieldType = "boolean"
	ObjectField FieldType = "object"
	Array       FieldType = "array"
	Date        FieldType = "date"     // YYYY-MM-DD
	DateTime    FieldType = "datetime" // RFC 3339; seconds and zone are optional, and it is in UTC without a zone
)

// The types of fields that hold files. Text may also be a string at the object's
// root; the others are only possible as blobs.
const (
	Text  FieldType = "text"
	Image FieldType = "image"
	Audio FieldType = "audio"
	Video FieldType = "video"
	PDF   FieldType = "pdf"
	Excel FieldType = "excel" // XLS, XLSX or CSV

	// Document and File are not among the hosted service's types. Its clients are
	// given PDF and Text in their place; see package httpapi.
	Document FieldType = "document" // PDF, office and OpenDocument files, text, HTML, EPUB, mail, or a ZIP archive of such
	File     FieldType = "file"     // any bytes
)

// Schema declares the fields of a bucket's objects. [Bucket.ChangeSchema] changes it.
// [ValidateSchema] validates a schema in advance.
//
// Its JSON form is that of the hosted service's BucketSchema.
type Schema struct {
	// Properties are the fields by name. A name has 1 to 100 characters, no dot, and
	// is not one of the system's names, such as "object_id".
	Properties map[string]Field
	// AdditionalProperties, if false, refuses undeclared members. By default they are
	// stored as given.
	AdditionalProperties *bool
	// Keywords are further members, stored and returned without effect. A JSON Schema
	// assertion among them, such as oneOf or a list of required fields, is refused, and
	// so is a misspelt keyword.
	Keywords map[string]any
	// KeepIneffective stores the Keywords that would be refused for having no effect, in
	// the schema and in its fields. It is not part of the JSON form.
	KeepIneffective bool
}

// Field declares one field.
type Field struct {
	// Type is required.
	Type FieldType
	// Required refuses objects without the field.
	Required bool
	// Default is the value of the field when an object is created or replaced without
	// it; nil means none. Patch never applies it.
	Default any
	// Enum, unless empty, lists the allowed values.
	Enum []any
	// Items declares the elements of an Array. Without it, any values except null are
	// allowed.
	Items *Field
	// Properties declares the members of an ObjectField. Undeclared members are
	// stored as given.
	Properties map[string]Field
	// AdditionalProperties, if false, refuses undeclared members of an ObjectField.
	AdditionalProperties *bool
	// Description and Examples are for people; the examples must fit the type.
	Description string
	Examples    []any
	// Keywords are further members by name. These JSON Schema assertions are
	// enforced: minLength maxLength pattern minimum maximum exclusiveMinimum
	// exclusiveMaximum multipleOf minItems maxItems uniqueItems minProperties
	// maxProperties const, and format if the format is known. Any other assertion of
	// JSON Schema is refused, and so is a name within two edits of a keyword with
	// effect, unless it contains "_" or "$" or begins with "x-". All other members are
	// stored and returned without effect.
	Keywords map[string]any
}

// ParseSchema decodes the JSON form of a schema and validates it, as [ValidateSchema]
// does. Null members count as absent. The text may begin with a byte order mark, as for
// [ObjectInput.UnmarshalJSON].
func ParseSchema(data []byte) (Schema, error) {
	doc, err := value.Parse(data, schema.Limits)
	if err != nil {
		return Schema{}, &ValidationError{Subject: "schema", Issues: syntaxIssues(nil, err)}
	}
	s, _, issues := compileSchema(doc, schema.Compile)
	if len(issues) > 0 {
		return Schema{}, newValidationError("schema", issues)
	}
	return s, nil
}

// ValidateSchema validates a schema, and a unique key over it unless key is nil, as
// [Namespace.CreateBucket] does. It returns nil or a [*ValidationError] with all
// faults, whose paths refer to the schema's JSON form.
func ValidateSchema(s Schema, key *UniqueKey) error {
	_, issues := define(s, key)
	if len(issues) > 0 {
		return newValidationError("schema", issues)
	}
	return nil
}

// UnmarshalJSON decodes the JSON form of a schema that was accepted before, by this
// release or another one. Only [ParseSchema] validates patterns, the values in a schema
// and the names of keywords.
func (s *Schema) UnmarshalJSON(data []byte) error {
	doc, err := value.Parse(data, schema.Limits)
	if err != nil {
		return &ValidationError{Subject: "schema", Issues: syntaxIssues(nil, err)}
	}
	parsed, _, issues := compileSchema(doc, func(doc any) (*schema.Plan, []value.Fault) {
		return schema.Restore(doc, assertion.LatestRules)
	})
	if len(issues) > 0 {
		return newValidationError("schema", issues)
	}
	*s = parsed
	return nil
}

// compileSchema compiles a schema in its JSON form, and decodes it if it is valid.
func compileSchema(doc any, compile func(doc any) (*schema.Plan, []value.Fault)) (Schema, *schema.Plan, []Issue) {
	plan, faults := compile(doc)
	if len(faults) > 0 {
		return Schema{}, plan, issuesOf(faults)
	}
	root, _ := assertion.Prune(doc).(map[string]any)
	s, _ := schemaOf(root)
	return s, plan, nil
}

// compile compiles the JSON form of s as that of a new schema.
func (s Schema) compile(doc any) (*schema.Plan, []value.Fault) {
	plan, faults := schema.Compile(doc)
	if s.KeepIneffective {
		faults = slices.DeleteFunc(faults, func(f value.Fault) bool {
			return f.Rule == assertion.RuleKeyword || f.Rule == assertion.RuleSpelling
		})
	}
	return plan, faults
}

// MarshalJSON returns the schema's JSON form, compact and with sorted members.
func (s Schema) MarshalJSON() ([]byte, error) {
	var issues []Issue
	doc, ok := value.Plain(s.document(), nil, schema.Limits, appendTo(&issues))
	if !ok {
		return nil, newValidationError("schema", issues)
	}
	return value.Append(nil, doc), nil
}

// document returns the JSON form of s as a tree. The caller's own values in it are
// not validated yet.
func (s Schema) document() map[string]any {
	doc := maps.Clone(s.Keywords)
	if doc == nil {
		doc = make(map[string]any)
	}
	doc["properties"] = documents(s.Properties, 0)
	if s.AdditionalProperties != nil {
		doc["additionalProperties"] = *s.AdditionalProperties
	}
	return doc
}

func documents(fields map[string]Field, depth int) map[string]any {
	docs := make(map[string]any, len(fields))
	for name, f := range fields {
		docs[name] = f.document(depth)
	}
	return docs
}

// document returns the JSON form of f, at the depth. A field that contains itself is
// cut off far beyond the nesting limit.
func (f Field) document(depth int) map[string]any {
	doc := maps.Clone(f.Keywords)
	if doc == nil {
		doc = make(map[string]any)
	}
	if depth > schema.Limits.MaxDepth {
		return doc
	}
	if f.Type != "" {
		doc["type"] = string(f.Type)
	}
	if f.Required {
		doc["required"] = true
	}
	if f.Default != nil {
		doc["default"] = f.Default
	}
	if f.Enum != nil {
		doc["enum"] = f.Enum
	}
	if f.Items != nil {
		doc["items"] = f.Items.document(depth + 1)
	}
	if f.Properties != nil {
		doc["properties"] = documents(f.Properties, depth+1)
	}
	if f.AdditionalProperties != nil {
		doc["additionalProperties"] = *f.AdditionalProperties
	}
	if f.Description != "" {
		doc["description"] = f.Description
	}
	if f.Examples != nil {
		doc["examples"] = f.Examples
	}
	return doc
}

// storedSchema decodes a schema in its stored form, which was validated before.
func storedSchema(text string) (Schema, error) {
	doc, err := value.ParseTrusted(text)
	if err != nil {
		return Schema{}, err
	}
	s, ok := schemaOf(assertion.Prune(doc).(map[string]any))
	if !ok {
		return s, errors.New("no schema")
	}
	return s, nil
}

// schemaOf is the inverse of document. It reports false if a member has a wrong type.
func schemaOf(doc map[string]any) (Schema, bool) {
	d := &schemaReader{}
	s := Schema{}
	for name, v := range doc {
		switch name {
		case "properties":
			s.Properties = d.fields(v)
		case "additionalProperties":
			s.AdditionalProperties = pointer(read[bool](d, v))
		default:
			if s.Keywords == nil {
				s.Keywords = make(map[string]any)
			}
			s.Keywords[name] = v
		}
	}
	return s, s.Properties != nil && !d.failed
}

// schemaReader decodes parts of a schema's JSON form.
type schemaReader struct{ failed bool }

// read returns v as a T, and records a failure if v has another type.
func read[T any](d *schemaReader, v any) T {
	t, ok := v.(T)
	d.failed = d.failed || !ok
	return t
}

func (d *schemaReader) fields(v any) map[string]Field {
	fields := make(map[string]Field)
	for name, f := range read[map[string]any](d, v) {
		fields[name] = d.field(f)
	}
	return fields
}

func (d *schemaReader) field(v any) Field {
	var f Field
	for name, v := range read[map[string]any](d, v) {
		switch name {
		case "type":
			f.Type = FieldType(read[string](d, v))
		case "required":
			f.Required = read[bool](d, v)
		case "default":
			f.Default = v
		case "enum":
			f.Enum = read[[]any](d, v)
		case "items":
			items := d.field(v)
			f.Items = &items
		case "properties":
			f.Properties = d.fields(v)
		case "additionalProperties":
			f.AdditionalProperties = pointer(read[bool](d, v))
		case "description":
			f.Description = read[string](d, v)
		case "examples":
			f.Examples = read[[]any](d, v)
		default:
			if f.Keywords == nil {
				f.Keywords = make(map[string]any)
			}
			f.Keywords[name] = v
		}
	}
	return f
}

func pointer[T any](v T) *T { return &v }

// equal reports whether two schemas have equal JSON forms. Null members count as
// absent, and 1 equals 1.0.
func (s Schema) equal(o Schema) bool {
	if reflect.DeepEqual(s, o) { // saves making both documents
		return true
	}
	var issues []Issue
	a, _ := value.Plain(s.document(), nil, schema.Limits, appendTo(&issues))
	b, _ := value.Plain(o.document(), nil, schema.Limits, appendTo(&issues))
	return len(issues) == 0 && value.Equal(assertion.Prune(a), assertion.Prune(b))
}

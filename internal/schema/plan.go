package schema

import "github.com/bucketlite/bucketlite/internal/assertion"

// The rules that this package defines. The others are named after JSON Schema
// keywords.
const (
	ruleRequired = "required" // a field is missing
	ruleType     = "type"     // a value has another type
	ruleName     = "name"     // a name is not allowed
	ruleReserved = "reserved" // a name is reserved for the system
	ruleNesting  = "nesting"  // a schema is nested too deep
	ruleKey      = "key"      // a unique key, or one of its values, is not allowed
	ruleRules    = "rules"    // a schema has unknown rules
	ruleProperty = "property" // a value is both at the root and in a blob
	ruleRename   = "rename"   // a field cannot be renamed so
	ruleDrop     = "drop"     // a field cannot be dropped
)

// RuleMissing is the rule of a fault of [Compare]: the new schema lacks a field that is
// neither renamed nor dropped.
const RuleMissing = "missing"

// A Plan is a compiled schema, or the members of an object field. It never changes
// once its key is compiled, and any number of goroutines may use it at once.
//
// A plan checks the types, required, enum, items, properties and additionalProperties
// itself, since every write runs through it. The standard assertion keywords are left
// to the assertion package.
type Plan struct {
	fields []Field // in order of their names
	index  map[string]*Field
	closed bool // undeclared members are refused
}

// A Field is a compiled field of a schema, or the items of an array.
type Field struct {
	// Name is empty for the items of an array.
	Name string
	// Type is empty only for a field of a schema that Compile refuses.
	Type string
	// Required refuses objects without the field.
	Required bool
	// Items describes the items of an Array; nil allows any value except null.
	Items *Field

	fallback any                 // the default; nil if there is none
	enum     map[string]struct{} // keys of the values allowed; nil for all
	allowed  string              // the values allowed, for messages
	members  *Plan               // of an Object; nil allows any
	assert   *assertion.Assertion
}

// Field returns the field with the name, or nil if the schema does not declare it. A
// nil Plan declares none.
func (p *Plan) Field(name string) *Field {
	if p == nil {
		return nil
	}
	return p.index[name]
}

// File returns the field that describes a file of the property: the field itself, or
// the items of an array of files. It returns nil if the property takes no files.
func (p *Plan) File(property string) *Field {
	f := p.Field(property)
	if f != nil && f.Type == Array {
		f = f.Items
	}
	if f == nil || !f.IsFile() {
		return nil
	}
	return f
}

// typeOf returns the type of a field, or "" if the schema does not declare it.
func (p *Plan) typeOf(name string) string {
	if f := p.Field(name); f != nil {
		return f.Type
	}
	return ""
}

// IsFile reports whether values of the field are files.
func (f *Field) IsFile() bool { return IsFile(f.Type) }

// HasFiles reports whether the field is an array of files.
func (f *Field) HasFiles() bool {
	return f.Type == Array && f.Items != nil && f.Items.IsFile()
}

// NeedsText reports whether a text must be read as a whole to be checked, since the
// schema bounds its content.
func (f *Field) NeedsText() bool {
	return f.Type == Text && (f.enum != nil || f.assert != nil)
}

package bucketlite

import (
	"reflect"

	"github.com/bucketlite/bucketlite/internal/typed"
	"github.com/bucketlite/bucketlite/internal/value"
)

// FieldsOf returns the fields of an object, made from v, a struct or a pointer to one. It
// is the inverse of [Object.Decode]: members have the names and the omitempty and omitzero
// of encoding/json, and those of the system and of blobs are left out.
//
// A nil pointer, slice or map is left out, too, unless it is tagged as required: then a
// slice or map is empty. An empty [json.Number] is left out. In a list and behind a pointer,
// where nothing can be left out, a nil slice or map is empty, and an empty number is 0. A
// time is written as in RFC 3339, or as its day if the tag says type=date. The value of a
// member of type any is in the result as it is.
//
// The error is a [*ValidationError] with all values that have no JSON form, or with the Go
// fields of v's type that cannot be converted. Put and Patch validate the rest.
func FieldsOf(v any) (map[string]any, error) {
	r, target, err := source(v)
	if err != nil {
		return nil, err
	}
	var faults value.Faults
	fields := r.Encode(&faults, target)
	return fields, unwritable(target.Type(), &faults)
}

// InputOf returns the input for an object, made from v, a struct or a pointer to one: the
// fields as of [FieldsOf], and a blob for each [BlobInput] that is not zero, of the property
// that the member is named after. A property of files has a member of type []BlobInput;
// the elements need no Property. Without such blobs, Blobs is nil, so that a Put keeps those
// that are stored.
//
// Of members with names of the system, object_id, key_prefix and x-expires-at are the
// input's ID, KeyPrefix and ExpiresAt. Others that are not zero are in Fields, where Put and
// Patch refuse a value that differs from the stored one. Members of type [Blob] are left out.
func InputOf(v any) (ObjectInput, error) {
	r, target, err := source(v)
	if err != nil {
		return ObjectInput{}, err
	}
	return inputOf(r, target)
}

// source returns the plan and the addressable value of a struct, or of the target of a
// pointer to one.
func source(v any) (*typed.Record, reflect.Value, error) {
	in := reflect.ValueOf(v)
	for in.Kind() == reflect.Pointer && !in.IsNil() {
		in = in.Elem()
	}
	if in.Kind() != reflect.Struct {
		got := "nil"
		if in.IsValid() {
			got = in.Type().String()
		}
		return nil, in, &ValidationError{Subject: "object", Issues: []Issue{{"", ruleType, "a struct or a pointer to one expected, got " + got}}}
	}
	r, err := structOf(in.Type())
	if err == nil && !in.CanAddr() {
		copied := reflect.New(in.Type()).Elem()
		copied.Set(in)
		in = copied
	}
	return r, in, err
}

// inputOf is InputOf for the addressable struct v.
func inputOf(r *typed.Record, v reflect.Value) (ObjectInput, error) {
	var faults value.Faults
	in := ObjectInput{Fields: r.Encode(&faults, v)}
	for i := range r.System {
		m := &r.System[i]
		given, ok := m.Value(&faults, v)
		if !ok {
			continue
		}
		switch m.Name {
		case "object_id":
			in.ID, _ = given.(string)
		case "key_prefix":
			in.KeyPrefix, _ = given.(string)
		case expiryMember:
			text, _ := given.(string)
			in.ExpiresAt, _ = typed.ParseTime(text)
		default:
			in.Fields[m.Name] = given
		}
	}
	for i := range r.Files {
		if m := &r.Files[i]; m.Given {
			in.Blobs = appendGiven(in.Blobs, &faults, m, v)
		}
	}
	return in, unwritable(v.Type(), &faults)
}

// appendGiven appends the inputs that a member holds for blobs.
func appendGiven(blobs []BlobInput, faults *value.Faults, m *typed.Member, v reflect.Value) []BlobInput {
	in, ok := m.In(v)
	if !ok || in.IsZero() {
		return blobs
	}
	var given []BlobInput
	switch x := in.Interface().(type) {
	case BlobInput:
		given = []BlobInput{x}
	case *BlobInput:
		given = []BlobInput{*x}
	case []BlobInput:
		given = x
	}
	for i, b := range given {
		if b.Property != "" && b.Property != m.Name {
			path := value.Path{{Name: m.Name}}
			if m.List {
				path = path.Item(i)
			}
			faults.Addf(path, ruleProperty, "a blob of %s expected, got one of %s", value.Show(m.Name), value.Show(b.Property))
			continue
		}
		b.Property = m.Name
		blobs = append(blobs, b)
	}
	return blobs
}

// unwritable returns faults of a value's fields as an error, or nil.
func unwritable(of reflect.Type, faults *value.Faults) error {
	if !faults.Any() {
		return nil
	}
	return &ValidationError{Subject: "object of Go type " + typeName(of), Issues: issuesOf(faults.List), Omitted: faults.Omitted}
}

package bucketlite

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/bucketlite/bucketlite/internal/typed"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Decode stores the object in v, a pointer to a struct or a map.
//
// In a struct, members have the names that encoding/json gives them, but names match
// exactly. The object's fields go into members of their types, as with encoding/json. A
// whole number such as 5.0 fits an integer, a datetime or date fits a [time.Time], which is
// in UTC if the text has no zone, and numbers in a member of type any are [json.Number].
// A member that the object lacks keeps its value; pointers, slices and maps that are set
// are new. Fields without a member are ignored.
//
// A member named object_id, bucket_id, key_prefix, error, status (of type [Status]),
// created_at, updated_at, x-expires-at or blobs (of type []Blob) holds that of the object. A member of
// type [Blob], *Blob or []Blob holds the blobs of the property of its name. A [BlobInput]
// is not changed.
//
// A map gets the fields of the user alone.
//
// If a value does not fit, the error is a [*ValidationError] with all such values and
// their paths: a number that overflows or has a fraction, a value of another kind, an array
// longer than a Go array, several blobs for one Blob, a blob for a value. All other members are set. As in
// encoding/json, null sets pointers, slices, maps and any to nil, and changes nothing else.
// If v is of another type, or its type has a Go field that cannot be converted, the error
// matches [ErrInvalid], too.
func (o *Object) Decode(v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return decodeTarget(v)
	}
	target = target.Elem()
	switch target.Kind() {
	case reflect.Struct:
		r, err := structOf(target.Type())
		if err != nil {
			return err
		}
		return o.decode(r, target)
	case reflect.Map:
		if err := typeError(target.Type(), goTypes.Map(target.Type())); err != nil {
			return err
		}
		var faults value.Faults
		goTypes.DecodeMap(&faults, target, o.withInline())
		return o.misfit(target.Type(), &faults)
	}
	return decodeTarget(v)
}

func decodeTarget(v any) error {
	got := "nil"
	if t := reflect.TypeOf(v); t != nil {
		got = t.String()
		if reflect.ValueOf(v).Kind() == reflect.Pointer && reflect.ValueOf(v).IsNil() {
			got = "a nil " + got
		}
	}
	return &ValidationError{Subject: "decode", Issues: []Issue{{"", ruleType, "a pointer to a struct or a map expected, got " + got}}}
}

// decode is Decode for the struct v.
func (o *Object) decode(r *typed.Record, v reflect.Value) error {
	var faults value.Faults
	r.Decode(&faults, v, o.withInline())
	for i := range r.System {
		m := &r.System[i]
		if in := o.system(m.Name); in != nil {
			m.Set(&faults, v, in)
		} else if m.Name == "blobs" {
			m.Make(v).Set(reflect.ValueOf(copyBlobs(o.Blobs)))
		}
	}
	for i := range r.Files {
		if m := &r.Files[i]; !m.Given {
			o.decodeFiles(&faults, m, v)
		}
	}
	for i := range o.Blobs {
		name := o.Blobs[i].Property
		if _, inline := o.inline(i); !inline && r.Holds(name) {
			faults.Add(value.Path{{Name: name}}, ruleType, "a value expected, got a blob, which needs a member of type Blob")
		}
	}
	return o.misfit(v.Type(), &faults)
}

// withInline returns the fields together with those whose value a blob holds inline.
func (o *Object) withInline() map[string]any {
	fields := o.Fields
	for i := range o.Blobs {
		data, inline := o.inline(i)
		if !inline {
			continue
		}
		if len(fields) == len(o.Fields) {
			fields = maps.Clone(fields)
		}
		if fields == nil {
			fields = make(map[string]any)
		}
		fields[o.Blobs[i].Property] = data
	}
	return fields
}

// inline returns the value that a blob holds inline, if it is the only one of its property.
func (o *Object) inline(blob int) (data any, ok bool) {
	data, ok = o.Blobs[blob].Properties["data"]
	for i := range o.Blobs {
		ok = ok && (i == blob || o.Blobs[i].Property != o.Blobs[blob].Property)
	}
	return data, ok
}

// system returns the system's member with the name as a value of JSON, or nil.
func (o *Object) system(name string) any {
	switch name {
	case "object_id":
		return o.ID
	case "bucket_id":
		return o.BucketID
	case "key_prefix":
		return o.KeyPrefix
	case "error":
		return o.Error
	case "status":
		return string(o.Status)
	case "created_at":
		return o.CreatedAt
	case "updated_at":
		return o.UpdatedAt
	case expiryMember:
		return o.ExpiresAt
	}
	return nil
}

// decodeFiles sets a member that holds the blobs of a property.
func (o *Object) decodeFiles(faults *value.Faults, m *typed.Member, v reflect.Value) {
	var blobs []Blob
	for _, b := range o.Blobs {
		if b.Property == m.Name {
			blobs = append(blobs, b)
		}
	}
	if given := o.Fields[m.Name]; given != nil {
		faults.Addf(value.Path{{Name: m.Name}}, ruleType, "a blob expected, got %s", value.Show(given))
		return
	}
	if o.chosen != nil && len(blobs) == 0 {
		return // perhaps they were not selected
	}
	blobs = copyBlobs(blobs)
	switch in := m.Make(v); {
	case m.List:
		in.Set(reflect.ValueOf(blobs))
	case len(blobs) > 1:
		faults.Addf(value.Path{{Name: m.Name}}, ruleType, "one blob expected, got %d", len(blobs))
	case len(blobs) == 0:
		in.SetZero()
	case in.Kind() == reflect.Pointer:
		in.Set(reflect.ValueOf(&blobs[0]))
	default:
		in.Set(reflect.ValueOf(blobs[0]))
	}
}

// copyBlobs returns a copy that shares nothing with blobs.
func copyBlobs(blobs []Blob) []Blob {
	blobs = slices.Clone(blobs)
	for i := range blobs {
		blobs[i].Properties, _ = value.Clone(blobs[i].Properties).(map[string]any)
	}
	return blobs
}

// misfit returns faults of decoding the object as an error, or nil.
func (o *Object) misfit(into reflect.Type, faults *value.Faults) error {
	if !faults.Any() {
		return nil
	}
	return &ValidationError{Subject: fmt.Sprintf("decode object %s into %s", value.Show(o.ID), typeName(into)), Issues: issuesOf(faults.List), Omitted: faults.Omitted}
}

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
// longer than a Go array, several blobs for one Blob. All other members are set. As in
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
	return o.misfit(v.Type(), &faults)
}

// withInline returns the fields together with those that blobs hold inline.
func (o *Object) withInline() map[string]any {
	fields, copied := o.Fields, false
	for i := range o.Blobs {
		data, inline := o.Blobs[i].Properties["data"]
		if !inline {
			continue
		}
		if !copied {
			fields, copied = maps.Clone(fields), true
		}
		if fields == nil {
			fields = make(map[string]any)
		}
		fields[o.Blobs[i].Property] = data
	}
	return fields
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
	return &ValidationError{Subject: fmt.Sprintf("decode object %s into %s", value.Show(o.ID), into), Issues: issuesOf(faults.List), Omitted: faults.Omitted}
}

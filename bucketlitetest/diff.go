package bucketlitetest

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Diff compares the wanted with the actual result of a test, and returns the
// differences for people to read, with - for wanted values and + for actual ones. It
// returns "" if there are none. It compares types of package bucketlite, decoded JSON,
// and values that contain them. Both should be of the same type: an Object differs from
// a pointer to one.
//
// Of the structs of package bucketlite it ignores
//
//   - ids: fields whose name ends in ID or IDs, and Inputs of a Task;
//   - times: fields of type time.Time or *time.Time;
//   - values derived from them: Version, Seq, Cursor, Next of a Page, PresignedURL;
//   - fields that are not exported.
//
// Of decoded JSON, which is maps with strings as keys, it ignores
//
//   - the members namespace_id, bucket_id, object_id, object_ids, blob_id,
//     upload_id, batch_id, task_id, existing_object_id, duplicate_of_upload_id and
//     affected_document_ids;
//   - the members created_at, updated_at, last_upload_at and stats_updated_at;
//   - the members next_cursor and presigned_url;
//   - if one of the compared maps has an upload_id: expires_at, completed_at,
//     verified_at; a task_type: inputs; an error_type: timestamp; a seq: seq, cursor, at.
//
// Users' values are always compared, whatever their names: those in
// the fields Fields, Properties, Metadata and ObjectMetadata of the structs, and in
// the members metadata and object_metadata of a map. Only in the JSON form of an
// object, which mixes fields of the user and of the system, a user's field with one of
// these names is ignored.
//
// Numbers are equal if their values are, to the last digit, whatever their types
// and texts: the [json.Number] 5 or 5.0, the int 5 and the float64 5.0 are. So a test
// may write map[string]any{"price": 5}. Empty maps and slices are equal to nil.
// Everything else is compared as package cmp does, and fields that are not exported
// of other packages' structs are compared too.
func Diff(want, got any) string {
	return cmp.Diff(want, got,
		cmp.Exporter(func(reflect.Type) bool { return true }),
		cmp.FilterPath(unforeseen, cmp.Ignore()),
		cmp.FilterValues(areNumbers, cmp.Comparer(equalNumbers)),
		cmpopts.EquateEmpty(),
	)
}

// unforeseen reports whether path leads to an id, a time, or a value derived from them.
func unforeseen(path cmp.Path) bool {
	step := path.Last()
	if !isMember(step) {
		return false // only its children need to be checked
	}
	for i, above := range path[:len(path)-1] {
		if isUsers(path[:i], above) {
			return false
		}
	}
	switch step := step.(type) {
	case cmp.StructField:
		return unforeseenField(path.Index(-2).Type(), step)
	case cmp.MapIndex:
		x, y := path.Index(-2).Values()
		return unforeseenMember(step.Key().String(), x, y)
	}
	return false
}

// isMember reports whether step leads to a member of a struct or of a map with
// strings as keys.
func isMember(step cmp.PathStep) bool {
	switch step := step.(type) {
	case cmp.StructField:
		return true
	case cmp.MapIndex:
		return step.Key().Kind() == reflect.String
	}
	return false
}

// isUsers reports whether all in what step leads to is the user's own.
func isUsers(above cmp.Path, step cmp.PathStep) bool {
	switch step := step.(type) {
	case cmp.StructField:
		switch step.Name() {
		case "Fields", "Properties", "Metadata", "ObjectMetadata":
			return isOurs(above.Last().Type()) && step.Type().Kind() == reflect.Map
		}
	case cmp.MapIndex:
		if isMember(step) {
			name := step.Key().String()
			return name == "metadata" || name == "object_metadata"
		}
	}
	return false
}

// isOurs reports whether t is a type of package bucketlite.
func isOurs(t reflect.Type) bool {
	return t.PkgPath() == reflect.TypeFor[bucketlite.Object]().PkgPath()
}

// unforeseenField reports whether a field of the struct t is to be ignored.
func unforeseenField(t reflect.Type, field cmp.StructField) bool {
	if !isOurs(t) {
		return false
	}
	f, _ := t.FieldByName(field.Name())
	switch {
	case !f.IsExported(), strings.HasSuffix(f.Name, "ID"), strings.HasSuffix(f.Name, "IDs"):
		return true
	case f.Type == reflect.TypeFor[time.Time](), f.Type == reflect.TypeFor[*time.Time]():
		return true
	}
	switch f.Name {
	case "Version", "Seq", "Cursor", "PresignedURL":
		return true
	case "Inputs":
		return t == reflect.TypeFor[bucketlite.Task]()
	case "Next":
		return strings.HasPrefix(t.Name(), "Page[")
	}
	return false
}

// unforeseenMember reports whether the member of the map x or y that is called name
// is to be ignored.
func unforeseenMember(name string, x, y reflect.Value) bool {
	switch name {
	case "namespace_id", "bucket_id", "object_id", "object_ids", "blob_id", "upload_id", "batch_id", "task_id",
		"existing_object_id", "duplicate_of_upload_id", "affected_document_ids",
		"created_at", "updated_at", "last_upload_at", "stats_updated_at", "next_cursor", "presigned_url":
		return true
	case "expires_at", "completed_at", "verified_at":
		return has(x, y, "upload_id")
	case "inputs":
		return has(x, y, "task_type")
	case "timestamp":
		return has(x, y, "error_type")
	case "seq", "cursor", "at":
		return has(x, y, "seq")
	}
	return false
}

// has reports whether the map x or y has a member called name.
func has(x, y reflect.Value, name string) bool {
	for _, m := range []reflect.Value{x, y} {
		if m.IsValid() && m.MapIndex(reflect.ValueOf(name).Convert(m.Type().Key())).IsValid() {
			return true
		}
	}
	return false
}

// areNumbers reports whether both values are numbers that can be compared.
func areNumbers(x, y any) bool { return isNumber(x) && isNumber(y) }

func isNumber(v any) bool {
	switch v := v.(type) {
	case json.Number:
		return value.CheckNumber(string(v)) == nil
	case float64:
		return isFinite(v)
	case float32:
		return isFinite(float64(v))
	}
	return value.IsNumber(v)
}

func isFinite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

func equalNumbers(x, y any) bool { return value.Equal(x, y) }

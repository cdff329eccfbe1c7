// Package typed converts between Go structs and the fields of objects. It plans each
// type once: its members, their JSON names, their tags and their conversions.
//
// The rules are those of encoding/json, except where it would lose something without
// an error. A plan has an error for each Go field that it cannot convert.
package typed

package schema

import (
	"slices"
	"strings"
)

// The types of fields, by their names in a schema's JSON form. Those from Text on
// hold files.
const (
	String   = "string"
	Number   = "number"
	Integer  = "integer"
	Float    = "float"
	Boolean  = "boolean"
	Object   = "object"
	Array    = "array"
	Date     = "date"
	DateTime = "datetime"
	Text     = "text"
	Image    = "image"
	Audio    = "audio"
	Video    = "video"
	PDF      = "pdf"
	Excel    = "excel"
	Document = "document"
	File     = "file"
)

var fieldTypes = []string{
	String, Number, Integer, Float, Boolean, Object, Array, Date, DateTime,
	Text, Image, Audio, Video, PDF, Excel, Document, File,
}

// Types returns the names of all types. The slice belongs to the caller.
func Types() []string { return slices.Clone(fieldTypes) }

// IsFile reports whether values of the type are files.
func IsFile(t string) bool {
	switch t {
	case Text, Image, Audio, Video, PDF, Excel, Document, File:
		return true
	}
	return false
}

// FitsField reports whether a stored blob of type t can be a value of a field of type
// declared. The types are equal, except that a numeric field may have had another numeric
// type when the blob was stored.
func FitsField(t, declared string) bool {
	return t == declared || isNumeric(t) && isNumeric(declared)
}

func isNumeric(t string) bool { return t == Number || t == Integer || t == Float }

// FileTypes returns the names of the types that hold files. The slice belongs to the
// caller.
func FileTypes() []string { return slices.Clone(fieldTypes[slices.Index(fieldTypes, Text):]) }

// hosted are the types that the hosted service lacks, each with the type that stands
// for it there.
var hosted = map[string]string{Document: PDF, File: Text}

// Hosted returns the name that the hosted service has for a type: another one for
// Document and File, which its clients do not know.
func Hosted(t string) string {
	if name, ok := hosted[t]; ok {
		return name
	}
	return t
}

// Names reports whether name is a name of type t, in any letter case: its own, or
// that of the hosted service.
func Names(name, t string) bool {
	return strings.EqualFold(name, t) || strings.EqualFold(name, Hosted(t))
}

// isScalar reports whether a field of the type can be part of a unique key.
func isScalar(t string) bool { return t != Object && t != Array && !IsFile(t) }

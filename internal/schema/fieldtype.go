package schema

import "slices"

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
)

var fieldTypes = []string{
	String, Number, Integer, Float, Boolean, Object, Array, Date, DateTime,
	Text, Image, Audio, Video, PDF, Excel,
}

// Types returns the names of all types. The slice belongs to the caller.
func Types() []string { return slices.Clone(fieldTypes) }

// IsFile reports whether values of the type are files.
func IsFile(t string) bool {
	switch t {
	case Text, Image, Audio, Video, PDF, Excel:
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

// isScalar reports whether a field of the type can be part of a unique key.
func isScalar(t string) bool { return t != Object && t != Array && !IsFile(t) }

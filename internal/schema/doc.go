// Package schema compiles bucket schemas and validates documents by them.
//
// [Compile] turns the JSON form of a schema into a [Plan], and [Plan.CompileKey] the
// names of a unique key's fields into a [Key]. [Plan.Validate] checks the fields of
// an object and returns them as they are stored: with defaults and without nulls.
// [Key.Encode] makes bytes of the key's values, and [Plan.Encode] the stored form of
// all fields.
//
// A field's type is a plain string here, one of the constants of this package.
// Faults go to a [Validation], with the path, the broken rule and a message.
//
// The package knows no buckets and no objects. The blobs of an object
// come as [Blob].
package schema

package schema

// IsReserved reports whether a member of an object, or of a filter, is the system's own.
// No field at the root of a schema can have its name.
func IsReserved(name string) bool {
	switch name {
	case "object_id", "bucket_id", "key_prefix", "blobs", "source_details",
		"status", "error", "created_at", "updated_at", "x-expires-at",
		"skip_duplicates", "canonicalize_source", "force_remirror",
		"AND", "OR", "NOT", "case_sensitive":
		return true
	}
	return false
}

package bucketlite

import "github.com/bucketlite/bucketlite/internal/schema"

// SchemaChangeOptions say what happens to the fields that a new schema lacks. A path is
// the names of a field and of the fields around it, from the root of the old schema,
// with dots between them: "address.city". It leads through the items of arrays. A path
// of no field is an error, unless the bucket already has the new schema: then a repeated
// call changes nothing.
type SchemaChangeOptions struct {
	// DryRun checks the change against every object and writes nothing.
	DryRun bool
	// Rename holds the new paths of renamed fields by their old ones, as in
	// {"address.town": "address.city"}. A field keeps its values, and the object that it
	// is in. A field of the unique key cannot be renamed. A call that exchanges the names
	// of two fields, and is repeated, exchanges them again, unless IfVersion forbids it.
	Rename map[string]string
	// Drop names fields that are removed together with all their values and blobs. A
	// field of the unique key cannot be dropped.
	Drop []string
	// IfVersion, unless 0, is the schema version that the bucket must have. If it has
	// another one, the error is [ErrConflict].
	IfVersion int64
}

// SchemaEffect is what a change of a schema means for the objects of the bucket.
type SchemaEffect string

// The effects of schema changes, each of which includes the ones before it.
const (
	// EffectNone: the schemas are equal.
	EffectNone SchemaEffect = "none"
	// EffectLoosens: every object conforms to the new schema, too. The change takes
	// effect in one commit, however large the bucket is.
	EffectLoosens SchemaEffect = "loosens"
	// EffectTightens: every object has to be checked before the change takes effect.
	EffectTightens SchemaEffect = "tightens"
	// EffectRewrites: objects change with the schema, and are checked in their new form.
	EffectRewrites SchemaEffect = "rewrites"
)

// SchemaChange is the result of [Bucket.ChangeSchema].
type SchemaChange struct {
	// Version is the bucket's schema version afterwards; of a dry run, what it would be.
	Version int64 `json:"schema_version"`
	// Effect is the strongest effect of Fields.
	Effect SchemaEffect `json:"effect"`
	// Fields are the changed fields in order of their paths.
	Fields []FieldChange `json:"fields"`
	// TaskID names the task that made the change, or is empty if one commit made it.
	TaskID string `json:"task_id,omitempty"`
	// Objects counts the objects that were checked.
	Objects int64 `json:"objects"`
}

// FieldChange is the change of one field.
type FieldChange struct {
	// Path is the field's path in the new schema, or in the old one if the field is
	// dropped. It is empty for a change of the schema itself.
	Path   string       `json:"path"`
	Effect SchemaEffect `json:"effect"`
	// Message says what changes, as in `type: integer to number`.
	Message string `json:"message"`
}

// InvalidObject is an object that does not conform to a schema.
type InvalidObject struct {
	ID     string  `json:"object_id"`
	Issues []Issue `json:"issues"`
}

// fieldChanges returns the changes of fields that a comparison found.
func fieldChanges(found []schema.FieldChange) []FieldChange {
	changes := make([]FieldChange, len(found))
	for i, f := range found {
		changes[i] = FieldChange{f.Path, SchemaEffect(f.Effect.String()), f.Message}
	}
	return changes
}

// compareSchemas compares two schemas over a unique key, which may be nil. The faults have
// the paths of fields. NewRules means that the new schema follows later rules.
func compareSchemas(old, new Schema, key *UniqueKey, opts SchemaChangeOptions, newRules bool) (*schema.Change, []Issue) {
	var fields []string
	if key != nil {
		fields = key.Fields
	}
	change, faults := schema.Compare(old.document(), new.document(), fields,
		schema.ChangeOptions{Rename: opts.Rename, Drop: opts.Drop, NewRules: newRules})
	return change, issuesOf(faults)
}

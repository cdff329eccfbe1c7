package bucketlite

// CompareSchema returns what [Bucket.ChangeSchema] would change in the bucket's schema. It
// reads no objects, so they may not conform to the new schema; a dry run of ChangeSchema
// checks them. Errors: [ErrInvalid] with all faults of the new schema, and of the options.
func (i *BucketInfo) CompareSchema(s Schema, opts *SchemaChangeOptions) (*SchemaChange, error) {
	if opts == nil {
		opts = &SchemaChangeOptions{}
	}
	if i.Schema.equal(s) { // it may have older rules
		s = i.Schema
	} else if def, issues := define(s, i.UniqueKey); len(issues) > 0 {
		return nil, newValidationError("schema", issues)
	} else {
		s = def.schema
	}
	found, issues := compareSchemas(i.Schema, s, i.UniqueKey, *opts, false)
	if len(issues) > 0 {
		return nil, newValidationError("schema", issues)
	}
	change := &SchemaChange{Version: i.SchemaVersion, Effect: SchemaEffect(found.Effect.String()), Fields: fieldChanges(found.Fields)}
	if change.Effect != EffectNone {
		change.Version++
	}
	return change, nil
}

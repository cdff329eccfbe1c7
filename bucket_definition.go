package bucketlite

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A definition is the part of a bucket that is fixed when the bucket is created: its
// schema and unique key, as given and compiled.
type definition struct {
	schema Schema
	unique *UniqueKey // with sorted fields; nil without a unique key

	rules assertion.Rules // by which the schema was accepted
	plan  *schema.Plan
	key   *schema.Key // nil without a unique key
}

// define validates and compiles a schema and a unique key over it.
func define(s Schema, key *UniqueKey) (*definition, []Issue) {
	var issues []Issue
	doc, ok := value.Plain(s.document(), nil, schema.Limits, appendTo(&issues))
	if !ok {
		return nil, issues
	}
	// A schema built in Go must equal the one that is read back, so it passes through
	// its JSON form.
	doc, err := value.Parse(value.Append(nil, doc), schema.Limits)
	if err != nil {
		return nil, syntaxIssues(nil, err)
	}
	d := &definition{rules: assertion.LatestRules}
	d.schema, d.plan, issues = compileSchema(doc, s.compile)
	d.compileKey(key, appendTo(&issues))
	return d, issues
}

// compileKey validates a unique key and compiles it over the plan. The key may be
// nil.
func (d *definition) compileKey(key *UniqueKey, report value.Report) {
	if key == nil {
		return
	}
	key.judge(report)
	d.unique = &UniqueKey{slices.Sorted(slices.Values(key.Fields)), key.DefaultPolicy}
	d.key = d.plan.CompileKey(key.Fields, keyPath.Member("fields"), report)
}

// validate validates an object's fields together with its blobs; partial means that
// blobs holds only some of them. It returns the fields in stored form, and whether
// that differs from the given fields.
func (d *definition) validate(j *judge, fields map[string]any, blobs []Blob, partial bool) (stored map[string]any, changed bool) {
	// These sizes suffice for most objects, and keep both slices off the heap.
	var path [8]value.Segment
	var views [4]schema.Blob
	beside := schema.Beside{Blobs: appendViews(views[:0], blobs), Partial: partial, Key: d.key}
	return d.plan.Validate(&j.Validation, path[:0], fields, &beside)
}

// storedDefinition is a definition in its stored form: JSON text, and the version of the
// rules by which the schema was accepted. Without a unique key, key is "".
type storedDefinition struct {
	schema, key string
	rules       assertion.Rules
}

// selectDefinition reads the definition of the bucket with the number, and reports
// whether the bucket exists.
func selectDefinition(c *engine.Conn, num int64) (stored storedDefinition, exists bool, err error) {
	exists, err = c.QueryRow("SELECT schema, unique_key, rules FROM buckets WHERE num = ?", []any{num},
		func(r engine.Row) { stored = storedDefinition{r.Text(0), r.Text(1), assertion.Rules(r.Int(2))} })
	return stored, exists, err
}

// restore compiles a definition that [define] accepted before, by the rules of that time.
// It neither validates nor compiles the patterns again.
func (s storedDefinition) restore() (*definition, error) {
	doc, err := value.Parse([]byte(s.schema), schema.Limits)
	if err != nil {
		return nil, &ValidationError{Subject: "schema", Issues: syntaxIssues(nil, err)}
	}
	var key *UniqueKey
	if s.key != "" {
		if err := json.Unmarshal([]byte(s.key), &key); err != nil {
			return nil, err
		}
	}
	d := &definition{rules: s.rules}
	var issues []Issue
	d.schema, d.plan, issues = compileSchema(doc, func(doc any) (*schema.Plan, []value.Fault) {
		return schema.Restore(doc, s.rules)
	})
	d.compileKey(key, appendTo(&issues))
	if len(issues) > 0 {
		return nil, newValidationError("schema", issues)
	}
	return d, nil
}

// readDefinition sets the handle's definition, if the store has compiled it.
// Otherwise it returns the stored form for [Bucket.define], which runs after the
// connection is released.
func (b *Bucket) readDefinition(c *engine.Conn) (stored storedDefinition, err error) {
	if b.def = b.store.knownDefinition(b.num); b.def != nil {
		return stored, nil
	}
	stored, exists, err := selectDefinition(c, b.num)
	if err == nil && !exists {
		err = b.gone() // the bucket's deletion ended in the meantime
	}
	return stored, err
}

// define compiles the handle's definition, unless it is set.
func (b *Bucket) define(stored storedDefinition) (err error) {
	if b.def != nil {
		return nil
	}
	if b.def, err = b.store.compileDefinition(b.num, stored); err != nil {
		return errorf("%s: %w: %v", b, ErrCorrupt, err)
	}
	return nil
}

// definition returns the compiled definition of the bucket with the number, or
// [ErrNotFound].
func (s *Store) definition(ctx context.Context, num int64) (*definition, error) {
	if def := s.knownDefinition(num); def != nil {
		return def, nil
	}
	var stored storedDefinition
	err := s.read(ctx, func(c *engine.Conn) (err error) {
		exists := false
		stored, exists, err = selectDefinition(c, num)
		if err == nil && !exists {
			err = notFound("bucket number %d", num)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	def, err := s.compileDefinition(num, stored)
	if err != nil {
		return nil, errorf("bucket %d: %w: %v", num, ErrCorrupt, err)
	}
	return def, nil
}

// knownDefinition returns a bucket's definition if the store has compiled it, else
// nil.
func (s *Store) knownDefinition(num int64) *definition {
	def, _ := s.definitions.Load(num)
	d, _ := def.(*definition)
	return d
}

// compileDefinition compiles a bucket's definition and caches it; a definition never
// changes.
func (s *Store) compileDefinition(num int64, stored storedDefinition) (*definition, error) {
	def, err := stored.restore()
	if err == nil {
		s.definitions.Store(num, def)
	}
	return def, err
}

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

// A definition is what the objects of a bucket must satisfy: its schema and unique key, as
// given and compiled. A definition never changes; a bucket gets another one.
type definition struct {
	number    int64           // buckets.definition: a newer definition has a higher one
	version   int64           // buckets.schema_version
	partition int64           // buckets.partition
	rules     assertion.Rules // by which the schema was accepted

	schema Schema
	unique *UniqueKey // with sorted fields; nil without a unique key

	plan *schema.Plan
	key  *schema.Key // nil without a unique key

	next *nextDefinition // nil unless a change of the schema is being prepared
}

// A nextDefinition is what objects must satisfy as well while a change of the bucket's
// schema is being prepared, in the form that the change gives them.
type nextDefinition struct {
	definition
	task   string // prepares the change
	opts   SchemaChangeOptions
	change *schema.Change
	limit  int // [Options].MaxObjectBytes
}

// rewrites reports whether the change prepares the objects' new form in a partition.
func (n *nextDefinition) rewrites() bool { return n != nil && n.partition != 0 }

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

// storedDefinition is a definition in its stored form. Its texts are JSON, and "" if they
// are absent.
type storedDefinition struct {
	number, version, partition int64
	rules                      assertion.Rules
	schema, key                string

	next             *storedDefinition // nil unless a change is being prepared
	task             string            // of next
	renamed, dropped string            // of next
}

// definitionColumns are the columns of a storedDefinition, of buckets AS b with
// [joinChange].
const (
	definitionColumns = "b.definition, b.schema_version, b.rules, b.partition, b.schema, b.unique_key, " +
		"c.version, c.rules, c.partition, c.schema, c.task, c.renamed, c.dropped"
	joinChange = "LEFT JOIN schema_changes c ON c.bucket = b.num AND c.since IS NULL"
)

// scan reads definitionColumns, starting at column i.
func (s *storedDefinition) scan(r engine.Row, i int) {
	*s = storedDefinition{number: r.Int(i), version: r.Int(i + 1), rules: assertion.Rules(r.Int(i + 2)), partition: r.Int(i + 3), schema: r.Text(i + 4), key: r.Text(i + 5)}
	if !r.Null(i + 6) {
		s.next = &storedDefinition{number: s.number, version: r.Int(i + 6), rules: assertion.Rules(r.Int(i + 7)), partition: r.Int(i + 8), schema: r.Text(i + 9), key: s.key,
			task: r.Text(i + 10), renamed: r.Text(i + 11), dropped: r.Text(i + 12)}
	}
}

// selectDefinition reads the definition of the bucket with the number, and reports
// whether the bucket exists.
func selectDefinition(c *engine.Conn, num int64) (stored storedDefinition, exists bool, err error) {
	exists, err = c.QueryRow("SELECT "+definitionColumns+" FROM buckets b "+joinChange+" WHERE b.num = ?", []any{num},
		func(r engine.Row) { stored.scan(r, 0) })
	return stored, exists, err
}

// restore compiles a definition that [define] accepted before, by the rules of that time.
// It neither validates nor compiles the patterns again.
func (s *storedDefinition) restore() (*definition, error) {
	d, err := s.restoreSchema()
	if err != nil || s.next == nil {
		return d, err
	}
	next, err := s.next.restoreSchema()
	if err != nil {
		return nil, err
	}
	d.next = &nextDefinition{definition: *next, task: s.next.task}
	if d.next.opts, err = s.next.names(); err != nil {
		return nil, err
	}
	var issues []Issue
	d.next.change, issues = compareSchemas(d.schema, next.schema, d.unique, d.next.opts, d.rules != next.rules)
	if len(issues) > 0 {
		return nil, newValidationError("schema change", issues)
	}
	return d, nil
}

// names returns the renamed and dropped fields of a change.
func (s *storedDefinition) names() (opts SchemaChangeOptions, err error) {
	if s.renamed != "" {
		err = json.Unmarshal([]byte(s.renamed), &opts.Rename)
	}
	if err == nil && s.dropped != "" {
		err = json.Unmarshal([]byte(s.dropped), &opts.Drop)
	}
	return opts, err
}

// restoreSchema is restore without a change that is being prepared.
func (s *storedDefinition) restoreSchema() (*definition, error) {
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
	d := &definition{number: s.number, version: s.version, rules: s.rules, partition: s.partition}
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

// knownDefinition returns a bucket's latest definition that the store has compiled, or
// nil. Another process may have changed the bucket since.
func (s *Store) knownDefinition(num int64) *definition {
	def, _ := s.definitions.Load(num)
	d, _ := def.(*definition)
	return d
}

// compileDefinition compiles a bucket's definition and caches it.
func (s *Store) compileDefinition(num int64, stored storedDefinition) (*definition, error) {
	def, err := stored.restore()
	if err == nil {
		if def.next != nil {
			def.next.limit = s.opts.MaxObjectBytes
		}
		s.keepDefinition(num, def)
	}
	return def, err
}

// keepDefinition caches a bucket's definition, unless a newer one is cached.
func (s *Store) keepDefinition(num int64, def *definition) {
	for {
		known, loaded := s.definitions.LoadOrStore(num, def)
		if !loaded || known.(*definition).number >= def.number || s.definitions.CompareAndSwap(num, known, def) {
			return
		}
	}
}

package bucketlite

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// EnsureOptions configure [Namespace.EnsureBucket]. Nil selects the defaults.
type EnsureOptions struct {
	// SchemaChange, unless nil, gives an existing bucket exactly the schema of the
	// configuration, by [Bucket.ChangeSchema] with these options. So a program can tighten a
	// schema, rename fields and drop them. DryRun and IfVersion must not be set. Default:
	// nil, a change may only loosen the schema or add optional fields.
	SchemaChange *SchemaChangeOptions
	// NoWait returns while indexes are still being built. Queries find the same objects
	// meanwhile, more slowly. Default: false, all indexes are ready on return.
	NoWait bool
}

// EnsureNamespace returns a handle on the namespace with the name, and creates the namespace
// if there is none. An existing namespace stays as it is, whatever the rest of the
// configuration says; [Namespace.Update] changes it. Any number of calls, in any number of
// processes, create one namespace.
//
// Errors: [ErrInvalid] if the namespace has to be created and the configuration has faults;
// [ErrReadOnly] if it has to be created in a read-only store.
func (s *Store) EnsureNamespace(ctx context.Context, config NamespaceConfig) (*Namespace, error) {
	var n *Namespace
	err := s.read(ctx, func(c *engine.Conn) (err error) {
		n, err = s.findNamespace(c, "name = ?", config.Name)
		return err
	})
	if err != nil || n != nil {
		return n, err
	}
	c, err := s.newNamespace(config)
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, func(tx *commit.Tx) error {
		if n, err = s.findNamespace(tx.Conn, "name = ?", config.Name); err != nil || n != nil {
			return err
		}
		n = c.Namespace
		return c.create(tx)
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// EnsureBucket is [Namespace.EnsureBucket] in the namespace with the name or id. It creates
// the namespace if there is none with the name, in the same commit as the bucket. Errors:
// those of that method; [ErrNotFound] if there is no namespace with the id.
func (s *Store) EnsureBucket(ctx context.Context, namespace string, config BucketConfig, opts *EnsureOptions) (*Bucket, error) {
	e, err := newEnsurer(s, namespace, config, opts)
	if err != nil {
		return nil, err
	}
	return e.run(ctx)
}

// EnsureBucket returns a handle on the bucket with the name, and creates the bucket if there
// is none. Programs call it when they start. If the bucket fits the configuration already,
// that takes one read. Any number of calls, in any number of processes, create one bucket.
//
// An existing bucket keeps its objects, its description, metadata, storage class and
// retention, and all indexes; the indexes that it lacks are created. Its unique key must have the same
// fields, and the same default policy if the configuration sets one. The rules
// for its schema:
//
//   - If it is that of the configuration, it stays.
//   - If the configuration only loosens it, or adds optional fields, it is changed as by
//     [Bucket.ChangeSchema]. For new fields, that checks the stored objects first, unless the
//     schema forbids undeclared members.
//   - If, the other way round, it is looser than the configuration, or has more optional
//     fields, it stays. So older versions of a program still start.
//   - Otherwise the error is a [*MismatchError], unless opts.SchemaChange is set.
//
// If another change of the schema is being prepared, EnsureBucket waits for its end, unless
// the schema in force may stay. A bucket that is archived, suspended or locked, or in a
// read-only store, is opened as it is where its state forbids such a change; a mismatch is
// an error in every state. A bucket that is being deleted has given up its name, so another
// one is created.
//
// Creating a bucket takes one commit. A schema and the indexes of an existing bucket change
// in one commit each. If ctx ends while they are being changed, the change continues.
//
// Errors: [ErrConflict] with a [*MismatchError]; those of ChangeSchema, such as a
// [*SchemaChangeError] if objects have undeclared members that do not fit a new field; those
// of [Bucket.EnsureIndex]; [ErrInvalid] with all faults of the configuration, if it differs
// from the bucket; [ErrBadRequest] for opts; [ErrReadOnly] if the bucket has to be created in a
// read-only store; [ErrNotFound] if the namespace is deleted.
func (n *Namespace) EnsureBucket(ctx context.Context, config BucketConfig, opts *EnsureOptions) (*Bucket, error) {
	e, err := newEnsurer(n.store, n.id, config, opts)
	if err != nil {
		return nil, err
	}
	return e.run(ctx)
}

// ensurer is one EnsureBucket call.
type ensurer struct {
	store     *Store
	namespace string // name or id
	config    BucketConfig
	opts      EnsureOptions

	// The state of the store.
	bucket  *Bucket // nil if it is missing
	indexes []Index

	// Created if they are missing.
	newNamespace *newNamespace // nil if the namespace is named by its id
	newBucket    *newBucket
}

func newEnsurer(s *Store, namespace string, config BucketConfig, opts *EnsureOptions) (*ensurer, error) {
	e := &ensurer{store: s, namespace: namespace, config: config}
	if opts != nil {
		e.opts = *opts
	}
	if c := e.opts.SchemaChange; c != nil && (c.DryRun || c.IfVersion != 0) {
		return nil, badRequest("ensure options: got a schema change with DryRun or IfVersion, want neither")
	}
	return e, nil
}

// run reads the state of the store and makes a change, until the bucket fits. Each further
// round means that another call has changed the bucket in between.
func (e *ensurer) run(ctx context.Context) (*Bucket, error) {
	for {
		if err := e.look(ctx); err != nil {
			return nil, err
		}
		if e.bucket == nil {
			if b, err := e.create(ctx); b != nil || err != nil {
				return b, err
			}
			continue
		}
		again, err := e.settleSchema(ctx)
		if err == nil && !again {
			again, err = e.settleIndexes(ctx)
		}
		switch {
		case err != nil:
			return nil, err
		case !again:
			return e.bucket.current(), nil
		}
	}
}

// namespaceWhere is an SQL condition on namespaces that has their name or id as parameter.
func (e *ensurer) namespaceWhere() string {
	if ident.Is(ident.NamespacePrefix, e.namespace) {
		return "id = ?1"
	}
	return "name = ?1"
}

// findNamespace returns the namespace that satisfies an SQL condition and is not being
// deleted, or nil.
func (s *Store) findNamespace(c *engine.Conn, where string, arg any) (n *Namespace, err error) {
	_, err = c.QueryRow("SELECT num, id, name FROM namespaces WHERE delete_task IS NULL AND "+where, []any{arg}, func(r engine.Row) {
		n = &Namespace{store: s, num: r.Int(0), id: r.Text(1), name: r.Text(2)}
	})
	return n, err
}

// look reads the bucket, with its definition and indexes.
func (e *ensurer) look(ctx context.Context) error {
	var b *Bucket
	var stored storedDefinition
	err := e.store.read(ctx, func(c *engine.Conn) error {
		b = nil
		var number, partition int64
		_, err := c.QueryRow("SELECT b.num, b.id, b.name, b.definition, b.partition FROM namespaces n JOIN buckets b ON b.namespace = n.num"+
			" AND b.name = ?2 AND b.status <> 'IN_PROGRESS' WHERE n.delete_task IS NULL AND n."+e.namespaceWhere(),
			[]any{e.namespace, e.config.Name}, func(r engine.Row) {
				b = e.store.handle(target{num: r.Int(0), id: r.Text(1), name: r.Text(2)})
				number, partition = r.Int(3), r.Int(4)
			})
		if err != nil || b == nil {
			return err
		}
		if b.def = e.store.knownDefinition(b.num); b.def != nil && b.def.number < number {
			b.def = nil
		}
		if b.def == nil {
			exists := false
			stored, exists, err = selectDefinition(c, b.num)
			if err == nil && !exists { // it has been deleted in the meantime
				b = nil
			}
			if err != nil || !exists {
				return err
			}
		}
		return e.lookIndexes(c, partition)
	})
	if e.bucket = b; err == nil && b != nil {
		err = b.define(stored)
	}
	return err
}

// lookIndexes reads the bucket's indexes, if the configuration names any.
func (e *ensurer) lookIndexes(c *engine.Conn, partition int64) error {
	e.indexes = nil
	if len(e.config.Indexes)+len(e.config.TextIndexes) == 0 {
		return nil
	}
	indexes, err := index.Select(c, partition)
	for _, i := range indexes {
		e.indexes = append(e.indexes, indexOf(i))
	}
	return err
}

// create creates what is missing. It returns nil if another call has created the bucket.
func (e *ensurer) create(ctx context.Context) (*Bucket, error) {
	if err := e.prepare(); err != nil {
		return nil, err
	}
	created := false
	err := e.store.write(ctx, func(tx *commit.Tx) error {
		created = false
		n, err := e.store.findNamespace(tx.Conn, e.namespaceWhere(), e.namespace)
		switch {
		case err != nil:
			return err
		case n == nil && e.newNamespace == nil:
			return notFound("namespace %s", value.Show(e.namespace))
		case n == nil:
			n = e.newNamespace.Namespace
			if err := e.newNamespace.create(tx); err != nil {
				return err
			}
		default:
			err := checkBucketName(tx, n.id, e.config.Name, 0)
			if errors.Is(err, ErrExists) {
				return nil
			}
			if err != nil {
				return err
			}
		}
		created = true
		return e.newBucket.create(tx, n)
	})
	if err != nil || !created {
		return nil, err
	}
	return e.newBucket.created(), nil
}

// prepare validates what may have to be created.
func (e *ensurer) prepare() (err error) {
	if e.newBucket != nil {
		return nil
	}
	if e.newBucket, err = e.store.newBucket(e.config); err != nil {
		return err
	}
	if !ident.Is(ident.NamespacePrefix, e.namespace) {
		e.newNamespace, err = e.store.newNamespace(NamespaceConfig{Name: e.namespace})
	}
	return err
}

// settleSchema gives the bucket the schema of the configuration, unless its own may stay.
func (e *ensurer) settleSchema(ctx context.Context) (again bool, err error) {
	b := e.bucket
	mismatch := &MismatchError{Subject: b.String(), UniqueKey: keyMismatch(b.def.unique, e.config.UniqueKey)}
	if mismatch.UniqueKey == "" && b.def.schema.equal(e.config.Schema) {
		return false, nil
	}
	c, err := judgeBucket(e.config)
	if err != nil {
		return false, err
	}
	change, faults := wholeChange(b.def.schema, c.def.schema, b.def.unique, b.def.rules != c.def.rules)
	back, backFaults := wholeChange(c.def.schema, b.def.schema, b.def.unique, false)
	extends := len(faults) == 0 && change.Extends()
	mayStay := len(backFaults) == 0 && back.Extends()
	mismatch.Fields = differences(change, back, faults)
	exact := e.opts.SchemaChange != nil
	switch {
	case mismatch.UniqueKey != "":
		return false, mismatch
	case mayStay && !extends && !exact:
		return false, nil
	case b.def.next != nil && !e.store.opts.ReadOnly:
		return e.awaitChange(ctx)
	case !extends && !exact:
		return false, mismatch
	}
	again, forbidden, err := e.changeSchema(ctx)
	if forbidden && !extends && !mayStay {
		return false, mismatch
	}
	return again, err
}

// keyMismatch says why a bucket's unique key does not fit a configuration, or returns "".
func keyMismatch(got, want *UniqueKey) string {
	if got != nil && want != nil && want.DefaultPolicy == "" {
		want = &UniqueKey{Fields: want.Fields, DefaultPolicy: got.DefaultPolicy}
	}
	if got.equal(want) {
		return ""
	}
	return "got " + got.describe() + ", want " + want.describe()
}

// differences returns the fields for which neither schema can take the other's place. If
// each of them could for every field by itself, they are all fields that differ.
func differences(change, back *schema.Change, faults []Issue) []FieldChange {
	all := fieldChanges(change.Fields)
	forward, backward := change.Decisive(), back.Decisive()
	fields := slices.DeleteFunc(slices.Clone(all), func(f FieldChange) bool {
		return !slices.Contains(forward, f.Path) || !slices.Contains(backward, f.Path)
	})
	if len(fields)+len(faults) == 0 {
		fields = all
	}
	for _, f := range faults {
		fields = append(fields, FieldChange{f.Path, EffectRewrites, f.Message})
	}
	return fields
}

// wholeChange compares two schemas. A field that the new one lacks counts as dropped.
func wholeChange(old, new Schema, key *UniqueKey, newRules bool) (*schema.Change, []Issue) {
	change, faults := compareSchemas(old, new, key, SchemaChangeOptions{}, newRules)
	var opts SchemaChangeOptions
	for _, f := range faults {
		if f.Rule == schema.RuleMissing {
			opts.Drop = append(opts.Drop, f.Path)
		}
	}
	if len(opts.Drop) > 0 {
		change, faults = compareSchemas(old, new, key, opts, newRules)
	}
	return change, faults
}

// changeSchema gives the bucket the schema of the configuration, and reports whether the
// bucket's state or the store forbids that.
func (e *ensurer) changeSchema(ctx context.Context) (again, forbidden bool, err error) {
	if e.store.opts.ReadOnly {
		return false, true, nil
	}
	var opts SchemaChangeOptions
	if e.opts.SchemaChange != nil {
		opts = *e.opts.SchemaChange
	}
	opts.IfVersion = e.bucket.def.version // what is known of the change holds for this schema
	_, err = e.bucket.ChangeSchema(ctx, e.config.Schema, &opts)
	var conflict *ConflictError
	var state *StateError
	switch {
	case errors.As(err, &conflict):
		again, err := e.overtaken(ctx, conflict)
		return again, false, err
	case errors.As(err, &state):
		return state.Status == StatusInProgress, state.Status != StatusInProgress, nil
	case errors.Is(err, ErrNotFound):
		return true, false, nil
	}
	return false, false, err
}

// overtaken reports whether a change of the schema failed because another call has made or
// begun one. Otherwise it returns the error.
func (e *ensurer) overtaken(ctx context.Context, conflict *ConflictError) (bool, error) {
	if conflict.Version {
		return true, nil
	}
	if err := e.look(ctx); err != nil {
		return false, err
	}
	if e.bucket == nil || e.bucket.def.next != nil {
		return true, nil
	}
	return false, conflict
}

// awaitChange waits for the end of the change that another call has begun.
func (e *ensurer) awaitChange(ctx context.Context) (again bool, err error) {
	began, task := time.Now(), e.bucket.def.next.task
	_, err = e.store.wait(ctx, task, func() error { return e.store.collector.stallSince(task, began) })
	if errors.Is(err, ErrNotFound) { // its record has been deleted
		err = nil
	}
	return true, err
}

// settleIndexes creates the missing indexes and waits for all of them.
func (e *ensurer) settleIndexes(ctx context.Context) (again bool, err error) {
	var missing, building []Index
	for _, w := range judgeIndexes(&e.config, new([]Issue)) {
		n := slices.IndexFunc(e.indexes, w.sameAs)
		switch {
		case n < 0:
			missing = append(missing, w)
		case e.indexes[n].Status != IndexReady:
			building = append(building, w)
		}
	}
	if e.opts.NoWait {
		building = nil
	}
	if len(missing)+len(building) == 0 || e.store.opts.ReadOnly {
		return false, nil
	}
	if _, err := judgeBucket(e.config); err != nil { // the paths may be at fault
		return false, err
	}
	if err = e.bucket.requestIndexes(ctx, missing); err == nil && !e.opts.NoWait {
		err = e.bucket.waitForIndexes(ctx, append(missing, building...))
	}
	var state *StateError
	switch {
	case errors.As(err, &state):
		return state.Status == StatusInProgress, nil
	case errors.Is(err, ErrNotFound):
		return true, nil
	}
	return false, err
}

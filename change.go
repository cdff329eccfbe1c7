package bucketlite

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// ChangeSchema gives the bucket another schema, over the same unique key. Until the change
// is in force the bucket has the old schema, then the new one, in every process from the
// next call on. No call sees anything between.
//
// A field that the schema in force has and s lacks must be named in opts, since s may be an
// outdated copy. A nil opts names none. Its [SchemaEffect] depends on
// the stored objects:
//
//   - A change that only loosens takes effect in one commit, however large the bucket is.
//   - Otherwise a task checks every object first, beside other calls. Meanwhile each write
//     must satisfy both schemas, or returns [ErrInvalid]. If an object does not conform, the
//     schema stays, and the error is a [*SchemaChangeError].
//   - Renaming, dropping and filling in defaults rewrite objects. The task prepares their
//     new form beside the old one, which takes as much space again, and then one commit
//     exchanges them.
//
// Objects keep their ids, versions, times and statuses, and their batches. There is one
// [EventBucketUpdated], and no event for an object. The indexes of a renamed field follow
// it, those of a dropped field are dropped.
//
// ChangeSchema waits for the task. If ctx ends first, the task continues; a call with the same
// arguments waits for it again. The task survives a crash: any store that has the file open
// continues it. [Store.CancelTask] ends it without a change, and so do archiving,
// suspending, locking and deleting the bucket. With DryRun, ChangeSchema itself checks the
// objects in one snapshot after the other and writes nothing.
//
// Errors: [ErrInvalid] with all faults of s and opts; [ErrConflict] if another change is
// being prepared, if the schema has another version than opts requires, or if the task was
// canceled; [ErrLocked]; [ErrNotActive] unless the bucket is active; [ErrNotFound]. If the
// disk is full, the error is [ErrFull]: the task continues once there is space.
func (b *Bucket) ChangeSchema(ctx context.Context, s Schema, opts *SchemaChangeOptions) (*SchemaChange, error) {
	if opts == nil {
		opts = &SchemaChangeOptions{}
	}
	id, err := b.store.newID(ident.TaskPrefix)
	if err != nil {
		return nil, err
	}
	var c *schemaChanger
	err = b.following(ctx, func(b *Bucket) (err error) {
		var invalid, lost []Issue
		if c, invalid, lost, err = b.schemaChanger(s, *opts, id); err != nil {
			return err
		}
		if issues := append(invalid, lost...); len(issues) > 0 {
			return newValidationError(b.String(), issues)
		}
		return c.do(ctx, b)
	})
	if err != nil {
		return nil, err
	}
	return c.done(ctx)
}

// do begins the change, or tries it.
func (c *schemaChanger) do(ctx context.Context, b *Bucket) error {
	if c.opts.DryRun {
		return c.try(ctx)
	}
	return b.store.write(ctx, c.begin)
}

// done returns the result once the change is in force.
func (c *schemaChanger) done(ctx context.Context) (*SchemaChange, error) {
	if c.result.TaskID != "" {
		return c.wait(ctx)
	}
	return &c.result, nil
}

// schemaChanger is one ChangeSchema call.
type schemaChanger struct {
	bucket *Bucket
	opts   SchemaChangeOptions
	info   infoUpdate // takes effect together with the schema
	id     string     // of a task, if one is needed
	next   nextDefinition
	stored storedDefinition // of next
	result SchemaChange
}

// schemaChanger validates a new schema and compares it with the bucket's. It returns the
// faults of the schema, whose paths are those of its JSON form, or those of the change,
// with the paths of the fields.
func (b *Bucket) schemaChanger(s Schema, opts SchemaChangeOptions, task string) (c *schemaChanger, invalid, lost []Issue, err error) {
	def := b.def
	if !def.schema.equal(s) { // else it keeps its rules
		if def, invalid = define(s, def.unique); len(invalid) > 0 {
			return nil, invalid, nil, nil
		}
	}
	c = &schemaChanger{bucket: b, opts: opts, id: task}
	if err := c.checkVersion(); err != nil {
		return nil, nil, nil, err
	}
	change, lost := compareSchemas(b.def.schema, def.schema, b.def.unique, opts, b.def.rules != def.rules)
	if len(lost) > 0 {
		return nil, nil, lost, nil
	}
	text, err := json.Marshal(def.schema)
	if err != nil {
		return nil, nil, nil, err
	}
	c.next = nextDefinition{definition: *def, task: task, opts: opts, change: change, limit: b.store.opts.MaxObjectBytes}
	c.next.version = b.def.version
	if change.Effect != schema.Unchanged {
		c.next.version++
	}
	c.stored = storedDefinition{version: c.next.version, rules: def.rules, schema: string(text), task: task}
	if len(opts.Rename) > 0 {
		c.stored.renamed = string(value.Append(nil, asMap(opts.Rename)))
	}
	if len(opts.Drop) > 0 {
		c.stored.dropped = string(value.Append(nil, asAny(slices.Compact(slices.Sorted(slices.Values(opts.Drop))))))
	}
	c.result = SchemaChange{Version: c.next.version, Effect: SchemaEffect(change.Effect.String()), Fields: fieldChanges(change.Fields)}
	return c, nil, nil, nil
}

// asMap returns a map as plain values.
func asMap(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// begin brings the change into force at once, if no object has to be checked. Otherwise it
// starts the task, or joins the one of an equal call.
func (c *schemaChanger) begin(tx *commit.Tx) error {
	b := c.bucket
	c.result.TaskID = ""
	state, err := b.permitted(tx, changeSchema)
	if err == nil && state.Definition != b.def.number {
		err = errRedefined
	}
	if err == nil {
		err = c.info.check(tx, state)
	}
	if err != nil {
		return err
	}
	if c.next.change.Effect == schema.Unchanged {
		return c.applyInfo(tx, state)
	}
	if running := b.def.next; running != nil {
		info, err := pendingUpdate(tx, running.task)
		if err != nil {
			return err
		}
		if !c.equals(running) || !c.info.equals(info) {
			return &ConflictError{Subject: b.String(), Reason: "task " + value.Show(running.task) + " is changing its schema"}
		}
		c.result.TaskID = running.task
		return nil
	}
	filled, err := tx.QueryRow("SELECT 1 FROM object WHERE seq > ? AND seq < ? LIMIT 1",
		[]any{commit.Seq(state.Partition, 0), commit.Seq(state.Partition+1, 0)}, nil)
	switch {
	case err != nil:
		return err
	case c.next.change.Effect == schema.Loosens || !filled:
		if err := c.info.apply(tx, state); err != nil {
			return err
		}
		if err := b.enforce(tx, state, &c.stored, &c.next); err != nil {
			return err
		}
		return recordChange(tx, b.num, c.stored)
	}
	c.result.TaskID = c.id
	return c.start(tx, state)
}

// checkVersion returns an error if the bucket does not have the schema version that the call
// requires.
func (c *schemaChanger) checkVersion() error {
	want, got := c.opts.IfVersion, c.bucket.def.version
	if want == 0 || got == want {
		return nil
	}
	return &ConflictError{Subject: c.bucket.String(), Reason: fmt.Sprintf("its schema has version %d, want %d", got, want), Version: true}
}

// applyInfo makes a change that leaves the schema as it is.
func (c *schemaChanger) applyInfo(tx *commit.Tx, state *commit.Bucket) error {
	if c.info.isEmpty() {
		return nil
	}
	tx.Note(string(EventBucketUpdated), state.Place, "")
	return c.info.apply(tx, state)
}

// equals reports whether the call wants the change that is being prepared.
func (c *schemaChanger) equals(running *nextDefinition) bool {
	return running.schema.equal(c.next.schema) && maps.Equal(running.opts.Rename, c.opts.Rename) &&
		slices.Equal(slices.Sorted(slices.Values(running.opts.Drop)), slices.Compact(slices.Sorted(slices.Values(c.opts.Drop))))
}

// start begins to prepare the change.
func (c *schemaChanger) start(tx *commit.Tx, state *commit.Bucket) error {
	b := c.bucket
	var namespace, objects int64
	_, err := tx.QueryRow("SELECT namespace, object_count FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) {
		namespace, objects = r.Int(0), r.Int(1)+state.Objects
	})
	if err != nil {
		return err
	}
	t := &Task{ID: c.id, Type: ChangeSchemaTask, Inputs: []string{b.id}, Total: objects, AdditionalData: map[string]any{
		"bucket_id": b.id, "bucket_name": state.Name, "object_count": objects, "schema_version": c.next.version, "effect": string(c.result.Effect),
	}}
	if update := c.info.detail(); update != nil {
		t.AdditionalData["update"] = update
	}
	c.stored.partition = 0
	if c.next.change.Effect == schema.Rewrites {
		t.Total *= 2 // each object is checked, and then written
		if c.stored.partition, err = newPartition(tx); err != nil {
			return err
		}
	}
	if err := b.store.newTask(tx, t, namespace, b.num); err != nil {
		return err
	}
	if err := insertChange(tx, b.num, &c.stored); err != nil {
		return err
	}
	tx.Raise(commit.Background)
	if err := state.Redefine(tx, commit.Next{Partition: c.stored.partition, Reached: unbegun}); err != nil || c.stored.partition == 0 {
		return err
	}
	wanted, err := nextIndexes(tx, state, c.opts)
	for i := 0; i < len(wanted) && err == nil; i++ {
		err = index.Prepare(tx, state, string(wanted[i].Kind), wanted[i].Path)
	}
	return err
}

// wait returns the result of the task.
func (c *schemaChanger) wait(ctx context.Context) (*SchemaChange, error) {
	b := c.bucket
	began := time.Now()
	t, err := b.store.wait(ctx, c.result.TaskID, func() error { return b.store.collector.stallSince(c.result.TaskID, began) })
	if err != nil {
		return nil, err
	}
	count := func(name string) int64 {
		n, _ := t.AdditionalData[name].(json.Number)
		i, _ := n.Int64()
		return i
	}
	switch {
	case t.Status == StatusCompleted:
		c.result.Objects = count("checked_objects")
		return &c.result, nil
	case count("invalid_objects") > 0:
		e := &SchemaChangeError{Subject: b.String(), TaskID: t.ID, Count: count("invalid_objects")}
		e.Objects, err = invalidObjects(t.Outputs)
		if err != nil {
			return nil, errorf("task %s: %w: %v", value.Show(t.ID), ErrCorrupt, err)
		}
		return nil, e
	}
	refusal := error(&ConflictError{Subject: b.String(), Reason: "the schema change was canceled"})
	err = b.store.read(ctx, func(conn *engine.Conn) error {
		if e := b.permit(conn, changeSchema); e != nil {
			refusal = e
		} else if t.Error != "" {
			refusal = &ConflictError{Subject: b.String(), Reason: "the schema change failed: " + t.Error}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return nil, public(refusal)
}

// invalidObjects decodes the outputs of a task.
func invalidObjects(outputs []any) (objects []InvalidObject, err error) {
	text, err := json.Marshal(outputs)
	if err == nil {
		err = json.Unmarshal(text, &objects)
	}
	return objects, err
}

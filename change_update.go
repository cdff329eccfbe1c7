package bucketlite

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Update changes the bucket's name, description, metadata, retention and schema, and returns its new
// state. All changes take effect in one commit, or none does. A schema that differs from the
// bucket's is changed as by [Bucket.ChangeSchema], which may take a task: Update waits for
// it, and the name and the others change together with the schema.
//
// Errors: those of ChangeSchema; [ErrInvalid], also for a unique key that differs;
// [ErrExists] if the name is taken; [ErrLocked]; [ErrNotActive] if the bucket is being
// deleted, or not active and the schema differs; [ErrNotFound].
func (b *Bucket) Update(ctx context.Context, u BucketUpdate) (*BucketInfo, error) {
	id, err := b.store.newID(ident.TaskPrefix)
	if err != nil {
		return nil, err
	}
	var c *schemaChanger
	err = b.following(ctx, func(b *Bucket) (err error) {
		c = nil
		if u.keepsSchema(b) {
			return b.update(ctx, &u)
		}
		if c, err = b.updateChanger(&u, id); err != nil {
			return err
		}
		return c.do(ctx, b)
	})
	if err == nil && c != nil {
		_, err = c.done(ctx)
	}
	if err != nil {
		return nil, err
	}
	return b.Info(ctx)
}

// keepsSchema reports whether the update leaves the bucket's schema as it is.
func (u *BucketUpdate) keepsSchema(b *Bucket) bool {
	if u.Schema == nil {
		return true
	}
	opts := u.SchemaOptions
	return b.def.schema.equal(*u.Schema) && (opts == nil || len(opts.Rename)+len(opts.Drop) == 0 && opts.IfVersion == 0)
}

// update makes a change that leaves the schema as it is.
func (b *Bucket) update(ctx context.Context, u *BucketUpdate) error {
	info, issues := b.infoUpdate(u)
	if len(issues) > 0 {
		return newValidationError(b.String(), issues)
	}
	return b.store.write(ctx, func(tx *commit.Tx) error {
		state, err := b.permitted(tx, changeInfo)
		if err == nil && u.Schema != nil && state.Definition != b.def.number {
			err = errRedefined
		}
		if err == nil {
			err = info.apply(tx, state)
		}
		if err == nil {
			tx.Note(string(EventBucketUpdated), state.Place, "")
		}
		return err
	})
}

// updateChanger validates an update with a schema that differs.
func (b *Bucket) updateChanger(u *BucketUpdate, task string) (*schemaChanger, error) {
	opts := u.SchemaOptions
	if opts == nil {
		opts = &SchemaChangeOptions{}
	}
	info, issues := b.infoUpdate(u)
	c, invalid, lost, err := b.schemaChanger(*u.Schema, *opts, task)
	if err != nil {
		return nil, err
	}
	for _, issue := range invalid {
		issue.Path = schemaPath(issue.Path)
		issues = append(issues, issue)
	}
	for _, issue := range lost {
		path := value.Path{{Name: "bucket_schema"}}
		for name := range strings.SplitSeq(issue.Path, ".") {
			path = path.Member("properties").Member(name)
		}
		issue.Path = path.String()
		issues = append(issues, issue)
	}
	if len(issues) > 0 {
		return nil, newValidationError(b.String(), issues)
	}
	c.info = info
	return c, nil
}

// infoUpdate is what an update changes beside the schema.
type infoUpdate struct {
	name, description *string
	metadata          any // in stored form; nil leaves it as it is
	retention         *Retention
}

// infoUpdate validates an update, except for its schema.
func (b *Bucket) infoUpdate(u *BucketUpdate) (info infoUpdate, issues []Issue) {
	if u.Name != nil && *u.Name != b.name { // an old bucket may keep a name that a new one may not have
		if problem := nameIssue(*u.Name); problem != "" {
			issues = append(issues, Issue{"bucket_name", ruleName, problem})
		}
	}
	if u.Description != nil {
		encodeInfo("description", *u.Description, &issues)
	}
	if u.UniqueKey != nil && !b.UniqueKey().equal(u.UniqueKey) {
		issues = append(issues, Issue{"unique_key", ruleFixed, "the unique key cannot be changed"})
	}
	if u.Retention != nil {
		u.Retention.judge(&issues)
	}
	return infoUpdate{u.Name, u.Description, encodeInfo("metadata", u.Metadata, &issues), u.Retention}, issues
}

// isEmpty reports whether the update changes nothing.
func (u *infoUpdate) isEmpty() bool {
	return u.name == nil && u.description == nil && u.metadata == nil && u.retention == nil
}

// check returns an error if the name is taken.
func (u *infoUpdate) check(tx *commit.Tx, state *commit.Bucket) error {
	if u.name == nil {
		return nil
	}
	return checkBucketName(tx, state.Namespace, *u.name, state.Num)
}

// apply changes the bucket's row.
func (u *infoUpdate) apply(tx *commit.Tx, state *commit.Bucket) error {
	if err := u.check(tx, state); err != nil {
		return err
	}
	_, err := tx.Exec(`
UPDATE buckets SET name = coalesce(?, name), description = coalesce(?, description), metadata = coalesce(?, metadata), updated_at = ?
WHERE num = ?`, optional(u.name), optional(u.description), u.metadata, tx.Now(), state.Num)
	if u.name != nil {
		state.Name = *u.name
	}
	if err == nil && u.retention != nil {
		err = limit(tx, state, u.retention.stored())
	}
	return err
}

func optional(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

// detail returns the update as a member of a task's details, or nil if it changes nothing.
func (u *infoUpdate) detail() map[string]any {
	if u.isEmpty() {
		return nil
	}
	doc := make(map[string]any)
	if u.name != nil {
		doc["bucket_name"] = *u.name
	}
	if u.description != nil {
		doc["description"] = *u.description
	}
	if text, ok := u.metadata.(string); ok {
		doc["metadata"] = text // as it is to be stored
	}
	if u.retention != nil {
		text, err := json.Marshal(u.retention)
		if err != nil {
			panic(err) // numbers have a JSON form
		}
		doc["retention"] = string(text)
	}
	return doc
}

// pendingUpdate returns the update that takes effect together with the schema that a task
// prepares.
func pendingUpdate(tx *commit.Tx, task string) (u infoUpdate, err error) {
	text := func(r engine.Row, i int) *string {
		if r.Null(i) {
			return nil
		}
		return new(r.Text(i))
	}
	var undecoded error
	_, err = tx.QueryRow(`
SELECT detail -> 'update' ->> 'bucket_name', detail -> 'update' ->> 'description', detail -> 'update' ->> 'metadata', detail -> 'update' ->> 'retention' FROM tasks WHERE id = ?`,
		[]any{task}, func(r engine.Row) {
			u.name, u.description = text(r, 0), text(r, 1)
			if metadata := text(r, 2); metadata != nil {
				u.metadata = *metadata
			}
			if retention := text(r, 3); retention != nil {
				u.retention = new(Retention)
				undecoded = json.Unmarshal([]byte(*retention), u.retention)
			}
		})
	if err == nil && undecoded != nil {
		err = errorf("task %s: %w: %v", value.Show(task), ErrCorrupt, undecoded)
	}
	return u, err
}

// equals reports whether two updates are the same.
func (u *infoUpdate) equals(o infoUpdate) bool {
	same := func(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }
	limits := u.retention == o.retention || u.retention != nil && o.retention != nil && *u.retention == *o.retention
	return limits && same(u.name, o.name) && same(u.description, o.description) && u.metadata == o.metadata
}

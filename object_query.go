package bucketlite

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/value"
)

// BulkOptions configure [Bucket.DeleteObjects] and [Bucket.PatchObjects]. Nil selects the
// defaults.
type BulkOptions struct {
	// All permits a query that selects every object, without a Filter and a Search.
	All bool
	// DryRun counts the objects and writes nothing. For a patch it also counts the
	// objects that would be refused, except for conflicts among the patched objects.
	DryRun bool
	// NoWait returns once a task is accepted, if one is needed, with its TaskID and
	// without counts. [Task.BulkResult] has them.
	NoWait bool
}

// BulkResult is the result of [Bucket.DeleteObjects] or [Bucket.PatchObjects].
type BulkResult struct {
	// Matched is the number of objects that matched at their turn.
	Matched int64 `json:"matched_count"`
	// Changed is the number of objects that were deleted or changed. An object that the
	// patch leaves as it is does not count.
	Changed int64 `json:"changed_count"`
	// Failed is the number of objects that were refused, and stay as they are.
	Failed int64 `json:"failed_count"`
	// Failures are the first 100 refused objects.
	Failures []BulkFailure `json:"failures"`
	// TaskID names the task, or is empty if the change was made at once.
	TaskID string `json:"task_id,omitempty"`
}

// BulkFailure is an object that was refused.
type BulkFailure struct {
	// ID is the object's id.
	ID string `json:"object_id"`
	// Message is the text of the error.
	Message string `json:"error"`
}

// DeleteObjects deletes the objects that match q's Filter and Search, as
// [Bucket.DeleteObject] does, with an event for each. A damaged object is refused, unless
// the query selects every object.
//
// Up to 1,000 objects that are found quickly are deleted in one commit. More are deleted by
// a [ChangeObjectsTask], in slices beside other calls, in order of creation. Objects that
// are created after the task was accepted stay. The task finds objects in snapshots, and
// matches each again in the commit that deletes it. So an object that another call changes
// meanwhile is deleted only if it still matches, and one that begins to match may stay.
//
// DeleteObjects waits for the task. If ctx ends first, the task continues, and the result
// has its id. The task survives a crash: any store that has the file open continues it,
// from where it was. [Store.CancelTask] ends it, and so do archiving, suspending, locking
// and deleting the bucket. Objects that are deleted by then stay deleted; the result counts
// them. If the schema changes, the task follows it, unless the new one renames or drops a
// field that the query names.
//
// Errors: [ErrBadRequest] if q selects every object and opts.All is not set, if q sets
// anything except Filter, Search and CaseSensitive, or if no object can match;
// [ErrTooLarge] if matching a regular expression costs too much; [ErrConflict] if the task
// was canceled, or failed for another reason than the state of the bucket; [ErrLocked];
// [ErrNotActive]; [ErrNotFound]. If a task was accepted, the result is there too, with what
// the task has done.
func (b *Bucket) DeleteObjects(ctx context.Context, q Query, opts *BulkOptions) (*BulkResult, error) {
	return b.changeObjects(ctx, &queryChange{query: q}, opts)
}

// PatchObjects patches the objects that match q's Filter and Search, each as
// [Bucket.Patch] does, with an event for each. The patch has fields, of which null removes
// one or the blobs of a file property, and a key prefix. An object that does not conform
// after the patch, or whose unique key is taken, is refused: it stays as it is, and is in
// the result. An object that has the values already is not written.
//
// The rest is as in [Bucket.DeleteObjects]. Each object is patched at most once, whether
// or not it matches after the patch. A task that refused objects has the status
// [StatusCompletedWithErrors].
//
// Errors: those of DeleteObjects; [ErrBadRequest] if the patch is empty, or has an id or
// blobs; [ErrInvalid] if no object can take the patch; [ErrTooLarge] if the patch exceeds
// [MaxBulkPatchBytes]; [ErrFull], after which the task continues once there is space.
func (b *Bucket) PatchObjects(ctx context.Context, q Query, patch ObjectInput, opts *BulkOptions) (*BulkResult, error) {
	switch {
	case len(patch.Blobs) > 0:
		return nil, badRequest("%s: a patch of several objects cannot have blobs", b)
	case patch.ID != "":
		return nil, badRequest("%s: a patch of several objects cannot have an id", b)
	case len(patch.Fields) == 0 && patch.KeyPrefix == "":
		return nil, badRequest("%s: the patch changes nothing", b)
	}
	return b.changeObjects(ctx, &queryChange{query: q, patch: &patch}, opts)
}

// MaxBulkPatchBytes is the maximum size of a patch of [Bucket.PatchObjects], as JSON.
const MaxBulkPatchBytes = 256 << 10

// A queryChange deletes or patches the objects that match a query.
type queryChange struct {
	query Query        // its Filter, Search and CaseSensitive
	patch *ObjectInput // its Fields and KeyPrefix; nil deletes
}

// check returns an error if the query has parts that do not select objects.
func (c *queryChange) check() error {
	q := &c.query
	for _, part := range []struct {
		name  string
		given bool
	}{
		{"Sort", len(q.Sort) > 0}, {"Reverse", q.Reverse}, {"Select", len(q.Select) > 0}, {"Limit", q.Limit != 0},
		{"Offset", q.Offset != 0}, {"Cursor", q.Cursor != ""}, {"Total", q.Total},
	} {
		if part.given {
			return badRequest("%s: a change of objects by query takes only Filter, Search and CaseSensitive", strings.ToLower(part.name))
		}
	}
	return nil
}

// changeObjects makes a change at once, or by a task.
func (b *Bucket) changeObjects(ctx context.Context, change *queryChange, opts *BulkOptions) (*BulkResult, error) {
	if opts == nil {
		opts = &BulkOptions{}
	}
	if err := change.check(); err != nil {
		return nil, err
	}
	id, err := b.store.newID(ident.TaskPrefix)
	if err != nil {
		return nil, err
	}
	ctx = engine.WaitOnce(ctx)
	var tally queryTally
	task := ""
	if !opts.DryRun {
		if err := b.mayWrite(ctx); err != nil {
			return nil, err
		}
	}
	err = b.following(ctx, func(b *Bucket) error {
		task = ""
		r, err := b.queryRun(ctx, change)
		switch {
		case err != nil:
			return err
		case r.query.IsAll() && !opts.All:
			return badRequest("%s: the query selects every object, which needs BulkOptions.All", b)
		case opts.DryRun:
			tally, err = r.try(ctx)
			return err
		}
		found, err := r.findFew(ctx)
		if err == nil && found.all {
			tally, err = r.changeAtOnce(ctx, found)
		} else if err == nil {
			task = id
			err = r.start(ctx, task)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case task == "":
		return tally.result(), nil
	case opts.NoWait:
		return &BulkResult{TaskID: task, Failures: []BulkFailure{}}, nil
	}
	return b.waitChanged(ctx, task)
}

// changeAtOnce changes the found objects in one commit.
func (r *queryRun) changeAtOnce(ctx context.Context, found *queryFound) (tally queryTally, err error) {
	prepared, err := r.prepare(ctx, found.positions)
	if err != nil {
		return tally, err
	}
	write := r.bucket.store.write
	if r.patch == nil {
		write = r.bucket.store.free
	}
	err = write(ctx, func(tx *commit.Tx) error {
		state, err := r.bucket.defined(tx)
		if err != nil {
			return err
		}
		tally = queryTally{}
		_, err = r.apply(tx, state, found.positions, prepared, &tally, time.Time{})
		return err
	})
	return tally, err
}

// waitChanged returns the result of the task.
func (b *Bucket) waitChanged(ctx context.Context, id string) (*BulkResult, error) {
	began := time.Now()
	t, err := b.store.wait(ctx, id, func() error { return b.store.collector.stallSince(id, began) })
	if err != nil {
		return &BulkResult{TaskID: id, Failures: []BulkFailure{}}, err
	}
	result, err := t.BulkResult()
	if err != nil || t.Status == StatusCompleted || t.Status == StatusCompletedWithErrors {
		return result, err
	}
	refusal := error(&ConflictError{Subject: b.String(), Reason: "task " + value.Show(id) + " was canceled"})
	if t.Status == StatusFailed {
		refusal = &ConflictError{Subject: b.String(), Reason: "task " + value.Show(id) + " failed: " + t.Error}
		err = b.store.read(ctx, func(conn *engine.Conn) error {
			if e := b.permit(conn, writeObjects); e != nil {
				refusal = e
			}
			return nil
		})
	}
	return result, public(cmp.Or(err, refusal))
}

// BulkResult returns the result of a [ChangeObjectsTask], or what it has done so far if it
// has not ended. The error is [ErrBadRequest] for another type of task.
func (t *Task) BulkResult() (*BulkResult, error) {
	if t.Type != ChangeObjectsTask {
		return nil, badRequest("task %s: its type is %s, want %s", value.Show(t.ID), t.Type, ChangeObjectsTask)
	}
	count := func(name string) int64 {
		n, _ := t.AdditionalData[name].(json.Number)
		i, _ := n.Int64()
		return i
	}
	r := &BulkResult{Matched: count("matched_count"), Changed: count("changed_count"), Failed: count("failed_count"), Failures: []BulkFailure{}, TaskID: t.ID}
	if len(t.Outputs) == 0 {
		return r, nil
	}
	text, err := json.Marshal(t.Outputs)
	if err == nil {
		err = json.Unmarshal(text, &r.Failures)
	}
	if err != nil {
		return nil, errorf("task %s: %w: %v", value.Show(t.ID), ErrCorrupt, err)
	}
	return r, nil
}

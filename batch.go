package bucketlite

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/jobs"
	"github.com/bucketlite/bucketlite/internal/value"
)

// BatchInput describes a new batch.
type BatchInput struct {
	// ObjectIDs are the ids of 1 to [MaxPutMany] objects. [Bucket.AddToBatch] adds
	// more. A repeated id counts once.
	ObjectIDs []string `json:"object_ids"`
	// Metadata is stored and returned as given.
	Metadata map[string]any `json:"metadata,omitempty"`
	// SkipValidation accepts ids of objects that do not exist. Objects that still do
	// not exist when the batch is processed are skipped. Default: false, such ids are
	// an error.
	SkipValidation bool `json:"-"`
}

// AddToBatchOptions configure [Bucket.AddToBatch]. Nil selects the defaults.
type AddToBatchOptions struct {
	// SkipValidation is as in [BatchInput].
	SkipValidation bool
}

// BatchUpdate describes a change of a batch. A nil field leaves its value unchanged.
type BatchUpdate struct {
	Metadata map[string]any `json:"metadata"` // replaces all metadata
}

// Batch is a snapshot of a group of objects that are processed together. Its JSON form
// is that of the hosted service's BatchModel.
//
// A batch is DRAFT until it is submitted, then PENDING until the first of its objects
// is handed out, then IN_PROGRESS. It ends as COMPLETED, as COMPLETED_WITH_ERRORS
// if some of its objects failed, as FAILED if none was processed, or as CANCELED.
type Batch struct {
	ID       string `json:"batch_id"`
	BucketID string `json:"bucket_id"`
	Status   Status `json:"status"`
	// ObjectIDs are the ids of its first 10,000 objects, in the order in which they
	// were added.
	ObjectIDs []string `json:"object_ids"`
	// TaskID is the id of the newest task that processes the batch. It is empty before
	// the batch is submitted.
	TaskID string `json:"task_id,omitempty"`
	// Error tells why objects failed, if the batch has ended and some did.
	Error string `json:"error,omitempty"`
	// ErrorSummary counts the failed objects by category. It is nil if there are none.
	ErrorSummary map[ErrorCategory]int64 `json:"error_summary,omitempty"`
	Metadata     map[string]any          `json:"metadata"`
	CreatedAt    time.Time               `json:"created_at"`
	UpdatedAt    time.Time               `json:"updated_at"` // last change of the status or the metadata

	// ObjectCount is the number of objects. Failed of them have failed. Skipped of them
	// no longer existed when their turn came.
	ObjectCount int64 `json:"-"`
	Failed      int64 `json:"-"`
	Skipped     int64 `json:"-"`

	num int64
}

// MarshalJSON returns the batch's JSON form.
func (b Batch) MarshalJSON() ([]byte, error) {
	type members Batch
	return json.Marshal(struct {
		members
		Type  string     `json:"type"`
		Tiers []struct{} `json:"tier_tasks"` // the hosted service has several stages
		Total int        `json:"total_tiers"`
	}{members(b), "BUCKET", []struct{}{}, 1})
}

// Done reports whether the batch has ended.
func (b *Batch) Done() bool {
	return b.Status != StatusDraft && b.Status != StatusPending && b.Status != StatusInProgress
}

// CreateBatch creates a draft batch of objects of the bucket. Processing begins when
// [Bucket.SubmitBatch] submits it.
//
// Errors: [ErrInvalid] with all ids that are malformed or name no object;
// [ErrTooLarge], [ErrLocked], [ErrNotActive], [ErrNotFound].
func (b *Bucket) CreateBatch(ctx context.Context, in BatchInput) (*Batch, error) {
	var issues []Issue
	ids := b.judgeIDs(in.ObjectIDs, &issues)
	metadata := encodeInfo("metadata", in.Metadata, &issues)
	if err := b.checkIDs(ctx, in.ObjectIDs, issues, in.SkipValidation); err != nil {
		return nil, err
	}
	id, err := b.store.newID(ident.BatchPrefix)
	if err != nil {
		return nil, err
	}
	var batch *Batch
	err = b.store.write(ctx, func(tx *commit.Tx) error {
		if _, err := b.permitted(tx, writeObjects); err != nil {
			return err
		}
		if err := jobs.CreateBatch(tx, b.num, id, metadata, ids); err != nil {
			return err
		}
		batch, err = b.selectBatch(tx.Conn, id)
		return err
	})
	return batch, err
}

// AddToBatch adds 1 to [MaxPutMany] objects to a draft batch, except those that it
// already has. A nil opts selects the defaults.
//
// Errors: those of [Bucket.CreateBatch], and [ErrConflict] if the batch has been submitted.
func (b *Bucket) AddToBatch(ctx context.Context, id string, objectIDs []string, opts *AddToBatchOptions) (*Batch, error) {
	if opts == nil {
		opts = &AddToBatchOptions{}
	}
	var issues []Issue
	ids := b.judgeIDs(objectIDs, &issues)
	if err := b.checkIDs(ctx, objectIDs, issues, opts.SkipValidation); err != nil {
		return nil, err
	}
	var batch *Batch
	err := b.store.write(ctx, func(tx *commit.Tx) error {
		k, err := b.writableBatch(tx, id)
		if err != nil {
			return err
		}
		if k.Status != string(StatusDraft) {
			return batchConflict(k, "only a draft batch can be added to")
		}
		if err := k.Add(tx, ids); err != nil {
			return err
		}
		batch, err = b.selectBatch(tx.Conn, id)
		return err
	})
	return batch, err
}

// judgeIDs returns the ids without repetitions, and adds their faults to issues.
func (b *Bucket) judgeIDs(ids []string, issues *[]Issue) []any {
	if len(ids) == 0 {
		*issues = append(*issues, Issue{"object_ids", ruleRequired, "at least one object expected"})
	}
	if len(ids) > MaxPutMany {
		message := fmt.Sprintf("at most %d objects are taken in one call, these are %d", MaxPutMany, len(ids))
		*issues = append(*issues, Issue{"object_ids", ruleSize, message})
		return nil
	}
	seen := make(map[string]bool, len(ids))
	distinct := make([]any, 0, len(ids))
	for i, id := range ids {
		if !ident.IsObject(id) {
			*issues = append(*issues, Issue{fmt.Sprintf("object_ids[%d]", i), ruleName, "1 to 128 of A-Z a-z 0-9 _ - expected, got " + value.Show(id)})
		} else if !seen[id] {
			seen[id] = true
			distinct = append(distinct, id)
		}
	}
	return distinct
}

// checkIDs returns the issues of a batch's input as an error. If there are none, and
// unless skip is set, it checks that the objects exist. Objects may be deleted at any
// moment, so this check needs no write lock.
func (b *Bucket) checkIDs(ctx context.Context, ids []string, issues []Issue, skip bool) error {
	if len(issues) > 0 {
		return newValidationError(b.String(), issues)
	}
	if skip {
		return ctx.Err()
	}
	all := make([]any, len(ids))
	for i, id := range ids {
		all[i] = id
	}
	list := string(value.Append(nil, all))
	err := b.store.read(ctx, func(c *engine.Conn) error {
		if err := b.permit(c, writeObjects); err != nil {
			return err
		}
		issues = nil
		return c.Query(`
SELECT key, value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM object WHERE partition = (SELECT partition FROM buckets WHERE num = ?) AND id = value) ORDER BY key`,
			[]any{list, b.num}, func(r engine.Row) error {
				issues = append(issues, Issue{fmt.Sprintf("object_ids[%d]", r.Int(0)), ruleExists, "no such object: " + value.Show(r.Text(1))})
				return nil
			})
	})
	if err == nil && len(issues) > 0 {
		err = newValidationError(b.String(), issues)
	}
	return err
}

// Batch returns the batch with the id. Like its info, a bucket's batches can be read in
// every status of the bucket. Errors: [ErrNotFound].
func (b *Bucket) Batch(ctx context.Context, id string) (*Batch, error) {
	var batch *Batch
	err := b.store.read(ctx, func(c *engine.Conn) (err error) {
		batch, err = b.selectBatch(c, id)
		return err
	})
	return batch, err
}

// BatchQuery selects batches. The zero BatchQuery is the first page of all batches.
type BatchQuery struct {
	Query
	// Status, unless empty, selects the batches with this status.
	Status Status
}

// Batches iterates over the bucket's batches that match q.
func (b *Bucket) Batches(ctx context.Context, q BatchQuery) iter.Seq2[*Batch, error] {
	return each(ctx, b.store, q.Query, func(ctx context.Context, page Query) (*Page[*Batch], error) {
		q.Query = page
		return b.ListBatches(ctx, q)
	})
}

// ListBatches returns one page of the bucket's batches that match q. Query paths are
// those of [Batch]'s JSON form, such as status, object_ids, created_at and
// metadata.run. Search covers batch_id, object_ids, task_id, error and metadata.
// Errors: [ErrBadRequest], [ErrNotFound].
func (b *Bucket) ListBatches(ctx context.Context, q BatchQuery) (*Page[*Batch], error) {
	batches := listing[*Batch]{
		list: list{kind: "batches " + string(q.Status), owner: b.num}, types: timesIn("created_at", "updated_at"),
		texts: []string{"batch_id", "object_ids", "task_id", "error", "metadata"},
		num:   func(k *Batch) int64 { return k.num },
		read: func(c *engine.Conn, s span, each func(*Batch, int64) error) error {
			return b.selectBatches(c, s.within("k.num", "?2")+" AND (?3 = '' OR k.status = ?3)"+s.order("k.num")+" LIMIT ?4",
				[]any{b.num, s.start(), string(q.Status), s.limit}, each)
		},
		count: counting("SELECT count(*) FROM batches WHERE bucket = ?1 AND sweep IS DISTINCT FROM 'delete' AND (?2 = '' OR status = ?2)",
			b.num, string(q.Status)),
	}
	return batches.page(ctx, b.store, q.Query)
}

func (b *Bucket) selectBatch(c *engine.Conn, id string) (*Batch, error) {
	var batch *Batch
	err := b.selectBatches(c, "k.id = ?2", []any{b.num, id}, func(k *Batch, _ int64) error { batch = k; return nil })
	if err == nil && batch == nil {
		err = b.noBatch(id)
	}
	return batch, err
}

// selectBatches reads the batches that match a condition, each with its objects in one
// row, so that both belong to one snapshot.
func (b *Bucket) selectBatches(c *engine.Conn, where string, args []any, each func(*Batch, int64) error) error {
	exists, err := c.QueryRow("SELECT 1 FROM buckets WHERE num = ?", args[:1], nil)
	if err != nil {
		return err
	}
	if !exists {
		return b.gone()
	}
	return c.Query(`
SELECT k.num, k.id, k.status, k.task, k.error, k.failures, k.metadata, k.total, k.failed, k.skipped, k.created_at, k.updated_at,
    (SELECT json_group_array(object) FROM (SELECT object FROM jobs WHERE batch = k.num ORDER BY position LIMIT 10000))
FROM batches k WHERE k.bucket = ?1 AND k.sweep IS DISTINCT FROM 'delete' AND `+where, args, func(r engine.Row) error {
		batch := &Batch{
			num: r.Int(0), ID: r.Text(1), BucketID: b.id, Status: Status(r.Text(2)), TaskID: r.Text(3), Error: r.Text(4),
			Metadata: map[string]any{}, ObjectCount: r.Int(7), Failed: r.Int(8), Skipped: r.Int(9),
			CreatedAt: timeOf(r.Int(10)), UpdatedAt: timeOf(r.Int(11)),
		}
		err := decodeInfo(r, 5, &batch.ErrorSummary)
		if err == nil {
			err = decodeInfo(r, 6, &batch.Metadata)
		}
		if err == nil {
			err = decodeInfo(r, 12, &batch.ObjectIDs)
		}
		if err != nil {
			return errorf("%s: batch %s: %w: %v", b, value.Show(batch.ID), ErrCorrupt, err)
		}
		return each(batch, r.Size())
	})
}

func (b *Bucket) noBatch(id string) error { return notFound("%s: batch %s", b, value.Show(id)) }

// UpdateBatch changes the metadata of a batch in any status. Errors: [ErrInvalid],
// [ErrNotFound], and [ErrLocked] or [ErrNotActive] if the bucket's info cannot be
// changed.
func (b *Bucket) UpdateBatch(ctx context.Context, id string, u BatchUpdate) (*Batch, error) {
	var issues []Issue
	metadata := encodeInfo("metadata", u.Metadata, &issues)
	if len(issues) > 0 {
		return nil, newValidationError(b.String(), issues)
	}
	var batch *Batch
	err := b.store.write(ctx, func(tx *commit.Tx) error {
		k, err := b.changeableBatch(tx, id)
		if err != nil {
			return err
		}
		if err := k.SetMetadata(tx, metadata); err != nil {
			return err
		}
		batch, err = b.selectBatch(tx.Conn, id)
		return err
	})
	return batch, err
}

// DeleteBatch deletes a batch that is a draft or has ended. Its objects stay.
// Errors: [ErrConflict] if the batch is still being processed, [ErrNotFound], and
// [ErrLocked] or [ErrNotActive] if the bucket's info cannot be changed.
func (b *Bucket) DeleteBatch(ctx context.Context, id string) error {
	return b.store.free(ctx, func(tx *commit.Tx) error {
		k, err := b.changeableBatch(tx, id)
		if err != nil {
			return err
		}
		if k.Running() {
			return batchConflict(k, "it must be canceled before it can be deleted")
		}
		return k.Delete(tx)
	})
}

// writableBatch returns the batch if the bucket allows objects to be written.
func (b *Bucket) writableBatch(tx *commit.Tx, id string) (*jobs.Batch, error) {
	return b.permittedBatch(tx, writeObjects, id)
}

// changeableBatch returns the batch if the bucket allows its info to be changed.
func (b *Bucket) changeableBatch(tx *commit.Tx, id string) (*jobs.Batch, error) {
	return b.permittedBatch(tx, changeInfo, id)
}

func (b *Bucket) permittedBatch(tx *commit.Tx, a access, id string) (*jobs.Batch, error) {
	if _, err := b.permitted(tx, a); err != nil {
		return nil, err
	}
	k, err := jobs.FindBatch(tx, b.num, id)
	if err == nil && k == nil {
		err = b.noBatch(id)
	}
	return k, err
}

// batchConflict returns the error of a call that the batch's status forbids.
func batchConflict(k *jobs.Batch, reason string) error {
	return &ConflictError{Subject: fmt.Sprintf("batch %q", k.ID), Reason: fmt.Sprintf("it is %s: %s", k.Status, reason)}
}

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

// BatchInput says what a new batch consists of.
type BatchInput struct {
	// ObjectIDs are the ids of 1 to [MaxPutMany] objects; [Bucket.AddToBatch] adds
	// more. An id that is given twice counts once.
	ObjectIDs []string `json:"object_ids"`
	// Metadata is kept and returned.
	Metadata map[string]any `json:"metadata,omitempty"`
	// SkipValidation takes ids that name no object. Those that still do not when
	// the batch is processed are skipped. Default: false, they are refused.
	SkipValidation bool `json:"-"`
}

// AddToBatchOptions adjust [Bucket.AddToBatch]. Nil means the defaults.
type AddToBatchOptions struct {
	// SkipValidation is that of [BatchInput].
	SkipValidation bool
}

// BatchUpdate says what to change of a batch; what is nil stays.
type BatchUpdate struct {
	Metadata map[string]any `json:"metadata"` // takes the place of the old as a whole
}

// Batch is a group of objects that are processed together, as it stood at one
// moment. Its JSON form is that of the hosted service's BatchModel.
//
// It is DRAFT until it is submitted, then PENDING until the first of its objects
// is handed out, then IN_PROGRESS. It ends as COMPLETED, as COMPLETED_WITH_ERRORS
// if some of its objects failed, as FAILED if none was processed, or as CANCELED.
type Batch struct {
	ID       string `json:"batch_id"`
	BucketID string `json:"bucket_id"`
	Status   Status `json:"status"`
	// ObjectIDs are the ids of its objects in the order in which they were added;
	// the first 10,000, if there are more.
	ObjectIDs []string `json:"object_ids"`
	// TaskID is the id of the newest task that processes it, if it was submitted.
	TaskID string `json:"task_id,omitempty"`
	// Error says why objects failed, if it has ended and some did.
	Error string `json:"error,omitempty"`
	// ErrorSummary counts the objects that have failed by category, nil if none has.
	ErrorSummary map[ErrorCategory]int64 `json:"error_summary,omitempty"`
	Metadata     map[string]any          `json:"metadata"`
	CreatedAt    time.Time               `json:"created_at"`
	UpdatedAt    time.Time               `json:"updated_at"` // of the status or the metadata

	// ObjectCount counts its objects; of these, Failed have failed, and Skipped
	// were not there any more when their turn came.
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
		Tiers []struct{} `json:"tier_tasks"` // the hosted service's, for several stages
		Total int        `json:"total_tiers"`
	}{members(b), "BUCKET", []struct{}{}, 1})
}

// Done reports whether the batch has ended.
func (b *Batch) Done() bool {
	return b.Status != StatusDraft && b.Status != StatusPending && b.Status != StatusInProgress
}

// CreateBatch creates a batch of objects of the bucket. Nothing happens to them
// until it is submitted.
//
// Errors: [ErrInvalid] with all ids that name no object, or are none;
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
		if err := jobs.Create(tx, b.num, id, metadata, ids); err != nil {
			return err
		}
		batch, err = b.selectBatch(tx.Conn, id)
		return err
	})
	return batch, err
}

// AddToBatch adds 1 to [MaxPutMany] objects to a draft batch; those it has already
// stay once. A nil opts means the defaults.
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

// judgeIDs returns the ids without repetitions, and says what is wrong with them.
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

// checkIDs returns what is wrong with the input of a batch, or, unless that is to
// be skipped, with ids that name no object. Objects may be deleted at any moment,
// so there is no need to look for them with the write lock held.
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
SELECT key, value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM object WHERE bucket = ? AND id = value) ORDER BY key`,
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

// Batch returns the batch with the id, or [ErrNotFound]. Like the bucket's info,
// its batches can be read whatever its status.
func (b *Bucket) Batch(ctx context.Context, id string) (*Batch, error) {
	var batch *Batch
	err := b.store.read(ctx, func(c *engine.Conn) (err error) {
		batch, err = b.selectBatch(c, id)
		return err
	})
	return batch, err
}

// BatchQuery says which batches are wanted. The zero BatchQuery is the first page of all.
type BatchQuery struct {
	Query
	// Status, unless empty, is the status the batches have.
	Status Status
}

// Batches iterates over the bucket's batches that q wants.
func (b *Bucket) Batches(ctx context.Context, q BatchQuery) iter.Seq2[*Batch, error] {
	return each(ctx, b.store, q.Query, func(ctx context.Context, page Query) (*Page[*Batch], error) {
		q.Query = page
		return b.ListBatches(ctx, q)
	})
}

// ListBatches returns one page of the bucket's batches that match q. The paths of a
// query are those of [Batch]'s JSON form, as status, object_ids, created_at and
// metadata.run; a search looks at batch_id, object_ids, task_id, error and metadata.
// Errors: [ErrBadRequest], [ErrNotFound].
func (b *Bucket) ListBatches(ctx context.Context, q BatchQuery) (*Page[*Batch], error) {
	batches := listing[*Batch]{
		list: list{kind: "batches " + string(q.Status), owner: b.num}, types: timesIn("created_at", "updated_at"),
		texts: []string{"batch_id", "object_ids", "task_id", "error", "metadata"},
		num:   func(k *Batch) int64 { return k.num },
		read: func(c *engine.Conn, after, limit int64, each func(*Batch, int64) error) error {
			return b.selectBatches(c, "k.num > ?2 AND (?3 = '' OR k.status = ?3) ORDER BY k.num LIMIT ?4",
				[]any{b.num, after, string(q.Status), limit}, each)
		},
		count: counting("SELECT count(*) FROM batches WHERE bucket = ?1 AND sweep IS NOT 'delete' AND (?2 = '' OR status = ?2)",
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

// selectBatches reads the batches a condition describes, each with its objects in
// one row, so that they are those of one moment.
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
FROM batches k WHERE k.bucket = ?1 AND k.sweep IS NOT 'delete' AND `+where, args, func(r engine.Row) error {
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

// UpdateBatch changes a batch's metadata, whatever its status. Errors:
// [ErrInvalid], [ErrNotFound], and [ErrLocked] or [ErrNotActive] where the bucket's
// info cannot be changed.
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
// Errors: [ErrConflict] if it has been submitted and not ended, [ErrNotFound], and
// [ErrLocked] or [ErrNotActive] where the bucket's info cannot be changed.
func (b *Bucket) DeleteBatch(ctx context.Context, id string) error {
	return b.store.free(ctx, func(tx *commit.Tx) error {
		k, err := b.changeableBatch(tx, id)
		if err != nil {
			return err
		}
		if k.Running() {
			return batchConflict(k, "it must be cancelled before it can be deleted")
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
	k, err := jobs.Find(tx, b.num, id)
	if err == nil && k == nil {
		err = b.noBatch(id)
	}
	return k, err
}

// batchConflict says why the batch's status forbids a call.
func batchConflict(k *jobs.Batch, reason string) error {
	return &ConflictError{Subject: fmt.Sprintf("batch %q", k.ID), Reason: fmt.Sprintf("it is %s: %s", k.Status, reason)}
}

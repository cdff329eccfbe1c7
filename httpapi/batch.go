package httpapi

import (
	"slices"

	"github.com/bucketlite/bucketlite"
)

var batchRoutes = []route{
	{"POST /v1/buckets/{bucket}/batches", scoped, writes, listBody, (*call).createBatch},
	{"POST /v1/buckets/{bucket}/batches/list", scoped, reads, formBody, (*call).listBatches},
	{"GET /v1/buckets/{bucket}/batches/{batch}", scoped, reads, noBody, (*call).getBatch},
	{"PATCH /v1/buckets/{bucket}/batches/{batch}", scoped, writes, formBody, (*call).updateBatch},
	{"DELETE /v1/buckets/{bucket}/batches/{batch}", scoped, writes, noBody, (*call).deleteBatch},
	{"POST /v1/buckets/{bucket}/batches/{batch}/objects", scoped, writes, listBody, (*call).addToBatch},
	{"POST /v1/buckets/{bucket}/batches/{batch}/submit", scoped, writes, formBody, (*call).submitBatch},
	{"POST /v1/buckets/{bucket}/batches/{batch}/cancel", scoped, writes, formBody, (*call).cancelBatch},
	{"POST /v1/buckets/{bucket}/batches/{batch}/retry", scoped, writes, listBody, (*call).retryBatch},
	{"GET /v1/buckets/{bucket}/batches/{batch}/failed-documents", scoped, reads, formBody, (*call).listFailedDocuments},
}

// onlyTier is the one stage of processing that there is. The hosted service has more,
// in which collections are processed that were made from objects.
const (
	onlyTier = 0
	maxTier  = 1<<31 - 1
)

// createBatch creates a batch of objects of the bucket.
func (c *call) createBatch() (any, error) {
	ids, metadata, skip, err := c.batchObjects()
	if err != nil {
		return nil, err
	}
	return c.bucket.CreateBatch(c.ctx(), bucketlite.BatchInput{ObjectIDs: ids, Metadata: metadata, SkipValidation: skip})
}

// addToBatch adds objects to a batch that has not been submitted.
func (c *call) addToBatch() (any, error) {
	ids, _, skip, err := c.batchObjects()
	if err != nil {
		return nil, err
	}
	return c.bucket.AddToBatch(c.ctx(), c.r.PathValue("batch"), ids, &bucketlite.AddToBatchOptions{SkipValidation: skip})
}

// batchObjects returns the objects that a batch is to have, and whether they need
// not be there.
func (c *call) batchObjects() (ids []string, metadata map[string]any, skip bool, err error) {
	skip = c.params().boolean("skip_validation", false)
	f, err := c.form()
	if err != nil {
		return nil, nil, false, err
	}
	ids, metadata = f.texts("object_ids"), f.object("metadata")
	return ids, metadata, skip, c.check()
}

// submitBatch queues the batch's objects, and returns the task that keeps account.
func (c *call) submitBatch() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	f.boolean("include_processing_history", true) // there is none
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.bucket.SubmitBatch(c.ctx(), c.r.PathValue("batch"))
}

// listBatches returns a page of the bucket's batches.
func (c *call) listBatches() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	status := f.status()
	q, err := c.listed(f, 100, bucketlite.MaxLimit)
	if err != nil {
		return nil, err
	}
	q.Total = true
	page, err := c.bucket.ListBatches(c.ctx(), bucketlite.BatchQuery{Query: q.Query, Status: status})
	if err != nil {
		return nil, err
	}
	return answerOf(q, page, nil, true), nil
}

// getBatch returns a batch.
func (c *call) getBatch() (any, error) {
	return c.bucket.Batch(c.ctx(), c.r.PathValue("batch"))
}

// updateBatch changes a batch's metadata.
func (c *call) updateBatch() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	update := bucketlite.BatchUpdate{Metadata: f.object("metadata")}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.bucket.UpdateBatch(c.ctx(), c.r.PathValue("batch"), update)
}

// deleted is the answer to the deletion of a batch or a task, which is done at once.
type deleted struct {
	Message string `json:"message"`
	Success bool   `json:"success"`
}

// deleteBatch deletes a batch that is a draft or has ended.
func (c *call) deleteBatch() (any, error) {
	if err := c.bucket.DeleteBatch(c.ctx(), c.r.PathValue("batch")); err != nil {
		return nil, err
	}
	return deleted{"Successfully deleted", true}, nil
}

// cancelBatch ends a batch that has been submitted, and returns its task.
func (c *call) cancelBatch() (any, error) {
	return c.bucket.CancelBatch(c.ctx(), c.r.PathValue("batch"))
}

// A retry says what of a batch is being processed again; without a task, nothing.
type retry struct {
	BatchID  string            `json:"batch_id"`
	Status   bucketlite.Status `json:"status"` // the batch's
	TaskID   *string           `json:"task_id"`
	Retried  int64             `json:"retried_count"`
	Mode     string            `json:"retry_mode"`
	MaxCount int               `json:"max_retry_count"`
}

// retryBatch queues objects that have failed once more.
func (c *call) retryBatch() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	r := retry{BatchID: c.r.PathValue("batch")}
	r.Mode = f.choice("retry_mode", "transient_only", "transient_only", "all")
	tiers := f.integers("tier_nums")
	r.MaxCount = f.integer("max_retry_count", 1, 10, 3)
	if err := c.check(); err != nil {
		return nil, err
	}
	if len(tiers) == 0 || slices.Contains(tiers, onlyTier) {
		result, err := c.bucket.RetryBatch(c.ctx(), r.BatchID, &bucketlite.RetryBatchOptions{All: r.Mode == "all", MaxRetries: r.MaxCount})
		if err != nil {
			return nil, err
		}
		if r.Retried = result.Retried; result.Task != nil {
			r.TaskID = &result.Task.ID
		}
	}
	batch, err := c.bucket.Batch(c.ctx(), r.BatchID)
	if err != nil {
		return nil, err
	}
	r.Status = batch.Status
	return r, nil
}

// listFailedDocuments returns a page of the objects of a batch that have failed. All
// are of one tier, and of no collection: of others there are none.
func (c *call) listFailedDocuments() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	params := c.params()
	tier := params.integer("tier_num", 0, maxTier, onlyTier)
	collection := params.text("collection_id")
	q, err := c.listed(f, 100, bucketlite.MaxLimit)
	if err != nil {
		return nil, err
	}
	q.Total, q.includeTotal = true, true
	id := c.r.PathValue("batch")
	if tier == onlyTier && collection == "" {
		page, err := c.bucket.ListFailedJobs(c.ctx(), id, q.Query)
		if err != nil {
			return nil, err
		}
		return answerOf(q, page, nil, true), nil
	}
	if _, err := c.bucket.Batch(c.ctx(), id); err != nil {
		return nil, err
	}
	return answerOf(q, &bucketlite.Page[*bucketlite.FailedJob]{}, nil, true), nil
}

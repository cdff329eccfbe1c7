package httpapi

import (
	"net/http"

	"github.com/bucketlite/bucketlite"
)

var bucketRoutes = []route{
	{"POST /v1/buckets", scoped, writes, definitionBody, (*call).createBucket},
	{"POST /v1/buckets/list", scoped, reads, formBody, (*call).listBuckets},
	{"GET /v1/buckets", scoped, reads, formBody, (*call).browseBuckets},
	{"GET /v1/buckets/{bucket}", scoped, reads, noBody, (*call).getBucket},
	{"PUT /v1/buckets/{bucket}", scoped, writes, definitionBody, (*call).updateBucket},
	{"PATCH /v1/buckets/{bucket}", scoped, writes, definitionBody, (*call).updateBucket},
	{"DELETE /v1/buckets/{bucket}", scoped, writes, noBody, (*call).deleteBucket},
}

// createBucket creates a bucket.
func (c *call) createBucket() (any, error) {
	config, err := c.bucketConfig()
	if err != nil {
		return nil, err
	}
	b, err := c.ns.CreateBucket(c.ctx(), config)
	if err != nil {
		return nil, err
	}
	return b.Info(c.ctx())
}

// bucketConfig returns the body as the description of a new bucket.
func (c *call) bucketConfig() (config bucketlite.BucketConfig, err error) {
	f, err := c.form()
	if err != nil {
		return config, err
	}
	config.Name = f.requiredText("bucket_name", "name")
	config.Description = f.text("description")
	config.Metadata = f.object("metadata")
	config.StorageClass = bucketlite.StorageClass(f.text("storage_class"))
	config.Schema = f.schema()
	config.UniqueKey = f.uniqueKey()
	config.Indexes, config.TextIndexes = f.texts("indexes"), f.texts("text_indexes")
	if limits := f.retention(); limits != nil {
		config.Retention = *limits
	}
	return config, c.check()
}

// getBucket returns a bucket, also one that is being deleted.
func (c *call) getBucket() (any, error) {
	return c.bucket.Info(c.ctx())
}

// deletion is the response to the deletion of a bucket or a namespace: the task and its
// target.
type deletion struct {
	TaskID        string            `json:"task_id"`
	Status        bucketlite.Status `json:"status"`
	BucketID      string            `json:"bucket_id,omitempty"`
	BucketName    string            `json:"bucket_name,omitempty"`
	NamespaceID   string            `json:"namespace_id,omitempty"`
	NamespaceName string            `json:"namespace_name,omitempty"`
	ObjectCount   any               `json:"object_count"`
}

// deleteBucket begins to delete a bucket.
func (c *call) deleteBucket() (any, error) {
	b := c.bucket
	task, err := b.Delete(c.ctx())
	if err != nil {
		return nil, err
	}
	return deletion{
		TaskID: task.ID, Status: task.Status, BucketID: b.ID(), BucketName: b.Name(),
		ObjectCount: task.AdditionalData["object_count"],
	}, nil
}

// listBuckets returns a page of the namespace's buckets. Counting them, and summing them up,
// costs more the more there are, so a request may exclude both. The hosted service's POST
// always has total_count.
func (c *call) listBuckets() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	q, err := c.listed(f, 10, bucketlite.MaxLimit)
	if err != nil {
		return nil, err
	}
	q.Total = !q.uncounted || c.r.Method == http.MethodPost
	page, err := c.ns.ListBuckets(c.ctx(), q.Query)
	if err != nil {
		return nil, err
	}
	var stats *bucketlite.BucketListStats
	if !q.noStats {
		if stats, err = c.ns.BucketListStats(c.ctx(), q.Query); err != nil {
			return nil, err
		}
	}
	return answerOf(q, page, stats, q.Total), nil
}

// browseBuckets is listBuckets for clients that use GET, with the request in the URL's
// query.
func (c *call) browseBuckets() (any, error) {
	c.warn("GET /v1/buckets: POST /v1/buckets/list expected")
	return c.listBuckets()
}

package httpapi

import (
	"errors"
	"time"

	"github.com/bucketlite/bucketlite"
)

var objectRoutes = []route{
	{"POST /v1/buckets/{bucket}/objects", scoped, writes, objectBody, (*call).createObject},
	{"POST /v1/buckets/{bucket}/objects/batch", scoped, writes, objectBody, (*call).createObjects},
	{"POST /v1/buckets/{bucket}/objects/list", scoped, reads, formBody, (*call).listObjects},
	{"POST /v1/buckets/{bucket}/objects/aggregate", scoped, reads, formBody, (*call).aggregateObjects},
	{"GET /v1/buckets/{bucket}/objects/{object}", scoped, reads, noBody, (*call).getObject},
	{"PUT /v1/buckets/{bucket}/objects/{object}", scoped, writes, objectBody, (*call).updateObject},
	{"PATCH /v1/buckets/{bucket}/objects/{object}", scoped, writes, objectBody, (*call).patchObject},
	{"DELETE /v1/buckets/{bucket}/objects/{object}", scoped, writes, noBody, (*call).deleteObject},
}

// createObject puts an object: what happens when its key is taken is for the policy
// to say.
func (c *call) createObject() (any, error) {
	params := c.params()
	policy, process := params.policy(), params.boolean("auto_process", false)
	if err := c.check(); err != nil {
		return nil, err
	}
	in, err := c.objectInput()
	if err != nil {
		return nil, err
	}
	put, err := c.bucket.Put(c.ctx(), in, &bucketlite.PutOptions{Policy: policy, Process: process})
	if err != nil {
		return nil, err
	}
	c.warnOfDocuments(put.Object)
	return c.tagged(put.Object), nil
}

// getObject returns an object. The URLs of its blobs are included on request. If-Match is
// obeyed. If-None-Match is not: processing changes an object's status and keeps its
// version, so a client that waits for the status would get a 304 forever.
func (c *call) getObject() (any, error) {
	presign := c.params().boolean("return_presigned_urls", false)
	if err := c.check(); err != nil {
		return nil, err
	}
	o, err := c.bucket.Object(c.ctx(), c.r.PathValue("object"))
	if err == nil {
		err = c.expects(condition{match: etagsOf(c.r.Header.Values("If-Match"))}, o)
	}
	if err == nil && presign {
		err = c.presignBlobs(c.bucket, o)
	}
	if err != nil {
		return nil, err
	}
	return c.tagged(o), nil
}

// updateObject merges fields, which stand in metadata, and blobs into an object.
func (c *call) updateObject() (any, error) {
	in, err := c.objectUpdate()
	if err != nil {
		return nil, err
	}
	fields := in.Fields
	o, err := c.patch(in)
	var invalid *bucketlite.ValidationError
	if !errors.As(err, &invalid) {
		return o, err
	}
	// The form has the fields one level down.
	moved := *invalid
	moved.Issues = nil
	for _, issue := range invalid.Issues {
		if at := segments(issue.Path); len(at) > 0 {
			name, _ := at[0].(string)
			if _, ok := fields[name]; ok {
				issue.Path = below("metadata", issue.Path)
			}
		}
		moved.Issues = append(moved.Issues, issue)
	}
	return nil, &moved
}

// patchObject merges fields and blobs into an object; null removes.
func (c *call) patchObject() (any, error) {
	in, err := c.objectInput()
	if err != nil {
		return nil, err
	}
	return c.patch(in)
}

// patch patches the object of the path and returns the stored object.
func (c *call) patch(in bucketlite.ObjectInput) (any, error) {
	var o *bucketlite.Object
	err := c.guarded(func(ifVersion int64) (err error) {
		o, err = c.bucket.Patch(c.ctx(), c.r.PathValue("object"), in, &bucketlite.PatchOptions{IfVersion: ifVersion})
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(in.Blobs) > 0 {
		c.warnOfDocuments(o)
	}
	return c.tagged(o), nil
}

// deleteObject deletes an object.
func (c *call) deleteObject() (any, error) {
	return nil, c.guarded(func(ifVersion int64) error {
		return c.bucket.DeleteObject(c.ctx(), c.r.PathValue("object"), &bucketlite.DeleteObjectOptions{IfVersion: ifVersion})
	})
}

// tagged returns the object, with its version as the answer's ETag.
func (c *call) tagged(o *bucketlite.Object) *bucketlite.Object {
	c.w.Header().Set("ETag", etag(o.Version))
	return o
}

// listObjects returns a page of the bucket's objects.
func (c *call) listObjects() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	q, err := c.listed(f, bucketlite.DefaultLimit, bucketlite.MaxLimit)
	if err != nil {
		return nil, err
	}
	b := c.bucket
	if err := c.noteQuery(b, &q.Query); err != nil {
		return nil, err
	}
	page, err := b.ListRaw(c.ctx(), q.Query)
	if err != nil {
		return nil, err
	}
	stats, err := statsOf(q, b.ID(), func() (*bucketlite.ObjectListStats, error) { return b.ListStats(c.ctx(), q.Query) })
	if err != nil {
		return nil, err
	}
	return answerOf(q, page, stats, false), nil
}

// noteQuery warns of paths that the schema does not declare. The hosted service has no
// objects for a filter that none can match, so there is a warning, and the filter becomes
// one that matches nothing.
func (c *call) noteQuery(b *bucketlite.Bucket, q *bucketlite.Query) error {
	if q.Filter == (bucketlite.Filter{}) && len(q.Sort) == 0 && len(q.Select) == 0 {
		return nil // a plain list, as most are
	}
	notes, err := b.Notes(c.ctx(), *q)
	var bad *bucketlite.QueryError
	if errors.As(err, &bad) && bad.Unsatisfiable {
		for i, issue := range bad.Issues {
			if text := issue.Path + ": " + issue.Message; i == 0 {
				c.tell(text)
			} else {
				c.warn(text)
			}
		}
		q.Filter, q.Cursor = bucketlite.Or(), ""
		return nil
	}
	for _, note := range notes {
		c.warn(note)
	}
	return err
}

// aggregated is the answer to an aggregation.
type aggregated struct {
	result *bucketlite.AggregateResult
	aggregatedRest
}

// An aggregatedRest is the answer to an aggregation without its groups.
type aggregatedRest struct {
	TotalGroups int            `json:"total_groups"`
	Info        map[string]any `json:"query_info"`
}

func (a aggregated) results() int { return len(a.result.Groups) }

func (a aggregated) appendResult(dst []byte, i int) ([]byte, error) {
	return appendEncoded(dst, a.result.Groups[i])
}

func (a aggregated) rest() any { return a.aggregatedRest }

// aggregateObjects groups the bucket's objects and computes over each group.
func (c *call) aggregateObjects() (any, error) {
	data, err := c.body()
	if err != nil {
		return nil, err
	}
	if f, err := c.formOf(data); err == nil { // else the error below is about it
		if f.operands("filters"); len(c.faults) > 0 {
			return nil, c.faults
		}
	}
	var a bucketlite.Aggregation
	if err := a.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	if err := c.noteAggregation(&a); err != nil {
		return nil, err
	}
	began := time.Now()
	result, err := c.bucket.Aggregate(c.ctx(), a)
	if err != nil {
		return nil, err
	}
	took := float64(time.Since(began).Microseconds()) / 1000
	return aggregated{result, aggregatedRest{result.TotalGroups, map[string]any{"execution_time_ms": took}}}, nil
}

// noteAggregation is [call.noteQuery] for the filter of an aggregation, whose other parts
// are validated by itself.
func (c *call) noteAggregation(a *bucketlite.Aggregation) error {
	q := bucketlite.Query{Filter: a.Filter}
	err := c.noteQuery(c.bucket, &q)
	if errors.Is(err, bucketlite.ErrBadRequest) {
		return nil // the aggregation reports it with its other faults
	}
	a.Filter = q.Filter
	return err
}

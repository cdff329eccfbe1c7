package httpapi

import (
	"context"
	"errors"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

var objectQueryRoutes = []route{
	{"POST /v1/buckets/{bucket}/objects/delete", scoped, writes, formBody, (*call).deleteObjects},
	{"POST /v1/buckets/{bucket}/objects/patch", scoped, writes, formBody, (*call).patchObjects},
}

// changedObjects is the answer to a change of objects by query. If a task makes the change,
// the counts are 0.
type changedObjects struct {
	Status  bucketlite.Status `json:"status"`
	DryRun  bool              `json:"dry_run"`
	Message string            `json:"message,omitempty"`
	*bucketlite.BulkResult
}

// changedOf returns the answer for a result.
func changedOf(r *bucketlite.BulkResult, opts *bucketlite.BulkOptions) changedObjects {
	a := changedObjects{Status: bucketlite.StatusCompleted, DryRun: opts.DryRun, BulkResult: r}
	switch {
	case r.TaskID != "":
		a.Status, a.Message = bucketlite.StatusPending, "the task has the result"
	case r.Failed > 0:
		a.Status = bucketlite.StatusCompletedWithErrors
	}
	return a
}

// deleteObjects deletes the objects that match a query.
func (c *call) deleteObjects() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	q, opts, err := c.objectQuery(f, "filters", "search", "case_sensitive", "all", "dry_run")
	if err != nil {
		return nil, err
	}
	return c.changeObjects(opts, func(ctx context.Context) (*bucketlite.BulkResult, error) {
		return c.bucket.DeleteObjects(ctx, q, opts)
	})
}

// patchObjects patches the objects that match a query.
func (c *call) patchObjects() (any, error) {
	f, err := c.form("patch")
	if err != nil {
		return nil, err
	}
	text := f.raw["patch"]
	if text == nil {
		f.fault("patch", "required", "required")
	}
	q, opts, err := c.objectQuery(f, "filters", "search", "case_sensitive", "all", "dry_run", "patch")
	if err != nil {
		return nil, err
	}
	reader := objectReader{call: c, to: c.bucket, ownIDs: true}
	patch, err := reader.read(text)
	var answer any
	if err == nil {
		answer, err = c.changeObjects(opts, func(ctx context.Context) (*bucketlite.BulkResult, error) {
			return c.bucket.PatchObjects(ctx, q, patch, opts)
		})
	}
	if errors.Is(err, bucketlite.ErrInvalid) {
		f.take("patch", err)
		return nil, c.faults
	}
	return answer, err
}

// changeObjects makes a change. A dry run may take as long as a query.
func (c *call) changeObjects(opts *bucketlite.BulkOptions, change func(context.Context) (*bucketlite.BulkResult, error)) (any, error) {
	if opts.DryRun {
		defer c.limitTime()()
	}
	r, err := change(c.ctx())
	if err != nil {
		return nil, err
	}
	return changedOf(r, opts), nil
}

// objectQuery returns the query of a change, and its options.
func (c *call) objectQuery(f *form, members ...string) (q bucketlite.Query, opts *bucketlite.BulkOptions, err error) {
	f.only("a change by query has no such member", members...)
	c.params().only("a change by query has no parameters")
	q = bucketlite.Query{Search: f.text("search"), CaseSensitive: f.boolean("case_sensitive", false)}
	opts = &bucketlite.BulkOptions{All: f.boolean("all", false), DryRun: f.boolean("dry_run", false), NoWait: true}
	if filters := f.object("filters"); filters != nil {
		if f.operands("filters"); len(c.faults) == 0 {
			if q.Filter, err = bucketlite.ParseFilter(value.Append(nil, filters)); err != nil {
				return q, nil, err
			}
		}
	}
	if err := c.check(); err != nil {
		return q, nil, err
	}
	return q, opts, c.noteQuery(c.bucket, &q)
}

package httpapi

import (
	"errors"

	"github.com/bucketlite/bucketlite"
)

var indexRoutes = []route{
	{"GET /v1/buckets/{bucket}/indexes", scoped, reads, noBody, (*call).listIndexes},
	{"POST /v1/buckets/{bucket}/indexes", scoped, writes, formBody, (*call).createIndex},
	{"DELETE /v1/buckets/{bucket}/indexes", scoped, writes, noBody, (*call).dropIndex},
}

// listIndexes returns a bucket's indexes, all of them.
func (c *call) listIndexes() (any, error) {
	return c.indexes(c.bucket)
}

func (c *call) indexes(b *bucketlite.Bucket) (any, error) {
	indexes, err := b.Indexes(c.ctx())
	if err != nil {
		return nil, err
	}
	return list[bucketlite.Index]{Results: indexes}, nil
}

// index returns the kind and the path of an index. Only a text index can do without
// a path: it is of all texts then.
func (f *form) index() (kind bucketlite.IndexKind, path string) {
	kind = bucketlite.IndexKind(f.choice("kind", "", string(bucketlite.ValueIndex), string(bucketlite.TextIndex)))
	if kind == bucketlite.TextIndex {
		return kind, f.text("path")
	}
	return kind, f.requiredText("path")
}

// createIndex makes an index, unless there is one, and answers when it is ready. It
// is built nevertheless if the client does not wait for that.
func (c *call) createIndex() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	kind, path := f.index()
	if err := c.check(); err != nil {
		return nil, err
	}
	b := c.bucket
	if kind == bucketlite.TextIndex {
		err = b.EnsureTextIndex(c.ctx(), path)
	} else {
		err = b.EnsureIndex(c.ctx(), path)
	}
	var bad *bucketlite.QueryError
	if errors.As(err, &bad) { // the form has one path, not a list
		moved := *bad
		moved.Issues = nil
		for _, issue := range bad.Issues {
			issue.Path = "path"
			moved.Issues = append(moved.Issues, issue)
		}
		err = &moved
	}
	if err != nil {
		return nil, err
	}
	return c.indexes(b)
}

// dropIndex drops an index; there need not be one.
func (c *call) dropIndex() (any, error) {
	kind, path := c.params().index()
	if err := c.check(); err != nil {
		return nil, err
	}
	if kind == bucketlite.TextIndex {
		return nil, c.bucket.DropTextIndex(c.ctx(), path)
	}
	return nil, c.bucket.DropIndex(c.ctx(), path)
}

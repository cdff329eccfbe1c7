package httpapi

import (
	"context"

	"github.com/bucketlite/bucketlite"
)

var lifecycleRoutes = []route{
	{"POST /v1/buckets/{bucket}/lock", scoped, writes, noBody, transition((*bucketlite.Bucket).Lock)},
	{"POST /v1/buckets/{bucket}/unlock", scoped, writes, noBody, transition((*bucketlite.Bucket).Unlock)},
	{"POST /v1/buckets/{bucket}/archive", scoped, writes, noBody, transition((*bucketlite.Bucket).Archive)},
	{"POST /v1/buckets/{bucket}/suspend", scoped, writes, noBody, transition((*bucketlite.Bucket).Suspend)},
	{"POST /v1/buckets/{bucket}/activate", scoped, writes, noBody, transition((*bucketlite.Bucket).Activate)},
}

// transition serves a change of a bucket's state, and returns the bucket. The body
// does not matter.
func transition(do func(*bucketlite.Bucket, context.Context) error) func(*call) (any, error) {
	return func(c *call) (any, error) {
		if err := do(c.bucket, c.ctx()); err != nil {
			return nil, err
		}
		return c.bucket.Info(c.ctx())
	}
}

package httpapi

import "github.com/bucketlite/bucketlite"

var explainRoutes = []route{
	{"POST /v1/buckets/{bucket}/objects/explain", scoped, reads, formBody, (*call).explainObjects},
}

// explained is the answer to an explanation.
type explained struct {
	*bucketlite.Explanation
	Text string `json:"text"` // the same for people
}

// explainObjects explains how the page of a list is found.
func (c *call) explainObjects() (any, error) {
	if err := c.allRights("the explanation"); err != nil {
		return nil, err
	}
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	q, err := c.listed(f, bucketlite.DefaultLimit, bucketlite.MaxLimit)
	if err != nil {
		return nil, err
	}
	if err := c.noteQuery(c.bucket, &q.Query); err != nil {
		return nil, err
	}
	e, err := c.bucket.Explain(c.ctx(), q.Query)
	if err != nil {
		return nil, err
	}
	return explained{e, e.String()}, nil
}

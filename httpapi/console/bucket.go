package console

import (
	"net/http"

	"github.com/bucketlite/bucketlite"
)

var bucketRoutes = []route{
	{"GET /n/{namespace}/{$}", inPlace, reads, (*request).buckets},
}

// pageSize is how many rows a list has on a page.
const pageSize = 50

// bucketList is what the list of buckets shows.
type bucketList struct {
	Rows  []*bucketlite.BucketInfo
	Pager pager
}

func (q *request) buckets() error {
	page, err := q.ns.ListBuckets(q.ctx(), bucketlite.Query{Limit: pageSize, Cursor: q.query("after")})
	if err != nil {
		return err
	}
	return q.render(http.StatusOK, "buckets", "Buckets", bucketList{page.Results, q.pagerFor(len(page.Results), page.Next)})
}

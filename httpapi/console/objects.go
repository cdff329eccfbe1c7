package console

import (
	"net/http"

	"github.com/bucketlite/bucketlite"
)

var objectsRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/{$}", inPlace, reads, (*request).objects},
}

// objectList is what the list of objects shows.
type objectList struct {
	Rows  []*bucketlite.Object
	Pager pager
	Fault *fault // why there are no rows
}

func (q *request) objects() error {
	page, err := q.bucket.List(q.ctx(), bucketlite.Query{Limit: pageSize, Cursor: q.query("after")})
	if err != nil {
		return err
	}
	return q.render(http.StatusOK, "objects", "Objects", objectList{Rows: page.Results, Pager: q.pagerFor(len(page.Results), page.Next)})
}

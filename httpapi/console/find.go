package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/bucketlite/bucketlite"
)

var findRoutes = []route{
	{"GET /n/{namespace}/find", inPlace, reads, (*request).find},
}

// maxFindIn bounds the buckets in which an object is looked up, and maxFound the buckets
// that are shown.
const (
	maxFindIn = 500
	maxFound  = 50
)

// findPage is what was found in a namespace.
type findPage struct {
	Text    string
	Objects []foundObject
	Buckets []*bucketlite.BucketInfo
	Partial bool // there are buckets in which no object was looked up
}

// A foundObject is an object by its id or its key.
type foundObject struct {
	Bucket *bucketlite.BucketInfo
	ID     string
	Key    string // by which it was found, empty for its id
}

// find looks up objects by an id or a key, and searches the names and ids of buckets. It
// examines no objects. If there is only one of what is sought, the page is that.
func (q *request) find() error {
	p := &findPage{Text: strings.TrimSpace(q.query("q"))}
	if p.Text == "" {
		return q.render(http.StatusOK, "find", "Find", p)
	}
	if err := q.findObjects(p); err != nil {
		return err
	}
	found, err := q.ns.ListBuckets(q.ctx(), bucketlite.Query{Search: p.Text, Limit: maxFound})
	if err != nil && !errors.Is(err, bucketlite.ErrBadRequest) { // a text may be too long to search for
		return err
	}
	if found != nil {
		p.Buckets = found.Results
	}
	switch {
	case len(p.Objects) == 1 && len(p.Buckets) == 0:
		return q.redirect(q.nsPath() + "b/" + p.Objects[0].Bucket.ID + "/o/" + p.Objects[0].ID + "/")
	case len(p.Objects) == 0 && len(p.Buckets) == 1 && (p.Buckets[0].ID == p.Text || p.Buckets[0].Name == p.Text):
		return q.redirect(q.nsPath() + "b/" + p.Buckets[0].ID + "/")
	}
	return q.render(http.StatusOK, "find", "Find", p)
}

// findObjects looks an object up in each bucket.
func (q *request) findObjects(p *findPage) error {
	buckets, err := q.ns.ListBuckets(q.ctx(), bucketlite.Query{Limit: maxFindIn})
	if err != nil {
		return err
	}
	p.Partial = buckets.Next != ""
	for _, info := range buckets.Results {
		b, err := q.ns.Bucket(q.ctx(), info.ID)
		if errors.Is(err, bucketlite.ErrNotFound) {
			continue // it has just been deleted
		}
		if err != nil {
			return err
		}
		found, err := q.findIn(b, info, p.Text)
		if err != nil {
			return err
		}
		if found != nil {
			p.Objects = append(p.Objects, *found)
		}
	}
	return nil
}

// findIn looks an object up in a bucket, by its id and then by its key. It returns nil if
// there is none, or if the bucket may not be read.
func (q *request) findIn(b *bucketlite.Bucket, info *bucketlite.BucketInfo, text string) (*foundObject, error) {
	o, err := b.Object(q.ctx(), text)
	if err == nil {
		return &foundObject{Bucket: info, ID: o.ID}, nil
	}
	if q.ctx().Err() != nil {
		return nil, err
	}
	if key := info.UniqueKey; key != nil && len(key.Fields) == 1 {
		name := key.Fields[0]
		o, err = b.ObjectByKey(q.ctx(), map[string]any{name: valueOf(text, info.Schema.Properties[name].Type)})
		if err == nil {
			return &foundObject{Bucket: info, ID: o.ID, Key: name}, nil
		}
	}
	// An id or a key that cannot be one, a bucket that is suspended, and an object that is
	// damaged are nothing that was found.
	return nil, q.ctx().Err()
}

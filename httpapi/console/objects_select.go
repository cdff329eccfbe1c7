package console

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite"
)

var selectRoutes = []route{
	{"POST /n/{namespace}/b/{bucket}/select", inPlace, writes, (*request).selected},
}

// chosen is what the form around the list sends: the objects that are chosen in it.
type chosen struct {
	View      *objectView
	IDs       []string
	All       bool // all objects of the view, and no ids
	Do        string
	Confirmed bool
	Name      string // of the bucket, to confirm that all its objects are meant
	Until     string // when the page was made that asked; of the objects of a view, those that have changed since stay
}

// maxChosen bounds the ids of a form.
const maxChosen = 1000

// parseChosen reads the form. Its view must be whole: without one of its conditions it
// would select more than the page showed.
func parseChosen(form url.Values) (*chosen, error) {
	params, err := url.ParseQuery(form.Get("at"))
	if err != nil {
		return nil, invalid("at: the query of an address expected")
	}
	c := &chosen{All: form.Get("all") == "1", Do: form.Get("do"), Confirmed: form.Get("confirm") == "yes", Name: form.Get("name"), Until: form.Get("until")}
	c.View, _ = parseObjectView(params)
	if c.All {
		return c, nil
	}
	for _, id := range form["id"] {
		if id != "" && !slices.Contains(c.IDs, id) {
			c.IDs = append(c.IDs, id)
		}
		if len(c.IDs) > maxChosen {
			return nil, invalid("more objects than a page has are chosen; choose all that match")
		}
	}
	return c, nil
}

// A chosenPage asks for confirmation, or reports the objects that were refused.
type chosenPage struct {
	*chosen
	Count   int64
	More    bool // there are more than Count
	Typed   bool // the name of the bucket is wanted
	Fault   *fault
	Refused []refusedObject
	Deleted int
}

// A refusedObject was not deleted.
type refusedObject struct{ ID, Text string }

// selected deletes the objects that are chosen, or submits them as a batch, once that is
// confirmed.
func (q *request) selected() error {
	form, err := q.form()
	if err != nil {
		return err
	}
	c, err := parseChosen(form)
	if err != nil {
		return err
	}
	if !c.All && len(c.IDs) == 0 {
		return q.done(q.bucketPath()+c.View.Here(), "nothing-chosen")
	}
	query, err := c.View.query(q.info.Schema)
	if err != nil {
		return err
	}
	query = bucketlite.Query{Filter: query.Filter, Search: query.Search, CaseSensitive: query.CaseSensitive}
	switch {
	case c.Do == "delete" && !c.Confirmed, c.Do == "batch" && !c.Confirmed && c.All:
		return q.confirmChoice(http.StatusOK, c, query, nil)
	case c.Do == "delete" && c.All:
		return q.deleteAll(c, query)
	case c.Do == "delete":
		return q.deleteChosen(c)
	case c.Do == "batch":
		return q.batchOf(c, query)
	}
	return invalid(`do: "delete" or "batch" expected`)
}

// confirmChoice asks whether the objects are meant.
func (q *request) confirmChoice(status int, c *chosen, query bucketlite.Query, f *fault) (err error) {
	p := &chosenPage{chosen: c, Count: int64(len(c.IDs)), Fault: f}
	c.Until = time.Now().UTC().Format(time.RFC3339Nano) // as the store does, whatever the clock of sessions
	if c.All {
		p.Typed = c.Do == "delete" && isAll(query)
		if p.Typed {
			p.Count = q.info.ObjectCount
		} else if p.Count, err = q.bucket.CountUpTo(q.ctx(), query, countUpTo); err != nil {
			return err
		}
		p.More = !p.Typed && p.Count == countUpTo
	}
	title := "Delete objects"
	if c.Do == "batch" {
		title = "Submit a batch"
	}
	return q.render(status, "select", title, p)
}

// isAll reports whether a query has no condition, as a view with the filter {"AND": []} has
// none.
func isAll(query bucketlite.Query) bool {
	text, err := query.Filter.MarshalJSON()
	return err == nil && query.Search == "" && !bytes.Contains(text, []byte(`"field"`))
}

// deleteAll deletes all objects of a view. Many are deleted by a task.
func (q *request) deleteAll(c *chosen, query bucketlite.Query) error {
	all := isAll(query)
	if all && c.Name != q.info.Name {
		return q.confirmChoice(http.StatusUnprocessableEntity, c, query, &fault{Text: "This is not the name of the bucket."})
	}
	if !all && c.Until != "" {
		query.Filter = bucketlite.And(query.Filter, bucketlite.Lte("updated_at", c.Until))
	}
	r, err := q.bucket.DeleteObjects(q.ctx(), query, &bucketlite.BulkOptions{All: all, NoWait: true})
	if err != nil {
		return err
	}
	if r.TaskID != "" {
		return q.done(q.nsPath()+"tasks", "objects-deleting")
	}
	p := &chosenPage{chosen: c, Deleted: int(r.Changed)}
	for _, f := range r.Failures {
		p.Refused = append(p.Refused, refusedObject{f.ID, sentence(f.Message)})
	}
	return q.afterDelete(p)
}

// deletedAtOnce is how many of the chosen objects are deleted side by side, in one commit
// where the store can.
const deletedAtOnce = 16

// deleteChosen deletes objects by their ids. One that is gone already is none that is
// refused.
func (q *request) deleteChosen(c *chosen) error {
	p := &chosenPage{chosen: c}
	errs := make([]error, len(c.IDs))
	var group sync.WaitGroup
	turns := make(chan struct{}, deletedAtOnce)
	for i, id := range c.IDs {
		turns <- struct{}{}
		group.Go(func() {
			defer func() { <-turns }()
			errs[i] = q.bucket.DeleteObject(q.ctx(), id, nil)
		})
	}
	group.Wait()
	for i, err := range errs {
		switch {
		case err == nil:
			p.Deleted++
		case errors.Is(err, context.Canceled), errors.Is(err, bucketlite.ErrLocked), errors.Is(err, bucketlite.ErrNotActive):
			return err
		case !errors.Is(err, bucketlite.ErrNotFound):
			_, text := describe(err)
			p.Refused = append(p.Refused, refusedObject{c.IDs[i], text})
		}
	}
	return q.afterDelete(p)
}

// afterDelete shows the list again, or which objects were refused.
func (q *request) afterDelete(p *chosenPage) error {
	if len(p.Refused) == 0 {
		return q.done(q.bucketPath()+p.View.Here(), "objects-deleted")
	}
	return q.render(http.StatusConflict, "select", "Not all objects were deleted", p)
}

// maxBatch bounds the objects of a batch that the console makes: it reads their ids within
// one request.
const maxBatch = 100_000

// batchOf submits a batch of the objects.
func (q *request) batchOf(c *chosen, query bucketlite.Query) error {
	ids := c.IDs
	if c.All {
		var err error
		if ids, err = q.idsOf(c.View, query); err != nil {
			return err
		}
	}
	if len(ids) == 0 {
		return q.done(q.bucketPath()+c.View.Here(), "nothing-chosen")
	}
	batch, err := q.draft(ids)
	if err != nil {
		return err
	}
	if _, err := q.bucket.SubmitBatch(q.ctx(), batch.ID); err != nil {
		return err
	}
	return q.done(q.bucketPath()+"batches/"+batch.ID, "batch-submitted")
}

// idsOf returns the ids of all objects that a query selects, in the order of the view.
func (q *request) idsOf(v *objectView, query bucketlite.Query) (ids []string, err error) {
	query.Select, query.Sort, query.Reverse = []string{"object_id"}, v.Sort, !v.Oldest
	for o, err := range q.bucket.Objects(q.ctx(), query) {
		if err != nil {
			return nil, err
		}
		if len(ids) == maxBatch {
			return nil, invalid("a batch of at most " + formatCount(maxBatch) + " objects can be made here; narrow the filter")
		}
		ids = append(ids, o.ID)
	}
	return ids, nil
}

// draft makes a batch of the ids. If it cannot be whole, there is none.
func (q *request) draft(ids []string) (batch *bucketlite.Batch, err error) {
	for part := range slices.Chunk(ids, bucketlite.MaxPutMany) {
		if batch == nil {
			batch, err = q.bucket.CreateBatch(q.ctx(), bucketlite.BatchInput{ObjectIDs: part})
		} else if _, err = q.bucket.AddToBatch(q.ctx(), batch.ID, part, nil); err != nil {
			return nil, errors.Join(err, q.bucket.DeleteBatch(context.WithoutCancel(q.ctx()), batch.ID))
		}
		if err != nil {
			return nil, err
		}
	}
	return batch, nil
}

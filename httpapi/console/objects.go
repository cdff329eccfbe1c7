package console

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/bucketlite/bucketlite"
)

var objectsRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/{$}", inPlace, reads, (*request).objects},
	{"GET /n/{namespace}/b/{bucket}/count", inPlace, reads, (*request).count},
	{"GET /n/{namespace}/b/{bucket}/changes", inPlace, reads, (*request).changes},
}

// The first paint does not wait for a query that examines fewObjects or more for longer
// than firstPaint: the rows follow by a request of their own.
const (
	fewObjects = 2000
	firstPaint = 30 * time.Millisecond
)

// lateness is when the rows of a list follow its first paint.
type lateness struct {
	objects int64         // that a query examines at least
	after   time.Duration // from the beginning of the query
	many    int64         // objects that a query examines for the page to say that it is slow
}

// objectList is what the list of objects shows.
type objectList struct {
	View    *objectView
	Columns []column
	Rows    []objectRow
	Pager   pager
	Sizes   []int

	Filter *filterForm
	Cost   cost
	Faults viewFaults
	Fault  *fault // why there are no rows
	Late   bool   // the rows follow
	Paths  []pathOption
	Choice []columnChoice // of the columns

	Total  *total
	Cursor string // of the events at the time of the page
	Now    time.Time
}

// NoRows says why there are no rows, if nothing is wrong.
func (l *objectList) NoRows() string {
	switch {
	case l.View.After != "":
		return "There are no more objects."
	case l.View.Selects():
		return "No object matches."
	}
	return ""
}

// An objectRow is one object in the table or the grid.
type objectRow struct {
	ID      string
	Name    string // of the object, for people
	Cells   []cell
	Picture *blobView
	Size    int64
	Status  bucketlite.Status
	Blobs   int
}

// A columnChoice is a column that may be shown.
type columnChoice struct {
	Path, Name string
	Chosen     bool
}

// total is how many objects there are in all.
type total struct {
	Known bool
	Count int64
	More  bool // there are more than Count
	Lazy  string
	All   string // the address that counts all
}

// objects shows the objects of a bucket, or to a script their rows.
func (q *request) objects() error {
	if len(q.r.URL.RawQuery) > maxAddress {
		return errLongAddress
	}
	v, filled := parseObjectView(q.params())
	if len(v.Conditions) > maxConditions {
		return errManyConditions
	}
	if filled {
		return q.redirect(q.bucketPath() + v.FirstPage())
	}
	list, status, err := q.objectList(v)
	if err != nil {
		return err
	}
	if q.isPart() {
		return q.renderPart(status, "objects", "rows", list)
	}
	return q.render(status, "objects", "Objects", list)
}

// objectList reads a page of objects. A fault of the query, or of the bucket's state, is
// part of the list.
func (q *request) objectList(v *objectView) (list *objectList, status int, err error) {
	s := q.info.Schema
	list = &objectList{View: v, Columns: v.columns(q.info), Sizes: pageSizes, Paths: pathsOf(s), Now: q.c.limits.Now()}
	list.Choice = v.choices(s, list.Columns)
	if list.Cursor, err = q.c.store.EventCursor(q.ctx()); err != nil {
		return nil, 0, err
	}
	query, err := v.query(s)
	var page *bucketlite.Page[*bucketlite.Object]
	if err == nil {
		page, err = q.page(list, query)
	}
	status = http.StatusOK
	if err != nil {
		if status, err = q.explainFault(list, err); err != nil {
			return nil, 0, err
		}
	}
	list.Filter = v.form(list.Faults, query.Filter)
	if page != nil {
		for _, o := range page.Results {
			list.Rows = append(list.Rows, q.rowOf(list, o))
		}
		list.Pager = v.pager(len(page.Results), page.Next)
	}
	if page != nil {
		list.Total, err = q.totalOf(v, query, page)
	}
	return list, status, err
}

// page reads the page of a query, and what it costs. The page is nil if it would take too
// long before the first paint.
func (q *request) page(list *objectList, query bucketlite.Query) (*bucketlite.Page[*bucketlite.Object], error) {
	e, err := q.bucket.Explain(q.ctx(), query)
	if err != nil {
		return nil, err
	}
	list.Cost = list.View.costOf(e, q.c.late.many)
	ctx := q.ctx()
	searches := list.View.Selects() || len(list.View.Sort) > 0
	if searches && e.Objects >= q.c.late.objects && !q.isPart() && !list.View.Wait {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, q.c.late.after)
		defer cancel()
	}
	page, err := q.bucket.List(ctx, query)
	if errors.Is(err, context.DeadlineExceeded) && q.ctx().Err() == nil {
		list.Late = true
		return nil, nil
	}
	return page, err
}

// explainFault notes in the list why it has no rows, unless the browser has left.
func (q *request) explainFault(list *objectList, err error) (status int, _ error) {
	if errors.Is(err, context.Canceled) {
		return 0, err
	}
	q.logEntry().SetError(err)
	status, text := describe(err)
	list.Faults = list.View.faultsOf(err)
	if len(list.Faults.Rows)+len(list.Faults.Texts) > 0 {
		text = "The objects cannot be selected: see what is wrong with the filter above."
	}
	list.Fault = &fault{Status: status, Text: text, Issues: list.Faults.Others, ID: q.id()}
	if status >= 500 {
		list.Fault.Again = list.View.Waiting()
	}
	return status, nil
}

// rowOf returns the row of an object.
func (q *request) rowOf(list *objectList, o *bucketlite.Object) objectRow {
	row := objectRow{ID: o.ID, Name: q.titleOf(o), Size: o.Size, Status: o.Status, Blobs: len(o.Blobs)}
	if list.View.Grid {
		if b := pictureOf(o); b != nil {
			row.Picture = viewOfBlob(b)
		}
		return row
	}
	row.Cells = make([]cell, len(list.Columns))
	linked := false // the first cell with a text leads to the object
	for i, c := range list.Columns {
		row.Cells[i] = cellOf(q.info.Schema, o, c)
		if !linked && !c.Picture {
			linked = true
			row.Cells[i].Head = true
		}
	}
	return row
}

// pager returns the links to other pages.
func (v *objectView) pager(results int, next string) (p pager) {
	if next != "" || v.After != "" {
		p.Text = plural(results, "object") + " on this page"
	}
	if v.After != "" {
		p.First = v.FirstPage()
	}
	if next != "" {
		p.Next = v.Page(next)
	}
	return p
}

// choices returns the columns of the form: those that are shown, and then the others.
func (v *objectView) choices(s bucketlite.Schema, shown []column) (choices []columnChoice) {
	for _, c := range shown {
		choices = append(choices, columnChoice{c.Path, c.Name, true})
	}
	for _, path := range columnPaths(s) {
		if !slices.ContainsFunc(shown, func(c column) bool { return c.Path == path }) {
			choices = append(choices, columnChoice{path, columnName(path), false})
		}
	}
	return choices
}

// maxAddress bounds the query of the address, which each link of the page repeats.
const maxAddress = 16 << 10

var errLongAddress = &refusal{http.StatusRequestURITooLong, "the address has more than 16 KiB; a filter of this size is for the API"}

// countUpTo is how far the page counts by itself.
const countUpTo = 10_000

// totalOf returns how many objects the view selects, if that costs nothing or the page is
// to count them. Otherwise a script asks later.
func (q *request) totalOf(v *objectView, query bucketlite.Query, page *bucketlite.Page[*bucketlite.Object]) (*total, error) {
	switch {
	case !v.Selects():
		return &total{Known: true, Count: q.info.ObjectCount}, nil
	case v.After == "" && page.Next == "":
		return &total{Known: true, Count: int64(len(page.Results))}, nil
	}
	t := &total{Lazy: "count" + v.FirstPage(), All: v.Counting()}
	if v.Count {
		return t, q.countAll(t, query)
	}
	return t, nil
}

// countAll counts all objects that a query selects.
func (q *request) countAll(t *total, query bucketlite.Query) (err error) {
	t.Count, err = q.bucket.CountUpTo(q.ctx(), query, math.MaxInt64)
	t.Known = true
	return err
}

// count counts the objects of a view: up to [countUpTo], or all of them.
func (q *request) count() error {
	v, _ := parseObjectView(q.params())
	all := q.query("all") == "1"
	if !q.isPart() {
		return q.redirect(q.bucketPath() + v.Counting())
	}
	query, err := v.query(q.info.Schema)
	if err != nil {
		return err
	}
	t := &total{Known: true, All: v.Counting(), Lazy: "count" + v.FirstPage() + "&all=1"}
	if all {
		err = q.countAll(t, query)
	} else {
		t.Count, err = q.bucket.CountUpTo(q.ctx(), query, countUpTo)
		t.More = t.Count == countUpTo
	}
	if err != nil {
		return err
	}
	return q.renderPart(http.StatusOK, "objects", "total", t)
}

// maxChanges bounds the changes that a page counts.
const maxChanges = 1000

// changeCount is how many changes there were since a page was made.
type changeCount struct {
	Count int64
	More  bool
	Next  string // the address that counts on
	Since time.Time
}

// changes counts the events of the bucket since a page was made. The rows stay as they are
// until the reader wants others.
func (q *request) changes() error {
	n := changeCount{Count: min(max(atoi(q.query("n")), 0), maxChanges), Since: time.Unix(atoi(q.query("at")), 0)}
	cursor := q.query("since")
	if !q.isPart() {
		return q.redirect(q.bucketPath())
	}
	ctx, cancel := context.WithCancel(q.ctx())
	defer cancel()
	for event, err := range q.bucket.Watch(ctx, &bucketlite.WatchOptions{After: cursor, Idle: cancel}) {
		if err != nil && ctx.Err() != nil && q.ctx().Err() == nil {
			break // it has counted what there is
		}
		if errors.Is(err, bucketlite.ErrCursorExpired) { // there were more than the store keeps
			n.Count, n.More = maxChanges, true
			break
		}
		if err != nil {
			return err
		}
		cursor = event.Cursor
		if event.ObjectID == "" {
			continue
		}
		if n.Count++; n.Count >= maxChanges {
			n.More = true
			break
		}
	}
	n.Next = changesAddress(cursor, n.Count, n.Since)
	return q.renderPart(http.StatusOK, "objects", "changes", n)
}

// changesAddress returns the address that counts the changes after a cursor.
func changesAddress(cursor string, n int64, since time.Time) string {
	return "changes?" + url.Values{"since": {cursor}, "n": {strconv.FormatInt(n, 10)}, "at": {strconv.FormatInt(since.Unix(), 10)}}.Encode()
}

// atoi returns a number of an address, 0 if it is none.
func atoi(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// Changes are those since the page was made.
func (l *objectList) Changes() changeCount {
	return changeCount{Since: l.Now, Next: changesAddress(l.Cursor, 0, l.Now)}
}

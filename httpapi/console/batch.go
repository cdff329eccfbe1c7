package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite"
)

var batchRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/batches", inPlace, reads, (*request).batches},
	{"POST /n/{namespace}/b/{bucket}/batches", inPlace, writes, (*request).createBatch},
	{"GET /n/{namespace}/b/{bucket}/batches/{batch}", inPlace, reads, (*request).batch},
	{"POST /n/{namespace}/b/{bucket}/batches/{batch}", inPlace, writes, (*request).changeBatch},
}

// A batchRow is a batch with the progress of its task.
type batchRow struct {
	*bucketlite.Batch
	Processed, Total int64
}

// batchList is what the list of batches shows.
type batchList struct {
	Rows     []batchRow
	Pager    pager
	Status   bucketlite.Status
	Statuses []bucketlite.Status
	Moves    bool // a batch has not ended

	IDs   string // of the form that was refused
	Fault *fault
}

// batches lists the batches of the bucket, the newest first.
func (q *request) batches() error {
	list, err := q.batchList()
	if err != nil {
		return err
	}
	if q.isPart() && !list.Moves {
		return q.settled()
	}
	return q.show("batches", "Batches", "list", list)
}

func (q *request) batchList() (*batchList, error) {
	list := &batchList{Status: bucketlite.Status(q.query("status")), Statuses: append([]bucketlite.Status{bucketlite.StatusDraft}, taskStatuses...)}
	page, err := q.bucket.ListBatches(q.ctx(), bucketlite.BatchQuery{
		Query: bucketlite.Query{Reverse: true, Limit: pageSize, Cursor: q.query("after")}, Status: list.Status,
	})
	if err != nil {
		return nil, err
	}
	for _, b := range page.Results {
		row, err := q.batchRow(b)
		if err != nil {
			return nil, err
		}
		list.Rows = append(list.Rows, row)
		list.Moves = list.Moves || b.Status == bucketlite.StatusPending || b.Status == bucketlite.StatusInProgress
	}
	list.Pager = q.pagerFor(page.Next)
	return list, nil
}

// batchRow returns a batch with its progress. All objects of a batch that has ended are
// done, and none of a draft.
func (q *request) batchRow(b *bucketlite.Batch) (batchRow, error) {
	row := batchRow{Batch: b, Total: b.ObjectCount}
	switch {
	case b.Done():
		row.Processed = b.ObjectCount
	case b.TaskID != "":
		t, err := q.c.store.Task(q.ctx(), b.TaskID)
		if err != nil {
			return row, err
		}
		row.Processed, row.Total = t.Processed, max(t.Total, b.ObjectCount)
	}
	return row, nil
}

// createBatch creates a draft of the objects whose ids the form has.
func (q *request) createBatch() error {
	form, err := q.form()
	if err != nil {
		return err
	}
	ids := strings.FieldsFunc(form.Get("ids"), func(r rune) bool { return r == ',' || r == '\n' || r == '\r' || r == ' ' || r == '\t' })
	b, err := q.bucket.CreateBatch(q.ctx(), bucketlite.BatchInput{ObjectIDs: ids})
	if err == nil {
		return q.done(q.bucketPath()+"batches/"+b.ID, "batch-created")
	}
	status, text := describe(err)
	if status >= 500 {
		return err
	}
	list, listErr := q.batchList()
	if listErr != nil {
		return listErr
	}
	list.IDs, list.Fault = form.Get("ids"), &fault{Status: status, Text: text, Issues: issuesOf(err)}
	return q.render(status, "batches", "Batches", list)
}

// batchPage is what the page of a batch shows.
type batchPage struct {
	Batch    batchRow
	IDs      []string // of the first objects
	More     int64    // objects after those
	Failures []*bucketlite.FailedJob
	Pager    pager
	Reasons  []reason
	Wrong    string // why it was not changed
}

// A reason counts the failures of a category.
type reason struct {
	Category bucketlite.ErrorCategory
	Count    int64
}

// shownIDs is how many ids of objects the page of a batch shows.
const shownIDs = 50

// batch shows a batch and its failures.
func (q *request) batch() error {
	p, err := q.batchPage()
	if err != nil {
		return err
	}
	if q.isPart() && !p.Batch.Running() {
		return q.settled()
	}
	return q.show("batch", "Batch", "batch", p)
}

func (q *request) batchPage() (*batchPage, error) {
	b, err := q.bucket.Batch(q.ctx(), q.r.PathValue("batch"))
	if err != nil {
		return nil, err
	}
	p := &batchPage{}
	if p.Batch, err = q.batchRow(b); err != nil {
		return nil, err
	}
	p.IDs = b.ObjectIDs[:min(len(b.ObjectIDs), shownIDs)]
	p.More = b.ObjectCount - int64(len(p.IDs))
	for category, n := range b.ErrorSummary {
		p.Reasons = append(p.Reasons, reason{category, n})
	}
	slices.SortFunc(p.Reasons, func(a, b reason) int { return strings.Compare(string(a.Category), string(b.Category)) })
	failed, err := q.bucket.ListFailedJobs(q.ctx(), b.ID, bucketlite.Query{Limit: pageSize, Cursor: q.query("after")})
	if err != nil {
		return nil, err
	}
	p.Failures, p.Pager = failed.Results, q.pagerFor(failed.Next)
	return p, nil
}

// changeBatch submits, retries, cancels or deletes the batch, as the button says.
func (q *request) changeBatch() error {
	form, err := q.form()
	if err != nil {
		return err
	}
	id := q.r.PathValue("batch")
	path, message := q.bucketPath()+"batches/"+id, ""
	switch form.Get("do") {
	case "submit":
		_, err = q.bucket.SubmitBatch(q.ctx(), id)
		message = "batch-submitted"
	case "retry", "retry-all":
		var result *bucketlite.RetryBatchResult
		result, err = q.bucket.RetryBatch(q.ctx(), id, &bucketlite.RetryBatchOptions{All: form.Get("do") == "retry-all"})
		message = "batch-retried"
		if err == nil && result.Retried == 0 {
			message = "batch-unchanged"
		}
	case "cancel":
		_, err = q.bucket.CancelBatch(q.ctx(), id)
		message = "batch-canceled"
	case "delete":
		err = q.bucket.DeleteBatch(q.ctx(), id)
		path, message = q.bucketPath()+"batches", "batch-deleted"
	default:
		return invalid("do: submit, retry, retry-all, cancel or delete expected, got " + strconv.Quote(form.Get("do")))
	}
	if err == nil {
		return q.done(path, message)
	}
	status, text := describe(err)
	if status >= 500 || status == http.StatusNotFound {
		return err
	}
	p, pageErr := q.batchPage()
	if pageErr != nil {
		return pageErr
	}
	p.Wrong = text
	return q.render(status, "batch", "Batch", p)
}

// Draft reports whether the batch has not been submitted.
func (r batchRow) Draft() bool { return r.Status == bucketlite.StatusDraft }

// Running reports whether the batch is submitted and has not ended.
func (r batchRow) Running() bool { return !r.Draft() && !r.Done() }

// Retryable reports whether failed objects may be processed again.
func (r batchRow) Retryable() bool {
	return r.Done() && r.Failed > 0 && r.Status != bucketlite.StatusCanceled
}

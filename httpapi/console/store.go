package console

import (
	"context"
	"net/http"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

var storeRoutes = []route{
	{"GET /store", withAll, reads, (*request).storePage},
	{"GET /store/check", withAll, reads, (*request).checkPart},
	{"POST /store/check", withAll, writes, (*request).startCheck},
	{"POST /store/check/cancel", withAll, writes, (*request).cancelCheck},
	{"POST /store/backup", withAll, writes, (*request).backup},
}

// storeView is what the page of the store shows.
type storeView struct {
	Stats *bucketlite.StoreStats
	Tasks int64  // that have not ended
	Fault string // why the store takes no writes; empty if it does
	Check *checkView
}

// checkView is how far the last check of the store is.
type checkView struct {
	httpapi.CheckState
	Running bool
	Wrong   string // why it is not complete
	// Done of Total bytes and objects are checked, for a progress bar.
	Done, Total int64
}

// storePage shows the state of the whole store.
func (q *request) storePage() error {
	stats, err := q.c.store.Stats(q.ctx())
	if err != nil {
		return err
	}
	v := storeView{Stats: stats, Check: q.lastCheck()}
	if err := q.c.store.Err(); err != nil {
		_, v.Fault = describe(err)
	}
	for _, status := range []bucketlite.Status{bucketlite.StatusPending, bucketlite.StatusInProgress} {
		page, err := q.c.store.ListTasks(q.ctx(), bucketlite.TaskQuery{Query: bucketlite.Query{Limit: 1, Total: true}, Status: status})
		if err != nil {
			return err
		}
		v.Tasks += page.Total
	}
	return q.render(http.StatusOK, "store", "Store", v)
}

// lastCheck returns the check that runs, or the one that ended last; nil for none.
func (q *request) lastCheck() *checkView {
	c := q.c.api.LastCheck()
	if c == nil {
		return nil
	}
	state := c.State()
	v := &checkView{CheckState: state, Running: state.Running()}
	if state.Err != nil {
		_, v.Wrong = describe(state.Err)
	}
	v.Done, v.Total = state.Progress.Objects, max(state.Progress.TotalObjects, 1)
	if p := state.Progress; p.Objects == p.TotalObjects && p.TotalContentBytes > 0 {
		v.Done, v.Total = p.ContentBytes, p.TotalContentBytes
	}
	return v
}

// checkPart shows how far the check is.
func (q *request) checkPart() error {
	if !q.isPart() {
		return q.redirect("store")
	}
	check := q.lastCheck()
	if check == nil || !check.Running {
		return q.settled()
	}
	return q.renderPart(http.StatusOK, "store", "check", storeView{Check: check})
}

// startCheck starts a check, which continues when the browser leaves.
func (q *request) startCheck() error {
	if _, err := q.c.api.StartCheck(context.WithoutCancel(q.ctx())); err != nil {
		return err
	}
	return q.redirect("store")
}

func (q *request) cancelCheck() error {
	if c := q.c.api.LastCheck(); c != nil {
		c.Cancel()
		<-c.Done()
	}
	return q.redirect("store")
}

// backup copies the store, and sends the copy as a download.
func (q *request) backup() error {
	f, err := q.c.api.Backup(q.ctx())
	if err != nil {
		return err
	}
	defer f.Close()
	q.wrote = true
	if err := f.Serve(q.w); err != nil {
		q.logEntry().SetError(err)
		panic(http.ErrAbortHandler) // half a backup must not look whole
	}
	return nil
}

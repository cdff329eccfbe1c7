package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite"
)

var schemaRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/schema", inPlace, reads, (*request).schema},
	{"POST /n/{namespace}/b/{bucket}/schema", inPlace, writes, (*request).changeSchema},
}

// schemaPage is what the page of a schema shows.
type schemaPage struct {
	As     string // table, json, go or typescript
	Rows   []schemaRow
	Text   string // unless As is table
	Change *changeProgress
}

// A schemaRow is one field of a schema, also a nested one.
type schemaRow struct {
	Path, Type, Description string
	Required, Key           bool
	Rules                   []string // such as "default: 5"
}

// schema shows the schema of a bucket, or with the parameter "change" the form that
// changes it. A script is given the change that is under way.
func (q *request) schema() error {
	change, err := q.lastChange()
	if err != nil {
		return err
	}
	if q.isPart() {
		return q.renderPart(http.StatusOK, "schema", "underway", change)
	}
	if q.params().Has("change") && q.mayChangeSchema() {
		return q.showSchemaForm(http.StatusOK, q.newSchemaChange())
	}
	page := schemaPage{As: q.query("as"), Change: change}
	switch page.As {
	case "json":
		page.Text = indented(q.info.Schema)
	case "go":
		page.Text = goStruct(q.info)
	case "typescript":
		page.Text = typeScript(q.info)
	default:
		page.As = "table"
		page.Rows = schemaRows(q.info)
	}
	return q.render(http.StatusOK, "schema", "Schema", page)
}

func (q *request) mayChangeSchema() bool {
	return !q.access.ReadOnly && q.info.Status == bucketlite.StatusActive && !q.info.Locked
}

// changeProgress is the last change of a schema that needed a task.
type changeProgress struct {
	*bucketlite.Task
	Running bool
	Refused *objectFaults // if objects did not conform
	Problem string        // if it ended without a change for another reason
}

// lastChange returns the last change that needed a task, if it is under way, or ended
// without a change of the schema since. Otherwise it returns nil.
func (q *request) lastChange() (*changeProgress, error) {
	page, err := q.c.store.ListTasks(q.ctx(), bucketlite.TaskQuery{Type: bucketlite.ChangeSchemaTask, Query: bucketlite.Query{
		Filter: bucketlite.Eq("additional_data.bucket_id", q.bucket.ID()), Reverse: true, Limit: 1,
	}})
	if err != nil || len(page.Results) == 0 {
		return nil, err
	}
	task := page.Results[0]
	p := &changeProgress{Task: task, Running: !task.Done()}
	switch {
	case p.Running:
		return p, nil
	case task.Status == bucketlite.StatusCompleted || task.UpdatedAt.Before(q.info.UpdatedAt):
		return nil, nil
	}
	var count int64
	if p.Refused, count = refusalOf(task); count == 0 {
		p.Refused, p.Problem = nil, task.Error
	}
	return p, nil
}

// newSchemaChange is the form with the schema in force.
func (q *request) newSchemaChange() *schemaChange {
	f := &schemaChange{Version: q.info.SchemaVersion}
	f.Schema = newSchemaForm(documentOf(q.info.Schema))
	for i := range f.Schema.Rows {
		f.Schema.Rows[i].Was = f.Schema.Rows[i].Name
	}
	q.inForce(f)
	return f
}

// inForce adds to a form what the bucket says, and the form does not.
func (q *request) inForce(f *schemaChange) {
	f.Schema.InForce = true
	for i := range f.Schema.Rows {
		row := &f.Schema.Rows[i]
		row.Key = q.info.UniqueKey != nil && slices.Contains(q.info.UniqueKey.Fields, row.Was)
	}
}

func (q *request) showSchemaForm(status int, f *schemaChange) error {
	if q.isPart() {
		return q.renderPart(status, "schemachange", f.part(), f)
	}
	return q.render(status, "schemachange", "Change the schema", f)
}

// previewMost is how many objects are checked at once. More are checked by a part that the
// page of the preview loads, or by its button.
const previewMost = 20000

// changeSchema does what the button says: shows the form again, a preview of a change, or
// which objects would break it; begins the change, or cancels one.
func (q *request) changeSchema() error {
	given, err := q.form()
	if err != nil {
		return err
	}
	if given.Get("do") == "cancel" {
		return q.cancelChange(given.Get("task"))
	}
	f := givenSchemaChange(given, q.info)
	q.inForce(f)
	switch do := given.Get("do"); {
	case do == "check":
		f.Checked = !f.isOpen()
		fallthrough
	case do == "add", do == "edit", given.Has("remove"):
		return q.showSchemaForm(http.StatusOK, f)
	case f.isOpen():
		f.Fault = &fault{Text: "Choose first what to do with the values of fields that the new schema lacks."}
		return q.showSchemaForm(http.StatusUnprocessableEntity, f)
	case !f.isRight():
		f.Fault = &fault{Text: "The schema was not changed, since some of it is not valid."}
		return q.showSchemaForm(http.StatusUnprocessableEntity, f)
	case do == "preview":
		return q.previewChange(f)
	case do == "objects":
		if err := q.checkObjects(f); err != nil {
			return err
		}
		return q.showSchemaForm(http.StatusOK, f)
	case do == "change":
		return q.beginChange(f)
	}
	return invalid("the form has no such button")
}

// previewChange shows what a change does, and in a small bucket also which objects would
// break it.
func (q *request) previewChange(f *schemaChange) error {
	if f.Preview.Effect == bucketlite.EffectNone {
		f.Fault = &fault{Text: "The schema is the one in force: there is nothing to change."}
		return q.showSchemaForm(http.StatusOK, f)
	}
	f.previews = true
	if f.NeedsObjects() && q.info.ObjectCount <= previewMost {
		if err := q.checkObjects(f); err != nil {
			return err
		}
	}
	return q.showSchemaForm(http.StatusOK, f)
}

// checkObjects finds the objects that would break the change.
func (q *request) checkObjects(f *schemaChange) error {
	opts := f.options
	opts.DryRun = true
	f.previews = true
	change, err := q.bucket.ChangeSchema(q.ctx(), f.next, &opts)
	var broken *bucketlite.SchemaChangeError
	switch {
	case errors.As(err, &broken):
		f.Faults = &objectFaults{Count: broken.Count, Examples: broken.Objects[:min(len(broken.Objects), shownExamples)]}
	case err != nil:
		return err
	default:
		f.Faults = &objectFaults{Objects: change.Objects}
	}
	return nil
}

// changeWait is how long the answer to a change waits for it. A longer change
// continues, and the page of the schema shows its progress.
const changeWait = 1500 * time.Millisecond

// beginChange makes the change, or begins it.
func (q *request) beginChange(f *schemaChange) error {
	ctx, cancel := context.WithTimeout(q.ctx(), changeWait)
	defer cancel()
	_, err := q.bucket.ChangeSchema(ctx, f.next, &f.options)
	var broken *bucketlite.SchemaChangeError
	switch {
	case err == nil:
		return q.done(q.bucketPath()+"schema", "schema-changed")
	case errors.As(err, &broken):
		f.previews = true
		f.Faults = &objectFaults{Count: broken.Count, Examples: broken.Objects[:min(len(broken.Objects), shownExamples)]}
		f.Fault = &fault{Text: "The schema was not changed, since some objects do not conform to it."}
		return q.showSchemaForm(http.StatusUnprocessableEntity, f)
	case ctx.Err() != nil && q.ctx().Err() == nil:
		if change, listErr := q.lastChange(); listErr == nil && change != nil && change.Running {
			return q.done(q.bucketPath()+"schema", "schema-changing")
		}
	}
	status, text := describe(err)
	if status >= 500 {
		return err
	}
	f.Issues, f.Fault = issuesOf(err), &fault{Text: text}
	return q.showSchemaForm(status, f)
}

// cancelChange cancels the task of a change of this bucket's schema.
func (q *request) cancelChange(id string) error {
	change, err := q.lastChange()
	if err != nil {
		return err
	}
	if change == nil || !change.Running || change.ID != id {
		return &refusal{http.StatusConflict, "the change has ended"}
	}
	if _, err := q.c.store.CancelTask(q.ctx(), id); err != nil {
		return err
	}
	return q.done(q.bucketPath()+"schema", "schema-canceled")
}

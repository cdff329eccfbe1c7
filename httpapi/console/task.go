package console

import (
	"github.com/bucketlite/bucketlite"
)

var taskRoutes = []route{
	{"GET /n/{namespace}/tasks", inPlace, reads, (*request).tasks},
	{"GET /n/{namespace}/tasks/{task}", inPlace, reads, (*request).task},
	{"POST /n/{namespace}/tasks/{task}/cancel", inPlace, writes, (*request).cancelTask},
}

// taskNames are what the types of tasks do, in words.
var taskNames = map[bucketlite.TaskType]string{
	bucketlite.DeleteNamespaceTask: "delete a namespace",
	bucketlite.DeleteBucketTask:    "delete a bucket",
	bucketlite.ConfirmUploadTask:   "confirm an upload",
	bucketlite.ConfirmUploadsTask:  "confirm uploads",
	bucketlite.ProcessBatchTask:    "process a batch",
	bucketlite.ChangeSchemaTask:    "change a schema",
	bucketlite.ChangeObjectsTask:   "change objects",
}

// A taskRow is a task, as people read it.
type taskRow struct {
	*bucketlite.Task
	Name     string
	BucketID string // of the bucket in which it works, if that is known and still there
	Bucket   string
	BatchID  string // of the batch that it processes
}

func (q *request) taskRow(t *bucketlite.Task) taskRow {
	row := taskRow{Task: t, Name: taskNames[t.Type]}
	if row.Name == "" {
		row.Name = string(t.Type)
	}
	row.Bucket, _ = t.AdditionalData["bucket_name"].(string)
	if id, _ := t.AdditionalData["bucket_id"].(string); id != "" {
		if b, err := q.ns.Bucket(q.ctx(), id); err == nil { // else it has been deleted
			row.BucketID, row.Bucket = id, b.Name()
		}
	}
	if operation, ok := t.AdditionalData["operation"].(string); ok && t.Type == bucketlite.ChangeObjectsTask {
		row.Name = operation + " objects"
	}
	if t.Type == bucketlite.ProcessBatchTask && len(t.Inputs) == 1 {
		row.BatchID = t.Inputs[0]
	}
	return row
}

// taskList is what the list of tasks shows.
type taskList struct {
	Rows     []taskRow
	Pager    pager
	Status   bucketlite.Status
	Statuses []bucketlite.Status
	Moves    bool // a task has not ended
	Fault    *fault
}

var taskStatuses = []bucketlite.Status{
	bucketlite.StatusPending, bucketlite.StatusInProgress, bucketlite.StatusCompleted, bucketlite.StatusCompletedWithErrors,
	bucketlite.StatusFailed, bucketlite.StatusCanceled,
}

// tasks lists the tasks of the namespace, the newest first.
func (q *request) tasks() error {
	list := taskList{Status: bucketlite.Status(q.query("status")), Statuses: taskStatuses}
	page, err := q.c.store.ListTasks(q.ctx(), bucketlite.TaskQuery{
		Query: bucketlite.Query{
			Filter: bucketlite.Eq("additional_data.namespace_id", q.ns.ID()).CaseSensitive(), Reverse: true, Limit: pageSize, Cursor: q.query("after"),
		},
		Status: list.Status,
	})
	if err != nil {
		return err
	}
	for _, t := range page.Results {
		list.Rows = append(list.Rows, q.taskRow(t))
		list.Moves = list.Moves || !t.Done()
	}
	list.Pager = q.pagerFor(page.Next)
	if q.isPart() && !list.Moves {
		return q.settled()
	}
	return q.show("tasks", "Tasks", "list", list)
}

// taskPage is what the page of a task shows.
type taskPage struct {
	Task    taskRow
	Outputs string
	Details string
	Wrong   string // why it was not canceled
}

// task shows a task of the namespace.
func (q *request) task() error {
	p, err := q.taskPage()
	if err != nil {
		return err
	}
	if q.isPart() && p.Task.Done() {
		return q.settled()
	}
	return q.show("task", "Task", "task", p)
}

func (q *request) taskPage() (*taskPage, error) {
	t, err := q.c.store.Task(q.ctx(), q.r.PathValue("task"))
	if err != nil {
		return nil, err
	}
	if t.AdditionalData["namespace_id"] != q.ns.ID() {
		return nil, errNoPage
	}
	p := &taskPage{Task: q.taskRow(t), Details: indented(t.AdditionalData)}
	if len(t.Outputs) > 0 {
		p.Outputs = indented(t.Outputs)
	}
	return p, nil
}

// cancelTask cancels the task. The store refuses that for a task that deletes something.
func (q *request) cancelTask() error {
	p, err := q.taskPage()
	if err != nil {
		return err
	}
	if _, err := q.c.store.CancelTask(q.ctx(), p.Task.ID); err != nil {
		status, text := describe(err)
		if status >= 500 {
			return err
		}
		p.Wrong = text
		return q.render(status, "task", "Task", p)
	}
	return q.done(q.nsPath()+"tasks/"+p.Task.ID, "task-canceled")
}

// Cancelable reports whether the task can be canceled: it has not ended, and deletes
// nothing.
func (r taskRow) Cancelable() bool {
	return !r.Done() && r.Type != bucketlite.DeleteBucketTask && r.Type != bucketlite.DeleteNamespaceTask
}

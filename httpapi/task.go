package httpapi

import (
	"errors"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A key that is limited to some namespaces sees the tasks of those, and no others.
//
//   - By id, all that were ever started in the namespace, for as long as tasks are
//     kept: an id is never used again.
//   - By name, those of the namespace that has the name now. A task that was started
//     in another that had the name before stays hidden: its namespace_id leads nowhere,
//     or to a namespace of another name.
//   - By name, also the deletion of any namespace that had the name when it was
//     deleted, so that the client that asked for it sees its end. The task has only the
//     namespace's id and the number of objects.
//
// Tasks that do not say which namespace they are of are for the other keys alone.
var taskRoutes = []route{
	{"GET /v1/tasks/{task}", keyed, reads, noBody, (*call).getTask},
	{"DELETE /v1/tasks/{task}", keyed, writes, noBody, (*call).cancelTask},
	{"POST /v1/tasks/list", keyed, reads, formBody, (*call).listTasks},
}

// getTask returns a task.
func (c *call) getTask() (any, error) {
	return c.task()
}

// task returns the task that the path names, if the key may see it.
func (c *call) task() (*bucketlite.Task, error) {
	id := c.r.PathValue("task")
	t, err := c.h.store.Task(c.ctx(), id)
	if err != nil {
		return nil, err
	}
	seen, err := c.sees(t)
	if err != nil {
		return nil, err
	}
	if !seen {
		// As if it were not there, in the store's own words.
		return nil, &failure{404, "NotFoundError", "task " + value.Show(id) + ": not found", nil}
	}
	return t, nil
}

// sees reports whether the key may see a task.
func (c *call) sees(t *bucketlite.Task) (bool, error) {
	id, known := t.AdditionalData["namespace_id"].(string)
	switch {
	case c.key.Namespaces == nil:
		return true, nil
	case !known:
		return false, nil
	case c.key.Allows(id):
		return true, nil
	}
	if t.Type == bucketlite.DeleteNamespaceTask {
		name, _ := t.AdditionalData["namespace_name"].(string)
		return c.key.Allows(name), nil
	}
	ns, err := c.h.store.Namespace(c.ctx(), id)
	switch {
	case errors.Is(err, bucketlite.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	return c.key.Allows(ns.Name()), nil
}

// taskFilter wants the tasks that the key, which is limited, may see.
func (c *call) taskFilter() (filter bucketlite.Filter, err error) {
	names := c.key.Namespaces
	ids := slices.Clone(names) // no name is shaped like an id
	for _, name := range names {
		ns, err := c.h.store.Namespace(c.ctx(), name)
		switch {
		case errors.Is(err, bucketlite.ErrNotFound):
		case err != nil:
			return filter, err
		default:
			ids = append(ids, ns.ID())
		}
	}
	return bucketlite.Or(
		bucketlite.In("additional_data.namespace_id", ids...),
		bucketlite.And(
			bucketlite.Eq("task_type", string(bucketlite.DeleteNamespaceTask)),
			bucketlite.In("additional_data.namespace_name", names...),
		),
	).CaseSensitive(), nil
}

// cancelTask ends a task that has not ended, and succeeds as well if it has, or if
// there is none. The store refuses that for a task that deletes something.
func (c *call) cancelTask() (any, error) {
	t, err := c.task()
	if err == nil {
		_, err = c.h.store.CancelTask(c.ctx(), t.ID)
	}
	if err != nil {
		if status, _ := classify(err); status != 404 {
			return nil, err
		}
	}
	return deleted{"Successfully deleted", true}, nil
}

// listTasks returns a page of the tasks that the key may see.
func (c *call) listTasks() (any, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	status, kind := f.status(), f.taskType()
	q, err := c.listed(f, bucketlite.DefaultLimit, bucketlite.MaxLimit)
	if err != nil {
		return nil, err
	}
	if c.key.Namespaces != nil {
		mine, err := c.taskFilter()
		if err != nil {
			return nil, err
		}
		q.limitTo(mine)
	}
	page, err := c.h.store.ListTasks(c.ctx(), bucketlite.TaskQuery{Query: q.Query, Status: status, Type: kind})
	if err != nil {
		return nil, q.told(err)
	}
	return answerOf(q, page, nil, false), nil
}

// taskType returns the member task_type. The hosted service's own examples have it
// in upper case, which is taken with a warning.
func (f *form) taskType() bucketlite.TaskType {
	given := f.text("task_type")
	known := strings.ToLower(given)
	if known != given {
		f.call.warn("task_type: " + known + " expected")
	}
	return bucketlite.TaskType(known)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newTaskCommand(a *app) *cobra.Command {
	return group("task", "Show tasks, such as deletions and schema changes, wait for them and cancel them",
		newTaskListCommand(a), newTaskGetCommand(a), newTaskWaitCommand(a), newTaskCancelCommand(a))
}

func newTaskListCommand(a *app) *cobra.Command {
	var status string
	var limit int
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short: "List the tasks",
		Long:  "List the tasks, the oldest first, or with --limit the newest first.",
		Example: `  bucketlite task list --status IN_PROGRESS
  bucketlite task list --limit 10`,
		Args: cobra.NoArgs,
		RunE: a.withStore(toRead, func(ctx context.Context, st *bucketlite.Store, _ []string) error {
			if limit < 0 {
				return usagef("--limit: 0 or more expected, got %d", limit)
			}
			q := bucketlite.TaskQuery{Status: bucketlite.Status(status)}
			if limit > 0 {
				q.Reverse = true
			}
			return list(a, first(limit, st.Tasks(ctx, q)),
				[]any{"ID", "TYPE", "STATUS", "DONE", "OF", "UPDATED"}, func(t *bucketlite.Task) []any {
					return []any{t.ID, t.Type, t.Status, t.Processed, t.Total, t.UpdatedAt}
				})
		}),
	}
	c.Flags().StringVar(&status, "status", "", "only tasks with this `status`")
	c.Flags().IntVar(&limit, "limit", 0, "only this `number` of tasks, the newest; 0 means all")
	return c
}

func newTaskGetCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "get TASK",
		Short:   "Show a task",
		Example: "  bucketlite task get task_01K3V3D0M8Y2W4Z6A8C0E2G4J6",
		Args:    cobra.ExactArgs(1),
		RunE: a.withStore(toRead, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			t, err := st.Task(ctx, args[0])
			if err != nil {
				return err
			}
			return a.showTask(t)
		}),
	}
}

func newTaskWaitCommand(a *app) *cobra.Command {
	var most time.Duration
	c := &cobra.Command{
		Use:   "wait TASK",
		Short: "Wait until a task has ended",
		Long: `Wait until a task has ended, and carry it out if no other program does. The exit
code is 1 if it has failed. The objects of a batch are not processed: that needs a
processor.`,
		Example: "  bucketlite task wait task_01K3V3D0M8Y2W4Z6A8C0E2G4J6 --timeout 5m",
		Args:    cobra.ExactArgs(1),
		RunE: a.withStore(toWrite, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			t, err := st.Task(ctx, args[0])
			if err != nil {
				return err
			}
			if most > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, most)
				defer cancel()
			}
			if t, err = a.wait(ctx, st, t); err != nil {
				if errors.Is(err, context.DeadlineExceeded) {
					err = fmt.Errorf("task %q has not ended within %v", args[0], most)
				}
				return err
			}
			if err := a.showTask(t); err != nil {
				return err
			}
			if t.Status == bucketlite.StatusFailed {
				return fmt.Errorf("task %q has failed: %s", t.ID, t.Error)
			}
			return nil
		}),
	}
	c.Flags().DurationVar(&most, "timeout", 0, "the longest time to wait, as 90s or 5m; 0 means no limit")
	return c
}

func newTaskCancelCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel TASK",
		Short: "End a task early",
		Long: `End a task early. Confirmed uploads stay confirmed, and the others become pending again.
The jobs of a batch that have not begun are canceled. A change of a schema is withdrawn.
A change by query leaves the objects as it has changed them. The deletion of a bucket or
a namespace cannot be canceled. A task that has ended stays as it is.`,
		Example: "  bucketlite task cancel task_01K3V3D0M8Y2W4Z6A8C0E2G4J6",
		Args:    cobra.ExactArgs(1),
		RunE: a.withStore(toWrite, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			t, err := st.CancelTask(ctx, args[0])
			if err != nil {
				return err
			}
			return a.showTask(t)
		}),
	}
}

func (a *app) showTask(task *bucketlite.Task) error {
	return a.show(task, func(t *table) {
		t.row("id", task.ID)
		t.row("type", task.Type)
		t.row("status", task.Status)
		if task.Total > 0 {
			t.row("done", fmt.Sprintf("%d of %d", task.Processed, task.Total))
		}
		for _, name := range []string{"namespace_name", "bucket_name", "batch_id"} {
			if v := task.AdditionalData[name]; v != nil {
				t.row(name, v)
			}
		}
		if task.Error != "" {
			t.row("error", task.Error)
		}
		t.row("created", task.CreatedAt)
		t.row("updated", task.UpdatedAt)
	})
}

// finish waits for a deletion that has been accepted, unless it is to be left to
// others.
func (a *app) finish(ctx context.Context, st *bucketlite.Store, task *bucketlite.Task, leave bool) error {
	if leave {
		if !a.json {
			a.note("the deletion continues whenever a program has the store open; %q waits for its end", "bucketlite task wait "+task.ID)
		}
		return a.showTask(task)
	}
	done, err := a.wait(ctx, st, task)
	if err != nil {
		return &advised{err, fmt.Sprintf("the deletion continues whenever a program has the store open, such as %q", "bucketlite task wait "+task.ID)}
	}
	return a.showTask(done)
}

// wait waits for the end of a task, and shows how far it has come.
func (a *app) wait(ctx context.Context, st *bucketlite.Store, task *bucketlite.Task) (*bucketlite.Task, error) {
	bar := a.progress("working", max(task.Total, 1), inNumbers)
	defer bar.end()
	if bar == nil {
		return st.Wait(ctx, task.ID)
	}
	for {
		// A turn ends at its own deadline, to show how far it has come.
		turn, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		t, err := st.Wait(turn, task.ID)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return t, err
		}
		if t, err = st.Task(ctx, task.ID); err != nil {
			return nil, err
		}
		bar.of(t.Processed, t.Total)
	}
}

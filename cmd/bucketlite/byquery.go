package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

const (
	askAbove = 100 // objects up to which a change by query does not ask
	firstIDs = 5   // objects that a dry run names
)

// byQueryFlags are the flags that select many objects to delete or to patch.
type byQueryFlags struct {
	queryFlags
	all, dry, yes bool
}

// selectFlags are the flags of which one selects many objects.
var selectFlags = []string{"filter", "where", "search", "all"}

// add adds the flags. The single ones, which are about one object, exclude them.
func (f *byQueryFlags) add(a *app, c *cobra.Command, single ...string) {
	f.addFilter(a, c)
	flags := c.Flags()
	flags.BoolVar(&f.all, "all", false, "all objects")
	flags.BoolVar(&f.dry, "dry-run", false, "count the selected objects, and change nothing")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	for _, name := range selectFlags {
		for _, one := range single {
			a.exclude(c, one, name)
		}
		if name != "all" {
			a.exclude(c, "all", name)
		}
	}
}

// given reports whether the flags select objects. Then there is no ID among the arguments.
func (f *byQueryFlags) given(c *cobra.Command, args []string) (bool, error) {
	given := slices.ContainsFunc(selectFlags, func(name string) bool { return c.Flags().Changed(name) })
	switch {
	case given && len(args) > 1:
		return false, usagef("ID and --filter, --where, --search or --all exclude each other")
	case !given && f.dry:
		return false, usagef("--dry-run needs --filter, --where, --search or --all")
	}
	return given, nil
}

// change makes a change of the objects that match a query.
type change = func(context.Context, bucketlite.Query, *bucketlite.BulkOptions) (*bucketlite.BulkResult, error)

// byQuery returns the function of a command that changes one object, or those that the flags
// select. A dry run does not need to write.
func (a *app) byQuery(f *byQueryFlags, verb, done string, one func(context.Context, *bucketlite.Bucket, []string) error,
	many func(context.Context, *bucketlite.Bucket) (change, error),
) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		given, err := f.given(c, args)
		if err != nil {
			return err
		}
		if !given {
			if len(args) == 1 && !c.Flags().Changed("key") {
				return usagef("an ID, --key, --where, --filter, --search or --all expected")
			}
			return a.withBucket(toWrite, one)(c, args)
		}
		want := toWrite
		if f.dry {
			want = toRead
		}
		return a.withStore(want, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			b, err := a.bucket(ctx, st, args[0])
			if err != nil {
				return err
			}
			by := byQuery{verb: verb, done: done}
			if by.change, err = many(ctx, b); err != nil {
				return err
			}
			return a.changeByQuery(ctx, st, b, f, by)
		})(c, args)
	}
}

// A byQuery is a change of the selected objects, and its names.
type byQuery struct {
	verb, done string // "delete", "deleted"
	change     change
}

// changeByQuery makes a change of the objects that the flags select.
func (a *app) changeByQuery(ctx context.Context, st *bucketlite.Store, b *bucketlite.Bucket, f *byQueryFlags, by byQuery) error {
	q, err := f.query(ctx, a)
	if err != nil {
		return err
	}
	if !f.all && q.Filter == (bucketlite.Filter{}) && strings.TrimSpace(q.Search) == "" {
		return usagef("this selects every object, which --all permits")
	}
	if err := a.noteQuery(ctx, b, q); err != nil {
		return err
	}
	if f.dry {
		return a.tryByQuery(ctx, b, q, by)
	}
	if !f.yes {
		if err := a.confirmMany(ctx, b, q, by); err != nil {
			return err
		}
	}
	r, err := by.change(ctx, q, &bucketlite.BulkOptions{All: f.all, NoWait: true})
	if err != nil {
		return err
	}
	if r.TaskID != "" {
		if r, err = a.waitByQuery(ctx, st, r.TaskID); err != nil {
			return err
		}
	}
	return a.showByQuery(r, by.done)
}

// confirmMany asks whether more than a few objects may be changed.
func (a *app) confirmMany(ctx context.Context, b *bucketlite.Bucket, q bucketlite.Query, by byQuery) error {
	q.Limit, q.Total = 1, true
	page, err := b.ListRaw(ctx, q)
	if err != nil || page.Total <= askAbove {
		return err
	}
	many := plural(page.Total, "object", "objects")
	if !a.asks {
		return usagef("%s would be %s, and there is no terminal to ask on: that needs --yes", many, by.done)
	}
	agreed, err := a.ask(ctx, fmt.Sprintf("%s %s of bucket %q?", strings.ToUpper(by.verb[:1])+by.verb[1:], many, b.Name()))
	if err == nil && !agreed {
		err = fmt.Errorf("nothing was %s", by.done)
	}
	return err
}

// tryByQuery shows what a change would do.
func (a *app) tryByQuery(ctx context.Context, b *bucketlite.Bucket, q bucketlite.Query, by byQuery) error {
	r, err := by.change(ctx, q, &bucketlite.BulkOptions{All: true, DryRun: true})
	if err != nil {
		return err
	}
	q.Limit = firstIDs
	page, err := b.ListRaw(ctx, q)
	if err != nil {
		return err
	}
	ids := make([]string, len(page.Results))
	for i, o := range page.Results {
		ids[i] = o.ID()
	}
	result := struct {
		*bucketlite.BulkResult
		DryRun bool     `json:"dry_run"`
		First  []string `json:"first_object_ids"`
	}{r, true, ids}
	err = a.show(result, func(t *table) {
		t.row("would be "+by.done, r.Changed)
		countRows(t, r)
		if len(ids) > 0 {
			t.row("the first", strings.Join(ids, " "))
		}
	})
	if err != nil {
		return err
	}
	return a.refusedByQuery(r)
}

// waitByQuery waits for the task of a change, and returns its result.
func (a *app) waitByQuery(ctx context.Context, st *bucketlite.Store, id string) (*bucketlite.BulkResult, error) {
	task, err := st.Task(ctx, id)
	if err == nil {
		task, err = a.wait(ctx, st, task)
	}
	if err != nil {
		return nil, &advised{err, fmt.Sprintf("the change continues whenever a program has the store open, such as %q; %q ends it",
			"bucketlite task wait "+id, "bucketlite task cancel "+id)}
	}
	r, err := task.BulkResult()
	switch {
	case err != nil:
		return nil, err
	case task.Status == bucketlite.StatusCanceled:
		return nil, fmt.Errorf("task %q was canceled after %s", id, plural(r.Changed, "object", "objects"))
	case task.Status == bucketlite.StatusFailed:
		return nil, errors.New(task.Error)
	}
	return r, nil
}

// showByQuery shows the result of a change. If objects were refused, that is an error.
func (a *app) showByQuery(r *bucketlite.BulkResult, done string) error {
	err := a.show(r, func(t *table) {
		t.row(done, r.Changed)
		countRows(t, r)
	})
	if err != nil {
		return err
	}
	return a.refusedByQuery(r)
}

// countRows writes the numbers of objects that a change left as they are.
func countRows(t *table, r *bucketlite.BulkResult) {
	if same := r.Matched - r.Changed - r.Failed; same > 0 {
		t.row("unchanged", same)
	}
	if r.Failed > 0 {
		t.row("refused", r.Failed)
	}
}

// refusedByQuery lists the refused objects, and returns an error if there are any.
func (a *app) refusedByQuery(r *bucketlite.BulkResult) error {
	if r.Failed == 0 {
		return nil
	}
	if err := a.out.Flush(); err != nil {
		return err
	}
	for _, f := range r.Failures {
		a.note("object %q: %s", f.ID, f.Message)
	}
	return fmt.Errorf("%s %w", plural(r.Failed, "object", "objects"), errRefused)
}

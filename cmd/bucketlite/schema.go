package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newBucketSchemaCommand(a *app) *cobra.Command {
	c := group("schema", "Show, compare and change the schema of a bucket",
		newSchemaGetCommand(a), newSchemaDiffCommand(a), newSchemaSetCommand(a))
	c.Long = `Show, compare and change the schema of a bucket. "bucketlite bucket schema get" prints it
as JSON, to be edited and given to diff or set.

If the new schema lacks a field, name it: --drop removes it with its values, --rename
keeps them under another name. Otherwise the change is refused, since the new schema may
come from an outdated copy. A field inside another is named by its path, as in
address.city.`
	return c
}

func newSchemaGetCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "get BUCKET", Aliases: []string{"show"},
		Short:   "Print the schema as JSON",
		Example: "  bucketlite bucket schema get videos >schema.json",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
		RunE: a.withBucket(toRead, func(ctx context.Context, b *bucketlite.Bucket, _ []string) error {
			schema, err := schemaOf(ctx, b)
			if err != nil {
				return err
			}
			return a.document(schema)
		}),
	}
}

// schemaFlags are the flags that say how the fields of two schemas correspond.
type schemaFlags struct {
	rename, drop []string
}

func (f *schemaFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.rename, "rename", nil, "a field that gets another name, as `old=new`; repeated for each")
	c.Flags().StringSliceVar(&f.drop, "drop", nil, "the `fields` to remove with their values, as a,b")
}

// options returns what the flags say.
func (f *schemaFlags) options() (*bucketlite.SchemaChangeOptions, error) {
	opts := &bucketlite.SchemaChangeOptions{Rename: make(map[string]string), Drop: f.drop}
	for _, pair := range f.rename {
		old, now, ok := strings.Cut(pair, "=")
		if !ok || old == "" || now == "" {
			return nil, usagef("--rename: old=new expected, got %q", pair)
		}
		if _, twice := opts.Rename[old]; twice {
			return nil, usagef("--rename: %q is given twice", old)
		}
		opts.Rename[old] = now
	}
	return opts, nil
}

// schemaFile reads a schema.
func (a *app) schemaFile(ctx context.Context, name string) (bucketlite.Schema, error) {
	text, err := a.readText(ctx, name)
	if err != nil {
		return bucketlite.Schema{}, err
	}
	return bucketlite.ParseSchema(text)
}

func newSchemaDiffCommand(a *app) *cobra.Command {
	var f schemaFlags
	c := &cobra.Command{
		Use:   "diff BUCKET FILE",
		Short: "Show what a new schema would change, without reading objects",
		Long: `Show what a new schema, as JSON in a file, would change; - reads standard input. A field
that the new schema lacks must be named by --drop or --rename.

The effect of a change is "loosens" if every object conforms to the new schema, too,
"tightens" if the objects have to be checked first, and "rewrites" if objects change.
This command reads no objects; "bucketlite bucket schema set --dry-run" checks them.`,
		Example: `  bucketlite bucket schema diff videos schema.json --rename name=title
  bucketlite bucket schema get videos | jq '.properties.title.maxLength = 200' |
    bucketlite bucket schema diff videos -`,
		Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveDefault),
	}
	f.add(c)
	c.RunE = a.withBucket(toRead, func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
		opts, err := f.options()
		if err != nil {
			return err
		}
		next, err := a.schemaFile(ctx, args[0])
		if err != nil {
			return err
		}
		info, err := b.Info(ctx)
		if err != nil {
			return err
		}
		change, err := info.CompareSchema(next, opts)
		if err != nil {
			return adviseSchema(err)
		}
		return a.show(change, func(t *table) { fieldRows(t, change) })
	})
	return c
}

func newSchemaSetCommand(a *app) *cobra.Command {
	var f schemaFlags
	var dry bool
	c := &cobra.Command{
		Use:   "set BUCKET FILE",
		Short: "Change the schema of a bucket",
		Long: `Give a bucket the schema in a file, as JSON, and wait until it is in force; - reads
standard input. A field that the new schema lacks must be named by --drop or --rename.

Objects are checked, and rewritten where a field is renamed, dropped or filled in with
its default, while other programs write. Until the end everyone sees the old schema and
the old objects. If an object does not conform, nothing changes, and the first 100 such
objects are listed.

A change that was interrupted continues whenever a program has the store open.
"bucketlite task cancel" withdraws it.`,
		Example: `  bucketlite bucket schema set videos schema.json --dry-run
  bucketlite bucket schema set videos schema.json --rename name=title --drop notes`,
		Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveDefault),
	}
	f.add(c)
	c.Flags().BoolVar(&dry, "dry-run", false, "check the objects and write nothing")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		opts, err := f.options()
		if err != nil {
			return err
		}
		next, err := a.schemaFile(cmd.Context(), args[1])
		if err != nil {
			return err
		}
		want := toWrite
		if opts.DryRun = dry; dry {
			want = toRead
		}
		return a.withStore(want, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			b, err := a.bucket(ctx, st, args[0])
			if err != nil {
				return err
			}
			change, err := a.changeSchema(ctx, st, b, next, opts)
			if err != nil {
				return a.schemaRefused(err)
			}
			return a.showSchemaChange(change, dry)
		})(cmd, args)
	}
	return c
}

// changeSchema changes the schema of a bucket, and shows how far that has come.
func (a *app) changeSchema(ctx context.Context, st *bucketlite.Store, b *bucketlite.Bucket, next bucketlite.Schema, opts *bucketlite.SchemaChangeOptions) (*bucketlite.SchemaChange, error) {
	bar := a.progress("checking", -1, inNumbers)
	shown, stop := context.WithCancel(ctx)
	var showing sync.WaitGroup
	if bar != nil {
		showing.Go(func() {
			for shown.Err() == nil {
				if task := schemaTask(shown, st, b); task != nil {
					bar.of(task.Processed, task.Total)
				}
				select {
				case <-shown.Done():
				case <-time.After(200 * time.Millisecond):
				}
			}
		})
	}
	change, err := b.ChangeSchema(ctx, next, opts)
	stop()
	showing.Wait()
	bar.end()
	if err != nil && ctx.Err() != nil {
		if task := schemaTask(context.WithoutCancel(ctx), st, b); task != nil {
			err = &advised{err, fmt.Sprintf("the change continues whenever a program has the store open, such as %q; %q withdraws it",
				"bucketlite task wait "+task.ID, "bucketlite task cancel "+task.ID)}
		}
	}
	return change, err
}

// schemaTask returns the task that is changing the schema of a bucket, or nil.
func schemaTask(ctx context.Context, st *bucketlite.Store, b *bucketlite.Bucket) *bucketlite.Task {
	page, err := st.ListTasks(ctx, bucketlite.TaskQuery{Type: bucketlite.ChangeSchemaTask, Query: bucketlite.Query{
		Filter: bucketlite.And(bucketlite.Eq("additional_data.bucket_id", b.ID()),
			bucketlite.In("status", string(bucketlite.StatusPending), string(bucketlite.StatusInProgress))),
		Limit: 1,
	}})
	if err != nil || len(page.Results) == 0 {
		return nil
	}
	return page.Results[0]
}

// schemaRefused lists the objects that do not conform to a schema, if those are the error.
func (a *app) schemaRefused(err error) error {
	var refused *bucketlite.SchemaChangeError
	if !errors.As(err, &refused) {
		return adviseSchema(err)
	}
	if a.json {
		if err := a.line(map[string]any{"refused": refused.Count, "errors": refused.Objects}); err != nil {
			return err
		}
	}
	for _, o := range refused.Objects {
		texts := make([]string, len(o.Issues))
		for i, issue := range o.Issues {
			texts[i] = issue.String()
		}
		a.note("object %q: %s", o.ID, strings.Join(texts, "; "))
	}
	return fmt.Errorf("the schema is unchanged: %s %w", plural(refused.Count, "object", "objects"), errRefused)
}

func (a *app) showSchemaChange(change *bucketlite.SchemaChange, dry bool) error {
	err := a.show(change, func(t *table) {
		version := strconv.FormatInt(change.Version, 10)
		if dry {
			version += " (dry run: nothing was written)"
		}
		t.row("schema version", version)
		t.row("effect", string(change.Effect))
		t.row("objects checked", change.Objects)
	})
	if err != nil || a.json {
		return err
	}
	fmt.Fprintln(a.out)
	t := newTable(a.out)
	fieldRows(t, change)
	return t.flush()
}

// fieldRows writes the changed fields.
func fieldRows(t *table, change *bucketlite.SchemaChange) {
	if change.Effect == bucketlite.EffectNone {
		t.row("the schemas are equal")
		return
	}
	t.row("FIELD", "EFFECT", "CHANGE")
	for _, f := range change.Fields {
		path := f.Path
		if path == "" {
			path = "(the schema)"
		}
		t.row(path, string(f.Effect), f.Message)
	}
}

// adviseSchema adds to an error about fields that are missing how to name them.
func adviseSchema(err error) error {
	var invalid *bucketlite.ValidationError
	if errors.As(err, &invalid) && slices.ContainsFunc(invalid.Issues, func(i bucketlite.Issue) bool { return i.Rule == "missing" }) {
		return &advised{err, "--drop and --rename do that"}
	}
	return err
}

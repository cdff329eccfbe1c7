package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newBucketSchemaCommand(a *app) *cobra.Command {
	c := group("schema", "Show, compare and change the schema of a bucket",
		newSchemaGetCommand(a), newSchemaDiffCommand(a))
	c.Long = `Show, compare and change the schema of a bucket. "bucketlite bucket schema get" prints it
as JSON, to be edited and given to diff or set.

A field of the schema that is absent in the new one must be named, since it may only be
absent in an old copy of the schema: --drop removes it with its values, --rename keeps
them under another name. A field inside another is named by its path, as in
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
		Long: `Show what a new schema, as JSON in a file, would change. No object is read. A change
loosens if every object conforms to the new schema, too. It tightens if objects have to
be checked first, and rewrites if objects change. "bucketlite bucket schema set
--dry-run" checks them.`,
		Example: `  bucketlite bucket schema diff videos schema.json --rename titel=title
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

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newBucketCommand(a *app) *cobra.Command {
	c := group("bucket", "Create, show, change, lock, archive and delete buckets",
		newBucketCreateCommand(a), newBucketGetCommand(a), newBucketListCommand(a), newBucketUpdateCommand(a), newBucketSchemaCommand(a), newBucketDeleteCommand(a),
		newTransitionCommand(a, "lock", "Refuse every change of a bucket until it is unlocked", (*bucketlite.Bucket).Lock),
		newTransitionCommand(a, "unlock", "Unlock a bucket", (*bucketlite.Bucket).Unlock),
		newTransitionCommand(a, "archive", "Make a bucket read-only until it is activated", (*bucketlite.Bucket).Archive),
		newTransitionCommand(a, "suspend", "Close a bucket's objects to reading and writing", (*bucketlite.Bucket).Suspend),
		newTransitionCommand(a, "activate", "Make an archived or suspended bucket active again", (*bucketlite.Bucket).Activate))
	c.Aliases = []string{"buckets"}
	return c
}

// bucketFlags are the flags that describe a bucket to be created.
type bucketFlags struct {
	schema, policy string
	key            []string
}

func (f *bucketFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.schema, "schema", "", "the schema, as JSON in a `file`; - reads standard input")
	flags.StringSliceVar(&f.key, "unique-key", nil, "the `fields` that identify an object, as a,b")
	flags.StringVar(&f.policy, "policy", "", "the default policy of put, for keys that are taken or free: `insert|update|upsert`")
	c.RegisterFlagCompletionFunc("policy", cobra.FixedCompletions(policies, cobra.ShellCompDirectiveNoFileComp))
	c.MarkFlagFilename("schema", "json")
}

var policies = []string{string(bucketlite.Insert), string(bucketlite.Update), string(bucketlite.Upsert)}

// config returns the configuration that the flags describe.
func (f *bucketFlags) config(ctx context.Context, a *app, name string) (bucketlite.BucketConfig, error) {
	config := bucketlite.BucketConfig{Name: name}
	if f.schema == "" {
		return config, usagef("--schema is missing")
	}
	var err error
	if config.Schema, err = a.schemaFile(ctx, f.schema); err != nil {
		return config, err
	}
	return f.keyed(config)
}

// keyed adds the unique key that the flags describe.
func (f *bucketFlags) keyed(config bucketlite.BucketConfig) (bucketlite.BucketConfig, error) {
	if len(f.key) > 0 {
		config.UniqueKey = &bucketlite.UniqueKey{Fields: f.key, DefaultPolicy: bucketlite.Policy(f.policy)}
	} else if f.policy != "" {
		return config, usagef("--policy needs --unique-key")
	}
	return config, nil
}

func newBucketCreateCommand(a *app) *cobra.Command {
	var f bucketFlags
	var inf inferFlags
	var description, metadata, storage string
	var indexes, textIndexes []string
	var limits retentionFlags
	c := &cobra.Command{
		Use:   "create NAME --schema FILE | --infer FILE",
		Short: "Create a bucket",
		Long: `Create a bucket. Its unique key cannot be changed later; "bucketlite bucket schema set"
changes its schema.

A schema is JSON: {"properties": {"title": {"type": "string", "required": true}}}.
The types of values are string, number, integer, float, boolean, object, array,
date and datetime; those of files are text, image, audio, video, pdf, excel, document
and file.

With --infer, the schema is made from data: JSON lines, a JSON array, or a CSV file. It is
printed, with its grounds on standard error, and every object of the data conforms to it.
The bucket is created with --yes, or if you say so. Enums and unique keys are suggested,
since data cannot prove them. For a folder, the fields are facts about its files, and the
unique key is the path.`,
		Example: `  bucketlite bucket create videos --schema schema.json --unique-key video_id --policy upsert
  echo '{"properties": {"photo": {"type": "image"}}}' | bucketlite bucket create photos --schema -
  bucketlite bucket create items --infer items.csv >schema.json
  bucketlite bucket create items --infer items.csv --unique-key sku --policy upsert --yes
  bucketlite bucket create photos --infer ~/Pictures --yes`,
		Args: cobra.ExactArgs(1),
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		// The schema is checked before the store is touched.
		config, err := inf.config(cmd.Context(), a, &f, args[0])
		if err != nil {
			return err
		}
		config.Description, config.StorageClass = description, bucketlite.StorageClass(storage)
		config.Indexes, config.TextIndexes = indexes, textIndexes
		if err := limits.set(&config.Retention); err != nil {
			return err
		}
		if config.Metadata, err = object("--metadata", metadata); err != nil {
			return err
		}
		if create, err := inf.confirmed(cmd.Context(), a, &f, config.Name); err != nil || !create {
			return err
		}
		return a.withStore(toWrite, func(ctx context.Context, st *bucketlite.Store, _ []string) error {
			ns, err := a.theNamespace(ctx, st)
			if err != nil {
				return err
			}
			b, err := ns.CreateBucket(ctx, config)
			if err != nil {
				return err
			}
			return a.showBucket(ctx, b)
		})(cmd, args)
	}
	f.add(c)
	inf.add(a, c)
	c.Flags().StringVar(&description, "description", "", "a description for people")
	c.Flags().StringVar(&metadata, "metadata", "", "a `JSON` object to keep with the bucket")
	c.Flags().StringSliceVar(&indexes, "index", nil, "`paths` to index by their values, as a,b")
	c.Flags().StringSliceVar(&textIndexes, "text-index", nil, "`paths` to index by their texts, as a,b")
	limits.add(c)
	c.Flags().StringVar(&storage, "storage-class", "", "a hint to keep with the bucket: `standard|nearline|coldline|archive`")
	return c
}

func newBucketGetCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "get BUCKET", Aliases: []string{"show"},
		Short:   "Show a bucket with its schema",
		Example: "  bucketlite bucket get videos",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
		RunE: a.withBucket(toRead, func(ctx context.Context, b *bucketlite.Bucket, _ []string) error {
			return a.showBucket(ctx, b)
		}),
	}
}

func newBucketListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List the buckets of the namespace",
		Example: "  bucketlite bucket list -n production",
		Args:    cobra.NoArgs,
		RunE:    a.withStore(toRead, a.listBuckets),
	}
}

func (a *app) listBuckets(ctx context.Context, st *bucketlite.Store, _ []string) error {
	ns, err := a.theNamespace(ctx, st)
	if err != nil {
		return err
	}
	return list(a, ns.Buckets(ctx, bucketlite.Query{}), []any{"NAME", "ID", "STATUS", "OBJECTS", "SIZE", "KEY", "CREATED"},
		func(b *bucketlite.BucketInfo) []any {
			return []any{b.Name, b.ID, state(b), b.ObjectCount, size(b.TotalSize), keyText(b.UniqueKey), b.CreatedAt}
		})
}

func newBucketUpdateCommand(a *app) *cobra.Command {
	var name, description, metadata string
	var limits retentionFlags
	c := &cobra.Command{
		Use:   "update BUCKET",
		Short: "Change a bucket's name, description, metadata or limits",
		Example: `  bucketlite bucket update videos --name clips --metadata '{"team": "web"}'
  bucketlite bucket update readings --max-age 30d --max-bytes 10GiB`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	c.Flags().StringVar(&name, "name", "", "the new name")
	c.Flags().StringVar(&description, "description", "", "the new description")
	c.Flags().StringVar(&metadata, "metadata", "", "a `JSON` object that replaces the old one")
	limits.add(c)
	c.RunE = a.withBucket(toWrite, func(ctx context.Context, b *bucketlite.Bucket, _ []string) (err error) {
		var u bucketlite.BucketUpdate
		if c.Flags().Changed("name") {
			u.Name = &name
		}
		if c.Flags().Changed("description") {
			u.Description = &description
		}
		if u.Metadata, err = object("--metadata", metadata); err != nil {
			return err
		}
		if limits.given() {
			info, err := b.Info(ctx)
			if err != nil {
				return err
			}
			u.Retention = &info.Retention
			if err := limits.set(u.Retention); err != nil {
				return err
			}
		}
		if u.Name == nil && u.Description == nil && u.Metadata == nil && u.Retention == nil {
			return usagef("nothing to change: --name, --description, --metadata or a limit expected")
		}
		if _, err := b.Update(ctx, u); err != nil {
			return err
		}
		return a.showBucket(ctx, b)
	})
	return c
}

func newTransitionCommand(a *app, name, short string, transit func(*bucketlite.Bucket, context.Context) error) *cobra.Command {
	return &cobra.Command{
		Use:     name + " BUCKET",
		Short:   short,
		Example: "  bucketlite bucket " + name + " videos",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
		RunE: a.withBucket(toWrite, func(ctx context.Context, b *bucketlite.Bucket, _ []string) error {
			if err := transit(b, ctx); err != nil {
				return err
			}
			info, err := b.Info(ctx)
			if err != nil {
				return err
			}
			return a.show(info, func(t *table) { t.row(fmt.Sprintf("bucket %q is %s", info.Name, state(info))) })
		}),
	}
}

func newBucketDeleteCommand(a *app) *cobra.Command {
	var yes, leave bool
	c := &cobra.Command{
		Use:   "delete BUCKET",
		Short: "Delete a bucket with all its objects",
		Long: `Delete a bucket with all its objects, and wait for the end. It cannot be undone. A
deletion that has begun continues whenever a program has the store open.`,
		Example: "  bucketlite bucket delete videos --yes",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
		RunE: a.withStore(toWrite, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			b, err := a.bucket(ctx, st, args[0])
			if err != nil {
				return err
			}
			info, err := b.Info(ctx)
			if err != nil {
				return err
			}
			err = a.confirm(ctx, yes, fmt.Sprintf("Delete bucket %q with %s (%v)?", info.Name, plural(info.ObjectCount, "object", "objects"), size(info.TotalSize)))
			if err != nil {
				return err
			}
			task, err := b.Delete(ctx)
			if err != nil {
				return err
			}
			return a.finish(ctx, st, task, leave)
		}),
	}
	deletionFlags(c, &yes, &leave)
	return c
}

func deletionFlags(c *cobra.Command, yes, leave *bool) {
	c.Flags().BoolVarP(yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(leave, "no-wait", false, "do not wait for the end; see \"bucketlite task wait\"")
}

func (a *app) showBucket(ctx context.Context, b *bucketlite.Bucket) error {
	info, err := b.Info(ctx)
	if err != nil {
		return err
	}
	err = a.show(info, func(t *table) {
		t.row("name", info.Name)
		t.row("id", info.ID)
		t.row("description", info.Description)
		t.row("status", state(info))
		t.row("unique key", keyText(info.UniqueKey))
		t.row("schema version", info.SchemaVersion)
		if limits := limitsText(info.Retention); limits != "" {
			t.row("limits", limits)
		}
		t.row("objects", info.ObjectCount)
		t.row("size", size(info.TotalSize))
		t.row("created", info.CreatedAt)
		t.row("updated", info.UpdatedAt)
	})
	if err != nil || a.json {
		return err
	}
	fmt.Fprintln(a.out)
	t := newTable(a.out)
	t.row("FIELD", "TYPE", "REQUIRED", "DESCRIPTION")
	for _, name := range slices.Sorted(maps.Keys(info.Schema.Properties)) {
		field := info.Schema.Properties[name]
		inKey := info.UniqueKey != nil && slices.Contains(info.UniqueKey.Fields, name)
		t.row(name, typeText(field), field.Required || inKey, cut(field.Description, 60))
	}
	if more := info.Schema.AdditionalProperties; more == nil || *more {
		t.row("(others)", "any")
	}
	return t.flush()
}

// state is a bucket's status with its lock.
func state(b *bucketlite.BucketInfo) string {
	if b.Locked {
		return string(b.Status) + ", locked"
	}
	return string(b.Status)
}

func keyText(k *bucketlite.UniqueKey) string {
	if k == nil {
		return ""
	}
	text := strings.Join(k.Fields, ",")
	if k.DefaultPolicy != "" {
		text += " (" + string(k.DefaultPolicy) + ")"
	}
	return text
}

func typeText(f bucketlite.Field) string {
	if f.Type == bucketlite.Array && f.Items != nil {
		return "array of " + typeText(*f.Items)
	}
	return string(f.Type)
}

package main

import (
	"context"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newPatchCommand(a *app) *cobra.Command {
	f := &patchFlags{}
	by := &byQueryFlags{}
	var key []string
	c := &cobra.Command{
		Use:   "patch BUCKET [ID]",
		Short: "Change some fields or files of an object, or fields of all that match a filter",
		Long: `Change some fields or files of an object, named by its id or by the values of its
unique key, and keep the others. A file replaces the files of the same property.
--remove removes a field, or the files of a property.

With --where, --filter or --search, change fields of all objects that match.
"bucketlite query --help" describes those. An object that cannot take the change is
reported and keeps its state; the exit code is then 4. --dry-run shows how many objects
would change, and the first of them. More than 100 are changed only after a question, or
with --yes. More than 1,000 are changed by a task, beside other programs; it continues
after an interruption whenever a program has the store open.`,
		Example: `  bucketlite patch videos obj_01K3V3D0M8Y2W4Z6A8C0E2G4J6 --field title="Blue sneaker"
  bucketlite patch videos --key video_id=v1 --file video=new.mp4 --remove note
  bucketlite patch videos --where 'language = "EN"' --field language=en`,
		Args: cobra.RangeArgs(1, 2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	f.add(c)
	c.Flags().StringArrayVar(&key, "key", nil, "a field of the unique key, as `name=value`; repeated for each")
	c.Flags().StringSliceVar(&f.removed, "remove", nil, "the `names` of fields and files to remove")
	by.add(a, c, "key", "if-version", "file")
	c.RunE = a.byQuery(by, "change", "changed", func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
		if err := f.check(c); err != nil {
			return err
		}
		o, err := a.object(ctx, b, args, key)
		if err != nil {
			return err
		}
		defer f.close()
		in, err := f.patch(ctx, a, b)
		if err != nil {
			return err
		}
		o, err = b.Patch(ctx, o.ID, in, &bucketlite.PatchOptions{IfVersion: f.version})
		if err != nil {
			return err
		}
		return a.show(o, func(t *table) { t.row("changed", o.ID) })
	}, func(ctx context.Context, b *bucketlite.Bucket) (change, error) {
		if err := f.check(c); err != nil {
			return nil, err
		}
		in, err := f.patch(ctx, a, b)
		return func(ctx context.Context, q bucketlite.Query, opts *bucketlite.BulkOptions) (*bucketlite.BulkResult, error) {
			return b.PatchObjects(ctx, q, in, opts)
		}, err
	})
	return c
}

// patchFlags are the flags that describe a patch.
type patchFlags struct {
	objectFlags
	removed []string
}

// check returns an error if the patch is empty.
func (f *patchFlags) check(c *cobra.Command) error {
	if !f.given(c) && len(f.removed) == 0 {
		return usagef("nothing to change: --field, --object, --file, --expires or --remove expected")
	}
	return nil
}

// patch returns the patch that the flags describe. The caller closes its files.
func (f *patchFlags) patch(ctx context.Context, a *app, b *bucketlite.Bucket) (bucketlite.ObjectInput, error) {
	in, err := f.input(ctx, a, b)
	if err != nil {
		return in, err
	}
	for _, name := range f.removed {
		if _, ok := in.Fields[name]; ok {
			return in, usagef("--remove: %q is set as well", name)
		}
		in.Fields[name] = nil
	}
	return in, nil
}

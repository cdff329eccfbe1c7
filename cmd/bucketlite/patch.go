package main

import (
	"context"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newPatchCommand(a *app) *cobra.Command {
	f := &objectFlags{}
	var key, removed []string
	c := &cobra.Command{
		Use:   "patch BUCKET [ID]",
		Short: "Change some fields or files of an object",
		Long: `Change some fields or files of an object, named by its id or by the values of its
unique key, and keep the others. A file replaces the files of the same property.
--remove removes a field, or the files of a property.`,
		Example: `  bucketlite patch videos obj_01K3V3D0M8Y2W4Z6A8C0E2G4J6 --field title="Blue sneaker"
  bucketlite patch videos --key video_id=v1 --file video=new.mp4 --remove note`,
		Args: cobra.RangeArgs(1, 2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	f.add(c)
	c.Flags().StringArrayVar(&key, "key", nil, "a field of the unique key, as `name=value`; repeated for each")
	c.Flags().StringSliceVar(&removed, "remove", nil, "the `names` of fields and files to remove")
	c.RunE = a.withBucket(toWrite, func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
		if !f.given(c) && len(removed) == 0 {
			return usagef("nothing to change: --field, --object, --file or --remove expected")
		}
		o, err := a.object(ctx, b, args, key)
		if err != nil {
			return err
		}
		defer f.close()
		in, err := f.input(ctx, a, b)
		if err != nil {
			return err
		}
		for _, name := range removed {
			if _, ok := in.Fields[name]; ok {
				return usagef("--remove: %q is set as well", name)
			}
			in.Fields[name] = nil
		}
		o, err = b.Patch(ctx, o.ID, in, &bucketlite.PatchOptions{IfVersion: f.version})
		if err != nil {
			return err
		}
		return a.show(o, func(t *table) { t.row("changed", o.ID) })
	})
	return c
}

package main

import (
	"context"
	"fmt"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newDeleteCommand(a *app) *cobra.Command {
	var key []string
	var version int64
	var yes bool
	c := &cobra.Command{
		Use:   "delete BUCKET [ID]",
		Short: "Delete an object",
		Example: `  bucketlite delete videos obj_01K3V3D0M8Y2W4Z6A8C0E2G4J6
  bucketlite delete videos --key video_id=v1 --yes`,
		Args: cobra.RangeArgs(1, 2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	c.Flags().StringArrayVar(&key, "key", nil, "a field of the unique key, as `name=value`; repeated for each")
	c.Flags().Int64Var(&version, "if-version", 0, "delete it only if it has this `version`")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	c.RunE = a.withBucket(toWrite, func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
		o, err := a.object(ctx, b, args, key)
		if err != nil {
			return err
		}
		if err := a.confirm(ctx, yes, fmt.Sprintf("Delete object %q of bucket %q?", o.ID, b.Name())); err != nil {
			return err
		}
		if err := b.DeleteObject(ctx, o.ID, &bucketlite.DeleteObjectOptions{IfVersion: version}); err != nil {
			return err
		}
		done := map[string]any{"object_id": o.ID, "deleted": true}
		return a.show(done, func(t *table) { t.row("deleted", o.ID) })
	})
	return c
}

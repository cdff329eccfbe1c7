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
	f := &byQueryFlags{}
	c := &cobra.Command{
		Use:   "delete BUCKET [ID]",
		Short: "Delete an object, or all that match a filter",
		Long: `Delete an object, named by its id or by the values of its unique key, or all objects
that match --where, --filter or --search. "bucketlite query --help" describes those.

--dry-run shows how many objects match, and the first of them. One that is named, and more
than 100 that match, are deleted only after a question, or with --yes. More than 1,000 are deleted by a task, beside other
programs; it continues after an interruption whenever a program has the store open.`,
		Example: `  bucketlite delete videos obj_01K3V3D0M8Y2W4Z6A8C0E2G4J6
  bucketlite delete videos --key video_id=v1 --yes
  bucketlite delete videos --where 'created_at < "2024-01-01"' --dry-run`,
		Args: cobra.RangeArgs(1, 2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	c.Flags().StringArrayVar(&key, "key", nil, "a field of the unique key, as `name=value`; repeated for each")
	c.Flags().Int64Var(&version, "if-version", 0, "delete it only if it has this `version`")
	f.add(a, c, "key", "if-version")
	c.RunE = a.byQuery(f, "delete", "deleted", func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
		o, err := a.object(ctx, b, args, key)
		if err != nil {
			return err
		}
		if err := a.confirm(ctx, f.yes, fmt.Sprintf("Delete object %q of bucket %q?", o.ID, b.Name())); err != nil {
			return err
		}
		if err := b.DeleteObject(ctx, o.ID, &bucketlite.DeleteObjectOptions{IfVersion: version}); err != nil {
			return err
		}
		done := map[string]any{"object_id": o.ID, "deleted": true}
		return a.show(done, func(t *table) { t.row("deleted", o.ID) })
	}, func(_ context.Context, b *bucketlite.Bucket) (change, error) { return b.DeleteObjects, nil })
	return c
}

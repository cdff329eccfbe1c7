package main

import (
	"context"
	"slices"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newIndexCommand(a *app) *cobra.Command {
	c := group("index", "Create, list and drop the indexes of a bucket",
		newIndexCreateCommand(a), newIndexListCommand(a), newIndexDropCommand(a))
	c.Long = `Create, list and drop the indexes of a bucket. An index makes queries faster and
never changes their results. Each index slows writes down. "bucketlite query
--explain" shows the indexes that a query uses.`
	return c
}

func newIndexCreateCommand(a *app) *cobra.Command {
	var text bool
	c := &cobra.Command{
		Use:   "create BUCKET PATH…",
		Short: "Create indexes, and wait until they are ready",
		Long: `Create an index of each path, and wait until all are ready. A value index serves
comparisons and sorting. With --text it is a text index, for contains, text,
starts_with and ends_with. A text index without a path serves --search.`,
		Example: `  bucketlite index create videos language meta.author
  bucketlite index create videos --text`,
		Args: cobra.MinimumNArgs(1), ValidArgsFunction: a.completeBucketAndPaths(),
	}
	c.Flags().BoolVar(&text, "text", false, "create text indexes")
	c.RunE = a.withBucket(toWrite, func(ctx context.Context, b *bucketlite.Bucket, paths []string) (err error) {
		if text {
			err = b.EnsureTextIndex(ctx, paths...)
		} else if len(paths) == 0 {
			err = usagef("a path expected")
		} else {
			err = b.EnsureIndex(ctx, paths...)
		}
		if err != nil {
			return err
		}
		return a.listIndexes(ctx, b)
	})
	return c
}

func newIndexListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list BUCKET", Aliases: []string{"ls"},
		Short:   "List the indexes",
		Example: "  bucketlite index list videos",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
		RunE: a.withBucket(toRead, func(ctx context.Context, b *bucketlite.Bucket, _ []string) error {
			return a.listIndexes(ctx, b)
		}),
	}
}

func newIndexDropCommand(a *app) *cobra.Command {
	var text bool
	c := &cobra.Command{
		Use:     "drop BUCKET PATH…",
		Short:   "Drop indexes",
		Example: "  bucketlite index drop videos language",
		Args:    cobra.MinimumNArgs(1), ValidArgsFunction: a.completeBucketAndPaths(),
	}
	c.Flags().BoolVar(&text, "text", false, "drop text indexes")
	c.RunE = a.withBucket(toWrite, func(ctx context.Context, b *bucketlite.Bucket, paths []string) (err error) {
		if text {
			err = b.DropTextIndex(ctx, paths...)
		} else if len(paths) == 0 {
			err = usagef("a path expected")
		} else {
			err = b.DropIndex(ctx, paths...)
		}
		if err != nil {
			return err
		}
		return a.listIndexes(ctx, b)
	})
	return c
}

func (a *app) listIndexes(ctx context.Context, b *bucketlite.Bucket) error {
	indexes, err := b.Indexes(ctx)
	if err != nil {
		return err
	}
	return list(a, all(slices.Values(indexes)), []any{"KIND", "PATH", "STATUS"}, func(i bucketlite.Index) []any {
		path := i.Path
		if path == "" {
			path = "(all texts)"
		}
		return []any{i.Kind, path, i.Status}
	})
}

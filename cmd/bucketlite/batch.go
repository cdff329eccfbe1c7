package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newBatchCommand(a *app) *cobra.Command {
	c := group("batch", "Create, submit, retry and show batches of objects to process",
		newBatchCreateCommand(a), newBatchSubmitCommand(a), newBatchRetryCommand(a), newBatchListCommand(a), newBatchShowCommand(a))
	c.Long = `Create, submit, retry and show batches. A batch is a group of objects that are processed
together, by "bucketlite serve" with a processor or by a program that uses the library.
"bucketlite task" waits for batches and cancels them.`
	c.Aliases = []string{"batches"}
	return c
}

func newBatchCreateCommand(a *app) *cobra.Command {
	var metadata string
	var submit bool
	f := &filterFlags{}
	c := &cobra.Command{
		Use:   "create BUCKET [ID…]",
		Short: "Create a batch of objects",
		Long: `Create a batch of the objects with the ids, or of all objects that match --where or --filter.
"bucketlite query --help" describes both. With --submit the batch is submitted at once.`,
		Example: `  bucketlite batch create videos --where 'status = "DRAFT"' --submit
  bucketlite batch create videos obj_01K3V3D0M8Y2W4Z6A8C0E2G4J6`,
		Args: cobra.MinimumNArgs(1), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	f.add(a, c, "objects for the batch")
	c.Flags().StringVar(&metadata, "metadata", "", "a `JSON` object to keep with the batch")
	c.Flags().BoolVar(&submit, "submit", false, "submit the batch")
	c.RunE = a.withBucket(toWrite, func(ctx context.Context, b *bucketlite.Bucket, ids []string) error {
		doc, err := object("--metadata", metadata)
		if err != nil {
			return err
		}
		filter, given, err := f.read(ctx, a)
		switch {
		case err != nil:
			return err
		case given == (len(ids) > 0):
			return usagef("either ids, or --where or --filter expected")
		case given:
			if ids, err = matchingIDs(ctx, b, filter); err != nil {
				return err
			}
		}
		k, err := createBatch(ctx, b, ids, bucketlite.BatchInput{Metadata: doc, SkipValidation: given}) // a match may have been deleted since
		if err == nil && submit {
			if _, err = b.SubmitBatch(ctx, k.ID); err == nil {
				k, err = b.Batch(ctx, k.ID)
			}
		}
		if err != nil {
			return err
		}
		return a.showBatch(k)
	})
	return c
}

// matchingIDs returns the ids of the objects that match a filter; none is an error.
func matchingIDs(ctx context.Context, b *bucketlite.Bucket, filter bucketlite.Filter) (ids []string, err error) {
	for o, err := range b.Objects(ctx, bucketlite.Query{Filter: filter, Select: []string{"object_id"}}) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, o.ID)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("no object matches: %w", bucketlite.ErrNotFound)
	}
	return ids, nil
}

// createBatch creates a batch of any number of objects. If it fails, no batch stays.
func createBatch(ctx context.Context, b *bucketlite.Bucket, ids []string, in bucketlite.BatchInput) (k *bucketlite.Batch, err error) {
	for some := range slices.Chunk(ids, bucketlite.MaxPutMany) {
		if k == nil {
			in.ObjectIDs = some
			if k, err = b.CreateBatch(ctx, in); err != nil {
				return nil, err
			}
			continue
		}
		more, err := b.AddToBatch(ctx, k.ID, some, &bucketlite.AddToBatchOptions{SkipValidation: in.SkipValidation})
		if err != nil {
			_ = b.DeleteBatch(context.WithoutCancel(ctx), k.ID)
			return nil, err
		}
		k = more
	}
	return k, nil
}

func newBatchSubmitCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "submit BUCKET BATCH",
		Short:   "Queue the objects of a batch for processing",
		Example: "  bucketlite batch submit videos btch_01K3V3D0M8Y2W4Z6A8C0E2G4J6",
		Args:    cobra.ExactArgs(2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
		RunE: a.withBucket(toWrite, func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
			if _, err := b.SubmitBatch(ctx, args[0]); err != nil {
				return err
			}
			k, err := b.Batch(ctx, args[0])
			if err != nil {
				return err
			}
			return a.showBatch(k)
		}),
	}
}

func newBatchRetryCommand(a *app) *cobra.Command {
	var opts bucketlite.RetryBatchOptions
	c := &cobra.Command{
		Use:   "retry BUCKET BATCH",
		Short: "Queue failed objects of a batch again",
		Long: `Queue the objects of a batch again that have failed for a reason that may pass by itself,
or with --all for any reason.`,
		Example: "  bucketlite batch retry videos btch_01K3V3D0M8Y2W4Z6A8C0E2G4J6 --all",
		Args:    cobra.ExactArgs(2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	c.Flags().BoolVar(&opts.All, "all", false, "retry every failed object")
	c.Flags().IntVar(&opts.MaxRetries, "max-retries", 3, "leave out objects that were retried this `number` of times, 1 to 10")
	c.RunE = a.withBucket(toWrite, func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
		if opts.MaxRetries < 1 || opts.MaxRetries > 10 {
			return usagef("--max-retries: 1 to 10 expected, got %d", opts.MaxRetries)
		}
		result, err := b.RetryBatch(ctx, args[0], &opts)
		if err != nil {
			return err
		}
		k, err := b.Batch(ctx, args[0])
		if err != nil {
			return err
		}
		a.note("%d objects are processed again", result.Retried)
		return a.showBatch(k)
	})
	return c
}

func newBatchListCommand(a *app) *cobra.Command {
	var status string
	var limit int
	c := &cobra.Command{
		Use: "list BUCKET", Aliases: []string{"ls"},
		Short:   "List the batches of a bucket",
		Long:    "List the batches of a bucket, the oldest first, or with --limit the newest first.",
		Example: "  bucketlite batch list videos --status COMPLETED_WITH_ERRORS",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	c.Flags().StringVar(&status, "status", "", "only batches with this `status`")
	c.Flags().IntVar(&limit, "limit", 0, "only this `number` of batches, the newest; 0 means all")
	c.RunE = a.withBucket(toRead, func(ctx context.Context, b *bucketlite.Bucket, _ []string) error {
		if limit < 0 {
			return usagef("--limit: 0 or more expected, got %d", limit)
		}
		q := bucketlite.BatchQuery{Status: bucketlite.Status(status)}
		if limit > 0 {
			q.Reverse = true
		}
		return list(a, first(limit, b.Batches(ctx, q)), []any{"ID", "STATUS", "OBJECTS", "FAILED", "SKIPPED", "UPDATED"},
			func(k *bucketlite.Batch) []any {
				return []any{k.ID, k.Status, k.ObjectCount, k.Failed, k.Skipped, k.UpdatedAt}
			})
	})
	return c
}

func newBatchShowCommand(a *app) *cobra.Command {
	var failed bool
	c := &cobra.Command{
		Use: "show BUCKET BATCH", Aliases: []string{"get"},
		Short: "Show a batch, or its failed objects",
		Example: `  bucketlite batch show videos btch_01K3V3D0M8Y2W4Z6A8C0E2G4J6
  bucketlite batch show videos btch_01K3V3D0M8Y2W4Z6A8C0E2G4J6 --failed`,
		Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	c.Flags().BoolVar(&failed, "failed", false, "list the objects that have failed, with their errors")
	c.RunE = a.withBucket(toRead, func(ctx context.Context, b *bucketlite.Bucket, args []string) error {
		if failed {
			return list(a, b.FailedJobs(ctx, args[0], bucketlite.Query{}), []any{"OBJECT", "CATEGORY", "ATTEMPTS", "ERROR"},
				func(j *bucketlite.FailedJob) []any {
					return []any{j.ObjectID, j.Error.Category, j.Attempts, j.Error.Message}
				})
		}
		k, err := b.Batch(ctx, args[0])
		if err != nil {
			return err
		}
		return a.showBatch(k)
	})
	return c
}

func (a *app) showBatch(k *bucketlite.Batch) error {
	return a.show(k, func(t *table) {
		t.row("id", k.ID)
		t.row("status", k.Status)
		t.row("objects", k.ObjectCount)
		t.row("failed", k.Failed)
		for _, category := range slices.Sorted(maps.Keys(k.ErrorSummary)) {
			t.row("  "+string(category), k.ErrorSummary[category])
		}
		if k.Skipped > 0 {
			t.row("skipped", k.Skipped)
		}
		if k.TaskID != "" {
			t.row("task", k.TaskID)
		}
		if k.Error != "" {
			t.row("error", k.Error)
		}
		t.row("created", k.CreatedAt)
		t.row("updated", k.UpdatedAt)
	})
}

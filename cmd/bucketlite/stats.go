package main

import (
	"context"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

// storeStats is what stats says of a whole store.
type storeStats struct {
	File         string                      `json:"file"`
	FileBytes    int64                       `json:"file_bytes"`
	FreeBytes    int64                       `json:"free_bytes"`
	ContentBytes int64                       `json:"content_bytes"`
	WaitingBytes int64                       `json:"waiting_bytes"`
	Namespaces   []*bucketlite.NamespaceInfo `json:"namespaces"`
}

func newStatsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "stats [BUCKET]",
		Short: "Count a bucket, or the whole store",
		Example: `  bucketlite stats
  bucketlite stats videos --json`,
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
		RunE: a.withStore(toRead, func(ctx context.Context, st *bucketlite.Store, args []string) error {
			if len(args) == 0 {
				return a.storeStats(ctx, st)
			}
			b, err := a.bucket(ctx, st, args[0])
			if err != nil {
				return err
			}
			return a.bucketStats(ctx, b)
		}),
	}
}

func (a *app) storeStats(ctx context.Context, st *bucketlite.Store) error {
	stats, err := st.Stats(ctx)
	if err != nil {
		return err
	}
	all := storeStats{File: a.db, FileBytes: stats.FileBytes, FreeBytes: stats.FreeBytes, ContentBytes: stats.ContentBytes, WaitingBytes: stats.WaitingBytes,
		Namespaces: []*bucketlite.NamespaceInfo{}}
	for ns, err := range st.Namespaces(ctx, bucketlite.Query{}) {
		if err != nil {
			return err
		}
		all.Namespaces = append(all.Namespaces, ns)
	}
	return a.show(all, func(t *table) {
		t.row("file", all.File)
		t.row("file size", size(all.FileBytes))
		t.row("of it unused", size(all.FreeBytes))
		t.row("content of blobs", size(all.ContentBytes))
		t.row("to be collected", size(all.WaitingBytes))
		t.row("namespaces", len(all.Namespaces))
		for _, ns := range all.Namespaces {
			t.row("  "+ns.Name, plural(ns.BucketCount, "bucket", "buckets")+", "+plural(ns.ObjectCount, "object", "objects"))
		}
	})
}

func (a *app) bucketStats(ctx context.Context, b *bucketlite.Bucket) error {
	s, err := b.Stats(ctx)
	if err != nil {
		return err
	}
	return a.show(s, func(t *table) {
		t.row("objects", s.ObjectCount)
		t.row("size", size(s.TotalSize))
		t.row("  average", size(s.Storage.Avg))
		t.row("  smallest", size(s.Storage.Min))
		t.row("  largest", size(s.Storage.Max))
		t.row("last put", s.LastUploadAt)
		t.row("batches", s.Batches.Total)
		t.row("  active", s.Batches.Active)
		t.row("  completed", s.Batches.Completed)
		t.row("  failed", s.Batches.Failed)
	})
}

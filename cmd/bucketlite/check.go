package main

import (
	"context"
	"fmt"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newCheckCommand(a *app) *cobra.Command {
	var repair bool
	c := &cobra.Command{
		Use:   "check",
		Short: "Read the whole store and report every problem",
		Long: `Read the whole store, and report every broken rule. The exit code is 7 if there is
one, unless all were repaired.

--repair recomputes data that can be derived from other data: statistics, counts,
keys, indexes. It never deletes an object or guesses a value. Back up the store
first.`,
		Example: `  bucketlite check --db media.db
  bucketlite check --repair --json`,
		Args: cobra.NoArgs,
	}
	c.Flags().BoolVar(&repair, "repair", false, "recompute statistics, counts, keys and indexes")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		want := toRead
		if repair {
			want = toWrite
		}
		return a.withStore(want, func(ctx context.Context, st *bucketlite.Store, _ []string) error {
			bar := a.progress("checking", -1, inPercent)
			report, err := st.Check(ctx, &bucketlite.CheckOptions{Repair: repair, Progress: func(p bucketlite.CheckProgress) {
				// Bytes take the time; an object stands for some, so that both move the bar.
				const object = 1 << 12
				bar.of(object*p.Objects+p.ContentBytes, object*p.TotalObjects+p.TotalContentBytes)
			}})
			bar.end()
			if err != nil {
				return err
			}
			if err := a.show(report, func(t *table) { reportTable(t, report) }); err != nil {
				return err
			}
			if report.Err() != nil {
				return fmt.Errorf("%w: %s", bucketlite.ErrCorrupt, plural(int64(len(report.Problems)+report.Omitted), "problem", "problems"))
			}
			return nil
		})(cmd, args)
	}
	return c
}

func reportTable(t *table, r *bucketlite.CheckReport) {
	t.row("buckets", r.Buckets)
	t.row("objects", r.Objects)
	if r.WithoutChecksum > 0 {
		t.row("  without checksum", r.WithoutChecksum)
	}
	t.row("contents", r.Contents)
	t.row("content bytes", size(r.ContentBytes))
	t.row("problems", int64(len(r.Problems)+r.Omitted))
	for _, p := range r.Problems {
		state := ""
		if p.Repaired {
			state = " (repaired)"
		}
		t.row("  "+p.Rule, p.Subject+": "+p.Message+state)
	}
	if r.Omitted > 0 {
		t.row("  …", plural(int64(r.Omitted), "problem more", "problems more"))
	}
}

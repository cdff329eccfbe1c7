package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
)

func newAggregateCommand(a *app) *cobra.Command {
	f := &queryFlags{}
	var by, metrics []string
	var request, sortBy, unwind string
	var limit int
	c := &cobra.Command{
		Use:   "aggregate BUCKET",
		Short: "Group objects and compute over each group",
		Long: `Group objects and compute over each group.

A metric is a function, with a path where it needs one: count, count_distinct,
sum, avg, min, max, first, last, push or add_to_set. Its name in the result is its own
text, as sum:duration, or a given name: total=sum:duration.

--request takes the whole request, as the JSON of an aggregation: {"group_by": [{"field":
…}], "aggregations": [{"function": …, "field": …, "alias": …}], "having": […], …}.`,
		Example: `  bucketlite aggregate videos --by language --metric count --metric total=sum:duration --sort total
  bucketlite aggregate videos --by tags --unwind tags --limit 10
  bucketlite aggregate videos --request @monthly.json --json`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeBucket(cobra.ShellCompDirectiveNoFileComp),
	}
	flags := c.Flags()
	flags.StringSliceVar(&by, "by", nil, "the `paths` to group by")
	flags.StringArrayVar(&metrics, "metric", nil, "a `metric`, as count or name=sum:path; may be repeated; default: count")
	f.filterFlags.add(a, c, "which objects count")
	flags.StringVar(&unwind, "unwind", "", "count each element of the array at this `path` separately")
	flags.StringVar(&sortBy, "sort", "", "sort groups by the metric or group of this `name`, the largest first, or name:asc")
	flags.IntVar(&limit, "limit", 0, "at most this `number` of groups; 0 means all")
	flags.StringVar(&request, "request", "", "the whole aggregation, as `JSON`; @FILE reads it from a file")
	for _, other := range []string{"by", "metric", "filter", "where", "unwind", "sort", "limit"} {
		a.exclude(c, "request", other)
	}
	c.RunE = a.withBucket(toRead, func(ctx context.Context, b *bucketlite.Bucket, _ []string) error {
		var agg bucketlite.Aggregation
		if request != "" {
			text, err := a.argument(ctx, request)
			if err != nil {
				return err
			}
			if err := json.Unmarshal(text, &agg); err != nil {
				if !errors.Is(err, bucketlite.ErrBadRequest) {
					err = &usageError{err: err}
				}
				return &located{"--request", err}
			}
		} else {
			q, err := f.query(ctx, a)
			if err != nil {
				return err
			}
			agg = bucketlite.Aggregation{Filter: q.Filter, Unwind: unwind, Limit: limit}
			for _, path := range by {
				agg.GroupBy = append(agg.GroupBy, bucketlite.GroupBy{Field: path})
			}
			if len(metrics) == 0 {
				metrics = []string{"count"}
			}
			for _, m := range metrics {
				agg.Metrics = append(agg.Metrics, metric(m))
			}
			if agg.SortBy = sortBy; sortBy != "" {
				name, direction, found := cutLast(sortBy, ":")
				if found && (direction == "asc" || direction == "desc") {
					agg.SortBy, agg.SortDirection = name, bucketlite.SortDirection(direction)
				}
			}
		}
		if err := a.noteQuery(ctx, b, bucketlite.Query{Filter: agg.Filter}); err != nil && !errors.Is(err, bucketlite.ErrBadRequest) {
			return err
		}
		result, err := b.Aggregate(ctx, agg)
		if err != nil {
			return err
		}
		return a.show(result, func(t *table) { groupTable(t, agg, result) })
	})
	return c
}

// metric reads name=function:path.
func metric(text string) bucketlite.Metric {
	alias, rest, named := strings.Cut(text, "=")
	if !named {
		alias, rest = text, text
	}
	function, path, _ := strings.Cut(rest, ":")
	return bucketlite.Metric{Function: bucketlite.AggregateFunction(function), Field: path, Alias: alias}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// groupTable prints groups in the order in which the aggregation names their parts.
func groupTable(t *table, agg bucketlite.Aggregation, result *bucketlite.AggregateResult) {
	var by, metrics []string
	for _, g := range agg.GroupBy {
		name := g.Alias
		if name == "" {
			name = g.Field
		}
		by = append(by, name)
	}
	for _, r := range agg.RangeBuckets {
		by = append(by, r.Field)
	}
	for _, m := range agg.Metrics {
		metrics = append(metrics, m.Alias)
	}
	var header []any
	for _, name := range slices.Concat(by, metrics) {
		header = append(header, strings.ToUpper(name))
	}
	t.row(header...)
	for _, g := range result.Groups {
		var cells []any
		for _, name := range by {
			cells = append(cells, valueText(g.Group[name]))
		}
		for _, name := range metrics {
			cells = append(cells, valueText(g.Metrics[name]))
		}
		t.row(cells...)
	}
}

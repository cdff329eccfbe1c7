package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/bucketlite/bucketlite"
)

// find asks for items: by a filter, sorted, page by page; by words; and with an
// index, which finds the same.
func (q *quickstart) find(ctx context.Context) error {
	q.chapter("Items are found: filter, sort, search")
	long := bucketlite.Query{
		Filter: bucketlite.And(bucketlite.Eq("mediatype", "Video"), bucketlite.Gte("duration", 3600)),
		Sort:   []bucketlite.Sort{bucketlite.Desc("duration"), bucketlite.Asc("title")},
		Select: []string{"duration", "title"},
		Limit:  3,
		Total:  true,
	}
	q.say("filter: %s", long.Filter)
	before, err := q.longest(ctx, long)
	if err != nil {
		return err
	}
	how, err := q.media.Explain(ctx, long)
	if err != nil {
		return err
	}
	q.say("It %s.", how)
	if err := q.media.EnsureIndex(ctx, "duration"); err != nil {
		return err
	}
	if how, err = q.media.Explain(ctx, long); err != nil {
		return err
	}
	q.say("With an index of duration it %s.", how)
	after, err := q.ids(ctx, long)
	if err != nil || strings.Join(before, " ") != strings.Join(after, " ") {
		return fmt.Errorf("with an index %v, %w, without it %v", after, err, before)
	}

	words := bucketlite.Query{Search: "lecture rembrandt", Total: true}
	page, err := q.media.List(ctx, words)
	if err != nil {
		return err
	}
	q.say("search %q: %s %s", words.Search, count(page.Total), plural(int(page.Total), "item"))

	_, err = q.media.List(ctx, bucketlite.Query{Filter: bucketlite.Regex("title", "(unclosed"), Sort: []bucketlite.Sort{{Field: "title", Direction: "up"}}})
	if err := expect(err, bucketlite.ErrBadRequest); err != nil {
		return err
	}
	q.refusal("ask for an invalid query", err)
	return nil
}

// longest shows the first page of a query, and returns the ids on all pages.
func (q *quickstart) longest(ctx context.Context, query bucketlite.Query) ([]string, error) {
	page, err := q.media.List(ctx, query)
	if err != nil {
		return nil, err
	}
	rows := [][]string{{"seconds", "title"}}
	for _, o := range page.Results {
		rows = append(rows, []string{fmt.Sprint(o.Fields["duration"]), shorten(fmt.Sprint(o.Fields["title"]))})
	}
	q.table(rows...)
	q.say("the first %d of %s", len(page.Results), count(page.Total))
	return q.ids(ctx, query)
}

func (q *quickstart) ids(ctx context.Context, query bucketlite.Query) (ids []string, err error) {
	query.Limit = 0
	for o, err := range q.media.Objects(ctx, query) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, o.ID)
	}
	return ids, nil
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// group counts items by type and by length.
func (q *quickstart) group(ctx context.Context) error {
	q.chapter("Items are counted by groups")
	res, err := q.media.Aggregate(ctx, bucketlite.Aggregation{
		GroupBy:      []bucketlite.GroupBy{{Field: "mediatype"}},
		RangeBuckets: []bucketlite.RangeBucket{{Field: "duration", Boundaries: []any{0, 600, 3600, 7200}, Default: "longer, or not known"}},
		Metrics: []bucketlite.Metric{
			{Function: bucketlite.MetricCount, Alias: "items"},
			{Function: bucketlite.MetricAvg, Field: "duration", Alias: "mean"},
		},
	})
	if err != nil {
		return err
	}
	rows := [][]string{{"type", "seconds", "items", "mean"}}
	var total int64
	for _, g := range res.Groups {
		total += g.Int("items")
		rows = append(rows, []string{
			fmt.Sprint(g.Group["mediatype"]), fmt.Sprint(g.Group["duration"]), count(g.Int("items")), fmt.Sprintf("%.0f", g.Float("mean")),
		})
	}
	q.table(rows...)
	stats, err := q.media.Stats(ctx)
	if err == nil && total != stats.ObjectCount {
		err = fmt.Errorf("the groups have %d items, the bucket %d", total, stats.ObjectCount)
	}
	return err
}

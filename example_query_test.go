package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

func ExampleBucket_List_filter() {
	ctx := context.Background()
	st, b := openSales(ctx)
	defer st.Close()
	q := bucketlite.Query{
		Filter: bucketlite.And(bucketlite.Lt("price", 90), bucketlite.Not(bucketlite.Eq("category", "socks"))),
		Sort:   []bucketlite.Sort{bucketlite.Desc("price")},
		Limit:  2,
		Total:  true,
	}
	for {
		page, err := b.List(ctx, q)
		check(err)
		for _, o := range page.Results {
			fmt.Println(o.Fields["category"], o.Fields["price"])
		}
		if q.Cursor = page.Next; page.Next == "" {
			fmt.Println(page.Total, "in all")
			break
		}
	}
	// Output:
	// shoes 60
	// hats 25
	// hats 20
	// 3 in all
}

func ExampleQuery_search() {
	ctx := context.Background()
	st, b := openSales(ctx)
	defer st.Close()
	for o, err := range b.Objects(ctx, bucketlite.Query{Search: "SHOE sale", Select: []string{"price", "tags"}}) {
		check(err)
		fmt.Println(o.Fields)
	}
	// Output:
	// map[price:60 tags:[red sale]]
}

func ExampleQuery() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	_, err := b.PutMany(ctx, []bucketlite.ObjectInput{video("v1", "Red sneaker"), video("v2", "Blue hat"), video("v3", "A red hat")}, nil)
	check(err)

	page, err := b.List(ctx, bucketlite.Query{
		Filter: bucketlite.Contains("title", "red"),
		Sort:   []bucketlite.Sort{bucketlite.Asc("title")},
		Select: []string{"title"},
		Limit:  1,
		Total:  true,
	})
	check(err)
	fmt.Println(page.Results[0].Fields, "of", page.Total)
	// Output:
	// map[title:A red hat] of 2
}

func ExampleNamespace_ListBuckets() {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, ":memory:", nil)
	check(err)
	defer st.Close()
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "production"})
	check(err)
	for name, team := range map[string]string{"videos": "media", "photos": "Media", "invoices": "finance"} {
		_, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: name, Metadata: map[string]any{"team": team}})
		check(err)
	}

	page, err := ns.ListBuckets(ctx, bucketlite.Query{
		Filter: bucketlite.Eq("metadata.team", "media"),
		Sort:   []bucketlite.Sort{bucketlite.Asc("bucket_name")},
	})
	check(err)
	for _, info := range page.Results {
		fmt.Println(info.Name)
	}
	// Output:
	// photos
	// videos
}

func ExampleBucket_ListStats() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	_, err := b.PutMany(ctx, []bucketlite.ObjectInput{video("v1", "Red sneaker"), video("v2", "Blue hat"), video("v3", "A red hat")}, nil)
	check(err)

	stats, err := b.ListStats(ctx, bucketlite.Query{Search: "hat"})
	check(err)
	data, err := json.Marshal(stats)
	check(err)
	fmt.Println(string(data))
	// Output:
	// {"total_objects":2,"total_blobs":0,"avg_blobs_per_object":0,"objects_by_status":{"DRAFT":2}}
}

func ExampleFilter() {
	f := bucketlite.And(
		bucketlite.Words("title", "red sneaker"),
		bucketlite.Or(bucketlite.Gte("seconds", 60), bucketlite.IsNull("seconds")),
		bucketlite.Not(bucketlite.Eq("blobs.details.mime_type", "image/gif")),
	)
	fmt.Println(f)
	data, err := json.MarshalIndent(bucketlite.Eq("title", "Red sneaker").CaseSensitive(), "", "  ")
	check(err)
	fmt.Println(string(data))
	// Output:
	// title text "red sneaker" and (seconds gte 60 or seconds is_null true) and not (blobs.details.mime_type eq "image/gif")
	// {
	//   "case_sensitive": true,
	//   "field": "title",
	//   "operator": "eq",
	//   "value": "Red sneaker"
	// }
}

func ExampleParseFilter() {
	f, err := bucketlite.ParseFilter([]byte(`{
		"title": "Red sneaker",
		"NOT": {"field": "seconds", "operator": "lt", "value": 60}
	}`))
	check(err)
	fmt.Println(f)
	// Output:
	// not (seconds lt 60) and title eq "Red sneaker"
}

func ExampleParseWhere() {
	f, err := bucketlite.ParseWhere(`seconds > 60 and (language in ("en", "de") or not title contains "draft")`)
	check(err)
	fmt.Println(f)

	_, err = bucketlite.ParseWhere(`seconds > 60 and language = en`)
	fmt.Println(err)
	// Output:
	// seconds gt 60 and (language in ["en","de"] or not (title contains "draft"))
	// bucketlite: where: character 29: got en, want a value; text stands in quotes: "en"
}

func ExampleIn() {
	colours := []string{"red", "blue"}
	fmt.Println(bucketlite.In("colour", colours...))
	fmt.Println(bucketlite.In("size", 41, 42))
	fmt.Println(bucketlite.In[any]("size", 42, "42 EU", nil))
	// Output:
	// colour in ["red","blue"]
	// size in [41,42]
	// size in [42,"42 EU",null]
}

func ExampleQueryError() {
	_, err := bucketlite.ParseFilter([]byte(`{"OR": [
		{"field": "title", "operator": "like", "value": "red%"},
		{"field": "seconds", "operator": "gt", "value": null}
	]}`))
	var bad *bucketlite.QueryError
	if errors.As(err, &bad) {
		for _, issue := range bad.Issues {
			fmt.Println(issue.Path, issue.Rule)
		}
	}
	fmt.Println(errors.Is(err, bucketlite.ErrBadRequest))
	// Output:
	// filters.OR[0].operator unknown
	// filters.OR[1].value type
	// true
}

func ExampleBucket_EnsureIndex() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	for i := range 200 {
		_, err := b.Put(ctx, video(fmt.Sprint("v", i), fmt.Sprint("Episode ", i)), nil)
		check(err)
	}
	q := bucketlite.Query{Filter: bucketlite.Eq("title", "episode 7")}
	how, err := b.Explain(ctx, q)
	check(err)
	fmt.Println(how)

	check(b.EnsureIndex(ctx, "title", "seconds")) // returns when both are ready
	how, err = b.Explain(ctx, q)
	check(err)
	fmt.Println(how)

	check(b.DropIndex(ctx, "seconds"))
	indexes, err := b.Indexes(ctx)
	check(err)
	fmt.Println(indexes)
	// Output:
	// examines all 200 objects
	// looks up 1 object by the value index of title
	// [value index of title]
}

func ExampleBucket_EnsureTextIndex() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	check(b.EnsureTextIndex(ctx)) // of all texts
	for id, title := range map[string]string{"v1": "Red sneaker", "v2": "Blue sneakers", "v3": "Boots"} {
		_, err := b.Put(ctx, video(id, title), nil)
		check(err)
	}
	q := bucketlite.Query{Search: "SNEAKER red"}
	page, err := b.List(ctx, q)
	check(err)
	for _, o := range page.Results {
		fmt.Println(o.Fields["title"])
	}
	how, err := b.Explain(ctx, q)
	check(err)
	fmt.Println(how)
	// Output:
	// Red sneaker
	// looks up 1 object by the text index of all texts
}

// openSales opens a store in memory with a bucket of five things that were sold.
func openSales(ctx context.Context) (*bucketlite.Store, *bucketlite.Bucket) {
	st, err := bucketlite.Open(ctx, ":memory:", nil)
	check(err)
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "production"})
	check(err)
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "sales", Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"category": {Type: bucketlite.String},
		"price":    {Type: bucketlite.Number},
		"sold":     {Type: bucketlite.DateTime},
		"tags":     {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String}},
	}}})
	check(err)
	for _, text := range []string{
		`{"category": "shoes", "price": 60, "sold": "2024-05-06T10:00:00Z", "tags": ["red", "sale"]}`,
		`{"category": "shoes", "price": 99.5, "sold": "2024-05-06T23:30:00-02:00", "tags": ["red"]}`,
		`{"category": "hats", "price": 20, "sold": "2024-05-07T09:00:00Z", "tags": ["sale"]}`,
		`{"category": "hats", "price": 25, "sold": "2024-06-01T09:00:00Z"}`,
		`{"category": "socks", "price": 5, "sold": "2024-06-02T09:00:00Z", "tags": []}`,
	} {
		var in bucketlite.ObjectInput
		check(json.Unmarshal([]byte(text), &in))
		_, err := b.Put(ctx, in, nil)
		check(err)
	}
	return st, b
}

func ExampleBucket_Aggregate() {
	ctx := context.Background()
	st, b := openSales(ctx)
	defer st.Close()
	res, err := b.Aggregate(ctx, bucketlite.Aggregation{
		GroupBy: []bucketlite.GroupBy{{Field: "category"}},
		Metrics: []bucketlite.Metric{
			{Function: bucketlite.MetricCount, Alias: "sold"},
			{Function: bucketlite.MetricSum, Field: "price", Alias: "income"},
			{Function: bucketlite.MetricAvg, Field: "price", Alias: "price"},
		},
		Having: []bucketlite.Having{{Field: "sold", Operator: "gte", Value: 2}},
		SortBy: "income",
	})
	check(err)
	for _, g := range res.Groups {
		fmt.Println(g.Group["category"], g.Int("sold"), g.Float("income"), g.Metrics["price"])
	}
	// Output:
	// shoes 2 159.5 79.75
	// hats 2 45 22.5
}

func ExampleGroupBy() {
	ctx := context.Background()
	st, b := openSales(ctx)
	defer st.Close()
	res, err := b.Aggregate(ctx, bucketlite.Aggregation{
		GroupBy: []bucketlite.GroupBy{{Field: "sold", DateTrunc: bucketlite.UnitDay, Alias: "day"}},
		Metrics: []bucketlite.Metric{{Function: bucketlite.MetricCount, Alias: "n"}},
		Filter:  bucketlite.Lt("sold", "2024-06-01T00:00:00Z"),
	})
	check(err)
	for _, g := range res.Groups {
		fmt.Println(g.Group["day"], g.Metrics["n"])
	}
	// Output:
	// 2024-05-06T00:00:00Z 1
	// 2024-05-07T00:00:00Z 2
}

func ExampleRangeBucket() {
	ctx := context.Background()
	st, b := openSales(ctx)
	defer st.Close()
	res, err := b.Aggregate(ctx, bucketlite.Aggregation{
		RangeBuckets: []bucketlite.RangeBucket{{Field: "price", Boundaries: []any{0, 25, 60}, Default: "dear"}},
		Metrics:      []bucketlite.Metric{{Function: bucketlite.MetricPush, Field: "price", Alias: "prices"}},
	})
	check(err)
	for _, g := range res.Groups {
		fmt.Println(g.Group["price"], g.Metrics["prices"])
	}
	// Output:
	// 0-25 [20 25 5]
	// 25-60 [60]
	// dear [99.5]
}

func ExampleAggregation() {
	ctx := context.Background()
	st, b := openSales(ctx)
	defer st.Close()
	var a bucketlite.Aggregation
	check(json.Unmarshal([]byte(`{
		"unwind": "tags",
		"group_by": [{"field": "tags", "alias": "tag"}],
		"aggregations": [{"function": "count", "alias": "n"}, {"function": "add_to_set", "field": "category", "alias": "in"}],
		"sort_by": "tag",
		"sort_direction": "asc"
	}`), &a))
	res, err := b.Aggregate(ctx, a)
	check(err)
	data, err := json.Marshal(res)
	check(err)
	fmt.Println(string(data))

	a.Metrics = append(a.Metrics, bucketlite.Metric{Function: bucketlite.MetricSum, Field: "category", Alias: "total"})
	_, err = b.Aggregate(ctx, a)
	fmt.Println(errors.Is(err, bucketlite.ErrBadRequest), err)
	// Output:
	// {"results":[{"group":{"tag":"red"},"metrics":{"in":["shoes"],"n":2}},{"group":{"tag":"sale"},"metrics":{"in":["shoes","hats"],"n":2}}],"total_groups":2}
	// true bucketlite: aggregation: aggregations[2].field: a number expected, but the field is declared as a string
}

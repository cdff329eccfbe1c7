package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

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

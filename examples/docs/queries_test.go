package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

func Example_queries() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()

	query := bucketlite.Query{
		Filter: bucketlite.And(
			bucketlite.Gte("released", "2024-01-01T00:00:00Z"),
			bucketlite.Or(bucketlite.Contains("name", "hat"), bucketlite.Eq("tags", "shoes")),
			bucketlite.Not(bucketlite.Eq("blobs.details.mime_type", "image/gif")),
		),
		Sort:  []bucketlite.Sort{bucketlite.Desc("price")},
		Limit: 2,
		Total: true,
	}
	page, err := products.List(ctx, query)
	check(err)
	for _, o := range page.Results {
		fmt.Println(o.Fields["name"], o.Fields["price"])
	}
	fmt.Println(page.Total, "in all, more:", page.Next != "")

	query.Cursor = page.Next
	page, err = products.List(ctx, query)
	check(err)
	fmt.Println(len(page.Results), "on the second page")

	for o, err := range products.Objects(ctx, bucketlite.Query{Search: "SNEAK", Select: []string{"name", "tags"}}) {
		check(err)
		fmt.Println(o.Fields)
	}

	filter, err := bucketlite.ParseFilter([]byte(`{"AND": [{"field": "price", "operator": "lt", "value": 90}, {"tags": "shoes"}]}`))
	check(err)
	fmt.Println(filter)

	filter, err = bucketlite.ParseWhere(`price < 90 and (tags = "shoes" or not name contains "boot")`)
	check(err)
	fmt.Println(filter)

	_, err = products.List(ctx, bucketlite.Query{
		Filter: bucketlite.Regex("name", "(unclosed"),
		Sort:   []bucketlite.Sort{{Field: "price", Direction: "up"}},
	})
	var bad *bucketlite.QueryError
	if errors.As(err, &bad) {
		for _, issue := range bad.Issues {
			fmt.Println(issue)
		}
	}

	// Output:
	// Blue boot 140
	// Red sneaker 89.5
	// 3 in all, more: true
	// 1 on the second page
	// map[name:Red sneaker tags:[shoes sale]]
	// price lt 90 and tags eq "shoes"
	// price lt 90 and (tags eq "shoes" or not (name contains "boot"))
	// filters.value: error parsing regexp: missing closing ): `(unclosed`
	// sort[0].direction: "asc" or "desc" expected, got "up"
}

func Example_newest() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()

	newest, err := products.List(ctx, bucketlite.Query{Reverse: true, Limit: 1})
	check(err)
	fmt.Println(newest.Results[0].Fields["name"])

	found, err := products.CountUpTo(ctx, bucketlite.Query{Filter: bucketlite.Eq("tags", "shoes")}, 1)
	check(err)
	fmt.Println(found, "or more")

	// Output:
	// Straw hat
	// 1 or more
}

func Example_indexes() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()

	query := bucketlite.Query{Filter: bucketlite.Lt("price", 90)}
	plan, err := products.Explain(ctx, query)
	check(err)
	fmt.Println(plan)

	check(products.EnsureIndex(ctx, "price")) // for comparing, sorting and counting
	check(products.EnsureTextIndex(ctx))      // for Search; with a path, for Contains and Words on it
	plan, err = products.Explain(ctx, query)
	check(err)
	fmt.Println(plan)

	// Output:
	// examines all 3 objects
	// looks up 2 objects by the value index of price
}

func Example_aggregates() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()

	result, err := products.Aggregate(ctx, bucketlite.Aggregation{
		Unwind:  "tags",
		GroupBy: []bucketlite.GroupBy{{Field: "tags"}},
		Metrics: []bucketlite.Metric{
			{Function: bucketlite.MetricCount, Alias: "products"},
			{Function: bucketlite.MetricAvg, Field: "price", Alias: "mean"},
		},
		SortBy: "products",
	})
	check(err)
	for _, g := range result.Groups {
		fmt.Println(g.Group["tags"], g.Int("products"), g.Float("mean"))
	}
	// Output:
	// shoes 2 114.75
	// hats 1 25
	// sale 1 89.5
}

func Example_changes() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()

	cheap := bucketlite.Query{Filter: bucketlite.Lt("price", 90)}
	n, err := products.Count(ctx, cheap.Filter)
	check(err)
	patched, err := products.PatchObjects(ctx, cheap, bucketlite.ObjectInput{Fields: map[string]any{"tags": []string{"cheap"}}}, nil)
	check(err)
	fmt.Println(n, "cheap, changed:", patched.Changed, "refused:", patched.Failed)

	deleted, err := products.DeleteObjects(ctx, bucketlite.Query{Filter: bucketlite.Eq("tags", "cheap")}, nil)
	check(err)
	fmt.Println("deleted:", deleted.Changed)
	// Output:
	// 2 cheap, changed: 2 refused: 0
	// deleted: 2
}

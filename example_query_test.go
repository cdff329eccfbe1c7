package bucketlite_test

import (
	"context"
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

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

func ExampleBucket_EnsureIndex() {
	ctx := context.Background()
	st, b := openSales(ctx)
	defer st.Close()
	dear := bucketlite.Query{Filter: bucketlite.Gt("price", 90), Sort: []bucketlite.Sort{bucketlite.Asc("sold")}}
	how, err := b.Explain(ctx, dear)
	check(err)
	fmt.Println(how)

	check(b.EnsureIndex(ctx, "price", "category"))
	how, err = b.Explain(ctx, dear)
	check(err)
	fmt.Println(how)

	indexes, err := b.Indexes(ctx)
	check(err)
	for _, i := range indexes {
		fmt.Println(i, i.Status)
	}
	// Output:
	// looks at all 5 objects, and sorts them
	// looks up 1 object by the value index of price, and sorts them
	// value index of category READY
	// value index of price READY
}

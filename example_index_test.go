package bucketlite_test

import (
	"context"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

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

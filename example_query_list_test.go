package bucketlite_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

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

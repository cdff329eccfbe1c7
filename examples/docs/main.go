package main

import (
	"context"
	"fmt"
	"log"

	"github.com/bucketlite/bucketlite"
)

func main() {
	ctx := context.Background()
	store, err := bucketlite.Open(ctx, ":memory:", nil) // or a file: "app.db"
	check(err)
	defer store.Close()
	videos, err := store.EnsureBucket(ctx, "production", bucketlite.BucketConfig{ // opens or creates it
		Name: "videos",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"video_id": {Type: bucketlite.String},
			"title":    {Type: bucketlite.String, Required: true},
			"video":    {Type: bucketlite.Video}, // bytes, or a reference to a URL
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"video_id"}, DefaultPolicy: bucketlite.Upsert},
	}, nil)
	check(err)

	in := bucketlite.ObjectInput{
		Fields: map[string]any{"video_id": "v1", "title": "Red sneaker"},
		Blobs:  []bucketlite.BlobInput{{Property: "video", Data: "https://example.com/v1.mp4"}},
	}
	res, err := videos.Put(ctx, in, nil)
	check(err)
	fmt.Println(res.Created, res.Object.Fields["title"], res.Object.Blobs[0].Properties["url"])

	_, err = videos.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"video_id": "v2", "title": 7}}, nil)
	fmt.Println(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

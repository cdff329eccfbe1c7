package main

import (
	"context"
	"fmt"
	"log"

	"github.com/bucketlite/bucketlite"
)

// Video gives the bucket its schema.
type Video struct {
	ID      string               `json:"video_id"`
	Title   string               `json:"title" bucketlite:"required,minlen=1"`
	Seconds int                  `json:"seconds" bucketlite:"min=0"`
	File    bucketlite.BlobInput `json:"file" bucketlite:"type=video"` // bytes, or a URL
}

func main() {
	ctx := context.Background()
	store, err := bucketlite.Open(ctx, ":memory:", nil) // or a file: "app.db"
	check(err)
	defer store.Close()
	videos, err := bucketlite.EnsureAs[Video](ctx, store, "production", bucketlite.BucketConfig{ // opens or creates it
		Name:      "videos",
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"video_id"}, DefaultPolicy: bucketlite.Upsert},
	}, nil)
	check(err)

	file := bucketlite.BlobInput{Data: "https://example.com/v1.mp4"}
	_, err = videos.Put(ctx, Video{ID: "v1", Title: "Red sneaker", Seconds: 42, File: file}, nil)
	check(err)
	v, err := videos.ByKey(ctx, "v1")
	check(err)
	fmt.Println(v.Value.Title, v.Blobs[0].Properties["url"])

	_, err = videos.Patch(ctx, v.ID, func(v *Video) error { v.Seconds += 20; return nil }, nil)
	check(err)
	for v, err := range videos.Objects(ctx, bucketlite.Query{Filter: bucketlite.Gt("seconds", 60)}) {
		check(err)
		fmt.Println(v.Value.ID, v.Value.Seconds)
	}

	_, err = videos.Put(ctx, Video{ID: "v2", Seconds: -1}, nil)
	fmt.Println(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

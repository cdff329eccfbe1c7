package main

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketlite/bucketlite"
)

func Example_retention() {
	ctx := context.Background()
	store, err := bucketlite.Open(ctx, ":memory:", nil)
	check(err)
	defer store.Close()

	readings, err := store.EnsureBucket(ctx, "plant", bucketlite.BucketConfig{
		Name:      "readings",
		Schema:    bucketlite.Schema{Properties: map[string]bucketlite.Field{"celsius": {Type: bucketlite.Number}}},
		Retention: bucketlite.Retention{MaxAge: 30 * 24 * time.Hour, MaxObjects: 3, MaxBytes: 10 << 30},
	}, nil)
	check(err)
	for celsius := range 5 {
		_, err := readings.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"celsius": celsius}}, nil)
		check(err)
	}
	stats, err := readings.Stats(ctx)
	check(err)
	fmt.Println("objects:", stats.ObjectCount)

	_, err = readings.Put(ctx, bucketlite.ObjectInput{
		Fields:    map[string]any{"celsius": 85},
		ExpiresAt: time.Now().Add(24 * time.Hour),
	}, nil)
	check(err)

	info, err := readings.Update(ctx, bucketlite.BucketUpdate{Retention: &bucketlite.Retention{MaxBytes: 1 << 30}})
	check(err)
	fmt.Println("limits:", info.Retention.MaxObjects, info.Retention.MaxBytes)

	watch, stop := context.WithCancel(ctx)
	for e := range store.Watch(watch, &bucketlite.WatchOptions{FromStart: true, Idle: stop}) {
		if e.Reason != "" {
			fmt.Println(e.Kind, e.Reason)
		}
	}

	// Output:
	// objects: 3
	// limits: 0 1073741824
	// object.deleted retention
	// object.deleted retention
	// object.deleted retention
}

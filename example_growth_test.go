package bucketlite_test

import (
	"context"
	"fmt"
	"time"

	"github.com/bucketlite/bucketlite"
)

func ExampleBucket_Growth() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	_, err := b.PutMany(ctx, []bucketlite.ObjectInput{video("v1", "Red sneaker"), video("v2", "Blue sneaker")}, nil)
	check(err)

	now := time.Now()
	growth, err := b.Growth(ctx, now.AddDate(0, 0, -7), now.Add(time.Minute), bucketlite.UnitDay)
	check(err)
	last := growth[len(growth)-1]
	fmt.Println("a week ago", growth[0].Objects, "objects, now", last.Objects, "of", last.Size, "bytes")
	// Output: a week ago 0 objects, now 2 of 79 bytes
}

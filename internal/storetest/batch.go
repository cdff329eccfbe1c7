package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// CreateBatch creates a batch of objects.
func CreateBatch(t testing.TB, b *bucketlite.Bucket, ids ...string) *bucketlite.Batch {
	t.Helper()
	k, err := b.CreateBatch(context.Background(), bucketlite.BatchInput{ObjectIDs: ids})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Submit creates and submits a batch of objects, and returns its id.
func Submit(t testing.TB, b *bucketlite.Bucket, ids ...string) string {
	t.Helper()
	k := CreateBatch(t, b, ids...)
	if _, err := b.SubmitBatch(context.Background(), k.ID); err != nil {
		t.Fatal(err)
	}
	return k.ID
}

// Process handles all queued jobs.
func Process(t testing.TB, st *bucketlite.Store, handler func(context.Context, *bucketlite.Job) error, opts bucketlite.ProcessOptions) {
	t.Helper()
	opts.UntilIdle = true
	if opts.Backoff == 0 {
		opts.Backoff = time.Millisecond
	}
	if err := st.Process(context.Background(), handler, &opts); err != nil {
		t.Fatal(err)
	}
}

// MustBatch returns a batch.
func MustBatch(t testing.TB, b *bucketlite.Bucket, id string) *bucketlite.Batch {
	t.Helper()
	k, err := b.Batch(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// WantBatch fails unless the batch and its task have the status.
func WantBatch(t testing.TB, st *bucketlite.Store, b *bucketlite.Bucket, id string, want bucketlite.Status) *bucketlite.Batch {
	t.Helper()
	k := MustBatch(t, b, id)
	task, err := st.Task(context.Background(), k.TaskID)
	if err != nil {
		t.Fatal(err)
	}
	if k.Status != want || task.Status != want {
		t.Errorf("got a batch that is %s and a task that is %s, want %s", k.Status, task.Status, want)
	}
	return k
}

// WantStatus fails unless the object has the status.
func WantStatus(t testing.TB, b *bucketlite.Bucket, id string, want bucketlite.Status) *bucketlite.Object {
	t.Helper()
	o, err := b.Object(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	if o.Status != want {
		t.Errorf("object %q: got status %s, want %s", o.ID, o.Status, want)
	}
	return o
}

// PutIDs stores items with the values and returns their ids.
func PutIDs(t testing.TB, b *bucketlite.Bucket, values ...string) []string {
	t.Helper()
	var inputs []bucketlite.ObjectInput
	for i, v := range values {
		inputs = append(inputs, Item(fmt.Sprint("key ", i), v))
	}
	res, err := b.PutMany(context.Background(), inputs, nil)
	if err := PutManyError(res, err); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range res.Succeeded {
		ids = append(ids, s.Object.ID)
	}
	return ids
}

// PutManyIDs is ids for n items without a value.
func PutManyIDs(t testing.TB, b *bucketlite.Bucket, n int) []string {
	t.Helper()
	return PutIDs(t, b, make([]string, n)...)
}

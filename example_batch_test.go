package bucketlite_test

import (
	"context"
	"fmt"

	"github.com/bucketlite/bucketlite"
)

func ExampleStore_Process() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	res, err := b.PutMany(ctx, []bucketlite.ObjectInput{video("v1", "Red sneaker"), video("v2", "Blue boot")}, nil)
	check(err)

	batch, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{res.Succeeded[0].Object.ID, res.Succeeded[1].Object.ID}})
	check(err)
	task, err := b.SubmitBatch(ctx, batch.ID)
	check(err)

	// Usually this runs until ctx ends, and in any number of processes.
	err = st.Process(ctx, func(ctx context.Context, j *bucketlite.Job) error {
		fmt.Println("at work on", j.Object.Fields["title"])
		return nil
	}, &bucketlite.ProcessOptions{Concurrency: 1, UntilIdle: true})
	check(err)

	task, err = st.Task(ctx, task.ID)
	check(err)
	o, err := b.Object(ctx, batch.ObjectIDs[0])
	check(err)
	fmt.Println(task.Status, task.Processed, o.Status)
	// Output:
	// at work on Red sneaker
	// at work on Blue boot
	// COMPLETED 2 COMPLETED
}

func ExampleJobError() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	res, err := b.Put(ctx, video("v1", "Red sneaker"), nil)
	check(err)
	batch, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{res.Object.ID}})
	check(err)
	_, err = b.SubmitBatch(ctx, batch.ID)
	check(err)

	err = st.Process(ctx, func(ctx context.Context, j *bucketlite.Job) error {
		return &bucketlite.JobError{Category: bucketlite.CategoryValidation, Message: "it has no still"}
	}, &bucketlite.ProcessOptions{UntilIdle: true})
	check(err)
	for job, err := range b.FailedJobs(ctx, batch.ID, bucketlite.Query{}) {
		check(err)
		fmt.Println(job.Error.Category, job.Error.Message, job.Attempts)
	}
	// Output: validation it has no still 1
}

// Failures that may pass are retried on demand, beyond the attempts that each job has.
func ExampleBucket_RetryBatch() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	res, err := b.Put(ctx, video("v1", "Red sneaker"), nil)
	check(err)
	batch, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{res.Object.ID}})
	check(err)
	_, err = b.SubmitBatch(ctx, batch.ID)
	check(err)

	online := false
	work := func() {
		err := st.Process(ctx, func(ctx context.Context, j *bucketlite.Job) error {
			if !online {
				return &bucketlite.JobError{Category: bucketlite.CategoryNetwork, Message: "no connection"}
			}
			return nil
		}, &bucketlite.ProcessOptions{MaxAttempts: 1, UntilIdle: true})
		check(err)
		batch, err = b.Batch(ctx, batch.ID)
		check(err)
		fmt.Println(batch.Status, batch.ErrorSummary)
	}
	work()
	online = true
	retry, err := b.RetryBatch(ctx, batch.ID, nil)
	check(err)
	fmt.Println("retried:", retry.Retried)
	work()
	// Output:
	// FAILED map[network:1]
	// retried: 1
	// COMPLETED map[]
}

func ExampleBucket_CancelBatch() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()
	res, err := b.Put(ctx, video("v1", "Red sneaker"), nil)
	check(err)
	batch, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{res.Object.ID}})
	check(err)
	_, err = b.SubmitBatch(ctx, batch.ID)
	check(err)

	task, err := b.CancelBatch(ctx, batch.ID)
	check(err)
	o, err := b.Object(ctx, res.Object.ID)
	check(err)
	fmt.Println(task.Status, o.Status)
	// Output: CANCELED DRAFT
}

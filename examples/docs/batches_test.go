package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bucketlite/bucketlite"
)

func Example_batches() {
	ctx := context.Background()
	store, products := openProducts(ctx)
	defer store.Close()

	var ids []string
	for o, err := range products.Objects(ctx, bucketlite.Query{Filter: bucketlite.Eq("tags", "shoes")}) {
		check(err)
		ids = append(ids, o.ID)
	}
	batch, err := products.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: ids})
	check(err)
	task, err := products.SubmitBatch(ctx, batch.ID)
	check(err)

	handle := func(ctx context.Context, job *bucketlite.Job) error {
		if job.Object.Fields["sku"] == "A-2" {
			return &bucketlite.JobError{Category: bucketlite.CategoryValidation, Message: "no photo"}
		}
		_, err := job.Patch(ctx, bucketlite.ObjectInput{Fields: map[string]any{"seen": true}}, nil)
		return err
	}
	err = store.Process(ctx, handle, &bucketlite.ProcessOptions{
		Timeout:   time.Minute,
		UntilIdle: true, // return when nothing is left; a service waits for more until ctx ends
	})
	check(err)

	task, err = store.Task(ctx, task.ID)
	check(err)
	fmt.Println(task.Status, task.Processed, "of", task.Total)
	for job, err := range products.FailedJobs(ctx, batch.ID, bucketlite.Query{}) {
		check(err)
		fmt.Println(job.Error.Category, job.Error.Message, job.Attempts)
	}

	retry, err := products.RetryBatch(ctx, batch.ID, &bucketlite.RetryBatchOptions{All: true})
	check(err)
	fmt.Println("retried:", retry.Retried)

	_, err = products.CancelBatch(ctx, batch.ID)
	check(err)
	_, err = products.RetryBatch(ctx, batch.ID, nil)
	fmt.Println(errors.Is(err, bucketlite.ErrConflict))

	err = store.Process(ctx, handle, &bucketlite.ProcessOptions{Drafts: true, UntilIdle: true})
	check(err)

	// Output:
	// COMPLETED_WITH_ERRORS 2 of 2
	// validation no photo 1
	// retried: 1
	// true
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/bucketlite/bucketlite"
)

// upload brings a clip in two steps, as a client of an HTTP service would: it says
// what will come, sends it, and confirms it.
func (q *quickstart) upload(ctx context.Context) error {
	q.chapter("A clip is uploaded in two steps, while somebody watches")
	const item = "5147566594001"
	object, err := q.media.ObjectByKey(ctx, map[string]any{"mediaid": item})
	if err != nil {
		return err
	}
	// Changes that are committed from here on arrive below.
	events := q.media.Watch(ctx, nil)
	in := bucketlite.UploadInput{
		Filename: "clip.mp4", ContentType: "video/mp4", Size: int64(len(file("clip.mp4"))),
		ObjectMetadata: map[string]any{"mediaid": item},
	}

	wrong := in
	wrong.ContentType = "audio/mpeg"
	_, err = q.media.CreateUpload(ctx, wrong)
	if err := expect(err, bucketlite.ErrInvalid); err != nil {
		return err
	}
	q.refusal("announce it as sound", err)

	upload, err := q.media.CreateUpload(ctx, in)
	if err != nil {
		return err
	}
	q.say("announce it as video: %s is %s", upload.ID, upload.Status)
	if upload, err = q.media.WriteUpload(ctx, upload.ID, bytes.NewReader(file("clip.mp4"))); err != nil {
		return err
	}
	q.say("send %s bytes", count(upload.Size))
	if upload, err = q.media.ConfirmUpload(ctx, upload.ID, &bucketlite.ConfirmUploadOptions{ETag: upload.ETag}); err != nil {
		return err
	}
	if upload.ObjectID != object.ID {
		return fmt.Errorf("confirmed into object %s, the item is %s", upload.ObjectID, object.ID)
	}
	if object, err = q.media.Object(ctx, object.ID); err != nil {
		return err
	}
	q.say("confirm: %s; the item has %d files now", upload.Status, len(object.Blobs))

	for e, err := range events {
		if err != nil {
			return err
		}
		if e.ObjectID != object.ID {
			return fmt.Errorf("an event of object %s, that of %s expected", e.ObjectID, object.ID)
		}
		q.say("the watch saw: %s", e.Kind)
		break
	}
	return nil
}

// process hands items to a processor, as a pipeline of feature extractors would
// get them. The work is a queue in the file: were the program to end here, the
// next one would continue.
func (q *quickstart) process(ctx context.Context) error {
	q.chapter("A batch of items is processed")
	var ids []string
	for _, item := range []string{"146929312", "5823428726001", "5147566594001"} {
		object, err := q.media.ObjectByKey(ctx, map[string]any{"mediaid": item})
		if err != nil {
			return err
		}
		ids = append(ids, object.ID)
	}
	batch, err := q.media.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: ids})
	if err != nil {
		return err
	}
	task, err := q.media.SubmitBatch(ctx, batch.ID)
	if err != nil {
		return err
	}
	q.say("submit %d items: %s is %s", len(ids), task.ID, task.Status)

	options := &bucketlite.ProcessOptions{Concurrency: 1, UntilIdle: true}
	err = q.store.Process(ctx, func(ctx context.Context, job *bucketlite.Job) error {
		clip, err := job.Bucket.OpenBlob(ctx, job.Object.ID, "clip")
		if errors.Is(err, bucketlite.ErrNotFound) {
			return &bucketlite.JobError{Category: bucketlite.CategoryValidation, Message: "the item has no clip"}
		}
		if err != nil {
			return err
		}
		defer clip.Close()
		_, err = io.Copy(io.Discard, clip) // where the real work would be
		return err
	}, options)
	if err != nil {
		return err
	}
	rows := [][]string{{"item", "status", "why"}}
	for _, id := range ids {
		object, err := q.media.Object(ctx, id)
		if err != nil {
			return err
		}
		rows = append(rows, []string{fmt.Sprint(object.Fields["mediaid"]), string(object.Status), object.Error})
	}
	q.table(rows...)
	if task, err = q.store.Task(ctx, task.ID); err != nil {
		return err
	}
	if task.Status != bucketlite.StatusCompletedWithErrors {
		return fmt.Errorf("the task is %s, %s expected", task.Status, bucketlite.StatusCompletedWithErrors)
	}
	q.say("The task is %s, with %d of %d items dealt with.", task.Status, task.Processed, task.Total)
	return nil
}

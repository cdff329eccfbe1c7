package main

import (
	"bytes"
	"context"
	"fmt"

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
	// What is committed from here on is met below.
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
	if upload, err = q.media.ConfirmUpload(ctx, upload.ID, &bucketlite.ConfirmOptions{ETag: upload.ETag}); err != nil {
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

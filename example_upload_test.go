package bucketlite_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/bucketlite/bucketlite"
)

func ExampleBucket_ConfirmUpload() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()

	// Errors are reported before a byte is sent.
	_, err := b.CreateUpload(ctx, bucketlite.UploadInput{
		Filename: "still.mp4", ContentType: "video/mp4", ObjectMetadata: map[string]any{"video_id": "v1"},
	})
	fmt.Println(err)

	up, err := b.CreateUpload(ctx, bucketlite.UploadInput{
		Filename: "notes.txt", ContentType: "text/plain",
		ObjectMetadata: map[string]any{"video_id": "v1", "title": "Red sneaker"},
	})
	check(err)
	up, err = b.WriteUpload(ctx, up.ID, strings.NewReader("shot in May"))
	check(err)
	fmt.Println(up.Status, up.Size)

	up, err = b.ConfirmUpload(ctx, up.ID, &bucketlite.ConfirmUploadOptions{ETag: up.ETag})
	check(err)
	o, err := b.Object(ctx, up.ObjectID)
	check(err)
	fmt.Println(up.Status, o.Fields["title"], o.Blobs[0].Property, o.Blobs[0].Details.Filename)
	// Output:
	// bucketlite: bucket "videos": content_type: the declared type video/mp4 does not fit image
	// PENDING 11
	// COMPLETED Red sneaker notes notes.txt
}

// Uploads that are confirmed without an object can be put together into one.
func ExampleBucket_ConfirmUpload_withoutObject() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()

	up, err := b.CreateUpload(ctx, bucketlite.UploadInput{Filename: "a.txt", ContentType: "text/plain", CreateObject: new(false)})
	check(err)
	_, err = b.WriteUpload(ctx, up.ID, strings.NewReader("shot in May"))
	check(err)
	_, err = b.ConfirmUpload(ctx, up.ID, nil)
	check(err)

	in := video("v1", "Red sneaker")
	in.Blobs = []bucketlite.BlobInput{{Property: "notes", UploadID: up.ID}}
	res, err := b.Put(ctx, in, nil)
	check(err)
	fmt.Println(res.Object.Blobs[0].Property, res.Object.Blobs[0].Details.Size)
	// Output: notes 11
}

func ExampleBucket_CheckUploadSize() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()

	up, err := b.CreateUpload(ctx, bucketlite.UploadInput{
		Filename: "notes.txt", ContentType: "text/plain", Size: 11, ObjectMetadata: map[string]any{"video_id": "v1"},
	})
	check(err)
	fmt.Println(b.CheckUploadSize(ctx, up.ID, 12))
	// Output: bucketlite: bucket "videos": content: 11 bytes were announced, got 12
}

func ExampleBucket_ConfirmUploads() {
	ctx := context.Background()
	st, b := openVideos(ctx)
	defer st.Close()

	shared := &bucketlite.CreateUploadsOptions{ObjectMetadata: map[string]any{"title": "Red sneaker"}}
	uploads, err := b.CreateUploads(ctx, []bucketlite.UploadInput{
		{Filename: "notes.txt", ContentType: "text/plain", ObjectMetadata: map[string]any{"video_id": "v1"}},
		{Filename: "notes.txt", ContentType: "text/plain", ObjectMetadata: map[string]any{"video_id": "v2"}},
	}, shared)
	check(err)
	_, err = b.WriteUpload(ctx, uploads[0].ID, strings.NewReader("shot in May"))
	check(err)

	task, err := b.ConfirmUploads(ctx, []bucketlite.Confirmation{{UploadID: uploads[0].ID}, {UploadID: uploads[1].ID}})
	check(err)
	task, err = st.Wait(ctx, task.ID)
	check(err)
	fmt.Println(task.Status)
	for _, output := range task.Outputs {
		fmt.Println(output.(map[string]any)["status"])
	}
	// Output:
	// COMPLETED_WITH_ERRORS
	// COMPLETED
	// FAILED
}

//go:build generated

// Program flow takes a video from its upload to the end of its bucket, through a
// client that a generator has made. It prints each step, and ends with exit status 1
// at the first that is not as it should be.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"time"

	"github.com/bucketlite/bucketlite/httpapi/clienttest/wire"
)

func main() {
	url := flag.String("url", "", "where the server listens")
	flag.Parse()
	f := &flow{ctx: context.Background(), key: os.Getenv("API_KEY")}
	if err := f.run(*url); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A flow is the steps, one after the other; the first that fails is remembered.
type flow struct {
	ctx context.Context
	key string
	err error
}

// an MP4 file's first box, which is enough to be known as one.
var film = append([]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"), make([]byte, 100_000)...)

func (f *flow) run(url string) error {
	c, err := wire.NewClientWithResponses(url, wire.WithRequestEditorFn(func(ctx context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+f.key)
		r.Header.Set("X-Namespace", "generated")
		return nil
	}))
	if err != nil {
		return err
	}

	namespace := of[wire.NamespacesCreateJSONRequestBody](f, `{"namespace_name": "generated",
		"feature_extractors": [{"feature_extractor_name": "none", "version": "v1"}]}`)
	f.step("create a namespace", func() (any, error) { return c.NamespacesCreateWithResponse(f.ctx, namespace) })

	description := of[wire.BucketsCreateJSONRequestBody](f, `{"bucket_name": "films",
		"bucket_schema": {"properties": {"film_id": {"type": "string", "required": true}, "film": {"type": "video"}}},
		"unique_key": {"fields": ["film_id"], "default_policy": "insert"}}`)
	bucket := f.step("create a bucket with a unique key", func() (any, error) { return c.BucketsCreateWithResponse(f.ctx, description) })

	f.types(c)

	announced := of[wire.UploadsCreateManyJSONRequestBody](f, `{"uploads": [{"filename": "a.mp4", "content_type": "video/mp4", "blob_property": "film"}],
		"shared_object_metadata": {"film_id": "f1"}}`)
	uploads := f.step("announce an upload", func() (any, error) { return c.UploadsCreateManyWithResponse(f.ctx, "films", announced) })
	upload := at(uploads, "uploads", 0)
	f.put(text(upload, "presigned_url"))
	confirmed := f.step("confirm it", func() (any, error) {
		return c.UploadsConfirmWithResponse(f.ctx, "films", text(upload, "upload_id"), &wire.UploadsConfirmParams{}, wire.UploadsConfirmJSONRequestBody{})
	})
	f.want(confirmed, "COMPLETED", "status")
	object := text(confirmed, "object_id")

	objects := f.step("list the objects", func() (any, error) {
		return c.ObjectsListWithResponse(f.ctx, "films", &wire.ObjectsListParams{}, wire.ObjectsListJSONRequestBody{})
	})
	f.want(objects, object, "results", 0, "object_id")
	f.want(objects, "f1", "results", 0, "film_id")
	f.want(objects, "film", "results", 0, "blobs", 0, "property")

	again := f.step("announce it once more", func() (any, error) { return c.UploadsCreateManyWithResponse(f.ctx, "films", announced) })
	f.want(again, "SKIPPED", "uploads", 0, "status")
	f.want(again, true, "uploads", 0, "skipped_unique_key")
	f.want(again, object, "uploads", 0, "existing_object_id")

	batch := f.step("make a batch of it", func() (any, error) {
		return c.BatchesCreateWithResponse(f.ctx, "films", &wire.BatchesCreateParams{}, wire.BatchesCreateJSONRequestBody{ObjectIds: []string{object}})
	})
	task := f.step("submit the batch", func() (any, error) {
		return c.BatchesSubmitWithResponse(f.ctx, "films", text(batch, "batch_id"), wire.BatchesSubmitJSONRequestBody{})
	})
	f.wait(c, text(task, "task_id"))
	processed := f.step("read the object", func() (any, error) {
		return c.ObjectsGetWithResponse(f.ctx, "films", object, &wire.ObjectsGetParams{})
	})
	f.want(processed, "COMPLETED", "status")

	id := text(bucket, "bucket_id")
	deleted := f.step("delete the bucket", func() (any, error) { return c.BucketsDeleteWithResponse(f.ctx, id) })
	f.wait(c, text(deleted, "task_id"))
	if f.err == nil {
		fmt.Println("read the bucket that is gone")
		gone, err := c.BucketsGetWithResponse(f.ctx, id)
		if err != nil {
			return err
		}
		if gone.StatusCode() != http.StatusNotFound || gone.JSON404 == nil {
			return fmt.Errorf("a deleted bucket: got status %d, want 404: %s", gone.StatusCode(), gone.Body)
		}
	}
	return f.err
}

// types creates a bucket with the field types that the hosted service lacks, and lists
// it. The list may have only types that the client knows.
func (f *flow) types(c *wire.ClientWithResponses) {
	description := of[wire.BucketsCreateJSONRequestBody](f, `{"bucket_name": "papers", "bucket_schema": {"properties": {
		"paper": {"type": "pdf", "x-type": "document"}, "raw": {"type": "text", "x-type": "file"},
		"pages": {"type": "array", "items": {"type": "pdf", "x-type": "document"}}}}}`)
	f.step("create a bucket of documents", func() (any, error) { return c.BucketsCreateWithResponse(f.ctx, description) })
	buckets := f.step("list the buckets", func() (any, error) {
		return c.BucketsListWithResponse(f.ctx, wire.BucketsListJSONRequestBody{})
	})
	results, _ := at(buckets, "results").([]any)
	if f.err == nil && len(results) != 2 {
		f.fail(fmt.Errorf("got %d buckets, want 2", len(results)))
	}
	for _, bucket := range results {
		fields, _ := at(bucket, "bucket_schema", "properties").(map[string]any)
		for name, field := range fields {
			for _, t := range []string{text(field, "type"), text(field, "items", "type")} {
				if t != "" && !wire.BucketSchemaFieldType(t).Valid() {
					f.fail(fmt.Errorf("field %q: the client does not know its type %q", name, t))
				}
			}
		}
		if text(bucket, "bucket_name") == "papers" {
			f.want(fields, "document", "paper", "x-type")
			f.want(fields, "file", "raw", "x-type")
			f.want(fields, "document", "pages", "items", "x-type")
		}
	}
}

// of returns a request's body as the generated type reads it.
func of[T any](f *flow, text string) (body T) {
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		f.fail(fmt.Errorf("%T: %w", body, err))
	}
	return body
}

// step makes a call, and returns what the generated type has understood of its
// answer. A response has a status, a body, and JSON200 if it was of the type.
func (f *flow) step(what string, call func() (any, error)) any {
	if f.err != nil {
		return nil
	}
	fmt.Println(what)
	response, err := call()
	if err != nil {
		f.fail(fmt.Errorf("%s: %w", what, err))
		return nil
	}
	parts := reflect.ValueOf(response).Elem()
	answer := parts.FieldByName("JSON200").Interface()
	understood, err := json.Marshal(answer)
	var v any
	if err == nil {
		err = json.Unmarshal(understood, &v)
	}
	if err != nil || v == nil {
		f.fail(fmt.Errorf("%s: %v in %s", what, err, parts.FieldByName("Body").Bytes()))
	}
	return v
}

// put sends the bytes to where they are to go.
func (f *flow) put(url string) {
	if f.err != nil {
		return
	}
	fmt.Println("send its bytes")
	r, err := http.NewRequestWithContext(f.ctx, http.MethodPut, url, bytes.NewReader(film))
	if err != nil {
		f.fail(err)
		return
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		f.fail(err)
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("ETag") == "" {
		f.fail(fmt.Errorf("send the bytes: got status %d, %v: %s", response.StatusCode, err, body))
	}
}

// wait polls a task until it has completed.
func (f *flow) wait(c *wire.ClientWithResponses, id string) {
	for deadline := time.Now().Add(time.Minute); f.err == nil; time.Sleep(10 * time.Millisecond) {
		task := f.step("ask for the task", func() (any, error) { return c.TasksGetWithResponse(f.ctx, id) })
		switch text(task, "status") {
		case "COMPLETED":
			return
		case "PENDING", "IN_PROGRESS":
			if time.Now().Before(deadline) {
				continue
			}
		}
		f.fail(fmt.Errorf("task: got %v, want it completed", task))
	}
}

// want fails the flow unless what is at a path of v is as wanted.
func (f *flow) want(v, want any, path ...any) {
	if got := at(v, path...); f.err == nil && got != want {
		f.fail(fmt.Errorf("%v: got %v, want %v", path, got, want))
	}
}

func (f *flow) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// at returns what is at a path of v, nil if there is nothing.
func at(v any, path ...any) any {
	for _, step := range path {
		switch of := v.(type) {
		case map[string]any:
			name, _ := step.(string)
			v = of[name]
		case []any:
			i, ok := step.(int)
			if !ok || i >= len(of) {
				return nil
			}
			v = of[i]
		default:
			return nil
		}
	}
	return v
}

func text(v any, path ...any) string {
	s, _ := at(v, path...).(string)
	return s
}

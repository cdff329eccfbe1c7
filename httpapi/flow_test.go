package httpapi_test

import (
	"fmt"
	"net/http"
	"testing"
)

// TestFlow is what a client does from an empty store to the end.
func TestFlow(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	// A namespace, and a bucket with a unique key.
	ns := s.do("POST", "/v1/namespaces", `{"namespace_name": "museum", "feature_extractors": []}`).want(http.StatusOK).text("namespace_id")
	s = s.as("X-Namespace", ns)
	bucketID := s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK).text("bucket_id")
	bucket := "/v1/buckets/" + bucketID

	// Objects, and the same ones once more.
	var ids []string
	for range 2 {
		ids = nil
		ids = append(ids, s.do("POST", bucket+"/objects", `{"film_id": "alien", "year": 1979}`).want(http.StatusOK).text("object_id"))
		a := s.do("POST", bucket+"/objects/batch", `{"objects": [{"film_id": "brazil"}, {"film_id": "casablanca"}]}`).want(http.StatusOK)
		ids = append(ids, a.text("succeeded.0.object_id"), a.text("succeeded.1.object_id"))
		s.do("POST", bucket+"/objects/list?include_total=true", nil).want(http.StatusOK).wantAt("pagination.total", "3").
			wantAt("results.0.object_id", ids[0]).wantAt("stats.objects_by_status.DRAFT", "3")
	}

	// They are processed.
	batch := bucket + "/batches/" + s.do("POST", bucket+"/batches", map[string]any{"object_ids": ids}).want(http.StatusOK).text("batch_id")
	task := s.do("POST", batch+"/submit", nil).want(http.StatusOK).text("task_id")
	s.do("GET", "/v1/tasks/"+task, nil).want(http.StatusOK).wantAt("status", "PENDING")
	s.do("GET", bucket+"/objects/"+ids[0], nil).want(http.StatusOK).wantAt("status", "PENDING")
	s.process()
	s.wantTask(task, "COMPLETED").wantAt("additional_data.bucket_id", bucketID)
	s.do("GET", batch, nil).want(http.StatusOK).wantAt("status", "COMPLETED").wantAt("task_id", task)
	for _, id := range ids {
		s.do("GET", bucket+"/objects/"+id, nil).want(http.StatusOK).wantAt("status", "COMPLETED")
	}
	s.do("GET", bucket, nil).want(http.StatusOK).wantAt("object_count", "3").wantAt("batch_stats.completed", "1")

	// The bucket is deleted, with all there is in it.
	task = s.do("DELETE", bucket, nil).want(http.StatusOK).wantAt("object_count", fmt.Sprint(len(ids))).text("task_id")
	s.wantTask(task, "COMPLETED")
	s.do("GET", bucket, nil).wantError(http.StatusNotFound, "NotFoundError")
	s.do("GET", bucket+"/objects/"+ids[0], nil).wantError(http.StatusNotFound, "NotFoundError")
	s.do("GET", batch, nil).wantError(http.StatusNotFound, "NotFoundError")
}

// TestUploadFlow is what a client does that brings files, and brings them again.
func TestUploadFlow(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s = s.as("X-Namespace", s.do("POST", "/v1/namespaces", `{"namespace_name": "museum"}`).want(http.StatusOK).text("namespace_id"))
	bucket := "/v1/buckets/" + s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK).text("bucket_id")
	var in []any
	for _, id := range []string{"alien", "brazil"} {
		in = append(in, map[string]any{
			"filename": "film.mp4", "content_type": "video/mp4", "file_size_bytes": 100, "policy": "insert", "object_metadata": map[string]any{"film_id": id},
		})
	}
	uploads := s.do("POST", bucket+"/uploads/batch", map[string]any{"uploads": in}).want(http.StatusOK)
	var confirmations []any
	for i := range in {
		put := s.anyone().do("PUT", uploads.text(fmt.Sprintf("uploads.%d.presigned_url", i)), noise(100)).want(http.StatusOK)
		confirmations = append(confirmations, map[string]any{
			"upload_id": uploads.text(fmt.Sprintf("uploads.%d.upload_id", i)), "etag": put.header.Get("ETag"), "file_size_bytes": 100,
		})
	}
	s.wantTask(s.do("POST", bucket+"/uploads/confirm/batch", map[string]any{"confirmations": confirmations}).want(http.StatusOK).text("task_id"), "COMPLETED")
	objects := s.do("POST", bucket+"/objects/list", nil).want(http.StatusOK).wantAt("results.0.film_id", "alien").wantAt("results.1.film_id", "brazil").
		wantAt("results.0.blobs.0.property", "film").wantAt("results.0.blobs.0.details.size_bytes", "100").wantAt("results.2", "<nil>")
	ids := []string{objects.text("results.0.object_id"), objects.text("results.1.object_id")}

	again := s.do("POST", bucket+"/uploads/batch", map[string]any{"uploads": in}).want(http.StatusOK)
	for i := range in {
		at := fmt.Sprintf("uploads.%d.", i)
		again.wantAt(at+"skipped_unique_key", "true").wantAt(at+"existing_object_id", ids[i]).wantAt(at+"presigned_url", "<nil>")
	}

	batch := bucket + "/batches/" + s.do("POST", bucket+"/batches", map[string]any{"object_ids": ids}).want(http.StatusOK).text("batch_id")
	task := s.do("POST", batch+"/submit", nil).want(http.StatusOK).text("task_id")
	s.process()
	s.wantTask(task, "COMPLETED")
	s.wantTask(s.do("DELETE", bucket, nil).want(http.StatusOK).text("task_id"), "COMPLETED")
	s.do("GET", bucket, nil).wantError(http.StatusNotFound, "NotFoundError")
}

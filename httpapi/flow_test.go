package httpapi_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// TestFlow is what a client does from an empty store to the end.
func TestFlow(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	// poll asks for a task until it has ended.
	poll := func(id string) *reply {
		t.Helper()
		var task *reply
		eventually(t, "task "+id+" has ended", func() bool {
			task = s.do("GET", "/v1/tasks/"+id, nil).want(http.StatusOK)
			return task.text("status") != "PENDING" && task.text("status") != "IN_PROGRESS"
		})
		return task.wantAt("task_id", id)
	}

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
	poll(task).wantAt("status", string(bucketlite.Completed)).wantAt("additional_data.bucket_id", bucketID)
	s.do("GET", batch, nil).want(http.StatusOK).wantAt("status", "COMPLETED").wantAt("task_id", task)
	for _, id := range ids {
		s.do("GET", bucket+"/objects/"+id, nil).want(http.StatusOK).wantAt("status", "COMPLETED")
	}
	s.do("GET", bucket, nil).want(http.StatusOK).wantAt("object_count", "3").wantAt("batch_stats.completed", "1")

	// The bucket is deleted, with all there is in it.
	task = s.do("DELETE", bucket, nil).want(http.StatusOK).wantAt("object_count", fmt.Sprint(len(ids))).text("task_id")
	poll(task).wantAt("status", string(bucketlite.Completed))
	s.do("GET", bucket, nil).wantError(http.StatusNotFound, "NotFoundError")
	s.do("GET", bucket+"/objects/"+ids[0], nil).wantError(http.StatusNotFound, "NotFoundError")
	s.do("GET", batch, nil).wantError(http.StatusNotFound, "NotFoundError")
}

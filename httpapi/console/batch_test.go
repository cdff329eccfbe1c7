package console_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// TestBatches leads a batch from its draft to its end, by forms alone.
func TestBatches(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, bucket := makeBucket(t, s)
	for _, id := range []string{"a", "b"} {
		put(t, ns, bucket, bucketlite.ObjectInput{ID: id, Fields: map[string]any{"sku": id}})
	}
	at := s.browser(t, allKey)
	list := "n/" + ns.ID() + "/b/" + bucket.ID() + "/batches"
	at.get(list).wants(http.StatusOK, "There is no batch yet", "Create batch")
	s.browser(t, readsKey).get(list).wants(http.StatusOK, "There is no batch yet").lacks("Create batch")
	at.post(list, url.Values{"ids": {"a, nothing"}}).wants(http.StatusUnprocessableEntity, "a, nothing", "no such object")
	made := at.post(list, url.Values{"ids": {"a\r\nb"}}).wants(http.StatusSeeOther, "done=batch-created").header.Get("Location")
	u, err := url.Parse(made)
	if err != nil {
		t.Fatal(err)
	}
	page := list + "/" + path.Base(u.Path)
	at.get(page+"?done=batch-created").wants(http.StatusOK, "is a draft until", "Submit batch", "Delete batch", "/o/a/")
	at.post(page, url.Values{"do": {"retry"}}).wants(http.StatusConflict, `role="alert"`)
	at.post(page, url.Values{"do": {"nonsense"}}).wants(http.StatusUnprocessableEntity)
	at.post(page, url.Values{"do": {"submit"}}).wants(http.StatusSeeOther, "done=batch-submitted")
	at.get(page).wants(http.StatusOK, "Cancel batch", `hx-trigger="every 2s"`)
	at.get(list).wants(http.StatusOK, `hx-trigger="every 2s"`)
	part := http.Header{"Hx-Request": {"true"}}
	at.do("GET", page, nil, part).wants(http.StatusOK).lacks("<html")

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	processing, stop := context.WithCancel(ctx)
	go func() {
		done <- s.store.Process(processing, func(_ context.Context, j *bucketlite.Job) error {
			if j.Object.ID == "b" {
				return &bucketlite.JobError{Category: bucketlite.CategoryValidation, Err: errors.New("<b> is wrong")}
			}
			return nil
		}, nil)
	}()
	id := page[len(list)+1:]
	for batch, err := bucket.Batch(ctx, id); ; batch, err = bucket.Batch(ctx, id) {
		if err != nil {
			t.Fatal(err)
		}
		if batch.Done() {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	<-done
	if got := at.do("GET", page, nil, part).wants(http.StatusNoContent).header.Get("HX-Refresh"); got != "true" {
		t.Errorf("a part of a batch that has ended: got HX-Refresh %q, want true", got)
	}
	at.get(page).wants(http.StatusOK, "completed with errors", "1 validation", "&lt;b&gt; is wrong", "Retry all failed").lacks("every 2s")
	at.get(list+"?status=DRAFT").wants(http.StatusOK, "no batch with this status")
	at.post(page, url.Values{"do": {"retry"}}).wants(http.StatusSeeOther, "done=batch-unchanged")
	at.post(page, url.Values{"do": {"retry-all"}}).wants(http.StatusSeeOther, "done=batch-retried")

	tasks := "n/" + ns.ID() + "/tasks"
	at.get(tasks).wants(http.StatusOK, "process a batch", "things")
	batch, err := bucket.Batch(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	at.get(tasks+"/"+batch.TaskID).wants(http.StatusOK, "Task: process a batch", "Cancel task", id)
	s.browser(t, readsKey).get(tasks + "/" + batch.TaskID).wants(http.StatusOK).lacks("Cancel task")
	at.post(tasks+"/"+batch.TaskID+"/cancel", url.Values{}).wants(http.StatusSeeOther, "done=task-canceled")
	at.get(page).wants(http.StatusOK, "canceled")
	at.post(page, url.Values{"do": {"delete"}}).wants(http.StatusSeeOther, "/batches?done=batch-deleted")
}

// TestTasksOfOthers shows that a task is seen in its namespace alone.
func TestTasksOfOthers(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ctx := context.Background()
	ns, bucket := makeBucket(t, s)
	other, err := s.store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "museum"})
	if err != nil {
		t.Fatal(err)
	}
	task, err := bucket.Delete(ctx)
	if err != nil {
		t.Fatal(err)
	}
	at := s.browser(t, allKey)
	at.get("n/"+ns.ID()+"/tasks").wants(http.StatusOK, "delete a bucket")
	at.get("n/"+other.ID()+"/tasks").wants(http.StatusOK, "no task yet").lacks("delete a bucket")
	at.get("n/" + other.ID() + "/tasks/" + task.ID).wants(http.StatusNotFound)
	at.get("n/" + ns.ID() + "/tasks/nothing").wants(http.StatusNotFound)
}

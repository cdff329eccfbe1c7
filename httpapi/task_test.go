package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// bucket returns a handle on a bucket.
func (s *server) bucket(namespace, name string) *bucketlite.Bucket {
	s.t.Helper()
	var b *bucketlite.Bucket
	ns, err := s.store.Namespace(context.Background(), namespace)
	if err == nil {
		b, err = ns.Bucket(context.Background(), name)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// submitted puts objects into a bucket of films, submits them as a batch, and returns
// the task. Nobody processes it.
func (s *server) submitted(namespace, bucket string, n int) *bucketlite.Task {
	s.t.Helper()
	ctx := context.Background()
	b := s.bucket(namespace, bucket)
	var ids []string
	for i := range n {
		res, err := b.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"film_id": fmt.Sprint(i)}}, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		ids = append(ids, res.Object.ID)
	}
	batch, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: ids})
	if err != nil {
		s.t.Fatal(err)
	}
	task, err := b.SubmitBatch(ctx, batch.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return task
}

func TestTasks(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	task := s.submitted("test", "films", 1)
	nobody := s.as("X-Namespace", "")

	nobody.do("GET", "/v1/tasks/"+task.ID, nil).want(http.StatusOK).wantAt("task_id", task.ID).wantAt("task_type", "api_buckets_batches_process").
		wantAt("status", "PENDING").wantAt("inputs.0", task.Inputs[0]).wantAt("outputs", "<nil>").wantAt("error", "<nil>").
		wantAt("additional_data.object_count", "1").wantAt("additional_data.progress.total", "1")
	for range 2 { // it is ended once, and stays so
		nobody.do("DELETE", "/v1/tasks/"+task.ID, nil).want(http.StatusOK).wantAt("success", "true").wantAt("message", "Successfully deleted")
		nobody.do("GET", "/v1/tasks/"+task.ID, nil).want(http.StatusOK).wantAt("status", "CANCELED")
	}
	for _, id := range []string{"none", "task_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
		nobody.do("GET", "/v1/tasks/"+id, nil).wantError(http.StatusNotFound, "NotFoundError")
		nobody.do("DELETE", "/v1/tasks/"+id, nil).want(http.StatusOK).wantAt("success", "true")
	}
	deletion := s.do("DELETE", "/v1/buckets/films", nil).want(http.StatusOK).text("task_id")
	nobody.wantTask(deletion, "COMPLETED")
	nobody.do("DELETE", "/v1/tasks/"+deletion, nil).want(http.StatusOK)
	nobody.do("GET", "/v1/tasks/"+deletion, nil).want(http.StatusOK).wantAt("status", "COMPLETED")
}

// A task whose cancelling is refused continues, and the client gets the reason.
func TestTaskNotCancelled(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	task := s.submitted("test", "films", 1)
	s.do("POST", "/v1/buckets/films/lock", nil).want(http.StatusOK)
	s.do("DELETE", "/v1/tasks/"+task.ID, nil).wantError(http.StatusForbidden, "ForbiddenError")
	s.do("POST", "/v1/buckets/films/unlock", nil).want(http.StatusOK)
	s.do("GET", "/v1/tasks/"+task.ID, nil).wantAt("status", "PENDING")

	// So many objects are not deleted at once. Should they be, it is tried again.
	inputs := make([]bucketlite.ObjectInput, 3000)
	for i := range inputs {
		inputs[i].Fields = map[string]any{"film_id": fmt.Sprint(i)}
	}
	eventually(t, "a deletion is under way", func() bool {
		s.do("POST", "/v1/buckets", films("goner")).want(http.StatusOK)
		if _, err := s.bucket("test", "goner").PutMany(context.Background(), inputs, nil); err != nil {
			t.Fatal(err)
		}
		id := s.do("DELETE", "/v1/buckets/goner", nil).want(http.StatusOK).text("task_id")
		refused := s.do("DELETE", "/v1/tasks/"+id, nil)
		if refused.status == http.StatusOK {
			return false
		}
		refused.wantError(http.StatusConflict, "AlreadyExistsError")
		s.wantTask(id, "COMPLETED")
		return true
	})
}

func TestTaskList(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	one := s.submitted("test", "films", 1)
	two := s.submitted("test", "films", 2)
	s.do("POST", "/v1/buckets", films("goner")).want(http.StatusOK)
	gone := s.do("DELETE", "/v1/buckets/goner", nil).want(http.StatusOK).text("task_id")
	s.wantTask(gone, "COMPLETED")
	s.do("DELETE", "/v1/tasks/"+one.ID, nil).want(http.StatusOK)

	tests := []struct {
		name, params, body string
		want               []string
	}{
		{"all", "", ``, []string{one.ID, two.ID, gone}},
		{"nulls", "", `{"status": null, "task_type": null, "filters": null, "sort": null, "search": null}`, []string{one.ID, two.ID, gone}},
		{"by status", "", `{"status": "CANCELED"}`, []string{one.ID}},
		{"by a status that none has", "", `{"status": "ACTIVE"}`, nil},
		{"by type", "", `{"task_type": "api_buckets_delete"}`, []string{gone}},
		{"by both", "", `{"task_type": "api_buckets_batches_process", "status": "PENDING"}`, []string{two.ID}},
		{"by a filter", "", `{"filters": {"AND": [{"field": "additional_data.object_count", "operator": "gte", "value": 2}]}}`, []string{two.ID}},
		{"by fields", "", `{"filters": {"additional_data.bucket_name": "goner"}}`, []string{gone}},
		{"by search", "", fmt.Sprintf(`{"search": %q}`, two.Inputs[0]), []string{two.ID}},
		{"sorted", "", `{"sort": {"field": "created_at", "direction": "desc"}}`, []string{gone, two.ID, one.ID}},
		{"limit", "?limit=1", ``, []string{one.ID}},
		{"offset", "?offset=1&limit=1", ``, []string{two.ID}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := s.as("X-Namespace", "").do("POST", "/v1/tasks/list"+test.params, test.body).want(http.StatusOK).wantWarnings().
				wantAt("pagination.total", "<nil>").wantAt("total_count", "<nil>").wantAt("stats", "<nil>")
			if got := a.tasks(); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	first := s.do("POST", "/v1/tasks/list?limit=2&include_total=true", nil).want(http.StatusOK).
		wantAt("pagination.total", "3").wantAt("pagination.page_size", "2").wantAt("pagination.total_pages", "2")
	s.do("POST", first.text("pagination.next_page"), nil).want(http.StatusOK).wantAt("results.0.task_id", gone).wantAt("pagination.next_cursor", "<nil>")
	s.do("POST", "/v1/tasks/list?cursor="+first.text("pagination.next_cursor"), nil).want(http.StatusOK).wantAt("results.0.task_id", gone).
		wantAt("pagination.page_size", "100")
	s.do("POST", "/v1/tasks/list", `{"task_type": "API_BUCKETS_DELETE"}`).want(http.StatusOK).wantWarnings("api_buckets_delete expected").wantAt("results.0.task_id", gone)
	s.do("POST", "/v1/tasks/list?limit=0&offset=-1&include_total=perhaps", `{"status": 5, "task_type": []}`).
		wantFaults("body.status type", "body.task_type type", "query.limit minimum", "query.offset minimum", "query.include_total type")
	s.do("POST", "/v1/tasks/list", `{"status": "BROKEN"}`).wantFaults("body.status enum")
}

// tasks returns the ids of the tasks of a list.
func (a *reply) tasks() (ids []string) {
	list, _ := a.at("results").([]any)
	for i := range list {
		ids = append(ids, a.text(fmt.Sprintf("results.%d.task_id", i)))
	}
	return ids
}

// A limited key sees the tasks of its namespaces alone, and the end of their deletion.
func TestTasksOfLimitedKey(t *testing.T) {
	t.Parallel()
	keys := []httpapi.Key{
		{Secret: secret},
		{Secret: "by name", Namespaces: []string{"shop"}},
		{Secret: "in capitals", Namespaces: []string{"SHOP"}},
		{Secret: "reader", Namespaces: []string{"shop"}, ReadOnly: true},
		{Secret: "nowhere", Namespaces: []string{}},
	}
	s := serve(t, &httpapi.Options{Keys: keys})
	namespace := func(name string) (id string) {
		id = s.do("POST", "/v1/namespaces", map[string]any{"namespace_name": name}).want(http.StatusOK).text("namespace_id")
		s.as("X-Namespace", name).do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
		return id
	}
	shop := namespace("shop")
	namespace("museum")
	mine := s.submitted("shop", "films", 1)
	other := s.submitted("museum", "films", 1)
	// A handler with a key for the id, which is known only now.
	h := s.withKeys(append(keys, httpapi.Key{Secret: "by id", Namespaces: []string{shop}}))
	as := func(key string) *server { return h.as("Authorization", "Bearer "+key, "X-Namespace", "") }
	// wantSeen fails the test unless the key sees the one and not the other tasks.
	wantSeen := func(when, key string, seen, unseen []string) {
		t.Helper()
		a := as(key).do("POST", "/v1/tasks/list?include_total=true", nil).want(http.StatusOK).wantAt("pagination.total", fmt.Sprint(len(seen)))
		if got := a.tasks(); !slices.Equal(got, seen) {
			t.Errorf("%s: %s: got %q, want %q", when, key, got, seen)
		}
		for _, id := range seen {
			as(key).do("GET", "/v1/tasks/"+id, nil).want(http.StatusOK).wantAt("task_id", id)
			as(key).do("POST", "/v1/tasks/list", map[string]any{"filters": map[string]any{"task_id": id}}).wantAt("results.0.task_id", id)
		}
		for _, id := range unseen {
			as(key).do("GET", "/v1/tasks/"+id, nil).wantError(http.StatusNotFound, "NotFoundError")
			as(key).do("POST", "/v1/tasks/list", map[string]any{"filters": map[string]any{"task_id": id}}).want(http.StatusOK).wantAt("results", "[]")
			as(key).do("POST", "/v1/tasks/list", map[string]any{"search": id}).want(http.StatusOK).wantAt("results", "[]")
		}
	}
	all := []string{mine.ID, other.ID}
	wantSeen("at first", secret, all, nil)
	wantSeen("at first", "by name", []string{mine.ID}, []string{other.ID})
	wantSeen("at first", "by id", []string{mine.ID}, []string{other.ID})
	wantSeen("at first", "in capitals", nil, all)
	wantSeen("at first", "nowhere", nil, all)

	as("by name").do("POST", "/v1/tasks/list", `{"filters": {"field": "created_at", "operator": "gt", "value": "x"}}`).
		wantError(http.StatusBadRequest, "BadRequestError").wantAt("error.details.validation_errors.0.location", "body.filters.value")

	// It cannot end what it does not see, nor learn of it.
	as("by name").do("DELETE", "/v1/tasks/"+other.ID, nil).want(http.StatusOK).wantAt("success", "true")
	as("reader").do("DELETE", "/v1/tasks/"+mine.ID, nil).wantError(http.StatusForbidden, "ForbiddenError")
	h.do("GET", "/v1/tasks/"+other.ID, nil).wantAt("status", "PENDING")
	h.do("GET", "/v1/tasks/"+mine.ID, nil).wantAt("status", "PENDING")
	as("by name").do("DELETE", "/v1/tasks/"+mine.ID, nil).want(http.StatusOK)
	h.do("GET", "/v1/tasks/"+mine.ID, nil).wantAt("status", "CANCELED")

	// The deletion is seen to its end, and after it; by name nothing else of what is gone.
	deleted := as("by name").do("DELETE", "/v1/namespaces/shop", nil).want(http.StatusOK).text("task_id")
	as("by name").wantTask(deleted, "COMPLETED")
	as("by id").wantTask(deleted, "COMPLETED")
	all = append(all, deleted)
	wantSeen("when it is gone", "by name", []string{deleted}, []string{mine.ID, other.ID})
	wantSeen("when it is gone", "by id", []string{mine.ID, deleted}, []string{other.ID})
	wantSeen("when it is gone", "in capitals", nil, all)
	wantSeen("when it is gone", "nowhere", nil, all)

	// The name goes to another namespace, the id to none.
	h.do("PATCH", "/v1/namespaces/museum", `{"namespace_name": "shop"}`).want(http.StatusOK)
	wantSeen("when another has the name", "by name", []string{other.ID, deleted}, []string{mine.ID})
	wantSeen("when another has the name", "by id", []string{mine.ID, deleted}, []string{other.ID})
	h.do("PATCH", "/v1/namespaces/shop", `{"namespace_name": "museum"}`).want(http.StatusOK)
	museum := h.do("DELETE", "/v1/namespaces/museum", nil).want(http.StatusOK).text("task_id")
	h.wantTask(museum, "COMPLETED")
	wantSeen("when it has the name no longer", "by name", []string{deleted}, []string{mine.ID, other.ID, museum})
}

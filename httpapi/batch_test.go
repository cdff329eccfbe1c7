package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

const batches = "/v1/buckets/films/batches"

// process handles all queued objects. An object fails for good, with
// the category that its title names, if it has one.
func (s *server) process() {
	s.t.Helper()
	handler := func(_ context.Context, j *bucketlite.Job) error {
		if title, _ := j.Object.Fields["title"].(string); title != "" {
			return &bucketlite.JobError{Category: bucketlite.ErrorCategory(title), Message: "no " + title, Permanent: true}
		}
		return nil
	}
	opts := &bucketlite.ProcessOptions{UntilIdle: true, Backoff: time.Millisecond}
	if err := s.store.Process(s.t.Context(), handler, opts); err != nil {
		s.t.Fatal(err)
	}
}

// batch creates a batch and returns the path of it.
func (s *server) batch(ids ...string) string {
	s.t.Helper()
	return batches + "/" + s.do("POST", batches, map[string]any{"object_ids": ids}).want(http.StatusOK).text("batch_id")
}

func TestBatches(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	alien, brazil := s.put("films", `{"film_id": "alien"}`), s.put("films", `{"film_id": "brazil"}`)

	created := s.do("POST", batches, map[string]any{"object_ids": []string{alien}, "metadata": map[string]any{"run": 1}, "unheard_of": 5}).
		want(http.StatusOK).wantWarnings().
		wantAt("status", "DRAFT").wantAt("type", "BUCKET").wantAt("object_ids", fmt.Sprintf("[%q]", alien)).
		wantAt("metadata.run", "1").wantAt("tier_tasks", "[]").wantAt("total_tiers", "1").wantAt("task_id", "<nil>").wantAt("error", "<nil>").
		wantAt("bucket_id", s.do("GET", "/v1/buckets/films", nil).text("bucket_id"))
	path := batches + "/" + created.text("batch_id")
	s.do("POST", path+"/objects", map[string]any{"object_ids": []string{alien, brazil}}).want(http.StatusOK).
		wantAt("object_ids", fmt.Sprintf("[%q,%q]", alien, brazil))
	s.do("PATCH", path, `{"metadata": null}`).want(http.StatusOK).wantAt("metadata.run", "1")
	s.do("PATCH", path, `{"metadata": {"run": 2}}`).want(http.StatusOK).wantAt("metadata.run", "2")

	task := s.do("POST", path+"/submit", nil).want(http.StatusOK).
		wantAt("task_type", "api_buckets_batches_process").wantAt("status", "PENDING").wantAt("inputs.0", created.text("batch_id"))
	s.do("GET", path, nil).want(http.StatusOK).wantAt("status", "PENDING").wantAt("task_id", task.text("task_id")).wantAt("metadata.run", "2")
	s.do("POST", path+"/submit", nil).wantError(http.StatusConflict, "AlreadyExistsError")
	s.do("POST", path+"/objects", map[string]any{"object_ids": []string{alien}}).wantError(http.StatusConflict, "AlreadyExistsError")
	s.do("DELETE", path, nil).wantError(http.StatusConflict, "AlreadyExistsError")

	s.do("POST", path+"/cancel", nil).want(http.StatusOK).wantAt("task_id", task.text("task_id")).wantAt("status", "CANCELED")
	s.do("POST", path+"/cancel", nil).want(http.StatusOK).wantAt("task_id", task.text("task_id"))
	s.do("GET", path, nil).want(http.StatusOK).wantAt("status", "CANCELED")
	s.do("DELETE", path, nil).want(http.StatusOK).wantAt("success", "true").wantAt("message", "Successfully deleted")
	for _, r := range []struct{ method, path, body string }{
		{"GET", path, ""}, {"PATCH", path, `{}`}, {"DELETE", path, ""},
		{"POST", path + "/objects", fmt.Sprintf(`{"object_ids": [%q]}`, alien)}, {"POST", path + "/submit", ""}, {"POST", path + "/cancel", ""},
		{"POST", path + "/retry", `{}`}, {"POST", path + "/retry", `{"tier_nums": [1]}`},
		{"GET", path + "/failed-documents", ""}, {"GET", path + "/failed-documents?tier_num=1", ""},
	} {
		s.do(r.method, r.path, r.body).wantError(http.StatusNotFound, "NotFoundError")
	}
	s.do("GET", "/v1/buckets/films/objects/"+alien, nil).want(http.StatusOK).wantAt("status", "DRAFT")
}

func TestBatchObjects(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	alien := s.put("films", `{"film_id": "alien"}`)
	draft := s.batch(alien)
	tests := []struct {
		name, body string
		faults     []string
	}{
		{"nothing", ``, []string{"body.object_ids required"}},
		{"null", `{"object_ids": null}`, []string{"body.object_ids required"}},
		{"none", `{"object_ids": []}`, []string{"body.object_ids required"}},
		{"no list", `{"object_ids": "a"}`, []string{"body.object_ids type"}},
		{"no strings", `{"object_ids": [5, null], "metadata": 5}`, []string{"body.object_ids[0] type", "body.object_ids[1] type", "body.metadata type"}},
		{"no ids", `{"object_ids": ["", "a b"]}`, []string{"body.object_ids[0] name", "body.object_ids[1] name"}},
		{"of no object", fmt.Sprintf(`{"object_ids": [%q, "nobody"]}`, alien), []string{"body.object_ids[1] exists"}},
	}
	for _, path := range []string{batches, draft + "/objects"} {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) { s.do("POST", path, test.body).wantFaults(test.faults...) })
		}
		s.do("POST", path+"?skip_validation=perhaps", `{"object_ids": 5}`).wantFaults("query.skip_validation type", "body.object_ids type")
		s.do("POST", path+"?skip_validation=false", `{"object_ids": ["nobody"]}`).wantFaults("body.object_ids[0] exists")
		s.do("POST", path+"?skip_validation=true", `{"object_ids": ["nobody"]}`).want(http.StatusOK)
		many := `{"object_ids": ["a"` + strings.Repeat(`,"a"`, bucketlite.MaxPutMany) + `]}`
		s.do("POST", path+"?skip_validation=true", many).wantError(http.StatusRequestEntityTooLarge, "PayloadTooLargeError")
	}
	s.do("GET", draft, nil).want(http.StatusOK).wantAt("object_ids", fmt.Sprintf("[%q,%q]", alien, "nobody"))
	s.do("POST", draft+"/submit", nil).want(http.StatusOK)
	s.process() // who is not there is skipped
	s.do("GET", draft, nil).want(http.StatusOK).wantAt("status", "COMPLETED")
}

func TestBatchSubmitBody(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	alien := s.put("films", `{"film_id": "alien"}`)
	for _, body := range []any{nil, ``, `{}`, `{"include_processing_history": null}`, `{"include_processing_history": false}`} {
		path := s.batch(alien)
		s.deviating().do("POST", path+"/submit", body).want(http.StatusOK)
	}
	path := s.batch(alien)
	s.do("POST", path+"/submit", `{"include_processing_history": "no"}`).wantFaults("body.include_processing_history type")
	s.do("GET", path, nil).want(http.StatusOK).wantAt("status", "DRAFT")
}

func TestBatchList(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	alien := s.put("films", `{"film_id": "alien"}`)
	s.do("POST", batches+"/list", nil).want(http.StatusOK).wantAt("results", "[]").wantAt("total_count", "0")
	var ids []string
	for range 3 {
		ids = append(ids, strings.TrimPrefix(s.batch(alien), batches+"/"))
	}
	s.do("POST", batches+"/"+ids[1]+"/submit", nil).want(http.StatusOK)

	s.do("POST", batches+"/list", nil).want(http.StatusOK).wantAt("total_count", "3").wantAt("pagination.page_size", "100").
		wantAt("results.0.batch_id", ids[0]).wantAt("results.2.batch_id", ids[2]).wantAt("results.3", "<nil>")
	s.do("POST", batches+"/list", `{"limit": 1, "offset": 1}`).want(http.StatusOK).wantAt("total_count", "3").
		wantAt("results.0.batch_id", ids[1]).wantAt("results.1", "<nil>").wantAt("pagination.page", "2")
	s.do("POST", batches+"/list", `{"status": "PENDING", "limit": null, "offset": null}`).want(http.StatusOK).wantAt("total_count", "1").
		wantAt("results.0.batch_id", ids[1])
	s.do("POST", batches+"/list", `{"status": null, "page_size": 2}`).want(http.StatusOK).wantWarnings("limit expected").
		wantAt("total_count", "3").wantAt("results.2", "<nil>")
	s.do("POST", batches+"/list", `{"status": "FAILED"}`).want(http.StatusOK).wantAt("results", "[]").wantAt("total_count", "0")
	s.do("POST", batches+"/list", `{"status": "BROKEN", "limit": 1001, "offset": -1}`).
		wantFaults("body.status enum", "body.limit maximum", "body.offset minimum")
	s.do("POST", batches+"/list", `{"status": 5, "limit": 0, "offset": "a"}`).
		wantFaults("body.status type", "body.limit minimum", "body.offset type")
}

func TestBatchFailures(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	network := s.put("films", `{"film_id": "a", "title": "network"}`)
	runtime := s.put("films", `{"film_id": "b", "title": "runtime"}`)
	path := s.batch(network, s.put("films", `{"film_id": "c"}`), runtime)
	failed := path + "/failed-documents"
	s.do("GET", failed, nil).want(http.StatusOK).wantAt("results", "[]").wantAt("total_count", "0").wantAt("pagination.total", "0")
	first := s.do("POST", path+"/submit", nil).want(http.StatusOK).text("task_id")
	s.process()
	s.do("GET", path, nil).want(http.StatusOK).wantAt("status", "COMPLETED_WITH_ERRORS").
		wantAt("error_summary.network", "1").wantAt("error_summary.runtime", "1")
	s.do("GET", "/v1/buckets/films/objects/"+network, nil).want(http.StatusOK).wantAt("status", "FAILED").wantAt("error", "no network")

	s.do("GET", failed, nil).want(http.StatusOK).wantAt("total_count", "2").wantAt("pagination.total", "2").wantAt("pagination.page_size", "100").
		wantAt("results.0.object_id", network).wantAt("results.0.error.error_type", "network").wantAt("results.0.error.message", "no network").
		wantAt("results.0.retry_count", "0").wantAt("results.1.object_id", runtime)
	s.do("GET", failed+"?limit=1&offset=1&tier_num=0", nil).want(http.StatusOK).wantAt("total_count", "2").
		wantAt("results.0.object_id", runtime).wantAt("results.1", "<nil>").wantAt("pagination.page", "2")
	for _, query := range []string{"?tier_num=1", "?collection_id=col_1", "?tier_num=0&collection_id=col_1"} {
		s.do("GET", failed+query, nil).want(http.StatusOK).wantAt("results", "[]").wantAt("total_count", "0").wantAt("pagination.total", "0")
	}
	s.do("GET", failed+"?limit=0&offset=-1&tier_num=-1", nil).wantFaults("query.tier_num minimum", "query.limit minimum", "query.offset minimum")
	s.do("GET", failed+"?limit=1001&offset=ten&tier_num=one", nil).wantFaults("query.tier_num type", "query.limit maximum", "query.offset type")

	// None of another tier; then those that may pass; then all, while they may be retried.
	s.do("POST", path+"/retry", `{"tier_nums": [1, 2]}`).want(http.StatusOK).wantAt("retried_count", "0").wantAt("task_id", "<nil>").
		wantAt("status", "COMPLETED_WITH_ERRORS")
	second := s.deviating().do("POST", path+"/retry", nil).want(http.StatusOK).wantAt("retried_count", "1").wantAt("status", "PENDING").
		wantAt("retry_mode", "transient_only").wantAt("max_retry_count", "3").wantAt("batch_id", strings.TrimPrefix(path, batches+"/"))
	if got := second.text("task_id"); got == first || got == "<nil>" {
		t.Errorf("got task %s, want a new one", got)
	}
	s.do("POST", path+"/retry", nil).wantError(http.StatusConflict, "AlreadyExistsError")
	s.process()
	s.do("POST", path+"/retry", `{"retry_mode": "all", "tier_nums": [0, 1], "max_retry_count": 1}`).want(http.StatusOK).
		wantAt("retried_count", "1").wantAt("retry_mode", "all").wantAt("max_retry_count", "1")
	s.process()
	s.do("POST", path+"/retry", `{"retry_mode": "all", "tier_nums": [], "max_retry_count": 2}`).want(http.StatusOK).wantAt("retried_count", "2")
	s.process()
	s.do("GET", failed, nil).want(http.StatusOK).wantAt("results.0.retry_count", "2").wantAt("results.1.retry_count", "2")
	s.do("POST", path+"/retry", `{"retry_mode": null, "tier_nums": null, "max_retry_count": 2}`).want(http.StatusOK).
		wantAt("retried_count", "0").wantAt("task_id", "<nil>")

	s.do("POST", path+"/retry", `{"retry_mode": "some", "tier_nums": ["a", 1.5], "max_retry_count": 0}`).
		wantFaults("body.retry_mode enum", "body.tier_nums[0] type", "body.tier_nums[1] type", "body.max_retry_count minimum")
	s.do("POST", path+"/retry", `{"retry_mode": 5, "tier_nums": 5, "max_retry_count": 11}`).
		wantFaults("body.retry_mode type", "body.tier_nums type", "body.max_retry_count maximum")
}

func TestBatchState(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	alien := s.put("films", `{"film_id": "alien"}`)
	path := s.batch(alien)
	ctx := context.Background()
	ns, err := s.store.Namespace(ctx, "test")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(ctx, "films")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Suspend(ctx); err != nil {
		t.Fatal(err)
	}
	ids := fmt.Sprintf(`{"object_ids": [%q]}`, alien)
	s.do("POST", batches, ids).wantError(http.StatusForbidden, "ForbiddenError")
	s.do("POST", path+"/objects", ids).wantError(http.StatusForbidden, "ForbiddenError")
	s.do("POST", path+"/submit", nil).wantError(http.StatusForbidden, "ForbiddenError").wantAt("error.details.status", "SUSPENDED")
	s.do("GET", path, nil).want(http.StatusOK)
	s.do("POST", batches+"/list", nil).want(http.StatusOK).wantAt("total_count", "1")
	if err := b.Lock(ctx); err != nil {
		t.Fatal(err)
	}
	s.do("PATCH", path, `{}`).wantError(http.StatusForbidden, "ForbiddenError").wantAt("error.details.is_locked", "true")
	s.do("DELETE", path, nil).wantError(http.StatusForbidden, "ForbiddenError")
}

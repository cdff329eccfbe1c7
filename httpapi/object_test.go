package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// put puts an object of the form of the wire, and returns its id.
func (s *server) put(bucket string, object any) string {
	s.t.Helper()
	return s.do("POST", "/v1/buckets/"+bucket+"/objects", object).want(http.StatusOK).text("object_id")
}

// filmServer is a server with a bucket "films".
func filmServer(t testing.TB) *server {
	t.Helper()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	return s
}

func TestObjects(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	bucketID := s.do("GET", "/v1/buckets/films", nil).text("bucket_id")

	created := s.do("POST", "/v1/buckets/films/objects", `{"film_id": "alien", "year": 1979, "key_prefix": "/a",
		"seconds": 7020.50, "tags": null, "blobs": [{"property": "notes", "type": "text", "data": "In space …"}]}`).
		want(http.StatusOK).wantWarnings().
		wantAt("bucket_id", bucketID).wantAt("film_id", "alien").wantAt("seconds", "7020.50").wantAt("key_prefix", "/a").
		wantAt("status", "DRAFT").wantAt("blobs.0.property", "notes").wantAt("blobs.0.properties.data", "In space …").
		wantAt("blobs.0.details.mime_type", "text/plain").wantAt("error", "<nil>")
	path := "/v1/buckets/films/objects/" + created.text("object_id")
	s.do("GET", path, nil).want(http.StatusOK).wantAt("created_at", created.text("created_at")).wantAt("year", "1979")

	s.do("PUT", path, `{"metadata": {"title": "Alien", "year": null}, "key_prefix": null, "blobs": null, "skip_duplicates": null}`).
		want(http.StatusOK).wantWarnings().
		wantAt("title", "Alien").wantAt("year", "1979").wantAt("key_prefix", "/a").wantAt("blobs.0.property", "notes")
	s.do("PUT", path, `{"blobs": [{"property": "poster", "type": "image", "data": "https://example.com/alien.png"}], "key_prefix": "/b"}`).
		want(http.StatusOK).wantAt("blobs.0.property", "notes").wantAt("blobs.1.properties.url", "https://example.com/alien.png").
		wantAt("key_prefix", "/b")
	s.deviating().do("PUT", path, nil).want(http.StatusOK).wantAt("title", "Alien")
	s.do("PUT", path, `{"metadata": null, "title": "Aliens", "year": null}`).want(http.StatusOK).
		wantWarnings("title: ignored").wantAt("title", "Alien")

	s.do("PATCH", path, `{"title": "Aliens", "year": null, "notes": null}`).want(http.StatusOK).
		wantAt("title", "Aliens").wantAt("year", "<nil>").wantAt("blobs.0.property", "poster").wantAt("blobs.1", "<nil>")
	s.do("PATCH", path, `{"film_id": null}`).wantFaults("body.film_id required")

	if a := s.do("DELETE", path, nil).want(http.StatusNoContent); a.body != "" {
		t.Errorf("got %q, want no body", a.body)
	}
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
		s.do(method, path, `{}`).wantError(http.StatusNotFound, "NotFoundError")
	}
}

func TestObjectRefused(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	const objects = "/v1/buckets/films/objects"
	path := objects + "/" + s.put("films", `{"film_id": "alien"}`)
	tests := []struct {
		name, method, path, body string
		faults                   []string
	}{
		{"nothing", "POST", objects, ``, []string{"body json"}},
		{"a list", "POST", objects, `[]`, []string{"body type"}},
		{"a member twice", "POST", objects, `{"film_id": "a", "film_id": "b"}`, []string{"body.film_id duplicate"}},
		{"what the schema forbids", "POST", objects, `{"year": "1979", "blobs": [{"property": "film", "type": "image", "data": "https://example.com/a.png"}]}`,
			[]string{"body.blobs[0].type type", "body.film_id required", "body.year type"}},
		{"wrong types of the system's members", "POST", objects, `{"film_id": "a", "key_prefix": 5, "skip_duplicates": "yes", "blobs": {}}`,
			[]string{"body.key_prefix type", "body.skip_duplicates type", "body.blobs type"}},
		{"a status", "POST", objects, `{"film_id": "a", "status": "COMPLETED"}`, []string{"body.status reserved"}},
		{"a policy there is not", "POST", objects + "?policy=replace&auto_process=perhaps", `{"film_id": "a"}`,
			[]string{"query.policy enum", "query.auto_process type"}},
		{"fields of an update", "PUT", path, `{"metadata": {"year": "1979", "status": "COMPLETED", "title": 5}}`,
			[]string{"body.metadata.status reserved"}},
		{"fields of an update's fields", "PUT", path, `{"metadata": {"year": "1979", "title": 5}, "blobs": [{"property": "notes"}]}`,
			[]string{"body.blobs[0].data required", "body.metadata.title type", "body.metadata.year type"}},
		{"an update whose fields are none", "PUT", path, `{"metadata": []}`, []string{"body.metadata type"}},
		{"an update of nothing", "PUT", path, `5`, []string{"body type"}},
		{"fields of a patch", "PATCH", path, `{"year": "1979"}`, []string{"body.year type"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { s.do(test.method, test.path, test.body).wantFaults(test.faults...) })
	}
	s.do("POST", "/v1/buckets/nowhere/objects", `{}`).wantError(http.StatusNotFound, "NotFoundError")
	s.do("GET", objects+"/obj_nowhere", nil).wantError(http.StatusNotFound, "NotFoundError")
}

func TestObjectPolicy(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	bucket := films("films")
	bucket["unique_key"] = map[string]any{"fields": []any{"film_id"}}
	s.do("POST", "/v1/buckets", bucket).want(http.StatusOK)
	const objects = "/v1/buckets/films/objects"

	s.do("POST", objects, `{"film_id": "alien"}`).wantError(http.StatusBadRequest, "BadRequestError")
	s.do("POST", objects+"?policy=", `{"film_id": "alien"}`).wantError(http.StatusBadRequest, "BadRequestError")
	s.do("POST", objects+"?policy=update", `{"film_id": "alien"}`).wantError(http.StatusNotFound, "NotFoundError")
	id := s.do("POST", objects+"?policy=insert", `{"film_id": "alien"}`).want(http.StatusOK).text("object_id")
	s.do("POST", objects+"?policy=INSERT", `{"film_id": "alien"}`).wantError(http.StatusConflict, "AlreadyExistsError").
		wantAt("error.details.existing_object_id", id)
	s.do("POST", objects+"?policy=Upsert", `{"film_id": "alien", "year": 1979}`).want(http.StatusOK).wantWarnings("policy: upsert expected").wantAt("object_id", id).wantAt("year", "1979")
	s.do("POST", objects+"?policy=update", `{"film_id": "alien"}`).want(http.StatusOK).wantAt("object_id", id).wantAt("year", "<nil>")
}

func TestObjectIfMatch(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	created := s.do("POST", "/v1/buckets/films/objects", `{"film_id": "alien"}`).want(http.StatusOK)
	path := "/v1/buckets/films/objects/" + created.text("object_id")
	first := created.header.Get("ETag")
	if got := s.do("GET", path, nil).header.Get("ETag"); got != first || first == "" {
		t.Fatalf("got ETag %q and then %q, want the same", first, got)
	}
	second := s.as("If-Match", first).do("PATCH", path, `{"year": 1979}`).want(http.StatusOK).header.Get("ETag")
	third := s.as("If-Match", second).do("PUT", path, `{"metadata": {"year": 1980}}`).want(http.StatusOK).header.Get("ETag")
	if first == second || second == third {
		t.Errorf("got ETags %s, %s, %s, want different ones", first, second, third)
	}
	for _, method := range []string{"PATCH", "PUT", "DELETE"} {
		s.as("If-Match", second).do(method, path, `{}`).wantError(http.StatusPreconditionFailed, "PreconditionFailedError")
		for _, tag := range []string{"v1", `"1"`, `W/"v1"`, `"v0"`, `"v1", "v2"`, `"v99999999999999999999"`} {
			s.as("If-Match", tag).do(method, path, `{}`).wantError(http.StatusPreconditionFailed, "PreconditionFailedError").wantAt("error.details.kind", "version")
		}
	}
	s.as("If-Match", "*").do("PATCH", path, `{"year": 1981}`).want(http.StatusOK)

	// A conflict of another kind stays one.
	s.put("films", `{"film_id": "brazil"}`)
	now := s.do("GET", path, nil).header.Get("ETag")
	s.as("If-Match", now).do("PATCH", path, `{"film_id": "brazil"}`).wantError(http.StatusConflict, "AlreadyExistsError")
	s.as("If-Match", now).do("DELETE", path, nil).want(http.StatusNoContent)
	s.as("If-Match", now).do("DELETE", path, nil).wantError(http.StatusNotFound, "NotFoundError")
}

func TestObjectState(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	path := "/v1/buckets/films/objects/" + s.put("films", `{"film_id": "alien"}`)
	ctx := context.Background()
	ns, err := s.store.Namespace(ctx, "test")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(ctx, "films")
	if err != nil {
		t.Fatal(err)
	}
	requests := func(reads int) {
		t.Helper()
		for _, r := range []struct{ method, path, body string }{
			{"GET", path, ""}, {"POST", "/v1/buckets/films/objects/list", ""},
			{"POST", "/v1/buckets/films/objects/aggregate", `{"group_by": [{"field": "year"}], "aggregations": [{"function": "count", "alias": "n"}]}`},
		} {
			s.do(r.method, r.path, r.body).want(reads)
		}
		for _, r := range []struct{ method, path, body string }{
			{"POST", "/v1/buckets/films/objects", `{"film_id": "brazil"}`},
			{"POST", "/v1/buckets/films/objects/batch", `{"objects": [{"film_id": "brazil"}]}`},
			{"PUT", path, `{}`}, {"PATCH", path, `{}`}, {"DELETE", path, ``},
		} {
			s.do(r.method, r.path, r.body).wantError(http.StatusForbidden, "ForbiddenError").wantAt("error.details.status", "ACTIVE")
		}
	}
	if err := b.Lock(ctx); err != nil {
		t.Fatal(err)
	}
	requests(http.StatusOK)
	if err := errors.Join(b.Unlock(ctx), b.Suspend(ctx)); err != nil {
		t.Fatal(err)
	}
	s.do("GET", path, nil).wantError(http.StatusForbidden, "ForbiddenError").wantAt("error.details.status", "SUSPENDED")
	s.do("PATCH", path, `{}`).wantError(http.StatusForbidden, "ForbiddenError").wantAt("error.details.is_locked", "false")
}

func TestObjectAutoProcess(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	s.do("POST", "/v1/buckets/films/objects?auto_process=false", `{"film_id": "alien"}`).want(http.StatusOK).wantAt("status", "DRAFT")
	a := s.do("POST", "/v1/buckets/films/objects?auto_process=true", `{"film_id": "brazil"}`).want(http.StatusOK).
		wantWarnings().wantAt("status", "PENDING")
	batches := s.do("POST", "/v1/buckets/films/batches/list", nil).want(http.StatusOK).wantAt("total_count", "1").
		wantAt("results.0.status", "PENDING").wantAt("results.0.object_ids", fmt.Sprintf("[%q]", a.text("object_id")))
	if batches.text("results.0.task_id") == "<nil>" {
		t.Error("got a batch without a task")
	}
}

// entropy gives zeroes, a byte at a time, until it fails.
type entropy struct{ failed atomic.Bool }

func (e *entropy) Read(p []byte) (int, error) {
	if e.failed.Load() {
		return 0, errors.New("no entropy")
	}
	return copy(p, "\x00"), nil
}

func TestObjectAutoProcessFails(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	e := &entropy{}
	st, err := bucketlite.Open(ctx, filepath.Join(t.TempDir(), "test.db"), &bucketlite.Options{Entropy: e})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"}); err != nil {
		t.Fatal(err)
	}
	h, err := httpapi.New(st, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret}}})
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(h)
	defer ts.Close()
	s := &server{t: t, store: st, handler: h, url: ts.URL, client: recording(t, ts.Client()), headers: http.Header{
		"Authorization": {"Bearer " + secret}, "X-Namespace": {"test"},
	}}
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)

	// An object that brings its id needs no entropy, but its batch does.
	e.failed.Store(true)
	// Both are stored together or not at all.
	s.do("POST", "/v1/buckets/films/objects?auto_process=true", `{"object_id": "mine", "film_id": "alien"}`).
		wantError(http.StatusInternalServerError, "InternalServerError")
	s.do("POST", "/v1/buckets/films/objects/batch?auto_process=true", `{"objects": [{"object_id": "yours", "film_id": "brazil"}]}`).
		wantError(http.StatusInternalServerError, "InternalServerError")
	e.failed.Store(false)
	s.do("GET", "/v1/buckets/films/objects/mine", nil).wantError(http.StatusNotFound, "NotFoundError")
	s.do("GET", "/v1/buckets/films/objects/yours", nil).wantError(http.StatusNotFound, "NotFoundError")
	s.do("POST", "/v1/buckets/films/batches/list", nil).want(http.StatusOK).wantAt("total_count", "0")
}

func TestObjectList(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	for i, id := range []string{"alien", "brazil", "casablanca"} {
		s.put("films", map[string]any{"film_id": id, "year": 1940 + i, "meta": map[string]any{"rank": i},
			"blobs": []any{map[string]any{"property": "notes", "type": "text", "data": "of " + id}}})
	}
	const list = "/v1/buckets/films/objects/list"
	sorted := `{"sort": {"field": "year", "direction": "desc"}}`
	first := s.do("POST", list+"?limit=2", sorted).want(http.StatusOK).wantWarnings().
		wantAt("results.0.film_id", "casablanca").wantAt("results.1.film_id", "brazil").wantAt("results.2", "<nil>").
		wantAt("pagination.total", "<nil>").wantAt("pagination.page", "1").wantAt("pagination.page_size", "2").
		wantAt("stats.total_objects", "3").wantAt("stats.total_blobs", "3").wantAt("stats.avg_blobs_per_object", "1").
		wantAt("stats.objects_by_status.DRAFT", "3")
	s.do("POST", list+"?cursor="+first.text("pagination.next_cursor"), sorted).want(http.StatusOK).
		wantAt("results.0.film_id", "alien").wantAt("results.1", "<nil>").wantAt("pagination.next_page", "<nil>")
	s.do("POST", list+"?limit=1&offset=1&include_total=true", sorted).want(http.StatusOK).
		wantAt("results.0.film_id", "brazil").wantAt("pagination.total", "3").wantAt("pagination.total_pages", "3").wantAt("pagination.page", "2")
	s.do("POST", list, nil).want(http.StatusOK).wantAt("pagination.page_size", "100").wantAt("results.2.film_id", "casablanca")
	s.do("POST", list, `{"filters": {"AND": [{"field": "year", "operator": "gte", "value": 1941}]}, "search": "casa", "sort": null, "select": null}`).
		want(http.StatusOK).wantAt("results.0.film_id", "casablanca").wantAt("results.1", "<nil>").wantAt("stats.total_objects", "1")
	s.do("POST", list, `{"select": ["meta.rank"], "filters": {"film_id": "brazil"}}`).want(http.StatusOK).
		wantAt("results.0.meta.rank", "1").wantAt("results.0.film_id", "<nil>").wantAt("results.0.blobs", "<nil>")

	s.do("POST", list+"?limit=1001&offset=-1&include_total=perhaps", `{"search": 5}`).
		wantFaults("query.limit maximum", "query.offset minimum", "query.include_total type", "body.search type")
	s.do("POST", list, `{"filters": {"AND": [{"field": "year", "operator": "near", "value": 5}]}}`).wantError(http.StatusBadRequest, "BadRequestError")
	s.do("POST", list+"?cursor=nonsense", nil).wantError(http.StatusBadRequest, "BadRequestError")
}

func TestObjectAggregate(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	for i, year := range []int{1979, 1979, 1985} {
		s.put("films", map[string]any{"film_id": fmt.Sprint(i), "year": year})
	}
	const path = "/v1/buckets/films/objects/aggregate"
	a := s.do("POST", path, `{"group_by": [{"field": "year"}], "aggregations": [{"function": "count", "alias": "n"}],
		"filters": null, "having": null, "sort_by": "n", "limit": null}`).want(http.StatusOK).
		wantAt("results.0.group.year", "1979").wantAt("results.0.metrics.n", "2").wantAt("results.1.metrics.n", "1").wantAt("total_groups", "2")
	if a.text("query_info.execution_time_ms") == "<nil>" {
		t.Errorf("got %s, want the time it took", a.body)
	}
	s.do("POST", path, `{"group_by": [{"field": "year"}], "aggregations": [{"function": "count", "alias": "n"}], "filters": {"film_id": "none"}}`).
		want(http.StatusOK).wantAt("results", "[]").wantAt("total_groups", "0")
	s.do("POST", path, `{}`).wantError(http.StatusBadRequest, "BadRequestError")
	s.do("POST", path, nil).wantError(http.StatusBadRequest, "BadRequestError")
	s.do("POST", path, `{"group_by": [{"field": 5}], "aggregations": [{"function": "guess", "alias": "n"}]}`).
		wantError(http.StatusBadRequest, "BadRequestError").wantAt("error.details.validation_errors.0.location", "body.group_by[0].field")
}

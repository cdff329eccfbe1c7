package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

const (
	deletePath = "/v1/buckets/films/objects/delete"
	patchPath  = "/v1/buckets/films/objects/patch"
)

func TestDeleteObjects(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	for i := range 6 {
		s.put("films", map[string]any{"film_id": fmt.Sprint("film-", i), "year": 2000 + i})
	}
	old := `{"field": "year", "operator": "lt", "value": 2002}`
	s.do("POST", deletePath, `{"filters": `+old+`, "dry_run": true}`).want(http.StatusOK).wantWarnings().
		wantAt("status", "COMPLETED").wantAt("dry_run", "true").wantAt("matched_count", "2").wantAt("changed_count", "2").wantAt("task_id", "<nil>")
	s.do("POST", deletePath, `{"filters": `+old+`}`).want(http.StatusOK).wantWarnings().
		wantAt("dry_run", "false").wantAt("matched_count", "2").wantAt("changed_count", "2").wantAt("failed_count", "0").wantAt("failures", "[]")
	s.do("POST", deletePath, `{"search": "FILM-3"}`).want(http.StatusOK).wantAt("changed_count", "1")
	s.do("POST", deletePath, `{"search": "FILM-4", "case_sensitive": true}`).want(http.StatusOK).wantAt("changed_count", "0")
	// A filter that matches nothing by the schema deletes nothing, with a warning.
	if got := s.do("POST", deletePath, `{"filters": {"year": "old"}}`).want(http.StatusOK).wantAt("changed_count", "0").header.Get("Warning"); !strings.Contains(got, "never matches") {
		t.Errorf("got the warning %q, want that it never matches", got)
	}
	s.do("POST", deletePath, `{"all": true}`).want(http.StatusOK).wantAt("changed_count", "3")
}

func TestPatchObjects(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	for i := range 4 {
		s.put("films", map[string]any{"film_id": fmt.Sprint("f", i), "year": 2000 + i, "title": "old"})
	}
	recent := `{"field": "year", "operator": "gte", "value": 2002}`
	s.do("POST", patchPath, `{"filters": `+recent+`, "patch": {"title": "new", "year": null, "key_prefix": "a/"}}`).want(http.StatusOK).wantWarnings().
		wantAt("matched_count", "2").wantAt("changed_count", "2")
	s.do("POST", "/v1/buckets/films/objects/list", `{"filters": {"title": "new"}}`).want(http.StatusOK).wantAt("results.1.key_prefix", "a/").wantAt("results.1.year", "<nil>")
	// The second and those after it find the key taken.
	a := s.do("POST", patchPath, `{"all": true, "patch": {"film_id": "one"}}`).want(http.StatusOK).
		wantAt("status", "COMPLETED_WITH_ERRORS").wantAt("changed_count", "1").wantAt("failed_count", "3")
	if got := a.text("failures.2.error"); !strings.Contains(got, "unique key") {
		t.Errorf("got the failure %q, want one about the unique key", got)
	}
}

// Many objects are changed by a task.
func TestChangeObjectsTask(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	ctx := context.Background()
	ns, err := s.store.Namespace(ctx, "test")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.Bucket(ctx, "films")
	if err != nil {
		t.Fatal(err)
	}
	inputs := make([]bucketlite.ObjectInput, 1500)
	for i := range inputs {
		inputs[i].Fields = map[string]any{"film_id": fmt.Sprint(i), "year": i}
	}
	if res, err := b.PutMany(ctx, inputs, nil); err != nil || len(res.Failed) > 0 {
		t.Fatal(err, res.Failed)
	}
	task := s.do("POST", patchPath, `{"filters": {"field": "year", "operator": "gte", "value": 1}, "patch": {"title": "patched"}}`).want(http.StatusOK).
		wantAt("status", "PENDING").wantAt("matched_count", "0").text("task_id")
	s.wantTask(task, "COMPLETED").wantAt("task_type", "engine_object_processing").wantAt("additional_data.operation", "patch_objects").
		wantAt("additional_data.changed_count", "1499").wantAt("additional_data.patch.title", "patched").wantAt("additional_data.progress.percentage", "100")
	task = s.do("POST", deletePath, `{"all": true}`).want(http.StatusOK).wantAt("status", "PENDING").text("task_id")
	s.wantTask(task, "COMPLETED").wantAt("additional_data.operation", "delete_objects").wantAt("additional_data.changed_count", "1500")
	s.do("POST", "/v1/tasks/list", `{"task_type": "engine_object_processing"}`).want(http.StatusOK).wantAt("results.1.task_id", task)
}

func TestChangeObjectsRefused(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	s.put("films", `{"film_id": "alien"}`)
	for name, tt := range map[string]struct {
		path, body string
		status     int
		kind, text string
	}{
		"nothing selects":      {deletePath, `{}`, 400, "BadRequestError", "every object"},
		"an empty filter":      {deletePath, `{"filters": {}}`, 400, "BadRequestError", "every object"},
		"a misspelled member":  {deletePath, `{"filter": {"film_id": "alien"}, "all": true}`, 422, "ValidationError", "filter"},
		"a limit":              {deletePath, `{"all": true, "limit": 5}`, 422, "ValidationError", "limit"},
		"a parameter":          {deletePath + "?limit=5", `{"all": true}`, 422, "ValidationError", "limit"},
		"a patch of a delete":  {deletePath, `{"all": true, "patch": {}}`, 422, "ValidationError", "patch"},
		"a bad filter":         {deletePath, `{"filters": {"field": "title", "operator": "near", "value": 1}}`, 400, "BadRequestError", "near"},
		"a filter of a string": {deletePath, `{"filters": "all"}`, 422, "ValidationError", "filters"},
		"no patch":             {patchPath, `{"all": true}`, 422, "ValidationError", "patch"},
		"an empty patch":       {patchPath, `{"all": true, "patch": {}}`, 400, "BadRequestError", "changes nothing"},
		"a patch with blobs":   {patchPath, `{"all": true, "patch": {"blobs": [{"property": "notes", "type": "text", "data": "x"}]}}`, 400, "BadRequestError", "blobs"},
		"an invalid value":     {patchPath, `{"all": true, "patch": {"year": "x"}}`, 422, "ValidationError", "patch.year"},
		"no bucket":            {"/v1/buckets/none/objects/delete", `{"all": true}`, 404, "NotFoundError", "none"},
	} {
		if got := s.do("POST", tt.path, tt.body).wantError(tt.status, tt.kind); !strings.Contains(string(got.body), tt.text) {
			t.Errorf("%s: got %s, want it to name %q", name, got.body, tt.text)
		}
	}
	s.do("POST", "/v1/buckets/films/objects/list", nil).want(http.StatusOK).wantAt("results.0.film_id", "alien")
	s.do("POST", "/v1/buckets/films/lock", nil).want(http.StatusOK)
	s.do("POST", deletePath, `{"all": true}`).wantError(http.StatusForbidden, "ForbiddenError")
}

// Objects may have the names of the routes as ids.
func TestObjectsNamedAsRoutes(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	for _, id := range []string{"delete", "patch"} {
		s.apply(fmt.Sprintf(`{"op": "put", "bucket": "films", "object": {"object_id": %q, "film_id": %q}}`, id, id)).want(http.StatusOK)
		s.do("PATCH", "/v1/buckets/films/objects/"+id, `{"title": "x"}`).want(http.StatusOK)
		s.do("GET", "/v1/buckets/films/objects/"+id, nil).want(http.StatusOK).wantAt("title", "x")
		s.do("DELETE", "/v1/buckets/films/objects/"+id, nil).want(http.StatusNoContent)
	}
}

package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestObjectBatch(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	const batch = "/v1/buckets/films/objects/batch"

	s.do("POST", batch, `{"objects": [{"film_id": "alien"}, {"film_id": "brazil"}]}`).want(http.StatusOK).wantWarnings().
		wantAt("succeeded.0.film_id", "alien").wantAt("succeeded.1.film_id", "brazil").wantAt("failed", "[]").
		wantAt("total_requested", "2").wantAt("succeeded_count", "2").wantAt("failed_count", "0").
		wantAt("succeeded.0.status", "DRAFT")

	// Objects that cannot be read, that do not conform, that are taken, and two good ones.
	s.do("POST", batch+"?policy=INSERT", `{"objects": [{"film_id": "casablanca"}, {"film_id": "d", "key_prefix": 5}, {"year": 1979},
		5, {"film_id": "alien"}, {"film_id": "dune"}]}`).want(http.StatusOK).wantWarnings("policy: insert expected").
		wantAt("succeeded.0.film_id", "casablanca").wantAt("succeeded.1.film_id", "dune").
		wantAt("failed.0.object_index", "1").wantAt("failed.0.error_type", "ValidationError").
		wantAt("failed.1.object_index", "2").wantAt("failed.2.object_index", "3").
		wantAt("failed.3.object_index", "4").wantAt("failed.3.error_type", "AlreadyExistsError").
		wantAt("total_requested", "6").wantAt("succeeded_count", "2").wantAt("failed_count", "4")
	s.do("POST", batch+"?policy=update", `{"objects": [{"film_id": "alien", "year": 1979}, {"film_id": "nowhere"}]}`).want(http.StatusOK).
		wantAt("succeeded.0.year", "1979").wantAt("failed.0.error_type", "NotFoundError")
}

func TestObjectBatchFails(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	const batch = "/v1/buckets/films/objects/batch"
	s.put("films", `{"film_id": "alien"}`)

	s.do("POST", batch+"?policy=insert", `{"objects": [{"film_id": "alien"}, {"year": 1979}, {"film_id": "b", "skip_duplicates": 5}, []]}`).
		wantFaults("body.objects[0] AlreadyExistsError", "body.objects[1].film_id required", "body.objects[2].skip_duplicates type", "body.objects[3] type").
		wantAt("error.details.failed.0.error_type", "AlreadyExistsError").wantAt("error.details.failed.2.object_index", "2")

	many := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`{"film_id": "%d"}`, i)
		}
		return `{"objects": [` + strings.Join(list, ",") + `]}`
	}
	tests := []struct {
		name, query, body string
		faults            []string
	}{
		{"nothing", "", ``, []string{"body.objects required"}},
		{"null", "", `{"objects": null}`, []string{"body.objects required"}},
		{"an empty list", "", `{"objects": []}`, []string{"body.objects required"}},
		{"no list", "", `{"objects": {}}`, []string{"body.objects type"}},
		{"too many", "", many(101), []string{"body.objects maxItems"}},
		{"a policy there is not", "?policy=replace", many(1), []string{"query.policy enum"}},
		{"a member twice", "", `{"objects": [{"film_id": "a", "film_id": "b"}]}`, []string{"body.objects[0].film_id duplicate"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { s.do("POST", batch+test.query, test.body).wantFaults(test.faults...) })
	}
	s.do("POST", batch, many(100)).want(http.StatusOK).wantAt("succeeded_count", "100")
	s.do("POST", "/v1/buckets/nowhere/objects/batch", many(1)).wantError(http.StatusNotFound, "NotFoundError")
}

func TestObjectBatchWithoutPolicy(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	bucket := films("films")
	bucket["unique_key"] = map[string]any{"fields": []any{"film_id"}}
	s.do("POST", "/v1/buckets", bucket).want(http.StatusOK)
	s.do("POST", "/v1/buckets/films/objects/batch", `{"objects": [{"film_id": "a"}]}`).wantError(http.StatusBadRequest, "BadRequestError")
}

func TestObjectBatchAutoProcess(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	a := s.do("POST", "/v1/buckets/films/objects/batch?auto_process=true&policy=upsert",
		`{"objects": [{"film_id": "alien"}, {"year": 1979}, {"film_id": "brazil"}, {"film_id": "alien", "year": 1979}]}`).want(http.StatusOK).
		wantWarnings().wantAt("succeeded.0.status", "PENDING").wantAt("succeeded.1.status", "PENDING").wantAt("failed_count", "1")
	s.do("POST", "/v1/buckets/films/batches/list", nil).want(http.StatusOK).wantAt("total_count", "1").
		wantAt("results.0.object_ids", fmt.Sprintf("[%q,%q]", a.text("succeeded.0.object_id"), a.text("succeeded.1.object_id")))
}

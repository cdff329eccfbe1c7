package httpapi_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: rights})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	for i := range 3 {
		s.put("films", map[string]any{"film_id": fmt.Sprint("f", i), "year": 2000 + i})
	}
	const path = "/v1/buckets/films/objects/explain"
	s.do("POST", path, nil).want(http.StatusOK).wantAt("indexes", "[]").wantAt("objects", "3").wantAt("sorts", "false").wantAt("text", "examines all 3 objects")
	query := `{"filters": {"field": "year", "operator": "eq", "value": 2001}, "sort": {"field": "title"}}`
	s.do("POST", path, query).want(http.StatusOK).wantAt("sorts", "true").wantAt("text", "examines all 3 objects, and sorts them")
	s.do("POST", "/v1/buckets/films/indexes", `{"kind": "value", "path": "year"}`).want(http.StatusOK)
	s.do("POST", path, query).want(http.StatusOK).
		wantAt("indexes.0.path", "year").wantAt("objects", "1").wantAt("text", "looks up 1 object by the value index of year, and sorts them")
	for _, key := range []string{"limited", "reader"} {
		s.as("Authorization", "Bearer "+key).do("POST", path, query).wantError(http.StatusForbidden, "ForbiddenError")
	}
	s.do("POST", path, `{"filters": {"field": "genre", "operator": "eq", "value": 1}}`).want(http.StatusOK).wantWarnings("genre")
	s.do("POST", path, `{"filters": {"field": "year", "operator": "near", "value": 1}}`).wantError(http.StatusBadRequest, "BadRequestError")
	s.do("POST", "/v1/buckets/none/objects/explain", nil).wantError(http.StatusNotFound, "NotFoundError")
	s.do("POST", "/v1/buckets/films/suspend", nil).want(http.StatusOK)
	s.do("POST", path, nil).wantError(http.StatusForbidden, "ForbiddenError")
}

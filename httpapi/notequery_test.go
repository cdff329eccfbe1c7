package httpapi_test

import (
	"net/http"
	"testing"
)

// A filter that no object can match has an empty result and a warning, as has a path that
// the schema does not declare. An operator with a dollar is refused.
func TestQueriesThatCannotMatch(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", `{"bucket_name": "a", "bucket_schema": {"properties": {"n": {"type": "number"}}}}`).want(http.StatusOK)
	s.do("POST", "/v1/buckets/a/objects", `{"n": 5}`).want(http.StatusOK)
	const list = "/v1/buckets/a/objects/list"
	s.do("POST", list+"?include_total=true", `{"filters": {"n": "5"}}`).want(http.StatusOK).wantWarnings("filters.n: never matches: ").
		wantAt("results", "[]").wantAt("pagination.total", "0").wantAt("stats.total_objects", "0")
	s.do("POST", list, `{"filters": {"colour": 5}, "sort": {"field": "shade", "direction": "asc"}}`).want(http.StatusOK).
		wantWarnings("filters: the schema declares no", "sort: the schema declares no").wantAt("results", "[]")
	s.do("POST", list, `{"filters": {"n": 5}}`).want(http.StatusOK).wantWarnings().wantAt("results.0.n", "5")
	s.do("POST", list, `{"filters": {"n": {"$gt": 1}}}`).wantError(http.StatusBadRequest, "BadRequestError")
	const group = `"group_by": [{"field": "n"}], "aggregations": [{"function": "count", "alias": "c"}]`
	s.do("POST", "/v1/buckets/a/objects/aggregate", `{"filters": {"n": "5"}, `+group+`}`).want(http.StatusOK).
		wantWarnings("filters.n: never matches: ").wantAt("results", "[]").wantAt("total_groups", "0")
	s.do("POST", "/v1/buckets/a/suspend", nil).want(http.StatusOK)
	s.do("POST", list, `{"filters": {"n": "5"}}`).wantError(http.StatusForbidden, "ForbiddenError")
}

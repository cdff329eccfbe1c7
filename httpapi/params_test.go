package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

// A boolean of a query is true or false. The other words that the hosted service takes
// are taken with a warning, in any case.
func TestParamBooleans(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	list := "/v1/buckets/list?include_total="
	for want, words := range map[string][]string{
		"true": {"true", "t", "y", "yes", "on", "1", "True", "TRUE", "Yes", "ON"}, "false": {"false", "f", "n", "no", "off", "0", "False", "N"},
	} {
		for _, word := range words {
			got := s.do("POST", list+word, nil).want(http.StatusOK)
			if word == want {
				got.wantWarnings()
			} else {
				got.wantWarnings("include_total: " + want + " expected")
			}
			if counted := got.text("pagination.total") == "0"; counted != (want == "true") {
				t.Errorf("include_total=%s: got total %s", word, got.text("pagination.total"))
			}
		}
	}
	for _, word := range []string{"perhaps", "tru", "2", "-1", "", "null", "undefined", "%20true"} {
		s.do("POST", list+word, nil).wantFaults("query.include_total type")
	}
}

// A parameter that cannot be parsed is named in the answer, and never dropped.
func TestParamsRefused(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	for _, test := range []struct {
		method, target string
		faults         []string
	}{
		{"POST", "/v1/buckets/films/objects/list?limit=", []string{"query.limit type"}},
		{"POST", "/v1/buckets/films/objects/list?limit=1e2&offset=1.0", []string{"query.limit type", "query.offset type"}},
		{"POST", "/v1/buckets/films/objects/list?limit=undefined", []string{"query.limit type"}},
		{"POST", "/v1/buckets/films/objects/list?limit=99999999999999999999", []string{"query.limit type"}},
		{"POST", "/v1/buckets/films/objects/list?limit=5&limit=x", []string{"query.limit type"}},
		{"POST", "/v1/buckets/films/objects/list?search=a&search=b", []string{"query.search type"}},
		{"GET", "/v1/buckets/films/objects/x?return_presigned_urls=", []string{"query.return_presigned_urls type"}},
		{"GET", "/v1/analytics/buckets/films/storage?start_date=", []string{"query.start_date type"}},
		{"GET", "/v1/analytics/buckets/films/health?hours=", []string{"query.hours type"}},
		{"GET", "/v1/events?from_start=maybe", []string{"query.from_start type"}},
		{"POST", "/v1/buckets/films/objects?policy=insert&policy=update", []string{"query.policy type"}},
	} {
		t.Run(test.method+" "+test.target, func(t *testing.T) {
			s.do(test.method, test.target, nil).wantFaults(test.faults...)
		})
	}
	// An empty text is one that is not given, as is the same value given again.
	s.do("POST", "/v1/buckets/films/objects/list?search=&cursor=&limit=2&limit=2", nil).want(http.StatusOK).wantAt("pagination.page_size", "2")
	s.do("POST", "/v1/buckets/films/objects/list?limit=%2B3", nil).want(http.StatusOK).wantAt("pagination.page_size", "3")
	s.do("POST", "/v1/buckets/films/objects/list?cursor="+strings.Repeat("x", 50), nil).wantError(http.StatusBadRequest, "BadRequestError")
}

// Bodies that are null where an object is due, and members that hold nothing where
// something is due, are refused.
func TestBodyNull(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	batch := s.batch(s.put("films", `{"film_id": "alien"}`))
	for _, test := range []struct {
		name, method, path, body string
		faults                   []string
	}{
		{"a list of buckets", "POST", "/v1/buckets/list", `null`, []string{"body type"}},
		{"a list of namespaces", "POST", "/v1/namespaces/list", ` null `, []string{"body type"}},
		{"a list of tasks", "POST", "/v1/tasks/list", `null`, []string{"body type"}},
		{"a list of objects", "POST", "/v1/buckets/films/objects/list", "\nnull", []string{"body type"}},
		{"a bucket", "POST", "/v1/buckets", `null`, []string{"body type"}},
		{"an update", "PATCH", "/v1/buckets/films", `null`, []string{"body type"}},
		{"an object", "POST", "/v1/buckets/films/objects", `null`, []string{"body type"}},
		{"an update of an object", "PUT", "/v1/buckets/films/objects/x", `null`, []string{"body type"}},
		{"an aggregation", "POST", "/v1/buckets/films/objects/aggregate", `null`, []string{"body type"}},
		{"a confirmation", "POST", "/v1/buckets/films/uploads/x/confirm", `null`, []string{"body type"}},
		{"a submission", "POST", batch + "/submit", `null`, []string{"body type"}},
		{"a sort by nothing", "POST", "/v1/buckets/films/objects/list", `{"sort": {}}`, []string{"body.sort.field required"}},
		{"a sort by null", "POST", "/v1/buckets/films/uploads/list", `{"sort": {"field": null, "direction": "asc"}}`, []string{"body.sort.field required"}},
		{"a sort of tasks by nothing", "POST", "/v1/tasks/list", `{"sort": {}}`, []string{"body.sort.field required"}},
		{"a filter", "POST", "/v1/buckets/films/objects/list", `{"filters": {"AND": [null]}}`, []string{"body.filters.AND[0] type"}},
		{"filters in groups", "POST", "/v1/buckets/films/objects/list",
			`{"filters": {"OR": [{"film_id": "a"}, {"NOT": [null, {"AND": [{"film_id": "b"}, null]}]}], "AND": null}}`,
			[]string{"body.filters.OR[1].NOT[0] type", "body.filters.OR[1].NOT[1].AND[1] type"}},
		{"a filter of tasks", "POST", "/v1/tasks/list", `{"filters": {"OR": [null]}}`, []string{"body.filters.OR[0] type"}},
		{"a filter of buckets", "POST", "/v1/buckets/list", `{"filters": {"NOT": [null]}}`, []string{"body.filters.NOT[0] type"}},
		{"a filter of an aggregation", "POST", "/v1/buckets/films/objects/aggregate",
			`{"group_by": [{"field": "year"}], "aggregations": [{"function": "count", "alias": "n"}], "filters": {"AND": [null]}}`, []string{"body.filters.AND[0] type"}},
	} {
		t.Run(test.name, func(t *testing.T) { s.do(test.method, test.path, test.body).wantFaults(test.faults...) })
	}
	s.do("GET", batch, nil).want(http.StatusOK).wantAt("status", "DRAFT")
	s.do("POST", "/v1/buckets/films/objects/list", `{"filters": {"AND": null, "film_id": null}, "sort": null}`).want(http.StatusOK)
}

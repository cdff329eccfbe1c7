package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi"
)

func TestIndexes(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret}, {Secret: "reader", ReadOnly: true}}})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	s.submitted("test", "films", 10)
	const path = "/v1/buckets/films/indexes"
	s.do("GET", path, nil).want(http.StatusOK).wantAt("results", "[]")
	for range 2 { // the second time it is there
		s.do("POST", path, `{"kind": "value", "path": "year"}`).want(http.StatusOK).wantAt("results", `[{"kind":"value","path":"year","status":"READY"}]`)
	}
	s.do("POST", path, `{"kind": "text", "path": "title"}`).want(http.StatusOK).
		wantAt("results.0.path", "title").wantAt("results.0.kind", "text").wantAt("results.0.status", "READY").wantAt("results.1.path", "year")
	s.do("POST", path, `{"kind": "text", "path": null}`).want(http.StatusOK).wantAt("results.0.path", "").wantAt("results.2.path", "year")
	s.as("Authorization", "Bearer reader").do("GET", path, nil).want(http.StatusOK).wantAt("results.2.path", "year")

	for range 2 { // the second time there is none
		s.do("DELETE", path+"?kind=text&path=title", nil).want(http.StatusNoContent)
	}
	s.do("DELETE", path+"?kind=text", nil).want(http.StatusNoContent)
	s.do("DELETE", path+"?kind=text&path=year", nil).want(http.StatusNoContent)
	s.do("GET", path, nil).want(http.StatusOK).wantAt("results", `[{"kind":"value","path":"year","status":"READY"}]`)
	s.do("DELETE", path+"?kind=value&path=year", nil).want(http.StatusNoContent)
	s.do("GET", path, nil).want(http.StatusOK).wantAt("results", "[]")
}

// A bucket may be created with its indexes. The answer does not have them.
func TestIndexesOfNewBucket(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	const schema = `"bucket_schema": {"properties": {"year": {"type": "integer"}, "title": {"type": "string"}}}`
	s.do("POST", "/v1/buckets", `{"bucket_name": "a", `+schema+`, "indexes": ["year"], "text_indexes": ["", "title"]}`).want(http.StatusOK).
		wantAt("indexes", "<nil>").wantAt("text_indexes", "<nil>")
	s.do("GET", "/v1/buckets/a/indexes", nil).want(http.StatusOK).
		wantAt("results.0", `{"kind":"text","path":"","status":"READY"}`).wantAt("results.1.path", "title").wantAt("results.2.path", "year")
	s.do("POST", "/v1/buckets", `{"bucket_name": "b", `+schema+`, "indexes": null}`).want(http.StatusOK)
	s.do("POST", "/v1/buckets", `{"bucket_name": "c", `+schema+`, "indexes": [5], "text_indexes": "title"}`).
		wantFaults("body.indexes[0] type", "body.text_indexes type")
	s.do("POST", "/v1/buckets", `{"bucket_name": "c", `+schema+`, "indexes": ["a..b"]}`).wantFaults("body.indexes[0] path")
}

func TestIndexRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret}, {Secret: "reader", ReadOnly: true}}})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	const path = "/v1/buckets/films/indexes"
	s.do("POST", path, nil).wantFaults("body.kind required", "body.path required")
	s.do("POST", path, `{"kind": "VALUE", "path": 5}`).wantFaults("body.kind enum", "body.path type")
	s.do("DELETE", path, nil).wantFaults("query.kind required", "query.path required")
	s.do("DELETE", path+"?kind=value", nil).wantFaults("query.path required")
	s.do("DELETE", path+"?kind=none&path=a", nil).wantFaults("query.kind enum")
	s.do("POST", path, `{"kind": "value", "path": "status.x"}`).wantError(http.StatusBadRequest, "BadRequestError").
		wantAt("error.details.validation_errors.0.location", "body.path")
	s.do("POST", "/v1/buckets/none/indexes", `{"kind": "value", "path": "year"}`).wantError(http.StatusNotFound, "NotFoundError")
	reader := s.as("Authorization", "Bearer reader")
	reader.do("POST", path, `{"kind": "value", "path": "year"}`).wantError(http.StatusForbidden, "ForbiddenError")
	reader.do("DELETE", path+"?kind=value&path=year", nil).wantError(http.StatusForbidden, "ForbiddenError")
	s.do("POST", "/v1/buckets/films/lock", nil).want(http.StatusOK)
	s.do("POST", path, `{"kind": "value", "path": "year"}`).wantError(http.StatusForbidden, "ForbiddenError")
	s.do("DELETE", path+"?kind=value&path=year", nil).wantError(http.StatusForbidden, "ForbiddenError")
	s.do("GET", path, nil).want(http.StatusOK).wantAt("results", "[]")
}

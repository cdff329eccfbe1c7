package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRetention(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	const schema = `"bucket_schema": {"properties": {"v": {"type": "string"}}}`
	s.do("POST", "/v1/buckets", `{"bucket_name": "plain", `+schema+`, "retention": null}`).want(http.StatusOK).wantAt("retention", "<nil>")
	s.do("POST", "/v1/buckets", `{"bucket_name": "a", `+schema+`, "retention": {"max_age_seconds": 3600, "max_objects": 2, "max_bytes": null}}`).
		want(http.StatusOK).wantAt("retention", `{"max_age_seconds":3600,"max_objects":2}`)
	s.do("PATCH", "/v1/buckets/a", `{"description": "kept"}`).want(http.StatusOK).wantAt("retention", `{"max_age_seconds":3600,"max_objects":2}`)
	s.do("PUT", "/v1/buckets/a", `{"retention": {"max_objects": 1, "max_bytes": 20}}`).want(http.StatusOK).
		wantAt("retention", `{"max_bytes":20,"max_objects":1}`).wantAt("description", "kept")
	for _, v := range []string{"one", "two"} {
		s.do("POST", "/v1/buckets/a/objects", `{"v": "`+v+`"}`).want(http.StatusOK)
	}
	s.do("GET", "/v1/buckets/a", nil).want(http.StatusOK).wantAt("object_count", "1")
	s.do("POST", "/v1/buckets/a/objects", `{"v": "more than twenty bytes"}`).wantError(http.StatusRequestEntityTooLarge, "PayloadTooLargeError")
	s.do("PATCH", "/v1/buckets/a", `{"retention": {}}`).want(http.StatusOK).wantAt("retention", "<nil>")
	s.do("PATCH", "/v1/buckets/a", `{"retention": {"max_age": 5, "max_age_seconds": 1.5, "max_objects": -1, "max_bytes": "1 GB"}}`).
		wantFaults("body.retention.max_age additionalProperties", "body.retention.max_age_seconds type", "body.retention.max_objects minimum", "body.retention.max_bytes type")
	s.do("PATCH", "/v1/buckets/a", `{"retention": 5}`).wantFaults("body.retention type")
}

func TestExpiresAt(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", `{"bucket_name": "a", "bucket_schema": {"properties": {"v": {"type": "string"}}}}`).want(http.StatusOK)
	soon := time.Now().Add(time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)
	later := strings.Replace(soon, "Z", ".5Z", 1)
	const path = "/v1/buckets/a/objects"
	s.do("POST", path, `{"object_id": "plain", "v": "x"}`).want(http.StatusOK).wantAt("x-expires-at", "<nil>")
	s.do("POST", path, `{"object_id": "a", "v": "x", "x-expires-at": "`+soon+`"}`).want(http.StatusOK).wantAt("x-expires-at", soon)
	s.do("PATCH", path+"/a", `{"v": "y"}`).want(http.StatusOK).wantAt("x-expires-at", soon)
	s.do("PUT", path+"/a", `{"metadata": {"v": "z"}, "x-expires-at": "`+later+`"}`).want(http.StatusOK).wantAt("x-expires-at", later).wantAt("v", "z")
	s.do("POST", path+"/list", `{"filters": {"AND": [{"field": "x-expires-at", "operator": "gt", "value": "`+soon+`"}]}}`).want(http.StatusOK).
		wantAt("results.0.object_id", "a").wantAt("results.1", "<nil>")
	s.do("PUT", path+"/a", `{"metadata": {"v": "z"}, "x-expires-at": null}`).want(http.StatusOK).wantAt("x-expires-at", later)
	s.do("PATCH", path+"/a", `{"x-expires-at": "never"}`).want(http.StatusOK).wantAt("x-expires-at", "<nil>")
	s.do("PATCH", path+"/a", `{"x-expires-at": "2001-01-01T00:00:00Z"}`).wantFaults("body.x-expires-at future")
	s.do("PATCH", path+"/a", `{"x-expires-at": "soon"}`).wantFaults("body.x-expires-at format")
}

package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// All conflicts have one error type. Their details tell them apart.
func TestConflictKinds(t *testing.T) {
	t.Parallel()
	s := filmServer(t)
	created := s.do("POST", "/v1/buckets/films/objects", `{"film_id": "alien"}`).want(http.StatusOK)
	alien, first := "/v1/buckets/films/objects/"+created.text("object_id"), created.header.Get("ETag")
	s.do("PATCH", alien, `{"year": 1979}`).want(http.StatusOK)
	up := s.announce(map[string]any{"object_metadata": map[string]any{"film_id": "brazil"}})
	upload := "/v1/buckets/films/uploads/" + up.text("upload_id")
	batch := s.do("POST", "/v1/buckets/films/batches", map[string]any{"object_ids": []string{created.text("object_id")}}).want(http.StatusOK).text("batch_id")
	s.do("POST", "/v1/buckets/films/batches/"+batch+"/submit", nil).want(http.StatusOK)
	s.do("POST", "/v1/buckets", films("locked")).want(http.StatusOK)
	s.do("POST", "/v1/buckets/locked/lock", nil).want(http.StatusOK)
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		errorType, kind          string
	}{
		{"a namespace's name", "POST", "/v1/namespaces", `{"namespace_name": "test"}`, 409, "AlreadyExistsError", "exists"},
		{"a bucket's name", "PATCH", "/v1/buckets/locked", `{"bucket_name": "films"}`, 403, "ForbiddenError", "state"},
		{"a name that is taken", "POST", "/v1/buckets", `{"bucket_name": "films", "bucket_schema": {"properties": {}}}`, 409, "AlreadyExistsError", "exists"},
		{"a key", "POST", "/v1/buckets/films/objects?policy=insert", `{"film_id": "alien"}`, 409, "AlreadyExistsError", "exists"},
		{"an upload without bytes", "POST", upload + "/confirm", `{}`, 409, "AlreadyExistsError", "state"},
		{"a submitted batch", "POST", "/v1/buckets/films/batches/" + batch + "/submit", `{}`, 409, "AlreadyExistsError", "state"},
		{"a submitted batch, deleted", "DELETE", "/v1/buckets/films/batches/" + batch, ``, 409, "AlreadyExistsError", "state"},
		{"a locked bucket", "POST", "/v1/buckets/locked/objects", `{"film_id": "alien"}`, 403, "ForbiddenError", "state"},
		{"another version", "PATCH", alien, `{"year": 1980}`, 412, "PreconditionFailedError", "version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := s
			if test.kind == "version" {
				s = s.as("If-Match", first)
			}
			s.do(test.method, test.path, test.body).wantError(test.status, test.errorType).wantAt("error.details.kind", test.kind)
		})
	}
}

// A refusal of something too large names the limit, and the option that sets it if one
// does.
func TestTooLargeNamesLimit(t *testing.T) {
	t.Parallel()
	s := serveStore(t, &httpapi.Options{MaxBodyBytes: 4000}, &bucketlite.Options{MaxObjectBytes: 300, MaxBlobBytes: 1000, MaxPageBytes: 250})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	for i := range 4 {
		s.do("POST", "/v1/buckets/films/objects", map[string]any{"film_id": fmt.Sprint(i), "title": strings.Repeat("x", 200)}).want(http.StatusOK)
	}
	up := s.announce(map[string]any{"object_metadata": map[string]any{"film_id": "f1"}})
	for _, test := range []struct {
		name, method, path string
		body               any
		limit, option      string
	}{
		{"a body", "POST", "/v1/buckets/films/objects", strings.Repeat(" ", 4001), "4000", "MaxBodyBytes"},
		{"a form", "POST", "/v1/buckets/films/objects/list", strings.Repeat(" ", 4001), "4000", "MaxBodyBytes"},
		{"fields", "POST", "/v1/buckets/films/objects", map[string]any{"film_id": "y", "title": strings.Repeat("y", 310)}, "300", "MaxObjectBytes"},
		{"an announced upload", "POST", "/v1/buckets/films/uploads",
			map[string]any{"filename": "a.mp4", "content_type": "video/mp4", "file_size_bytes": 1001, "object_metadata": map[string]any{"film_id": "f1"}}, "1000", "MaxBlobBytes"},
		{"uploaded bytes", "PUT", up.text("presigned_url"), noise(1001), "1000", "MaxBlobBytes"},
		{"an offset", "POST", "/v1/buckets/films/objects/list?limit=2&offset=2", `{}`, "250", "MaxPageBytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := s
			if test.method == "PUT" {
				client = s.anyone()
			}
			a := client.do(test.method, test.path, test.body).wantError(http.StatusRequestEntityTooLarge, "PayloadTooLargeError")
			if !strings.Contains(a.body, test.limit) || !strings.Contains(a.body, test.option) {
				t.Errorf("got %s, want the limit %s and the option %s", a.body, test.limit, test.option)
			}
		})
	}

	fixed := serve(t, nil).do("POST", "/v1/tasks/list", strings.Repeat(" ", 1<<20+1)).wantError(http.StatusRequestEntityTooLarge, "PayloadTooLargeError").
		wantAt("error.details.max_bytes", fmt.Sprint(1<<20))
	if fixed.at("error.details.option") != nil {
		t.Errorf("got %s, want no option: none sets this limit", fixed.body)
	}
}

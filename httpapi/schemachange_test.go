package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

const filmFields = `"film_id": {"type": "string", "required": true}, "title": {"type": "string"}, "film": {"type": "video"}, "poster": {"type": "image"},
	"notes": {"type": "text"}, "stills": {"type": "array", "items": {"type": "image"}}`

// A PATCH merges properties into the schema.
func TestPatchSchema(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK).wantAt("schema_version", "1")
	s.do("POST", "/v1/buckets/films/objects", `{"film_id": "a", "title": "x", "year": 1999}`).want(http.StatusOK)
	patch := func(body string) *reply {
		t.Helper()
		return s.do("PATCH", "/v1/buckets/films", body)
	}

	patch(`{"bucket_schema": {"properties": {"rating": {"type": "number"}, "title": null}}, "description": "d"}`).want(http.StatusOK).
		wantAt("schema_version", "2").wantAt("description", "d").wantAt("bucket_schema.properties.rating.type", "number").
		wantAt("bucket_schema.properties.title.type", "string").wantAt("bucket_schema.properties.stills.items.type", "image")
	patch(`{"bucket_schema": {"properties": {"rating": {"type": "number"}}}}`).want(http.StatusOK).wantAt("schema_version", "2")
	patch(`{"rename": {"year": "released"}, "drop": ["rating", "notes"], "bucket_schema": {"properties": {"released": {"type": "number"}}}}`).want(http.StatusOK).
		wantAt("schema_version", "3").wantAt("bucket_schema.properties.released.type", "number").
		wantAt("bucket_schema.properties.rating", "<nil>").wantAt("bucket_schema.properties.year", "<nil>")
	s.do("POST", "/v1/buckets/films/objects/list", `{"filters": {"released": 1999}}`).want(http.StatusOK).wantAt("results.0.released", "1999")
	// A client that repeats a request after it lost the answer gets the same answer.
	patch(`{"rename": {"year": "released"}, "drop": ["rating", "notes"]}`).want(http.StatusOK).wantAt("schema_version", "3")

	// Keywords without effect are kept with a warning, as on creation.
	patch(`{"bucket_schema": {"properties": {"title": {"type": "string", "min_length": 5}}}}`).want(http.StatusOK).
		wantWarnings("min_length").wantAt("bucket_schema.properties.title.min_length", "5").wantAt("schema_version", "4")
	patch(`{"description": "e", "bucket_schema": {"properties": {"title": {"type": "string"}}}}`).want(http.StatusOK).wantAt("schema_version", "5")

	// Nothing of a refused request takes effect.
	patch(`{"bucket_name": "movies", "bucket_schema": {"properties": {"title": {"type": "string", "enum": ["y"]}}}}`).
		wantError(http.StatusUnprocessableEntity, "ValidationError").wantAt("error.details.invalid_objects", "1").
		wantAt("error.details.validation_errors.0.type", "enum")
	patch(`{"bucket_name": "movies", "bucket_schema": {"properties": {"title": {"type": "strnig"}}}}`).wantFaults("body.bucket_schema.properties.title.type type")
	patch(`{"bucket_name": "movies", "drop": ["film_id"]}`).wantError(http.StatusUnprocessableEntity, "ValidationError")
	patch(`{"rename": {"title": 5}, "drop": "title"}`).wantFaults("body.drop type", "body.rename.title type")
	patch(`{"rename": {"title": "film"}}`).wantError(http.StatusUnprocessableEntity, "ValidationError")
	patch(`{"bucket_schema": []}`).wantFaults("body.bucket_schema type")
	patch(`{"drop": ["title"], "dry_run": true}`).wantFaults("body.dry_run unsupported")
	s.do("PATCH", "/v1/buckets/films?dry_run=true", `{"drop": ["title"]}`).wantFaults("query.dry_run unsupported")
	s.do("GET", "/v1/buckets/films", nil).want(http.StatusOK).wantAt("schema_version", "5").wantAt("bucket_name", "films")
}

// A PUT replaces the schema, and loses no field unless it says so.
func TestPutSchema(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	put := func(body string) *reply {
		t.Helper()
		return s.do("PUT", "/v1/buckets/films", body)
	}

	put(`{"bucket_name": "movies", "bucket_schema": {"properties": {` + filmFields + `}}}`).wantFaults("body.bucket_schema.properties.year missing")
	put(`{"bucket_schema": {"properties": {`+filmFields+`, "rating": {"type": "number"}}}, "rename": {"year": "rating"}, "bucket_name": "movies"}`).
		want(http.StatusOK).wantAt("schema_version", "2").wantAt("bucket_name", "movies").wantAt("bucket_schema.properties.year", "<nil>")
	s.do("PUT", "/v1/buckets/movies", `{"bucket_schema": {"properties": {`+filmFields+`}}, "drop": ["rating"]}`).
		want(http.StatusOK).wantAt("schema_version", "3")
	s.do("PUT", "/v1/buckets/movies", `{"description": "d"}`).want(http.StatusOK).wantAt("schema_version", "3").wantAt("description", "d")
	s.do("PUT", "/v1/buckets/movies", `{"drop": ["notes"]}`).want(http.StatusOK).wantAt("schema_version", "4").wantAt("bucket_schema.properties.notes", "<nil>")
}

// Clients that know the hosted service's types alone send back those that they were given.
func TestSchemaWithoutTrueTypes(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", `{"bucket_name": "papers", "bucket_schema": {"properties": {
		"report": {"type": "pdf", "x-type": "document"}, "raw": {"type": "array", "items": {"type": "text", "x-type": "file"}}}}}`).want(http.StatusOK)
	for _, method := range []string{"PUT", "PATCH"} {
		s.do(method, "/v1/buckets/papers", `{"bucket_schema": {"properties": {"report": {"type": "pdf"}, "raw": {"type": "array", "items": {"type": "text"}}}}}`).
			want(http.StatusOK).wantWarnings("raw.items.type: file is kept", "report.type: document is kept").wantAt("schema_version", "1").
			wantAt("bucket_schema.properties.report.x-type", "document").wantAt("bucket_schema.properties.raw.items.x-type", "file")
	}
	s.do("PATCH", "/v1/buckets/papers", `{"bucket_schema": {"properties": {"report": {"type": "pdf", "x-type": "pdf"}}}}`).want(http.StatusOK).
		wantAt("schema_version", "2").wantAt("bucket_schema.properties.report.type", "pdf").wantAt("bucket_schema.properties.report.x-type", "<nil>")
}

// A bucket that is not active keeps its schema.
func TestPatchSchemaStates(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	const wider = `{"bucket_schema": {"properties": {"title": {"type": "string", "description": "d"}}}}`
	for _, step := range []string{"lock", "unlock", "archive", "activate", "suspend"} {
		s.do("POST", "/v1/buckets/films/"+step, nil).want(http.StatusOK)
		if step == "unlock" || step == "activate" {
			continue
		}
		s.do("PATCH", "/v1/buckets/films", wider).wantError(http.StatusForbidden, "ForbiddenError")
	}
	s.do("POST", "/v1/buckets/films/activate", nil).want(http.StatusOK)
	s.do("PATCH", "/v1/buckets/films", wider).want(http.StatusOK).wantAt("schema_version", "2")
}

// PATCHes of several clients at once are all merged.
func TestPatchSchemaTogether(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	names := []string{"a", "b", "c"}
	done := make(chan struct{})
	for _, name := range names {
		go func() {
			defer func() { done <- struct{}{} }()
			s.do("PATCH", "/v1/buckets/films", `{"bucket_schema": {"properties": {"`+name+`": {"type": "string"}}}}`).want(http.StatusOK)
		}()
	}
	for range names {
		<-done
	}
	got := s.do("GET", "/v1/buckets/films", nil).want(http.StatusOK).wantAt("schema_version", "4")
	for _, name := range names {
		got.wantAt("bucket_schema.properties."+name+".type", "string")
	}
}

// A change that takes longer than a query may continues, and the answer is no success. The
// same request waits for it again.
func TestPatchSchemaLong(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	putFilms(t, s, "films", 10_000)
	const body = `{"bucket_name": "movies", "rename": {"title": "name"}}`
	var first *reply
	hasty := s.withOptions(httpapi.Options{Keys: []httpapi.Key{{Name: "test", Secret: secret}}, QueryTimeout: 20 * time.Millisecond})
	eventually(t, "a change takes too long", func() bool {
		first = hasty.do("PATCH", "/v1/buckets/films", body).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
		return first.text("error.details.kind") == "schema_change" // else the request ended before it began one
	})
	s.do("GET", "/v1/buckets/films", nil).want(http.StatusOK).wantAt("schema_version", "1")
	s.do("PATCH", "/v1/buckets/films", `{"drop": ["title"]}`).wantError(http.StatusConflict, "AlreadyExistsError").wantAt("error.details.kind", "state")
	task := first.text("error.details.task_id")
	s.wantTask(task, "COMPLETED").wantAt("task_type", "api_namespaces_migrations_run")
	s.do("PATCH", "/v1/buckets/movies", body).want(http.StatusOK).wantAt("schema_version", "2").wantAt("bucket_name", "movies")
}

// putFilms stores n objects.
func putFilms(t *testing.T, s *server, bucket string, n int) {
	t.Helper()
	ctx := context.Background()
	_, b, err := s.store.OpenBucket(ctx, "test", bucket)
	if err != nil {
		t.Fatal(err)
	}
	inputs := make([]bucketlite.ObjectInput, n)
	for i := range inputs {
		inputs[i].Fields = map[string]any{"film_id": fmt.Sprint(i), "title": "x"}
	}
	if res, err := b.PutMany(ctx, inputs, nil); err != nil || len(res.Failed) > 0 {
		t.Fatalf("got %v, %d failed", err, len(res.Failed))
	}
}

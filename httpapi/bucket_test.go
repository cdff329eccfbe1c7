package httpapi_test

import (
	"net/http"
	"testing"
)

func TestBuckets(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)

	created := s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK).wantWarnings()
	created.wantAt("bucket_name", "films").wantAt("status", "ACTIVE").wantAt("is_locked", "false").
		wantAt("object_count", "0").wantAt("unique_key.fields", `["film_id"]`).wantAt("bucket_schema.properties.year.type", "integer")
	id := created.text("bucket_id")

	for _, name := range []string{"films", id} {
		s.do("GET", "/v1/buckets/"+name, nil).want(http.StatusOK).wantAt("bucket_id", id)
	}
	s.do("PATCH", "/v1/buckets/films", `{"description": "all of them", "metadata": null}`).want(http.StatusOK).wantAt("description", "all of them")
	s.do("PUT", "/v1/buckets/films", `{"bucket_name": "movies"}`).want(http.StatusOK).
		wantAt("bucket_name", "movies").wantAt("description", "all of them")
	s.do("GET", "/v1/buckets/films", nil).wantError(http.StatusNotFound, "NotFoundError")

	deleted := s.do("DELETE", "/v1/buckets/movies", nil).want(http.StatusOK).
		wantAt("bucket_id", id).wantAt("bucket_name", "movies").wantAt("object_count", "0").wantAt("status", "PENDING")
	if deleted.text("task_id") == "<nil>" {
		t.Error("got no task_id")
	}
	s.do("GET", "/v1/buckets/movies", nil).wantError(http.StatusNotFound, "NotFoundError")
	eventually(t, "the bucket is gone", func() bool { return s.do("GET", "/v1/buckets/"+id, nil).status == http.StatusNotFound })
}

func TestBucketRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	tests := []struct {
		name, body string
		faults     []string
	}{
		{"nothing", ``, []string{"body.bucket_name required", "body.bucket_schema required"}},
		{"no JSON", `{"bucket_name`, []string{"body json"}},
		{"a list", `[]`, []string{"body type"}},
		{"a member twice", `{"bucket_name": "a", "bucket_name": "b"}`, []string{"body.bucket_name duplicate"}},
		{"wrong types", `{"bucket_name": 5, "bucket_schema": {"properties": {"a": {"type": "strnig"}}}, "metadata": []}`,
			[]string{"body.bucket_name type", "body.metadata type", "body.bucket_schema.properties.a.type type"}},
		{"a key that is no field", `{"bucket_name": "a", "bucket_schema": {"properties": {"a": {"type": "string"}}}, "unique_key": {"fields": ["b"]}}`,
			[]string{"body.unique_key.fields[0] key"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { s.do("POST", "/v1/buckets", test.body).wantFaults(test.faults...) })
	}
	s.do("POST", "/v1/buckets", films("films")).wantError(http.StatusConflict, "AlreadyExistsError")
}

func TestBucketTolerance(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", `{"name": "a", "schema": {"properties": {"title": {"type": "STRING", "default": null}, "meta": {"type": "json"}}},
		"description": null, "metadata": null, "unique_key": null, "unheard_of": 5}`).want(http.StatusOK).
		wantWarnings("bucket_name expected", "bucket_schema expected", "object expected", "string expected").
		wantAt("bucket_schema.properties.title.type", "string").wantAt("bucket_schema.properties.meta.type", "object")
}

// Over HTTP an assertion without effect is refused only if the schema means something
// else without it. All others are kept with a warning.
func TestBucketKeywords(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	for member, fault := range map[string]string{
		`"required": ["a"]`:     "body.bucket_schema.required keyword",
		`"allOf": []`:           "body.bucket_schema.allOf keyword",
		`"Required": ["a"]`:     "body.bucket_schema.Required keyword",
		`"propertees": {}`:      "body.bucket_schema.propertees spelling",
		`"x": 1, "if": {}`:      "body.bucket_schema.if keyword",
		`"oneOf": [{"a": "b"}]`: "body.bucket_schema.oneOf keyword",
	} {
		s.do("POST", "/v1/buckets", `{"bucket_name": "a", "bucket_schema": {"properties": {"a": {"type": "string"}}, `+member+`}}`).wantFaults(fault)
	}
	s.do("POST", "/v1/buckets", `{"bucket_name": "a", "bucket_schema": {"properties": {"a": {"type": "string", "minlenght": 1, "anyOf": [], "contains": {}}}}}`).
		wantFaults("body.bucket_schema.properties.a.anyOf keyword", "body.bucket_schema.properties.a.minlenght spelling").
		wantWarnings("bucket_schema.properties.a.contains: has no effect here")
	s.do("POST", "/v1/buckets", `{"bucket_name": "a", "bucket_schema": {"title": "A", "patternProperties": {"^a": {}}, "properties": {
		"a": {"type": "string", "min_length": 3, "must_contain": ["b"], "x-order": 1, "max_length": null},
		"o": {"type": "object", "dependentRequired": {"b": ["c"]}}}}}`).want(http.StatusOK).
		wantWarnings("bucket_schema.properties.a.min_length: has no effect here: write", "bucket_schema.properties.a.must_contain: has no effect here: write",
			"bucket_schema.patternProperties: has no effect here", "bucket_schema.properties.o.dependentRequired: has no effect here").
		wantAt("bucket_schema.properties.a.min_length", "3").wantAt("bucket_schema.properties.a.must_contain", `["b"]`).
		wantAt("bucket_schema.properties.o.dependentRequired", `{"b":["c"]}`).wantAt("bucket_schema.patternProperties", `{"^a":{}}`).
		wantAt("bucket_schema.title", "A")
	s.do("POST", "/v1/buckets/a/objects", `{"a": "c"}`).want(http.StatusOK)
}

func TestBucketList(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	for _, name := range []string{"a", "b", "c"} {
		s.do("POST", "/v1/buckets", films(name)).want(http.StatusOK)
	}
	first := s.do("POST", "/v1/buckets/list", `{"limit": 2, "sort": {"field": "bucket_name", "direction": "desc"}}`).want(http.StatusOK).
		wantAt("results.0.bucket_name", "c").wantAt("results.1.bucket_name", "b").wantAt("results.2", "<nil>").
		wantAt("total_count", "3").wantAt("pagination.total", "<nil>").wantAt("pagination.page", "1").
		wantAt("pagination.page_size", "2").wantAt("stats.total_objects", "0")
	s.do("POST", first.text("pagination.next_page"), `{"sort": {"field": "bucket_name", "direction": "desc"}}`).want(http.StatusOK).
		wantAt("results.0.bucket_name", "a").wantAt("pagination.next_cursor", "<nil>")
	s.do("GET", "/v1/buckets?page_size=1&include_total=true&offset=1", nil).want(http.StatusOK).
		wantWarnings("/list expected", "limit expected").
		wantAt("results.0.bucket_name", "b").wantAt("pagination.total", "3").wantAt("pagination.total_pages", "3").
		wantAt("pagination.page", "2")
	s.do("POST", "/v1/buckets/list", nil).want(http.StatusOK).wantAt("pagination.page_size", "10").wantAt("results.2.bucket_name", "c")
	s.do("POST", "/v1/buckets/list", `{"filters": {"bucket_name": "b"}}`).want(http.StatusOK).wantAt("results.0.bucket_name", "b").wantAt("total_count", "1")
	s.do("POST", "/v1/buckets/list", `{"limit": 1001}`).wantFaults("body.limit maximum")
	s.do("POST", "/v1/buckets/list?limit=0&offset=10001", nil).wantFaults("query.limit minimum", "query.offset maximum")
	s.do("POST", "/v1/buckets/list", `{"filters": {"AND": 5}}`).wantError(http.StatusBadRequest, "BadRequestError")
}

// Counts and statistics are left out on request, also on the following pages.
func TestListsWithoutCounts(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	for _, name := range []string{"a", "b", "c"} {
		s.do("POST", "/v1/buckets", films(name)).want(http.StatusOK)
		s.do("POST", "/v1/buckets/"+name+"/objects", `{"film_id": "1"}`).want(http.StatusOK)
		s.do("POST", "/v1/buckets/a/objects", `{"film_id": "`+name+`"}`).want(http.StatusOK)
	}
	s.do("GET", "/v1/buckets?limit=1", nil).want(http.StatusOK).
		wantAt("total_count", "3").wantAt("stats.total_objects", "6").wantAt("stats.avg_objects_per_bucket", "2").wantAt("pagination.total", "<nil>")
	first := s.do("GET", "/v1/buckets?limit=1&include_total=false&stats=false", nil).want(http.StatusOK).
		wantAt("results.0.bucket_name", "a").wantAt("total_count", "<nil>").wantAt("stats", "<nil>")
	s.do("GET", first.text("pagination.next_page"), nil).want(http.StatusOK).
		wantAt("results.0.bucket_name", "b").wantAt("total_count", "<nil>").wantAt("stats", "<nil>")
	s.do("GET", "/v1/buckets?limit=1&stats=false&include_total=true", nil).want(http.StatusOK).
		wantAt("total_count", "3").wantAt("pagination.total", "3").wantAt("stats", "<nil>")
	for list, always := range map[string]bool{
		"/v1/namespaces/list": false, "/v1/buckets/list": false, "/v1/buckets/a/objects/list": false, "/v1/buckets/a/uploads/list": true,
	} {
		if s.do("POST", list, nil).want(http.StatusOK).at("stats") == nil {
			t.Errorf("%s: no statistics", list)
		}
		if got := s.do("POST", list+"?stats=false", nil).want(http.StatusOK).at("stats"); (got != nil) != always {
			t.Errorf("%s?stats=false: got statistics %v", list, got)
		}
	}
	// The hosted service always has these counts.
	for list, count := range map[string]string{"/v1/namespaces/list": "1", "/v1/buckets/list": "3", "/v1/buckets/a/batches/list": "0"} {
		s.do("POST", list+"?include_total=false", nil).want(http.StatusOK).wantAt("total_count", count)
	}
	s.do("GET", "/v1/buckets?stats=perhaps", nil).wantFaults("query.stats type")
}

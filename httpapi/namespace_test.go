package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// anywhere returns the server as seen by a client that names no namespace.
func (s *server) anywhere() *server { return s.as("X-Namespace", "") }

func TestNamespaces(t *testing.T) {
	t.Parallel()
	s := serve(t, nil).anywhere()
	created := s.do("POST", "/v1/namespaces", `{
		"namespace_name": "shop", "description": "what we sell", "namespace_type": "standard", "auto_create_indexes": false, "infrastructure": null,
		"feature_extractors": [{"feature_extractor_name": "clip", "version": "v1", "params": {"size": 2.50}}],
		"payload_indexes": [{"field_name": "title", "type": "text", "is_protected": false}]}`).want(http.StatusOK).wantWarnings().
		wantAt("namespace_name", "shop").wantAt("description", "what we sell").wantAt("bucket_count", "0").wantAt("object_count", "0").
		wantAt("feature_extractors.0.feature_extractor_id", "clip_v1").wantAt("feature_extractors.0.params", `{"size":2.50}`).
		wantAt("payload_indexes.0.field_name", "title")
	id := created.text("namespace_id")
	s.as("X-Namespace", "shop").do("POST", "/v1/buckets", films("films")).want(http.StatusOK)

	for _, name := range []string{"shop", id} {
		s.do("GET", "/v1/namespaces/"+name, nil).want(http.StatusOK).wantAt("namespace_id", id).wantAt("bucket_count", "1").
			wantAt("feature_extractors.0.feature_extractor_id", "clip_v1")
	}
	s.do("PATCH", "/v1/namespaces/shop", `{"namespace_name": "store", "description": null}`).want(http.StatusOK).
		wantAt("namespace_name", "store").wantAt("description", "what we sell").wantAt("payload_indexes.0.type", "text")
	s.do("PUT", "/v1/namespaces/store", `{"payload_indexes": []}`).want(http.StatusOK).
		wantAt("namespace_name", "store").wantAt("payload_indexes", "[]").wantAt("feature_extractors.0.feature_extractor_id", "clip_v1")
	s.do("PUT", "/v1/namespaces/"+id, `{"description": "all of it"}`).want(http.StatusOK).wantAt("description", "all of it")
	s.do("GET", "/v1/namespaces/shop", nil).wantError(http.StatusNotFound, "NotFoundError")
	s.do("PATCH", "/v1/namespaces/shop", nil).wantError(http.StatusNotFound, "NotFoundError")

	deleted := s.do("DELETE", "/v1/namespaces/store", nil).want(http.StatusOK).wantAt("namespace_id", id).wantAt("namespace_name", "store").
		wantAt("object_count", "0").wantAt("status", "PENDING").wantAt("bucket_id", "<nil>")
	for _, name := range []string{"store", id} {
		s.do("GET", "/v1/namespaces/"+name, nil).wantError(http.StatusNotFound, "NotFoundError")
		s.do("DELETE", "/v1/namespaces/"+name, nil).wantError(http.StatusNotFound, "NotFoundError")
	}
	s.wantTask(deleted.text("task_id"), "COMPLETED")
}

func TestNamespaceRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, nil).anywhere()
	tests := []struct {
		name, method, path, body string
		faults                   []string
	}{
		{"nothing", "POST", "/v1/namespaces", ``, []string{"body.namespace_name required"}},
		{"a bad name", "POST", "/v1/namespaces", `{"namespace_name": " "}`, []string{"body.namespace_name name"}},
		{"wrong types", "POST", "/v1/namespaces", `{"namespace_name": [], "description": 5, "feature_extractors": {}, "payload_indexes": [5, {"field_name": 5}]}`,
			[]string{"body.namespace_name type", "body.description type", "body.feature_extractors type",
				"body.payload_indexes[0] type", "body.payload_indexes[1].field_name type", "body.payload_indexes[1].type required"}},
		{"half an extractor", "POST", "/v1/namespaces", `{"namespace_name": "a", "feature_extractors": [{"feature_extractor_name": "clip"}]}`,
			[]string{"body.feature_extractors[0].version required"}},
		{"a bad new name", "PATCH", "/v1/namespaces/test", `{"namespace_name": ""}`, []string{"body.namespace_name name"}},
		{"wrong types of an update", "PUT", "/v1/namespaces/test", `{"namespace_name": 5, "payload_indexes": "title"}`,
			[]string{"body.namespace_name type", "body.payload_indexes type"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { s.do(test.method, test.path, test.body).wantFaults(test.faults...) })
	}
	s.do("POST", "/v1/namespaces", `{"namespace_name": "test"}`).wantError(http.StatusConflict, "AlreadyExistsError")
	s.do("POST", "/v1/namespaces", `{"namespace_name": "other"}`).want(http.StatusOK)
	s.do("PATCH", "/v1/namespaces/other", `{"namespace_name": "test"}`).wantError(http.StatusConflict, "AlreadyExistsError")

	s.as("X-Namespace", "other").do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	s.as("X-Namespace", "other").do("POST", "/v1/buckets/films/lock", nil).want(http.StatusOK)
	s.do("DELETE", "/v1/namespaces/other", nil).wantError(http.StatusForbidden, "ForbiddenError")
}

func TestNamespaceTolerance(t *testing.T) {
	t.Parallel()
	s := serve(t, nil).anywhere()
	s.do("POST", "/v1/namespaces", `{"name": "a"}`).want(http.StatusOK).wantWarnings("namespace_name expected", "feature_extractors")
	s.do("POST", "/v1/namespaces", `{"namespace_name": "b", "feature_extractors": [], "description": null, "payload_indexes": null}`).want(http.StatusOK).
		wantWarnings("feature_extractors").wantAt("feature_extractors", "[]").wantAt("payload_indexes", "[]")
	s.do("POST", "/v1/namespaces", `{"namespace_name": "c", "feature_extractors": null}`).want(http.StatusOK).wantWarnings("feature_extractors")
	s.do("PATCH", "/v1/namespaces/c", `{"name": "d"}`).want(http.StatusOK).wantWarnings("namespace_name expected").wantAt("namespace_name", "d")
}

func TestNamespaceList(t *testing.T) {
	t.Parallel()
	s := serve(t, nil).anywhere()
	for _, name := range []string{"b", "a"} {
		s.do("POST", "/v1/namespaces", map[string]any{
			"namespace_name":     name,
			"feature_extractors": []any{map[string]any{"feature_extractor_name": "clip", "version": "v1"}},
		}).want(http.StatusOK)
	}
	s.as("X-Namespace", "a").do("POST", "/v1/buckets", films("films")).want(http.StatusOK)

	s.do("POST", "/v1/namespaces/list", nil).want(http.StatusOK).wantWarnings().
		wantAt("results.0.namespace_name", "test").wantAt("results.1.namespace_name", "b").wantAt("results.2.namespace_name", "a").
		wantAt("results.1.feature_extractors.0.feature_extractor_id", "clip_v1").
		wantAt("total_count", "3").wantAt("pagination.total", "<nil>").wantAt("pagination.page_size", "100").
		wantAt("stats.total_buckets", "1").wantAt("stats.total_feature_extractors", "2").wantAt("stats.total_documents", "0")
	first := s.do("POST", "/v1/namespaces/list?limit=2&include_total=true", `{"sort": {"field": "namespace_name", "direction": "asc"}}`).want(http.StatusOK).
		wantAt("results.0.namespace_name", "a").wantAt("results.2", "<nil>").wantAt("pagination.total", "3").wantAt("total_count", "3")
	s.do("POST", first.text("pagination.next_page"), `{"sort": {"field": "namespace_name", "direction": "asc"}}`).want(http.StatusOK).
		wantAt("results.0.namespace_name", "test").wantAt("pagination.next_cursor", "<nil>")
	s.do("POST", "/v1/namespaces/list", `{"filters": {"namespace_name": "A"}}`).want(http.StatusOK).wantAt("total_count", "1").wantAt("stats.total_buckets", "1")
	s.do("POST", "/v1/namespaces/list", `{"filters": {"namespace_name": "A"}, "case_sensitive": true}`).want(http.StatusOK).wantAt("total_count", "0").wantAt("results", "[]")
	s.do("POST", "/v1/namespaces/list?offset=1", `{"search": "test"}`).want(http.StatusOK).wantAt("results", "[]").wantAt("total_count", "1")
	s.do("GET", "/v1/namespaces?page_size=1&offset=1&search=a", nil).want(http.StatusOK).wantWarnings("/list expected", "limit expected").wantAt("pagination.page_size", "1")
	s.do("POST", "/v1/namespaces/list?limit=1001", `{"filters": []}`).wantFaults("query.limit maximum", "body.filters type")
	s.do("POST", "/v1/namespaces/list", `{"filters": {"AND": 5}}`).wantError(http.StatusBadRequest, "BadRequestError")
	s.do("POST", "/v1/namespaces/list?cursor=x", nil).wantError(http.StatusBadRequest, "BadRequestError")
}

// No request tells a limited key of a namespace other than its own.
func TestNamespacesOfLimitedKey(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: []httpapi.Key{
		{Secret: secret},
		{Secret: "limited", Namespaces: []string{"shop", "Museum", "shop-2"}},
		{Secret: "reader", Namespaces: []string{"shop"}, ReadOnly: true},
		{Secret: "nowhere", Namespaces: []string{}},
	}}).anywhere()
	limited, reader := s.as("Authorization", "Bearer limited"), s.as("Authorization", "Bearer reader")
	for _, name := range []string{"shop", "museum"} {
		s.do("POST", "/v1/namespaces", map[string]any{"namespace_name": name, "description": "shop"}).want(http.StatusOK)
		s.as("X-Namespace", name).do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	}
	museum := s.do("GET", "/v1/namespaces/museum", nil).text("namespace_id")

	for _, body := range []string{``, `{"filters": {"NOT": [{"namespace_name": "none"}]}}`, `{"filters": {"OR": [{"namespace_name": "museum"}, {"namespace_name": "shop"}]}}`,
		`{"search": "shop"}`, `{"case_sensitive": false}`} {
		limited.do("POST", "/v1/namespaces/list?include_total=true", body).want(http.StatusOK).wantAt("results.0.namespace_name", "shop").
			wantAt("results.1", "<nil>").wantAt("total_count", "1").wantAt("pagination.total", "1").wantAt("stats.total_buckets", "1")
	}
	limited.do("POST", "/v1/namespaces/list", `{"filters": {"OR": [{"field": "created_at", "operator": "gt", "value": "x"}]}}`).
		wantError(http.StatusBadRequest, "BadRequestError").wantAt("error.details.validation_errors.0.location", "body.filters.OR[0].value")
	s.as("Authorization", "Bearer nowhere").do("GET", "/v1/namespaces", nil).want(http.StatusOK).wantAt("total_count", "0").wantAt("stats.total_buckets", "0")
	for _, name := range []string{"museum", museum, "test", "none", "ns_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
		for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
			limited.do(method, "/v1/namespaces/"+name, nil).wantError(http.StatusForbidden, "ForbiddenError")
		}
	}
	limited.do("POST", "/v1/namespaces", `{"namespace_name": "other"}`).wantError(http.StatusForbidden, "ForbiddenError")
	limited.do("POST", "/v1/namespaces", `{"namespace_name": "museum"}`).wantError(http.StatusForbidden, "ForbiddenError")
	limited.do("POST", "/v1/namespaces", `{"namespace_name": "Museum"}`).want(http.StatusOK)
	limited.do("PATCH", "/v1/namespaces/shop", `{"namespace_name": "other"}`).wantError(http.StatusForbidden, "ForbiddenError")
	limited.do("PATCH", "/v1/namespaces/shop", `{"namespace_name": "shop", "description": "mine"}`).want(http.StatusOK)
	limited.do("PATCH", "/v1/namespaces/shop", `{"namespace_name": "shop-2"}`).want(http.StatusOK)
	limited.do("DELETE", "/v1/namespaces/shop-2", nil).want(http.StatusOK)
	limited.do("GET", "/v1/namespaces/shop-2", nil).wantError(http.StatusNotFound, "NotFoundError")

	reader.do("POST", "/v1/namespaces/list", nil).want(http.StatusOK)
	reader.do("POST", "/v1/namespaces", `{"namespace_name": "shop"}`).wantError(http.StatusForbidden, "ForbiddenError")
	reader.do("DELETE", "/v1/namespaces/Museum", nil).wantError(http.StatusForbidden, "ForbiddenError")
	s.as("Authorization", "").do("GET", "/v1/namespaces", nil).wantError(http.StatusUnauthorized, "UnauthorizedError")
}

// A namespace records only what conforms to the hosted service's models, so
// that its clients can read every list.
func TestNamespaceModels(t *testing.T) {
	t.Parallel()
	s := serve(t, nil).anywhere()
	extractors := `"feature_extractors": [{"feature_extractor_name": "clip", "version": "v1"}]`
	for _, test := range []struct {
		name, members string
		faults        []string
	}{
		{"payload indexes", `"payload_indexes": [null, {"type": "string"}, {"field_name": "", "type": "text", "is_protected": "yes", "field_schema": []}]`,
			[]string{"body.payload_indexes[0] type", "body.payload_indexes[1].field_name required", "body.payload_indexes[1].type enum",
				"body.payload_indexes[2].field_name name", "body.payload_indexes[2].field_schema type", "body.payload_indexes[2].is_protected type"}},
		{"feature extractors", `"feature_extractors": [{"feature_extractor_name": "clip", "version": 1, "params": "x"}]`,
			[]string{"body.feature_extractors[0].version type", "body.feature_extractors[0].params type"}},
		{"both, and others", `"description": 5, "feature_extractors": [{}], "payload_indexes": [{"field_name": "a", "type": 5}]`,
			[]string{"body.description type", "body.feature_extractors[0].feature_extractor_name required", "body.feature_extractors[0].version required", "body.payload_indexes[0].type type"}},
		{"what only the hosted service uses", `"namespace_type": "private", "auto_create_indexes": "yes", "infrastructure": {"ray_cluster_id": "x", "compute_tier": "gpu", "max_workers": 0, "gpu_type": 5}`,
			[]string{"body.namespace_type enum", "body.auto_create_indexes type", "body.infrastructure.ray_cluster_id pattern", "body.infrastructure.gpu_type type",
				"body.infrastructure.qdrant_collection required", "body.infrastructure.compute_tier enum", "body.infrastructure.max_workers minimum"}},
		{"infrastructure", `"infrastructure": []`, []string{"body.infrastructure type"}},
		{"its collection", `"infrastructure": {"qdrant_collection": "ab"}`, []string{"body.infrastructure.qdrant_collection length"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := `{"namespace_name": "models", ` + extractors + `, ` + test.members + `}`
			if strings.Contains(test.members, "feature_extractors") {
				body = `{"namespace_name": "models", ` + test.members + `}`
			}
			s.do("POST", "/v1/namespaces", body).wantFaults(test.faults...)
			s.do("PUT", "/v1/namespaces/test", `{`+test.members+`}`).wantFaults(test.faults...)
			s.do("PATCH", "/v1/namespaces/test", `{`+test.members+`}`).wantFaults(test.faults...)
		})
	}
	s.do("GET", "/v1/namespaces/models", nil).wantError(http.StatusNotFound, "NotFoundError")
	s.do("POST", "/v1/namespaces", `{"namespace_name": "models", `+extractors+`, "namespace_type": "marketplace", "auto_create_indexes": true,
		"infrastructure": {"ray_cluster_id": "ray_abc", "qdrant_collection": "abc", "compute_tier": "shared", "max_workers": 5, "min_workers": 0},
		"payload_indexes": [{"field_name": "a", "type": "uuid", "is_protected": null, "field_schema": {"type": "uuid", "is_tenant": true}}]}`).want(http.StatusOK).
		wantWarnings().wantAt("payload_indexes", `[{"field_name":"a","field_schema":{"is_tenant":true,"type":"uuid"},"type":"uuid"}]`)
	s.do("PATCH", "/v1/namespaces/models", `{`+extractors+`}`).want(http.StatusOK).wantWarnings("feature_extractors: ignored")
	s.do("POST", "/v1/namespaces/list", nil).want(http.StatusOK).wantAt("total_count", "2")
}

// A file of an older version may have recorded anything. Its namespaces are listed, without
// the items that strict clients could not read.
func TestNamespaceModelsOfOlderFiles(t *testing.T) {
	t.Parallel()
	s := serve(t, nil).anywhere()
	storetest.Execute(t, storetest.OpenRaw(t, s.path), `
UPDATE namespaces SET feature_extractors = '["clip", {"feature_extractor_name": "clip", "version": "v1"}, {}]', payload_indexes = '[null, {"field_name": "a", "type": "text", "is_protected": null}]'`)
	for _, got := range []*reply{s.do("GET", "/v1/namespaces/test", nil), s.do("PATCH", "/v1/namespaces/test", `{"description": "old"}`)} {
		got.want(http.StatusOK).wantAt("feature_extractors", `[{"feature_extractor_id":"clip_v1","feature_extractor_name":"clip","version":"v1"}]`).
			wantAt("payload_indexes", `[{"field_name":"a","type":"text"}]`).wantWarnings("feature_extractors: items of another form", "payload_indexes: items of another form")
	}
	s.do("POST", "/v1/namespaces/list", nil).want(http.StatusOK).wantAt("results.0.feature_extractors.1", "<nil>").wantAt("results.0.payload_indexes.1", "<nil>")
}

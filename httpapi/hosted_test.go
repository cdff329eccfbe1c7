package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

// Paths that only the hosted service has say so, whatever the method. A path that may be a
// misspelt one of this server is not found.
func TestHostedPaths(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	w := s.wire(t)
	for _, test := range []struct{ method, path, resource string }{
		{"POST", "/v1/collections", "collections"},
		{"POST", "/v1/collections/list", "collections"},
		{"GET", "/v1/collections/", "collections"},
		{"DELETE", "/v1/collections/a%2Fb", "collections"},
		{"POST", "/v1/retrievers/ret_1/execute?limit=1", "retrievers"},
		{"PATCH", "/v1/taxonomies/tax_1", "taxonomies"},
		{"GET", "/v1/clusters/clu_1", "clusters"},
		{"POST", "/v1/agents/sessions", "agents"},
		{"POST", "/v1/buckets/films/syncs", "syncs"},
		{"GET", "/v1/buckets/none/syncs/sync_1", "syncs"},
		{"GET", "/v1/buckets/films/batches/btch_1/logs", "batch logs"},
		{"GET", "/v1/organizations", "organizations"},
		{"GET", "/v1/analytics/retrievers/ret_1/signals", "analytics of retrievers"},
		{"GET", "/v1/analytics/buckets/films/sync-performance", "analytics of syncs"},
	} {
		a := w.ask(test.method, test.path, secret).wantEnvelope(http.StatusNotImplemented, "NotImplementedError").wantAt("error.details.resource", test.resource)
		if message := a.text("error.message"); !strings.HasPrefix(message, test.resource+": ") || !strings.Contains(message, "hosted service") {
			t.Errorf("%s: got message %q", test.path, message)
		}
		w.ask(test.method, test.path, "").wantEnvelope(http.StatusUnauthorized, "UnauthorizedError")
	}
	for _, path := range []string{
		"/v1/collection", "/v1/Collections", "/v1/bucket", "/v1/object", "/collections", "/v2/collections", "/v1/buckets/films/sync", "/v1/buckets/films/object",
		"/v1/buckets/films/batches/btch_1/log", "/v1/analytics/bucket/films/storage", "/v1/task/task_1", "/v1/collections//a", "/v1/collections/../buckets",
	} {
		w.ask("GET", path, secret).wantEnvelope(http.StatusNotFound, "NotFoundError").wantAt("error.details.resource", "<nil>")
	}
	w.ask("DELETE", "/v1/collections/", secret).wantEnvelope(http.StatusNotFound, "NotFoundError")
	w.ask("POST", "/v1/analytics/buckets/films/storage", secret).wantEnvelope(http.StatusMethodNotAllowed, "MethodNotAllowedError")
}

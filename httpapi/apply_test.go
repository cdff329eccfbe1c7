package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// shopServer starts a server with the buckets stock and orders, of films, and a shoe in stock.
func shopServer(t *testing.T) (s *server, etag string) {
	t.Helper()
	s = serve(t, nil)
	for _, name := range []string{"stock", "orders"} {
		s.do("POST", "/v1/buckets", films(name)).want(http.StatusOK)
	}
	s.apply(`{"op": "put", "bucket": "stock", "object": {"object_id": "shoe", "film_id": "shoe", "year": 3}}`).want(http.StatusOK)
	return s, s.do("GET", shoe, nil).want(http.StatusOK).header.Get("ETag")
}

const shoe = "/v1/buckets/stock/objects/shoe"

// apply applies a set of changes.
func (s *server) apply(changes ...string) *reply {
	s.t.Helper()
	return s.do("POST", "/v1/apply", `{"changes": [`+strings.Join(changes, ",")+`]}`)
}

func TestApply(t *testing.T) {
	t.Parallel()
	s, tag := shopServer(t)
	take := fmt.Sprintf(`{"op": "patch", "bucket": "stock", "object_id": "shoe", "object": {"year": 2}, "if_match": %q}`, tag)
	order := `{"op": "put", "bucket": "orders", "object": {"object_id": "o1", "film_id": "o1"}, "if_absent": true}`
	s.apply(take, order).want(http.StatusOK).wantWarnings().
		wantAt("results.0.object.year", "2").wantAt("results.0.created", "false").
		wantAt("results.1.object.object_id", "o1").wantAt("results.1.created", "true")
	if got, want := s.apply(order).wantError(http.StatusConflict, "AlreadyExistsError").text("error.details.existing_object_id"), "o1"; got != want {
		t.Errorf("got existing_object_id %q, want %q", got, want)
	}
	s.apply(`{"op": "delete", "bucket": "stock", "object_id": "shoe"}`, order).wantError(http.StatusConflict, "AlreadyExistsError").
		wantAt("error.details.change_index", "1").wantAt("error.details.kind", "exists")
	s.apply(`{"op": "delete", "bucket": "orders", "object_id": "o1"}`, take).wantError(http.StatusPreconditionFailed, "PreconditionFailedError").
		wantAt("error.details.change_index", "1").wantAt("error.details.kind", "version")
	s.do("GET", "/v1/buckets/orders/objects/o1", nil).want(http.StatusOK)

	// Changes see those before them, by the bucket's id too.
	id := s.do("GET", "/v1/buckets/orders", nil).want(http.StatusOK).text("bucket_id")
	a := s.apply(`{"op": "delete", "bucket": "orders", "object_id": "o1"}`,
		fmt.Sprintf(`{"op": "put", "bucket": %q, "object": {"object_id": "o2", "film_id": "o1"}, "policy": "insert"}`, id),
		`{"op": "patch", "bucket": "orders", "object_id": "o2", "object": {"title": "Brazil", "key_prefix": "a"}}`).want(http.StatusOK).
		wantAt("results.0.object", "<nil>").wantAt("results.0.created", "false").wantAt("results.2.object.title", "Brazil")
	s.apply(`{"op": "put", "bucket": "orders", "object": {"film_id": "o3"}, "auto_process": true}`).want(http.StatusOK).
		wantAt("results.0.object.status", "PENDING").text("results.0.batch_id")
	tag = s.do("GET", "/v1/buckets/orders/objects/o2", nil).want(http.StatusOK).header.Get("ETag")
	if got := a.text("results.2.etag"); got != tag {
		t.Errorf("got the ETag %q in the result, want %q", got, tag)
	}
}

func TestApplyFaults(t *testing.T) {
	t.Parallel()
	s, _ := shopServer(t)
	good := `{"op": "put", "bucket": "orders", "object": {"film_id": "o1"}}`
	many := make([]string, bucketlite.MaxChanges+1)
	for i := range many {
		many[i] = good
	}
	tests := []struct {
		name    string
		changes []string
		faults  []string
	}{
		{"none", nil, []string{"body.changes required"}},
		{"too many", many, []string{"body.changes maxItems"}},
		{"no object", []string{good, `5`, `null`}, []string{"body.changes[1] type", "body.changes[2] type"}},
		{"an empty change", []string{good, `{}`}, []string{"body.changes[1].op required", "body.changes[1].bucket required"}},
		{"a misspelled guard", []string{`{"op": "delete", "bucket": "orders", "object_id": "o", "ifMatch": "\"v7\""}`}, []string{"body.changes[0].ifMatch unsupported"}},
		{"another operation", []string{`{"op": "merge", "bucket": "orders"}`}, []string{"body.changes[0].op enum"}},
		{"a put without an object", []string{`{"op": "put", "bucket": "orders"}`}, []string{"body.changes[0].object required"}},
		{"a put with an id beside it", []string{`{"op": "put", "bucket": "orders", "object_id": "o", "object": {"film_id": "o"}}`}, []string{"body.changes[0].object_id op"}},
		{"a patch without its parts", []string{`{"op": "patch", "bucket": "orders"}`}, []string{"body.changes[0].object_id required", "body.changes[0].object required"}},
		{"guards of a put", []string{`{"op": "delete", "bucket": "orders", "object_id": "o", "object": {}, "if_absent": true, "policy": "insert"}`},
			[]string{"body.changes[0].policy op", "body.changes[0].if_absent op", "body.changes[0].object op"}},
		{"no ETag", []string{`{"op": "delete", "bucket": "orders", "object_id": "o", "if_match": "v7"}`, `{"op": "delete", "bucket": "orders", "object_id": "o", "if_match": "*"}`},
			[]string{"body.changes[0].if_match format", "body.changes[1].if_match format"}},
		{"a member twice", []string{good, `{"op": "put", "op": "put"}`}, []string{"body.changes[1].op duplicate"}},
		{"objects that cannot be read", []string{`{"op": "put", "bucket": "orders", "object": {"film_id": "o", "key_prefix": 5}}`, `{"op": "put", "bucket": "stock", "object": 5}`},
			[]string{"body.changes[0].object.key_prefix type", "body.changes[1].object type"}},
		{"an object that does not conform", []string{good, `{"op": "put", "bucket": "orders", "object": {"film_id": "o", "year": "soon"}}`}, []string{"body.changes[1].object.year type"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { s.apply(test.changes...).wantFaults(test.faults...) })
	}
	s.do("POST", "/v1/apply", `{"changes": {}}`).wantFaults("body.changes type")
	s.apply(good, `{"op": "put", "bucket": "orders", "object": {"film_id": "o", "year": "soon"}}`).wantError(http.StatusUnprocessableEntity, "ValidationError").
		wantAt("error.details.change_index", "1")
	s.apply(`{"op": "put", "bucket": "orders", "object": {"film_id": "o"}, "if_absent": true, "if_match": "\"v1\""}`).wantError(http.StatusBadRequest, "BadRequestError")

	s.do("POST", "/v1/buckets/stock/lock", nil).want(http.StatusOK)
	s.apply(good, `{"op": "delete", "bucket": "stock", "object_id": "shoe"}`).wantError(http.StatusForbidden, "ForbiddenError").
		wantAt("error.details.change_index", "1").wantAt("error.details.is_locked", "true")
	s.do("POST", "/v1/buckets/orders/objects/list", nil).want(http.StatusOK).wantAt("results", "[]")
}

// A set reaches only buckets of its namespace, and needs a key that may write.
func TestApplyIsolation(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret}, {Secret: "reader", ReadOnly: true}, {Secret: "theirs", Namespaces: []string{"other"}}}})
	if _, err := s.store.CreateNamespace(context.Background(), bucketlite.NamespaceConfig{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	other := s.as("X-Namespace", "other")
	theirs := other.do("POST", "/v1/buckets", films("theirs")).want(http.StatusOK).text("bucket_id")
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	ours := `{"op": "put", "bucket": "films", "object": {"film_id": "a"}}`
	for _, name := range []string{theirs, "theirs", "nowhere"} {
		for _, change := range []string{
			fmt.Sprintf(`{"op": "put", "bucket": %q, "object": {"film_id": "a"}}`, name),
			fmt.Sprintf(`{"op": "patch", "bucket": %q, "object_id": "a", "object": {}}`, name),
			fmt.Sprintf(`{"op": "delete", "bucket": %q, "object_id": "a"}`, name),
		} {
			s.apply(ours, change).wantError(http.StatusNotFound, "NotFoundError").wantAt("error.details.change_index", "1")
		}
	}
	s.as("Authorization", "Bearer reader").apply(ours).wantError(http.StatusForbidden, "ForbiddenError")
	s.as("Authorization", "Bearer theirs").apply(ours).wantError(http.StatusForbidden, "ForbiddenError")
	s.as("Authorization", "").apply(ours).wantError(http.StatusUnauthorized, "UnauthorizedError")
	s.as("X-Namespace", "").apply(ours).wantError(http.StatusBadRequest, "BadRequestError")
	s.do("POST", "/v1/buckets/films/objects/list", nil).want(http.StatusOK).wantAt("results", "[]")
	other.do("POST", "/v1/buckets/theirs/objects/list", nil).want(http.StatusOK).wantAt("results", "[]")
}

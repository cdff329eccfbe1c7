package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi"
)

// wantVerdict fails the test unless the reply is a verdict with these faults, each as
// "location rule"; none make it valid.
func (a *reply) wantVerdict(want ...string) *reply {
	a.t.Helper()
	a.want(http.StatusOK).wantAt("valid", fmt.Sprint(len(want) == 0))
	list, ok := a.at("validation_errors").([]any)
	var got []string
	for i := range list {
		at := fmt.Sprintf("validation_errors.%d.", i)
		if got = append(got, a.text(at+"location")+" "+a.text(at+"type")); a.text(at+"message") == "" {
			a.t.Errorf("%s: fault %d has no message", a.what, i)
		}
	}
	if !ok || !slices.Equal(got, want) {
		a.t.Errorf("%s: got faults %q in %s, want %q", a.what, got, a.body, want)
	}
	return a
}

// Validation and creation give the same reasons.
func TestValidateBucket(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	valid, err := json.Marshal(films("films"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, body string
		faults     []string
	}{
		{"nothing", ``, []string{"body.bucket_name required", "body.bucket_schema required"}},
		{"no JSON", `{"bucket_name`, []string{"body json"}},
		{"wrong types", `{"bucket_name": 5, "bucket_schema": {"properties": {"a": {"type": "strnig"}}}}`,
			[]string{"body.bucket_name type", "body.bucket_schema.properties.a.type type"}},
		{"a bad name", `{"bucket_name": "bkt_01ARZ3NDEKTSV4RRFFQ69G5FAV", "bucket_schema": {"properties": {"a": {"type": "string"}}}}`, []string{"body.bucket_name name"}},
		{"a bad class", `{"bucket_name": "a", "storage_class": "glacier", "bucket_schema": {"properties": {"a": {"type": "string"}}}}`, []string{"body.storage_class enum"}},
		{"a key that is no field", `{"bucket_name": "a", "bucket_schema": {"properties": {"a": {"type": "string"}}}, "unique_key": {"fields": ["b"]}}`,
			[]string{"body.unique_key.fields[0] key"}},
		{"all of them", string(valid), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.do("POST", "/v1/buckets/validate", test.body).wantVerdict(test.faults...)
			if test.faults != nil {
				s.do("POST", "/v1/buckets", test.body).wantFaults(test.faults...)
			}
		})
	}
	s.do("GET", "/v1/buckets", nil).want(http.StatusOK).wantAt("results", "[]")
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	s.do("POST", "/v1/buckets/validate", films("films")).wantVerdict() // the name is not looked up
	s.do("POST", "/v1/buckets/validate", `{"name": "a", "schema": {"properties": {"a": {"type": "STRING"}}}}`).wantVerdict().
		wantWarnings("bucket_name expected", "bucket_schema expected", "string expected")
}

func TestValidateObject(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret}, {Secret: "reader", ReadOnly: true}}, MaxBodyBytes: 2000})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	tests := []struct {
		name, body string
		faults     []string
	}{
		{"an object", `{"film_id": "f1", "title": "Dune", "undeclared": {"a": 1}, "blobs": [{"property": "poster", "type": "image", "data": "https://example.com/a.png"}]}`, nil},
		{"no JSON", `{"film_id"`, []string{"body.film_id json"}},
		{"a list", `[]`, []string{"body type"}},
		{"no key", `{"title": "Dune"}`, []string{"body.film_id required"}},
		{"wrong types", `{"film_id": 5, "year": "1984"}`, []string{"body.film_id type", "body.year type"}},
		{"an undeclared blob", `{"film_id": "f1", "blobs": [{"property": "none", "data": "x"}]}`, []string{"body.blobs[0].property property"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, key := range []string{secret, "reader"} {
				s.as("Authorization", "Bearer "+key).do("POST", "/v1/buckets/films/objects/validate", test.body).wantVerdict(test.faults...)
			}
		})
	}
	s.do("POST", "/v1/buckets/none/objects/validate", `{"film_id": "f1"}`).wantError(http.StatusNotFound, "NotFoundError")
	s.do("POST", "/v1/buckets/films/objects/validate", strings.Repeat(" ", 2001)).wantError(http.StatusRequestEntityTooLarge, "PayloadTooLargeError")
	s.do("POST", "/v1/buckets/films/suspend", nil).want(http.StatusOK)
	s.do("POST", "/v1/buckets/films/objects/validate", `{"film_id": "f1"}`).wantVerdict()
	s.do("GET", "/v1/buckets/films", nil).wantAt("object_count", "0")
}

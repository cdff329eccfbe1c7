package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi"
)

func TestLifecycle(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret}, {Secret: "reader", ReadOnly: true}}})
	id := s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK).text("bucket_id")
	// The steps follow each other. A transition to where the bucket is changes nothing.
	for _, step := range []struct {
		action, status, locked string // "" if it is refused
	}{
		{"activate", "ACTIVE", "false"},
		{"archive", "ARCHIVED", "false"},
		{"archive", "ARCHIVED", "false"},
		{"suspend", "", ""},
		{"activate", "ACTIVE", "false"},
		{"suspend", "SUSPENDED", "false"},
		{"lock", "SUSPENDED", "true"},
		{"lock", "SUSPENDED", "true"},
		{"archive", "", ""},
		{"activate", "", ""},
		{"unlock", "SUSPENDED", "false"},
		{"archive", "ARCHIVED", "false"},
		{"unlock", "ARCHIVED", "false"},
	} {
		a := s.do("POST", "/v1/buckets/films/"+step.action, nil)
		if step.status == "" {
			a.wantError(http.StatusForbidden, "ForbiddenError")
			continue
		}
		a.want(http.StatusOK).wantAt("bucket_id", id).wantAt("status", step.status).wantAt("is_locked", step.locked).wantAt("object_count", "0")
		s.do("GET", "/v1/buckets/"+id, nil).want(http.StatusOK).wantAt("status", step.status).wantAt("is_locked", step.locked)
	}
	for _, action := range []string{"lock", "unlock", "archive", "suspend", "activate"} {
		s.do("POST", "/v1/buckets/none/"+action, nil).wantError(http.StatusNotFound, "NotFoundError")
		s.as("Authorization", "Bearer reader").do("POST", "/v1/buckets/films/"+action, nil).wantError(http.StatusForbidden, "ForbiddenError")
		s.do("GET", "/v1/buckets/films/"+action, nil).wantError(http.StatusMethodNotAllowed, "MethodNotAllowedError")
	}
	s.do("POST", "/v1/buckets/"+id+"/lock", "what there is in a body does not matter").want(http.StatusOK).wantAt("is_locked", "true")
}

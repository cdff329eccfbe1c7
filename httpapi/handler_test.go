package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi"
)

func TestNowhere(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("GET", "/v1/nothing", nil).wantError(http.StatusNotFound, "NotFoundError")
	a := s.do("DELETE", "/v1/buckets", nil).wantError(http.StatusMethodNotAllowed, "MethodNotAllowedError")
	if got, want := a.header.Get("Allow"), "GET, HEAD, POST"; got != want {
		t.Errorf("got Allow %q, want %q", got, want)
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{MaxBodyBytes: 1000})
	s.do("POST", "/v1/buckets", strings.Repeat(" ", 1001)).wantError(http.StatusRequestEntityTooLarge, "PayloadTooLargeError")
	s.do("POST", "/v1/buckets", strings.Repeat(" ", 1000)).wantError(http.StatusUnprocessableEntity, "ValidationError")
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	if got := s.as("X-Request-Id", "mine-1").do("GET", "/v1/nothing", nil).header.Get("X-Request-Id"); got != "mine-1" {
		t.Errorf("got %q, want the client's", got)
	}
	for _, id := range []string{"", "with space", strings.Repeat("x", 129)} {
		if got := s.as("X-Request-Id", id).do("GET", "/v1/nothing", nil).header.Get("X-Request-Id"); !strings.HasPrefix(got, "req_") {
			t.Errorf("%q: got %q, want a new id", id, got)
		}
	}
}

package assertion

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// TestCopiesLoadNothing hands the compiler what CheckDocument and Compile never
// let through to it, which takes a test from within.
func TestCopiesLoadNothing(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
	}))
	defer server.Close()

	c := copies{text: []byte(`{"$ref":"` + server.URL + `/schema"}`)}
	c.validate("x")
	if got := requests.Load(); got != 0 {
		t.Errorf("%d requests reached the server, want none", got)
	}
}

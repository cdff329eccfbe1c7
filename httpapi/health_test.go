package httpapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
	"github.com/bucketlite/bucketlite/httpapi"
)

// The route needs no key. [TestEventsStoreClosed] has the answer of a closed store.
func TestHealth(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.as("Authorization", "", "X-Namespace", "").do("GET", "/v1/health", nil).want(http.StatusOK).wantAt("status", "OK").
		wantAt("data.metadata", "true").wantAt("data.object_storage", "true").wantAt("data.vector_store", "false").wantAt("errors", "<nil>")
	s.anyone().do("GET", "/v1/health?deep=true&metrics=false", nil).want(http.StatusOK).wantAt("status", "OK")
	s.anyone().do("GET", "/v1/health/readiness", nil).want(http.StatusOK).wantAt("status", "ok")
	s.as("Authorization", "Bearer wrong", "X-Namespace", "nowhere").do("HEAD", "/v1/health", nil).want(http.StatusOK)
	s.as("Authorization", "", "X-Namespace", "").do("GET", "/v1/health/liveness", nil).want(http.StatusOK).wantAt("status", "ok")
	s.do("POST", "/v1/health", nil).wantError(http.StatusMethodNotAllowed, "MethodNotAllowedError")
}

// A store that should take writes and refuses them is not healthy. The process
// answers all the same.
func TestHealthOfRefusingStore(t *testing.T) {
	t.Parallel()
	var faults bucketlitetest.Faults
	path := filepath.Join(t.TempDir(), "test.db")
	tests := []struct {
		name  string
		open  *bucketlitetest.Options
		do    func(*testing.T, *bucketlite.Store)
		reads bool // all the same
	}{
		{"closed", nil, func(t *testing.T, st *bucketlite.Store) { st.Close() }, false},
		{"outcome unknown", &bucketlitetest.Options{Faults: &faults}, func(t *testing.T, st *bucketlite.Store) {
			faults.LoseCommit(1, false)
			if _, err := st.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "lost"}); !errors.Is(err, bucketlite.ErrOutcomeUnknown) {
				t.Fatalf("got %v, want %v", err, bucketlite.ErrOutcomeUnknown)
			}
		}, true},
		{"file deleted", &bucketlitetest.Options{Path: path}, func(t *testing.T, st *bucketlite.Store) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			st := bucketlitetest.NewStoreWith(t, test.open)
			s := serveOpen(t, st, nil).as("Authorization", "", "X-Namespace", "")
			s.do("GET", "/v1/health", nil).want(http.StatusOK)
			test.do(t, st)
			if a := s.do("GET", "/v1/health", nil); test.reads {
				a.want(http.StatusServiceUnavailable).wantAt("status", "DEGRADED").wantAt("data.metadata", "true").wantAt("data.object_storage", "false").
					wantAt("data.task_queue", "false")
				if a.text("errors.object_storage") == "<nil>" || a.header.Get("Retry-After") == "" {
					t.Errorf("got %v and %s, want Retry-After and the reason", a.header, a.body)
				}
			} else {
				a.wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
			}
			s.do("GET", "/v1/health/readiness", nil).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
			s.do("GET", "/v1/health/liveness", nil).want(http.StatusOK).wantAt("status", "ok")
			st.Close() // the check at the end then opens the file anew, if it is still there
		})
	}
}

// A store that was opened for reading need not take writes.
func TestHealthOfReadOnlyStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	serveOpen(t, bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Path: path}), nil)
	st, err := bucketlite.Open(t.Context(), path, &bucketlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	h, err := httpapi.New(st, &httpapi.Options{Keys: []httpapi.Key{{Name: "test", Secret: secret}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	for _, route := range []string{"/v1/health", "/v1/health/liveness", "/v1/health/readiness"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", route, nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s: got status %d, want %d: %s", route, w.Code, http.StatusOK, w.Body)
		}
	}
}

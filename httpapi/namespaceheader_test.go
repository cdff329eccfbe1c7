package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A namespace beyond ASCII is found however a client writes its name in a header.
func TestNamespaceHeader(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	for _, name := range []string{"café", "日本 語", "50% é", "a%20b", "Ã©"} {
		s.anywhere().do("POST", "/v1/namespaces", map[string]any{"namespace_name": name}).want(http.StatusOK)
		s.as("X-Namespace", name).do("POST", "/v1/buckets", map[string]any{"bucket_name": name, "bucket_schema": map[string]any{"properties": map[string]any{}}}).want(http.StatusOK)
	}
	for _, test := range []struct{ name, header, want string }{ // an empty want: not found
		{"UTF-8", "café", "café"},
		{"Latin-1", "caf\xe9", "café"},
		{"percent-encoded", "caf%C3%A9", "café"},
		{"percent-encoded, lower case", "caf%c3%a9", "café"},
		{"percent-encoded Latin-1", "caf%E9", "café"},
		{"a space within", "%E6%97%A5%E6%9C%AC%20%E8%AA%9E", "日本 語"},
		{"a space as it is", "%E6%97%A5%E6%9C%AC %E8%AA%9E", "日本 語"},
		{"a percent sign", "50%25%20%C3%A9", "50% é"},
		{"a percent sign that begins no escape", "50% %C3%A9", ""},
		{"ASCII escapes are themselves", "a%20b", "a%20b"},
		{"Latin-1 that is UTF-8 too", "\xc3\xa9", ""}, // it is é, and not Ã©
		{"UTF-8 of Latin-1", "Ã©", "Ã©"},
		{"a plus is no space", "caf%C3%A9+", ""},
		{"twice encoded", "caf%25C3%25A9", ""},
		{"another case", "CAFÉ", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := s.as("X-Namespace", test.header)
			if test.want == "" {
				s.do("GET", "/v1/buckets", nil).wantError(http.StatusNotFound, "NotFoundError")
				s.do("GET", "/v1/buckets/x", nil).wantError(http.StatusNotFound, "NotFoundError")
				return
			}
			s.do("GET", "/v1/buckets", nil).want(http.StatusOK).wantAt("results.0.bucket_name", test.want)
			s.do("GET", "/v1/buckets/none", nil).wantError(http.StatusNotFound, "NotFoundError")
		})
	}
}

// A key is held to the namespace that a header finds, not to the text of the header.
func TestNamespaceHeaderOfLimitedKey(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: []httpapi.Key{
		{Secret: secret},
		{Secret: "cafe", Namespaces: []string{"café"}},
		{Secret: "escaped", Namespaces: []string{"caf%C3%A9", "caf\xe9", "none"}},
	}})
	cafe, escaped := s.as("Authorization", "Bearer cafe"), s.as("Authorization", "Bearer escaped")
	headers := []string{"café", "caf%C3%A9", "caf\xe9"}

	// Before there is such a namespace, nobody else learns that.
	for _, header := range headers {
		cafe.as("X-Namespace", header).do("GET", "/v1/buckets", nil).wantError(http.StatusNotFound, "NotFoundError")
		escaped.as("X-Namespace", header).do("GET", "/v1/buckets", nil).wantError(http.StatusForbidden, "ForbiddenError")
	}
	escaped.anywhere().do("POST", "/v1/namespaces", `{"namespace_name": "caf%C3%A9"}`).wantFaults("body.namespace_name name")
	cafe.anywhere().do("POST", "/v1/namespaces", `{"namespace_name": "café"}`).want(http.StatusOK)
	s.as("X-Namespace", "café").do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	for _, header := range headers {
		cafe.as("X-Namespace", header).do("GET", "/v1/buckets/films", nil).want(http.StatusOK)
		for _, path := range []string{"/v1/buckets", "/v1/buckets/films", "/v1/buckets/none"} {
			escaped.as("X-Namespace", header).do("GET", path, nil).wantError(http.StatusForbidden, "ForbiddenError")
		}
	}

	// In a file of an older version the escape may be a name. Then it is that namespace.
	old := s.anywhere().do("POST", "/v1/namespaces", `{"namespace_name": "old"}`).want(http.StatusOK).text("namespace_id")
	storetest.Execute(t, storetest.OpenRaw(t, s.path), "UPDATE namespaces SET name = 'caf%C3%A9' WHERE id = '"+old+"'")
	escaped.as("X-Namespace", "caf%C3%A9").do("GET", "/v1/buckets", nil).want(http.StatusOK).wantAt("results", "[]")
	cafe.as("X-Namespace", "caf%C3%A9").do("GET", "/v1/buckets", nil).wantError(http.StatusForbidden, "ForbiddenError")
	cafe.as("X-Namespace", "caf\xe9").do("GET", "/v1/buckets/films", nil).want(http.StatusOK)
	escaped.as("X-Namespace", "café").do("GET", "/v1/buckets", nil).wantError(http.StatusForbidden, "ForbiddenError")
}

package httpapi_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/google/go-cmp/cmp"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: []httpapi.Key{
		{Secret: secret},
		{Secret: "limited", Namespaces: []string{"test"}},
		{Hash: fmt.Sprintf("%x", sha256.Sum256([]byte("reader"))), ReadOnly: true},
	}})
	if _, err := s.store.CreateNamespace(context.Background(), bucketlite.NamespaceConfig{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)

	tests := []struct {
		name          string
		authorization string
		namespace     string
		method, path  string
		status        int
		kind          string
	}{
		{"no key", "", "test", "GET", "/v1/buckets/films", 401, "UnauthorizedError"},
		{"another scheme", "Basic " + secret, "test", "GET", "/v1/buckets/films", 401, "UnauthorizedError"},
		{"a wrong key", "Bearer " + secret + "x", "test", "GET", "/v1/buckets/films", 401, "UnauthorizedError"},
		{"an empty key", "Bearer ", "test", "GET", "/v1/buckets/films", 401, "UnauthorizedError"},
		{"the scheme in lower case", "bearer " + secret, "test", "GET", "/v1/buckets/films", 200, ""},
		{"no namespace", "Bearer " + secret, "", "GET", "/v1/buckets/films", 400, "BadRequestError"},
		{"an unknown namespace", "Bearer " + secret, "nowhere", "GET", "/v1/buckets/films", 404, "NotFoundError"},
		{"a bucket of another namespace", "Bearer " + secret, "other", "GET", "/v1/buckets/films", 404, "NotFoundError"},
		{"a limited key at home", "Bearer limited", "test", "GET", "/v1/buckets/films", 200, ""},
		{"a limited key elsewhere", "Bearer limited", "other", "GET", "/v1/buckets/films", 403, "ForbiddenError"},
		{"a limited key nowhere", "Bearer limited", "nowhere", "GET", "/v1/buckets/films", 403, "ForbiddenError"},
		{"a hashed key", "Bearer reader", "test", "GET", "/v1/buckets/films", 200, ""},
		{"a reader's list", "Bearer reader", "test", "POST", "/v1/buckets/list", 200, ""},
		{"a reader's write", "Bearer reader", "test", "DELETE", "/v1/buckets/films", 403, "ForbiddenError"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := s.as("Authorization", test.authorization, "X-Namespace", test.namespace).do(test.method, test.path, nil)
			if test.kind == "" {
				a.want(test.status)
				return
			}
			a.wantError(test.status, test.kind)
			if got := a.header.Get("WWW-Authenticate") != ""; got != (test.status == 401) {
				t.Errorf("got a WWW-Authenticate header %q with a %d", a.header.Get("WWW-Authenticate"), test.status)
			}
		})
	}
}

func TestDefaultNamespace(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{DefaultNamespace: "test"})
	s.as("X-Namespace", "").do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	s.do("GET", "/v1/buckets/films", nil).want(http.StatusOK)
	s.as("X-Namespace", "nowhere").do("GET", "/v1/buckets/films", nil).wantError(404, "NotFoundError")
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("0f", 32)
	got, err := httpapi.ParseKeys(strings.NewReader("# ours\n\nsk_a\n  sk_b  name=reports read-only namespaces=a,b \nsha256:" + hash + " name=ci\n"))
	want := []httpapi.Key{
		{Secret: "sk_a"},
		{Secret: "sk_b", Name: "reports", ReadOnly: true, Namespaces: []string{"a", "b"}},
		{Hash: hash, Name: "ci"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("got %v, (-want +got):\n%s", err, diff)
	}
	for _, line := range []string{"sk_a readonly", "sk_a name=", "sk_a namespaces", "sk_a sk_b",
		"sk_a name=reports,read-only", "sk_a name=reports,namespaces=a", "sk_a namespaces=a,read-only", "sk_a namespaces=a,name=b", "sk_a namespaces=a,"} {
		if _, err := httpapi.ParseKeys(strings.NewReader("\n" + line)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: got %v, want an error that names line 2", line, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]httpapi.Options{
		"a key without a secret":    {Keys: []httpapi.Key{{Name: "a"}}},
		"a key with both":           {Keys: []httpapi.Key{{Secret: "a", Hash: strings.Repeat("0f", 32)}}},
		"a hash that is none":       {Keys: []httpapi.Key{{Hash: "0f"}}},
		"a key twice":               {Keys: []httpapi.Key{{Secret: "a"}, {Secret: "a"}}},
		"a public URL without one":  {PublicURL: "example.com"},
		"a public URL with a query": {PublicURL: "https://example.com?a=b"},
		"a short signing key":       {SigningKey: make([]byte, 31)},
		"a negative limit":          {MaxBodyBytes: -1},
		"an origin with a path":     {CORSOrigins: []string{"http://localhost:5173/"}},
		"an origin without a host":  {CORSOrigins: []string{"http://"}},
		"an origin without scheme":  {CORSOrigins: []string{"localhost:5173"}},
		"an origin with a user":     {CORSOrigins: []string{"http://me@localhost"}},
		"an origin with a wildcard": {CORSOrigins: []string{"http://*.example.com"}},
		"an origin with a query":    {CORSOrigins: []string{"http://localhost?"}},
		"an origin with a bad port": {CORSOrigins: []string{"http://localhost:70000"}},
		"an origin without a port":  {CORSOrigins: []string{"http://localhost:"}},
		"an origin beyond ASCII":    {CORSOrigins: []string{"http://bücher.example"}},
		"two origins in one":        {CORSOrigins: []string{"http://a http://b"}},
		"the null origin":           {CORSOrigins: []string{"null"}},
		"no origin":                 {CORSOrigins: []string{""}},
		"any origin and one":        {CORSOrigins: []string{"*", "http://localhost"}},
		"no streams":                {MaxStreams: -1},
		"no streams of a key":       {MaxStreamsPerKey: -1},
		"no transfers":              {MaxTransfers: -1},
	}
	for name, opts := range tests {
		t.Run(name, func(t *testing.T) {
			if h, err := httpapi.New(nil, &opts); err == nil || h != nil {
				t.Errorf("got %v, %v, want an error", h, err)
			}
		})
	}
}

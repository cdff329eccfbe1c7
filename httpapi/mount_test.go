package httpapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// TestRoot shows what "/" answers: to anyone the paths that need no key, and to a browser
// the way to the console, if there is one.
func TestRoot(t *testing.T) {
	t.Parallel()
	plain, mounted := mountServer(t, nil), mountServer(t, http.NotFoundHandler())
	for _, test := range []struct {
		name, accept   string
		server         *httptest.Server
		method         string
		status         int
		location, body string
	}{
		{"a program", "application/json", plain, "GET", 200, "", `{"name":"bucketlite","docs":"/docs","openapi":"/openapi.json","health":"/v1/health"}`},
		{"a browser, without a console", "text/html,*/*", plain, "GET", 200, "", `{"name":"bucketlite","docs":"/docs","openapi":"/openapi.json","health":"/v1/health"}`},
		{"a program, with a console", "*/*", mounted, "GET", 200, "", `{"name":"bucketlite","docs":"/docs","openapi":"/openapi.json","health":"/v1/health","console":"/console/"}`},
		{"a browser, with a console", "text/html,*/*", mounted, "GET", 303, "console/", ""},
		{"another method", "*/*", plain, "POST", 405, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequest(test.method, test.server.URL+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", test.accept)
			a, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Body.Close()
			text, err := io.ReadAll(a.Body)
			if err != nil {
				t.Fatal(err)
			}
			if a.StatusCode != test.status || a.Header.Get("Location") != test.location {
				t.Errorf("got %d to %q, want %d to %q", a.StatusCode, a.Header.Get("Location"), test.status, test.location)
			}
			if test.body != "" && strings.TrimSpace(string(text)) != test.body {
				t.Errorf("got %s, want %s", text, test.body)
			}
		})
	}
}

// TestMount shows which paths a mount has: its own and those below, as they are.
func TestMount(t *testing.T) {
	t.Parallel()
	s := mountServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if w.(httpapi.Entry).RequestID() == "" {
			t.Error("a request without an id")
		}
		io.WriteString(w, r.URL.EscapedPath())
	}))
	for path, want := range map[string]string{
		"/console": "/console", "/console/": "/console/", "/console/a//b/../%2e%2F/": "/console/a//b/../%2e%2F/",
		"/consoles": "", "/v1/console/": "", "/console%2Fa": "",
	} {
		a, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(a.Body)
		a.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got := string(text); (a.StatusCode == http.StatusOK) != (want != "") || want != "" && got != want {
			t.Errorf("%s: got %d %s, want %q", path, a.StatusCode, got, want)
		}
	}
}

// TestAccess shows how a mount finds keys.
func TestAccess(t *testing.T) {
	t.Parallel()
	st, err := bucketlite.Open(context.Background(), ":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	h, err := httpapi.New(st, &httpapi.Options{Keys: []httpapi.Key{
		{Name: "all", Secret: "sk_all"}, {Name: "some", Secret: "sk_some", Namespaces: []string{"shop"}}, {Name: "reads", Secret: "sk_reads", ReadOnly: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		secret, name string
		all, allows  bool
	}{{"sk_all", "all", true, true}, {" sk_some\n", "some", false, false}, {"sk_reads", "reads", false, true}, {"sk_none", "", false, false}, {"", "", false, false}} {
		a := h.AccessOf(httpapi.Key{Secret: test.secret})
		if a == nil {
			if test.name != "" {
				t.Errorf("%q: got no access, want that of %q", test.secret, test.name)
			}
			continue
		}
		if a.Name != test.name || a.All() != test.all || a.Allows("museum") != test.allows {
			t.Errorf("%q: got %q, all %t, museum %t", test.secret, a.Name, a.All(), a.Allows("museum"))
		}
		id := h.AccessID(a)
		if h.AccessByID(id) != a || h.AccessByID(id+"0") != nil || len(id) != 24 {
			t.Errorf("%q: id %q does not find it", test.secret, id)
		}
		hash := sha256.Sum256([]byte(strings.TrimSpace(test.secret)))
		if h.AccessOf(httpapi.Key{Hash: hex.EncodeToString(hash[:])}) != a {
			t.Errorf("%q: its hash does not find it", test.secret)
		}
	}
}

// mountServer serves an empty store, with m below "/console" unless it is nil.
func mountServer(t *testing.T, m http.Handler) *httptest.Server {
	t.Helper()
	st, err := bucketlite.Open(context.Background(), ":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	h, err := httpapi.New(st, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m != nil {
		h.Mount("console", m)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

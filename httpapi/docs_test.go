package httpapi_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestDocs(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	a := s.as("Authorization", "", "X-Namespace", "").do("GET", "/docs", nil).want(http.StatusOK)
	if got, want := a.header.Get("Content-Type"), "text/html; charset=utf-8"; got != want {
		t.Errorf("got Content-Type %q, want %q", got, want)
	}
	var ids []string
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(a.body, -1) {
		if slices.Contains(ids, m[1]) {
			t.Errorf("id %q is there twice", m[1])
		}
		ids = append(ids, m[1])
	}
	for _, m := range regexp.MustCompile(` href="([^"]*)"`).FindAllStringSubmatch(a.body, -1) {
		if id, ok := strings.CutPrefix(m[1], "#"); ok && !slices.Contains(ids, id) || !ok && m[1] != "openapi.json" {
			t.Errorf("a link leads to %q", m[1])
		}
	}
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Paths) == 0 || len(doc.Components.Schemas) == 0 {
		t.Errorf("the document has %d paths and %d schemas", len(doc.Paths), len(doc.Components.Schemas))
	}
	for _, item := range doc.Paths {
		for _, op := range item {
			if !slices.Contains(ids, op.OperationID) {
				t.Errorf("operation %s is not on the page", op.OperationID)
			}
		}
	}
	for name := range doc.Components.Schemas {
		if !slices.Contains(ids, "schema-"+name) {
			t.Errorf("schema %s is not on the page", name)
		}
	}
}

// TestDocsAlone sees that the page loads nothing, and that a browser would not let it.
func TestDocsAlone(t *testing.T) {
	t.Parallel()
	a := serve(t, nil).do("GET", "/docs", nil).want(http.StatusOK)
	for _, pattern := range []string{`(?i)<script`, `(?i)<link`, `(?i)<img`, `(?i)<iframe`, `(?i)\ssrc=`, `(?i)\sstyle=`, `(?i)\son[a-z]+=`, `url\(`, `@import`} {
		if found := regexp.MustCompile(pattern).FindString(a.body); found != "" {
			t.Errorf("got %q on the page", found)
		}
	}
	policy := a.header.Get("Content-Security-Policy")
	want := regexp.MustCompile(`^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$`)
	if !want.MatchString(policy) {
		t.Errorf("got policy %q", policy)
	}
}

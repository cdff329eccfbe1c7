package httpapi_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
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
	c := ourContract(t)
	c.operations(func(_, _ string, _ *v3.PathItem, op *v3.Operation) {
		if !slices.Contains(ids, op.OperationId) {
			t.Errorf("operation %s is not on the page", op.OperationId)
		}
	})
	for name := range c.model.Components.Schemas.FromOldest() {
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

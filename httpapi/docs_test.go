package httpapi_test

import (
	"encoding/json"
	"html"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/sample"
	"github.com/bucketlite/bucketlite/internal/sample/sampletest"
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
		if id, ok := strings.CutPrefix(m[1], "#"); ok && !slices.Contains(ids, id) || !ok && m[1] != "openapi.json" && m[1] != "docs/docs.css" {
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

// TestDocsAlone checks that the page loads nothing but its own files, has no script or style
// within, and that a browser would not let it.
func TestDocsAlone(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	a := s.do("GET", "/docs", nil).want(http.StatusOK)
	css := s.do("GET", "/docs/docs.css", nil).want(http.StatusOK).body
	page := strings.NewReplacer(`<link rel="stylesheet" href="docs/docs.css">`, "", `<script type="module" src="docs/docs.js"></script>`, "").Replace(a.body)
	for _, pattern := range []string{`(?i)<script`, `(?i)<style`, `(?i)<link`, `(?i)<img`, `(?i)<iframe`, `(?i)\ssrc=`, `(?i)\sstyle=`, `(?i)\son[a-z]+=`, `url\(`, `@import`} {
		if found := regexp.MustCompile(pattern).FindString(page + css); found != "" {
			t.Errorf("got %q on the page", found)
		}
	}
	want := "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := a.header.Get("Content-Security-Policy"); got != want {
		t.Errorf("got policy %q, want %q", got, want)
	}
}

// The page and its files come to a browser compressed, and only when they have changed.
func TestDocsFiles(t *testing.T) {
	t.Parallel()
	s := serve(t, nil).as("Authorization", "", "X-Namespace", "")
	for _, test := range []struct {
		path, contentType string
		most              int // bytes, compressed
	}{
		{"/docs", "text/html; charset=utf-8", 64 << 10},
		{"/docs/docs.css", "text/css; charset=utf-8", 8 << 10},
		{"/docs/docs.js", "text/javascript; charset=utf-8", 8 << 10},
	} {
		t.Run(test.path, func(t *testing.T) {
			t.Parallel()
			plain := s.as("Accept-Encoding", "identity").do("GET", test.path, nil).want(http.StatusOK)
			if got := plain.header.Get("Content-Type"); got != test.contentType {
				t.Errorf("got type %q, want %q", got, test.contentType)
			}
			if got := s.as("Accept-Encoding", "gzip;q=0, br").do("GET", test.path, nil).want(http.StatusOK); got.body != plain.body {
				t.Errorf("got another text for a client that refuses gzip")
			}
			packed := s.as("Accept-Encoding", "br, gzip").do("GET", test.path, nil).want(http.StatusOK)
			if got := packed.header.Get("Content-Encoding"); got != "gzip" || len(packed.body) > test.most {
				t.Errorf("got %d bytes in encoding %q, want %d bytes at most in gzip", len(packed.body), got, test.most)
			}
			tag := packed.header.Get("ETag")
			if tag == plain.header.Get("ETag") || plain.header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("got tags %s and %s, varying with %q", tag, plain.header.Get("ETag"), plain.header.Get("Vary"))
			}
			if got := s.as("Accept-Encoding", "gzip", "If-None-Match", `"x", W/`+tag).do("GET", test.path, nil).want(http.StatusNotModified); got.body != "" {
				t.Errorf("got a body of %d bytes", len(got.body))
			}
			s.as("Accept-Encoding", "gzip", "If-None-Match", `"x"`).do("GET", test.path, nil).want(http.StatusOK)
		})
	}
	s.do("GET", "/docs/other.js", nil).want(http.StatusNotFound).wantAt("error.type", "NotFoundError")
	if script, err := os.ReadFile("docs.js"); err != nil || len(script) > 15_000 {
		t.Errorf("got a script of %d bytes, %v, want 15,000 at most", len(script), err)
	}
}

// Behind a slash the page finds its files too.
func TestDocsBelow(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.handler.Mount("console", http.NotFoundHandler())
	for path, wants := range map[string][]string{
		"/docs":  {`href="docs/docs.css"`, `src="docs/docs.js"`, `href="console/"`},
		"/docs/": {`href="docs.css"`, `src="docs.js"`, `href="../console/"`},
	} {
		page := s.do("GET", path, nil).want(http.StatusOK).body
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s: %s is missing", path, want)
			}
		}
	}
}

// Each term of the page has a definition after it, and what may scroll can be focused.
func TestDocsStructure(t *testing.T) {
	t.Parallel()
	page := serve(t, nil).do("GET", "/docs", nil).want(http.StatusOK).body
	terms := strings.Count(page, "<dt")
	if pairs := len(regexp.MustCompile(`</dt>\s*<dd`).FindAllString(page, -1)); pairs != terms || strings.Count(page, "<dd") != terms {
		t.Errorf("got %d terms, %d definitions and %d pairs", terms, strings.Count(page, "<dd"), pairs)
	}
	if all, focusable := strings.Count(page, "<pre"), strings.Count(page, `tabindex="0">`); all != focusable {
		t.Errorf("got %d samples, of which %d can be focused", all, focusable)
	}
	bucket := operationOn(t, page, "create_bucket_v1_buckets_post")
	for _, want := range []string{
		"<dt><code>bucket_name</code></dt>", "<dt><code>default_policy</code></dt>", // in the body, and in its unique_key
		"<dt><code>storage_stats</code></dt>", "<dt><code>avg_size_bytes</code></dt>", // in the answer, and in that
		"<p>Answer 200</p>", "<dt><code>X-Namespace</code></dt>",
	} {
		if !strings.Contains(bucket, want) {
			t.Errorf("%s is not at the creation of a bucket", want)
		}
	}
	if writes := strings.Contains(bucket, `class="writes"`); !writes {
		t.Error("the creation of a bucket is not marked as one that writes")
	}
	if list := operationOn(t, page, "list_objects_v1_buckets__bucket_identifier__objects_list_post"); strings.Contains(list, `class="writes"`) {
		t.Error("a list of objects is marked as one that writes")
	}
}

// operationOn returns the part of the page about one operation.
func operationOn(t *testing.T, page, id string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `<article id="`+id+`"`)
	if !ok {
		t.Fatalf("operation %s is not on the page", id)
	}
	text, _, _ := strings.Cut(rest, "</article>")
	return text
}

// sampleOn returns an operation's sample in one language.
func sampleOn(t *testing.T, page, id, language string) string {
	t.Helper()
	m := regexp.MustCompile(`(?s)<summary>` + language + `</summary><pre tabindex="0">(.*?)</pre>`).FindStringSubmatch(operationOn(t, page, id))
	if m == nil {
		t.Fatalf("operation %s has no sample in %s", id, language)
	}
	return html.UnescapeString(m[1])
}

// Each operation has a sample in each language, with a value for each parameter of its path.
func TestDocsSamples(t *testing.T) {
	t.Parallel()
	page := serve(t, nil).do("GET", "/docs", nil).want(http.StatusOK).body
	ids := regexp.MustCompile(`<article id="([^"]*)"[^>]*>\n<div>\n<h3>[^\n]*\n<p class="address">`).FindAllStringSubmatch(page, -1)
	if len(ids) < 65 {
		t.Fatalf("got %d operations, want 65 or more", len(ids))
	}
	for _, id := range ids {
		for _, language := range sample.Languages {
			text := sampleOn(t, page, id[1], language)
			if m := regexp.MustCompile(`BUCKETLITE_URL[^/]*(/[^\s"]*)`).FindStringSubmatch(text); m == nil || strings.Contains(m[1], "//") || m[1] != "/" && strings.HasSuffix(m[1], "/") || strings.Contains(m[1], "%7B") {
				t.Errorf("%s in %s has address %q", id[1], language, m)
			}
		}
	}
}

// The samples of some operations run, one after the other, against a server, and have the
// answers that the page shows.
func TestDocsSamplesRun(t *testing.T) {
	t.Parallel()
	operations := []struct{ id, want string }{
		{"create_namespace_v1_namespaces_post", `"namespace_name": *"production"`},
		{"create_bucket_v1_buckets_post", `"bucket_name": *"videos"`},
		{"create_object_v1_buckets__bucket_identifier__objects_post", `"seconds": *12.5`},
		{"list_objects_v1_buckets__bucket_identifier__objects_list_post", `"total_objects": *1`},
		{"aggregate_objects_v1_buckets__bucket_identifier__objects_aggregate_post", `"total_groups": *1`},
		{"createIndex", `"path": *"title"`},
		{"deleteIndex", `^$`},
		{"healthcheck_v1_health_get", `"status": *"OK"`},
		{"docsFile", `^// The script of the page`},
	}
	for _, language := range sample.Languages {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil)
			page := s.do("GET", "/docs", nil).want(http.StatusOK).body
			for _, op := range operations {
				text := sampleOn(t, page, op.id, language)
				if language == "Go" && op.id == "createIndex" {
					break // each program takes a second to build
				}
				out := sampletest.Client{URL: s.url, Key: secret}.Sample(t, language, text)
				if !regexp.MustCompile(op.want).MatchString(out) {
					t.Fatalf("%s: got %s, want %s from\n%s", op.id, out, op.want, text)
				}
			}
		})
	}
}

package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Clients cannot read answers with many or long headers, whatever the request was. The
// beginning and the end of a long warning are kept.
func TestWarningsBounded(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", `{"bucket_name": "closed", "bucket_schema": {"properties": {"a": {"type": "string"}}, "additionalProperties": false}}`).want(http.StatusOK)
	s.do("POST", "/v1/buckets", `{"bucket_name": "open", "bucket_schema": {"properties": {"a": {"type": "string"}}}}`).want(http.StatusOK)
	list := func(item string) string {
		var items []string
		for i := range 300 {
			items = append(items, fmt.Sprintf(item, i, strings.Repeat("é", 200)))
		}
		return strings.Join(items, ", ")
	}
	conditions := `{"filters": {"OR": [` + list(`{"field": "a%d%s", "operator": "eq", "value": 1}`) + `]}}`
	object := "/v1/buckets/open/objects/" + s.put("open", `{"a": "b"}`)
	for _, test := range []struct{ name, method, path, body, first, last string }{
		{"a filter that cannot match", "POST", "/v1/buckets/closed/objects/list", conditions, `"filters.OR[0].field: never matches`, `\u00e9\u2026\""`},
		{"paths that are not declared", "POST", "/v1/buckets/open/objects/list", conditions, `"filters: the schema declares no \"a0\u00e9`, `\""`},
		{"members that are ignored", "PUT", object, `{"metadata": {}, ` + list(`"a%d%s": 1`) + `}`, `"a0\u00e9`, `: ignored, a member of metadata expected"`},
		{"a long member", "PUT", object, `{"metadata": {}, "` + strings.Repeat("a", 100_000) + `": 1}`, `"aaa`, `aaa: ignored, a member of metadata expected"`},
		{"keywords without effect", "POST", "/v1/buckets", `{"bucket_name": "b", "bucket_schema": {"properties": {` + list(`"p%d%s": {"type": "string", "min_length": 1}`) + `}}}`,
			`"bucket_schema.properties.p0`, `has no effect here: write \"minLength\""`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := s.do(test.method, test.path, test.body).header.Values("Warning")
			size := 0
			for _, text := range got {
				size += len("Warning: \r\n") + len(text)
			}
			if len(got) == 0 || len(got) > 20 || size > 3000 {
				t.Fatalf("got %d warnings of %d bytes, want some, and at most 20 of 3000 bytes", len(got), size)
			}
			if !strings.HasPrefix(got[0], "299 bucketlite "+test.first) || !strings.HasSuffix(got[0], test.last) {
				t.Errorf("got %s, want one from %s to %s", got[0], test.first, test.last)
			}
		})
	}
}

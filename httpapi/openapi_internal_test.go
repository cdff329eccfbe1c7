package httpapi

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestDocumentRoutes holds the table of routes, which is not exported, against the
// document: each route has an operation, and each operation a route.
func TestDocumentRoutes(t *testing.T) {
	t.Parallel()
	var doc document
	if err := json.Unmarshal(openAPIJSON, &doc); err != nil {
		t.Fatal(err)
	}
	operations := map[string]operation{}
	for _, path := range doc.Paths {
		for _, op := range path.Value {
			operations[unnamed(strings.ToUpper(op.Name)+" "+path.Name)] = op.Value
		}
	}
	for _, r := range routes {
		pattern := unnamed(r.pattern)
		op, ok := operations[pattern]
		if !ok {
			t.Errorf("%s: not in the document", r.pattern)
			continue
		}
		delete(operations, pattern)
		if method, path, _ := strings.Cut(pattern, " "); method == "GET" {
			delete(operations, "HEAD "+path) // the same route serves it
		}
		if got, want := op.Open(), r.access < keyed; got != want {
			t.Errorf("%s: got an operation that needs no key: %t, want %t", r.pattern, got, want)
		}
		namespace := slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.In == "header" && p.Name == "X-Namespace" })
		if want := r.access == scoped; namespace != want {
			t.Errorf("%s: got an operation with X-Namespace: %t, want %t", r.pattern, namespace, want)
		}
	}
	for pattern, op := range operations {
		t.Errorf("%s: %s has no route", pattern, op.OperationID)
	}
}

package clienttest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

var document = flag.String("document", "../openapi.json", "the OpenAPI document to make a client of")

// names are what the operations are called that the flow needs, whatever the document
// calls them. Parameters in paths are {}.
var names = map[string]string{
	"post /v1/namespaces":                    "namespacesCreate",
	"post /v1/buckets":                       "bucketsCreate",
	"post /v1/buckets/list":                  "bucketsList",
	"get /v1/buckets/{}":                     "bucketsGet",
	"delete /v1/buckets/{}":                  "bucketsDelete",
	"post /v1/buckets/{}/uploads/batch":      "uploadsCreateMany",
	"post /v1/buckets/{}/uploads/{}/confirm": "uploadsConfirm",
	"post /v1/buckets/{}/objects/list":       "objectsList",
	"get /v1/buckets/{}/objects/{}":          "objectsGet",
	"post /v1/buckets/{}/batches":            "batchesCreate",
	"post /v1/buckets/{}/batches/{}/submit":  "batchesSubmit",
	"get /v1/tasks/{}":                       "tasksGet",
}

// A client that a generator makes of the document works, from a bucket's creation
// to its end.
func TestGeneratedClient(t *testing.T) {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, filepath.Join(t.TempDir(), "test.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	const secret = "sk_generated_client"
	h, err := httpapi.New(st, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	processed := make(chan error, 1)
	go func() {
		processed <- st.Process(ctx, func(context.Context, *bucketlite.Job) error { return nil }, nil)
	}()
	t.Cleanup(func() {
		server.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
		if err := <-processed; !errors.Is(err, bucketlite.ErrClosed) {
			t.Errorf("process: got %v, want ErrClosed", err)
		}
	})

	run := command(t, "go", "run", "-tags", "generated", "-overlay", generate(t), "./flow", "-url", server.URL)
	run.Env = append(os.Environ(), "API_KEY="+secret)
	out, err := run.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

// generate makes the client, and returns the overlay with which it is package wire.
func generate(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	spec, client, overlay := filepath.Join(dir, "openapi.json"), filepath.Join(dir, "wire.go"), filepath.Join(dir, "overlay.json")
	write(t, spec, prepared(t))
	if out, err := command(t, "go", "tool", "oapi-codegen", "-generate", "types,client", "-package", "wire", "-o", client, spec).CombinedOutput(); err != nil {
		t.Fatalf("generate: %v\n%s", err, out)
	}
	here, err := filepath.Abs("wire")
	if err != nil {
		t.Fatal(err)
	}
	write(t, overlay, map[string]any{"Replace": map[string]string{filepath.Join(here, "wire.go"): client}})
	return overlay
}

// prepared returns the document with the operations' names, and without parameters
// that are headers: the flow sets those itself, and some documents declare the same
// one twice, in upper and lower case. The list of buckets has none at all, since some
// documents have none.
func prepared(t *testing.T) map[string]any {
	t.Helper()
	data, err := os.ReadFile(*document)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	named := 0
	paths, _ := doc["paths"].(map[string]any)
	for path, item := range paths {
		operations, _ := item.(map[string]any)
		for method, operation := range operations {
			operation, ok := operation.(map[string]any)
			if !ok {
				continue
			}
			if name, ok := names[method+" "+anonymous(path)]; ok {
				operation["operationId"] = name
				named++
			}
			parameters, _ := operation["parameters"].([]any)
			kept := []any{}
			for _, p := range parameters {
				if !isHeader(doc, p) && operation["operationId"] != "bucketsList" {
					kept = append(kept, p)
				}
			}
			operation["parameters"] = kept
		}
	}
	if named != len(names) {
		t.Fatalf("the document has %d of the %d operations the flow needs", named, len(names))
	}
	return doc
}

// isHeader reports whether a parameter, or what it refers to, is a header.
func isHeader(doc map[string]any, parameter any) bool {
	p, _ := parameter.(map[string]any)
	if ref, ok := p["$ref"].(string); ok {
		var v any = doc
		for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			of, _ := v.(map[string]any)
			v = of[name]
		}
		p, _ = v.(map[string]any)
	}
	return p["in"] == "header"
}

// anonymous returns a path with its parameters as {}.
func anonymous(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

func write(t *testing.T, path string, v any) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	err = errors.Join(json.NewEncoder(w).Encode(v), w.Flush(), f.Close())
	if err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), name, args...)
}

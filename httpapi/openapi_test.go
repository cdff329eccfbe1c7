package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi"
)

// TestDocumentParameters requires parameters that a client can read without resolving a
// reference, and that say the same wherever they stand.
func TestDocumentParameters(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Parameters  []map[string]any
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	headers := map[any]map[string]any{}
	for path, item := range doc.Paths {
		for _, op := range item {
			for i, p := range op.Parameters {
				if p["name"] == nil || p["in"] == nil || p["schema"] == nil {
					t.Errorf("%s: parameter %d: got %v, want name, in and schema", op.OperationID, i, p)
				}
				if p["in"] == "path" && !strings.Contains(path, fmt.Sprintf("{%s}", p["name"])) {
					t.Errorf("%s: parameter %q is not in %s", op.OperationID, p["name"], path)
				}
				if p["in"] != "header" {
					continue
				}
				if known, ok := headers[p["name"]]; ok && !reflect.DeepEqual(p, known) {
					t.Errorf("%s: got %v, want it as elsewhere: %v", op.OperationID, p, known)
				}
				headers[p["name"]] = p
			}
		}
	}
}

func TestDocumentServed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, public, want string }{
		{"by the host of the request", "", ""},
		{"by the public URL", "https://media.example.com/store/", "https://media.example.com/store"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, &httpapi.Options{PublicURL: test.public})
			want := test.want
			if want == "" {
				want = s.url
			}
			for _, path := range []string{"/openapi.json", "/docs/openapi.json"} {
				s.as("Authorization", "", "X-Namespace", "").do("GET", path, nil).want(http.StatusOK).
					wantAt("openapi", "3.1.0").wantAt("servers.0.url", want).wantAt("servers.1", "<nil>").wantAt("info.title", "bucketlite")
			}
		})
	}
}

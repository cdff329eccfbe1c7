package contract

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

func ourContract(t *testing.T) *contract {
	t.Helper()
	c, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// operations calls f for every operation of a document.
func (c *contract) operations(f func(method, path string, item *v3.PathItem, op *v3.Operation)) {
	for path, item := range c.model.Paths.PathItems.FromOldest() {
		for method, op := range item.GetOperations().FromOldest() {
			f(strings.ToUpper(method), path, item, op)
		}
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	c := ourContract(t)
	if _, errs := c.validator.ValidateDocument(); len(errs) > 0 {
		for _, err := range errs {
			t.Error(err)
		}
	}
	var tags []string
	for _, tag := range c.model.Tags {
		tags = append(tags, tag.Name)
	}
	seen := map[string]bool{}
	c.operations(func(method, path string, _ *v3.PathItem, op *v3.Operation) {
		name := method + " " + path
		if !regexp.MustCompile(`^[a-z][A-Za-z0-9_]+$`).MatchString(op.OperationId) || seen[op.OperationId] {
			t.Errorf("%s: got operation id %q, want one of its own that generators can use", name, op.OperationId)
		}
		seen[op.OperationId] = true
		if op.Summary == "" || len(op.Tags) != 1 || !slices.Contains(tags, op.Tags[0]) {
			t.Errorf("%s: got summary %q and tags %q, want a summary and one tag that is described", name, op.Summary, op.Tags)
		}
		var got, want []string
		for _, p := range op.Parameters {
			if p.In == "path" {
				got = append(got, "{"+p.Name+"}")
			}
		}
		if want = regexp.MustCompile(`\{[^}]*\}`).FindAllString(path, -1); !slices.Equal(got, want) {
			t.Errorf("%s: got path parameters %q, want %q", name, got, want)
		}
	})
}

// TestDocumentIDs requires the ids of the hosted service for the operations that it has:
// each is a name, the path and the method, with "_" for all that no identifier contains.
func TestDocumentIDs(t *testing.T) {
	t.Parallel()
	other := regexp.MustCompile(`[^A-Za-z0-9]`)
	ourContract(t).operations(func(method, path string, _ *v3.PathItem, op *v3.Operation) {
		if op.Extensions.GetOrZero("x-extension") != nil {
			return
		}
		if want := other.ReplaceAllString(path, "_") + "_" + strings.ToLower(method); !strings.HasSuffix(op.OperationId, want) {
			t.Errorf("%s %s: got operation id %q, want one that ends in %q", method, path, op.OperationId, want)
		}
	})
}

// TestDocumentExamples validates each example against the schema beside it.
func TestDocumentExamples(t *testing.T) {
	t.Parallel()
	c := ourContract(t)
	examples := 0
	c.operations(func(method, path string, item *v3.PathItem, op *v3.Operation) {
		header := http.Header{"Content-Type": {"application/json"}}
		req, err := http.NewRequest(method, "http://127.0.0.1"+regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "x"), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		if op.RequestBody != nil {
			if media := op.RequestBody.Content.GetOrZero("application/json"); media != nil && media.Example != nil {
				examples++
				req.Body = io.NopCloser(bytes.NewReader(exampleJSON(t, media)))
				_, errs := c.validator.GetRequestBodyValidator().ValidateRequestBodyWithPathItem(req, item, path)
				for _, err := range errs {
					t.Errorf("%s: the request: %v: %v", op.OperationId, err, err.SchemaValidationErrors)
				}
			}
		}
		for _, response := range op.Responses.Codes.FromOldest() {
			if response.Content == nil {
				continue
			}
			media := response.Content.GetOrZero("application/json")
			if media == nil || media.Example == nil {
				continue
			}
			examples++
			resp := &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(bytes.NewReader(exampleJSON(t, media)))}
			_, errs := c.validator.GetResponseBodyValidator().ValidateResponseBodyWithPathItem(req, resp, item, path)
			for _, err := range errs {
				t.Errorf("%s: the answer: %v: %v", op.OperationId, err, err.SchemaValidationErrors)
			}
		}
	})
	if examples < 30 {
		t.Errorf("got %d examples, want 30 or more", examples)
	}
}

func exampleJSON(t *testing.T, media *v3.MediaType) []byte {
	t.Helper()
	var v any
	if err := media.Example.Decode(&v); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestDocumentCovers holds our document against that of the flag -contract: what that
// has is here, and what it has not is marked as an extension.
func TestDocumentCovers(t *testing.T) {
	t.Parallel()
	c := ourContract(t)
	hosted, err := theirs()
	if err != nil {
		t.Fatal(err)
	}
	if hosted == nil {
		t.Log("no document to compare with: see the flag -contract")
		return
	}
	parameters := func(c *contract, op *v3.Operation) (names []string) {
		for _, p := range op.Parameters {
			extension := p.Extensions.GetOrZero("x-extension") != nil
			if !extension && !strings.EqualFold(p.Name, "Authorization") {
				names = append(names, p.In+" "+p.Name)
			}
		}
		slices.Sort(names)
		return names
	}
	hosted.operations(func(method, path string, _ *v3.PathItem, op *v3.Operation) {
		item := c.model.Paths.PathItems.GetOrZero(path)
		if item == nil || item.GetOperations().GetOrZero(strings.ToLower(method)) == nil {
			t.Errorf("%s %s: missing", method, path)
			return
		}
		ourOp := item.GetOperations().GetOrZero(strings.ToLower(method))
		if got, want := parameters(c, ourOp), parameters(hosted, op); !slices.Equal(got, want) {
			t.Errorf("%s %s: got parameters %q, want %q", method, path, got, want)
		}
		if got, want := ourOp.OperationId, op.OperationId; got != want {
			t.Errorf("%s %s: got operation id %q, want %q", method, path, got, want)
		}
	})
	c.operations(func(method, path string, _ *v3.PathItem, op *v3.Operation) {
		item := hosted.model.Paths.PathItems.GetOrZero(path)
		got := op.Extensions.GetOrZero("x-extension") != nil
		if want := item == nil || item.GetOperations().GetOrZero(strings.ToLower(method)) == nil; got != want {
			t.Errorf("%s %s: got marked as an extension %t, want %t", method, path, got, want)
		}
	})
}

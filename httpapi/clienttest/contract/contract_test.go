package contract

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	invalid "github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi/datamodel"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// contractFile is the hosted service's own document. It is not part of this project;
// who has it can see that requests and answers are of its form too.
var contractFile = flag.String("contract", "", "an OpenAPI `file` that requests and answers are validated against as well")

// A contract is an OpenAPI document that exchanges are validated against.
type contract struct {
	name      string
	hosted    bool // the hosted service's, not ours
	model     *v3.Document
	validator validator.Validator
	mux       *http.ServeMux // to find an exchange's operation
}

// newContract reads a document. It takes a while: once a process is enough.
func newContract(name string, text []byte, hosted bool) (*contract, error) {
	// The schemas of fields and filters contain themselves, which is no fault.
	doc, err := libopenapi.NewDocumentWithConfiguration(text, &datamodel.DocumentConfiguration{
		IgnorePolymorphicCircularReferences: true, IgnoreArrayCircularReferences: true,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := &contract{name: name, hosted: hosted, model: &model.Model, mux: http.NewServeMux()}
	var opts []config.Option
	if !hosted { // whose formats are narrower than what is taken, as of dates
		opts = append(opts, config.WithFormatAssertions())
	}
	c.validator = validator.NewValidatorFromV3Model(c.model, opts...)
	c.validator.SetDocument(doc)
	for path, item := range c.model.Paths.PathItems.FromOldest() {
		for method := range item.GetOperations().FromOldest() {
			if path == "/" {
				path = "/{$}" // no other path
			}
			c.mux.Handle(strings.ToUpper(method)+" "+path, http.NotFoundHandler())
		}
	}
	return c, nil
}

// find returns where the document describes a request, whose path may end in a slash; nil
// if it does not.
func (c *contract) find(req *http.Request) (item *v3.PathItem, path string, op *v3.Operation) {
	if req.URL.Path == "//" { // which is not the root
		return nil, "", nil
	}
	bare := *req
	bare.URL = new(*req.URL)
	bare.URL.Path, bare.URL.RawPath = strings.TrimSuffix(req.URL.Path, "/"), strings.TrimSuffix(req.URL.RawPath, "/")
	_, pattern := c.mux.Handler(&bare)
	method, path, _ := strings.Cut(pattern, " ")
	if method != req.Method { // also HEAD, where there is a GET
		return nil, "", nil
	}
	path = strings.TrimSuffix(path, "{$}")
	item = c.model.Paths.PathItems.GetOrZero(path)
	return item, path, item.GetOperations().GetOrZero(strings.ToLower(method))
}

// ours is the document the handler serves. An answer has only the members that it
// names.
var ours = sync.OnceValues(func() (*contract, error) {
	text, err := os.ReadFile("../../openapi.json")
	if err != nil {
		return nil, err
	}
	if text, err = closed(text); err != nil {
		return nil, err
	}
	return newContract("openapi.json", text, false)
})

// theirs is the document of the flag -contract, nil without one.
var theirs = sync.OnceValues(func() (*contract, error) {
	if *contractFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(*contractFile)
	if err != nil {
		return nil, err
	}
	return newContract(*contractFile, text, true)
})

// closed returns a document in which the schemas that are answers alone refuse
// members that they do not name, unless they say otherwise.
func closed(text []byte) ([]byte, error) {
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	requested := map[string]bool{}
	var mark func(v any)
	mark = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, v := range v {
				mark(v)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				name := strings.TrimPrefix(ref, "#/components/schemas/")
				if !requested[name] {
					requested[name] = true
					mark(schemas[name])
				}
			}
			for _, v := range v {
				mark(v)
			}
		}
	}
	for _, item := range doc["paths"].(map[string]any) {
		for _, op := range item.(map[string]any) {
			mark(op.(map[string]any)["requestBody"])
		}
	}
	for name, schema := range schemas {
		schema := schema.(map[string]any)
		if _, ok := schema["additionalProperties"]; !ok && !requested[name] && schema["properties"] != nil {
			schema["additionalProperties"] = false
		}
	}
	return json.Marshal(doc)
}

// faults returns what of an exchange is not of the document's form:
//
//   - An answer must be, whatever its status: one that the document lacks is wrong.
//   - A request that was taken must be too, unless a Warning header says that it was
//     tolerated, or the exchange does.
//
// If op is not empty, it is the id of the operation, and the request was taken.
func (c *contract) faults(e exchange) (faults []string, taken string) {
	req, resp, err := e.messages()
	if err != nil {
		return []string{err.Error()}, ""
	}
	sent := e.Body
	item, path, op := c.find(req)
	switch resp.StatusCode {
	case http.StatusMethodNotAllowed:
		return nil, "" // of no operation
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable:
		if c.hosted {
			return nil, "" // it lacks them
		}
	}
	if op == nil {
		// HEAD is what GET is, OPTIONS is for browsers, routes of tests are in no document, and
		// what the hosted service's lacks is an extension.
		known := c.hosted || resp.StatusCode == http.StatusNotFound || req.Method == http.MethodHead || req.Method == http.MethodOptions || strings.HasPrefix(req.URL.Path, "/test/")
		if !known {
			faults = append(faults, "no such operation")
		}
		return faults, ""
	}
	if resp.StatusCode < 300 {
		taken = op.OperationId
	}
	note := func(what string, errs []*invalid.ValidationError) {
		for _, err := range errs {
			text := what + ": " + err.Message + ": " + err.Reason
			for _, s := range err.SchemaValidationErrors {
				text += "\n\t" + s.FieldPath + ": " + s.Reason
			}
			faults = append(faults, text)
		}
	}
	request := *req
	if c.hosted { // null counts as absent, and no body as an empty object, also where it does not say so
		if sent = withoutNulls(sent); len(sent) == 0 && op.RequestBody != nil {
			sent = []byte("{}")
			request.Header = req.Header.Clone()
			request.Header.Set("Content-Type", "application/json")
		}
	}
	request.Body = io.NopCloser(bytes.NewReader(sent))
	asked := strings.HasPrefix(op.OperationId, "validate") // whether it is right is the question
	if resp.StatusCode < 300 && !e.Tolerant && !asked && resp.Header.Get("Warning") == "" {
		_, errs := c.validator.ValidateHttpRequestSyncWithPathItem(&request, item, path)
		note("request", errs)
	}
	_, errs := c.validator.GetResponseBodyValidator().ValidateResponseBodyWithPathItem(&request, resp, item, path)
	note("answer", errs)
	return faults, taken
}

// withoutNulls returns JSON without the members that are null.
func withoutNulls(text []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var doc any
	if d.Decode(&doc) != nil { // there is nothing
		return text
	}
	var drop func(v any)
	drop = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, v := range v {
				drop(v)
			}
		case map[string]any:
			maps.DeleteFunc(v, func(_ string, v any) bool { return v == nil })
			for _, v := range v {
				drop(v)
			}
		}
	}
	drop(doc)
	text, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return text
}

// The validation finds what is wrong with an exchange.
func TestFaults(t *testing.T) {
	t.Parallel()
	const task = `"task_id": "task_01KB5V9Q2M8Z7X4T3R6N1C0D5E", "status": "PENDING"`
	const bucket = `"bucket_id": "bkt_01KB5V9Q2M8Z7X4T3R6N1C0D5E", "bucket_name": "a"`
	const missing = `{"success": false, "status": 404, "error": {"type": "NotFoundError", "message": "m", "details": {}}}`
	tests := []struct {
		name, method, path, body string
		status                   int
		header, answer           string // the name and value of a header
		want                     []string
	}{
		{"right", "DELETE", "/v1/buckets/a", "", 200, "", `{` + task + `, ` + bucket + `, "object_count": 0}`, nil},
		{"a member that is missing", "DELETE", "/v1/buckets/a", "", 200, "", `{` + task + `, ` + bucket + `}`, []string{"object_count"}},
		{"a member too many", "DELETE", "/v1/buckets/a", "", 200, "", `{` + task + `, ` + bucket + `, "object_count": 0, "extra": 1}`, []string{"extra"}},
		{"a member of another type", "DELETE", "/v1/buckets/a", "", 200, "", `{` + task + `, ` + bucket + `, "object_count": null}`, []string{"$.object_count"}},
		{"no JSON", "DELETE", "/v1/buckets/a", "", 200, "Content-Type text/plain", "gone", []string{"text/plain"}},
		{"a status of its own", "DELETE", "/v1/buckets/a", "", 202, "", `{}`, []string{"202"}},
		{"an error", "GET", "/v1/buckets/a", "", 404, "", missing, nil},
		{"an error without an envelope", "GET", "/v1/buckets/a", "", 404, "", `{"detail": "not found"}`, []string{"success"}},
		{"no operation", "GET", "/v1/nothing", "", 200, "", `{}`, []string{"no such operation"}},
		{"no operation, and not found", "GET", "/v1/nothing", "", 404, "", missing, nil},
		{"a request", "POST", "/v1/buckets/a/batches/b/objects", `{"object_ids": 5}`, 404, "", missing, nil},
		{"a request that was taken", "POST", "/v1/buckets/a/indexes", `{"kind": "value", "path": 5}`, 200, "", `{"results": []}`, []string{"$.path"}},
		{"a request that was tolerated", "POST", "/v1/buckets/a/indexes", `{"kind": "VALUE"}`, 200, "Warning 299 x", `{"results": []}`, nil},
		{"a request to be checked", "POST", "/v1/buckets/validate", `{"bucket_name": 5}`, 200, "", `{"valid": false, "validation_errors": []}`, nil},
		{"a query", "DELETE", "/v1/buckets/a/indexes?kind=hash&path=a", "", 204, "Content-Type ", "", []string{"kind"}},
		{"nothing where nothing is due", "DELETE", "/v1/buckets/a/indexes?kind=value&path=a", "", 204, "Content-Type ", "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := exchange{
				Method: test.method, URL: "http://127.0.0.1" + test.path, Length: int64(len(test.body)), Body: []byte(test.body),
				Header: http.Header{"Authorization": {"Bearer x"}, "X-Namespace": {"x"}, "Content-Type": {"application/json"}},
				Status: test.status, AnswerHeader: http.Header{"Content-Type": {"application/json"}}, Answer: []byte(test.answer),
			}
			if name, value, ok := strings.Cut(test.header, " "); ok {
				e.AnswerHeader.Set(name, value)
			}
			faults, taken := ourContract(t).faults(e)
			if len(faults) == 0 && len(test.want) > 0 || len(faults) > 0 && len(test.want) == 0 {
				t.Fatalf("got faults %q, want %q", faults, test.want)
			}
			for _, want := range test.want {
				if !strings.Contains(strings.Join(faults, "\n"), want) {
					t.Errorf("got faults %q, want %q", faults, want)
				}
			}
			if want := test.status < 300 && test.path != "/v1/nothing"; (taken != "") != want {
				t.Errorf("got operation %q, want one %t", taken, want)
			}
		})
	}
}

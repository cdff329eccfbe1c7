package httpapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"mime"
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
	"go.uber.org/goleak"
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
			c.mux.Handle(strings.ToUpper(method)+" "+path, http.NotFoundHandler())
		}
	}
	return c, nil
}

// find returns where the document describes a request, whose path may end in a slash; nil
// if it does not.
func (c *contract) find(req *http.Request) (item *v3.PathItem, path string, op *v3.Operation) {
	bare := *req
	bare.URL = new(*req.URL)
	bare.URL.Path, bare.URL.RawPath = strings.TrimSuffix(req.URL.Path, "/"), strings.TrimSuffix(req.URL.RawPath, "/")
	_, pattern := c.mux.Handler(&bare)
	method, path, _ := strings.Cut(pattern, " ")
	if method != req.Method { // also HEAD, where there is a GET
		return nil, "", nil
	}
	item = c.model.Paths.PathItems.GetOrZero(path)
	return item, path, item.GetOperations().GetOrZero(strings.ToLower(method))
}

// ours is the document the handler serves. An answer has only the members that it
// names.
var ours = sync.OnceValues(func() (*contract, error) {
	text, err := os.ReadFile("openapi.json")
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

// driven are the ids of our document's operations that succeeded in some test.
var driven sync.Map

// TestMain sees that all operations did, and that no goroutine is left.
func TestMain(m *testing.M) { goleak.VerifyTestMain(driving{m}) }

// driving runs all tests, and sees that they have driven all operations, unless only
// some were to be run.
type driving struct{ *testing.M }

// Run returns the status to exit with.
func (d driving) Run() int {
	code := d.M.Run()
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.bench", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" {
			return code
		}
	}
	c, err := ours()
	if code != 0 || err != nil {
		return code
	}
	c.operations(func(_, _ string, _ *v3.PathItem, op *v3.Operation) {
		if _, ok := driven.Load(op.OperationId); !ok {
			fmt.Fprintf(os.Stderr, "no test has driven operation %s\n", op.OperationId)
			code = 1
		}
	})
	return code
}

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

// A validated transport fails the test if an exchange is not of the form of the
// handler's document, or of that of the flag -contract:
//
//   - An answer must be, whatever its status: one that the document lacks is wrong.
//   - A request that was taken must be too, unless a Warning header says that it was
//     tolerated, or tolerant is set.
//
// It reads bodies of JSON to the end before it hands them on, and no others.
type validated struct {
	t        testing.TB
	next     http.RoundTripper
	tolerant bool // requests need not be of the document's form
}

// validating returns a client like another, whose transport is validated.
func validating(t testing.TB, client *http.Client) *http.Client {
	other := *client
	other.Transport = validated{t: t, next: client.Transport}
	if client.Transport == nil {
		other.Transport = validated{t: t, next: http.DefaultTransport}
	}
	return &other
}

// RoundTrip sends a request and validates it and its answer.
func (v validated) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []byte
	hasBody := req.Body != nil && req.Body != http.NoBody && isJSON(req.Header)
	if hasBody {
		var err error
		if sent, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body.Close()
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := v.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	var got []byte
	if isJSON(resp.Header) {
		if got, err = io.ReadAll(resp.Body); err != nil {
			return nil, err
		}
		resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(got))
	}
	for _, load := range []func() (*contract, error){ours, theirs} {
		c, err := load()
		if err != nil {
			v.t.Error(err)
		} else if c != nil {
			for _, fault := range c.judge(req, sent, resp, got, v.tolerant) {
				v.t.Errorf("%s %s: status %d: %s: %s", req.Method, req.URL.Path, resp.StatusCode, c.name, fault)
			}
		}
	}
	return resp, nil
}

// judge returns what of an exchange is not of the document's form.
func (c *contract) judge(req *http.Request, sent []byte, resp *http.Response, got []byte, tolerant bool) (faults []string) {
	item, path, op := c.find(req)
	switch resp.StatusCode {
	case http.StatusMethodNotAllowed:
		return nil // of no operation
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable:
		if c.hosted {
			return nil // it lacks them
		}
	}
	if op == nil {
		// HEAD is what GET is, routes of tests are in no document, and what the hosted
		// service's lacks is an extension.
		known := c.hosted || resp.StatusCode == http.StatusNotFound || req.Method == http.MethodHead || strings.HasPrefix(req.URL.Path, "/test/")
		if !known {
			faults = append(faults, "no such operation")
		}
		return faults
	}
	if !c.hosted && resp.StatusCode < 300 {
		driven.Store(op.OperationId, true)
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
	if resp.StatusCode < 300 && !tolerant && !asked && resp.Header.Get("Warning") == "" {
		_, errs := c.validator.ValidateHttpRequestSyncWithPathItem(&request, item, path)
		note("request", errs)
	}
	answer := *resp
	answer.Body = io.NopCloser(bytes.NewReader(got))
	_, errs := c.validator.GetResponseBodyValidator().ValidateResponseBodyWithPathItem(&request, &answer, item, path)
	note("answer", errs)
	return faults
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

func isJSON(h http.Header) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind == "application/json"
}

// A witness hears of what is wrong in place of a test.
type witness struct {
	testing.TB
	faults []string
}

func (w *witness) Errorf(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

func (w *witness) Error(args ...any) { w.faults = append(w.faults, fmt.Sprint(args...)) }

// TestValidated sees that the validation of exchanges, which all other tests rely on,
// finds what is wrong.
func TestValidated(t *testing.T) {
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
			w := &witness{TB: t}
			client := &http.Client{Transport: validated{t: w, next: roundTrip(func(req *http.Request) (*http.Response, error) {
				resp := &http.Response{StatusCode: test.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(test.answer)), Request: req}
				if name, value, ok := strings.Cut(test.header, " "); ok {
					resp.Header.Set(name, value)
				}
				return resp, nil
			})}}
			req, err := http.NewRequest(test.method, "http://127.0.0.1"+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header = http.Header{"Authorization": {"Bearer x"}, "X-Namespace": {"x"}, "Content-Type": {"application/json"}}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got, err := io.ReadAll(resp.Body); err != nil || string(got) != test.answer {
				t.Errorf("got answer %q, %v, want %q", got, err, test.answer)
			}
			if len(w.faults) == 0 && len(test.want) > 0 || len(w.faults) > 0 && len(test.want) == 0 {
				t.Fatalf("got faults %q, want %q", w.faults, test.want)
			}
			for _, want := range test.want {
				if !strings.Contains(strings.Join(w.faults, "\n"), want) {
					t.Errorf("got faults %q, want %q", w.faults, want)
				}
			}
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

package httpapi_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// exchangesVariable names the file that all exchanges of these tests are recorded in.
// Package contract, in the module clienttest, sets it, runs the tests, and validates every
// exchange against openapi.json. Its OpenAPI libraries are no dependencies of this module.
const exchangesVariable = "BUCKETLITE_EXCHANGES"

// exchanges are those of all tests; nil if they are not recorded.
var exchanges *recorder

// TestMain makes sure that no goroutine is left, and that the recording is complete.
func TestMain(m *testing.M) { goleak.VerifyTestMain(recordedTests{m}) }

type recordedTests struct{ *testing.M }

// Run returns the status to exit with.
func (r recordedTests) Run() int {
	path := os.Getenv(exchangesVariable)
	if path == "" {
		return r.M.Run()
	}
	var err error
	if exchanges, err = newRecorder(path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := r.M.Run()
	if err := exchanges.close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// exchange is a request and its answer. Package contract has the same type.
type exchange struct {
	Test         string      `json:"test"`
	Method       string      `json:"method"`
	URL          string      `json:"url"`
	Header       http.Header `json:"header"`
	Length       int64       `json:"length"`
	Body         []byte      `json:"body"` // only JSON
	Status       int         `json:"status"`
	AnswerHeader http.Header `json:"answer_header"`
	Answer       []byte      `json:"answer"` // only JSON
	Tolerant     bool        `json:"tolerant"`
}

// recorder writes exchanges to a file, one a line.
type recorder struct {
	mu   sync.Mutex
	file *os.File
	w    *bufio.Writer
	err  error // the first
}

func newRecorder(path string) (*recorder, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &recorder{file: f, w: bufio.NewWriter(f)}, nil
}

func (r *recorder) record(e exchange) {
	line, err := json.Marshal(e)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		_, err = r.w.Write(append(line, '\n'))
	}
	if r.err == nil {
		r.err = err
	}
}

func (r *recorder) close() error { return errors.Join(r.err, r.w.Flush(), r.file.Close()) }

// A recorded transport records its exchanges if r is not nil. It reads bodies of JSON to
// the end before it hands them on, and no others.
type recorded struct {
	test     string
	r        *recorder
	next     http.RoundTripper
	tolerant bool // requests need not be of the document's form
}

// recording returns a client like another, whose transport is recorded.
func recording(t testing.TB, client *http.Client) *http.Client {
	other := *client
	other.Transport = recorded{test: t.Name(), r: exchanges, next: client.Transport}
	if client.Transport == nil {
		other.Transport = recorded{test: t.Name(), r: exchanges, next: http.DefaultTransport}
	}
	return &other
}

// RoundTrip sends a request and records it and its answer.
func (v recorded) RoundTrip(req *http.Request) (*http.Response, error) {
	e := exchange{Test: v.test, Method: req.Method, URL: req.URL.String(), Header: req.Header.Clone(), Length: req.ContentLength, Tolerant: v.tolerant}
	if req.Body != nil && req.Body != http.NoBody && isJSON(req.Header) {
		var err error
		if e.Body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body.Close()
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(e.Body))
	}
	resp, err := v.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if isJSON(resp.Header) {
		if e.Answer, err = io.ReadAll(resp.Body); err != nil {
			return nil, err
		}
		resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(e.Answer))
	}
	if v.r != nil {
		e.Status, e.AnswerHeader = resp.StatusCode, resp.Header
		v.r.record(e)
	}
	return resp, nil
}

func isJSON(h http.Header) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind == "application/json"
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A recording has every exchange, as it was, and the client notices nothing.
func TestRecording(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "exchanges.jsonl")
	r, err := newRecorder(path)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: recorded{test: "a test", r: r, tolerant: true, next: roundTrip(func(req *http.Request) (*http.Response, error) {
		sent, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		header := http.Header{"Content-Type": {req.Header.Get("Accept")}}
		return &http.Response{StatusCode: 418, Header: header, Body: io.NopCloser(bytes.NewReader(append(sent, '!'))), Request: req}, nil
	})}}
	for _, test := range []struct{ kind, accept string }{{"application/json", "application/json; charset=utf-8"}, {"text/plain", "text/plain"}} {
		req, err := http.NewRequest("PUT", "http://127.0.0.1/a%2Fb?c=d", strings.NewReader("\xff5"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", test.kind)
		req.Header.Set("Accept", test.accept)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(got) != "\xff5!" {
			t.Errorf("%s: got answer %q, %v", test.kind, got, err)
		}
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"test":"a test","method":"PUT","url":"http://127.0.0.1/a%2Fb?c=d","header":{"Accept":["application/json; charset=utf-8"],"Content-Type":["application/json"]},"length":2,"body":"/zU=","status":418,"answer_header":{"Content-Type":["application/json; charset=utf-8"]},"answer":"/zUh","tolerant":true}
{"test":"a test","method":"PUT","url":"http://127.0.0.1/a%2Fb?c=d","header":{"Accept":["text/plain"],"Content-Type":["text/plain"]},"length":2,"body":null,"status":418,"answer_header":{"Content-Type":["text/plain"]},"answer":null,"tolerant":true}
`
	if string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

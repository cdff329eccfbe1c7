package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// testProcessor is the first argument by which the test binary is what --processor
// exec runs.
const testProcessor = "test-processor"

// runTestProcessor is the program. It returns the exit status.
func runTestProcessor(args []string) int {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	switch args[0] {
	case "record": // what it was given, into a file
		record := map[string]string{"input": string(input), "args": strings.Join(args[2:], "|")}
		for _, v := range os.Environ() {
			if name, text, _ := strings.Cut(v, "="); strings.HasPrefix(name, "BUCKETLITE_") {
				record[name] = text
			}
		}
		text, err := json.Marshal(record)
		if err == nil {
			err = os.WriteFile(args[1], text, 0o600)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	case "fail":
		fmt.Fprint(os.Stderr, strings.Repeat("noise ", 1000), args[1], "\n")
		return 3
	case "silent":
		return 4
	case "hang":
		time.Sleep(time.Minute)
	}
	return 0
}

// processed is the result of processing one object once.
type processed struct {
	bucket *bucketlite.Bucket
	object *bucketlite.Object
	batch  *bucketlite.Batch
	failed *bucketlite.ErrorDetail // nil if it did not
}

// processOnce has one object processed as the flags say.
func processOnce(t *testing.T, args ...string) processed {
	t.Helper()
	st, err := bucketlite.Open(t.Context(), ":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	p := submit(t, st)
	process := processorOf(t, args...)
	if err := st.Process(t.Context(), process, &bucketlite.ProcessOptions{UntilIdle: true, MaxAttempts: 1}); err != nil {
		t.Fatal(err)
	}
	if p.object, err = p.bucket.Object(t.Context(), p.object.ID); err != nil {
		t.Fatal(err)
	}
	for job, err := range p.bucket.FailedJobs(t.Context(), p.batch.ID, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		p.failed = &job.Error
	}
	return p
}

// submit submits a batch of one object in a bucket "things" of a namespace "test".
func submit(t *testing.T, st *bucketlite.Store) (p processed) {
	t.Helper()
	ctx := t.Context()
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	schema := bucketlite.Schema{Properties: map[string]bucketlite.Field{"title": {Type: bucketlite.String}}}
	if p.bucket, err = ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "things", Schema: schema}); err != nil {
		t.Fatal(err)
	}
	put, err := p.bucket.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"title": "<one> & \"only\""}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.object = put.Object
	if p.batch, err = p.bucket.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{p.object.ID}}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.bucket.SubmitBatch(ctx, p.batch.ID); err != nil {
		t.Fatal(err)
	}
	return p
}

// processorOf returns the processor that flags of "serve" describe.
func processorOf(t *testing.T, args ...string) func(context.Context, *bucketlite.Job) error {
	t.Helper()
	process, err := parseServe(t, args...).newProcessor()
	if err != nil {
		t.Fatal(err)
	}
	return process
}

// execArgs are the flags that run the test binary.
func execArgs(t *testing.T, args ...string) []string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	flags := []string{"--processor", "exec=" + program, "--processor-arg", testProcessor}
	for _, arg := range args {
		flags = append(flags, "--processor-arg", arg)
	}
	return flags
}

func TestProcessorComplete(t *testing.T) {
	t.Parallel()
	if p := processOnce(t); p.object.Status != bucketlite.StatusCompleted {
		t.Errorf("got %s, want COMPLETED", p.object.Status)
	}
	if process := processorOf(t, "--processor", "none"); process != nil {
		t.Error("got a processor, want none")
	}
	if process := processorOf(t, "--read-only"); process != nil {
		t.Error("got a processor that would write, want none")
	}
}

// The program sees the object, what it belongs to, its arguments as they are, and no
// secret of the server.
func TestProcessorExec(t *testing.T) {
	t.Setenv(keyVariable, "sk_secret")
	t.Setenv(signingVariable, "secret")
	file := filepath.Join(t.TempDir(), "record")
	p := processOnce(t, execArgs(t, "record", file, "a b", `"c"`, "$HOME")...)
	if p.object.Status != bucketlite.StatusCompleted {
		t.Fatalf("got %s, want COMPLETED: %+v", p.object.Status, p.failed)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var record map[string]string
	if err := json.Unmarshal(text, &record); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"args": `a b|"c"|$HOME`, "BUCKETLITE_BATCH_ID": p.batch.ID, "BUCKETLITE_BUCKET_ID": p.bucket.ID(),
		"BUCKETLITE_BUCKET_NAME": "things", "BUCKETLITE_ATTEMPT": "1", keyVariable: "", signingVariable: "",
	} {
		if record[name] != want {
			t.Errorf("%s: got %q, want %q", name, record[name], want)
		}
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(record["input"]), &object); err != nil {
		t.Fatal(err)
	}
	if object["object_id"] != p.object.ID || object["title"] != "<one> & \"only\"" {
		t.Errorf("got object %v", object)
	}
}

func TestProcessorExecFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		args     []string
		flags    []string
		category bucketlite.ErrorCategory
		want     string
	}{
		{"with the end of what it said", []string{"fail", "no such codec"}, nil, bucketlite.CategoryRuntime, "noise no such codec"},
		{"without a word", []string{"silent"}, nil, bucketlite.CategoryRuntime, "the program ended with exit status 4"},
		{"in too long a time", []string{"hang"}, []string{"--processor-timeout", "100ms"}, bucketlite.CategoryNetwork, "the program ran for longer than 100ms"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := processOnce(t, append(execArgs(t, test.args...), test.flags...)...)
			wantFailure(t, p, test.category, test.want)
			if n := len(p.failed.Message); n > 2000 {
				t.Errorf("got a message of %d bytes, want 2000 or less", n)
			}
		})
	}
}

func wantFailure(t *testing.T, p processed, category bucketlite.ErrorCategory, suffix string) {
	t.Helper()
	if p.object.Status != bucketlite.StatusFailed || p.failed == nil {
		t.Fatalf("got %s, want FAILED", p.object.Status)
	}
	if p.failed.Category != category || !strings.HasSuffix(p.failed.Message, suffix) {
		t.Errorf("got %s: %s, want %s: …%s", p.failed.Category, p.failed.Message, category, suffix)
	}
}

// A job that is taken away is not a failed one.
func TestProcessorHandsBack(t *testing.T) {
	t.Parallel()
	hung := make(chan struct{})
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		close(hung)
		<-r.Context().Done()
	}))
	defer ts.Close()
	st, err := bucketlite.Open(t.Context(), ":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	p := submit(t, st)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- st.Process(ctx, processorOf(t, "--processor", "webhook="+ts.URL), nil) }()
	<-hung
	cancel()
	<-ended
	attempt := 0
	err = st.Process(t.Context(), func(_ context.Context, job *bucketlite.Job) error {
		attempt = job.Attempt
		return nil
	}, &bucketlite.ProcessOptions{UntilIdle: true})
	if err != nil || attempt != 1 {
		t.Errorf("got attempt %d of %s and %v, want that the first does not count", attempt, p.object.ID, err)
	}
}

func TestProcessorWebhook(t *testing.T) {
	t.Parallel()
	var got posted
	var raw map[string]any
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(text, &raw)
		}
		if err == nil {
			err = json.Unmarshal(text, &got)
		}
		if err != nil || r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %s with %q, %v", r.Method, r.Header.Get("Content-Type"), err)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer ts.Close()
	p := processOnce(t, "--processor", "webhook="+ts.URL+"/hook?a=b")
	if p.object.Status != bucketlite.StatusCompleted {
		t.Fatalf("got %s, want COMPLETED: %+v", p.object.Status, p.failed)
	}
	ids := []string{got.BucketID, got.BucketName, got.BatchID}
	if want := []string{p.bucket.ID(), "things", p.batch.ID}; !slices.Equal(ids, want) {
		t.Errorf("bucket, its name and batch: got %q, want %q", ids, want)
	}
	if got.Attempt != 1 {
		t.Errorf("attempt: got %d, want 1", got.Attempt)
	}
	if object, ok := raw["object"].(map[string]any); !ok || object["object_id"] != p.object.ID {
		t.Errorf("got object %v", raw["object"])
	}
}

func TestProcessorWebhookFails(t *testing.T) {
	t.Parallel()
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/broken":
			http.Error(w, "out of order", http.StatusInternalServerError)
		case "/elsewhere":
			http.Redirect(w, r, "/reached", http.StatusTemporaryRedirect)
		case "/reached":
			t.Error("a redirect was followed")
		case "/hang":
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}
	}))
	defer ts.Close()
	tests := []struct {
		name, path string
		flags      []string
		want       string
	}{
		{"status", "/broken", nil, "500 Internal Server Error: out of order"},
		{"redirect", "/elsewhere", nil, "307 Temporary Redirect"},
		{"time", "/hang", []string{"--processor-timeout", "50ms"}, "(Client.Timeout exceeded while awaiting headers)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := processOnce(t, append([]string{"--processor", "webhook=" + ts.URL + test.path}, test.flags...)...)
			wantFailure(t, p, bucketlite.CategoryNetwork, test.want)
		})
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	p := processOnce(t, "--processor", "webhook="+gone.URL+"?token=secret")
	wantFailure(t, p, bucketlite.CategoryNetwork, "")
	if strings.Contains(p.failed.Message, "secret") {
		t.Errorf("got %q, with the secret of the URL", p.failed.Message)
	}
}

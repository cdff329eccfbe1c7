package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
)

// parseServe returns the flags of "serve" as a command line sets them.
func parseServe(t *testing.T, args ...string) *serveFlags {
	t.Helper()
	f := new(serveFlags)
	c := newServeCommandWith(newApp(strings.NewReader(""), io.Discard, io.Discard), f)
	if err := c.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return f
}

// A served is a server that runs within the test.
type served struct {
	t testing.TB
	greeting
	stop func()   // as a signal does
	code chan int // receives the exit code
	log  *logged
}

// logged is standard error.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// startServer runs "serve" at a free port, and ends it with the test.
func startServer(t testing.TB, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{t: t, stop: cancel, code: make(chan int, 1), log: new(logged)}
	r, w := io.Pipe()
	go func() {
		code := newApp(strings.NewReader(""), w, s.log).run(ctx, append([]string{"serve", "--addr", "127.0.0.1:0", "--json"}, args...))
		s.code <- code
		w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-s.code:
		case <-time.After(time.Minute):
			t.Error("the server does not end")
		}
	})
	line, err := bufio.NewReader(r).ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(line), &s.greeting)
	}
	if err != nil {
		t.Fatalf("%v in %q\n%s", err, line, s.log)
	}
	return s
}

// wantExit fails the test unless the server has ended with this exit code.
func (s *served) wantExit(want int) {
	s.t.Helper()
	select {
	case code := <-s.code:
		if s.code <- code; code != want {
			s.t.Errorf("exit code %d, want %d\n%s", code, want, s.log)
		}
	case <-time.After(time.Minute):
		s.t.Fatal("the server does not end")
	}
}

// request returns a request with the server's key, or another one.
func (s *served) request(method, path, key string, body io.Reader) *http.Request {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if key == "" {
		key = s.Key
	}
	req.Header.Set("Authorization", "Bearer "+key)
	return req
}

// status sends a request and returns the status of the answer.
func (s *served) status(method, path, key string, body io.Reader) int {
	s.t.Helper()
	resp, err := http.DefaultClient.Do(s.request(method, path, key, body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting until %s", what)
		}
	}
}

const someBucket = `{"bucket_name": "films", "bucket_schema": {"properties": {"title": {"type": "string"}}}}`

// Pages of the named origins may read answers, and of any origin with "*" on loopback.
func TestServeOrigins(t *testing.T) {
	t.Parallel()
	const page = "http://localhost:5173"
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"none":  {nil, ""},
		"named": {[]string{"--cors-origin", "http://a.example", "--cors-origin", page}, page},
		"other": {[]string{"--cors-origin", "http://a.example"}, ""},
		"any":   {[]string{"--cors-origin", "*"}, "*"},
		"force": {[]string{"--cors-any"}, "*"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, append([]string{"--db", ":memory:"}, test.args...)...)
			req := s.request("GET", "/v1/namespaces", "", nil)
			req.Header.Set("Origin", page)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got := resp.Header.Get("Access-Control-Allow-Origin"); got != test.want || resp.StatusCode != http.StatusOK {
				t.Errorf("got status %d and Access-Control-Allow-Origin %q, want %q", resp.StatusCode, got, test.want)
			}
		})
	}
}

// Without a key one is made, which works, and is not in the log.
func TestServeMakesKey(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "new.db")
	s := startServer(t, "--db", db, "--default-namespace", "test", "--plain-io")
	if len(s.Key) != len("sk_")+32 || !strings.HasPrefix(s.Key, "sk_") {
		t.Errorf("key: got %q, want sk_ and 32 more bytes", s.Key)
	}
	if s.DB != db {
		t.Errorf("file: got %q, want %q", s.DB, db)
	}
	if s.Docs != s.URL+"/docs" {
		t.Errorf("documentation: got %q, want it below %q", s.Docs, s.URL)
	}
	if got := s.status("POST", "/v1/buckets", "", strings.NewReader(someBucket)); got != http.StatusOK {
		t.Errorf("with the key: got status %d", got)
	}
	if got := s.status("GET", "/v1/buckets", s.Key+"x", nil); got != http.StatusUnauthorized {
		t.Errorf("with another key: got status %d", got)
	}
	s.stop()
	s.wantExit(exitOK)
	if log := s.log.String(); strings.Contains(log, s.Key) || !strings.Contains(log, "path=/v1/buckets") {
		t.Errorf("got log %s, want the requests without the key", log)
	}
	if other := startServer(t, "--db", db); other.Key == s.Key {
		t.Error("got the same key again")
	}
	must(t, "", "check", "--db", db)
	if out := must(t, "", "ns", "list", "--db", db, "--json"); strings.Count(out, `"test"`) != 1 {
		t.Errorf("got namespaces %s, want the one that was made", out)
	}
}

// For people the key stands alone and in a line to be pasted.
func TestServeGreets(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	a := newApp(strings.NewReader(""), &out, io.Discard)
	a.db = "media.db"
	if err := a.greet(&net.TCPAddr{IP: net.IPv6zero, Port: 8080}, "sk_made", ""); err != nil {
		t.Fatal(err)
	}
	want := `Serving media.db at http://localhost:8080
API docs: http://localhost:8080/docs
API key for this run: sk_made
Try:
  curl -H "Authorization: Bearer sk_made" http://localhost:8080/v1/namespaces
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// Keys come from flags, a file and the environment, all at once.
func TestServeKeys(t *testing.T) {
	t.Setenv(keyVariable, "sk_environment")
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte("# keys\nsk_file\nsk_reader read-only\nsk_one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "--db", ":memory:", "--api-key", "sk_one", "--api-key", "sk_two", "--api-key-file", file, "--default-namespace", "test")
	if s.Key != "" {
		t.Errorf("got a key, %s, though there are some", s.Key)
	}
	for _, key := range []string{"sk_one", "sk_two", "sk_file", "sk_environment", "sk_reader"} {
		if got := s.status("GET", "/v1/buckets", key, nil); got != http.StatusOK {
			t.Errorf("%s: got status %d", key, got)
		}
	}
	if got := s.status("POST", "/v1/buckets", "sk_reader", strings.NewReader(someBucket)); got != http.StatusForbidden {
		t.Errorf("a reader's write: got status %d", got)
	}
	if got := s.status("GET", "/v1/buckets", "sk_unknown", nil); got != http.StatusUnauthorized {
		t.Errorf("an unknown key: got status %d", got)
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"127.0.0.1:80": true, "127.1.2.3:80": true, "[::1]:80": true, "localhost:80": true,
		":80": false, "0.0.0.0:80": false, "[::]:80": false, "192.168.1.5:80": false, "example.com:80": false, "localhost.example.com:80": false,
	} {
		if got := loopback(addr); got != want {
			t.Errorf("%s: got %t, want %t", addr, got, want)
		}
	}
}

// answer sends a request with JSON and returns a member of the answer's JSON.
func (s *served) answer(method, path, body, member string) string {
	s.t.Helper()
	resp, err := http.DefaultClient.Do(s.request(method, path, "", strings.NewReader(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var doc map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: got status %d, %v and %v", method, path, resp.StatusCode, doc, err)
	}
	return fmt.Sprint(doc[member])
}

// A submitted object becomes COMPLETED without the client's help, unless the server has
// no processor.
func TestServeCompletes(t *testing.T) {
	t.Parallel()
	for _, processor := range []string{"complete", "none"} {
		t.Run(processor, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, "--db", ":memory:", "--default-namespace", "test", "--processor", processor)
			s.answer("POST", "/v1/buckets", someBucket, "bucket_id")
			object := s.answer("POST", "/v1/buckets/films/objects", `{"title": "one"}`, "object_id")
			batch := s.answer("POST", "/v1/buckets/films/batches", fmt.Sprintf(`{"object_ids": [%q]}`, object), "batch_id")
			task := s.answer("POST", "/v1/buckets/films/batches/"+batch+"/submit", "{}", "task_id")
			if processor == "none" {
				if got := s.answer("GET", "/v1/tasks/"+task, "", "status"); got != "PENDING" {
					t.Errorf("got a task that is %s, want PENDING", got)
				}
				return
			}
			for _, path := range []string{"/v1/tasks/" + task, "/v1/buckets/films/batches/" + batch, "/v1/buckets/films/objects/" + object} {
				eventually(t, path+" is completed", func() bool { return s.answer("GET", path, "", "status") == "COMPLETED" })
			}
		})
	}
}

// An object that another process submits becomes COMPLETED as well.
func TestServeProcesses(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "store.db")
	startServer(t, "--db", db)
	st, err := bucketlite.Open(t.Context(), db, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	p := submit(t, st)
	eventually(t, "the object is completed", func() bool {
		o, err := p.bucket.Object(t.Context(), p.object.ID)
		if err != nil {
			t.Fatal(err)
		}
		return o.Status == bucketlite.StatusCompleted
	})
}

// The limits that the flags give are the server's.
func TestServeLimits(t *testing.T) {
	t.Parallel()
	db := newStore(t, lineSchema, "")
	s := startServer(t, "--db", db, "--default-namespace", "test", "--max-page", "1", "--max-streams", "2", "--max-streams-per-key", "1")
	for range 2 {
		if got := s.status("POST", "/v1/buckets/things/objects", "", strings.NewReader(`{}`)); got != http.StatusOK {
			t.Fatalf("put: got status %d", got)
		}
	}
	if got := s.status("POST", "/v1/buckets/things/objects/list?limit=2&offset=2", "", nil); got != http.StatusRequestEntityTooLarge {
		t.Errorf("an offset beyond a page that is full: got status %d", got)
	}
	resp, err := http.DefaultClient.Do(s.request("GET", "/v1/events?from_start=true", "", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := s.status("HEAD", "/v1/events?from_start=true", "", nil); got != http.StatusTooManyRequests {
		t.Errorf("a second stream: got status %d", got)
	}
}

func TestServeReadOnly(t *testing.T) {
	t.Parallel()
	db := newStore(t, lineSchema, "")
	s := startServer(t, "--db", db, "--read-only", "--default-namespace", "test")
	if got := s.status("GET", "/v1/buckets/things", "", nil); got != http.StatusOK {
		t.Errorf("read: got status %d", got)
	}
	if got := s.status("POST", "/v1/buckets", "", strings.NewReader(someBucket)); got != http.StatusServiceUnavailable {
		t.Errorf("write: got status %d", got)
	}
}

// unfinished begins a request whose body is not there yet.
func (s *served) unfinished() (rest *io.PipeWriter, status <-chan int) {
	s.t.Helper()
	r, w := io.Pipe()
	done := make(chan int, 1)
	go func() {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(s.request("POST", "/v1/buckets", "", r))
		if err != nil {
			done <- 0
			return
		}
		resp.Body.Close()
		done <- resp.StatusCode
	}()
	if _, err := io.WriteString(w, someBucket[:10]); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "the request is being answered", func() bool {
		resp, err := http.DefaultClient.Do(s.request("GET", "/metrics", "", nil))
		if err != nil {
			s.t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return err == nil && strings.Contains(string(text), "\nbucketlite_http_requests_in_flight 2\n")
	})
	return w, done
}

// A server that is to end finishes what runs, takes nothing new, and ends streams.
func TestServeShutdown(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--db", filepath.Join(t.TempDir(), "store.db"), "--default-namespace", "test")
	rest, status := s.unfinished()
	events, err := http.DefaultClient.Do(s.request("GET", "/v1/events", "", nil))
	if err != nil || events.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v", events, err)
	}
	defer events.Body.Close()

	s.stop()
	if _, err := io.Copy(io.Discard, events.Body); err != nil {
		t.Errorf("the stream: got %v, want its end", err)
	}
	eventually(t, "connections are refused", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	select {
	case code := <-s.code:
		t.Fatalf("exit code %d while a request was running", code)
	default:
	}
	if _, err := io.WriteString(rest, someBucket[10:]); err != nil {
		t.Fatal(err)
	}
	rest.Close()
	if got := <-status; got != http.StatusOK {
		t.Errorf("got status %d, want that of success", got)
	}
	s.wantExit(exitOK)
	if out := must(t, "", "bucket", "list", "--db", s.DB); !strings.Contains(out, "films") {
		t.Errorf("got buckets %s, want the one of the last request", out)
	}
}

// Patience ends.
func TestServeShutdownTimeout(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--db", ":memory:", "--default-namespace", "test", "--shutdown-timeout", "50ms")
	rest, status := s.unfinished()
	s.stop()
	s.wantExit(exitFailure)
	rest.CloseWithError(fmt.Errorf("cut"))
	if got := <-status; got != 0 {
		t.Errorf("got status %d, want none", got)
	}
}

// A disk that was full for a while only interrupts the processing.
func TestServeProcessesAfterFullDisk(t *testing.T) {
	t.Parallel()
	var faults bucketlitetest.Faults
	st := bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Faults: &faults})
	ctx := t.Context()
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "things"})
	if err != nil {
		t.Fatal(err)
	}
	put, err := b.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"a": 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{put.Object.ID}})
	if err != nil {
		t.Fatal(err)
	}
	task, err := b.SubmitBatch(ctx, batch.ID)
	if err != nil {
		t.Fatal(err)
	}
	faults.FillDisk()
	var log logged
	stop := service{
		store: st, logger: slog.New(slog.NewTextHandler(&log, nil)),
		process: func(context.Context, *bucketlite.Job) error { return nil },
	}.startProcessing(ctx)
	defer stop()
	eventually(t, "processing was interrupted", func() bool { return strings.Contains(log.String(), "interrupted") })
	faults.FreeDisk()
	ended, err := st.Wait(ctx, task.ID)
	if err != nil || ended.Status != bucketlite.StatusCompleted {
		t.Errorf("got %+v, %v, want it to have completed", ended, err)
	}
}

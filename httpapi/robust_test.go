package httpapi_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/httpapi"
)

// journal is a log that a test reads.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// lines returns the lines with a text in them.
func (j *journal) lines(text string) (found []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range strings.Lines(j.text.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// A panic is an answer like another, unless half of one has gone out: that is cut
// off, so that nobody takes it for whole.
func TestPanic(t *testing.T) {
	t.Parallel()
	var log journal
	s := serve(t, &httpapi.Options{Logger: log.logger()})
	httpapi.Handle(s.handler, "GET /test/panic", func(http.ResponseWriter, *http.Request, func() ([]byte, error)) { panic("at once") })
	httpapi.Handle(s.handler, "GET /test/half", func(w http.ResponseWriter, _ *http.Request, _ func() ([]byte, error)) {
		io.WriteString(w, `{"results": [`)
		http.NewResponseController(w).Flush()
		panic("half way")
	})
	s.as("X-Request-Id", "mine").do("GET", "/test/panic", nil).wantError(http.StatusInternalServerError, "InternalServerError").
		wantAt("error.details.request_id", "mine").wantAt("error.message", "internal error")
	told := log.lines("at once")
	if len(told) != 1 || !strings.Contains(told[0], `"mine"`) || !strings.Contains(told[0], "robust_test.go") {
		t.Errorf("got log %q, want the panic with the request's id and the stack", told)
	}

	resp, err := s.client.Get(s.url + "/test/half")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != io.ErrUnexpectedEOF {
		t.Errorf("got %q and %v, want a cut connection", text, err)
	}
	eventually(t, "it is logged", func() bool { return len(log.lines("half way")) == 1 && len(log.lines(`"path":"/test/half"`)) == 1 })
	s.do("GET", "/v1/health", nil).want(http.StatusOK)
	if got := inFlight(t, s); got != 1 {
		t.Errorf("got %d requests in flight, want 1", got)
	}
}

// A client that is slow with its body hears of it, and one that has been quick may
// wait as long as the work takes.
func TestPatience(t *testing.T) {
	t.Parallel()
	const patience = 200 * time.Millisecond
	s := serve(t, nil)
	httpapi.SetPatience(s.handler, patience)
	work := func(w http.ResponseWriter, r *http.Request, body func() ([]byte, error)) {
		if _, err := body(); err != nil {
			t.Errorf("%s: %v", r.Method, err)
		}
		select {
		case <-r.Context().Done():
			t.Errorf("%s: the request was ended by its own body's deadline", r.Method)
		case <-time.After(2 * patience):
		}
		io.WriteString(w, "done")
	}
	httpapi.Handle(s.handler, "GET /test/long", work)
	httpapi.Handle(s.handler, "POST /test/long", work)
	for _, method := range []string{"GET", "POST"} {
		t.Run(method+" that works for long", func(t *testing.T) {
			t.Parallel()
			var body any
			if method == "POST" {
				body = "{}"
			}
			if a := s.do(method, "/test/long", body).want(http.StatusOK); a.body != "done" {
				t.Errorf("got %q", a.body)
			}
		})
	}
	t.Run("a body that does not come", func(t *testing.T) {
		t.Parallel()
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprintf(conn, "POST /v1/buckets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nX-Namespace: test\r\nContent-Length: 1000\r\n\r\n{", secret)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("got status %d, want 400", resp.StatusCode)
		}
	})
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// Nothing of what a client keeps to itself, or sends as content, is in the log:
// neither keys nor signatures nor bodies, whatever is asked and however it ends.
// Each request is logged once, with its id.
func TestLog(t *testing.T) {
	t.Parallel()
	const private = "PRIVATE"
	var log journal
	s := serve(t, &httpapi.Options{Logger: log.logger(), Keys: []httpapi.Key{{Name: "tester", Secret: secret + private}}})
	s = s.as("Authorization", "Bearer "+secret+private)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	n := 0
	for _, pattern := range httpapi.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		if method == "DELETE" && !strings.Contains(path, "{object}") {
			continue // the others are to find something
		}
		path = placeholder.ReplaceAllString(strings.ReplaceAll(path, "{namespace}", "test"), "films")
		for _, body := range []any{
			nil, `{"` + private, `"` + private + `"`, []any{private},
			map[string]any{
				"film_id": private, "title": private, private: private, "year": private, "bucket_name": []any{private}, "bucket_schema": private,
				"namespace_name": []any{private}, "filters": map[string]any{private: private}, "cursor": private, "search": private, "objects": private,
				"limit": private, "blobs": []any{map[string]any{"property": private, "data": private}}, "object_ids": []any{private}, "uploads": private,
			},
		} {
			for _, key := range []string{secret + private, private} {
				n++
				id := fmt.Sprintf("request-%d.", n)
				other := s.as("X-Request-Id", id, "Authorization", "Bearer "+key)
				other.do(method, path+"?expires=1&signature="+private+"&after="+private+"&cursor="+private+"&limit="+private, body)
				eventually(t, "it is logged", func() bool { return len(log.lines(id)) > 0 })
				if told := log.lines(id); len(told) != 1 {
					t.Errorf("%s: got %q, want one line", pattern, told)
				}
			}
		}
	}
	for _, line := range log.lines(private) {
		t.Errorf("got %s", line)
	}
	if len(log.lines(`"key":"tester"`)) == 0 || len(log.lines(`"error_type":"UnauthorizedError"`)) == 0 {
		t.Error("got a log without the names of keys and the types of errors")
	}
}

// Many clients that stay connected are all answered, more than once.
func TestManyConnections(t *testing.T) {
	const wanted = 2000
	s := serve(t, nil)
	n := connections(wanted)
	if n < wanted {
		t.Logf("the system allows %d connections, not %d", n, wanted)
	}
	if n < wanted/10 {
		t.Fatalf("the system allows %d connections only", n)
	}
	type client struct {
		net.Conn
		r *bufio.Reader
	}
	clients := make([]client, n)
	each := func(do func(c *client) error) {
		t.Helper()
		var wg sync.WaitGroup
		const workers = 64
		for w := range workers {
			wg.Go(func() {
				for i := w; i < n; i += workers {
					if err := do(&clients[i]); err != nil {
						t.Errorf("client %d: %v", i, err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	addr := strings.TrimPrefix(s.url, "http://")
	each(func(c *client) (err error) {
		c.Conn, err = net.Dial("tcp", addr)
		if err == nil {
			c.r = bufio.NewReaderSize(c.Conn, 1024)
			err = c.SetDeadline(time.Now().Add(time.Minute))
		}
		return err
	})
	defer each(func(c *client) error {
		if c.Conn == nil {
			return nil
		}
		return c.Close()
	})
	if t.Failed() {
		return
	}
	for range 3 {
		each(func(c *client) error {
			fmt.Fprintf(c, "GET /v1/buckets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nX-Namespace: test\r\n\r\n", secret)
			resp, err := http.ReadResponse(c.r, nil)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				return err
			}
			if resp.StatusCode != http.StatusOK || resp.Close {
				return fmt.Errorf("got status %d, to be closed %t", resp.StatusCode, resp.Close)
			}
			return nil
		})
	}
}

package httpapi_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// refusals are requests with a body of some size that are refused before it is read, or
// while it is.
func refusals(s *server) []refusal {
	s.t.Helper()
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	up := s.announce(map[string]any{"file_size_bytes": 100}).text("presigned_url")
	key := "Authorization: Bearer " + secret
	return []refusal{
		{"too large", "POST", s.url + "/v1/buckets", 413, []string{key, "X-Namespace: test"}},
		{"no key", "POST", s.url + "/v1/buckets", 401, nil},
		{"no bucket", "POST", s.url + "/v1/buckets/nothing/objects", 404, []string{key, "X-Namespace: test"}},
		{"no path", "POST", s.url + "/v1/nothing", 404, []string{key}},
		{"another method", "POST", up, 405, nil},
		{"a PUT of another size", "PUT", up, 422, nil},
		{"a PUT of a form", "PUT", up, 415, []string{"Content-Type: multipart/form-data; boundary=x"}},
		{"a PUT with another signature", "PUT", up + "0", 403, nil},
		{"a body that is not wanted", "POST", s.url + "/v1/buckets/films/lock", 200, []string{key, "X-Namespace: test"}},
	}
}

type refusal struct {
	name, method, url string
	status            int
	headers           []string
}

// A client that sends all of a large body before it reads gets the answer, each time.
func TestDrain(t *testing.T) {
	t.Parallel()
	tries := 3
	if *storetest.Long {
		tries = 50
	}
	s := serve(t, nil)
	body := noise(8 << 20)
	chunked := append(fmt.Appendf(nil, "%x\r\n%s\r\n", len(body), body), "0\r\n\r\n"...)
	for _, test := range refusals(s) {
		t.Run(test.name, func(t *testing.T) {
			for range tries {
				c := converse(t, test.method, test.url, body, append(test.headers, fmt.Sprintf("Content-Length: %d", len(body)))...)
				if resp := c.answer(test.status); !resp.Close {
					t.Error("got an answer that does not close the connection")
				}
				converse(t, test.method, test.url, chunked, append(test.headers, "Transfer-Encoding: chunked")...).answer(test.status)

				req, err := http.NewRequestWithContext(t.Context(), test.method, test.url, bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				for _, header := range test.headers {
					name, value, _ := strings.Cut(header, ": ")
					req.Header.Set(name, value)
				}
				resp, err := http.DefaultTransport.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					t.Error(err)
				}
				resp.Body.Close()
				if resp.StatusCode != test.status {
					t.Errorf("got status %d, want %d", resp.StatusCode, test.status)
				}
			}
		})
	}
}

// A small rest of a body costs no connection.
func TestDrainSmall(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	for _, test := range refusals(s) {
		t.Run(test.name, func(t *testing.T) {
			if test.status == http.StatusRequestEntityTooLarge {
				test.status = http.StatusUnprocessableEntity // it is not too large
			}
			length := "Content-Length: 200000"
			c := converse(t, test.method, test.url, bytes.Repeat([]byte(" "), 200000), append(test.headers, length)...)
			resp := c.answer(test.status)
			if resp.Close {
				t.Error("got an answer that closes the connection")
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			c.send([]byte("GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n"))
			c.answer(http.StatusOK)
		})
	}
}

// A client that waits for "100 Continue" gets the refusal instead, at once.
func TestDrainExpect(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	for _, test := range refusals(s) {
		t.Run(test.name, func(t *testing.T) {
			for _, n := range []int{100000, 8 << 20} {
				if n < 1<<20 && test.status == http.StatusRequestEntityTooLarge {
					continue // it is not too large
				}
				c := converse(t, test.method, test.url, nil, append(test.headers, "Expect: 100-continue", fmt.Sprintf("Content-Length: %d", n))...)
				resp := c.answer(test.status)
				if !resp.Close {
					t.Error("got an answer that does not close the connection")
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A client that is refused and stops sending, sends slowly, or has no end is not waited
// for: its connection is closed.
func TestDrainBounds(t *testing.T) {
	t.Parallel()
	const wait = 500 * time.Millisecond
	s := serve(t, nil)
	httpapi.SetDrainTime(s.handler, wait)
	for _, test := range []struct {
		name   string
		length string
		send   func(c *conversation) error // nil for one that stops
	}{
		{"one that stops", "Content-Length: 8000000", nil},
		{"one that stops early", "Content-Length: 1000", nil},
		{"one that is slow", "Content-Length: 8000000", func(c *conversation) error {
			time.Sleep(wait / 50)
			_, err := c.conn.Write([]byte("x"))
			return err
		}},
		{"one without an end", "Transfer-Encoding: chunked", func(c *conversation) error {
			_, err := fmt.Fprintf(c.conn, "%x\r\n%s\r\n", 1<<16, bytes.Repeat([]byte("x"), 1<<16))
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := converse(t, "POST", s.url+"/v1/buckets", nil, test.length)
			if test.send != nil {
				for test.send(c) == nil { // until the server has closed
				}
				return
			}
			c.answer(http.StatusUnauthorized)
			if _, err := io.Copy(io.Discard, c.r); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("got %v, want the connection closed", err)
			}
		})
	}
}

package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// rights are the keys that calls about the whole store are refused to, and one that they
// are not.
var rights = []httpapi.Key{
	{Name: "all", Secret: secret}, {Name: "limited", Secret: "limited", Namespaces: []string{"test"}}, {Name: "reader", Secret: "reader", ReadOnly: true},
}

func TestCheckStore(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: rights})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	put(t, s, "films", "a")
	if s.handler.LastCheck() != nil {
		t.Error("got a check before the first")
	}
	s.as("X-Namespace", "").do("POST", "/v1/check", nil).want(http.StatusOK).
		wantAt("problems", "[]").wantAt("omitted", "0").wantAt("buckets", "1").wantAt("objects", "1")
	s.do("POST", "/v1/check", `{}`).want(http.StatusOK)
	state := s.handler.LastCheck().State()
	if state.Running() || state.Err != nil || state.Report == nil || state.Report.Objects != 1 || state.Progress.Objects != 1 || state.Ended.Before(state.Began) {
		t.Errorf("got %+v, want a check that has ended, of one object", state)
	}
	for _, key := range []string{"limited", "reader"} {
		s.as("Authorization", "Bearer "+key).do("POST", "/v1/check", nil).wantError(http.StatusForbidden, "ForbiddenError")
	}
	s.anyone().do("POST", "/v1/check", nil).wantError(http.StatusUnauthorized, "UnauthorizedError")
	if got := s.handler.LastCheck().State(); got != state {
		t.Errorf("got %+v after refusals, want no other check than %+v", got, state)
	}
}

// Problems are an answer, not an error.
func TestCheckFinds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	st, err := bucketlite.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	s := serveOpen(t, st, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	put(t, s, "films", "a")
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE buckets SET object_count = 5")
	s.do("POST", "/v1/check", nil).want(http.StatusOK).wantAt("problems.0.rule", "bucket.statistics").wantAt("problems.0.repaired", "false")
}

func TestCheckProgress(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/v1/check", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = s.as("Accept", "text/event-stream").headers
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("got status %d and type %q", resp.StatusCode, got)
	}
	events := &stream{t: t, lines: bufio.NewReader(resp.Body)}
	for {
		m, err := events.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.event == "progress" {
			var p bucketlite.CheckProgress
			if err := json.Unmarshal([]byte(m.data), &p); err != nil {
				t.Fatal(err)
			}
			continue
		}
		var report bucketlite.CheckReport
		if err := json.Unmarshal([]byte(m.data), &report); m.event != "report" || err != nil {
			t.Fatalf("got %+v, %v, want the report", m, err)
		}
		break
	}
	events.wantEnd()
}

// withContent returns a server whose store takes a while to check and to copy.
func withContent(t *testing.T, opts *httpapi.Options) *server {
	t.Helper()
	s := serve(t, opts)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	_, b, err := s.store.OpenBucket(t.Context(), "test", "films")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Put(t.Context(), bucketlite.ObjectInput{
		Fields: map[string]any{"film_id": "a"},
		Blobs:  []bucketlite.BlobInput{{Property: "film", Reader: bytes.NewReader(noise(64 << 20)), Type: bucketlite.Video}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Only one check runs at a time, of requests and of the process. It ends when its client leaves, when it
// is canceled, and with the handler.
func TestCheckOnce(t *testing.T) {
	t.Parallel()
	s := withContent(t, nil)
	running := func() *httpapi.Check {
		var c *httpapi.Check
		eventually(t, "a check runs", func() bool {
			c = s.handler.LastCheck()
			return c != nil && c.State().Running()
		})
		return c
	}
	wantEnd := func(what string, c *httpapi.Check, want error) {
		t.Helper()
		select {
		case <-c.Done():
		case <-time.After(time.Minute):
			t.Fatalf("%s: the check continues", what)
		}
		if state := c.State(); state.Report != nil || want != nil && !errors.Is(state.Err, want) || state.Err == nil {
			t.Errorf("%s: got %+v, want no report and the error %v", what, state, want)
		}
	}

	ctx, leave := context.WithCancel(t.Context())
	var client sync.WaitGroup
	client.Go(func() {
		req, err := http.NewRequestWithContext(ctx, "POST", s.url+"/v1/check", strings.NewReader("{}"))
		if err != nil {
			t.Error(err)
			return
		}
		req.Header = s.headers
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			t.Errorf("got status %d, want a client that has left", resp.StatusCode)
		}
	})
	c := running()
	if got := s.do("POST", "/v1/check", nil).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError"); !strings.Contains(got.body, "running already") || got.header.Get("Retry-After") == "" {
		t.Errorf("got %s, want that a check is running", got.body)
	}
	if _, err := s.handler.StartCheck(t.Context()); err == nil {
		t.Error("got a second check")
	} else if status, _, text := httpapi.Describe(err); status != http.StatusServiceUnavailable || !strings.Contains(text, "running already") {
		t.Errorf("got %d %s", status, text)
	}
	leave()
	client.Wait()
	wantEnd("the client leaves", c, context.Canceled)

	c, err := s.handler.StartCheck(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := s.handler.LastCheck(); got != c {
		t.Errorf("got another check as the last one")
	}
	c.Cancel()
	wantEnd("canceled", c, nil)
	if _, _, text := httpapi.Describe(c.State().Err); text != "the check was canceled" {
		t.Errorf("got %q", text)
	}

	if c, err = s.handler.StartCheck(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.handler.Close()
	wantEnd("the handler closes", c, nil)
	s.do("POST", "/v1/check", nil).wantError(http.StatusServiceUnavailable, "ServiceUnavailableError")
}

package console_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

var cursorOf = regexp.MustCompile(`name="after" value="([^"]+)"`)

// TestLive follows the change feed by links alone.
func TestLive(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, bucket := makeBucket(t, s)
	put(t, ns, bucket, bucketlite.ObjectInput{ID: "before", Fields: map[string]any{"sku": "a"}})
	at := s.browser(t, allKey)
	path := "n/" + ns.ID() + "/b/" + bucket.ID() + "/live"
	now := at.get(path).wants(http.StatusOK, "Nothing has changed", "hx-sse:connect").lacks("before")
	cursor := cursorOf.FindStringSubmatch(now.text)[1]
	put(t, ns, bucket, bucketlite.ObjectInput{ID: "after", Fields: map[string]any{"sku": "b"}})
	at.get(path+"?after="+cursor).wants(http.StatusOK, `<a href="o/after/">after</a>`, "object created").lacks("before")
	at.get(path + "?after=" + cursor + "&kind=object.deleted").wants(http.StatusOK).lacks(`href="o/after/"`)
	at.get(path+"?from=start&paused=1").wants(http.StatusOK, "bucket created", `href="o/before/"`, "Continue").lacks("hx-sse:connect")
	at.get(path+"?after=nonsense").wants(http.StatusOK, `role="alert"`, "continues from now")
}

// TestLiveStream shows what scripts get, and that a script that comes back misses nothing.
func TestLiveStream(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, bucket := makeBucket(t, s)
	at := s.browser(t, allKey)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cursor, err := s.store.EventCursor(ctx)
	if err != nil {
		t.Fatal(err)
	}
	put(t, ns, bucket, bucketlite.ObjectInput{ID: "one", Fields: map[string]any{"sku": "a"}})
	put(t, ns, bucket, bucketlite.ObjectInput{ID: "two", Fields: map[string]any{"sku": "b"}})
	stream := s.URL + "/console/n/" + ns.ID() + "/b/" + bucket.ID() + "/live/events?" + url.Values{"after": {cursor}}.Encode()
	read := func(last string, n int) (messages []string, id string) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, "GET", stream, nil)
		if err != nil {
			t.Fatal(err)
		}
		if last != "" {
			r.Header.Set("Last-Event-ID", last)
		}
		a, err := at.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		if got := a.Header.Get("Content-Type"); got != "text/event-stream" {
			t.Fatalf("got Content-Type %q", got)
		}
		for lines := bufio.NewScanner(a.Body); len(messages) < n && lines.Scan(); {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok && text != "" {
				messages = append(messages, text)
			}
			if text, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				id = text
			}
		}
		return messages, id
	}
	first, id := read("", 1)
	if len(first) != 1 || !strings.Contains(first[0], `<a href="o/one/">one</a>`) {
		t.Errorf("got %q, want the row of one", first)
	}
	second, _ := read(id, 1)
	if len(second) != 1 || !strings.Contains(second[0], `<a href="o/two/">two</a>`) {
		t.Errorf("after the first: got %q, want the row of two", second)
	}
	s.api.Close()
	at.get("n/" + ns.ID() + "/b/" + bucket.ID() + "/live/events").wants(http.StatusServiceUnavailable)
}

package httpapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// A page gets a URL for an EventSource, which sends no key, and returns with its last event.
func TestEventURL(t *testing.T) {
	t.Parallel()
	var late atomic.Int64 // seconds
	now := func() time.Time { return time.Now().Add(time.Duration(late.Load()) * time.Second) }
	s := serve(t, &httpapi.Options{Keys: rights, CORSOrigins: []string{page}, Now: now})
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	browser := s.anyone().as("Origin", page)
	for name, test := range map[string]struct {
		path  string
		first bucketlite.EventKind
	}{
		"of a namespace": {"/v1/events/url", bucketlite.EventNamespaceCreated}, "of a bucket": {"/v1/buckets/films/events/url", bucketlite.EventBucketCreated},
	} {
		for _, key := range []string{secret, "limited", "reader"} {
			late.Store(0)
			got := s.as("Authorization", "Bearer "+key).do("POST", test.path, nil).want(http.StatusOK)
			expires, err := time.Parse(time.RFC3339, got.text("expires_at"))
			if left := time.Until(expires); err != nil || left < 4*time.Minute || left > 5*time.Minute {
				t.Errorf("%s: got expires_at %s, want it in 5 minutes", name, got.text("expires_at"))
			}
			feed, ok := strings.CutPrefix(got.text("url"), s.url)
			if !ok || strings.Contains(feed, key) {
				t.Fatalf("%s: got %s, want a URL of the server, without the key", name, got.text("url"))
			}
			events := browser.stream(feed)
			put(t, s, "films", name+key)
			created := events.want(bucketlite.EventObjectCreated)
			put(t, s, "films", name+key)
			if got := browser.stream(feed, "Last-Event-ID", created.Cursor).want(bucketlite.EventObjectUpdated); got.ObjectID != created.ObjectID {
				t.Errorf("%s: got %+v after %+v", name, got, created)
			}
			browser.stream(feed + "&after=" + created.Cursor).want(bucketlite.EventObjectUpdated)
			browser.stream(feed + "&from_start=true").want(test.first)

			// An open stream continues after the end, but none begins.
			late.Store(300)
			events.want(bucketlite.EventObjectUpdated)
			put(t, s, "films", name+key)
			events.want(bucketlite.EventObjectUpdated)
			browser.do("GET", feed, nil).wantError(http.StatusForbidden, "ForbiddenError").wantShared(page)
		}
	}
	late.Store(0)
	s.do("POST", "/v1/buckets/none/events/url", nil).wantError(http.StatusNotFound, "NotFoundError")
	s.anyone().do("POST", "/v1/events/url", nil).wantError(http.StatusUnauthorized, "UnauthorizedError")
}

func TestEventURLTampered(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{Keys: rights})
	other, err := s.store.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	s.do("POST", "/v1/buckets", films("others")).want(http.StatusOK)
	bucket := s.do("GET", "/v1/buckets/others", nil).text("bucket_id")
	feed, err := url.Parse(s.as("Authorization", "Bearer limited").do("POST", "/v1/buckets/films/events/url", nil).want(http.StatusOK).text("url"))
	if err != nil {
		t.Fatal(err)
	}
	mine := s.do("POST", "/v1/events/url", nil).want(http.StatusOK).text("url")
	rival, err := url.Parse(mine)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(u *url.URL, q url.Values){
		"another namespace": func(u *url.URL, _ url.Values) {
			parts := strings.Split(u.Path, "/")
			parts[4] = other.ID()
			u.Path = strings.Join(parts, "/")
		},
		"the whole namespace":   func(u *url.URL, _ url.Values) { u.Path = u.Path[:strings.LastIndex(u.Path, "/")] },
		"another bucket":        func(u *url.URL, _ url.Values) { u.Path = u.Path[:strings.LastIndex(u.Path, "/")+1] + bucket },
		"another key":           func(_ *url.URL, q url.Values) { q.Set("key", rival.Query().Get("key")) },
		"no key":                func(_ *url.URL, q url.Values) { q.Del("key") },
		"later":                 func(_ *url.URL, q url.Values) { q.Set("expires", "9"+q.Get("expires")) },
		"no expiry":             func(_ *url.URL, q url.Values) { q.Del("expires") },
		"another signature":     func(_ *url.URL, q url.Values) { q.Set("signature", rival.Query().Get("signature")) },
		"no signature":          func(_ *url.URL, q url.Values) { q.Del("signature") },
		"the key in the expiry": func(_ *url.URL, q url.Values) { q.Set("expires", q.Get("expires")+"\n"+q.Get("key")); q.Del("key") },
	} {
		u := *feed
		q := u.Query()
		change(&u, q)
		u.RawQuery = q.Encode()
		t.Log(name)
		s.anyone().do("GET", u.String(), nil).wantError(http.StatusForbidden, "ForbiddenError")
	}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		s.anyone().do(method, mine, nil).wantError(http.StatusMethodNotAllowed, "MethodNotAllowedError")
	}
	s.anyone().do("HEAD", mine, nil).want(http.StatusOK)
	// A key that is limited makes URLs for its own namespaces alone.
	s.as("Authorization", "Bearer limited", "X-Namespace", "other").do("POST", "/v1/events/url", nil).wantError(http.StatusForbidden, "ForbiddenError")
}

// A URL has the rights that its key has now, also of a server that was started again.
func TestEventURLKey(t *testing.T) {
	t.Parallel()
	signing := noise(32)
	s := serve(t, &httpapi.Options{Keys: rights, SigningKey: signing, MaxStreamsPerKey: 1})
	feed, _ := strings.CutPrefix(s.do("POST", "/v1/events/url", nil).want(http.StatusOK).text("url"), s.url)
	restarted := func(keys ...httpapi.Key) *server {
		return s.withOptions(httpapi.Options{Keys: keys, SigningKey: signing}).anyone()
	}
	restarted(httpapi.Key{Secret: secret}).do("HEAD", feed, nil).want(http.StatusOK)
	restarted(httpapi.Key{Secret: secret, Namespaces: []string{"test"}}).do("HEAD", feed, nil).want(http.StatusOK)
	restarted(httpapi.Key{Secret: secret, Namespaces: []string{"elsewhere"}}).do("GET", feed, nil).wantError(http.StatusForbidden, "ForbiddenError")
	if got := restarted(rights[1:]...).do("GET", feed, nil).wantError(http.StatusForbidden, "ForbiddenError"); !strings.Contains(got.text("error.message"), "the key") {
		t.Errorf("got %s, want that the key is not known", got.body)
	}
	s.withOptions(httpapi.Options{Keys: rights}).anyone().do("GET", feed, nil).wantError(http.StatusForbidden, "ForbiddenError")

	// Its streams count among those of the key.
	s.anyone().stream(feed)
	s.do("GET", "/v1/events", nil).wantError(http.StatusTooManyRequests, "TooManyRequestsError")
}

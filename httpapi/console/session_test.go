package console_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// TestPartsOfAnEndedSession shows that a page whose session has ended loads anew, and so
// leads to the sign-in page and back, whatever the address of its part is; and that a form
// stays where it is, with what was typed.
func TestPartsOfAnEndedSession(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	out := s.browser(t, "")
	header := http.Header{"Hx-Request": {"true"}, "Sec-Fetch-Site": {"same-origin"}}
	for _, path := range []string{"n/" + ns.ID() + "/size", "n/" + ns.ID() + "/b/" + b.ID() + "/count"} {
		got := out.do("GET", path, nil, header).wants(http.StatusUnauthorized)
		if got.header.Get("Hx-Refresh") != "true" || got.header.Get("Hx-Redirect") != "" {
			t.Errorf("%s: got %v, want the page to load anew", path, got.header)
		}
	}
	got := out.do("POST", "n/"+ns.ID()+"/b/"+b.ID()+"/validate", url.Values{"f.sku": {"a"}}, header).wants(http.StatusUnauthorized, "in another tab").lacks("<html")
	if got.header.Get("Hx-Refresh") != "" {
		t.Error("a form: got a page that loads anew")
	}
}

// TestForgedSessions shows that no cookie but one that the server has made is a session.
func TestForgedSessions(t *testing.T) {
	t.Parallel()
	key := []byte("a signing key of thirty-two bytes")
	s := serve(t, func(o *httpapi.Options) { o.SigningKey = key })
	got := s.browser(t, "").post("signin", url.Values{"key": {allKey}})
	cookie, err := http.ParseSetCookie(got.header.Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	// serves reports whether a server takes a cookie for a session.
	serves := func(on *server, name, value string) bool {
		t.Helper()
		r, err := http.NewRequest("GET", on.URL+"/console/?all=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", name+"="+value)
		return on.browser(t, "").answer(r).status == http.StatusOK
	}
	if !serves(s, cookie.Name, cookie.Value) {
		t.Error("the cookie of the server is no session")
	}
	v := cookie.Value
	for name, value := range map[string]string{
		"none": "", "no base64": "%%%", "short": "AAAA", "cut": v[:len(v)-4], "longer": v + "AAAA", "another time": "_" + v[1:], "another sum": v[:len(v)-1] + "_",
		"another key": v[:14] + strings.ToUpper(v[14:16]) + v[16:] + "A", "zeros": strings.Repeat("A", len(v)),
	} {
		if serves(s, cookie.Name, value) {
			t.Errorf("%s: the cookie is a session", name)
		}
	}
	same := serve(t, func(o *httpapi.Options) { o.SigningKey = key })
	if !serves(same, cookie.Name, v) {
		t.Error("after a restart with the same keys the session has ended")
	}
	without := serve(t, func(o *httpapi.Options) { o.SigningKey, o.Keys = key, o.Keys[1:] })
	if serves(without, cookie.Name, v) {
		t.Error("the session outlives its key")
	}
	other := serve(t, nil)
	r := other.browser(t, "").post("signin", url.Values{"key": {allKey}})
	if theirs, err := http.ParseSetCookie(r.header.Get("Set-Cookie")); err != nil || theirs.Name == cookie.Name || serves(other, theirs.Name, v) {
		t.Errorf("a server with another signing key: got cookie %v, %v", theirs, err)
	}
	limited := serve(t, func(o *httpapi.Options) {
		o.SigningKey, o.Keys = key, []httpapi.Key{{Name: "all", Secret: allKey, ReadOnly: true}}
	})
	at := limited.browser(t, "")
	at.do("POST", "", url.Values{"name": {"x"}}, http.Header{"Cookie": {cookie.Name + "=" + v}, "Sec-Fetch-Site": {"same-origin"}}).wants(http.StatusForbidden, "for reading alone")
}

// TestPublicOrigin shows that the forms of a page at the public URL are taken, as browsers
// write its origin.
func TestPublicOrigin(t *testing.T) {
	t.Parallel()
	for public, origin := range map[string]string{
		"https://Files.example:443/a/b": "https://files.example", "http://files.example:80": "http://files.example", "http://files.example:8080/a": "http://files.example:8080",
	} {
		s := serve(t, func(o *httpapi.Options) { o.PublicURL = public })
		at := s.browser(t, "")
		at.do("POST", "signin", url.Values{"key": {"sk_wrong"}}, http.Header{"Origin": {origin}}).wants(http.StatusUnauthorized, "not known")
		for _, other := range []string{"null", "http://other.example", origin + ".evil.example", origin + ":1"} {
			at.do("POST", "signin", url.Values{"key": {"sk_wrong"}}, http.Header{"Origin": {other}}).wants(http.StatusForbidden, "another site")
		}
	}
}

func TestLargeOpenForms(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	at := s.browser(t, "")
	large := url.Values{"key": {strings.Repeat("k", 70_000)}}
	for _, path := range []string{"signin", "start", "theme"} {
		at.post(path, large).wants(http.StatusRequestEntityTooLarge)
	}
}

// TestUnreadableAddress shows that a list does not drop a condition that cannot be read.
func TestUnreadableAddress(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	base := "n/" + ns.ID() + "/b/" + b.ID() + "/"
	at := s.browser(t, allKey)
	for _, path := range []string{"?f=sku.eq.a;b", "export?format=csv&f=sku.eq.%zz", "count?f=a;b"} {
		at.get(base+path).wants(http.StatusBadRequest, "%3B")
	}
}

// TestExportsOfAKey shows that the exports of a key are bounded, together with those of the
// API, and leave some for others.
func TestExportsOfAKey(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	path := "n/" + ns.ID() + "/b/" + b.ID() + "/export?format=csv"
	var leaves []func()
	for {
		leave, err := s.api.EnterExport(s.api.AccessOf(httpapi.Key{Secret: allKey}))
		if err != nil {
			break
		}
		leaves = append(leaves, leave)
	}
	s.browser(t, allKey).get(path).wants(http.StatusTooManyRequests, "exports")
	s.browser(t, readsKey).get(path).wants(http.StatusOK)
	for _, leave := range leaves {
		leave()
	}
	s.browser(t, allKey).get(path).wants(http.StatusOK)
}

// TestDeleteAllSpares shows that of the objects of a filter only those are deleted that were
// there when the page asked, and as they were.
func TestDeleteAllSpares(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, b := makeBucket(t, s)
	ctx := context.Background()
	for _, sku := range []string{"a", "b", "c"} {
		put(t, ns, b, bucketlite.ObjectInput{ID: sku, Fields: map[string]any{"sku": sku, "price": 1}})
	}
	path := "n/" + ns.ID() + "/b/" + b.ID() + "/select"
	at := s.browser(t, allKey)
	form := formOf(t, at.post(path, url.Values{"do": {"delete"}, "all": {"1"}, "at": {"f=price.eq.1"}}).wants(http.StatusOK, "3 objects", "stay"))
	put(t, ns, b, bucketlite.ObjectInput{ID: "b", Fields: map[string]any{"sku": "b", "price": 1, "note": "changed"}})
	put(t, ns, b, bucketlite.ObjectInput{ID: "new", Fields: map[string]any{"sku": "new", "price": 1}})
	form.Del("q")
	at.post(path, form).wants(http.StatusSeeOther, "done=objects-deleted")
	for _, at := range []string{`filter={}`, `filter={"AND":[]}`, `filter={"OR":[]}`, `filter={"AND":[{"OR":[]}]}`, "q=+", ""} {
		form := url.Values{"do": {"delete"}, "all": {"1"}, "at": {at}}
		page := s.browser(t, allKey).post(path, form)
		if form.Set("confirm", "yes"); page.status != http.StatusOK {
			page.wants(http.StatusBadRequest) // the filter is refused
		} else {
			page.wants(http.StatusOK, "Type its name")
		}
		s.browser(t, allKey).post(path, form).lacks("done=objects")
	}
	for id, want := range map[string]bool{"a": false, "b": true, "c": false, "new": true} {
		if _, err := b.Object(ctx, id); (err == nil) != want {
			t.Errorf("object %s: got %v, want it there: %t", id, err, want)
		}
	}
}

// TestCookiesStay shows that browsers send the cookies to the console alone, whatever a proxy
// puts before its path, and that other origins get nothing.
func TestCookiesStay(t *testing.T) {
	t.Parallel()
	s := serve(t, func(o *httpapi.Options) { o.CORSOrigins = []string{"https://app.example"} })
	proxy := httptest.NewServer(http.StripPrefix("/a/b", s.Config.Handler))
	t.Cleanup(proxy.Close)
	at := s.browser(t, "")
	for _, prefix := range []string{s.URL, proxy.URL + "/a/b"} {
		for path, form := range map[string]url.Values{"signin": {"key": {allKey}}, "theme": {"theme": {"dark"}, "next": {"n/x/b/y/"}}} {
			r, err := http.NewRequest("POST", prefix+"/console/"+path, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}, "Origin": {"https://app.example"}}
			got := at.answer(r).wants(http.StatusSeeOther, "./")
			for name := range got.header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("got the header %s", name)
				}
			}
		}
		for path, want := range map[string]int{"/console/": 2, "/console/n/x/": 2, "/v1/buckets": 0, "/": 0, "/docs": 0, "/consoles/": 0} {
			u, err := url.Parse(prefix + path)
			if err != nil {
				t.Fatal(err)
			}
			if got := at.client.Jar.Cookies(u); len(got) != want {
				t.Errorf("%s: got cookies %v, want %d", u, got, want)
			}
		}
	}
	for _, theme := range []string{"light\r\nX-Evil: 1", `"><script>`, "blue"} {
		got := at.post("theme", url.Values{"theme": {theme}}).wants(http.StatusSeeOther)
		if set := got.header.Get("Set-Cookie"); !strings.Contains(set, "Max-Age=0") || got.header.Get("X-Evil") != "" {
			t.Errorf("theme %q: got cookie %q", theme, set)
		}
	}
}

// TestStartIsOnce shows that of many at once one alone uses a code up.
func TestStartIsOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	_, code, _ := strings.Cut(s.console.StartPath(s.api.AccessOf(httpapi.Key{Secret: readsKey})), "code=")
	var in atomic.Int64
	var group sync.WaitGroup
	for range 16 {
		b := s.browser(t, "")
		group.Go(func() {
			if b.post("start", url.Values{"code": {code}}).status == http.StatusSeeOther {
				in.Add(1)
			}
		})
	}
	group.Wait()
	if in.Load() != 1 {
		t.Errorf("got %d sessions, want 1", in.Load())
	}
}

// TestLogOfRefusals shows that the log takes no refusal of the console for an error of the
// server.
func TestLogOfRefusals(t *testing.T) {
	t.Parallel()
	var text lockedBuffer
	s := serve(t, func(o *httpapi.Options) { o.Logger = slog.New(slog.NewTextHandler(&text, nil)) })
	s.browser(t, "").get("nothing").wants(http.StatusNotFound)
	s.Close()
	if got := text.String(); !strings.Contains(got, "status=404") || strings.Contains(got, "InternalServerError") {
		t.Errorf("got %s", got)
	}
}

// A lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

package console_test

import (
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
	"github.com/bucketlite/bucketlite/httpapi/console"
)

// The keys of a server under test.
const (
	allKey   = "sk_all"   // all rights
	readsKey = "sk_reads" // reads everything
	shopKey  = "sk_shop"  // the namespace "shop" alone
)

// server is a console with a store in memory.
type server struct {
	*httptest.Server
	store   *bucketlite.Store
	api     *httpapi.Handler
	console *console.Console
	now     time.Time
}

// serve starts a server whose options f may change.
func serve(t *testing.T, f func(*httpapi.Options)) *server {
	t.Helper()
	st, err := bucketlite.Open(context.Background(), ":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	s := &server{store: st, now: time.Now()}
	opts := &httpapi.Options{
		Keys: []httpapi.Key{
			{Name: "all", Secret: allKey}, {Name: "reads", Secret: readsKey, ReadOnly: true}, {Name: "shop", Secret: shopKey, Namespaces: []string{"shop"}},
		},
		Now: func() time.Time { return s.now },
	}
	if f != nil {
		f(opts)
	}
	if s.api, err = httpapi.New(st, opts); err != nil {
		t.Fatal(err)
	}
	if s.console, err = console.New(s.api, &console.Options{StoreName: "test.db", Version: "v0"}); err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewServer(s.api)
	t.Cleanup(s.Close)
	return s
}

// browser is a client with cookies that follows no redirect.
type browser struct {
	t      *testing.T
	s      *server
	client *http.Client
}

// browser returns a browser that has signed in with a key, unless it is empty.
func (s *server) browser(t *testing.T, key string) *browser {
	t.Helper()
	b := &browser{t, s, &http.Client{Jar: newJar(t), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if key != "" {
		b.post("signin", url.Values{"key": {key}}).wants(http.StatusSeeOther, "./")
	}
	return b
}

// page is an answer.
type page struct {
	t      *testing.T
	name   string
	status int
	header http.Header
	text   string
}

func (b *browser) get(path string) *page { return b.do("GET", path, nil, nil) }

func (b *browser) post(path string, form url.Values) *page {
	return b.do("POST", path, form, http.Header{"Sec-Fetch-Site": {"same-origin"}})
}

func (b *browser) do(method, path string, form url.Values, header http.Header) *page {
	b.t.Helper()
	if form == nil {
		return b.request(method, path, nil, header)
	}
	header = header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.request(method, path, strings.NewReader(form.Encode()), header)
}

// postBody posts a body of another type than that of a plain form.
func (b *browser) postBody(path, contentType string, body io.Reader) *page {
	b.t.Helper()
	return b.request("POST", path, body, http.Header{"Content-Type": {contentType}, "Sec-Fetch-Site": {"same-origin"}})
}

func (b *browser) request(method, path string, body io.Reader, header http.Header) *page {
	b.t.Helper()
	r, err := http.NewRequest(method, b.s.URL+"/console/"+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	return b.answer(r)
}

// answer sends a request.
func (b *browser) answer(r *http.Request) *page {
	b.t.Helper()
	a, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	p := &page{b.t, r.Method + " " + r.URL.RequestURI(), a.StatusCode, a.Header, string(text)}
	checkHTML(b.t, p)
	return p
}

// wants checks the status and that the text, or the Location of a redirect, has each of
// the words.
func (p *page) wants(status int, words ...string) *page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("%s: got status %d, want %d: %s", p.name, p.status, status, p.text)
	}
	for _, word := range words {
		in := p.text
		if status >= 300 && status < 400 {
			in = p.header.Get("Location")
		}
		if !strings.Contains(in, word) {
			p.t.Errorf("%s: got %s, want %q in it", p.name, in, word)
		}
	}
	return p
}

// lacks checks that the text has none of the words.
func (p *page) lacks(words ...string) *page {
	p.t.Helper()
	for _, word := range words {
		if strings.Contains(p.text, word) {
			p.t.Errorf("%s: got %q in %s", p.name, word, p.text)
		}
	}
	return p
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	b := s.browser(t, "")
	b.get("").wants(http.StatusSeeOther, "./signin")
	b.get("n/x/b/y/?q=a").wants(http.StatusSeeOther, "../../../../signin?next="+url.QueryEscape("n/x/b/y/?q=a"))
	b.get("signin").wants(http.StatusOK, "API key")
	b.post("signin", url.Values{"key": {"sk_wrong"}}).wants(http.StatusUnauthorized, "not known")
	got := b.post("signin", url.Values{"key": {allKey}, "next": {"n/x/?q=a"}}).wants(http.StatusSeeOther, "./n/x/?q=a")
	cookie := got.header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "Max-Age=43200"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("got cookie %q, want %q in it", cookie, want)
		}
	}
	for _, not := range []string{"Path=", "Domain=", "Secure", allKey} {
		if strings.Contains(cookie, not) {
			t.Errorf("got cookie %q, with %q", cookie, not)
		}
	}
	b.get("").wants(http.StatusOK, "Namespaces", "test.db")
	b.get("signin").wants(http.StatusSeeOther, "./")
	b.post("signout", url.Values{}).wants(http.StatusSeeOther, "signin")
	b.get("").wants(http.StatusSeeOther, "./signin")
}

// TestNextIsLocal shows that signing in leads to no other site.
func TestNextIsLocal(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	for _, next := range []string{"//evil.example", "/x", "https://evil.example", `\evil`, "../x", "a/../../x", "javascript:alert(1)", "a\nb", "%2e%2e/x"} {
		b := s.browser(t, "")
		if got := b.post("signin", url.Values{"key": {allKey}, "next": {next}}).wants(http.StatusSeeOther).header.Get("Location"); got != "./" {
			t.Errorf("next %q: got %q, want %q", next, got, "./")
		}
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	b := s.browser(t, allKey)
	if got := b.get("session.css").wants(http.StatusOK).header.Get("Set-Cookie"); got != "" {
		t.Errorf("a new session: got cookie %q, want none", got)
	}
	s.now = s.now.Add(2 * time.Hour)
	if got := b.get("session.css").wants(http.StatusOK).header.Get("Set-Cookie"); got == "" {
		t.Error("after 2 hours: got no cookie, want a renewed one")
	}
	s.now = s.now.Add(11 * time.Hour) // 13 after it began
	b.get("?all=1").wants(http.StatusOK)
	s.now = s.now.Add(2 * time.Hour)
	b.get("?all=1").wants(http.StatusSeeOther, "signin")
}

// TestRefusedKeys shows that wrong keys of one address are limited, and that a right key
// passes all the same.
func TestRefusedKeys(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	b := s.browser(t, "")
	for range 10 {
		b.post("signin", url.Values{"key": {"sk_wrong"}}).wants(http.StatusUnauthorized)
	}
	if got := b.post("signin", url.Values{"key": {"sk_wrong"}}).wants(http.StatusTooManyRequests).header.Get("Retry-After"); got == "" {
		t.Error("got no Retry-After")
	}
	b.post("signin", url.Values{"key": {allKey}}).wants(http.StatusSeeOther)
	s.now = s.now.Add(time.Minute)
	b.post("signin", url.Values{"key": {"sk_wrong"}}).wants(http.StatusUnauthorized)
}

func TestStartLink(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	path := strings.TrimPrefix(s.console.StartPath(s.api.AccessOf(httpapi.Key{Secret: allKey})), "console/")
	_, code, _ := strings.Cut(path, "code=")
	s.browser(t, "").get(path).wants(http.StatusOK, "Continue") // a preview uses nothing up
	b := s.browser(t, "")
	b.get(path).wants(http.StatusOK, "Continue")
	b.post("start", url.Values{"code": {code}}).wants(http.StatusSeeOther, "./")
	b.get("?all=1").wants(http.StatusOK, "Namespaces")
	other := s.browser(t, "")
	other.get(path).wants(http.StatusOK, "has been used")
	other.post("start", url.Values{"code": {code}}).wants(http.StatusUnauthorized)

	path = strings.TrimPrefix(s.console.StartPath(s.api.AccessOf(httpapi.Key{Secret: allKey})), "console/")
	s.now = s.now.Add(6 * time.Minute)
	other.get(path).wants(http.StatusOK, "has been used")
}

// TestOtherSites shows that a form of another site changes nothing.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	b := s.browser(t, allKey)
	for _, header := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"http://evil.example"}}} {
		b.do("POST", "", url.Values{"name": {"a"}}, header).wants(http.StatusForbidden, "another site")
	}
	b.post("", url.Values{"name": {"a"}}).wants(http.StatusSeeOther, "./n/ns_", "done=namespace-created")
}

// TestKeysRights shows what keys with fewer rights see and may do.
func TestKeysRights(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ctx := context.Background()
	shop, err := s.store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	museum, err := s.store.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "museum"})
	if err != nil {
		t.Fatal(err)
	}
	reads := s.browser(t, readsKey)
	reads.get("").wants(http.StatusOK, "shop", "museum").lacks("Create a namespace")
	reads.get("n/" + shop.ID() + "/").wants(http.StatusOK).lacks("Create bucket")
	reads.post("", url.Values{"name": {"x"}}).wants(http.StatusForbidden, "for reading alone")
	one := s.browser(t, shopKey)
	one.get("").wants(http.StatusSeeOther, "./n/"+shop.ID()+"/")
	one.get("?all=1").wants(http.StatusOK, "shop").lacks("museum")
	one.get("n/"+museum.ID()+"/").wants(http.StatusNotFound, "There is no such page")
	one.get("n/nothing/").wants(http.StatusNotFound, "There is no such page")
	one.post("", url.Values{"name": {"x"}}).wants(http.StatusForbidden, "all namespaces")
}

// TestPaths shows which paths there are, and that a redirect keeps a proxy's prefix.
func TestPaths(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	b := s.browser(t, allKey)
	b.do("GET", "n/x", nil, nil).wants(http.StatusSeeOther, "x/")
	for _, path := range []string{"nothing", "n//", "n/../", "n/%2e%2e/", "assets/", "assets/nothing.js", "assets/..%2fpage.go"} {
		b.get(path).wants(http.StatusNotFound)
	}
	a, err := b.client.Get(s.URL + "/console")
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if got := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || got != "console/" {
		t.Errorf("/console: got %d to %q, want 303 to %q", a.StatusCode, got, "console/")
	}
}

func TestPagesAreCompressed(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	b := s.browser(t, "")
	plain := b.get("signin").wants(http.StatusOK)
	small := b.do("GET", "signin", nil, http.Header{"Accept-Encoding": {"gzip"}}).wants(http.StatusOK)
	r, err := gzip.NewReader(strings.NewReader(small.text))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil || string(text) != plain.text {
		t.Errorf("got %d bytes and %v, want %d bytes", len(text), err, len(plain.text))
	}
}

// TestAssets shows that addresses of files change with them, and that the files of others
// are as they were published.
func TestAssets(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	b := s.browser(t, "")
	text := b.get("signin").text
	_, address, _ := strings.Cut(text, `href="./assets/console.css`)
	address, _, _ = strings.Cut(address, `"`)
	if got := b.get("assets/console.css" + address).wants(http.StatusOK).header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("got Cache-Control %q, want immutable", got)
	}
	if got := b.get("assets/console.css?v=old").wants(http.StatusOK).header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("got Cache-Control %q, want no-cache", got)
	}
	for name, want := range map[string]string{
		"htmx.min.js":       "429f6b742f07ec4a8ea17fa74743f744f1b63688e2faa7702651a97f3c1026c7cea69dec1b021d48ff713b7f94944867",
		"hx-sse.min.js":     "bfc1efb9c43ea21421320d1aadba17739d38f72351e3a40a323a61b3b603721f969bbce97cae57552d357f6ea6403255",
		"uPlot.iife.min.js": "1b1dedd3374102e40ebafbe668b663ec72848928164c0b3e55db4d63bc2dd7d4033d30d08c523002e5c38f4cde374d1c",
		"uPlot.min.css":     "21f57407b308398b8ef7990ef46e7248a3f3ffce73a8534e02cf22cb8b642b9cddf62ce124007c6fb947af062aaa6604",
	} {
		text, err := os.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha512.Sum384(text)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: got SHA-384 %s, want %s", name, got, want)
		}
	}
}

// newJar is a jar that keeps cookies as browsers do.
func newJar(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

package consoletest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/httpapi/consoletest/chromium"
)

// options say how a page is opened. The zero options are a wide and light one, for the
// owner.
type options struct {
	dark      bool
	width     int    // default: 1280
	noScripts bool   // the page runs no scripts
	key       string // of the session; default: OwnerKey
	status    int    // of the page; default: 200
}

// noKey opens a page without a session.
const noKey = "none"

// page is a page in a tab of its own.
type page struct {
	t       *testing.T
	server  *Server
	tab     *chromium.Tab
	options options
	allowed []string
}

// open opens a page by its path below the server's root, and fails the test if anything
// is wrong with it. Names in braces stand for ids: see seed.Seed.Path.
func open(t *testing.T, s *Server, path string, o options) *page {
	t.Helper()
	p := blank(t, s, o)
	p.visit(path)
	p.check()
	return p
}

// blank opens a tab with a session and without a page.
func blank(t *testing.T, s *Server, o options) *page {
	t.Helper()
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	tab, err := browser.Tab(at.Host, chromium.View{Width: o.width, Dark: o.dark, NoScripts: o.noScripts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tab.Close)
	if o.key == "" {
		o.key = OwnerKey
	}
	p := &page{t: t, server: s, tab: tab, options: o}
	if o.key != noKey {
		p.must(tab.SignIn(s.URL+"/console/", o.key))
	}
	if o.status >= 400 {
		p.allow(fmt.Sprintf("status: %d ", o.status))
	}
	return p
}

// sibling opens a tab in the same window, with the same session.
func (p *page) sibling() *page {
	p.t.Helper()
	tab, err := p.tab.Sibling(chromium.View{Width: p.options.width, Dark: p.options.dark, NoScripts: p.options.noScripts})
	p.must(err)
	p.t.Cleanup(tab.Close)
	return &page{t: p.t, server: p.server, tab: tab, options: p.options, allowed: p.allowed}
}

// visit opens another page in the tab.
func (p *page) visit(path string) {
	p.t.Helper()
	if err := p.tab.Open(p.server.URL + "/" + strings.TrimPrefix(p.server.Path(path), "/")); err != nil {
		p.t.Fatalf("%s: %v", path, err)
	}
	want := p.options.status
	if want == 0 {
		want = 200
	}
	if got := p.tab.Status(); got != want {
		p.t.Errorf("%s: got status %d, want %d", path, got, want)
	}
}

// allow takes faults with these beginnings as right, such as the status of an error that
// the test provokes.
func (p *page) allow(beginnings ...string) { p.allowed = append(p.allowed, beginnings...) }

// check fails the test if anything is wrong with the page as it is now: what [Audit]
// finds, and what the tab has reported since the last check.
func (p *page) check() {
	p.t.Helper()
	p.quiet()
	faults, err := Audit(p.tab)
	p.must(err)
	p.report(faults)
	p.quiet()
}

// quiet fails the test if the tab has reported anything since the last check.
func (p *page) quiet() {
	p.t.Helper()
	p.report(p.tab.Faults())
}

func (p *page) report(faults []string) {
	p.t.Helper()
	for _, fault := range faults {
		if !slices.ContainsFunc(p.allowed, func(beginning string) bool { return strings.HasPrefix(fault, beginning) }) {
			p.t.Error(fault)
		}
	}
}

// shot writes a picture of the page, if the flag -shots says where to.
func (p *page) shot(name string) {
	p.t.Helper()
	if *shots != "" {
		p.must(p.tab.Shot(filepath.Join(*shots, name+".png")))
	}
}

// wants fails the test unless the page shows all texts, now or soon.
func (p *page) wants(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		quoted, err := json.Marshal(text)
		p.must(err)
		p.until("document.body.innerText.includes(" + string(quoted) + ")")
	}
}

// until waits until a JavaScript expression is true, for some seconds.
func (p *page) until(expression string) {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		// While another page is opened there is none that could be asked.
		is, err := chromium.Evaluate[bool](p.tab, expression)
		switch {
		case err == nil && is:
			return
		case time.Now().After(end):
			p.must(err)
			p.quiet() // a fault may be the reason
			p.t.Fatalf("%s is not true, on a page with\n%s", expression, eval[string](p, "document.body.innerText"))
		}
	}
}

func (p *page) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// eval returns the value of a JavaScript expression on the page.
func eval[T any](p *page, expression string) T {
	p.t.Helper()
	v, err := chromium.Evaluate[T](p.tab, expression)
	p.must(err)
	return v
}

package console_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi/console"
	"golang.org/x/net/html"
)

// hostile is a name that runs a script where it is not escaped.
const hostile = `"><script>alert('name')</script>`

// Every route that answers with HTML keeps the rules of [checkHTML], which each answer in
// the tests of this package is checked by, as a page and as a part.
func TestHTMLOfEveryRoute(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ids := fillHostile(t, s.store)
	for _, path := range console.Pages() {
		filled := ids.Replace(path)
		if strings.Contains(filled, "{") {
			t.Errorf("%s: nothing fills a wildcard in it: add it to fillHostile", path)
			continue
		}
		for _, key := range []string{allKey, readsKey} {
			b := s.browser(t, key)
			for _, header := range []http.Header{nil, {"Hx-Request": {"true"}}} {
				if p := b.do("GET", filled, nil, header); p.status == http.StatusNotFound || p.status >= 500 {
					t.Errorf("%s: got status %d: %s", path, p.status, p.text)
				}
			}
		}
	}
}

// fillHostile makes one of everything that a path can name, with hostile names, and
// returns what replaces wildcards by ids.
func fillHostile(t *testing.T, st *bucketlite.Store) *strings.Replacer {
	t.Helper()
	ctx := context.Background()
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: hostile, Description: hostile})
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: hostile, Description: hostile, Metadata: map[string]any{hostile: hostile},
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"title": {Type: bucketlite.String, Description: hostile, Enum: []any{hostile, "a"}}, hostile: {Type: bucketlite.String}, "photo": {Type: bucketlite.Image},
		}}})
	if err != nil {
		t.Fatal(err)
	}
	put, err := b.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"title": hostile, hostile: hostile, "undeclared": map[string]any{hostile: []any{hostile}}},
		Blobs: []bucketlite.BlobInput{{Property: "photo", Reader: bytes.NewReader(dot), Filename: `"><script>.gif`, Metadata: map[string]any{hostile: hostile}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{put.Object.ID}, Metadata: map[string]any{hostile: hostile}})
	if err != nil {
		t.Fatal(err)
	}
	upload, err := b.CreateUpload(ctx, bucketlite.UploadInput{Filename: `"><script>.gif`, ContentType: "image/gif", Property: "photo", Metadata: map[string]any{hostile: hostile},
		ObjectMetadata: map[string]any{"title": hostile}})
	if err != nil {
		t.Fatal(err)
	}
	gone, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: hostile + "2"})
	if err != nil {
		t.Fatal(err)
	}
	task, err := gone.Delete(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("{namespace}", ns.ID(), "{bucket}", b.ID(), "{object}", put.Object.ID, "{blob}", put.Object.Blobs[0].ID,
		"{batch}", batch.ID, "{upload}", upload.ID, "{task}", task.ID, "{name}", "console.css")
}

// dot is a picture of one pixel.
var dot = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// checkHTML fails the test if an answer that is HTML breaks a rule of the console: it has
// the content policy; nothing in it needs more than the policy allows; addresses are
// relative; ids are there once, and what refers to them finds them; controls have labels,
// and those that a user types into have ids, so that htmx finds them again.
func checkHTML(t *testing.T, p *page) {
	t.Helper()
	if !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") || p.header.Get("Content-Encoding") != "" ||
		p.header.Get("Content-Disposition") != "" { // the bytes of a user
		return
	}
	if policy := p.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
		t.Errorf("%s: got Content-Security-Policy %q", p.name, policy)
	}
	for _, fault := range htmlFaults(p.text) {
		t.Errorf("%s: %s", p.name, fault)
	}
}

// htmlFaults returns how a page, or a part of one, breaks the rules.
func htmlFaults(text string) []string {
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return []string{err.Error()}
	}
	c := &htmlCheck{ids: make(map[string]bool), labelled: make(map[string]bool)}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			c.note(n)
		}
	}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			c.element(n)
		}
	}
	if whole := strings.Contains(text, "<html"); whole {
		for _, id := range c.references {
			if !c.ids[id] {
				c.fault("nothing has the id %q", id)
			}
		}
		if c.headings != 1 {
			c.fault("got %d elements h1, want 1", c.headings)
		}
	}
	return c.faults
}

// htmlCheck is what is known of a page while it is checked.
type htmlCheck struct {
	ids        map[string]bool
	labelled   map[string]bool // the ids that labels are for
	references []string        // ids that attributes name
	headings   int
	faults     []string
}

func (c *htmlCheck) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// note notes ids and references of an element.
func (c *htmlCheck) note(n *html.Node) {
	for _, a := range n.Attr {
		switch a.Key {
		case "id":
			if c.ids[a.Val] {
				c.fault("the id %q is there twice", a.Val)
			}
			c.ids[a.Val] = true
		case "for":
			c.labelled[a.Val] = true
			c.references = append(c.references, a.Val)
		case "list", "form", "aria-labelledby", "aria-describedby", "aria-controls":
			c.references = append(c.references, strings.Fields(a.Val)...)
		}
	}
}

// addressed are the attributes that hold an address.
var addressed = []string{"href", "src", "action", "formaction", "poster", "data", "hx-get", "hx-post", "hx-sse:connect"}

func (c *htmlCheck) element(n *html.Node) {
	switch n.Data {
	case "style", "base", "object", "embed", "font":
		c.fault("<%s> is there", n.Data)
	case "script":
		if attribute(n, "src") == "" || n.FirstChild != nil {
			c.fault("<script> without src")
		}
	case "meta":
		if attribute(n, "http-equiv") != "" {
			c.fault("<meta http-equiv>")
		}
	case "h1":
		c.headings++
	case "img":
		if !hasAttribute(n, "alt") {
			c.fault("<img src=%q> without alt", attribute(n, "src"))
		}
	case "iframe":
		if attribute(n, "title") == "" {
			c.fault("<iframe src=%q> without title", attribute(n, "src"))
		}
	case "input", "select", "textarea":
		c.control(n)
	case "button":
		if attribute(n, "aria-label") == "" && strings.TrimSpace(textOf(n)) == "" {
			c.fault("<button name=%q> without text", attribute(n, "name"))
		}
	}
	for _, a := range n.Attr {
		switch {
		case a.Key == "style", a.Key == "srcdoc", strings.HasPrefix(a.Key, "on"), strings.HasPrefix(a.Key, "hx-on"):
			c.fault("<%s %s=%q>", n.Data, a.Key, a.Val)
		case a.Key == "hx-trigger" && strings.Contains(a.Val, "["), strings.HasPrefix(a.Key, "hx-") && strings.HasPrefix(a.Val, "js:"):
			c.fault("<%s %s=%q> evaluates text", n.Data, a.Key, a.Val)
		case slices.Contains(addressed, a.Key) && n.Namespace == "" && !isRelative(n, a.Val):
			c.fault("<%s %s=%q> is not relative", n.Data, a.Key, a.Val)
		}
	}
}

// control checks an element of a form that takes a value.
func (c *htmlCheck) control(n *html.Node) {
	kind := attribute(n, "type")
	if n.Data == "input" && slices.Contains([]string{"hidden", "submit", "reset", "image", "button"}, kind) {
		return
	}
	id, name := attribute(n, "id"), attribute(n, "name")
	if attribute(n, "aria-label") == "" && attribute(n, "aria-labelledby") == "" && !c.labelled[id] && !within(n, "label") {
		c.fault("<%s name=%q> without a label", n.Data, name)
	}
	if id == "" && kind != "checkbox" && kind != "radio" {
		c.fault("<%s name=%q> without an id", n.Data, name)
	}
}

// isRelative reports whether an address stays relative to the page, so that a prefix that
// a proxy removes is kept. A link may lead to another site if it names no referrer.
func isRelative(n *html.Node, address string) bool {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return false
	case u.Scheme == "" && u.Host == "":
		return !strings.HasPrefix(address, "/") && !strings.HasPrefix(address, `\`)
	}
	return n.Data == "a" && (u.Scheme == "https" || u.Scheme == "http") && strings.Contains(attribute(n, "rel"), "noreferrer")
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func within(n *html.Node, element string) bool {
	for p := range n.Ancestors() {
		if p.Data == element {
			return true
		}
	}
	return false
}

// The check finds each kind of fault.
func TestHTMLFaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"script":        {`<script>alert(1)</script>`, "<script> without src"},
		"style":         {`<style>p {}</style>`, "<style> is there"},
		"style of one":  {`<p style="color: red">a</p>`, `<p style="color: red">`},
		"handler":       {`<p onclick="a()">a</p>`, `<p onclick="a()">`},
		"htmx handler":  {`<p hx-on:click="a()">a</p>`, `<p hx-on:click="a()">`},
		"htmx filter":   {`<p hx-trigger="click[a]">a</p>`, `<p hx-trigger="click[a]"> evaluates text`},
		"base":          {`<base href="x">`, "<base> is there"},
		"refresh":       {`<meta http-equiv="refresh" content="1">`, "<meta http-equiv>"},
		"root":          {`<a href="/console/">a</a>`, `<a href="/console/"> is not relative`},
		"host":          {`<a href="//evil.example">a</a>`, `<a href="//evil.example"> is not relative`},
		"absolute":      {`<form action="https://evil.example"></form>`, `<form action="https://evil.example"> is not relative`},
		"javascript":    {`<a href="javascript:alert(1)" rel="noreferrer">a</a>`, `<a href="javascript:alert(1)"> is not relative`},
		"id":            {`<p id="a"></p><p id="a"></p>`, `the id "a" is there twice`},
		"reference":     {`<html><h1>a</h1><p aria-describedby="b"></p></html>`, `nothing has the id "b"`},
		"no heading":    {`<html><p>a</p></html>`, "got 0 elements h1, want 1"},
		"label":         {`<input name="a" id="a">`, `<input name="a"> without a label`},
		"id of control": {`<label>A <input name="a"></label>`, `<input name="a"> without an id`},
		"alt":           {`<img src="a">`, `<img src="a"> without alt`},
		"button":        {`<button name="a"> </button>`, `<button name="a"> without text`},
		"fine": {`<html><h1>a</h1><label for="a">A</label><input id="a"><label><input type="checkbox"> B</label><button aria-label="c"></button>
			<a href="../?a=/b">a</a><a href="https://example.com" rel="noreferrer">a</a><script src="a.js"></script></html>`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(htmlFaults(test.text), "; "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

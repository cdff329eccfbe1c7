package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Every link, picture and part of every page that can be reached from the first leads
// somewhere.
func TestLinks(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	fillHostile(t, s.store)
	for _, key := range []string{allKey, readsKey} {
		b := s.browser(t, key)
		first, err := url.Parse(s.URL + "/console/")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{first.String(): true}
		queries := make(map[string]int) // by path
		for queue := []*url.URL{first}; len(queue) > 0; queue = queue[1:] {
			at := queue[0]
			p := b.visit(at)
			if p.status >= 400 {
				t.Errorf("%s: got status %d", at, p.status)
			}
			for _, address := range addressesOf(p) {
				to, err := at.Parse(address)
				if err != nil {
					t.Errorf("%s leads to %q: %v", at, address, err)
					continue
				}
				to.Fragment = ""
				if to.Host != first.Host || seen[to.String()] || queries[to.Path] == mostQueries {
					continue
				}
				seen[to.String()] = true
				queries[to.Path]++
				queue = append(queue, to)
			}
		}
		t.Logf("%s: %d addresses", key, len(seen))
	}
}

// visit asks for an address, which may be outside the console.
func (b *browser) visit(at *url.URL) *page {
	b.t.Helper()
	if path, inside := strings.CutPrefix(at.RequestURI(), "/console/"); inside {
		return b.get(path)
	}
	a, err := b.client.Get(at.String())
	if err != nil {
		b.t.Fatal(err)
	}
	a.Body.Close()
	return &page{b.t, at.String(), a.StatusCode, http.Header{}, ""}
}

// mostQueries bounds how many queries of one path [TestLinks] follows.
const mostQueries = 5

// addressesOf returns the addresses that a page has for GET, or that a redirect leads to.
func addressesOf(p *page) []string {
	if to := p.header.Get("Location"); to != "" {
		return []string{to}
	}
	if !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
		return nil
	}
	doc, err := html.Parse(strings.NewReader(p.text))
	if err != nil {
		return nil
	}
	var addresses []string
	for n := range doc.Descendants() {
		for _, key := range []string{"href", "src", "hx-get"} {
			if n.Type == html.ElementNode && hasAttribute(n, key) {
				addresses = append(addresses, attribute(n, key))
			}
		}
		if n.Type == html.ElementNode && n.Data == "form" && attribute(n, "method") != "post" && attribute(n, "method") != "dialog" {
			addresses = append(addresses, attribute(n, "action"))
		}
	}
	return addresses
}

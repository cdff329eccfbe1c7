package httpapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// The page that shows the document, its style and its script.
var (
	//go:embed docs.html
	docsHTML string
	//go:embed docs.css
	docsCSS []byte
	//go:embed docs.js
	docsJS []byte
)

// docsPolicy lets a browser take the style and the script from the server, and the script
// call the server, and nothing else.
const docsPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docs writes the page.
func (c *call) docs() (any, error) {
	render := c.h.pages.at
	if c.w.slash { // a browser resolves the addresses on the page differently
		render = c.h.pages.below
	}
	page, err := render()
	if err != nil {
		return nil, err
	}
	c.w.Header().Set("Content-Security-Policy", docsPolicy)
	c.w.Header().Set("Referrer-Policy", "no-referrer")
	return c.writeStatic(page)
}

// docsFile writes a file that the page needs.
func (c *call) docsFile() (any, error) {
	switch c.r.PathValue("file") {
	case "docs.css":
		return c.writeStatic(docsStyle())
	case "docs.js":
		return c.writeStatic(docsScript())
	}
	return nil, &failure{http.StatusNotFound, "NotFoundError", "no such path", nil}
}

// A static is a text that is the same for every handler and request.
type static struct {
	contentType string
	tag         string // without quotes
	plain       []byte
	compressed  []byte // by gzip
}

func newStatic(contentType string, text []byte) *static {
	hash := sha256.Sum256(text)
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // a level that exists
	w.Write(text)                                         // into memory
	w.Close()
	return &static{contentType, base64.RawURLEncoding.EncodeToString(hash[:12]), text, b.Bytes()}
}

// writeStatic writes s, unless the client has it.
func (c *call) writeStatic(s *static) (any, error) {
	text, tag := s.plain, s.tag
	h := c.w.Header()
	if acceptsGzip(c.r.Header) {
		text, tag = s.compressed, s.tag+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Add("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache") // asks each time whether it has changed
	h.Set("ETag", strconv.Quote(tag))
	if strings.Contains(c.r.Header.Get("If-None-Match"), strconv.Quote(tag)) {
		h.Del("Content-Encoding")
		c.w.WriteHeader(http.StatusNotModified)
		return written{}, nil
	}
	h.Set("Content-Type", s.contentType)
	h.Set("Content-Length", strconv.Itoa(len(text)))
	c.w.WriteHeader(http.StatusOK)
	c.w.Write(text) // if it fails the client is gone
	return written{}, nil
}

// acceptsGzip reports whether a client takes gzip, with any weight but zero.
func acceptsGzip(h http.Header) bool {
	for coding := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.Trim(weight, " q=0.") != "" || weight == ""
		}
	}
	return false
}

// The files are made when they are first needed, as the page is, since most programs with a
// handler never serve them.
var (
	docsStyle  = sync.OnceValue(func() *static { return newStatic("text/css; charset=utf-8", docsCSS) })
	docsScript = sync.OnceValue(func() *static { return newStatic("text/javascript; charset=utf-8", docsJS) })
)

// docsPages are the page as it is at its path, and below that.
type docsPages struct{ at, below func() (*static, error) }

// newDocsPages takes the routes that write, by their patterns without names.
func (h *Handler) newDocsPages(writing map[string]bool) docsPages {
	return docsPages{
		at:    sync.OnceValues(func() (*static, error) { return h.renderDocs("docs/", "", writing) }),
		below: sync.OnceValues(func() (*static, error) { return h.renderDocs("", "../", writing) }),
	}
}

// renderDocs returns the page. Its files are at the address beside, other paths of the
// server at root.
func (h *Handler) renderDocs(beside, root string, writing map[string]bool) (*static, error) {
	doc := document{shown: make(map[string]bool)}
	if err := json.Unmarshal(openAPIJSON, &doc); err != nil {
		return nil, fmt.Errorf("httpapi: openapi.json: %w", err)
	}
	doc.findAlone(openAPIJSON)
	groups := 0
	t, err := template.New("docs").Funcs(template.FuncMap{
		"prose":   prose,
		"inline":  inline,
		"type":    typeOf,
		"notes":   notesOf,
		"pretty":  pretty,
		"upper":   strings.ToUpper,
		"samples": samplesOf,
		"answer":  doc.answer,
		"body":    doc.bodyFields,
		"reply":   doc.answerFields,
		"members": doc.members,
		"alone":   doc.entryOf,
		"group": func() string { // a name that no other group of samples has
			groups++
			return "s" + strconv.Itoa(groups)
		},
		"writes": func(e entry) bool { return writing[e.pattern()] },
		"file":   func(name string) string { return beside + name },
		"console": func() string {
			if len(h.mounts) == 0 {
				return ""
			}
			return root + h.mounts[0].name + "/"
		},
	}).Parse(docsHTML)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, &doc); err != nil {
		return nil, err
	}
	return newStatic("text/html; charset=utf-8", b.Bytes()), nil
}

package console

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

//go:embed templates
var templateFiles embed.FS

// screens are the templates by name. Each has the layout and the parts that screens
// share, and defines "main" and parts of its own.
var screens map[string]*template.Template

// parsed parses the templates once.
var parsed = sync.OnceValue(func() error {
	shared, err := template.New("").Funcs(functions).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html", "templates/forms.html")
	if err != nil {
		return err
	}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return err
	}
	screens = make(map[string]*template.Template)
	for _, name := range names {
		screen := strings.TrimSuffix(path.Base(name), ".html")
		if screen == "layout" || screen == "parts" || screen == "forms" {
			continue
		}
		t, err := shared.Clone()
		if err == nil {
			t, err = t.ParseFS(templateFiles, name)
		}
		if err != nil {
			return err
		}
		screens[screen] = t
	}
	return nil
})

// A view is what a template shows: the frame, and what the screen's method has found.
type view struct {
	q     *request
	Title string
	Tab   string // of the bucket's tabs, the one that is open
	Body  any
}

// render writes a page: the template of the screen, in the layout.
func (q *request) render(status int, screen, title string, body any) error {
	return q.renderTemplate(status, screen, "layout", &view{q: q, Title: title, Tab: tabOf(screen), Body: body})
}

// tabOf returns the bucket's tab that a screen belongs to.
func tabOf(screen string) string {
	switch screen {
	case "schemachange":
		return "schema"
	case "import":
		return "uploads"
	}
	return screen
}

// renderPart writes a part of a page: a template that the screen, or the parts of all,
// define.
func (q *request) renderPart(status int, screen, part string, body any) error {
	return q.renderTemplate(status, screen, part, &view{q: q, Tab: tabOf(screen), Body: body})
}

// show writes the page, or if a script asks, the part of it.
func (q *request) show(screen, title, part string, body any) error {
	if q.isPart() {
		return q.renderPart(http.StatusOK, screen, part, body)
	}
	return q.render(http.StatusOK, screen, title, body)
}

// compressFrom is the length from which text is compressed.
const compressFrom = 1 << 10

func (q *request) renderTemplate(status int, screen, name string, v *view) error {
	t := screens[screen]
	if t == nil {
		return fmt.Errorf("console: no screen %q", screen)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, v); err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Encoding, HX-Request")
	text := b.Bytes()
	if len(text) >= compressFrom && strings.Contains(q.r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		text = compressed(text)
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	q.wrote = true
	q.w.WriteHeader(status)
	q.w.Write(text) // if it fails the browser is gone
	return nil
}

var compressors = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is right
	return w
}}

func compressed(text []byte) []byte {
	var b bytes.Buffer
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(&b)
	w.Write(text)
	w.Close()
	return b.Bytes()
}

// policy is the content security policy of all pages. Pictures, films and documents of
// users come from the console's own routes, as what can run nothing.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; frame-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (q *request) secureHeaders() {
	h := q.w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
}

// part returns the view for a template that shows another body.
func (v *view) part(body any) *view {
	w := *v
	w.Body = body
	return &w
}

// Root is the relative path to the console's first page, with a slash at its end.
func (v *view) Root() string { return v.q.root() }

// NS and B are the relative paths of the namespace and the bucket, with a slash at their
// ends.
func (v *view) NS() string { return v.Root() + v.q.nsPath() }

func (v *view) B() string { return v.Root() + v.q.bucketPath() }

// Here is the address of the page below the console's, for coming back.
func (v *view) Here() string { return v.q.here() }

// Again is the address of the page, relative to itself, for a part of it that is loaded
// again.
func (v *view) Again() string {
	params := v.q.params()
	params.Del("done")
	return "?" + params.Encode()
}

// Asset is the relative address of one of the console's files. It changes with the file.
func (v *view) Asset(name string) string {
	return v.Root() + "assets/" + name + "?v=" + assetHashes()[name]
}

// Options are those of the console.
func (v *view) Options() Options { return v.q.c.opts }

// Theme is light, dark, or empty for the system's.
func (v *view) Theme() string { return v.q.theme() }

// Access is who has signed in, nil for nobody.
func (v *view) Access() *httpapi.Access { return v.q.access }

// Namespace and Bucket are where the page is, nil for nowhere.
func (v *view) Namespace() *bucketlite.Namespace { return v.q.ns }

func (v *view) Bucket() *bucketlite.BucketInfo { return v.q.info }

// MayWrite reports whether the key may change what the page shows.
func (v *view) MayWrite() bool { return v.q.access != nil && !v.q.access.ReadOnly }

// MayChangeObjects reports whether the key and the state of the bucket allow changes of
// its objects.
func (v *view) MayChangeObjects() bool {
	b := v.q.info
	return v.MayWrite() && b != nil && b.Status == bucketlite.StatusActive && !b.Locked
}

// Done is the message of what has been done before this page, empty for none.
func (v *view) Done() string { return messages[v.q.query("done")] }

// functions are those that templates call.
var functions = template.FuncMap{
	"bytes":  formatBytes,
	"count":  formatCount,
	"time":   newTimeText,
	"lower":  strings.ToLower,
	"status": statusText,
	"plural": plural,
	"cut":    func(text string) string { return cut(text, shownText) },
	"json":   func(v any) (string, error) { text, err := json.Marshal(v); return string(text), err },
	"part":   (*view).part,
	"add":    func(a, b int) int { return a + b },
	"list":   func(values ...any) []any { return values },
}

// timeText is a time for a template: for people, and for the script that shows it in
// local time.
type timeText struct {
	Known   bool
	RFC3339 string
	UTC     string
	Short   string // in UTC too, until the script has shown it
}

func newTimeText(v any) timeText {
	var t time.Time
	switch v := v.(type) {
	case time.Time:
		t = v
	case *time.Time:
		if v != nil {
			t = *v
		}
	}
	if t.IsZero() {
		return timeText{}
	}
	t = t.UTC()
	return timeText{true, t.Format(time.RFC3339Nano), t.Format("2006-01-02 15:04:05 UTC"), t.Format("2006-01-02 15:04")}
}

package httpapi

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
)

var rootRoutes = []route{
	{"GET /{$}", open, reads, noBody, (*call).showRoot},
}

// Mount serves the path "/" + name, and all paths below it, by m. The requests have ids,
// and count in the log and the metrics, like those of the API; the ResponseWriter is an
// [Entry]. The paths are not cleaned or redirected, and need no key: m decides. The first
// name that is mounted is where "/" sends browsers. Mount is called before the handler
// serves its first request.
func (h *Handler) Mount(name string, m http.Handler) {
	h.mounts = append(h.mounts, mount{name, m})
}

// A mount is a handler below a path.
type mount struct {
	name    string
	handler http.Handler
}

// mounted returns the mount that has the path of a URL, or nil.
func (h *Handler) mounted(u *url.URL) *mount {
	for i := range h.mounts {
		rest, ok := strings.CutPrefix(u.EscapedPath(), "/"+h.mounts[i].name)
		if ok && (rest == "" || rest[0] == '/') {
			return &h.mounts[i]
		}
	}
	return nil
}

// serveMounted serves a request for a mount.
func (h *Handler) serveMounted(m *mount, a *answer, r *http.Request) {
	a.route = "/" + m.name + "/"
	c := &call{h: h, w: a, r: r}
	c.startDeadlines()
	c.writeDeadline(time.Now().Add(h.patience))
	m.handler.ServeHTTP(a, r)
}

// Entry is what a handler that is mounted may do with the log's entry of a request. The
// ResponseWriter is one.
type Entry interface {
	// RequestID returns the id of the request.
	RequestID() string
	// SetKey sets the name of the key that the request is made with.
	SetKey(name string)
	// SetError sets the reason why the answer is an error.
	SetError(err error)
}

// RequestID is for [Entry].
func (a *answer) RequestID() string { return a.id }

// SetKey is for [Entry].
func (a *answer) SetKey(name string) { a.key = name }

// SetError is for [Entry].
func (a *answer) SetError(err error) { a.err = err }

// root is what the server says of itself to anyone.
type root struct {
	Name    string `json:"name"`
	Docs    string `json:"docs"`
	OpenAPI string `json:"openapi"`
	Health  string `json:"health"`
	Console string `json:"console,omitempty"`
}

// showRoot names what needs no key. It sends browsers to the first mount. The address is
// relative, since a proxy may have removed a prefix from the path.
func (c *call) showRoot() (any, error) {
	about := root{Name: "bucketlite", Docs: "/docs", OpenAPI: "/openapi.json", Health: "/v1/health"}
	if len(c.h.mounts) == 0 {
		return about, nil
	}
	home := c.h.mounts[0].name + "/"
	c.w.Header().Set("Vary", "Accept")
	if strings.Contains(c.r.Header.Get("Accept"), "text/html") {
		c.w.Header().Set("Cache-Control", "no-store")
		c.w.Header().Set("Location", home)
		c.w.WriteHeader(http.StatusSeeOther)
		return written{}, nil
	}
	about.Console = "/" + home
	return about, nil
}

// Store returns the store that the handler serves.
func (h *Handler) Store() *bucketlite.Store { return h.store }

// Options returns the options in force, without keys and secrets.
func (h *Handler) Options() Options {
	opts := h.opts
	opts.Keys, opts.SigningKey = nil, nil
	return opts
}

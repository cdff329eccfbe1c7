package console

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi"
)

// mountName is the first segment of the paths of the console.
const mountName = "console"

// Options adjust a console. The zero Options, and nil, mean the defaults.
type Options struct {
	// StoreName names the store in the head of each page, as the name of its file does.
	// Default: "store".
	StoreName string
	// Version names the program in the foot of each page. Default: none.
	Version string
}

// Console serves the pages. It is safe for concurrent use.
type Console struct {
	api     *httpapi.Handler
	store   *bucketlite.Store
	opts    Options
	limits  httpapi.Options // those of the API
	mux     *http.ServeMux
	guard   *http.CrossOriginProtection
	secure  bool // cookies are for https alone
	cookie  string
	starts  starts
	refused refusals
	late    lateness
}

// New returns a console for the store of the handler, and mounts it there. Any key of the
// handler signs in, and has its rights there. The options are copied.
func New(api *httpapi.Handler, opts *Options) (*Console, error) {
	c := &Console{api: api, store: api.Store(), limits: api.Options(), mux: http.NewServeMux(), late: lateness{fewObjects, firstPaint, manyObjects}, guard: http.NewCrossOriginProtection()}
	if opts != nil {
		c.opts = *opts
	}
	if c.opts.StoreName == "" {
		c.opts.StoreName = "store"
	}
	if c.limits.PublicURL != "" {
		public, err := url.Parse(c.limits.PublicURL)
		if err != nil {
			return nil, errors.New("console: PublicURL: a URL expected")
		}
		c.secure = public.Scheme == "https"
		if err := c.guard.AddTrustedOrigin(originOf(public)); err != nil {
			return nil, err
		}
	}
	if err := parsed(); err != nil {
		return nil, err
	}
	c.cookie = cookieName(api)
	for _, rt := range routes {
		method, path, _ := strings.Cut(rt.pattern, " ")
		c.mux.Handle(method+" /"+mountName+path, c.serve(rt))
	}
	api.Mount(mountName, c)
	return c, nil
}

// originOf returns the origin of a URL as browsers write it: in lower case, and without the
// port that its scheme has anyway.
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch {
	case u.Scheme == "http" && u.Port() == "80", u.Scheme == "https" && u.Port() == "443":
		host = strings.TrimSuffix(host, ":"+u.Port())
	}
	return u.Scheme + "://" + host
}

// ServeHTTP serves one request. Paths are not cleaned: an empty segment, "." or "..",
// escaped or not, is in no page's path. A redirect that adds a slash is relative, since a
// proxy may have removed a prefix from the path.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := &request{c: c, w: w, r: r}
	defer q.recovered()
	q.secureHeaders()
	path := r.URL.EscapedPath()
	if !isClean(path) {
		q.nowhere()
		return
	}
	switch _, pattern := c.mux.Handler(r); {
	case strings.HasSuffix(pattern, "/{$}") && !strings.HasSuffix(path, "/"):
		to := path[strings.LastIndex(path, "/")+1:] + "/"
		if r.URL.RawQuery != "" {
			to += "?" + r.URL.RawQuery
		}
		q.seeOther(to)
	case pattern == "":
		q.nowhere()
	default:
		c.mux.ServeHTTP(w, r)
	}
}

// nowhere answers a request for a path that no page has.
func (q *request) nowhere() {
	q.access = q.signedIn() // for the head of the page
	q.fail(errNoPage)
}

// isClean reports whether no segment of an escaped path is "." or "..", escaped or not,
// and none before the last is empty.
func isClean(path string) bool {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, segment := range segments {
		name, err := url.PathUnescape(segment)
		if err != nil || name == "." || name == ".." || name == "" && i < len(segments)-1 {
			return false
		}
	}
	return true
}

// recovered answers a request whose screen panicked.
func (q *request) recovered() {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler:
		panic(p)
	default:
		q.c.limits.Logger.LogAttrs(q.r.Context(), slog.LevelError, "panic", slog.String("request_id", q.id()),
			slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		if q.wrote {
			panic(http.ErrAbortHandler) // half a page must not look whole
		}
		q.fail(errors.New("panic"))
	}
}

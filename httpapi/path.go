package httpapi

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// routed reports whether the path of a URL can be that of a route: it begins with a
// slash, and none of its segments is empty, "." or "..", escaped or not. The check
// stands before [http.ServeMux], which cleans such a path and redirects to the result:
// clients follow, and a DELETE of the object ".." would become one of its bucket. An
// escaped slash does not end a segment. Names that are "." or ".." have an id beside.
// One slash at the end is removed before, see [trimmed].
func routed(u *url.URL) bool {
	path, ok := strings.CutPrefix(u.EscapedPath(), "/")
	if ok && path == "" {
		return true
	}
	if !ok { // as in "GET *", or CONNECT to a host
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		name, err := url.PathUnescape(segment)
		if err != nil || name == "" || name == "." || name == ".." {
			return false
		}
	}
	return true
}

// trimmed returns a request without the one slash that its path ends in, and whether
// there was one. Clients that write it would lose the body of a POST in a redirect. Only
// GET and POST are taken so: of the URL of a member whose id is empty nothing but the
// list and the slash are left, and a PUT, PATCH or DELETE would hit what has the list.
func trimmed(r *http.Request) (*http.Request, bool) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return r, false
	}
	path, ok := strings.CutSuffix(r.URL.EscapedPath(), "/")
	if !ok || path == "" || path == "/" {
		return r, false
	}
	u := *r.URL
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(u.RawPath, "/")
	other := *r
	other.URL = &u
	return &other, true
}

// methods are those that routes have. HEAD is served where GET is.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}

// nowhere answers a request that no route takes: 405 with the methods that the path
// has, 501 if only the hosted service has it, or 404. It needs a key, unless the path is
// one of a route that needs none.
func (h *Handler) nowhere(w http.ResponseWriter, r *http.Request) {
	c := &call{h: h, w: w.(*answer), r: r}
	c.startDeadlines()
	allowed, public := h.allowed(r)
	err := error(&failure{http.StatusNotFound, "NotFoundError", "no such path", nil})
	if !public {
		if keyErr := c.findKey(); keyErr != nil {
			allowed, err = nil, keyErr
		}
	}
	if resource := hostedResource(r.URL); resource != "" && c.key != nil && routed(r.URL) {
		err = notHere(resource)
	}
	if len(allowed) > 0 {
		c.w.Header().Set("Allow", strings.Join(allowed, ", "))
		err = &failure{http.StatusMethodNotAllowed, "MethodNotAllowedError", "the path does not take " + r.Method, nil}
	}
	c.writeDeadline(time.Now().Add(h.patience))
	c.w.fail(r.Context(), h, err)
}

// allowed returns the methods that the path of a request has, and whether it is one of
// a route that needs no key.
func (h *Handler) allowed(r *http.Request) (allowed []string, public bool) {
	if !routed(r.URL) {
		return nil, false
	}
	for _, method := range methods {
		other := *r
		other.Method = method
		if _, pattern := h.mux.Handler(&other); pattern != "/" {
			allowed = append(allowed, method)
			public = public || h.keyless[pattern]
		}
	}
	return allowed, public
}

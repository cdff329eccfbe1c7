package httpapi

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// access says what a route asks for before it is entered.
type access int

const (
	open   access = iota // nothing
	signed               // the signature of its URL
	keyed                // a key
	scoped               // a key, and a namespace that it may enter
)

// effect says what a route does to the store.
type effect bool

const (
	reads  effect = false
	writes effect = true // a key for reading alone is refused
)

// A route is what one method does at one path. What serve returns is written as
// JSON, unless it is nil, which means that there is no content, or written.
type route struct {
	pattern string
	access  access
	effect  effect
	serve   func(*call) (any, error)
}

// written says that the answer has been written already.
type written struct{}

// routes are all there are, but for what is not found.
var routes = slices.Concat(
	bucketRoutes,
	namespaceRoutes,
	taskRoutes,
	lifecycleRoutes,
	validateRoutes,
	indexRoutes,
	analyticsRoutes,
	objectRoutes,
	batchRoutes,
	uploadRoutes,
	blobRoutes,
	eventRoutes,
	healthRoutes,
	metricRoutes,
	documentRoutes,
)

// serve makes a handler of a route.
func (h *Handler) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := w.(*answer)
		a.route = rt.pattern
		c := &call{h: h, w: a, r: r}
		err := c.enter(rt)
		var body any
		if err == nil {
			body, err = rt.serve(c)
		}
		if err == nil {
			if _, done := body.(written); done {
				return
			}
			c.writeDeadline(time.Now().Add(h.patience))
			err = a.write(http.StatusOK, body)
		}
		if err != nil {
			c.writeDeadline(time.Now().Add(h.patience))
			a.fail(r.Context(), h, err)
		}
	})
}

// enter checks that the caller may enter the route.
func (c *call) enter(rt route) (err error) {
	// Each request sets the deadlines anew; a stream moves them as it goes.
	// While there is no body to wait for there is none: it would end the request.
	var until time.Time
	if c.r.Body != nil && c.r.Body != http.NoBody {
		until = time.Now().Add(c.h.patience)
	}
	c.readDeadline(until)
	c.writeDeadline(time.Time{})
	switch rt.access {
	case open:
		return nil
	case signed:
		return c.verify()
	}
	if c.key, err = c.h.keys.find(c.r); err != nil {
		return err
	}
	c.w.key = c.key.Name
	if rt.effect == writes && c.key.ReadOnly {
		return forbidden("the key is for reading alone")
	}
	if rt.access == scoped {
		name := c.r.Header.Get("X-Namespace")
		if name == "" {
			name = c.h.opts.DefaultNamespace
		}
		if name == "" {
			return badRequest("header X-Namespace: the name or id of a namespace expected")
		}
		return c.locate(name)
	}
	return err
}

// nowhere answers what no route is for: with the methods that there are for the
// path, if there are any.
func (h *Handler) nowhere(w http.ResponseWriter, r *http.Request) {
	a := w.(*answer)
	var allowed []string
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		other := *r
		other.Method = method
		if _, pattern := h.mux.Handler(&other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		a.fail(r.Context(), h, &failure{http.StatusNotFound, "NotFoundError", "no such path", nil})
		return
	}
	a.Header().Set("Allow", strings.Join(allowed, ", "))
	a.fail(r.Context(), h, &failure{http.StatusMethodNotAllowed, "MethodNotAllowedError", "the path does not take " + r.Method, nil})
}

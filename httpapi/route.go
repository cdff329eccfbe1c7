package httpapi

import (
	"math"
	"net/http"
	"slices"
	"time"
)

// access is the authorization that a route requires.
type access int

const (
	open   access = iota // nothing
	signed               // the signature of its URL
	lent                 // the signature of its URL, which has the rights of a key
	keyed                // a key
	scoped               // a key, and a namespace that it may enter
)

// effect tells whether a route reads or writes.
type effect bool

const (
	reads  effect = false
	writes effect = true // a key for reading alone is refused
)

// A body is how much JSON a route reads.
type body int

const (
	noBody         body = iota // none; bytes that are no JSON are bounded by the store
	formBody                   // a form
	definitionBody             // a bucket or a namespace, as long as the store takes one
	listBody                   // ids, or uploads with the objects that they become
	objectBody                 // objects
)

// bodyLimits are the most bytes of each. Objects have [Options].MaxBodyBytes, which
// bounds the others too.
var bodyLimits = [...]int64{noBody: 0, formBody: 1 << 20, definitionBody: 3 << 20, listBody: 16 << 20, objectBody: math.MaxInt64}

// bodyLimit returns the most bytes of a body, and the option that sets it, if one does.
func (h *Handler) bodyLimit(b body) (limit int64, option string) {
	if h.opts.MaxBodyBytes <= bodyLimits[b] {
		return h.opts.MaxBodyBytes, "MaxBodyBytes"
	}
	return bodyLimits[b], ""
}

// A route is one method at one path. The result of serve is written as JSON, unless it
// is nil, which means that there is no content, or written.
type route struct {
	pattern string
	access  access
	effect  effect
	body    body
	serve   func(*call) (any, error)
}

// written says that the answer has been written already.
type written struct{}

// routes are all routes, except those of requests that are not found.
var routes = slices.Concat(
	bucketRoutes,
	namespaceRoutes,
	taskRoutes,
	lifecycleRoutes,
	validateRoutes,
	indexRoutes,
	analyticsRoutes,
	objectRoutes,
	objectQueryRoutes,
	explainRoutes,
	exportRoutes,
	applyRoutes,
	batchRoutes,
	uploadRoutes,
	blobRoutes,
	eventRoutes,
	eventURLRoutes,
	checkRoutes,
	backupRoutes,
	healthRoutes,
	metricRoutes,
	documentRoutes,
	rootRoutes,
)

// serve makes a handler of a route.
func (h *Handler) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := w.(*answer)
		a.route = rt.pattern
		c := &call{h: h, w: a, r: r}
		c.limit, c.limitOption = h.bodyLimit(rt.body)
		if rt.access >= keyed && rt.effect == reads {
			defer c.limitTime()()
		}
		if rt.effect == reads { // a write that took effect must not be answered with a refusal
			a.hold = func(bytes int) (func(), error) { return h.answers.enter(c.key, bytes) }
		}
		if a.slash {
			c.warn("path: no slash at the end expected")
		}
		err := c.enter(rt)
		var body any
		if err == nil {
			body, err = rt.serve(c)
			err = c.timeout.explain(err)
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
	c.startDeadlines()
	if rt.access >= keyed {
		if err := c.findKey(); err != nil {
			return err
		}
	}
	if c.query, err = parseQuery(c.r.URL.RawQuery); err != nil {
		return err
	}
	switch rt.access {
	case open:
		return nil
	case signed:
		return c.verify()
	case lent:
		return c.verifyFeed()
	}
	if rt.effect == writes && c.key.ReadOnly {
		return forbidden("the key is for reading alone")
	}
	if rt.access == scoped {
		switch header := c.r.Header.Get("X-Namespace"); {
		case header != "":
			return c.locate(namespaceNames(header)...)
		case c.h.opts.DefaultNamespace != "":
			return c.locate(c.h.opts.DefaultNamespace)
		}
		return badRequest("header X-Namespace: the name or id of a namespace expected")
	}
	return err
}

// startDeadlines gives the client time to send its body. Each request sets the
// deadlines anew; a stream moves them as it goes. Without a body there is no deadline
// for reading: it would end the request.
func (c *call) startDeadlines() {
	var until time.Time
	if c.r.Body != nil && c.r.Body != http.NoBody {
		until = time.Now().Add(c.h.patience)
	}
	c.readDeadline(until)
	c.writeDeadline(time.Time{})
}

// findKey finds the key of the request.
func (c *call) findKey() (err error) {
	if c.key, err = c.h.keys.find(c.r); err != nil {
		return err
	}
	c.w.key = c.key.Name
	return nil
}

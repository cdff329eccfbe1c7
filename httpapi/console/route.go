package console

import (
	"net/http"
	"net/url"
	"slices"
)

// entry is who may enter a route.
type entry int

const (
	anyone   entry = iota // nobody needs to sign in
	signedIn              // who has signed in
	inPlace               // who may enter the namespace and the bucket in the path
	withAll               // who has signed in with a key that has all rights
)

// A route is a screen, or a part of one, at one path below the console's own.
type route struct {
	pattern string // method and path
	entry   entry
	effect  effect
	serve   func(*request) error
}

// effect is what a route does to the store.
type effect int

const (
	reads   effect = iota // for at most the time that a query of the API may take
	streams               // reads, for as long as the browser likes
	writes                // a key for reading alone is refused
)

// routes are all routes.
var routes = slices.Concat(
	sessionRoutes,
	assetRoutes,
	storeRoutes,
	namespaceRoutes,
	bucketRoutes,
	bucketNewRoutes,
	importRoutes,
	objectsRoutes,
	exportRoutes,
	selectRoutes,
	copyAsRoutes,
	findRoutes,
	thumbRoutes,
	objectRoutes,
	editRoutes,
	blobRoutes,
	settingsRoutes,
	schemaRoutes,
	indexRoutes,
	taskRoutes,
	batchRoutes,
	liveRoutes,
	chartRoutes,
	uploadRoutes,
)

// serve makes a handler of a route.
func (c *Console) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &request{c: c, w: w, r: r}
		defer q.recovered()
		end := q.limitTime(rt)
		defer end()
		err := q.enter(rt)
		if err == nil {
			err = rt.serve(q)
		}
		if err != nil {
			q.fail(err)
		}
	})
}

// enter checks that the route may be entered, and finds who asks and where.
func (q *request) enter(rt route) error {
	if err := q.c.guard.Check(q.r); err != nil {
		return errOtherSite
	}
	q.access = q.signedIn()
	if rt.entry == anyone {
		return nil
	}
	if q.access == nil {
		return errSignedOut
	}
	if _, err := url.ParseQuery(q.r.URL.RawQuery); err != nil {
		return errQuery // a list without one of its conditions would show, or export, too much
	}
	q.logEntry().SetKey(q.access.Name)
	switch {
	case rt.effect == writes && q.access.ReadOnly:
		return errReadOnlyKey
	case rt.entry == withAll && !q.access.All():
		return errNotAll
	case rt.entry == inPlace:
		return q.locate()
	}
	return nil
}

// Package console serves a console for people: pages in which they see, find, add and
// watch what is in a store, with a browser.
//
//	api, err := httpapi.New(store, &httpapi.Options{Keys: keys})
//	…
//	_, err = console.New(api, nil)
//	…
//	err = http.ListenAndServe("127.0.0.1:8080", api)
//
// # Layers
//
// A [Console] is mounted on a [httpapi.Handler], at /console/, and "/" sends browsers
// there. It calls the store itself, not the API, so that a page costs what its calls cost.
// A route (route.go) names a screen, who may enter it and whether it changes anything. A
// request (request.go) knows who asks and where. A screen is a method of request in the
// file of its word, and a template of the same name. Errors are those of the store, in the
// words of the API.
//
// # Rules
//
// Pages work without scripts: scripts only add what pages have not, such as progress. The
// content security policy allows nothing but the console's own files, and nothing inline.
// Every address in a page is relative, so a proxy may serve the console below a prefix
// that it removes. Nothing changes by GET, and a POST from another site is refused. Names
// and contents that users store appear as text only.
package console

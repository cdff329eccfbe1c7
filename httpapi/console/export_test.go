package console

import "strings"

// Pages returns the paths of the routes that answer GET, below the console's own, with
// wildcards as in "n/{namespace}/". Streams, which do not end, are left out.
func Pages() (paths []string) {
	for _, rt := range routes {
		method, path, _ := strings.Cut(rt.pattern, " ")
		if method == "GET" && rt.effect != streams {
			paths = append(paths, strings.TrimSuffix(strings.TrimPrefix(path, "/"), "{$}"))
		}
	}
	return paths
}

// A Route is a route of the console, as the test of rights sees it.
type Route struct {
	Method, Path      string // below the console's, with wildcards
	Open, All, Writes bool   // for anyone; for keys with all rights; refused to keys for reading
}

// Routes returns all routes.
func Routes() (list []Route) {
	for _, rt := range routes {
		method, path, _ := strings.Cut(rt.pattern, " ")
		list = append(list, Route{
			Method: method, Path: strings.TrimSuffix(strings.TrimPrefix(path, "/"), "{$}"),
			Open: rt.entry == anyone, All: rt.entry == withAll, Writes: rt.effect == writes,
		})
	}
	return list
}

// BeLate lets the rows of every list follow its first paint. It is called before the first
// request.
func (c *Console) BeLate() { c.late.objects, c.late.after = 0, 0 }

// CountAsMany sets how many objects make a query slow. It is called before the first request.
func (c *Console) CountAsMany(n int64) { c.late.many = n }

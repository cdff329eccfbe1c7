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

package httpapi

import (
	"net/http"
	"net/url"
	"strings"
)

// hostedPaths are beginnings of paths that the hosted service serves and this server does
// not, with {} for any segment. The list is closed: a path that is not on it may be a
// misspelt one of this server, and is not found.
var hostedPaths = splitPaths(
	"/v1/agents",
	"/v1/alerts",
	"/v1/analytics/buckets/{}/sync-comparison",
	"/v1/analytics/buckets/{}/sync-performance",
	"/v1/analytics/clusters",
	"/v1/analytics/collections",
	"/v1/analytics/extractors",
	"/v1/analytics/indexes",
	"/v1/analytics/inference",
	"/v1/analytics/namespaces",
	"/v1/analytics/performance",
	"/v1/analytics/retrievers",
	"/v1/analytics/taxonomies",
	"/v1/analytics/usage",
	"/v1/annotations",
	"/v1/assets",
	"/v1/buckets/{}/batches/{}/logs",
	"/v1/buckets/{}/syncs",
	"/v1/clusters",
	"/v1/collections",
	"/v1/documents",
	"/v1/features",
	"/v1/inference",
	"/v1/ingest",
	"/v1/marketplace",
	"/v1/models",
	"/v1/namespaces/{}/models",
	"/v1/namespaces/{}/plugins",
	"/v1/organizations",
	"/v1/plugins",
	"/v1/private",
	"/v1/public",
	"/v1/retrievers",
	"/v1/taxonomies",
	"/v1/templates",
	"/v1/users",
	"/v1/webhooks",
)

func splitPaths(paths ...string) (split [][]string) {
	for _, path := range paths {
		split = append(split, strings.Split(path, "/"))
	}
	return split
}

// hostedResource returns the name of the hosted service's resource at a path, as in
// "collections" or "batch logs"; "" if the path is not known to be one of the service.
func hostedResource(u *url.URL) string {
	segments := strings.Split(u.EscapedPath(), "/")
	for _, path := range hostedPaths {
		if begins(segments, path) {
			return resourceName(path)
		}
	}
	return ""
}

// begins reports whether a path begins with the segments of a pattern.
func begins(segments, pattern []string) bool {
	if len(segments) < len(pattern) {
		return false
	}
	for i, name := range pattern {
		if name != "{}" && name != segments[i] {
			return false
		}
	}
	return true
}

// resourceName returns the last word of a pattern, with what it belongs to if that is
// another resource: "analytics of retrievers", "batch logs".
func resourceName(pattern []string) string {
	last := pattern[len(pattern)-1]
	switch {
	case strings.HasPrefix(last, "sync-"):
		return "analytics of syncs"
	case pattern[2] == "analytics":
		return "analytics of " + last
	case last == "logs":
		return "batch logs"
	}
	return last
}

// notHere is the answer for a resource that only the hosted service has.
func notHere(resource string) error {
	return &failure{http.StatusNotImplemented, "NotImplementedError",
		resource + ": not on this server, which has namespaces, buckets, objects, uploads, batches, tasks, events and analytics of buckets; the rest is the hosted service's",
		map[string]any{"resource": resource}}
}

package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/value"
)

const (
	// preflightAge is how long a browser may remember a preflight, in seconds.
	preflightAge = 600
	// exposedHeaders are those of answers that a page may read. Content-Length and
	// Content-Type are open to it anyway.
	exposedHeaders = "Content-Disposition, Content-Range, ETag, Retry-After, Warning, X-Request-Id"
)

// sharing tells which web pages may use the API from a browser (CORS).
type sharing struct {
	any     bool
	origins map[string]bool
}

// newSharing returns what [Options].CORSOrigins say.
func newSharing(origins []string) (s sharing, err error) {
	s.origins = make(map[string]bool)
	for _, text := range origins {
		if text == "*" {
			s.any = true
			continue
		}
		origin, err := parseOrigin(text)
		if err != nil {
			return sharing{}, err
		}
		s.origins[origin] = true
	}
	if s.any && len(s.origins) > 0 {
		return sharing{}, fmt.Errorf("httpapi: CORSOrigins: \"*\" means any origin, and excludes others")
	}
	return s, nil
}

// defaultPorts are those that browsers leave out of an origin.
var defaultPorts = map[string]uint64{"http": 80, "https": 443}

// parseOrigin returns an origin as browsers write it.
func parseOrigin(text string) (string, error) {
	if text == "null" {
		return "", fmt.Errorf("httpapi: CORSOrigins: \"null\" is the origin of any file and of any sandboxed page, and cannot be allowed")
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.User != nil || u.Path != "" || strings.ContainsAny(text, "?#*") || strings.HasSuffix(text, ":") ||
		strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", fmt.Errorf("httpapi: CORSOrigins: got %s, want a scheme and a host, and a port unless it is the default, as in \"http://localhost:5173\"", value.Show(text))
	}
	host := strings.ToLower(u.Host)
	if port := u.Port(); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return "", fmt.Errorf("httpapi: CORSOrigins: got %s, want a port of at most 65535", value.Show(text))
		}
		host = strings.TrimSuffix(host, ":"+port)
		if n != defaultPorts[u.Scheme] {
			host += ":" + strconv.FormatUint(n, 10)
		}
	}
	return u.Scheme + "://" + host, nil
}

// allows reports whether pages of an origin may use the API.
func (s *sharing) allows(origin string) bool { return s.any || s.origins[origin] }

// shared reports whether pages of other origins may use a path: those of the API and of its
// document are, but no page.
func shared(u *url.URL) bool {
	path := u.EscapedPath()
	return strings.HasPrefix(path, "/v1/") || path == "/openapi.json" || path == "/docs/openapi.json"
}

// share tells the browser that the page of another origin may read the answer, whatever it
// is, if it may. It answers preflights, in which a browser asks before the request; they have
// no key. Credentials of the browser are never allowed.
func (h *Handler) share(a *answer, r *http.Request) (answered bool) {
	if !h.sharing.any && len(h.sharing.origins) == 0 || !shared(r.URL) {
		return false
	}
	header := a.Header()
	origin := r.Header.Get("Origin")
	preflight := r.Method == http.MethodOptions && origin != "" && r.Header.Get("Access-Control-Request-Method") != ""
	allowed := "*"
	if !h.sharing.any {
		allowed = origin
		header.Add("Vary", "Origin")
	}
	switch {
	case h.sharing.allows(origin):
		header.Set("Access-Control-Allow-Origin", allowed)
	case preflight:
		h.refusePreflight(a, r, origin)
		return true
	default:
		return false
	}
	if !preflight {
		header.Set("Access-Control-Expose-Headers", exposedHeaders)
		return false
	}
	h.answerPreflight(a, r)
	return true
}

// answerPreflight allows what a preflight asks for. Which methods and headers a path takes is
// for the request itself, so that a preflight tells nothing about paths.
func (h *Handler) answerPreflight(a *answer, r *http.Request) {
	c := &call{h: h, w: a, r: r}
	c.startDeadlines()
	header := a.Header()
	header.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	header.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	header.Set("Access-Control-Max-Age", strconv.Itoa(preflightAge))
	if names := strings.Join(r.Header.Values("Access-Control-Request-Headers"), ","); names != "" && isHeaderList(names) {
		header.Set("Access-Control-Allow-Headers", names)
	}
	if !h.sharing.any && r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		header.Set("Access-Control-Allow-Private-Network", "true")
	}
	c.writeDeadline(time.Now().Add(h.patience))
	a.WriteHeader(http.StatusNoContent)
}

// refusePreflight says why, for people: a browser shows its own text.
func (h *Handler) refusePreflight(a *answer, r *http.Request, origin string) {
	c := &call{h: h, w: a, r: r}
	c.startDeadlines()
	c.writeDeadline(time.Now().Add(h.patience))
	a.fail(r.Context(), h, forbidden("pages of the origin "+value.Show(origin)+" may not use this server; Options.CORSOrigins, or serve --cors-origin, names those that may"))
}

// isHeaderList reports whether a text consists of names of headers and commas.
func isHeaderList(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("-_, .!#$%&'*+^`|~", r)
	})
}

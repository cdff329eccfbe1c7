package bucketlite

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/ident"
)

const maxNameLength = 255

// nameIssue returns the fault of a namespace's or bucket's name, or "".
func nameIssue(name string) string {
	switch {
	case name == "":
		return "required"
	case !utf8.ValidString(name):
		return "valid UTF-8 expected"
	case utf8.RuneCountInString(name) > maxNameLength:
		return "at most 255 characters expected"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "no control characters expected"
	case strings.TrimSpace(name) == "":
		return "must not be blank"
	case strings.TrimSpace(name) != name:
		return "no spaces expected at either end" // an HTTP header loses them
	case name == ".", name == "..":
		return `must not be "." or ".."` // which HTTP clients remove from a path
	case escapesBeyondASCII(name):
		return "no percent escape of a character beyond ASCII expected" // see package httpapi, header X-Namespace
	case ident.Is(ident.NamespacePrefix, name), ident.Is(ident.BucketPrefix, name):
		return "must not look like an id"
	}
	return ""
}

// escapesBeyondASCII reports whether a name contains the percent escape of a byte beyond
// ASCII, as in "%C3%A9".
func escapesBeyondASCII(name string) bool {
	const first, other = "89abcdefABCDEF", "0123456789abcdefABCDEF"
	for i := 0; i+2 < len(name); i++ {
		if name[i] == '%' && strings.IndexByte(first, name[i+1]) >= 0 && strings.IndexByte(other, name[i+2]) >= 0 {
			return true
		}
	}
	return false
}

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
	case ident.Is(ident.NamespacePrefix, name), ident.Is(ident.BucketPrefix, name):
		return "must not look like an id"
	}
	return ""
}

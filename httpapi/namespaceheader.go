package httpapi

import (
	"net/url"
	"unicode/utf8"
)

// namespaceNames returns the names that the header X-Namespace may mean, of which the
// first that exists counts. Clients write a name beyond ASCII as UTF-8, as Latin-1, or
// percent-encoded. The header's own text comes first. Only an escape of a byte beyond
// ASCII is decoded: no namespace can be given a name that contains one, so none can stand
// in the place of another.
func namespaceNames(header string) []string {
	if !utf8.ValidString(header) {
		return []string{fromLatin1(header)}
	}
	decoded, err := url.PathUnescape(header)
	switch {
	case err != nil || !isASCII(header) || isASCII(decoded):
		return []string{header}
	case !utf8.ValidString(decoded):
		decoded = fromLatin1(decoded)
	}
	return []string{header, decoded}
}

// fromLatin1 returns a text of which each byte is a character.
func fromLatin1(text string) string {
	runes := make([]rune, len(text))
	for i := range len(text) {
		runes[i] = rune(text[i])
	}
	return string(runes)
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

package format

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isURI follows URI in RFC 3986, which has a scheme and nothing beyond ASCII.
func isURI(s string) bool {
	scheme, rest, found := strings.Cut(s, ":")
	return found && isScheme(scheme) && isRelative(rest)
}

// isURIReference follows URI-reference in RFC 3986. A reference without a scheme has no
// colon in its first segment.
func isURIReference(s string) bool {
	segment := s
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		segment = s[:i]
	}
	return isURI(s) || !strings.Contains(segment, ":") && isRelative(s)
}

// isIRI follows IRI in RFC 3987.
func isIRI(s string) bool { return isURI(escape(s)) }

// isIRIReference follows IRI-reference in RFC 3987.
func isIRIReference(s string) bool { return isURIReference(escape(s)) }

// escape replaces each character beyond ASCII by an escaped byte, as the mapping of
// RFC 3987, section 3.1, does, and one that no IRI has by a space, which no URI has.
func escape(s string) string {
	var b strings.Builder
	query, fragment := false, false
	for _, r := range s {
		query = query || r == '?'
		fragment = fragment || r == '#'
		switch {
		case r < utf8.RuneSelf:
			b.WriteByte(byte(r))
		case isUCS(r), unicode.Is(unicode.Co, r) && query && !fragment:
			b.WriteString("%80")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// isUCS reports whether r is a ucschar of RFC 3987: neither a control, nor for private
// use, nor in the specials block, nor at the end of a plane.
func isUCS(r rune) bool {
	switch {
	case r < 0xa0, 0xd800 <= r && r <= 0xf8ff, 0xfdd0 <= r && r <= 0xfdef, 0xfff0 <= r && r <= 0xffff,
		r&0xfffe == 0xfffe, 0xe0000 <= r && r < 0xe1000, r >= 0xf0000:
		return false
	}
	return true
}

func isScheme(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && (i == 0 || !isDigit(c) && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

// isRelative reports whether s is what may follow a scheme: an authority, a path, a
// query and a fragment, each of them optional.
func isRelative(s string) bool {
	s, fragment, _ := strings.Cut(s, "#")
	s, query, _ := strings.Cut(s, "?")
	if rest, found := strings.CutPrefix(s, "//"); found {
		authority, path, _ := strings.Cut(rest, "/")
		if !isAuthority(authority) {
			return false
		}
		s = path
	}
	return consistsOf(s, ":@/") && consistsOf(query, ":@/?") && consistsOf(fragment, ":@/?")
}

// isAuthority follows authority in RFC 3986, section 3.2.
func isAuthority(s string) bool {
	if user, host, found := strings.Cut(s, "@"); found {
		if !consistsOf(user, ":") {
			return false
		}
		s = host
	}
	host, port, _ := strings.Cut(s, ":")
	if literal, found := strings.CutPrefix(s, "["); found {
		literal, rest, closed := strings.Cut(literal, "]")
		if !closed || !isIPv6(literal) && !isFutureIP(literal) || rest != "" && rest[0] != ':' {
			return false
		}
		host, port = "", strings.TrimPrefix(rest, ":")
	}
	return consistsOf(host, "") && strings.Trim(port, "0123456789") == ""
}

var isFutureIP = regexp.MustCompile(`^[vV][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+$`).MatchString

// consistsOf reports whether s has only unreserved characters, sub-delims, escaped
// bytes and the characters of others.
func consistsOf(s, others string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isLetter(c), isDigit(c), strings.IndexByte("-._~!$&'()*+,;=", c) >= 0, strings.IndexByte(others, c) >= 0:
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

// isURITemplate follows URI-Template in RFC 6570, section 2, with erratum 6937: a single
// quote is a literal.
var isURITemplate = regexp.MustCompile(`^(?:` + templateLiteral + `|\{[+#./;?&=,!@|]?` + templateVariable + `(?:,` + templateVariable + `)*\})*$`).MatchString

const (
	templateLiteral  = "(?:[^\\x00-\\x20\\x7f-\\x{9f}\"%<>\\\\^`{|}]|" + templateEscape + ")"
	templateVariable = `(?:` + templateName + `(?:\.?` + templateName + `)*(?::[1-9][0-9]{0,3}|\*)?)`
	templateName     = `(?:[0-9A-Za-z_]|` + templateEscape + `)`
	templateEscape   = `%[0-9A-Fa-f]{2}`
)

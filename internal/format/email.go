package format

import (
	"strings"
	"unicode/utf8"
)

// isEmail follows Mailbox in RFC 5321, section 4.1.2. It has no display name, no comment
// and no space outside quotes, which net/mail accepts as parts of a header.
func isEmail(s string) bool { return isMailbox(s, isASCII, isHostname) }

// isIDNEmail follows Mailbox as RFC 6531, section 3.3, extends it.
func isIDNEmail(s string) bool { return isMailbox(s, utf8.ValidString, isIDNHostname) }

func isMailbox(s string, isText, isDomain func(string) bool) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 0 || len(s) > 254 || !isText(s) {
		return false
	}
	local, domain := s[:at], s[at+1:]
	if local == "" || len(local) > 64 || !isDotString(local) && !isQuoted(local) {
		return false
	}
	if literal, found := strings.CutPrefix(domain, "["); found {
		return isAddressLiteral(literal)
	}
	return isDomain(domain)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isDotString reports whether s consists of atoms with dots between them.
func isDotString(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			if c := atom[i]; !isLetter(c) && !isDigit(c) && c < utf8.RuneSelf && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", rune(c)) {
				return false
			}
		}
	}
	return true
}

// isQuoted reports whether s is a Quoted-string.
func isQuoted(s string) bool {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	s = s[1 : len(s)-1]
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			if i++; i == len(s) || s[i] >= utf8.RuneSelf || isControl(s[i]) {
				return false
			}
		case c == '"', isControl(c):
			return false
		}
	}
	return true
}

func isControl(c byte) bool { return c < ' ' || c == 0x7f }

// isAddressLiteral reports whether s is an address-literal without its first bracket.
func isAddressLiteral(s string) bool {
	s, closed := strings.CutSuffix(s, "]")
	if !closed {
		return false
	}
	const tag = "IPv6:"
	if len(s) >= len(tag) && strings.EqualFold(s[:len(tag)], tag) {
		return isIPv6(s[len(tag):])
	}
	return isIPv4(s)
}

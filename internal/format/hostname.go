package format

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxHostname = 253 // bytes, without a final dot
	maxLabel    = 63  // bytes
	maxUnicode  = maxHostname * utf8.UTFMax
	aLabel      = "xn--"
)

// isHostname follows RFC 1123, section 2.1: letters, digits and inner hyphens. A label
// that begins with "xn--" must be the A-label of RFC 5890. A final dot is not part of
// a name.
func isHostname(s string) bool {
	if len(s) > maxHostname {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !isLetter(c) && !isDigit(c) && c != '-' {
				return false
			}
		}
		if len(label) >= len(aLabel) && strings.EqualFold(label[:len(aLabel)], aLabel) && !isRegistered(label) {
			return false
		}
	}
	return true
}

// dots replaces the characters that RFC 3490, section 3.1, recognizes as dots.
var dots = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".")

// isIDNHostname follows RFC 5890, section 2.3.2.3: labels are LDH labels or U-labels.
func isIDNHostname(s string) bool {
	if len(s) > maxUnicode {
		return false
	}
	s = dots.Replace(s)
	return isHostname(s) || isRegistered(s)
}

// isRegistered reports whether the labels of s, which contains letters beyond ASCII or
// their encoding, are valid by IDNA2008. The profile checks lengths, the encoding,
// normalization, hyphens, joiners and directions. It accepts symbols, and the rules of
// RFC 5892 that depend on context are missing.
func isRegistered(s string) bool {
	s = strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, s)
	if ascii, err := idna.Registration.ToASCII(s); err != nil || len(ascii) > maxHostname || strings.HasSuffix(s, ".") {
		return false
	}
	s, err := idna.Registration.ToUnicode(s)
	if err != nil {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		runes := []rune(label)
		for i := range runes {
			if !isPermitted(runes, i) {
				return false
			}
		}
	}
	return true
}

// isPermitted applies the tables and contextual rules of RFC 5892 to one character of a
// label.
func isPermitted(label []rune, i int) bool {
	switch r := label[i]; r {
	case '\u00b7': // middle dot, in Catalan between two l
		return 0 < i && i < len(label)-1 && label[i-1] == 'l' && label[i+1] == 'l'
	case '\u0375': // Greek keraia
		return i < len(label)-1 && unicode.Is(unicode.Greek, label[i+1])
	case '\u05f3', '\u05f4': // Hebrew geresh and gershayim
		return 0 < i && unicode.Is(unicode.Hebrew, label[i-1])
	case '\u30fb': // Katakana middle dot
		return slices.ContainsFunc(label, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han) })
	case '-', '\u200c', '\u200d', // checked by the profile
		'\u06fd', '\u06fe', '\u0f0b', '\u3007': // symbols that are permitted
		return true
	case '\u0640', '\u07fa', '\u302e', '\u302f', '\u3031', '\u3032', '\u3033', '\u3034', '\u3035', '\u303b':
		return false
	default:
		if isArabicDigit(r) {
			return !slices.ContainsFunc(label, isExtendedArabicDigit)
		}
		return unicode.In(r, unicode.Ll, unicode.Lo, unicode.Lm, unicode.Mn, unicode.Mc, unicode.Nd) && !isOldHangul(r)
	}
}

func isArabicDigit(r rune) bool         { return '\u0660' <= r && r <= '\u0669' }
func isExtendedArabicDigit(r rune) bool { return '\u06f0' <= r && r <= '\u06f9' }

// isOldHangul reports whether r is a conjoining letter, which modern Korean composes.
func isOldHangul(r rune) bool {
	return '\u1100' <= r && r <= '\u11ff' || '\ua960' <= r && r <= '\ua97f' || '\ud7b0' <= r && r <= '\ud7ff'
}

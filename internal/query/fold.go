package query

import (
	"bytes"
	"cmp"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Fold returns the folded form of s, which is valid UTF-8: every character is replaced by
// the representative of the characters that Unicode's simple case folding treats as equal.
// For ASCII letters that is the lower case, for others the upper case, or the character
// with the lowest number if that is shorter.
// Two strings have the same folded form if and only if strings.EqualFold holds
// of them. It is never longer, in bytes, than s.
func Fold(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return string(AppendFold(make([]byte, 0, len(s)), s))
		}
	}
	return s
}

// AppendFold appends the folded form of s to dst.
func AppendFold(dst []byte, s string) []byte {
	start := len(dst)
	dst = append(dst, s...)
	for i, c := range dst[start:] {
		if c >= utf8.RuneSelf {
			return appendFoldRunes(dst[:start+i], s[i:])
		}
		dst[start+i] = lower(c)
	}
	return dst
}

func appendFoldRunes(dst []byte, s string) []byte {
	for _, r := range s {
		if r < utf8.RuneSelf {
			dst = append(dst, lower(byte(r)))
		} else {
			dst = utf8.AppendRune(dst, foldRune(r))
		}
	}
	return dst
}

// lower returns the lower case of a letter of ASCII, and any other byte as it is.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// foldRune returns the folded form of a character.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		return rune(lower(byte(r)))
	}
	pages := foldPages()
	if n := int(r >> 8); n < len(pages) {
		if page := pages[n]; page != nil {
			if f := page[r&0xff]; f != 0 {
				return f
			}
		}
	}
	return r
}

// foldPages returns the folded form of every character that is not its own, in
// pages of 256. The tables of the unicode package are searched; this one is
// looked up, since it is needed for each character of each row of a scan.
var foldPages = sync.OnceValue(func() []*[256]rune {
	var pages []*[256]rune
	for _, cases := range unicode.CaseRanges {
		for r := rune(cases.Lo); r <= rune(cases.Hi); r++ {
			f := canonicalFold(r)
			if f == r {
				continue
			}
			n := int(r >> 8)
			if n >= len(pages) {
				pages = append(pages, make([]*[256]rune, n+1-len(pages))...)
			}
			if pages[n] == nil {
				pages[n] = new([256]rune)
			}
			pages[n][r&0xff] = f
		}
	}
	return pages
})

// canonicalFold returns the one of the characters that folding takes r for which
// stands for them all.
func canonicalFold(r rune) rune {
	least, upper := r, unicode.MaxRune
	for f := r; ; {
		if least = min(least, f); unicode.IsUpper(f) {
			upper = min(upper, f)
		}
		if f = unicode.SimpleFold(f); f == r {
			break
		}
	}
	switch {
	case least < utf8.RuneSelf:
		return rune(lower(byte(least)))
	case utf8.RuneLen(upper) <= utf8.RuneLen(least):
		return upper
	}
	return least
}

// The functions below compare a string as it is with one that is folded already,
// without making the folded form of the first.

// equalFolded reports whether Fold(s) is folded.
func equalFolded(s, folded string) bool {
	return len(s) >= len(folded) && compareFolded(s, folded) == 0
}

// compareFolded compares Fold(s) with folded by code points.
func compareFolded(s, folded string) int {
	rest := cutFolded(s, folded)
	switch {
	case rest.differs:
		return rest.order
	case rest.s != "":
		return 1
	case rest.folded != "":
		return -1
	}
	return 0
}

// hasPrefixFolded reports whether Fold(s) begins with folded.
func hasPrefixFolded(s, folded string) bool {
	if len(s) < len(folded) {
		return false
	}
	rest := cutFolded(s, folded)
	return !rest.differs && rest.folded == ""
}

// remainder is the rest of two strings after their common beginning.
type remainder struct {
	s, folded string
	differs   bool // the next characters of both differ
	order     int  // and this is how they compare
}

func cutFolded(s, folded string) remainder {
	i := 0
	for i < len(s) && i < len(folded) && s[i] < utf8.RuneSelf && lower(s[i]) == folded[i] {
		i++
	}
	for s, folded = s[i:], folded[i:]; s != "" && folded != ""; {
		r, n := utf8.DecodeRuneInString(s)
		f, m := utf8.DecodeRuneInString(folded)
		if r = foldRune(r); r != f {
			return remainder{s, folded, true, cmp.Compare(r, f)}
		}
		s, folded = s[n:], folded[m:]
	}
	return remainder{s: s, folded: folded}
}

// hasSuffixFolded reports whether Fold(s) ends with folded.
func hasSuffixFolded(s, folded string) bool {
	if len(s) < len(folded) {
		return false
	}
	for s != "" && folded != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		f, m := utf8.DecodeLastRuneInString(folded)
		if foldRune(r) != f {
			return false
		}
		s, folded = s[:len(s)-n], folded[:len(folded)-m]
	}
	return folded == ""
}

// containsFolded reports whether Fold(s) contains folded.
func containsFolded(s string, folded []byte) bool {
	if len(s) < len(folded) {
		return false
	}
	var few [256]byte // enough for most, and off the heap
	if len(s) <= len(few) {
		return bytes.Contains(AppendFold(few[:0], s), folded)
	}
	b := scratch.Get().(*[]byte)
	*b = AppendFold((*b)[:0], s)
	found := bytes.Contains(*b, folded)
	release(b)
	return found
}

// foldedKey returns Fold(s) in few, or elsewhere if it does not fit, for a look
// into a map. It reports false if s is so long that nothing in the map, of at
// most longest bytes, can be its folded form.
func foldedKey(few []byte, s string, longest int) ([]byte, bool) {
	// Folding makes three bytes of some characters one, and no more than that.
	if len(s) > 3*longest {
		return nil, false
	}
	return AppendFold(few[:0], s), true
}

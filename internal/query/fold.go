package query

import (
	"bytes"
	"cmp"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold returns the folded form of s, which is valid UTF-8: s in normalisation form C, with
// every character replaced by the representative of the characters that Unicode's simple
// case folding treats as equal. For ASCII letters that is the lower case, for others the
// upper case, or the character with the lowest number if that is shorter.
// Two strings in form C have the same folded form if and only if strings.EqualFold holds
// of them. The folded form is at most three times as long, in bytes, as s, and not longer
// if s is in form C. A form that is folded again may change.
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
			return appendFoldRunes(dst[:start+i], s, i)
		}
		dst[start+i] = lower(c)
	}
	return dst
}

// appendFoldRunes is AppendFold after i bytes, which are ASCII and appended already.
func appendFoldRunes(dst []byte, s string, i int) []byte {
	start := len(dst) - i
	for _, r := range s[i:] {
		if r < utf8.RuneSelf {
			dst = append(dst, lower(byte(r)))
			continue
		}
		f := lookUp(r)
		if f&loose != 0 {
			return appendFoldNormal(dst[:start], norm.NFC.String(s))
		}
		dst = utf8.AppendRune(dst, f)
	}
	return dst
}

// appendFoldNormal is AppendFold for a text in normalisation form C.
func appendFoldNormal(dst []byte, s string) []byte {
	for _, r := range s {
		f, _ := fold(r)
		dst = utf8.AppendRune(dst, f)
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

// The functions below compare a string as it is with one that is folded already,
// without making the folded form of the first.

// How long a text may be for its folded form.
const (
	maxGrowth = 3 // the folded form is at most so many times as long
	maxShrink = 9 // and the text at most so many times: form C and folding shrink it to a third each
)

// equalFolded reports whether Fold(s) is folded.
func equalFolded(s, folded string) bool {
	return maxGrowth*len(s) >= len(folded) && compareFolded(s, folded) == 0
}

// compareFolded compares Fold(s) with folded by code points.
func compareFolded(s, folded string) int {
	rest, ok := cutFolded(s, folded, false)
	if !ok {
		rest, _ = cutFolded(norm.NFC.String(s), folded, true)
	}
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
	if maxGrowth*len(s) < len(folded) {
		return false
	}
	rest, ok := cutFolded(s, folded, false)
	if !ok {
		rest, _ = cutFolded(norm.NFC.String(s), folded, true)
	}
	return !rest.differs && rest.folded == ""
}

// remainder is the rest of two strings after their common beginning.
type remainder struct {
	s, folded string
	differs   bool // the next characters of both differ
	order     int  // and this is how they compare
}

// cutFolded returns what remains after the common beginning of Fold(s) and folded. Unless s
// is known to be normal, it reports false if a loose character matters.
func cutFolded(s, folded string, isNormal bool) (rest remainder, ok bool) {
	for {
		i := 0
		for i < len(s) && i < len(folded) && s[i] < utf8.RuneSelf && lower(s[i]) == folded[i] {
			i++
		}
		if s, folded = s[i:], folded[i:]; s == "" || folded == "" {
			return remainder{s: s, folded: folded}, isNormal || !beginsLoose(s)
		}
		r, n := utf8.DecodeRuneInString(s)
		f, m := utf8.DecodeRuneInString(folded)
		r, isLoose := fold(r)
		switch {
		case isLoose && !isNormal:
			return remainder{}, false
		case r != f:
			return remainder{s, folded, true, cmp.Compare(r, f)}, isNormal || !beginsLoose(s[n:])
		}
		s, folded = s[n:], folded[m:]
	}
}

// hasSuffixFolded reports whether Fold(s) ends with folded.
func hasSuffixFolded(s, folded string) bool {
	if maxGrowth*len(s) < len(folded) {
		return false
	}
	for rest, isNormal := s, false; folded != ""; {
		r, n := utf8.DecodeLastRuneInString(rest)
		f, m := utf8.DecodeLastRuneInString(folded)
		r, isLoose := fold(r)
		switch {
		case rest == "":
			return false
		case isLoose && !isNormal:
			// The text after r is the same in form C.
			rest, isNormal = norm.NFC.String(rest), true
			continue
		case r != f:
			return false
		}
		rest, folded = rest[:len(rest)-n], folded[:len(folded)-m]
	}
	return true
}

// containsFolded reports whether Fold(s) contains folded.
func containsFolded(s string, folded []byte) bool {
	if maxGrowth*len(s) < len(folded) {
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
	if len(s) > maxShrink*longest {
		return nil, false
	}
	return AppendFold(few[:0], s), true
}

package query

import (
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A character is loose if it may change in normalisation form C, or change a character
// before it: an accent, a vowel of Hangul that follows a consonant, the Kelvin sign. A text
// without loose characters has that form, and so has each part of it.
const loose rune = 1 << 30 // set in charPages

// formC returns s in normalisation form C. It is s itself for nearly every text.
func formC(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return formCFrom(s, i)
		}
	}
	return s
}

// formCFrom is formC for a text whose first i bytes are ASCII.
func formCFrom(s string, i int) string {
	for _, r := range s[i:] {
		if r >= utf8.RuneSelf && lookUp(r)&loose != 0 {
			return norm.NFC.String(s)
		}
	}
	return s
}

// beginsLoose reports whether the first character of s is loose.
func beginsLoose(s string) bool {
	if s == "" || s[0] < utf8.RuneSelf {
		return false
	}
	r, _ := utf8.DecodeRuneInString(s)
	return lookUp(r)&loose != 0
}

// fold returns the folded form of a character, and whether the character is loose.
func fold(r rune) (folded rune, isLoose bool) {
	if r < utf8.RuneSelf {
		return rune(lower(byte(r))), false
	}
	r = lookUp(r)
	return r &^ loose, r&loose != 0
}

// lookUp returns the folded form of a character beyond ASCII, with the bit loose if it is
// loose.
func lookUp(r rune) rune {
	page := charPages[uint32(r)>>8%numPages].Load()
	if page == nil {
		page = newPage(int(r >> 8))
	}
	if c := page[uint8(r)]; c != 0 {
		return c
	}
	return r
}

// charPages are the folded forms of characters, with the bit loose, in pages of 256. A 0
// stands for the character itself. The tables of packages unicode and norm are searched;
// this one is looked up, since it is needed for each character of each row of a scan. A
// page is made when a text first needs it.
var charPages [numPages]atomic.Pointer[charPage]

type charPage [256]rune

const numPages = 1 << 13 // more than there are, and a power of two to save a bounds check

// steadyPage is the page of characters that all stand for themselves.
var steadyPage charPage

// newPage makes page n and keeps it.
func newPage(n int) *charPage {
	page := &charPage{}
	var text [utf8.UTFMax]byte
	for i := range page {
		r := rune(n<<8 + i)
		c := canonicalFold(r)
		b := text[:utf8.EncodeRune(text[:], r)]
		if !norm.NFC.Properties(b).BoundaryBefore() || !norm.NFC.IsNormal(b) {
			c |= loose
		}
		if c != r {
			page[i] = c
		}
	}
	if *page == steadyPage {
		page = &steadyPage
	}
	charPages[n].Store(page)
	return page
}

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
	case upper < unicode.MaxRune && utf8.RuneLen(upper) <= utf8.RuneLen(least):
		return upper
	}
	return least
}

package jsonb

// Eight bytes at a time, held in a word.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// inspect reports whether s stands in JSON text as it is, without escapes, and
// whether it is all ASCII.
func inspect(s string) (verbatim, ascii bool) {
	if len(s) < 8 {
		w := short(s)
		return special(w)&highs == 0, w&highs == 0
	}
	// The last eight bytes may overlap with those before.
	all := word(s[len(s)-8:])
	found := special(all)
	for ; len(s) > 8; s = s[8:] {
		w := word(s)
		found |= special(w)
		all |= w
	}
	return found&highs == 0, all&highs == 0
}

// short returns a word of the bytes of s, which are fewer than eight, some of them
// twice, and of spaces.
func short(s string) uint64 {
	switch n := len(s); {
	case n >= 4:
		return half(s) | half(s[n-4:])<<32
	case n > 0:
		return ' '*ones&^0xffffff | uint64(s[0]) | uint64(s[n/2])<<8 | uint64(s[n-1])<<16
	}
	return ' ' * ones
}

// special sets the high bit of some byte if, and only if, a byte of w is a control
// character, a quotation mark or a backslash. The other bits mean nothing.
func special(w uint64) uint64 {
	quotes := w ^ '"'*ones
	slashes := w ^ '\\'*ones
	return (w-' '*ones)&^w | (quotes-ones)&^quotes | (slashes-ones)&^slashes
}

func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func half(s string) uint64 {
	_ = s[3]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

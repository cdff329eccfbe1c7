package query

import (
	"iter"
	"maps"
	"slices"
	"unicode"
	"unicode/utf8"
)

// SplitWords returns the words of s as they are: the longest runs of letters, digits
// and marks.
func SplitWords(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			var word string
			if word, s = cutWord(s); word == "" || !yield(word) {
				return
			}
		}
	}
}

// cutWord returns the first word of s, "" if there is none, and the text after it.
func cutWord(s string) (word, rest string) {
	start := -1
	for i, r := range s {
		switch {
		case !inWord(r):
			if start >= 0 {
				return s[start:i], s[i:]
			}
		case start < 0:
			start = i
		}
	}
	if start < 0 {
		return "", ""
	}
	return s[start:], ""
}

// inWord reports whether a character is part of a word.
func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return '0' <= r && r <= '9' || 'a' <= lower(byte(r)) && lower(byte(r)) <= 'z'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// WordSet are the words that a text must have.
type WordSet struct {
	// Words are they, sorted and without repetitions.
	Words []string

	caseSensitive bool
	index         map[string]int // of each word in Words
	longest       int            // bytes
}

// newWordSet returns the set of the words of text: folded, or if caseSensitive in
// normalisation form C.
func newWordSet(text string, caseSensitive bool) *WordSet {
	if caseSensitive {
		text = formC(text)
	} else {
		text = Fold(text) // word boundaries do not depend on case
	}
	w := &WordSet{caseSensitive: caseSensitive, index: make(map[string]int)}
	for word := range SplitWords(text) {
		w.index[word] = 0
		w.longest = max(w.longest, len(word))
	}
	w.Words = slices.Sorted(maps.Keys(w.index))
	for i, word := range w.Words {
		w.index[word] = i
	}
	return w
}

// match reports whether all the words are among those of s. No words never are.
func (w *WordSet) match(s string) bool {
	if len(w.Words) == 0 {
		return false
	}
	s = formC(s)
	for left := tick(len(w.Words)); left.n > 0; {
		var word string
		if word, s = cutWord(s); word == "" {
			return false
		}
		if i, ok := w.find(word); ok {
			left.off(i)
		}
	}
	return true
}

func (w *WordSet) find(word string) (i int, ok bool) {
	if w.caseSensitive {
		i, ok = w.index[word]
		return i, ok
	}
	var few [128]byte // enough for most, and off the heap
	key, ok := foldedKey(few[:], word, w.longest)
	if ok {
		i, ok = w.index[string(key)]
	}
	return i, ok
}

// A ticklist is a list of which one item after the other is ticked off.
type ticklist struct {
	n    int    // how many are left
	few  uint64 // those of the first 64 that are off, kept off the heap
	more []bool // those of the others
}

func tick(n int) ticklist {
	t := ticklist{n: n}
	if n > 64 {
		t.more = make([]bool, n-64)
	}
	return t
}

func (t *ticklist) isOff(i int) bool {
	if i < 64 {
		return t.few&(1<<i) != 0
	}
	return t.more[i-64]
}

func (t *ticklist) off(i int) {
	switch {
	case t.isOff(i):
		return
	case i < 64:
		t.few |= 1 << i
	default:
		t.more[i-64] = true
	}
	t.n--
}

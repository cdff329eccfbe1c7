package query

import (
	"bytes"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// Search is a search term made ready for use. It is safe for concurrent use.
type Search struct {
	// Parts are the words of the term, between white space, without
	// repetitions, and folded, or if CaseSensitive in normalisation form C. It must
	// not be changed.
	Parts         []string
	CaseSensitive bool

	parts [][]byte
}

// NewSearch splits term at white space. A term may have [MaxString] bytes and
// [MaxConditions] parts; the error is an [*Error].
func NewSearch(term string, caseSensitive bool) (*Search, error) {
	var f faults
	switch {
	case len(term) > MaxString:
		f.add(nil, ruleSize, "a search term has at most %d bytes, got %d", MaxString, len(term))
	case !utf8.ValidString(term):
		f.add(nil, ruleText, "a search term must be valid UTF-8")
	case caseSensitive:
		term = formC(term)
	default:
		term = Fold(term)
	}
	s := &Search{CaseSensitive: caseSensitive}
	for part := range strings.FieldsSeq(term) {
		s.Parts = append(s.Parts, part)
	}
	slices.Sort(s.Parts)
	s.Parts = slices.Compact(s.Parts)
	if n := len(s.Parts); n > MaxConditions {
		f.add(nil, ruleCount, "a search term has at most %d parts, got %d", MaxConditions, n)
	}
	if f.any() {
		return nil, f.err()
	}
	for _, part := range s.Parts {
		s.parts = append(s.parts, []byte(part))
	}
	return s, nil
}

// Texts returns texts that the text of a document must contain, folded.
func (s *Search) Texts() []string {
	if !s.CaseSensitive {
		return s.Parts
	}
	parts := make([]string, len(s.Parts))
	for i, part := range s.Parts {
		parts[i] = Fold(part)
	}
	return parts
}

// Match reports whether every part is contained in one of the texts, which need
// not be the same for all. A search without parts matches anything. If w ends the
// match, its [Work.Err] says why and the result is void.
func (s *Search) Match(texts iter.Seq[string], w *Work) bool {
	left := tick(len(s.parts))
	if left.n == 0 {
		return true
	}
	b := scratch.Get().(*[]byte)
	for text := range texts {
		if !w.read(len(text)) {
			break
		}
		if s.CaseSensitive {
			*b = append((*b)[:0], formC(text)...)
		} else {
			*b = AppendFold((*b)[:0], text)
		}
		for i, part := range s.parts {
			if !left.isOff(i) && w.read(len(*b)) && bytes.Contains(*b, part) {
				left.off(i)
			}
		}
		if left.n == 0 {
			break
		}
	}
	release(b)
	return left.n == 0
}

// Texts returns the strings in a plain value, at any depth. Names of members are
// none of them.
func Texts(v any) iter.Seq[string] {
	return func(yield func(string) bool) { eachText(v, yield) }
}

func eachText(v any, yield func(string) bool) bool {
	switch v := v.(type) {
	case string:
		return yield(v)
	case []any:
		for _, item := range v {
			if !eachText(item, yield) {
				return false
			}
		}
	case map[string]any:
		for _, item := range v {
			if !eachText(item, yield) {
				return false
			}
		}
	}
	return true
}

package querytest

import (
	"maps"
	"slices"
	"strings"
)

// Contains reports whether every part of the term, between white space, is
// contained in one of texts.
func Contains(texts []string, term string, caseSensitive bool) bool {
	for _, part := range strings.Fields(term) {
		if !slices.ContainsFunc(texts, func(s string) bool { return contains(s, part, caseSensitive) }) {
			return false
		}
	}
	return true
}

func contains(s, part string, caseSensitive bool) bool {
	text, wanted := []rune(s), []rune(part)
	for i := 0; i+len(wanted) <= len(text); i++ {
		window := string(text[i : i+len(wanted)])
		if window == part || !caseSensitive && strings.EqualFold(window, part) {
			return true
		}
	}
	return false
}

// Texts returns the strings in v, at any depth.
func Texts(v any) (texts []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, item := range v {
			texts = append(texts, Texts(item)...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			texts = append(texts, Texts(v[name])...)
		}
	}
	return texts
}

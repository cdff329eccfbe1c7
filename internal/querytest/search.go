package querytest

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Search reports whether each part of the term, between white space, is contained
// in a text of doc: a string in its fields, at any depth, or its object_id, its
// key_prefix, or the filename of a blob.
func Search(term string, doc map[string]any, caseSensitive bool) bool {
	var texts []string
	for name, v := range doc {
		switch name {
		case "bucket_id", "status", "error", "created_at", "updated_at":
		case "blobs":
			texts = append(texts, Texts(reached(doc, []string{"blobs", "details", "filename"}))...)
		default:
			texts = append(texts, Texts(v)...)
		}
	}
	return Contains(texts, term, caseSensitive)
}

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
	text, wanted := []rune(norm.NFC.String(s)), []rune(norm.NFC.String(part))
	for i := 0; i+len(wanted) <= len(text); i++ {
		window := string(text[i : i+len(wanted)])
		if window == string(wanted) || !caseSensitive && strings.EqualFold(window, string(wanted)) {
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

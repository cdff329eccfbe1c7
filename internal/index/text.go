package index

import (
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/query"
)

// A bucket's text indexes share one text per object, in the table texts. FTS5 finds it by
// its trigrams.

// maxIndexedText limits the bytes of an object's text in the text index, and so the cost of
// a write: a mebibyte may take more than a second.
const maxIndexedText = 256 << 10

// unindexedText replaces a text that is longer or unreadable. Every search in the index
// finds it.
const unindexedText = "\x01\x01\x01"

// updateText replaces the text of an object.
func updateText(tx *commit.Tx, indexes []*Index, seq int64, before, after *Document) error {
	old, new := textOf(indexes, before), textOf(indexes, after)
	if before != nil && after != nil && old == new && new != unindexedText {
		return nil
	}
	if before != nil {
		if err := deleteText(tx, seq); err != nil {
			return err
		}
	}
	if after == nil {
		return nil
	}
	return insertText(tx, seq, new)
}

// textOf returns the folded text that a document has in the text indexes.
func textOf(indexes []*Index, doc *Document) string {
	if doc == nil {
		return ""
	}
	var text strings.Builder
	tooLong := false
	add := func(s string) bool {
		if tooLong = tooLong || text.Len()+len(s) > maxIndexedText; !tooLong {
			text.WriteString(query.Fold(s))
			text.WriteByte('\n') // no trigram spans two strings
		}
		return !tooLong
	}
	for _, i := range indexes {
		switch {
		case i.Kind != Text:
		case i.Path == "":
			doc.Texts()(add)
		default:
			for _, v := range query.Values(doc, i.path) {
				if s, ok := v.(string); ok {
					add(s)
				}
			}
		}
	}
	if tooLong || doc.err != nil {
		doc.err = nil
		return unindexedText
	}
	return text.String()
}

// maxTrigrams limits a search in the text index. More trigrams would hardly exclude more
// objects.
const maxTrigrams = 24

// trigrams returns the FTS5 query for texts that contain all parts, which are folded, or ""
// if the parts are too short. Of many trigrams it selects some evenly, since texts may differ only at their
// ends.
func trigrams(parts []string) string {
	var grams []string
	for _, part := range parts {
		for i := range part {
			end := i
			for range 3 {
				_, size := utf8.DecodeRuneInString(part[end:])
				if end += size; size == 0 {
					break
				}
			}
			if gram := part[i:end]; utf8.RuneCountInString(gram) == 3 {
				grams = append(grams, gram)
			}
		}
	}
	var match strings.Builder
	n := min(len(grams), maxTrigrams)
	for i := range n {
		if i > 0 {
			match.WriteString(" AND ")
		}
		gram := grams[i*(len(grams)-1)/max(1, n-1)]
		match.WriteString(`"` + strings.ReplaceAll(gram, `"`, `""`) + `"`)
	}
	return match.String()
}

package index

import (
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/query"
)

// A bucket's text indexes share one text for each object, in the table texts. FTS5 finds
// it by its trigrams.

// maxIndexedText is how many bytes of text an object may have in the text index. It
// bounds the cost of one write: a mebibyte may take more than a second.
const maxIndexedText = 256 << 10

// unindexedText stands for a text that is longer or unreadable. Every look into the index
// finds it.
const unindexedText = "\x01\x01\x01"

// updateText exchanges the text of an object.
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

// maxTrigrams bounds a look into the text index. More trigrams would hardly exclude more.
const maxTrigrams = 24

// trigrams returns what FTS5 has to match for texts that contain all the parts, or "" if
// the parts are too short for it. Of many trigrams it takes some from everywhere, since
// texts may differ at their ends alone.
func trigrams(parts []string) string {
	var grams []string
	for _, part := range parts {
		part = query.Fold(part)
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

package query

import (
	"bytes"
	"slices"
)

// An index of a path has entries for each document: keys, of which a filter asks
// those that lie in some spans. What a document is sorted by is one of its keys.
// Strings have a second one that is folded, after all others, since that is how
// they are compared unless case matters.
const rankFolded rank = 0x10

// EntriesEnd is greater than every key that documents are sorted by, and not
// greater than any other.
var EntriesEnd = []byte{byte(rankFolded)}

// NilKey is the key of null, and of what is absent.
var NilKey = []byte{byte(rankNil)}

// Entries are the keys of one document in the index of a path.
type Entries struct {
	// Keys are sorted and not repeated. There is always one.
	Keys [][]byte
	// Many tells that they stand for several values, or for an empty array, and
	// Cut that a text was too long to be in a key as a whole. If neither is so,
	// the spans of a condition have one of them only if it holds for doc.
	Many, Cut bool
}

// EntriesOf returns the keys of doc in the index of path, whose type is t. They
// share no memory with doc.
func EntriesOf(doc Doc, path []string, t Type) Entries {
	var e Entries
	values := 0
	for _, v := range Values(doc, path) {
		p := prepare(v, t)
		if p == nil {
			continue
		}
		values++
		e.Keys = append(e.Keys, AppendKey(nil, p))
		switch p := p.(type) {
		case string:
			text := v.(string)
			folded := Fold(text[:min(len(text), 4*MaxKeyText)]) // it shrinks to a third at most
			e.Keys = append(e.Keys, foldedTextKey(folded))
			e.Cut = e.Cut || len(p) == MaxKeyText || len(folded) >= MaxKeyText
		case Object:
			e.Cut = e.Cut || len(p) == MaxKeyText
		}
	}
	// Beside others too, what is null or not there must be found as such.
	isNull := Node{Op: IsNull, Path: path, comparand: comparand{ifAbsent: true}}
	null := isNull.Match(doc)
	if null || values == 0 {
		e.Keys = append(e.Keys, NilKey)
	}
	e.Many = values > 1 || null == (values > 0)
	slices.SortFunc(e.Keys, bytes.Compare)
	e.Keys = slices.CompactFunc(e.Keys, bytes.Equal)
	return e
}

// foldedTextKey returns the key of a folded text, as far as it counts.
func foldedTextKey(s string) []byte {
	return appendTextKey([]byte{byte(rankFolded)}, cut(s))
}

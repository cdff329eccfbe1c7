package query

import (
	"bytes"
	"slices"
)

// An index of a path has entries for each document: keys, of which a filter asks
// those that lie in some spans. The sort key of a document is one of them.
// Strings have a second one that is folded, after all others, since that is how
// they are compared unless case matters.
const rankFolded rank = 0x10

// EntriesEnd is greater than every key that documents are sorted by, and not
// greater than any other.
var EntriesEnd = []byte{byte(rankFolded)}

// NilKey is the key of null and of absent values.
var NilKey = []byte{byte(rankNil)}

// WideKey is the key of documents that have more than [MaxEntries], and thus no
// others but those that they are sorted by. Whatever a condition asks for, they may
// have it. It comes after all other keys.
var WideKey = []byte{byte(rankFolded) + 1}

// WideSpan has no other key than WideKey.
var WideSpan = only(WideKey)

// MaxEntries is how many keys a document has of its own. It bounds the cost of one write
// to an index.
const MaxEntries = 1000

// Entries are the keys of one document in the index of a path.
type Entries struct {
	// Keys are sorted and not repeated. There is always one.
	Keys [][]byte
	// Many tells that they stand for several values, or for an empty array, and
	// Cut that a text was too long to be in a key as a whole. If neither is so,
	// the spans of a condition have one of them only if it holds for doc.
	Many, Cut bool
}

// Unreadable are the entries of a document that cannot be read: every lookup finds it
// and reports the error.
func Unreadable() Entries { return Entries{Keys: [][]byte{NilKey, WideKey}, Many: true} }

// EntriesOf returns the keys of doc in the index of path, whose type is t. They
// share no memory with doc.
func EntriesOf(doc Doc, path []string, t Type) Entries {
	var e Entries
	values, wide := 0, false
	for _, v := range Values(doc, path) {
		p := prepare(v, t)
		if p == nil {
			continue
		}
		values++
		if len(e.Keys) >= 4*MaxEntries { // most may be the same
			wide = e.narrow(wide)
		}
		e.Keys = append(e.Keys, AppendKey(nil, p))
		switch p := p.(type) {
		case string:
			text := v.(string)
			folded := Fold(text[:min(len(text), (maxShrink+1)*MaxKeyText)])
			e.Keys = append(e.Keys, foldedTextKey(folded))
			e.Cut = e.Cut || len(p) == MaxKeyText || len(folded) >= MaxKeyText
		case Object:
			e.Cut = e.Cut || len(p) == MaxKeyText
		}
	}
	// Nulls and absent values must be found as such, also beside others.
	isNull := Node{Op: IsNull, Path: path, comparand: comparand{ifAbsent: true}}
	null := isNull.Match(doc, new(Work))
	if wide = e.narrow(wide); wide {
		e.Keys = append(e.Keys, WideKey)
	}
	if null || values == 0 {
		e.Keys = append(e.Keys, NilKey)
	}
	e.Many = values > 1 || null == (values > 0)
	e.sort()
	return e
}

// narrow leaves the first and the last of the keys to sort by, if there are more
// than MaxEntries or have been before, and reports whether that is so.
func (e *Entries) narrow(wide bool) bool {
	e.sort()
	if len(e.Keys) <= MaxEntries && !wide {
		return false
	}
	end, _ := slices.BinarySearchFunc(e.Keys, EntriesEnd, bytes.Compare)
	e.Keys = slices.CompactFunc([][]byte{e.Keys[0], e.Keys[end-1]}, bytes.Equal)
	return true
}

func (e *Entries) sort() {
	slices.SortFunc(e.Keys, bytes.Compare)
	e.Keys = slices.CompactFunc(e.Keys, bytes.Equal)
}

// foldedTextKey returns the key of a folded text, as far as it counts.
func foldedTextKey(s string) []byte {
	return appendTextKey([]byte{byte(rankFolded)}, cut(s))
}

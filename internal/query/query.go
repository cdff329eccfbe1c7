package query

import (
	"bytes"
	"cmp"
	"iter"
)

// Query says which members of a list are wanted, and in which order.
type Query struct {
	Filter  *Predicate // nil wants everything
	Search  *Search    // nil wants everything
	Order   Order      // empty is the order of creation
	Reverse bool       // the order of creation is backwards, also among members that Order has as equal
	After   Position   // where a page begins
	Last    int64      // the last place in the order of creation that is wanted; 0 for no such limit
	Limit   int        // of members on a page
}

// A Document is a member of a list, to be matched with a query.
type Document interface {
	Doc
	// Texts are the strings that a search reads.
	Texts() iter.Seq[string]
}

// Match reports whether a document of some size is wanted. If w ends the match, the
// result is void.
func (q *Query) Match(doc Document, size int, w *Work) bool {
	w.Begin(size)
	return (q.Filter == nil || q.Filter.Match(doc, w)) && (q.Search == nil || q.Search.Match(doc.Texts(), w))
}

// IsAll reports whether every document is wanted.
func (q *Query) IsAll() bool { return q.Filter == nil && q.Search == nil }

// IsPlain reports whether every document is wanted, in order of creation or backwards.
func (q *Query) IsPlain() bool { return q.IsAll() && len(q.Order) == 0 }

// A Position is a place in a list: the key that its member is sorted by, and the
// member's place in the order of creation. The zero Position is before the first member.
type Position struct {
	Key []byte
	Num int64
}

// Compare returns -1, 0 or 1 if a is before b in the list, is the same, or is after it.
func (q *Query) Compare(a, b Position) int {
	order := cmp.Compare(a.Num, b.Num)
	if q.Reverse && a.Num != 0 && b.Num != 0 {
		order = -order
	}
	return cmp.Or(bytes.Compare(a.Key, b.Key), order)
}

package query

import (
	"bytes"
	"slices"
)

// A Span is a range of keys: those not less than Low and less than High.
type Span struct {
	Low, High []byte
}

// Key returns the only key there can be in the span, if it holds but one.
func (s Span) Key() (key []byte, ok bool) {
	return s.Low, len(s.High) == len(s.Low)+1 && bytes.HasPrefix(s.High, s.Low) && s.High[len(s.Low)] == 0
}

// Spans returns where in an index of the condition's path the entries of documents
// are for which it holds: each of those has a key in one of the spans, and so may
// others. They do not overlap. It reports false if an index does not help.
func (n *Node) Spans() ([]Span, bool) {
	if n.Negated {
		return nil, false
	}
	switch n.Op {
	case IsNull:
		return []Span{only(NilKey)}, true
	case Eq:
		if n.form == formWhole {
			return nil, false
		}
		return []Span{only(n.key(n.Value))}, true
	case In:
		return n.set.spans(n.CaseSensitive)
	case Gt, Gte, Lt, Lte:
		return []Span{n.rangeSpan()}, true
	case StartsWith:
		// The index has instants of datetimes, not their text.
		if n.Type.Kind != DateTime {
			key := foldedTextKey(n.foldedText())
			key = key[:len(key)-1] // without its end
			return []Span{{key, append(bytes.Clone(key), 0xFF)}}, true
		}
	}
	return nil, false
}

// IsExact reports whether a document without [Entries].Many and Cut has an entry in the
// [Node.Spans] only if the condition holds for it. That is not so of beginnings of texts in
// form C, whose case matters: there are entries of texts as they are, and folded.
func (n *Node) IsExact() bool { return n.Op != StartsWith || !n.CaseSensitive }

// foldedText returns the folded form of the text that the condition compares with.
func (n *Node) foldedText() string {
	if n.CaseSensitive {
		return Fold(n.text)
	}
	return n.text
}

// key returns the key of a value that n compares with.
func (n *Node) key(v any) []byte { return comparandKey(v, n.CaseSensitive) }

func comparandKey(v any, caseSensitive bool) []byte {
	if s, ok := v.(string); ok {
		if !caseSensitive {
			return foldedTextKey(s)
		}
		v = cut(s)
	}
	return AppendKey(nil, v)
}

// rangeSpan is for Gt, Gte, Lt and Lte. A text that was cut stands for all that
// begin like it, so it may be in either direction.
func (n *Node) rangeSpan() Span {
	key := n.key(n.Value)
	whole := n.form != formText || len(n.text) < MaxKeyText
	first, next := []byte{key[0]}, []byte{key[0] + 1}
	after := append(bytes.Clone(key), 0)
	switch {
	case n.Op == Gt && whole:
		return Span{after, next}
	case n.Op == Gt || n.Op == Gte:
		return Span{key, next}
	case n.Op == Lt && whole:
		return Span{first, key}
	}
	return Span{first, after}
}

func only(key []byte) Span { return Span{key, append(bytes.Clone(key), 0)} }

func (s *Set) spans(caseSensitive bool) ([]Span, bool) {
	if len(s.Wholes) > 0 {
		return nil, false
	}
	var keys [][]byte
	add := func(v any) { keys = append(keys, comparandKey(v, caseSensitive)) }
	if s.Null {
		add(nil)
	}
	if s.False {
		add(false)
	}
	if s.True {
		add(true)
	}
	for _, v := range s.Nums {
		add(v)
	}
	for _, v := range s.Strings {
		add(v)
	}
	for _, v := range s.Instants {
		add(v)
	}
	slices.SortFunc(keys, bytes.Compare)
	keys = slices.CompactFunc(keys, bytes.Equal)
	spans := make([]Span, len(keys))
	for i, key := range keys {
		spans[i] = only(key)
	}
	return spans, true
}

// Texts returns texts that a string must contain, folded, if the condition is to
// hold for it. It reports false if the condition is no such.
func (n *Node) Texts() ([]string, bool) {
	if n.Negated {
		return nil, false
	}
	switch n.Op {
	case Contains, StartsWith, EndsWith:
		return []string{n.foldedText()}, true
	case Words:
		if !n.CaseSensitive {
			return n.words.Words, true
		}
		words := make([]string, len(n.words.Words))
		for i, word := range n.words.Words {
			words[i] = Fold(word)
		}
		return words, true
	}
	return nil, false
}

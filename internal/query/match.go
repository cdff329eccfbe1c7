package query

import (
	"fmt"
	"strings"
)

// Match reports whether doc matches the filter. If w ends the match, its
// [Work.Err] says why and the result is void.
func (p *Predicate) Match(doc Doc, w *Work) bool { return p.Root.Match(doc, w) }

// Match reports whether doc matches the part of a filter that n is.
func (n *Node) Match(doc Doc, w *Work) bool {
	switch n.Op {
	case And:
		for _, m := range n.Nodes {
			if !m.Match(doc, w) {
				return false
			}
		}
		return true
	case Or:
		return n.any(doc, w)
	case Not:
		return !n.any(doc, w)
	}
	if w.Spend(w.each) != nil {
		return false
	}
	v, ok := doc.Member(n.Path[0])
	holds := n.ifAbsent
	if ok {
		holds = n.holds(v, n.Path[1:], w)
	}
	return holds != n.Negated
}

func (n *Node) any(doc Doc, w *Work) bool {
	for _, m := range n.Nodes {
		if m.Match(doc, w) {
			return true
		}
	}
	return false
}

// MatchValue reports whether a document matches the condition n in which v, a
// plain value, is what stands at the path.
func (n *Node) MatchValue(v any, w *Work) bool { return n.holds(v, nil, w) != n.Negated }

// holds reports whether the condition, ignoring its negation, holds for the value at the
// path rest in v.
func (n *Node) holds(v any, rest []string, w *Work) bool {
	switch x := v.(type) {
	case []any:
		switch {
		case len(rest) == 0 && n.asWhole && n.test(v, w):
			return true
		case len(rest) > 0 && len(x) == 0:
			return n.ifAbsent
		}
		for _, item := range x {
			if n.holds(item, rest, w) {
				return true
			}
		}
		return false
	case map[string]any:
		if len(rest) > 0 {
			member, ok := x[rest[0]]
			if !ok {
				return n.ifAbsent
			}
			return n.holds(member, rest[1:], w)
		}
	}
	if len(rest) > 0 {
		return n.ifAbsent
	}
	return n.test(v, w)
}

// test reports whether the condition holds for v itself.
func (n *Node) test(v any, w *Work) bool {
	switch n.Op {
	case Eq:
		return n.equals(v)
	case Gt, Lt, Gte, Lte:
		return n.compares(v)
	case In:
		return n.isIn(v)
	case Exists:
		return true
	case IsNull:
		return v == nil
	}
	s, ok := v.(string)
	return ok && n.hasText(s, w)
}

func (n *Node) equals(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return n.form == formFlag && v == n.flag
	case string:
		switch n.form {
		case formText:
			if n.CaseSensitive {
				return v == n.text
			}
			return equalFolded(v, n.text)
		case formInstant:
			at, ok := ParseInstant(v)
			return ok && at == n.instant
		}
		return false
	case []any, map[string]any:
		return n.form == formWhole && n.whole.match(v, n.CaseSensitive)
	}
	if n.form != formNum {
		return false
	}
	num, ok := NumOf(v)
	return ok && num == n.num
}

func (n *Node) compares(v any) bool {
	var order int
	switch v := v.(type) {
	case nil, bool, []any, map[string]any:
		return false
	case string:
		switch n.form {
		case formText:
			if n.CaseSensitive {
				order = strings.Compare(v, n.text)
			} else {
				order = compareFolded(v, n.text)
			}
		case formInstant:
			at, ok := ParseInstant(v)
			if !ok {
				return false
			}
			order = at.Compare(n.instant)
		default:
			return false
		}
	default:
		num, ok := NumOf(v)
		if !ok || n.form != formNum {
			return false
		}
		order = num.Compare(n.num)
	}
	switch n.Op {
	case Gt:
		return order > 0
	case Lt:
		return order < 0
	case Gte:
		return order >= 0
	}
	return order <= 0
}

func (n *Node) isIn(v any) bool {
	switch v := v.(type) {
	case nil:
		return n.set.Null
	case bool:
		if v {
			return n.set.True
		}
		return n.set.False
	case string:
		if n.Type.Kind == DateTime {
			return n.set.hasInstant(v)
		}
		return n.set.hasString(v, n.CaseSensitive)
	case []any, map[string]any:
		return n.set.hasWhole(v, n.CaseSensitive)
	}
	return n.set.hasNum(v)
}

// hasText reports whether an operator on texts holds for s.
func (n *Node) hasText(s string, w *Work) bool {
	if n.Op == Regex {
		return n.matches(s, w)
	}
	if !w.read(len(s)) {
		return false
	}
	switch n.Op {
	case Words:
		return n.words.match(s)
	}
	if n.CaseSensitive {
		s = formC(s)
		switch n.Op {
		case Contains:
			return strings.Contains(s, n.text)
		case StartsWith:
			return strings.HasPrefix(s, n.text)
		}
		return strings.HasSuffix(s, n.text)
	}
	switch n.Op {
	case Contains:
		return containsFolded(s, n.part)
	case StartsWith:
		return hasPrefixFolded(s, n.text)
	}
	return hasSuffixFolded(s, n.text)
}

// matches reports whether the regular expression matches s.
func (n *Node) matches(s string, w *Work) bool {
	if w.err != nil {
		return false
	}
	found, err := n.pattern.Match(s, w)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("%s: %w", strings.Join(n.Path, "."), err)
	}
	return found
}

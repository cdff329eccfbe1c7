package query

import "strings"

// Match reports whether doc matches the filter.
func (p *Predicate) Match(doc Doc) bool { return p.Root.Match(doc) }

// Match reports whether doc matches the part of a filter that n is.
func (n *Node) Match(doc Doc) bool {
	switch n.Op {
	case And:
		for _, m := range n.Nodes {
			if !m.Match(doc) {
				return false
			}
		}
		return true
	case Or:
		return n.any(doc)
	case Not:
		return !n.any(doc)
	}
	v, ok := doc.Member(n.Path[0])
	holds := n.ifAbsent
	if ok {
		holds = n.holds(v, n.Path[1:])
	}
	return holds != n.Negated
}

func (n *Node) any(doc Doc) bool {
	for _, m := range n.Nodes {
		if m.Match(doc) {
			return true
		}
	}
	return false
}

// MatchValue reports whether a document matches the condition n in which v, a
// plain value, is what stands at the path.
func (n *Node) MatchValue(v any) bool { return n.holds(v, nil) != n.Negated }

// holds reports whether the condition, were it not negated, holds for what the
// path rest leads to from v.
func (n *Node) holds(v any, rest []string) bool {
	switch x := v.(type) {
	case []any:
		switch {
		case len(rest) == 0 && n.asWhole && n.test(v):
			return true
		case len(rest) > 0 && len(x) == 0:
			return n.ifAbsent
		}
		for _, item := range x {
			if n.holds(item, rest) {
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
			return n.holds(member, rest[1:])
		}
	}
	if len(rest) > 0 {
		return n.ifAbsent
	}
	return n.test(v)
}

// test reports whether the condition holds for v itself.
func (n *Node) test(v any) bool {
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
	return ok && n.hasText(s)
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
func (n *Node) hasText(s string) bool {
	switch n.Op {
	case Regex:
		return n.pattern.MatchString(s)
	case HasWords:
		return n.words.match(s)
	}
	if n.CaseSensitive {
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

package query

import (
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

// Never returns the reasons why no document can match the filter, given the declared
// types: a path where there is never a value, or a value of another type than those at the
// path. It returns none if a document may match, and none for a filter that is written to
// match nothing, such as an Or of no members.
func (p *Predicate) Never() []value.Fault {
	reasons, never := p.Root.impossible()
	if !never {
		return nil
	}
	return reasons
}

// impossible reports whether n matches nothing, and why.
func (n *Node) impossible() (reasons []value.Fault, never bool) {
	switch n.Op {
	case Not:
		return nil, false
	case And:
		for _, m := range n.Nodes {
			if why, impossible := m.impossible(); impossible {
				reasons, never = append(reasons, why...), true
			}
		}
		return reasons, never
	case Or:
		for _, m := range n.Nodes {
			why, impossible := m.impossible()
			if !impossible {
				return nil, false
			}
			reasons = append(reasons, why...)
		}
		return reasons, true
	case In:
		if n.set.Len() == 0 && !n.Negated {
			return nil, true
		}
	}
	if n.never == nil {
		return nil, false
	}
	return []value.Fault{*n.never}, true
}

// Unnamed returns the paths of the filter's conditions that the declarations lack, without
// repetitions.
func (p *Predicate) Unnamed() (paths []string) {
	seen := make(map[string]bool)
	p.Root.Any(func(n *Node) bool {
		path := strings.Join(n.Path, ".")
		if n.Type.Place == Unnamed && !seen[path] {
			seen[path] = true
			paths = append(paths, path)
		}
		return false
	})
	return paths
}

// judge notes why the condition holds for no document, if that is so. Its path and value
// stand at the places.
func (n *Node) judge(v any, field, at value.Path) {
	path := strings.Join(n.Path, ".")
	switch {
	case n.Negated, n.ifAbsent, n.Path == nil:
	case n.Type.Place == Closed:
		n.never = &value.Fault{Path: field.String(), Rule: ruleUndeclared,
			Message: "never matches: the schema allows no value at " + value.Show(path)}
	case !n.fits():
		n.never = &value.Fault{Path: at.String(), Rule: ruleType,
			Message: "never matches: the schema allows only " + kindNames[n.Type.Kind] + " at " + value.Show(path) + ", got " + cutText(value.Show(v))}
	}
}

var kindNames = map[Kind]string{
	String: "strings", Number: "numbers", Boolean: "booleans", Date: "dates", DateTime: "datetimes", Other: "objects",
}

// fits reports whether a value of the declared type can satisfy the condition.
func (n *Node) fits() bool {
	k := n.Type.Kind
	if k == Undeclared {
		return true
	}
	isText := k == String || k == Date || k == DateTime
	switch n.Op {
	case Contains, StartsWith, EndsWith, Regex, Words:
		return isText
	case In:
		s := n.set
		return s.Len() == 0 || (s.False || s.True) && k == Boolean || len(s.Nums) > 0 && k == Number || len(s.Strings) > 0 && isText ||
			len(s.Instants) > 0 && k == DateTime || len(s.Wholes) > 0 && (k == Other || n.Type.Many)
	}
	switch n.form {
	case formFlag:
		return k == Boolean
	case formNum:
		return k == Number
	case formText:
		return isText
	case formInstant:
		return k == DateTime
	case formWhole:
		return k == Other || n.Type.Many && n.whole.key[0] == '['
	}
	return true
}

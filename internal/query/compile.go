package query

import (
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Kind is the declared kind of the values at a path.
type Kind uint8

// The kinds of declared values.
const (
	Undeclared Kind = iota
	String
	Number
	Boolean
	Date
	DateTime
	Other // objects, files, and arrays of anything
)

// Place says whether documents may have a value at a path.
type Place uint8

// The places of values.
const (
	Open    Place = iota // there may be one: it is declared, or anything may be there
	Unnamed              // there may be one, but the declarations lack its name
	Closed               // there is never one
)

// Type is the declared type of the values at a path.
type Type struct {
	// Kind is that of the value, or of the elements if it is an array.
	Kind Kind
	// Many tells that the path may lead through an array or end in one, and so
	// to any number of values. Of an undeclared path it is always so.
	Many bool
	// Place says whether there may be values.
	Place Place
}

// Types tells the type of a path, given as its segments.
type Types func(path []string) Type

// Predicate is a filter made ready for use. It is safe for concurrent use.
type Predicate struct {
	// Root is the whole filter.
	Root *Node
}

// Node is a group or condition of a [Predicate]. It must not be changed.
type Node struct {
	// Op is And, Or or Not, or a condition's operator. That is never Ne or NotIn,
	// nor Eq with null: they are here as Eq and In, negated, and as IsNull.
	Op Op
	// Negated turns a condition into its opposite, for the document as a whole.
	Negated bool
	// Nodes are the members of a group.
	Nodes []*Node

	// Path is the path of a condition, and Type its declared type.
	Path []string
	Type Type
	// CaseSensitive tells whether the case of letters matters.
	CaseSensitive bool
	// Value is the value that a condition compares with, prepared:
	//
	//   - for Eq: a bool, Num, string, Instant or *Whole;
	//   - for Gt, Lt, Gte and Lte: a Num, string or Instant;
	//   - for In: a *Set;
	//   - for Contains, StartsWith and EndsWith: a string;
	//   - for Regex: a *pattern.Pattern;
	//   - for Words: a *WordSet;
	//   - for Exists and IsNull: nil.
	//
	// Strings are folded unless CaseSensitive. Where the Type's Kind is DateTime,
	// Eq, Gt, Lt, Gte, Lte and In have instants and never strings.
	Value any

	comparand
	never *value.Fault // why the condition holds for no document; nil if it may
}

// Any reports whether f holds for n or any of the conditions in it.
func (n *Node) Any(f func(condition *Node) bool) bool {
	if !n.Op.isGroup() {
		return f(n)
	}
	return slices.ContainsFunc(n.Nodes, func(m *Node) bool { return m.Any(f) })
}

// Compile checks e against the types that types declares, none if it is nil, and
// prepares it. An error is an [*Error] with every fault; those of types are at
// the condition's value.
func Compile(e *Expr, types Types) (*Predicate, error) {
	c := compiler{types: types}
	root := c.node(e, nil, false, 1)
	// The exact length matters only to a filter that may come close to it.
	if !c.any() && c.bytes > MaxBytes {
		if n := len(e.Append(nil)); n > MaxBytes {
			c.add(nil, ruleSize, "a filter has at most %d bytes as JSON, got %d", MaxBytes, n)
		}
	}
	if c.any() {
		return nil, c.err()
	}
	return &Predicate{Root: root}, nil
}

// compiler turns an Expr into nodes. It continues after a fault, to meet them all,
// but not after there is too much of something.
type compiler struct {
	types Types
	faults
	stopped bool

	groups, conditions, values int
	patterns                   pattern.Budget

	bytes int // no less than the JSON form has
}

// stop reports that there is too much of something, once, and ends the work.
func (c *compiler) stop(at value.Path, rule, format string, args ...any) {
	c.add(at, rule, format, args...)
	c.stopped = true
}

// node compiles e, which stands at the path at, depth groups deep.
func (c *compiler) node(e *Expr, at value.Path, caseSensitive bool, depth int) *Node {
	if e == nil {
		e = &Expr{Op: And}
	}
	if e.CaseSensitive != nil {
		caseSensitive = *e.CaseSensitive
	}
	for _, f := range e.faults {
		c.add(append(slices.Clip(at), f.path...), f.rule, "%s", f.message)
	}
	c.bytes += 100 + 6*len(e.Path) // names and punctuation, and every byte escaped
	if e.Op.isGroup() {
		return c.group(e, at, caseSensitive, depth)
	}
	n := &Node{Op: e.Op, CaseSensitive: caseSensitive}
	if c.conditions++; c.conditions > MaxConditions {
		c.stop(at, ruleCount, "a filter has at most %d conditions", MaxConditions)
		return n
	}
	c.condition(n, e, at)
	return n
}

func (c *compiler) group(e *Expr, at value.Path, caseSensitive bool, depth int) *Node {
	n := &Node{Op: e.Op, CaseSensitive: caseSensitive}
	c.groups++
	switch {
	case depth > MaxDepth:
		c.add(at, ruleDepth, "groups are nested more than %d deep", MaxDepth)
		return n
	case c.groups > MaxConditions:
		c.stop(at, ruleCount, "a filter has at most %d groups", MaxConditions)
		return n
	}
	for i, arg := range e.Args {
		var place value.Path
		if e.steps != nil {
			place = append(slices.Clip(at), e.steps[i]...)
		} else {
			place = slices.Clip(at).Member(string(e.Op)).Item(i)
		}
		n.Nodes = append(n.Nodes, c.node(arg, place, caseSensitive, depth+1))
		if c.stopped {
			break
		}
	}
	return n
}

// isFlag reports whether a condition's value is true or false, and true if there
// is none.
func (o Op) isFlag() bool { return o == Exists || o == IsNull }

// ops are the operators of conditions.
var ops = []Op{Eq, Ne, Gt, Lt, Gte, Lte, In, NotIn, Contains, StartsWith, EndsWith, Regex, Exists, IsNull, Words}

func (o Op) isKnown() bool { return slices.Contains(ops, o) }

// unknownOp says that there is no such operator, and which there are.
func unknownOp(o Op) string {
	var b strings.Builder
	b.WriteString("unknown operator " + value.Show(string(o)) + ", the operators are")
	for _, op := range ops {
		b.WriteString(" " + string(op))
	}
	if known, ok := spelling(string(o)); ok {
		b.WriteString("; write " + value.Show(string(known)))
	}
	return b.String()
}

func (c *compiler) condition(n *Node, e *Expr, at value.Path) {
	at = slices.Clip(at)
	placeOf := func(member string) value.Path {
		if e.short {
			member = e.Path
		}
		return at.Member(member)
	}
	var err error
	if op, ok := strings.CutPrefix(e.Path, "$"); ok && isDollar(op) {
		c.add(placeOf(memberField), ruleUnknown, "%s", dollarText(e.Path))
	} else if n.Path, err = ParsePath(e.Path); err != nil {
		c.add(placeOf(memberField), rulePath, "%v", err)
	} else {
		n.Type = Type{Many: true}
		if c.types != nil {
			n.Type = c.types(n.Path)
		}
	}
	if !e.Op.isKnown() {
		c.add(placeOf(memberOperator), ruleUnknown, "%s", unknownOp(e.Op))
		return
	}
	for _, f := range e.faults {
		if member := f.path[0].Name; member == memberOperator || member == memberValue {
			return // there is nothing to judge, or no telling by what
		}
	}
	place := placeOf(memberValue)
	if c.measure(place, e.Value, 0); c.stopped {
		return
	}
	if c.isDynamic(place, e.Value) || c.hasDollar(place, e) {
		return
	}
	n.prepare(c, e.Value, place)
	n.judge(e.Value, placeOf(memberField), place)
}

// measure checks the size of a value, at any depth.
func (c *compiler) measure(at value.Path, v any, depth int) {
	switch v := v.(type) {
	case string:
		c.bytes += 2 + 6*len(v)
		if len(v) > MaxString {
			c.add(at, ruleSize, "a string in a filter has at most %d bytes, got %d", MaxString, len(v))
		}
	case []any:
		c.bytes += 2 + len(v)
		if c.values += len(v); c.values > MaxValues {
			c.stop(at, ruleCount, "the lists in a filter have at most %d values", MaxValues)
			return
		}
		if depth == maxValueDepth {
			c.add(at, ruleDepth, "a value is nested more than %d deep", maxValueDepth)
			return
		}
		for i, item := range v {
			if c.measure(at.Item(i), item, depth+1); c.stopped {
				return
			}
		}
	case map[string]any:
		c.bytes += 2 + 4*len(v)
		if depth == maxValueDepth {
			c.add(at, ruleDepth, "a value is nested more than %d deep", maxValueDepth)
			return
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			c.measure(at.Member(name), name, depth+1)
			if c.measure(at.Member(name), v[name], depth+1); c.stopped {
				return
			}
		}
	default:
		c.bytes += 1000 // the longest number
	}
}

// isDynamic reports whether v is a value that the hosted service fills in from a
// request, after adding that as a fault.
func (c *compiler) isDynamic(at value.Path, v any) bool {
	object, _ := v.(map[string]any)
	_, hasField := object[memberField]
	if object["type"] != "dynamic" || !hasField {
		return false
	}
	c.add(at, ruleDynamic, "dynamic values exist only in the hosted service")
	return true
}

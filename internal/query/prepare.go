package query

import (
	"errors"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A comparand is the value that a condition compares with, spread out by type so that
// matching need not look behind interfaces.
type comparand struct {
	form    form
	flag    bool
	num     Num
	text    string
	part    []byte // text, for Contains
	instant Instant
	whole   *Whole
	set     *Set
	pattern *pattern.Pattern
	words   *WordSet

	asWhole  bool // arrays are compared as a whole too
	ifAbsent bool // the result for a document without the path
}

// A form tells which part of a comparand is in use.
type form uint8

const (
	formNone form = iota
	formFlag
	formNum
	formText
	formInstant
	formWhole
)

// prepare fills in what n compares with. The operator is known and the value,
// which stands at the path at, not too large.
func (n *Node) prepare(c *compiler, v any, at value.Path) {
	switch n.Op {
	case Ne:
		n.Op, n.Negated = Eq, true
	case NotIn:
		n.Op, n.Negated = In, true
	}
	switch n.Op {
	case Eq:
		if v == nil {
			n.Op, n.ifAbsent = IsNull, true
			return
		}
		n.compareWith(n.equal(c, v, at))
	case Gt, Lt, Gte, Lte:
		n.compareWith(n.ordered(c, v, at))
	case In:
		n.prepareSet(c, v, at)
	case Exists, IsNull:
		flag, ok := v.(bool)
		if !ok {
			c.add(at, ruleType, "%s: true or false expected, got %s", n.Op, value.Show(v))
		}
		n.Negated = !flag
		n.ifAbsent = n.Op == IsNull
		n.asWhole = n.Op == Exists
	default:
		n.prepareText(c, v, at)
	}
}

func (n *Node) compareWith(v any) {
	n.Value = v
	switch v := v.(type) {
	case bool:
		n.form, n.flag = formFlag, v
	case Num:
		n.form, n.num = formNum, v
	case string:
		n.form, n.text = formText, v
	case Instant:
		n.form, n.instant = formInstant, v
	case *Whole:
		n.form, n.whole, n.asWhole = formWhole, v, true
	}
}

// equal prepares a value, not null, for being equal to. It returns nil after a
// fault.
func (n *Node) equal(c *compiler, v any, at value.Path) any {
	_, isArray := v.([]any)
	if !isArray || !n.Type.Many {
		switch n.Type.Kind {
		case DateTime:
			return instant(c, v, at)
		case Date:
			if !isDate(v) {
				c.add(at, ruleType, "a date as YYYY-MM-DD expected, got %s", value.Show(v))
				return nil
			}
		}
	}
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return n.folded(v)
	case []any, map[string]any:
		return newWhole(v, n.CaseSensitive)
	}
	return number(c, v, at)
}

// ordered prepares a value for being less or greater than.
func (n *Node) ordered(c *compiler, v any, at value.Path) any {
	switch v.(type) {
	case nil, bool, []any, map[string]any:
		c.add(at, ruleType, "%s: a number, string or datetime expected, got %s", n.Op, value.Show(v))
		return nil
	}
	return n.equal(c, v, at)
}

func (n *Node) prepareSet(c *compiler, v any, at value.Path) {
	list, ok := v.([]any)
	if !ok {
		c.add(at, ruleType, "%s: a list expected, got %s", n.opGiven(), value.Show(v))
		return
	}
	n.set = &Set{}
	n.Value = n.set
	for i, item := range list {
		if item == nil {
			n.set.add(nil)
			continue
		}
		if place := at.Item(i); !c.isDynamic(place, item) {
			if item = n.equal(c, item, place); item != nil {
				n.set.add(item)
			}
		}
	}
	n.ifAbsent = n.set.Null
	n.asWhole = len(n.set.Wholes) > 0
}

// opGiven returns the operator as it was written.
func (n *Node) opGiven() Op {
	if n.Op == In && n.Negated {
		return NotIn
	}
	return n.Op
}

// prepareText prepares the value of an operator on texts.
func (n *Node) prepareText(c *compiler, v any, at value.Path) {
	s, ok := v.(string)
	switch {
	case !ok && n.Op == Contains:
		c.add(at, ruleType, "contains: a string expected, got %s; it looks for a part of a text, while eq finds an element of an array", value.Show(v))
	case !ok:
		c.add(at, ruleType, "%s: a string expected, got %s", n.Op, value.Show(v))
	case n.Op == Regex:
		n.preparePattern(c, s, at)
	case n.Op == Words:
		n.words = newWordSet(s, n.CaseSensitive)
		n.Value = n.words
	case n.CaseSensitive:
		n.compareWith(formC(s))
	default:
		n.compareWith(Fold(s))
		n.part = []byte(n.text)
	}
}

func (n *Node) preparePattern(c *compiler, s string, at value.Path) {
	if n := utf8.RuneCountInString(s); n > MaxPattern {
		c.add(at, rulePattern, "a regular expression has at most %d characters, got %d", MaxPattern, n)
		return
	}
	p, err := pattern.Compile(s, !n.CaseSensitive, &c.patterns)
	switch {
	case errors.Is(err, pattern.ErrSize):
		c.stop(at, rulePattern, "the regular expressions in a filter are too large: together they have more than %d instructions; repeat less in them", pattern.MaxSize)
	case err != nil:
		c.add(at, rulePattern, "%v", err)
	default:
		n.pattern, n.Value = p, p
	}
}

// folded returns s as it is compared.
func (n *Node) folded(s string) string {
	if n.CaseSensitive {
		return s
	}
	return Fold(s)
}

// instant prepares a datetime; it returns nil after a fault.
func instant(c *compiler, v any, at value.Path) any {
	if s, ok := v.(string); ok {
		if at, ok := ParseInstant(s); ok {
			return at
		}
	}
	c.add(at, ruleType, "a datetime as in RFC 3339 expected, got %s", value.Show(v))
	return nil
}

func isDate(v any) bool {
	s, ok := v.(string)
	return ok && value.ParseDate(s)
}

// number prepares a number; it returns nil after a fault.
func number(c *compiler, v any, at value.Path) any {
	if n, ok := NumOf(v); ok {
		return n
	}
	c.add(at, ruleType, "no number: %s", value.Show(v))
	return nil
}

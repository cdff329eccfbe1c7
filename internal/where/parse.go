// Package where reads filters as people write them:
//
//	duration > 5000 and language = "en"
//
// The result is that of the JSON form; see package query.
package where

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// The bounds of a text.
const (
	MaxBytes = query.MaxBytes
	MaxDepth = query.MaxDepth // of parentheses and "not" within each other
)

// Error is the first fault of a text.
type Error struct {
	Offset       int // bytes before the fault
	Line, Column int // from 1; columns are characters
	Message      string
}

func (e *Error) Error() string {
	if e.Line > 1 {
		return fmt.Sprintf("line %d, character %d: %s", e.Line, e.Column, e.Message)
	}
	return fmt.Sprintf("character %d: %s", e.Column, e.Message)
}

// fault is an error at an offset.
type fault struct {
	pos     int
	message string
}

func (f *fault) Error() string { return f.message }

// Parse reads a filter. The error is an [*Error].
func Parse(src string) (*query.Expr, error) {
	e, err := parse(src)
	if err == nil {
		return e, nil
	}
	f, ok := err.(*fault)
	if !ok {
		f = &fault{0, err.Error()}
	}
	before := src[:min(f.pos, len(src))]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return nil, &Error{
		Offset: f.pos, Line: 1 + strings.Count(before, "\n"), Column: 1 + utf8.RuneCountInString(line), Message: f.message,
	}
}

func parse(src string) (*query.Expr, error) {
	if len(src) > MaxBytes {
		return nil, &fault{0, fmt.Sprintf("got %d bytes, want at most %d", len(src), MaxBytes)}
	}
	if valid := strings.ToValidUTF8(src, ""); len(valid) < len(src) {
		return nil, &fault{invalidAt(src), "got a byte that is not UTF-8"}
	}
	p := &parser{src: src}
	if err := p.advance(); err != nil {
		return nil, err
	}
	n, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.at.kind != end {
		return nil, p.want(`"and", "or" or the end`)
	}
	// The conditions have been checked one by one. These faults are of the whole.
	return n.expr, n.expr.Check()
}

// invalidAt returns the offset of the first byte that is not UTF-8.
func invalidAt(src string) int {
	for i, c := range src {
		if c == utf8.RuneError && !strings.HasPrefix(src[i:], string(utf8.RuneError)) {
			return i
		}
	}
	return len(src)
}

// parser is at a token of src.
type parser struct {
	src                string
	at                 token
	conditions, values int
}

// node is a filter and how many groups are nested in it.
type node struct {
	expr  *query.Expr
	depth int
}

// advance moves to the next token.
func (p *parser) advance() (err error) {
	p.at, err = next(p.src, p.at.pos+len(p.at.raw))
	return err
}

// take moves past the current token if it is this word.
func (p *parser) take(name string) (bool, error) {
	if !p.at.is(name) {
		return false, nil
	}
	return true, p.advance()
}

// want is the error that the current token is not this.
func (p *parser) want(what string) error {
	if write := meant[p.at.raw]; p.at.kind == symbol && write != "" {
		what += `; write "` + write + `"`
	}
	return p.fault("got %s, want %s", p.at.show(), what)
}

func (p *parser) fault(format string, args ...any) error {
	return &fault{p.at.pos, fmt.Sprintf(format, args...)}
}

// or reads filters of which one must hold.
func (p *parser) or(depth int) (node, error) { return p.joined("or", query.Or, depth, p.and) }

// and reads filters that must all hold.
func (p *parser) and(depth int) (node, error) { return p.joined("and", query.And, depth, p.not) }

// joined reads filters with a word between them. One by itself is no group.
func (p *parser) joined(name string, op query.Op, depth int, part func(int) (node, error)) (node, error) {
	pos := p.at.pos
	var parts []node
	for {
		n, err := part(depth)
		if err != nil {
			return node{}, err
		}
		parts = append(parts, n)
		if more, err := p.take(name); err != nil || !more {
			if err != nil || len(parts) == 1 {
				return n, err
			}
			return group(pos, op, parts...)
		}
	}
}

// group returns a group that is written at pos.
func group(pos int, op query.Op, parts ...node) (node, error) {
	depth, args := 0, make([]*query.Expr, len(parts))
	for i, n := range parts {
		args[i], depth = n.expr, max(depth, n.depth)
	}
	if depth == query.MaxDepth {
		return node{}, tooDeep(pos)
	}
	return node{query.Group(op, args...), depth + 1}, nil
}

func tooDeep(pos int) error {
	return &fault{pos, fmt.Sprintf("filters are nested more than %d deep", MaxDepth)}
}

// not reads a condition, a filter in parentheses, or the negation of one. They are
// depth parentheses and negations deep.
func (p *parser) not(depth int) (node, error) {
	pos := p.at.pos
	if depth > MaxDepth {
		return node{}, tooDeep(pos)
	}
	if negated, err := p.take("not"); err != nil {
		return node{}, err
	} else if negated {
		n, err := p.not(depth + 1)
		if err != nil {
			return node{}, err
		}
		return group(pos, query.Not, n)
	}
	if !p.at.isSymbol("(") {
		return p.condition()
	}
	if err := p.advance(); err != nil {
		return node{}, err
	}
	n, err := p.or(depth + 1)
	if err != nil {
		return node{}, err
	}
	if !p.at.isSymbol(")") {
		return node{}, p.want(`"and", "or" or ")"`)
	}
	return n, p.advance()
}

// condition reads a path, an operator and a value.
func (p *parser) condition() (node, error) {
	pos := p.at.pos
	if p.conditions++; p.conditions > query.MaxConditions {
		return node{}, p.fault("a filter has at most %d conditions", query.MaxConditions)
	}
	path, err := p.path()
	if err != nil {
		return node{}, err
	}
	negated, err := p.take("not")
	if err != nil {
		return node{}, err
	}
	op, err := p.operator(negated)
	if err != nil {
		return node{}, err
	}
	at := p.at.pos
	v, err := p.operand(op)
	if err != nil {
		return node{}, err
	}
	switch {
	case op.isNegation:
		v = false
	case negated && op.op == query.In:
		op.op, negated = query.NotIn, false
	case negated && op.op == query.Exists:
		v, negated = false, false
	}
	e := query.Condition(path, op.op, v)
	if err := checked(e, pos, at); err != nil {
		return node{}, err
	}
	if negated {
		return group(pos, query.Not, node{e, 0})
	}
	return node{e, 0}, nil
}

// checked returns the first fault of a condition, at its path or at its value.
func checked(e *query.Expr, path, at int) error {
	var bad *query.Error
	if err := e.Check(); !errors.As(err, &bad) {
		return err
	}
	first := bad.Faults[0]
	if first.Path == "field" {
		at = path
	}
	return &fault{at, first.Message}
}

// path reads names with dots between them.
func (p *parser) path() (string, error) {
	var names []string
	for {
		switch {
		case p.at.kind == text:
			names = append(names, p.at.value)
		case p.at.kind == word && len(names) > 0, p.at.kind == word && !isReserved(p.at):
			names = append(names, p.at.raw)
		case p.at.kind == word:
			return "", p.fault(`got %s, want a condition; a field of that name stands in quotes: "%[1]s"`, p.at.raw)
		case len(names) > 0:
			return "", p.want("a name")
		default:
			return "", p.want(`a condition, such as duration > 60`)
		}
		if err := p.advance(); err != nil {
			return "", err
		}
		if !p.at.isSymbol(".") {
			return strings.Join(names, "."), nil
		}
		if err := p.advance(); err != nil {
			return "", err
		}
	}
}

// isReserved reports whether a word cannot begin a path.
func isReserved(t token) bool { return t.is("and") || t.is("or") || t.is("not") }

// operation is an operator and what stands behind it.
type operation struct {
	op         query.Op
	isNegation bool // "is not null"
}

// symbolic are the operators that are symbols.
var symbolic = map[string]query.Op{
	"=": query.Eq, "==": query.Eq, "!=": query.Ne, "<>": query.Ne,
	"<": query.Lt, "<=": query.Lte, ">": query.Gt, ">=": query.Gte,
}

// worded are the operators that are words, which "not" may stand before. The second
// word belongs to the first.
var worded = []struct {
	first, second string
	op            query.Op
}{
	{"in", "", query.In},
	{"contains", "", query.Contains},
	{"starts", "with", query.StartsWith},
	{"ends", "with", query.EndsWith},
	{"matches", "", query.Regex},
	{"has", "words", query.Words},
	{"exists", "", query.Exists},
}

// operators lists them for people.
const operators = `= != < <= > >= in contains "starts with" "ends with" matches "has words" exists "is null"`

func (p *parser) operator(negated bool) (operation, error) {
	if op, ok := symbolic[p.at.raw]; ok && p.at.kind == symbol && !negated {
		return operation{op: op}, p.advance()
	}
	for _, w := range worded {
		if ok, err := p.take(w.first); err != nil {
			return operation{}, err
		} else if ok {
			return operation{op: w.op}, p.second(w.second)
		}
	}
	if negated {
		return operation{}, p.want(`one of: in contains "starts with" "ends with" matches "has words" exists`)
	}
	if ok, err := p.take("is"); err != nil || !ok {
		return operation{}, cmp.Or(err, p.want("an operator: "+operators))
	}
	negation, err := p.take("not")
	if err != nil {
		return operation{}, err
	}
	return operation{query.IsNull, negation}, p.second("null")
}

// second reads the second word of an operator, if it has one.
func (p *parser) second(name string) error {
	if name == "" {
		return nil
	}
	if ok, err := p.take(name); err != nil || ok {
		return err
	}
	return p.want(`"` + name + `"`)
}

// operand reads what op compares with.
func (p *parser) operand(op operation) (any, error) {
	switch op.op {
	case query.Exists, query.IsNull:
		return true, nil
	case query.In:
		return p.list()
	case query.Contains, query.StartsWith, query.EndsWith, query.Regex, query.Words:
		if p.at.kind != text {
			return nil, p.want(`text in quotes`)
		}
	}
	return p.value()
}

// list reads values in parentheses.
func (p *parser) list() ([]any, error) {
	if !p.at.isSymbol("(") {
		return nil, p.want(`"(" and a list of values`)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	values := []any{}
	for !p.at.isSymbol(")") {
		if p.values++; p.values > query.MaxValues {
			return nil, p.fault("a filter has at most %d values in lists", query.MaxValues)
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		if p.at.isSymbol(")") {
			break
		}
		if !p.at.isSymbol(",") {
			return nil, p.want(`"," or ")"`)
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.at.isSymbol(")") {
			return nil, p.want("a value")
		}
	}
	return values, p.advance()
}

// constants are the values that are words.
var constants = map[string]any{"true": true, "false": false, "null": nil}

// looksLikeDate matches what begins as a date does.
var looksLikeDate = regexp.MustCompile(`^\d{4}-\d`)

func (p *parser) value() (any, error) {
	t := p.at
	var v any
	switch t.kind {
	case text:
		v = t.value
	case number:
		if err := value.CheckNumber(t.raw); err != nil && looksLikeDate.MatchString(t.raw) {
			return nil, p.fault(`got %s, want a value; a date stands in quotes: "%[1]s"`, t.show())
		} else if err != nil {
			return nil, p.fault("got %s, want a value; a number is written as in JSON: %v", t.show(), err)
		}
		v = json.Number(t.raw)
	case word:
		constant, ok := constants[strings.ToLower(t.raw)]
		if !ok {
			return nil, p.fault(`got %s, want a value; text stands in quotes: "%[1]s"`, t.show())
		}
		v = constant
	default:
		return nil, p.want(`a value: a number, "text", true, false or null`)
	}
	return v, p.advance()
}

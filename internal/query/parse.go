package query

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bucketlite/bucketlite/internal/value"
)

// Parse reads a filter from the plain value that is its JSON form, and checks
// what can be known without declared types. An error is an [*Error] with every
// fault. A null, like an object without members, is a filter that everything
// matches. The Expr shares memory with v.
//
// An object is a condition if it has a string "field", and beside it nothing but
// "operator", "value" and "case_sensitive", or at least one of the first two.
// Otherwise it is a group, of which all members hold: AND, OR, NOT, and conditions
// in short, which are the value that the path they are called by is equal to.
func Parse(v any) (*Expr, error) {
	e := parse(v, 1)
	if err := e.Check(); err != nil {
		return nil, err
	}
	return e, nil
}

// The members of a filter's JSON form that are no conditions in short.
const (
	memberCase     = "case_sensitive"
	memberField    = "field"
	memberOperator = "operator"
	memberValue    = "value"
)

func (e *Expr) fault(path value.Path, rule, format string, args ...any) {
	if len(e.faults) < value.MaxFaults {
		e.faults = append(e.faults, exprFault{slices.Clone(path), rule, fmt.Sprintf(format, args...)})
	}
}

func (e *Expr) faultAt(member, rule, format string, args ...any) {
	e.fault(value.Path{{Name: member}}, rule, format, args...)
}

// parse reads a filter that is depth groups deep. Its faults are kept in it,
// for Compile to report in order with the others.
func parse(v any, depth int) *Expr {
	object, ok := v.(map[string]any)
	switch {
	case v == nil, depth > MaxDepth+1: // Compile refuses the group around it
		return &Expr{Op: And}
	case !ok:
		e := &Expr{Op: And}
		e.fault(nil, ruleType, "a filter is an object, got %s", value.Show(v))
		return e
	case isCondition(object):
		return parseCondition(object)
	}
	return parseGroup(object, depth)
}

func isCondition(object map[string]any) bool {
	if _, ok := object[memberField].(string); !ok {
		return false
	}
	known := 1
	for _, name := range []string{memberOperator, memberValue} {
		if _, ok := object[name]; ok {
			return true
		}
	}
	if _, ok := object[memberCase]; ok {
		known++
	}
	return len(object) == known
}

func parseCondition(object map[string]any) *Expr {
	e := &Expr{Op: Eq, Path: object[memberField].(string)}
	e.parseCase(object[memberCase])
	for _, name := range slices.Sorted(maps.Keys(object)) {
		switch name {
		case memberCase, memberField, memberOperator, memberValue:
		default:
			e.faultAt(name, ruleUnknown, "a condition has no such member")
		}
	}
	switch op := object[memberOperator].(type) {
	case nil:
	case string:
		if !Op(op).isKnown() {
			e.faultAt(memberOperator, ruleUnknown, "%s", unknownOp(Op(op)))
			return e
		}
		e.Op = Op(op)
	default:
		e.faultAt(memberOperator, ruleType, "the name of an operator expected, got %s", value.Show(op))
		return e
	}
	v, ok := object[memberValue]
	switch {
	case e.Op.isFlag() && v == nil:
		v = true
	case !ok:
		e.faultAt(memberValue, ruleRequired, "a value is required")
	}
	e.Value = normal(v)
	return e
}

// parseCase reads the case_sensitive member of an object; null counts as absent.
func (e *Expr) parseCase(v any) {
	switch v := v.(type) {
	case nil:
	case bool:
		e.CaseSensitive = &v
	default:
		e.faultAt(memberCase, ruleType, "a boolean expected, got %s", value.Show(v))
	}
}

// parseGroup reads an object whose members all hold. If it has only one, the
// result is that.
func parseGroup(object map[string]any, depth int) *Expr {
	all := &Expr{Op: And, steps: []value.Path{}}
	var part *Expr
	for _, name := range slices.Sorted(maps.Keys(object)) {
		v := object[name]
		switch op := Op(name); {
		case name == memberCase:
			continue
		case op.isGroup() && v == nil:
			continue
		case op == And:
			all.parseArgs(And, v, depth)
			continue
		case op.isGroup():
			part = &Expr{Op: op}
			part.parseArgs(op, v, depth)
		default:
			part = &Expr{Op: Eq, Path: name, Value: normal(v), short: true}
		}
		all.Args = append(all.Args, part)
		all.steps = append(all.steps, value.Path{})
	}
	if len(all.Args) == 1 && object[string(And)] == nil {
		all = part
	}
	all.parseCase(object[memberCase])
	return all
}

// parseArgs adds the members of the list that stands under op's name. NOT may
// also have a filter there.
func (e *Expr) parseArgs(op Op, v any, depth int) {
	at := value.Path{{Name: string(op)}}
	if _, ok := v.(map[string]any); ok && op == Not {
		e.Args = append(e.Args, parse(v, depth+1))
		e.steps = append(e.steps, at)
		return
	}
	list, ok := v.([]any)
	if !ok {
		e.fault(at, ruleType, "a list of filters expected, got %s", value.Show(v))
	}
	for i, item := range list {
		e.Args = append(e.Args, parse(item, depth+1))
		e.steps = append(e.steps, slices.Clip(at).Item(i))
	}
}

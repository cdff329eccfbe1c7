package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/value"
)

const (
	maxNesting   = 32  // fields within fields
	maxFieldName = 100 // characters
)

// Limits limit a schema's JSON form before it is read further.
var Limits = value.Limits{MaxDepth: 100, MaxBytes: 1 << 20}

// Compile checks a schema in its JSON form, and compiles it by the latest rules. Null
// members count as absent. The faults are sorted by path and then by rule. If there are
// any, the plan holds as much of the schema as could be understood.
func Compile(doc any) (*Plan, []value.Fault) {
	c := compiler{broken: make(map[string]bool), rules: assertion.LatestRules}
	return c.compile(doc, assertion.CheckDocument)
}

// Restore is [Compile] for a schema that it accepted before, possibly in another release
// with other limits, and by the rules of that time. Patterns, values in the schema and
// the names of keywords are not checked again.
func Restore(doc any, rules assertion.Rules) (*Plan, []value.Fault) {
	c := compiler{broken: make(map[string]bool), rules: rules, stored: true}
	if !rules.Known() {
		c.fault(nil, ruleRules, "rules version %d is unknown to this release", rules)
	}
	return c.compile(doc, assertion.CheckShape)
}

// compiler turns a schema's JSON form into a plan. It reports the faults that the
// meta-schema cannot express, and skips the parts that the meta-schema has refused.
type compiler struct {
	faults []value.Fault
	broken map[string]bool // the paths that the meta-schema refused
	rules  assertion.Rules
	stored bool // the schema has been checked before
	work   pattern.Allowance
}

func (c *compiler) compile(doc any, check func(doc any) []assertion.Fault) (*Plan, []value.Fault) {
	doc = assertion.Prune(doc)
	for _, f := range check(doc) {
		path := pathOf(f.Path)
		c.fault(path, f.Rule, "%s", f.Message)
		c.broken[path.String()] = true
	}
	root, _ := doc.(map[string]any)
	p := c.plan(nil, root, 0)
	slices.SortStableFunc(c.faults, func(a, b value.Fault) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule))
	})
	return p, c.faults
}

func pathOf(steps []any) value.Path {
	var path value.Path
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			path = path.Member(step)
		case int:
			path = path.Item(step)
		}
	}
	return path
}

func (c *compiler) fault(path value.Path, rule, format string, args ...any) {
	c.faults = append(c.faults, value.Fault{Path: path.String(), Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// validate calls f with a validation of values in the schema.
func (c *compiler) validate(f func(*Validation)) {
	v := &Validation{work: c.work, typesOnly: c.stored}
	f(v)
	c.work = v.work
	c.faults = append(c.faults, v.List...)
}

// plan compiles a schema, or an object field, whose JSON form is doc.
func (c *compiler) plan(path value.Path, doc map[string]any, depth int) *Plan {
	p := &Plan{index: make(map[string]*Field)}
	if open, ok := doc["additionalProperties"].(bool); ok {
		p.closed = !open
	}
	properties, _ := doc["properties"].(map[string]any)
	path = path.Member("properties")
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		at := path.Member(name)
		switch {
		case name == "":
			c.fault(at, ruleName, "a field's name must not be empty")
		case strings.Contains(name, "."):
			c.fault(at, ruleName, "a field's name must not contain a dot")
		case utf8.RuneCountInString(name) > maxFieldName:
			c.fault(at, ruleName, "a field's name has at most %d characters", maxFieldName)
		case depth == 0 && IsReserved(name) && !c.stored: // a stored name may be older than its reservation
			c.fault(at, ruleReserved, "the name is reserved")
		}
		field, _ := properties[name].(map[string]any)
		p.fields = append(p.fields, *c.field(at, name, field, depth+1))
	}
	for i := range p.fields {
		p.index[p.fields[i].Name] = &p.fields[i]
	}
	return p
}

func (c *compiler) field(path value.Path, name string, doc map[string]any, depth int) *Field {
	f := &Field{Name: name}
	if depth > maxNesting {
		c.fault(path, ruleNesting, "fields are nested more than %d deep", maxNesting)
		return f
	}
	f.Required, _ = doc["required"].(bool)
	t, isText := doc["type"].(string)
	known := slices.Contains(fieldTypes, t)
	if known {
		f.Type = t
	} else if isText {
		c.fault(path.Member("type"), ruleType, "unknown type %s, want one of %s%s", value.Show(t), strings.Join(fieldTypes, ", "), suggest(t))
	}
	if items, ok := doc["items"].(map[string]any); ok {
		f.Items = c.field(path.Member("items"), "", items, depth+1)
	}
	if _, ok := doc["items"]; ok && known && t != Array {
		c.fault(path.Member("items"), "items", "only an array has items, this is %s", t)
	}
	if _, ok := doc["properties"]; ok && known && t != Object {
		c.fault(path.Member("properties"), "properties", "only an object has properties, this is %s", t)
	}
	_, hasProperties := doc["properties"]
	_, hasAdditional := doc["additionalProperties"]
	if hasProperties || hasAdditional {
		f.members = c.plan(path, doc, depth)
	}
	if known {
		// These need the field's type and structure.
		c.enum(path, f, doc)
		c.examples(path, f, doc)
		c.assertion(path, f, doc)
		c.fallback(path, f, doc)
	}
	return f
}

// enum compiles the values that a field may have.
func (c *compiler) enum(path value.Path, f *Field, doc map[string]any) {
	enum, ok := doc["enum"].([]any)
	if !ok {
		return
	}
	c.typed(path.Member("enum"), f, enum)
	f.enum = make(map[string]struct{}, len(enum))
	for _, given := range enum {
		f.enum[string(f.appendEnumKey(nil, given))] = struct{}{}
		// With the defaults of its members it is the same value.
		if stored, differs := f.Validate(&Validation{typesOnly: true}, nil, given); differs {
			f.enum[string(f.appendEnumKey(nil, stored))] = struct{}{}
		}
	}
	f.allowed = allowed(enum)
}

// allowed lists the first values of an enum for messages.
func allowed(enum []any) string {
	const most = 20
	names := make([]string, 0, most+1)
	for _, v := range enum[:min(len(enum), most)] {
		names = append(names, value.Show(v))
	}
	if more := len(enum) - most; more > 0 {
		names = append(names, fmt.Sprintf("… (%d more)", more))
	}
	return strings.Join(names, ", ")
}

// examples checks a field's examples, except those of files, which cannot be checked.
func (c *compiler) examples(path value.Path, f *Field, doc map[string]any) {
	if examples, ok := doc["examples"].([]any); ok && (!f.IsFile() || f.Type == Text) {
		c.typed(path.Member("examples"), f, examples)
	}
}

// typed checks values against the field's type only.
func (c *compiler) typed(path value.Path, f *Field, values []any) {
	typeOnly := &Field{Type: f.Type, Items: f.Items, members: f.members}
	c.validate(func(v *Validation) {
		for i, given := range values {
			if given == nil {
				v.Add(path.Item(i), ruleType, "null is not allowed as a value")
				continue
			}
			typeOnly.Validate(v, path.Item(i), given)
		}
	})
}

// assertion compiles the keywords that the assertion package checks.
func (c *compiler) assertion(path value.Path, f *Field, doc map[string]any) {
	keywords := make(map[string]any)
	for name, v := range doc {
		if assertion.IsKeyword(name) && !c.broken[path.Member(name).String()] {
			keywords[name] = v
		}
	}
	var err error
	if f.assert, err = assertion.Compile(keywords, c.rules); err != nil {
		c.fault(path, ruleType, "%v", err)
	}
}

package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/value"
)

// comparer compares two schemas, and collects the changes and the faults.
type comparer struct {
	opts   ChangeOptions
	key    []string
	change *Change
	faults []value.Fault
	named  map[string]bool // the paths of opts that name a field
}

// A place is where a field, or an object with fields, is in both schemas.
type place struct {
	old, new string // paths; empty for the root
	items    bool   // of the items of an array
}

// member returns the place of a member by its names in both schemas.
func (p place) member(old, new string) place {
	return place{old: join(p.old, old), new: join(p.new, new)}
}

// isTop reports whether p is a field at the root, or its items.
func (p place) isTop() bool { return !strings.Contains(p.new, ".") }

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (c *comparer) fault(path, rule, format string, args ...any) {
	c.faults = append(c.faults, value.Fault{Path: path, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// note records a change of the field at the path.
func (c *comparer) note(path string, effect Effect, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	for i := range c.change.Fields {
		if f := &c.change.Fields[i]; f.Path == path {
			f.Effect, f.Message = max(f.Effect, effect), f.Message+"; "+message
			return
		}
	}
	c.change.Fields = append(c.change.Fields, FieldChange{Path: path, Effect: effect, Message: message})
}

// members compares the fields of a schema, or of an object field, and returns what happens
// to their values. The plan is that of the new ones.
func (c *comparer) members(at place, old, new map[string]any, plan *Plan) *move {
	before, after := fieldsOf(old), fieldsOf(new)
	m := &move{
		renamed: make(map[string]string), dropped: make(map[string]bool),
		fill: make(map[string]any), members: make(map[string]*move),
	}
	origin := make(map[string]string) // old names by new ones
	for _, name := range slices.Sorted(maps.Keys(before)) {
		now, kept := c.destination(at, name, after)
		switch taken, twice := origin[now]; {
		case !kept:
			m.dropped[name] = true
		case twice:
			c.fault(join(at.old, name), ruleRename, "%s and %s would both be %s: rename or drop the other, too", taken, name, value.Show(now))
		default:
			origin[now] = name
			if now != name {
				m.renamed[name] = now
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		f := plan.Field(name)
		was, known := origin[name]
		if !known {
			_, fresh := before[name]
			c.newField(at.member(name, name), f, !isClosed(old) && !fresh, m)
			continue
		}
		here := at.member(was, name)
		if sub := c.field(here, before[was], after[name], f); sub != nil {
			m.members[was] = sub
		}
		if isRequired(after[name]) && !isRequired(before[was]) && !c.inKey(here) {
			c.required(here, f, m)
		}
	}
	c.closing(at, old, new)
	if len(m.renamed)+len(m.dropped)+len(m.fill)+len(m.members) == 0 {
		return nil
	}
	return m
}

// destination returns the name of a field of the old schema in the new one, and false if
// the field is dropped or missing.
func (c *comparer) destination(at place, name string, after map[string]map[string]any) (now string, kept bool) {
	path := join(at.old, name)
	target, isRenamed := c.opts.Rename[path]
	isDropped := slices.Contains(c.opts.Drop, path)
	now = lastName(target)
	_, stays := after[name]
	_, there := after[now]
	c.named[path] = true
	switch {
	case (isRenamed || isDropped) && c.inKey(place{old: path}):
		c.fault(path, ruleKey, "a field of the unique key cannot be renamed or dropped")
		return name, true
	case isRenamed && isDropped:
		c.fault(path, ruleRename, "both renamed and dropped")
		return name, true
	case isRenamed && parent(target) != at.old: // reported already
		return name, true
	case isRenamed && !there:
		c.fault(path, ruleRename, "renamed to %s, which the new schema does not declare", value.Show(target))
		return name, true
	case isRenamed:
		c.note(join(at.new, now), Rewrites, "renamed from %s", value.Show(name))
		return now, true
	case isDropped && stays && !c.takesOver(at, name):
		c.fault(path, ruleDrop, "dropped, but the new schema declares it")
		return name, true
	case isDropped:
		c.note(path, Rewrites, "dropped")
		c.nameBelow(path)
		return name, false
	case !stays:
		c.fault(path, RuleMissing, "missing in the new schema: drop it together with its values, or rename it")
		return name, false
	}
	return name, true
}

// takesOver reports whether another field is renamed to name.
func (c *comparer) takesOver(at place, name string) bool {
	for from, to := range c.opts.Rename {
		if to == join(at.old, name) && parent(from) == at.old {
			return true
		}
	}
	return false
}

// field compares a field, and returns what happens to the members of its values.
func (c *comparer) field(at place, old, new map[string]any, f *Field) *move {
	was, is := text(old, "type"), text(new, "type")
	if was != is {
		c.typeChange(at, was, is)
	}
	tightened := c.enum(at, old, new)
	tightened = c.assertions(at, old, new) || tightened
	if is == Text && at.isTop() && (tightened || was != is && f.NeedsText()) {
		c.change.texts = append(c.change.texts, at.new)
	}
	c.annotations(at, old, new)
	switch {
	case was != is:
		return nil
	case is == Object:
		return c.members(at, old, new, f.members)
	case is == Array:
		return c.arrayItems(at, old, new, f)
	}
	return nil
}

// typeChange records a change of a field's type.
func (c *comparer) typeChange(at place, was, is string) {
	effect := Tightens
	switch {
	case isNumeric(was) && isNumeric(is):
		if is != Integer {
			effect = Loosens
		}
	case c.inKey(at):
		c.fault(at.old, ruleKey, "%s to %s: a field of the unique key keeps its type, or changes between integer, number and float", was, is)
	case at.isTop() && !at.items, IsFile(was), IsFile(is):
		effect = Rewrites // the type of blobs
	}
	c.note(at.new, effect, "%stype: %s to %s", at.prefix(), was, is)
}

// prefix begins the message about the items of an array.
func (p place) prefix() string {
	if p.items {
		return "items: "
	}
	return ""
}

// arrayItems compares the items of an array.
func (c *comparer) arrayItems(at place, old, new map[string]any, f *Field) *move {
	before, was := old["items"].(map[string]any)
	after, is := new["items"].(map[string]any)
	at.items = true
	switch {
	case was && is:
		sub := c.field(at, before, after, f.Items)
		if isRequired(before) != isRequired(after) {
			c.note(at.new, Loosens, "items: required, without effect")
		}
		return sub
	case was && IsFile(text(before, "type")), is && f.Items.IsFile():
		c.note(at.new, Rewrites, "items: to or from files")
	case was:
		c.note(at.new, Loosens, "items: of any type")
	case is:
		c.note(at.new, Tightens, "items: declared")
	}
	return nil
}

// newField records a field that the old schema lacks. If the place was open, objects may
// have a member of its name.
func (c *comparer) newField(at place, f *Field, wasOpen bool, m *move) {
	if wasOpen {
		c.note(at.new, Tightens, "new; objects may have an undeclared member of this name")
	} else {
		c.note(at.new, Loosens, "new")
	}
	if f.Required {
		c.required(at, f, m)
		return
	}
	i := slices.IndexFunc(c.change.Fields, func(f FieldChange) bool { return f.Path == at.new })
	c.change.Fields[i].Added = true
}

// required records that a field is made required.
func (c *comparer) required(at place, f *Field, m *move) {
	if f.fallback == nil {
		c.note(at.new, Tightens, "required")
		return
	}
	c.note(at.new, Rewrites, "required; filled in with its default where it is absent")
	m.fill[lastName(at.new)] = f.fallback
}

// closing records that an object opens or closes for undeclared members.
func (c *comparer) closing(at place, old, new map[string]any) {
	switch was, is := isClosed(old), isClosed(new); {
	case was && !is:
		c.note(at.new, Loosens, "%sundeclared members are kept", at.prefix())
	case !was && is:
		c.note(at.new, Tightens, "%sundeclared members are refused", at.prefix())
	}
}

// annotations records changes that affect no stored object.
func (c *comparer) annotations(at place, old, new map[string]any) {
	if isRequired(old) && !isRequired(new) && !at.items {
		if c.inKey(at) {
			c.note(at.new, Loosens, "required: implied by the unique key")
		} else {
			c.note(at.new, Loosens, "no longer required")
		}
	}
	if c.inKey(at) && isRequired(new) && !isRequired(old) {
		c.note(at.new, Loosens, "required, as the unique key implies")
	}
	for _, name := range []string{"default", "description", "examples"} {
		if !value.Equal(old[name], new[name]) {
			c.note(at.new, Loosens, "%s%s", at.prefix(), name)
		}
	}
	if !value.Equal(others(old), others(new)) {
		c.note(at.new, Loosens, "%smembers without effect", at.prefix())
	}
}

// others returns the members of a schema or field that have no effect.
func others(doc map[string]any) map[string]any {
	out := make(map[string]any)
	for name, v := range doc {
		switch name {
		case "type", "required", "default", "enum", "items", "properties", "additionalProperties", "description", "examples":
		default:
			if !assertion.IsKeyword(name) {
				out[name] = v
			}
		}
	}
	return out
}

// inKey reports whether a place is a field of the unique key.
func (c *comparer) inKey(at place) bool { return !at.items && slices.Contains(c.key, at.old) }

// fieldsOf returns the fields that a schema or an object field declares.
func fieldsOf(doc map[string]any) map[string]map[string]any {
	properties, _ := doc["properties"].(map[string]any)
	fields := make(map[string]map[string]any, len(properties))
	for name, v := range properties {
		fields[name], _ = v.(map[string]any)
	}
	return fields
}

func isClosed(doc map[string]any) bool   { return doc["additionalProperties"] == false }
func isRequired(doc map[string]any) bool { return doc["required"] == true }

func text(doc map[string]any, name string) string {
	s, _ := doc[name].(string)
	return s
}

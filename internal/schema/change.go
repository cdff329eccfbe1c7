package schema

import (
	"cmp"
	"maps"
	"slices"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/value"
)

// An Effect is what a change of a schema means for the objects of a bucket.
type Effect int

// The effects, each of which includes the ones before it.
const (
	Unchanged Effect = iota // the schemas are equal
	Loosens                 // every object that conforms to the old schema conforms to the new one
	Tightens                // an object may not conform to the new schema; no object changes
	Rewrites                // objects change, and may not conform afterwards
)

// String returns the name of the effect.
func (e Effect) String() string {
	return [...]string{"none", "loosens", "tightens", "rewrites"}[e]
}

// A FieldChange says what changes in one field.
type FieldChange struct {
	// Path is the field's path in the new schema, or in the old one if it is dropped:
	// names with dots between them. The items of an array have the array's path. It is
	// empty for the schema itself.
	Path   string
	Effect Effect
	// Message says what changes.
	Message string
	// Added is true if the field is new and may be absent.
	Added bool
}

// ChangeOptions say how the fields of two schemas correspond. Paths are those of the old
// schema.
type ChangeOptions struct {
	// Rename holds the new paths of renamed fields. A rename changes only the last
	// name of a path.
	Rename map[string]string
	// Drop names the fields that are removed together with their values.
	Drop []string
	// NewRules means that the new schema follows later rules than the old one, so that
	// its formats may be stricter.
	NewRules bool
}

// A Change is the difference between two schemas. It never changes, and any number of
// goroutines may use it at once.
//
// Whatever its effect, it may alter how queries compare the values at a path: an index
// over a path that becomes, or was, a datetime has to be built again.
type Change struct {
	Effect Effect
	// Fields holds the changed fields in order of their paths.
	Fields []FieldChange

	root  *move    // nil if no object changes its fields
	plan  *Plan    // of the new schema
	texts []string // see Texts
}

// Compare compares two valid schemas, in their JSON forms, over the same unique key.
// Faults name fields of the old schema.
func Compare(old, new map[string]any, key []string, opts ChangeOptions) (*Change, []value.Fault) {
	old, new = pruned(old), pruned(new)
	compiler := compiler{broken: make(map[string]bool), stored: true}
	c := &comparer{
		opts: opts, key: key, named: make(map[string]bool),
		change: &Change{plan: compiler.plan(nil, new, 0)},
	}
	if value.Equal(old, new) && c.done(old) {
		return c.change, nil
	}
	c.checkOptions()
	c.change.root = c.members(place{}, old, new, c.change.plan)
	c.checkNamed()
	if !value.Equal(others(old), others(new)) || len(c.change.Fields) == 0 {
		c.note("", Loosens, "members without effect")
	}
	slices.SortFunc(c.change.Fields, func(a, b FieldChange) int { return cmp.Compare(a.Path, b.Path) })
	for _, f := range c.change.Fields {
		c.change.Effect = max(c.change.Effect, f.Effect)
	}
	slices.SortStableFunc(c.faults, func(a, b value.Fault) int { return cmp.Compare(a.Path, b.Path) })
	return c.change, c.faults
}

func pruned(doc map[string]any) map[string]any {
	out, _ := assertion.Prune(doc).(map[string]any)
	return out
}

// Extends reports whether the change only loosens, apart from new fields that may be absent.
// An object that conforms to the old schema then conforms to the new one, unless it has an
// undeclared member with the name of a new field.
func (c *Change) Extends() bool { return !slices.ContainsFunc(c.Fields, FieldChange.isMore) }

// Decisive returns the paths of the fields because of which the change does not extend.
func (c *Change) Decisive() (paths []string) {
	for _, f := range c.Fields {
		if f.isMore() {
			paths = append(paths, f.Path)
		}
	}
	return paths
}

// isMore reports whether the change of the field does more than extend.
func (f FieldChange) isMore() bool { return f.Effect > Loosens && !f.Added }

// Property returns the name that a property of the old schema has in the new one. It
// reports false if the property is dropped.
func (c *Change) Property(name string) (now string, kept bool) { return c.root.rename(name) }

// Type returns the type of the blobs of a property of the new schema: that of its field, or
// of the field's items if that is an array of files. It is empty if the new schema does not
// declare the property.
func (c *Change) Type(property string) string {
	if f := c.plan.File(property); f != nil {
		return f.Type
	}
	return c.plan.typeOf(property)
}

// Texts returns the properties of the new schema, of type text or arrays of it, whose stored
// contents have to be read and checked: their enum or assertions may refuse some.
func (c *Change) Texts() []string { return slices.Clone(c.texts) }

// Apply returns the fields of an object in the form of the new schema: with renamed and
// without dropped fields, and with the defaults of fields that were made required. Blobs
// are those of the object, under the old names of their properties. The result still has
// to be validated. A rename onto an undeclared member of the object is a fault.
//
// Fields never change. If the result differs, it is a copy.
func (c *Change) Apply(v *value.Faults, fields map[string]any, blobs []Blob) map[string]any {
	return c.root.apply(v, nil, fields, func(name string) bool {
		return slices.ContainsFunc(blobs, func(b Blob) bool {
			now, kept := c.Property(b.Property)
			return kept && now == name
		})
	})
}

// ApplyInline is [Change.Apply] for the inline data of a blob of a property of the old
// schema.
func (c *Change) ApplyInline(v *value.Faults, property string, data any) any {
	if c.root == nil {
		return data
	}
	return c.root.members[property].applyTo(v, value.Path{{Name: property}}, data)
}

// A move is what a change does to the members of an object or of an object field. A nil
// move does nothing.
type move struct {
	renamed map[string]string // new names by old ones
	dropped map[string]bool   // by old name
	fill    map[string]any    // values of absent members by new name
	members map[string]*move  // of the members' own members, by old name
}

// rename returns the new name of a member, and false if it is dropped.
func (m *move) rename(name string) (now string, kept bool) {
	if m == nil {
		return name, true
	}
	if now, ok := m.renamed[name]; ok {
		return now, true
	}
	return name, !m.dropped[name]
}

// apply applies the move to an object at path. Supplied reports whether a blob holds the
// value of a new name; it is nil below the root.
func (m *move) apply(v *value.Faults, path value.Path, doc map[string]any, supplied func(string) bool) map[string]any {
	if m == nil {
		return doc
	}
	out := make(map[string]any, len(doc)+len(m.fill))
	for name, given := range doc {
		if now, kept := m.rename(name); kept && now == name {
			out[name] = m.members[name].applyTo(v, path.Member(name), given)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.renamed)) {
		given, ok := doc[name]
		if !ok {
			continue
		}
		now := m.renamed[name]
		if out[now] != nil {
			v.Addf(path.Member(now), ruleRename, "%s is renamed to it, but the object has an undeclared member of that name", value.Show(name))
			continue
		}
		out[now] = m.members[name].applyTo(v, path.Member(now), given)
	}
	for name, fill := range m.fill {
		if out[name] == nil && (supplied == nil || !supplied(name)) {
			out[name] = fill
		}
	}
	return out
}

// applyTo applies the move to a value: to an object, or to the objects in an array.
func (m *move) applyTo(v *value.Faults, path value.Path, given any) any {
	if m == nil {
		return given
	}
	switch given := given.(type) {
	case map[string]any:
		return m.apply(v, path, given, nil)
	case []any:
		out := make([]any, len(given))
		for i, item := range given {
			out[i] = m.applyTo(v, path.Item(i), item)
		}
		return out
	}
	return given
}

package schema_test

import (
	"encoding/json"
	"flag"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

var seed = flag.Uint64("seed", 0, "seed of the random tests, 0 for a new one")

// A maker makes random schemas and objects. It favours those that nearly agree.
type maker struct{ *rand.Rand }

func newMaker(t *testing.T) maker {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Helper()
	t.Logf("replay with -seed=%d", s)
	return maker{rand.New(rand.NewPCG(s, 0))}
}

func pick[T any](m maker, from ...T) T { return from[m.IntN(len(from))] }

// maybe reports true once in n times.
func (m maker) maybe(n int) bool { return m.IntN(n) == 0 }

// schema returns a schema, or an object field's part of one.
func (m maker) schema(depth int) map[string]any {
	doc := map[string]any{"properties": m.fields(depth)}
	m.closing(doc)
	return doc
}

func (m maker) closing(doc map[string]any) {
	delete(doc, "additionalProperties")
	if !m.maybe(3) {
		doc["additionalProperties"] = m.maybe(3)
	}
}

func (m maker) fields(depth int) map[string]any {
	fields := map[string]any{}
	for _, name := range []string{"a", "b", "c"} {
		if !m.maybe(3) {
			fields[name] = m.field(depth)
		}
	}
	return fields
}

func (m maker) field(depth int) map[string]any {
	doc := map[string]any{}
	m.setType(doc, depth)
	for range m.IntN(3) {
		m.setKeyword(doc)
	}
	return doc
}

func (m maker) setType(doc map[string]any, depth int) {
	types := []string{schema.String, schema.Number, schema.Integer, schema.Float, schema.Date, schema.DateTime, schema.Boolean, schema.Text}
	if depth > 0 {
		types = append(types, schema.Object, schema.Object, schema.Array, schema.Array)
	}
	t := pick(m, types...)
	doc["type"] = t
	delete(doc, "properties")
	delete(doc, "items")
	if t == schema.Object && !m.maybe(4) {
		doc["properties"] = m.fields(depth - 1)
		m.closing(doc)
	}
	if t == schema.Array && !m.maybe(4) {
		doc["items"] = m.field(depth - 1)
	}
}

// setKeyword sets or removes a keyword of a field.
func (m maker) setKeyword(doc map[string]any) {
	name := pick(m, "required", "default", "enum", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
		"multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "pattern", "const", "format", "description", "x-note")
	if m.maybe(3) {
		delete(doc, name)
		return
	}
	switch name {
	case "required", "uniqueItems":
		doc[name] = m.maybe(2)
	case "default", "const":
		doc[name] = m.valueOf(doc)
	case "enum":
		values, _ := doc[name].([]any)
		if values = slices.Clone(values); len(values) > 0 && m.maybe(3) {
			values = values[1:]
		}
		for range 1 + m.IntN(2) {
			values = append(values, m.valueOf(doc))
		}
		doc[name] = values
	case "pattern":
		doc[name] = pick(m, "a", "^[ab]*$")
	case "format":
		doc[name] = pick(m, "email", "date", "nobody-knows")
	case "description", "x-note":
		doc[name] = pick(m, "a", "b")
	default:
		doc[name] = json.Number(pick(m, "1", "2", "3", "2.0"))
	}
}

// change changes a schema, or an object field's part of one, in place.
func (m maker) change(doc map[string]any, depth int) {
	fields := maps.Clone(doc["properties"].(map[string]any))
	doc["properties"] = fields
	if m.maybe(8) {
		m.closing(doc)
	}
	for range 1 + m.IntN(2) {
		name := pick(m, "a", "b", "c", "d")
		field, ok := fields[name].(map[string]any)
		if !ok {
			fields[name] = m.field(depth)
			continue
		}
		field = maps.Clone(field)
		fields[name] = field
		m.changeField(field, depth)
	}
}

func (m maker) changeField(field map[string]any, depth int) {
	_, isObject := field["properties"].(map[string]any)
	items, isArray := field["items"].(map[string]any)
	switch {
	case isObject && !m.maybe(3):
		m.change(field, depth-1)
	case isArray && !m.maybe(3):
		items = maps.Clone(items)
		field["items"] = items
		m.changeField(items, depth-1)
	case m.maybe(6):
		m.setType(field, depth)
	case m.maybe(6) && (field["type"] == schema.Integer || field["type"] == schema.Float):
		field["type"] = schema.Number
	default:
		m.setKeyword(field)
	}
}

// object returns an object that is likely to conform to a schema.
func (m maker) object(doc map[string]any) map[string]any {
	object := map[string]any{}
	properties, _ := doc["properties"].(map[string]any)
	for _, name := range []string{"a", "b", "c", "d"} {
		if field, ok := properties[name].(map[string]any); ok && (field["required"] == true || !m.maybe(3)) {
			object[name] = m.valueOf(field)
		} else if !ok && m.maybe(4) {
			object[name] = pick[any](m, nil, "a", json.Number("1"), true, []any{"a"}, map[string]any{"a": "b"})
		}
	}
	return object
}

// valueOf returns a value that is likely to conform to a field.
func (m maker) valueOf(field map[string]any) any {
	if enum, ok := field["enum"].([]any); ok && !m.maybe(4) {
		return pick(m, enum...)
	}
	if only, ok := field["const"]; ok && !m.maybe(4) {
		return only
	}
	switch field["type"] {
	case schema.Number, schema.Float:
		return json.Number(pick(m, "1", "2", "3.0", "1.5"))
	case schema.Integer:
		return json.Number(pick(m, "1", "2", "3.0"))
	case schema.Boolean:
		return m.maybe(2)
	case schema.Date:
		return pick(m, "2024-01-01", "2024-01-02")
	case schema.DateTime:
		return pick(m, "2024-01-01T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00+01:00")
	case schema.Object:
		return m.object(field)
	case schema.Array:
		items, _ := field["items"].(map[string]any)
		list := make([]any, m.IntN(4))
		for i := range list {
			if list[i] = "a"; items != nil {
				list[i] = m.valueOf(items)
			}
		}
		return list
	}
	return pick(m, "a", "b", "ab", "2024-01-01", "a@b.example")
}

// pair returns two sound schemas that differ little.
func (m maker) pair() (old, new map[string]any, before, after *schema.Plan) {
	for {
		old = m.schema(2)
		new = maps.Clone(old)
		m.change(new, 2)
		before, faults := schema.Compile(old)
		after, more := schema.Compile(new)
		if len(faults)+len(more) == 0 {
			return old, new, before, after
		}
	}
}

// stored returns the stored form of an object, and false if it does not conform.
func stored(p *schema.Plan, object map[string]any, noDefaults bool) (map[string]any, bool) {
	v := schema.Validation{NoDefaults: noDefaults}
	out, _ := p.Validate(&v, nil, object, nil)
	return out, !v.Any()
}

// A change that loosens never invalidates an object that conforms, and only one that
// rewrites changes an object.
func TestCompareRandom(t *testing.T) {
	t.Parallel()
	m := newMaker(t)
	const rounds = 3000
	effects := map[schema.Effect]int{}
	loosened := 0
	for range rounds {
		old, new, before, after := m.pair()
		c, faults := schema.Compare(old, new, nil, schema.ChangeOptions{})
		if len(faults) > 0 { // a field that was made again has lost members
			continue
		}
		effects[c.Effect]++
		for range 5 {
			object, ok := stored(before, m.object(old), m.maybe(2))
			if !ok {
				continue
			}
			text := string(appendJSON(object))
			var v value.Faults
			now := c.Apply(&v, object, nil)
			wantJSON(t, object, text)
			if c.Effect < schema.Rewrites {
				wantJSON(t, now, text)
			}
			if c.Effect > schema.Loosens {
				continue
			}
			loosened++
			again, ok := stored(after, now, true)
			if !ok || string(appendJSON(again)) != text {
				t.Fatalf("%s to %s %v, but %s no longer conforms", appendJSON(old), appendJSON(new), c.Effect, text)
			}
		}
	}
	t.Logf("effects %v, %d objects", effects, loosened)
	if loosened < rounds/10 || effects[schema.Tightens] < rounds/20 {
		t.Error("too few to prove anything")
	}
}

// Renames that are undone restore every object.
func TestRenameRandom(t *testing.T) {
	t.Parallel()
	m := newMaker(t)
	there := schema.ChangeOptions{Rename: map[string]string{"a": "b", "b": "c", "c": "a", "o.a": "o.x", "l.a": "l.x"}}
	back := schema.ChangeOptions{Rename: map[string]string{"b": "a", "c": "b", "a": "c", "o.x": "o.a", "l.x": "l.a"}}
	const rounds = 500
	for range rounds {
		field := func() map[string]any { return map[string]any{"type": schema.String} }
		inner := func(name string) map[string]any {
			return map[string]any{"type": schema.Object, "additionalProperties": false, "properties": map[string]any{name: field()}}
		}
		doc := func(name string) map[string]any {
			return map[string]any{"additionalProperties": false, "properties": map[string]any{
				"a": field(), "b": field(), "c": field(), "o": inner(name), "l": map[string]any{"type": schema.Array, "items": inner(name)},
			}}
		}
		old, new := doc("a"), doc("x")
		c, faults := schema.Compare(old, new, nil, there)
		d, more := schema.Compare(new, old, nil, back)
		if len(faults)+len(more) > 0 {
			t.Fatalf("got faults %v, %v", faults, more)
		}
		object := m.object(old)
		object["o"] = m.object(inner("a"))
		object["l"] = []any{m.object(inner("a")), m.object(inner("a"))}
		object, ok := stored(mustCompile(t, old), object, true)
		if !ok {
			continue
		}
		var v value.Faults
		again := d.Apply(&v, c.Apply(&v, object, nil), nil)
		if wantJSON(t, again, string(appendJSON(object))); v.Any() {
			t.Fatalf("got faults %v", v.List)
		}
	}
}

func mustCompile(t *testing.T, doc map[string]any) *schema.Plan {
	t.Helper()
	p, faults := schema.Compile(doc)
	if len(faults) > 0 {
		t.Fatalf("the schema has faults: %v", faults)
	}
	return p
}

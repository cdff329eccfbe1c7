package typed

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A Document is a schema in its JSON form, made from a struct.
type Document struct {
	// Root is the JSON form.
	Root map[string]any

	fields map[string]string // Go fields by the paths of their schema fields
	faults []value.Fault
}

// Schema returns the schema that the struct's tags declare. The faults name Go fields.
func (r *Record) Schema() (*Document, []value.Fault) {
	d := &Document{fields: make(map[string]string)}
	d.Root = map[string]any{"properties": d.properties(nil, slices.Concat(r.Fields, r.Files))}
	return d, d.faults
}

// Field returns the Go field that a path in the schema leads to, or into, and else the
// path.
func (d *Document) Field(path string) string {
	longest, found := "", path
	for at, field := range d.fields {
		rest, ok := strings.CutPrefix(path, at)
		if ok && len(at) > len(longest) && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			longest, found = at, field
		}
	}
	return found
}

func (d *Document) fault(field, format string, args ...any) {
	b := builder{}
	b.fault(field, ruleTag, format, args...)
	d.faults = append(d.faults, b.faults...)
}

// properties returns the schemas of the members of an object at path.
func (d *Document) properties(path value.Path, members []Member) map[string]any {
	docs := make(map[string]any, len(members))
	path = path.Member("properties")
	for i := range members {
		m := &members[i]
		at := slices.Clip(path).Member(m.Name)
		d.fields[at.String()] = m.Field
		if doc := d.member(at, m); doc != nil {
			docs[m.Name] = doc
		}
	}
	return docs
}

// member returns the schema of a member, or nil if it is not declared: a value of any
// type.
func (d *Document) member(path value.Path, m *Member) map[string]any {
	n := m.node.target()
	t := m.tag
	if n.kind == kindAny || n.kind == kindRaw {
		if t.is == "" {
			if t.required || t.enum != nil || t.fallback != nil || t.keywords != nil || t.description != "" {
				d.fault(m.Field, "a member of any type is not declared in the schema: name a type, as in bucketlite:\"type=string\"")
			}
			return nil
		}
	}
	doc := make(map[string]any)
	if t.required {
		doc["required"] = true
	}
	if t.description != "" {
		doc["description"] = t.description
	}
	d.node(path, m, n, doc)
	if t.fallback != nil {
		d.fallback(m, doc)
	}
	return doc
}

func (d *Document) fallback(m *Member, doc map[string]any) {
	is, _ := doc["type"].(string)
	v, err := tagValue(*m.tag.fallback, is)
	if err != nil {
		d.fault(m.Field, "default: %v", err)
		return
	}
	doc["default"] = v
}

// node fills in the schema of a node. The words of the member's tag apply to the elements
// of a list, except those that are about lists.
func (d *Document) node(path value.Path, m *Member, n *node, doc map[string]any) {
	n = n.target()
	is := n.fieldType()
	isList := n.kind == kindSlice || n.kind == kindArray
	if !isList {
		is = d.override(m, n, is)
	}
	if is != "" {
		doc["type"] = is
	}
	switch {
	case isList:
		d.list(path, m, n, doc)
	case n.kind == kindRecord:
		doc["properties"] = d.properties(path, n.record.Fields)
	case n.kind == kindInt || n.kind == kindUint:
		d.limits(m, n.of, doc)
	}
	if !isList || n == m.node.target() {
		d.keywords(m, is, isList, doc)
	}
	if m.tag.enum != nil && !isList {
		d.enum(m, is, doc)
	}
}

func (d *Document) list(path value.Path, m *Member, n *node, doc map[string]any) {
	if n.kind == kindArray {
		doc["minItems"], doc["maxItems"] = json.Number(strconv.Itoa(n.of.Len())), json.Number(strconv.Itoa(n.of.Len()))
	}
	e := n.elem.target()
	if (e.kind == kindAny || e.kind == kindRaw) && m.tag.is == "" {
		return // any elements
	}
	items := make(map[string]any)
	d.node(slices.Clip(path).Member("items"), m, e, items)
	doc["items"] = items
}

// fitting are the types that a tag may name for a Go type.
var fitting = map[kind][]string{
	kindBool:   {schema.Boolean},
	kindInt:    numbers,
	kindUint:   numbers,
	kindFloat:  {schema.Number, schema.Float},
	kindNumber: numbers,
	kindString: {schema.String, schema.Date, schema.DateTime, schema.Text},
	kindText:   {schema.String, schema.Date, schema.DateTime, schema.Text},
	kindTime:   {schema.DateTime, schema.Date},
	kindMap:    objects,
	kindRecord: objects,
}

// override returns the type that the tag names, if it is one for the node.
func (d *Document) override(m *Member, n *node, is string) string {
	named := m.tag.is
	allowed := fitting[n.kind]
	switch n.kind {
	case kindFile:
		allowed = schema.FileTypes()
	case kindAny, kindRaw, kindJSON:
		allowed = slices.DeleteFunc(schema.Types(), func(t string) bool { return schema.IsFile(t) && t != schema.Text })
	}
	switch {
	case named == "" && n.kind == kindFile:
		d.fault(m.Field, "a blob has no type: name one, as in bucketlite:\"type=image\"; %s are possible", strings.Join(allowed, ", "))
	case named == "" && n.kind == kindJSON:
		d.fault(m.Field, "%s has a method MarshalJSON, so its type is unknown: name one, as in bucketlite:\"type=string\"", n.of)
	case named == "":
	case !slices.Contains(allowed, named):
		d.fault(m.Field, "type %s does not fit %s, only %s", named, n.of, strings.Join(allowed, ", "))
	default:
		return named
	}
	return is
}

// limits keeps numbers out that an integer type cannot hold.
func (d *Document) limits(m *Member, of reflect.Type, doc map[string]any) {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch bits := of.Bits(); {
	case of.Kind() >= reflect.Uint && bits < 64:
		low, high = 0, 1<<bits-1
	case of.Kind() >= reflect.Uint:
		low = 0
	case bits < 64:
		low, high = -1<<(bits-1), 1<<(bits-1)-1
	}
	if low != math.MinInt64 && !m.has("minimum", "exclusiveMinimum") {
		doc["minimum"] = json.Number(strconv.FormatInt(low, 10))
	}
	if high != math.MaxInt64 && !m.has("maximum", "exclusiveMaximum") {
		doc["maximum"] = json.Number(strconv.FormatInt(high, 10))
	}
}

// has reports whether the member's tag has one of the keywords.
func (m *Member) has(names ...string) bool {
	return slices.ContainsFunc(m.tag.keywords, func(k keyword) bool { return slices.Contains(names, k.name) })
}

// keywords adds the assertions of the member's tag that are about a field of the type.
func (d *Document) keywords(m *Member, is string, isList bool, doc map[string]any) {
	for _, k := range m.tag.keywords {
		types := applies[k.name]
		aboutLists := slices.Equal(types, lists)
		if isList != aboutLists {
			if !isList && !m.isList() {
				d.fault(m.Field, "%s is about lists, and has no effect on %s", k.name, article(is))
			}
			continue
		}
		if types != nil && !slices.Contains(types, is) {
			d.fault(m.Field, "%s has no effect on %s", k.name, article(is))
			continue
		}
		if v, err := k.value(is); err != nil {
			d.fault(m.Field, "%s: %v", k.name, err)
		} else {
			doc[k.name] = v
		}
	}
}

// isList reports whether the member holds a list.
func (m *Member) isList() bool {
	k := m.node.target().kind
	return k == kindSlice || k == kindArray
}

// value returns the JSON value of the keyword, on a field of a type.
func (k keyword) value(is string) (any, error) {
	switch k.name {
	case "pattern", "format":
		return k.text, nil
	case "const":
		return tagValue(k.text, is)
	case "uniqueItems":
		if k.bare {
			return true, nil
		}
		return tagValue(k.text, schema.Boolean)
	}
	return tagValue(k.text, schema.Number)
}

func (d *Document) enum(m *Member, is string, doc map[string]any) {
	var allowed []any
	for _, text := range m.tag.enum {
		v, err := tagValue(text, is)
		if err != nil {
			d.fault(m.Field, "enum: %v", err)
			return
		}
		allowed = append(allowed, v)
	}
	doc["enum"] = allowed
}

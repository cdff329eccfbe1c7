package typed

import (
	"maps"
	"slices"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Fit returns why the struct cannot carry objects of a schema, which is in its JSON form:
// a required field without a default that it lacks, a field of another type, or a member
// that the schema refuses. key names the fields of the unique key, which are required.
func (r *Record) Fit(root map[string]any, key []string) []value.Fault {
	f := fitter{}
	f.object(nil, slices.Concat(r.Fields, r.Files), root, key)
	return f.List
}

// fitter compares Go types with a schema.
type fitter struct{ value.Faults }

func (f *fitter) object(path value.Path, members []Member, doc map[string]any, key []string) {
	properties, _ := doc["properties"].(map[string]any)
	named := make(map[string]*Member, len(members))
	for i := range members {
		named[members[i].Name] = &members[i]
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		field, _ := properties[name].(map[string]any)
		at := slices.Clip(path).Member(name)
		m := named[name]
		switch {
		case m != nil && m.node.holds(kindFile):
			f.file(at, m, field)
		case m != nil:
			f.node(at, "", m.Field, m.node, m.tag.is, field)
		case (field["required"] == true || slices.Contains(key, name)) && field["default"] == nil:
			f.Addf(at, ruleRequired, "required by the schema, and no Go field has this json name")
		}
	}
	if doc["additionalProperties"] != false {
		return
	}
	for i := range members {
		if m := &members[i]; properties[m.Name] == nil {
			f.Addf(slices.Clip(path).Member(m.Name), "additionalProperties", "not declared in the schema, which refuses undeclared members (Go field %s)", m.Field)
		}
	}
}

// file compares a member that holds blobs.
func (f *fitter) file(path value.Path, m *Member, field map[string]any) {
	is, items := text(field, "type"), false
	if is == schema.Array {
		element, _ := field["items"].(map[string]any)
		is, items = text(element, "type"), true
	}
	want := m.tag.is
	if want == "" {
		want = "a file"
	}
	switch {
	case m.List && !items:
		f.Addf(path, ruleType, "%s in the schema, an array of %s in Go (field %s)", is, want, m.Field)
	case !m.List && items:
		f.Addf(path, ruleType, "an array in the schema, %s in Go (field %s)", want, m.Field)
	case !schema.IsFile(is), m.tag.is != "" && m.tag.is != is:
		f.Addf(path, ruleType, "%s in the schema, %s in Go (field %s)", is, want, m.Field)
	}
}

// node compares a value of a Go type, for which a tag may name another type of field. The
// prefix says which part of the field at path it is.
func (f *fitter) node(path value.Path, prefix, field string, n *node, named string, doc map[string]any) {
	n = n.target()
	is, want := text(doc, "type"), n.fieldType()
	isList := n.kind == kindSlice || n.kind == kindArray
	if named != "" && !isList {
		want = named
	}
	if want == "" {
		return // it takes any value
	}
	if !carries(n, want, is) {
		f.Addf(path, ruleType, "%s%s in the schema, %s in Go (field %s of type %s)", prefix, is, want, field, n.of)
		return
	}
	switch {
	case isList:
		if items, ok := doc["items"].(map[string]any); ok {
			f.node(path, prefix+"items: ", field, n.elem, named, items)
		}
	case n.kind == kindRecord:
		f.object(path, n.record.Fields, doc, nil)
	case n.kind == kindMap:
		f.entries(path, field, n, doc)
	}
}

// entries compares the values of a map with the members that the schema declares.
func (f *fitter) entries(path value.Path, field string, n *node, doc map[string]any) {
	properties, _ := doc["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		member, _ := properties[name].(map[string]any)
		f.node(slices.Clip(path).Member(name), "", field, n.elem, "", member)
	}
}

// carries reports whether a Go type that stands for the type want can hold all values of a
// field of the type is, and be stored in it.
func carries(n *node, want, is string) bool {
	if want == is {
		return true
	}
	switch n.kind {
	case kindNumber:
		return slices.Contains(numbers, is)
	case kindFloat:
		return is == schema.Number || is == schema.Float
	case kindString:
		return slices.Contains(texts, is)
	}
	return false
}

func text(doc map[string]any, name string) string {
	s, _ := doc[name].(string)
	return s
}

package infer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// maxEnums bounds the values of all enums of a schema, in bytes.
const maxEnums = 256 << 10

// A Result is a schema, and what it was made from.
type Result struct {
	// Schema is the schema in its JSON form.
	Schema  map[string]any
	Samples int64
	// Fields are all fields that were found, at all depths, sorted by path.
	Fields []Field
	Keys   []Key
	Notes  []string
}

// A Field is a field that was found in samples.
type Field struct {
	Path     string // items of an array have the path of the array and []
	Type     string // empty if the schema does not declare the field
	Required bool
	Seen     int64 // values that are not null
	Null     int64
	Of       int64 // objects that could have the field, or arrays with items
	Examples []any
	Enum     []any  // the values it seems to be limited to
	File     string // the type of the files that its values are URLs of
	Note     string
}

// Result returns the schema that all samples so far conform to. It may be called several
// times.
func (s *Samples) Result() Result {
	r := resolver{s: s}
	enough := s.count >= s.opts.MinSamples
	properties := r.properties(&s.root, "", enough, 1)
	r.files(properties, enough)
	r.result.Schema = map[string]any{"properties": properties}
	r.result.Samples = s.count
	slices.SortFunc(r.result.Fields, func(a, b Field) int { return strings.Compare(a.Path, b.Path) })
	r.result.Keys = s.keys()
	r.notes()
	return r.result
}

// resolver makes a Result.
type resolver struct {
	s      *Samples
	result Result
	enums  int // bytes of the enums declared so far
}

func (r *resolver) notes() {
	note := func(format string, args ...any) {
		r.result.Notes = append(r.result.Notes, fmt.Sprintf(format, args...))
	}
	if r.s.count < r.s.opts.MinSamples {
		note("no field is required: got %d samples, want %d or more", r.s.count, r.s.opts.MinSamples)
	}
	if r.s.skipped {
		note("there are more than %d fields: the others are not declared", maxFields)
	}
	if r.s.root.long {
		note("names longer than %d characters are not declared", maxName)
	}
}

// properties returns the JSON form of the fields of m that can be declared. If enough is
// set, so many objects were seen that fields in all of them are required.
func (r *resolver) properties(m *members, at string, enough bool, depth int) map[string]any {
	properties := make(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(m.byName)) {
		f := m.byName[name]
		place := len(r.result.Fields)
		r.result.Fields = append(r.result.Fields, Field{
			Path: below(at, name), Of: m.count, Required: enough && f.seen == m.count && f.unfit == "",
		})
		if doc := r.declare(f, place, enough, depth); doc != nil {
			if r.result.Fields[place].Required {
				doc["required"] = true
			}
			properties[name] = doc
		}
	}
	return properties
}

// declare returns the JSON form of a field, or nil if it cannot be declared, and fills in
// its place in the result.
func (r *resolver) declare(f *field, place int, enough bool, depth int) map[string]any {
	found := r.result.Fields[place]
	found.Seen, found.Null, found.Examples, found.Note = f.seen, f.nulls, slices.Clone(f.values.examples), f.note()
	if f.unfit == "" {
		found.Type = f.typeName()
	}
	doc := map[string]any{"type": found.Type}
	switch found.Type {
	case "":
		doc, found.Required = nil, false
	case schema.String:
		found.Enum = f.values.enum(f.seen, r.s.opts.MinSamples)
		if !f.file.mixed {
			found.File = f.file.kind
		}
		if r.s.opts.Enums && r.affords(found.Enum) {
			doc["enum"] = found.Enum
		}
	case schema.Object:
		if p := r.properties(&f.members, found.Path, enough && f.members.count >= r.s.opts.MinSamples, depth+1); len(p) > 0 {
			doc["properties"] = p
		}
	case schema.Array:
		if items := r.items(f, found.Path, enough, depth); items != nil {
			doc["items"] = items
		}
	}
	r.result.Fields[place] = found
	return doc
}

// items returns the JSON form of the items of an array, or nil if they cannot be
// declared.
func (r *resolver) items(f *field, at string, enough bool, depth int) map[string]any {
	if f.items == nil {
		return nil
	}
	place := len(r.result.Fields)
	r.result.Fields = append(r.result.Fields, Field{Path: at + "[]", Of: f.filled})
	return r.declare(f.items, place, enough && f.filled >= r.s.opts.MinSamples, depth+1)
}

// affords reports whether an enum fits into what is left of maxEnums.
func (r *resolver) affords(enum []any) bool {
	for _, v := range enum {
		r.enums += len(v.(string))
	}
	return len(enum) > 0 && r.enums <= maxEnums
}

// kind returns the narrowest kind that takes every value, or kinds if there is none.
func (f *field) kind() kind {
	for k := range kinds {
		if f.seen > 0 && f.kinds[k] == f.seen {
			return k
		}
	}
	switch {
	case f.seen > 0 && f.kinds[integer]+f.kinds[number] == f.seen:
		return number
	case f.seen > 0 && f.strings == f.seen:
		return text
	}
	return kinds
}

// typeName returns the type that takes every value, or "" if there is none.
func (f *field) typeName() string {
	k := f.kind()
	if k == kinds || k == array && f.nullItems {
		return ""
	}
	return kindNames[k]
}

// note says why a field is not declared, or only in part; it may be empty.
func (f *field) note() string {
	switch k := f.kind(); {
	case f.unfit != "":
		return f.unfit
	case f.seen == 0:
		return "it is null in every sample"
	case k == kinds:
		return "no type takes every value: " + f.mixture()
	case k == array && f.nullItems:
		return "some items are null, which a declared array refuses"
	case k == text && f.spaced == f.seen:
		return "times with a space in place of the T are no datetime"
	case k == object && f.members.open:
		return fmt.Sprintf("its members are not declared: they have more than %d names", maxMembers)
	}
	return ""
}

// mixture lists the kinds of the values with their numbers.
func (f *field) mixture() string {
	var parts []string
	for k, n := range f.kinds {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kindNames[k]))
		}
	}
	return strings.Join(parts, ", ")
}

// below returns the path of a member of the object at the path.
func below(at, name string) string {
	path := value.Path{{Name: name}}.String()
	if at != "" && !strings.HasPrefix(path, "[") {
		at += "."
	}
	return at + path
}

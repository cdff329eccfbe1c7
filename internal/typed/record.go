package typed

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/bucketlite/bucketlite/internal/schema"
)

// A Record is the plan of a struct.
type Record struct {
	// Fields are the members that hold fields of the user, by Go field.
	Fields []Member
	// System are the members that hold the system's members of an object.
	System []Member
	// Files are the members that hold blobs.
	Files []Member

	of    reflect.Type
	named map[string]*Member // the Fields
}

// Holds reports whether a member of Fields has the name.
func (r *Record) Holds(name string) bool { return r.named[name] != nil }

// A Member is a Go field of a struct, or of one that it embeds.
type Member struct {
	// Name is the JSON name.
	Name string
	// Field is the path of the Go field, as in "Address.Street".
	Field string
	// Given is true for a member of Files that is an input.
	Given bool
	// List is true for a member of Files that is a slice.
	List bool

	node      *node
	index     []int // from the outermost struct
	omitEmpty bool
	omitZero  bool
	isZero    bool // the type has a method IsZero
	tag       tag
}

// candidate is a Go field that may become a member.
type candidate struct {
	Member
	field  reflect.StructField
	tagged bool // the name is that of a tag
}

// record plans a struct; outermost is set for that of a whole object.
func (b *builder) record(field string, of reflect.Type, outermost bool) *Record {
	r := &Record{of: of, named: make(map[string]*Member)}
	found := b.candidates(field, of, nil, []reflect.Type{of})
	if len(found) == 0 && of.NumField() > 0 && !outermost {
		b.fault(field, ruleType, "%s has no exported fields", of)
	}
	for _, c := range b.dominant(found) {
		m := b.member(c, outermost)
		switch system := outermost && schema.IsReserved(m.Name); {
		case system:
			b.system(m)
			r.System = append(r.System, *m)
		case m.node.holds(kindFile):
			b.file(m, outermost)
			r.Files = append(r.Files, *m)
		default:
			r.Fields = append(r.Fields, *m)
		}
	}
	for i := range r.Fields {
		r.named[r.Fields[i].Name] = &r.Fields[i]
	}
	return r
}

// candidates returns the fields of a struct and of the structs in it, in the order of
// their places.
func (b *builder) candidates(path string, of reflect.Type, index []int, embedding []reflect.Type) (found []candidate) {
	for i := range of.NumField() {
		f := of.Field(i)
		at := join(path, f.Name)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		_, tagged := f.Tag.Lookup("bucketlite")
		in := f.Type
		if f.Anonymous && in.Kind() == reflect.Pointer {
			in = in.Elem()
		}
		embeds := f.Anonymous && in.Kind() == reflect.Struct && !b.isLeaf(in) && name == ""
		switch {
		case f.Tag.Get("json") == "-":
			if tagged {
				b.fault(at, ruleTag, `the tag bucketlite has no effect beside json:"-"`)
			}
		case embeds && tagged:
			b.fault(at, ruleTag, "the tag bucketlite has no effect on an embedded struct, whose members have their own")
		case embeds && !f.IsExported() && f.Type.Kind() == reflect.Pointer:
			b.fault(at, ruleType, "an embedded pointer to the unexported struct %s cannot be set", in)
		case embeds && slices.Contains(embedding, in):
			b.fault(at, ruleType, "%s contains itself; a schema has no such type", in)
		case embeds:
			found = append(found, b.candidates(at, in, append(slices.Clip(index), i), append(slices.Clip(embedding), in))...)
		case !f.IsExported():
			if _, named := f.Tag.Lookup("json"); named || tagged {
				b.fault(at, ruleTag, "an unexported field cannot be set, so its tag has no effect")
			}
		default:
			c := candidate{field: f, tagged: name != ""}
			c.Name, c.Field, c.index = cmp.Or(name, f.Name), at, append(slices.Clip(index), i)
			b.jsonTag(&c.Member, name, options)
			found = append(found, c)
		}
	}
	return found
}

// isLeaf reports whether an embedded struct is one value, not the members in it.
func (b *builder) isLeaf(of reflect.Type) bool {
	p := reflect.PointerTo(of)
	special := b.types.special
	return of == timeType || of == special.Stored || of == special.Given || p.Implements(toJSON) || p.Implements(toText)
}

// jsonTag reads the options of a json tag.
func (b *builder) jsonTag(m *Member, name, options string) {
	if strings.ContainsFunc(name, func(r rune) bool { return r == '"' || r == '\'' || r == '\\' || unicode.IsControl(r) }) {
		b.fault(m.Field, ruleName, "the json name %q is not allowed", name)
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "":
		case "omitempty":
			m.omitEmpty = true
		case "omitzero":
			m.omitZero = true
		default:
			b.fault(m.Field, ruleTag, "the json option %q is not supported, only omitempty and omitzero", option)
		}
	}
}

// dominant returns the candidates that become members, by the rules of Go and
// encoding/json: of several with one name that with the fewest embedded structs around it,
// or among these the only one with a tag. Others are faults.
func (b *builder) dominant(found []candidate) (members []candidate) {
	for i, c := range found {
		wins := true
		for j, o := range found {
			if i == j || o.Name != c.Name {
				continue
			}
			switch order := cmp.Or(cmp.Compare(len(c.index), len(o.index)), compareBool(o.tagged, c.tagged)); {
			case order > 0:
				wins = false
			case order == 0 && wins && i > j:
				b.fault(c.Field, ruleName, "the json name %q is that of %s, too", c.Name, o.Field)
				wins = false
			}
		}
		if wins {
			members = append(members, c)
		}
	}
	return members
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// member plans a Go field.
func (b *builder) member(c candidate, outermost bool) *Member {
	m := &c.Member
	m.node = b.node(m.Field, c.field.Type)
	m.isZero = reflect.PointerTo(c.field.Type).Implements(reflect.TypeFor[zeroer]())
	m.tag = b.tag(m.Field, c.field.Tag.Get("bucketlite"))
	if _, tagged := c.field.Tag.Lookup("bucketlite"); tagged && outermost && schema.IsReserved(m.Name) {
		b.fault(m.Field, ruleReserved, "%q is a member of the system, which the schema does not declare", m.Name)
	}
	b.dates(m)
	return m
}

// dates marks times that are written as dates.
func (b *builder) dates(m *Member) {
	n := m.node
	for n.kind == kindPointer || n.kind == kindSlice || n.kind == kindArray {
		n = n.elem
	}
	n.date = n.kind == kindTime && m.tag.is == schema.Date
}

// system checks a member that holds one of the system's members.
func (b *builder) system(m *Member) {
	n, want := m.node, ""
	special := b.types.special
	switch m.Name {
	case "object_id", "bucket_id", "key_prefix", "error":
		if n.kind != kindString {
			want = "a string"
		}
	case "status":
		if n.of != special.Status {
			want = special.Status.String()
		}
	case "created_at", "updated_at", "x-expires-at":
		if n.kind != kindTime {
			want = "a time.Time"
		}
	case "blobs":
		if n.kind != kindSlice || n.elem.of != special.Stored {
			want = "a slice of " + special.Stored.String()
		}
	default:
		b.fault(m.Field, ruleReserved, "the json name %q is reserved for the system", m.Name)
		return
	}
	if want != "" {
		b.fault(m.Field, ruleReserved, "%q is a member of the system: %s or another json name expected, got %s", m.Name, want, n.of)
	}
}

// file checks a member that holds blobs.
func (b *builder) file(m *Member, outermost bool) {
	n := m.node
	if !outermost {
		b.fault(m.Field, ruleType, "a blob is a member of the object itself, not of one within it")
	}
	m.List = n.kind == kindSlice
	for n.elem != nil {
		n = n.elem
	}
	m.Given = n.of == b.types.special.Given
}

// In returns the Go field in the outermost struct v. It reports false if the pointer to an
// embedded struct is nil.
func (m *Member) In(v reflect.Value) (reflect.Value, bool) {
	for i, n := range m.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v, true
}

// Make is In, and allocates embedded structs.
func (m *Member) Make(v reflect.Value) reflect.Value {
	for i, n := range m.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v
}

type zeroer interface{ IsZero() bool }

// omits reports whether the member is left out by the options of its json tag.
func (m *Member) omits(v reflect.Value) bool {
	if m.omitZero {
		if m.isZero {
			if v.Addr().Interface().(zeroer).IsZero() {
				return true
			}
		} else if v.IsZero() {
			return true
		}
	}
	if !m.omitEmpty {
		return false
	}
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

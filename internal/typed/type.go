package typed

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// The rules that this package defines.
const (
	ruleType     = "type"     // a value, or a Go type, does not fit
	ruleTag      = "tag"      // a tag of a Go field is not understood
	ruleName     = "name"     // a name is not allowed, or taken
	ruleReserved = "reserved" // a name is the system's
	ruleRequired = "required" // a field is missing
)

// Types plans Go types. It is safe for concurrent use.
type Types struct {
	special Special
	plans   sync.Map // reflect.Type to *plan
}

// Special are the Go types that stand for more than their own members.
type Special struct {
	Stored reflect.Type // a stored blob
	Given  reflect.Type // the input for a blob
	Status reflect.Type // the status of an object
}

// NewTypes returns a Types without plans.
func NewTypes(s Special) *Types { return &Types{special: s} }

type plan struct {
	node   *node
	faults []value.Fault
}

// Struct returns the plan of a struct type. The faults name Go fields.
func (t *Types) Struct(of reflect.Type) (*Record, []value.Fault) {
	if of.Kind() != reflect.Struct {
		return nil, []value.Fault{{Rule: ruleType, Message: "a struct expected, got " + of.String()}}
	}
	p := t.plan(of)
	return p.node.record, p.faults
}

// plan returns the plan of a struct or map type.
func (t *Types) plan(of reflect.Type) *plan {
	if p, ok := t.plans.Load(of); ok {
		return p.(*plan)
	}
	b := &builder{types: t, records: make(map[reflect.Type]*Record)}
	p := &plan{node: b.root(of), faults: b.faults}
	known, _ := t.plans.LoadOrStore(of, p)
	return known.(*plan)
}

// kind tells how values of a Go type are converted.
type kind uint8

const (
	kindNone kind = iota // not at all: the plan has a fault
	kindBool
	kindInt
	kindUint
	kindFloat
	kindString
	kindNumber // json.Number
	kindTime   // time.Time
	kindSlice
	kindArray
	kindMap
	kindRecord
	kindPointer
	kindAny
	kindRaw  // json.RawMessage
	kindJSON // by MarshalJSON and UnmarshalJSON
	kindText // by MarshalText and UnmarshalText
	kindFile // a blob, which is no value
)

// A node is the plan of a Go type at one place.
type node struct {
	kind   kind
	of     reflect.Type
	elem   *node   // of a slice, an array, a map or a pointer
	record *Record // of a struct
	key    kind    // of a map: kindString, kindInt, kindUint or kindText
	date   bool    // a time is written as a date
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	numberType = reflect.TypeFor[json.Number]()
	rawType    = reflect.TypeFor[json.RawMessage]()

	toJSON   = reflect.TypeFor[json.Marshaler]()
	fromJSON = reflect.TypeFor[json.Unmarshaler]()
	toText   = reflect.TypeFor[encoding.TextMarshaler]()
	fromText = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// builder plans one type.
type builder struct {
	types   *Types
	records map[reflect.Type]*Record // of structs within objects
	within  []reflect.Type           // the types that are being planned
	faults  []value.Fault
}

func (b *builder) fault(field, rule, format string, args ...any) {
	b.faults = append(b.faults, value.Fault{Path: field, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// root plans the type of a whole object.
func (b *builder) root(of reflect.Type) *node {
	if of.Kind() == reflect.Map {
		return b.node("", of)
	}
	n := &node{kind: kindRecord, of: of}
	if reflect.PointerTo(of).Implements(toJSON) || reflect.PointerTo(of).Implements(toText) {
		b.fault("", ruleType, "%s has a method MarshalJSON or MarshalText, possibly of an embedded type, so its members are unknown", of)
		return n
	}
	b.within = append(b.within, of)
	n.record = b.record("", of, true)
	return n
}

// node plans the type of a Go field, or of a part of it.
func (b *builder) node(field string, of reflect.Type) *node {
	n := &node{of: of}
	if slices.Contains(b.within, of) {
		b.fault(field, ruleType, "%s contains itself; a schema has no such type", of)
		return n
	}
	b.within = append(b.within, of)
	defer func() { b.within = b.within[:len(b.within)-1] }()
	n.kind = b.kind(field, of)
	switch n.kind {
	case kindSlice, kindArray, kindPointer:
		n.elem = b.node(field, of.Elem())
		if n.elem.kind == kindFile && n.kind == kindArray || n.elem.isPointerTo(kindFile) {
			b.fault(field, ruleType, "a blob, a pointer to one or a slice of blobs expected, got %s", of)
		}
	case kindMap:
		n.key = b.mapKey(field, of.Key())
		n.elem = b.node(field, of.Elem())
		if n.elem.holds(kindFile) {
			b.fault(field, ruleType, "a blob is a member of the object itself, not of a map")
		}
	case kindRecord:
		if n.record = b.records[of]; n.record == nil {
			n.record = b.record(field, of, false)
			b.records[of] = n.record
		}
	}
	return n
}

func (n *node) isPointerTo(k kind) bool { return n.kind == kindPointer && n.elem.kind == k }

// holds reports whether values of the kind are in n, except in members of structs.
func (n *node) holds(k kind) bool { return n.kind == k || n.elem != nil && n.elem.holds(k) }

// kind returns the kind of a Go type.
func (b *builder) kind(field string, of reflect.Type) kind {
	switch of {
	case timeType:
		return kindTime
	case numberType:
		return kindNumber
	case rawType:
		return kindRaw
	case b.types.special.Stored, b.types.special.Given:
		return kindFile
	}
	if of.Kind() != reflect.Pointer && of.Kind() != reflect.Interface {
		if k, ok := b.byMethods(field, of); ok {
			return k
		}
	}
	switch of.Kind() {
	case reflect.Bool:
		return kindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return kindInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return kindUint
	case reflect.Float32, reflect.Float64:
		return kindFloat
	case reflect.String:
		return kindString
	case reflect.Slice:
		if of.Elem().Kind() == reflect.Uint8 {
			b.fault(field, ruleType, "%s has no JSON form: use a string for text and a blob for bytes", of)
			return kindNone
		}
		return kindSlice
	case reflect.Array:
		return kindArray
	case reflect.Map:
		return kindMap
	case reflect.Struct:
		return kindRecord
	case reflect.Pointer:
		return kindPointer
	case reflect.Interface:
		if of.NumMethod() == 0 {
			return kindAny
		}
	}
	b.fault(field, ruleType, "%s has no JSON form", of)
	return kindNone
}

// byMethods returns the kind of a type with methods of its own for its JSON form. It
// needs both directions, or what is written could not be read.
func (b *builder) byMethods(field string, of reflect.Type) (kind, bool) {
	p := reflect.PointerTo(of)
	for _, m := range []struct {
		kind     kind
		to, from reflect.Type
		name     string
	}{{kindJSON, toJSON, fromJSON, "JSON"}, {kindText, toText, fromText, "Text"}} {
		switch to, from := p.Implements(m.to), p.Implements(m.from); {
		case to && from:
			return m.kind, true
		case to:
			b.fault(field, ruleType, "%s has a method Marshal%s, and none named Unmarshal%s", of, m.name, m.name)
			return kindNone, true
		case from:
			b.fault(field, ruleType, "%s has a method Unmarshal%s, and none named Marshal%s", of, m.name, m.name)
			return kindNone, true
		}
	}
	return kindNone, false
}

// mapKey returns the kind of a map's keys.
func (b *builder) mapKey(field string, of reflect.Type) kind {
	if reflect.PointerTo(of).Implements(fromText) && of.Implements(toText) {
		return kindText
	}
	switch of.Kind() {
	case reflect.String:
		return kindString
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return kindInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return kindUint
	}
	b.fault(field, ruleType, "a map of strings, integers or types with MarshalText and UnmarshalText expected, got keys of type %s", of)
	return kindNone
}

// fieldType returns the type of the schema field for values of the node, or "" if any
// type is possible. Blobs have the type that their tag names.
func (n *node) fieldType() string {
	switch n.kind {
	case kindBool:
		return schema.Boolean
	case kindInt, kindUint:
		return schema.Integer
	case kindFloat, kindNumber:
		return schema.Number
	case kindString, kindText:
		return schema.String
	case kindTime:
		if n.date {
			return schema.Date
		}
		return schema.DateTime
	case kindSlice, kindArray:
		return schema.Array
	case kindMap, kindRecord:
		return schema.Object
	case kindPointer:
		return n.elem.fieldType()
	}
	return ""
}

// target returns the node behind pointers.
func (n *node) target() *node {
	for n.kind == kindPointer {
		n = n.elem
	}
	return n
}

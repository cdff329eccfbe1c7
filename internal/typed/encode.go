package typed

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"time"

	"github.com/bucketlite/bucketlite/internal/value"
)

// Encode returns the fields of an object, made from the struct v, which is addressable. A
// value without a JSON form is a fault. A member of type any is returned as it is.
func (r *Record) Encode(f *value.Faults, v reflect.Value) map[string]any {
	var path [8]value.Segment
	e := encoder{faults: f, path: path[:0]}
	return e.record(r, v)
}

// Value returns the value of a member that holds one of the system's members. It reports
// false if that is zero.
func (m *Member) Value(f *value.Faults, v reflect.Value) (any, bool) {
	in, ok := m.In(v)
	if !ok || in.IsZero() {
		return nil, false
	}
	if m.node.kind == kindSlice { // blobs
		return in.Interface(), true
	}
	e := encoder{faults: f, path: value.Path{{Name: m.Name}}}
	return e.value(m.node, in), true
}

// encoder makes values of objects from Go values.
type encoder struct {
	faults *value.Faults
	path   value.Path
}

func (e *encoder) push(s value.Segment) { e.path = append(e.path, s) }
func (e *encoder) pop()                 { e.path = e.path[:len(e.path)-1] }

// record leaves out what is nil, since null would be absent, too. A required list or
// object is empty instead.
func (e *encoder) record(r *Record, v reflect.Value) map[string]any {
	fields := make(map[string]any, len(r.Fields))
	for i := range r.Fields {
		m := &r.Fields[i]
		in, ok := m.In(v)
		if !ok || (m.omitEmpty || m.omitZero) && m.omits(in) {
			continue
		}
		e.push(value.Segment{Name: m.Name})
		out := e.value(m.node, in)
		if out == nil && m.tag.required {
			out = m.node.empty()
		}
		e.pop()
		if out != nil {
			fields[m.Name] = out
		}
	}
	return fields
}

// empty returns the empty list or object for a nil slice or map, else nil.
func (n *node) empty() any {
	switch n.kind {
	case kindSlice:
		return []any{}
	case kindMap:
		return map[string]any{}
	}
	return nil
}

// value returns the value of v, which belongs to the node, or nil for null.
func (e *encoder) value(n *node, v reflect.Value) any {
	switch n.kind {
	case kindString:
		return v.String()
	case kindInt:
		return v.Int()
	case kindUint:
		return v.Uint()
	case kindFloat:
		if v.Kind() == reflect.Float32 {
			return float32(v.Float())
		}
		return v.Float()
	case kindBool:
		return v.Bool()
	case kindNumber:
		if v.Len() == 0 {
			return nil
		}
		return json.Number(v.String())
	case kindTime:
		return e.time(*v.Addr().Interface().(*time.Time), n.date)
	case kindPointer:
		if v.IsNil() {
			return nil
		}
		return e.present(n.elem, v.Elem())
	case kindAny:
		return v.Interface()
	case kindRecord:
		return e.record(n.record, v)
	case kindSlice:
		if v.IsNil() {
			return nil
		}
		return e.items(n, v)
	case kindArray:
		return e.items(n, v)
	case kindMap:
		if v.IsNil() {
			return nil
		}
		return e.entries(n, v)
	case kindRaw:
		return e.raw(v.Bytes())
	case kindJSON:
		data, err := v.Addr().Interface().(json.Marshaler).MarshalJSON()
		if err != nil {
			e.fault(err)
			return nil
		}
		return e.raw(data)
	case kindText:
		return e.text(v)
	}
	return nil
}

func (e *encoder) fault(err error) { e.faults.Add(e.path, ruleType, err.Error()) }

func (e *encoder) time(t time.Time, date bool) any {
	text, err := value.FormatTime(t)
	if err != nil {
		e.fault(err)
		return nil
	}
	if date {
		return text[:len(time.DateOnly)]
	}
	return text
}

func (e *encoder) text(v reflect.Value) any {
	text, err := v.Addr().Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		e.fault(err)
		return nil
	}
	return string(text)
}

// raw returns the value of JSON text.
func (e *encoder) raw(data []byte) any {
	if data == nil {
		return nil
	}
	v, err := value.Parse(data, value.Limits{})
	if err != nil {
		e.fault(err)
	}
	return v
}

// present is value where a nil slice or map, or an empty number, cannot be left out: in a
// list, which has no null, and behind a pointer, which is not nil.
func (e *encoder) present(n *node, v reflect.Value) any {
	out := e.value(n, v)
	if out == nil && n.kind == kindNumber {
		return json.Number("0") // as encoding/json writes it
	}
	if out == nil {
		return n.empty()
	}
	return out
}

// items returns a list.
func (e *encoder) items(n *node, v reflect.Value) any {
	items := make([]any, v.Len())
	for i := range items {
		e.push(value.Segment{Index: i, IsIndex: true})
		items[i] = e.present(n.elem, v.Index(i))
		e.pop()
	}
	return items
}

func (e *encoder) entries(n *node, v reflect.Value) any {
	members := make(map[string]any, v.Len())
	entry := reflect.New(n.of.Elem()).Elem() // the values of a map are not addressable
	for i := v.MapRange(); i.Next(); {
		name, ok := e.key(n, i.Key())
		if !ok {
			continue
		}
		e.push(value.Segment{Name: name})
		if _, taken := members[name]; taken {
			e.faults.Add(e.path, ruleName, "two keys of the map have this text")
		}
		entry.SetIterValue(i)
		members[name] = e.value(n.elem, entry)
		e.pop()
	}
	return members
}

// key returns the name of the member for the key of a map.
func (e *encoder) key(n *node, key reflect.Value) (string, bool) {
	switch n.key {
	case kindString:
		return key.String(), true
	case kindInt:
		return strconv.FormatInt(key.Int(), 10), true
	case kindUint:
		return strconv.FormatUint(key.Uint(), 10), true
	}
	text, err := key.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		e.fault(err)
	}
	return string(text), err == nil
}

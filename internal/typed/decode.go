package typed

import (
	"encoding"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/bucketlite/bucketlite/internal/value"
)

// Decode sets the fields of the struct v, which can be set, from the fields of an object.
// A value that does not fit is a fault, and its Go field is left as it is.
func (r *Record) Decode(f *value.Faults, v reflect.Value, fields map[string]any) {
	var path [8]value.Segment
	d := decoder{faults: f, path: path[:0]}
	d.record(r, v, fields)
}

// DecodeMap sets the map v from the fields of an object. Its type is one that [Types.Map]
// accepts.
func (t *Types) DecodeMap(f *value.Faults, v reflect.Value, fields map[string]any) {
	d := decoder{faults: f}
	d.set(t.plan(v.Type()).node, v, fields)
}

// Map returns what is wrong with a map type as the target of DecodeMap.
func (t *Types) Map(of reflect.Type) []value.Fault { return t.plan(of).faults }

// Set sets a member that holds one of the system's members.
func (m *Member) Set(f *value.Faults, v reflect.Value, in any) {
	d := decoder{faults: f, path: value.Path{{Name: m.Name}}}
	d.set(m.node, m.Make(v), in)
}

// decoder sets Go values from values of objects, which are plain.
type decoder struct {
	faults *value.Faults
	path   value.Path
}

func (d *decoder) push(s value.Segment) { d.path = append(d.path, s) }
func (d *decoder) pop()                 { d.path = d.path[:len(d.path)-1] }

// misfit reports that a value is not of the wanted kind.
func (d *decoder) misfit(want string, in any) {
	d.faults.Add(d.path, ruleType, want+" expected, got "+value.Show(in))
}

// record sets the members that are there. Others keep their values.
func (d *decoder) record(r *Record, v reflect.Value, fields map[string]any) {
	for i := range r.Fields {
		m := &r.Fields[i]
		in, ok := fields[m.Name]
		if !ok {
			continue
		}
		d.push(value.Segment{Name: m.Name})
		if len(m.index) == 1 {
			d.set(m.node, v.Field(m.index[0]), in)
		} else {
			d.set(m.node, m.Make(v), in)
		}
		d.pop()
	}
}

// set sets v, which belongs to the node. As in encoding/json, null empties what can be
// nil, and changes nothing else.
func (d *decoder) set(n *node, v reflect.Value, in any) {
	if in == nil && n.kind != kindJSON {
		switch n.kind {
		case kindPointer, kindSlice, kindMap, kindAny, kindRaw:
			v.SetZero()
		}
		return
	}
	switch n.kind {
	case kindString:
		if s, ok := in.(string); ok {
			v.SetString(s)
		} else {
			d.misfit("string", in)
		}
	case kindInt:
		d.int(v, in)
	case kindUint:
		d.uint(v, in)
	case kindFloat:
		d.float(v, in)
	case kindBool:
		if b, ok := in.(bool); ok {
			v.SetBool(b)
		} else {
			d.misfit("boolean", in)
		}
	case kindTime:
		d.time(v, in)
	case kindNumber:
		d.number(v, in)
	case kindPointer:
		p := reflect.New(n.of.Elem())
		d.set(n.elem, p.Elem(), in)
		v.Set(p)
	case kindAny:
		v.Set(reflect.ValueOf(value.Clone(in)))
	default:
		d.container(n, v, in)
	}
}

func (d *decoder) container(n *node, v reflect.Value, in any) {
	switch n.kind {
	case kindRecord:
		if fields, ok := in.(map[string]any); ok {
			d.record(n.record, v, fields)
		} else {
			d.misfit("object", in)
		}
	case kindSlice:
		d.slice(n, v, in)
	case kindArray:
		d.array(n, v, in)
	case kindMap:
		d.entries(n, v, in)
	case kindRaw:
		v.SetBytes(value.Append(nil, in))
	case kindJSON:
		d.err(v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(value.Append(nil, in)))
	case kindText:
		d.text(v, in)
	}
}

func (d *decoder) err(err error) {
	if err != nil {
		d.faults.Add(d.path, ruleType, err.Error())
	}
}

func (d *decoder) text(v reflect.Value, in any) {
	if s, ok := in.(string); ok {
		d.err(v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)))
	} else {
		d.misfit("string", in)
	}
}

func (d *decoder) int(v reflect.Value, in any) {
	i, ok := int64(0), false
	if s, isText := in.(json.Number); isText {
		var err error
		i, err = strconv.ParseInt(string(s), 10, 64)
		ok = err == nil
	}
	if !ok {
		i, ok = value.Int(in) // 5.0 is whole, too
	}
	if !ok || v.OverflowInt(i) {
		d.misfit("whole number within "+v.Kind().String(), in)
		return
	}
	v.SetInt(i)
}

func (d *decoder) uint(v reflect.Value, in any) {
	u, ok := uint64(0), false
	switch x := in.(type) {
	case json.Number:
		var err error
		u, err = strconv.ParseUint(string(x), 10, 64)
		ok = err == nil
	case uint64:
		u, ok = x, true
	}
	if !ok {
		var i int64
		i, ok = value.Int(in)
		u, ok = uint64(i), ok && i >= 0
	}
	if !ok || v.OverflowUint(u) {
		d.misfit("whole number within "+v.Kind().String(), in)
		return
	}
	v.SetUint(u)
}

func (d *decoder) float(v reflect.Value, in any) {
	if !value.IsNumber(in) {
		d.misfit("number", in)
		return
	}
	text, ok := in.(json.Number)
	if !ok {
		text = json.Number(value.AppendNumber(nil, in))
	}
	f, err := strconv.ParseFloat(string(text), v.Type().Bits())
	if err != nil {
		d.misfit("number within "+v.Kind().String(), in)
		return
	}
	v.SetFloat(f)
}

func (d *decoder) number(v reflect.Value, in any) {
	switch n := in.(type) {
	case json.Number:
		v.SetString(string(n))
	default:
		if !value.IsNumber(in) {
			d.misfit("number", in)
			return
		}
		v.SetString(string(value.AppendNumber(nil, in)))
	}
}

func (d *decoder) time(v reflect.Value, in any) {
	if t, ok := in.(time.Time); ok { // a member of the system
		v.Set(reflect.ValueOf(t))
		return
	}
	s, ok := in.(string)
	if !ok {
		d.misfit("datetime", in)
		return
	}
	t, ok := ParseTime(s)
	if !ok {
		d.misfit("datetime as in RFC 3339 or date as YYYY-MM-DD", in)
		return
	}
	*v.Addr().Interface().(*time.Time) = t
}

// ParseTime reads a datetime or a date. A datetime without zone and a date are in UTC.
func ParseTime(s string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, true
	}
	if sec, nanos, ok := value.ParseDateTime(s); ok {
		return time.Unix(sec, int64(nanos)).UTC(), true
	}
	if value.ParseDate(s) {
		t, err := time.Parse(time.DateOnly, s)
		return t, err == nil
	}
	return time.Time{}, false
}

func (d *decoder) slice(n *node, v reflect.Value, in any) {
	items, ok := in.([]any)
	if !ok {
		d.misfit("array", in)
		return
	}
	list := reflect.MakeSlice(n.of, len(items), len(items))
	d.items(n, list, items)
	v.Set(list)
}

func (d *decoder) items(n *node, list reflect.Value, items []any) {
	for i, item := range items {
		d.push(value.Segment{Index: i, IsIndex: true})
		d.set(n.elem, list.Index(i), item)
		d.pop()
	}
}

// array sets a Go array. Encoding/json drops the items that have no place in it.
func (d *decoder) array(n *node, v reflect.Value, in any) {
	items, ok := in.([]any)
	switch {
	case !ok:
		d.misfit("array", in)
	case len(items) > n.of.Len():
		d.faults.Addf(d.path, ruleType, "at most %d items expected, got %d", n.of.Len(), len(items))
	default:
		v.SetZero()
		d.items(n, v, items)
	}
}

func (d *decoder) entries(n *node, v reflect.Value, in any) {
	members, ok := in.(map[string]any)
	if !ok {
		d.misfit("object", in)
		return
	}
	m := reflect.MakeMapWithSize(n.of, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		d.push(value.Segment{Name: name})
		key, entry := reflect.New(n.of.Key()).Elem(), reflect.New(n.of.Elem()).Elem()
		if d.key(n, key, name) {
			d.set(n.elem, entry, members[name])
			m.SetMapIndex(key, entry)
		}
		d.pop()
	}
	v.Set(m)
}

// key sets the key of a map to the name of a member.
func (d *decoder) key(n *node, key reflect.Value, name string) bool {
	switch n.key {
	case kindString:
		key.SetString(name)
		return true
	case kindInt:
		if i, err := strconv.ParseInt(name, 10, 64); err == nil && !key.OverflowInt(i) {
			key.SetInt(i)
			return true
		}
	case kindUint:
		if u, err := strconv.ParseUint(name, 10, 64); err == nil && !key.OverflowUint(u) {
			key.SetUint(u)
			return true
		}
	case kindText:
		err := key.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(name))
		d.err(err)
		return err == nil
	}
	d.misfit("a name that is a whole number within "+key.Kind().String(), name)
	return false
}

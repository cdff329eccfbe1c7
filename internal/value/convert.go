package value

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// maxHops is how many pointers to pointers are followed.
const maxHops = 100

// convert returns the plain form of a value that is of no plain type.
func (w *walker) convert(v any) any {
	switch x := v.(type) {
	case time.Time:
		return w.time(x)
	case json.RawMessage:
		return w.raw(x)
	case []byte:
		return w.bytes()
	}
	if marshals(v) && reflect.TypeOf(v).Kind() != reflect.Pointer {
		return w.marshal(v)
	}
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Pointer:
		return w.follow(rv)
	case reflect.Bool:
		return rv.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return rv.Uint()
	case reflect.Float32:
		w.float(rv.Float())
		return float32(rv.Float())
	case reflect.Float64:
		w.float(rv.Float())
		return rv.Float()
	case reflect.String:
		w.text(rv.String())
		return rv.String()
	case reflect.Slice, reflect.Array:
		return w.list(rv)
	case reflect.Map:
		if rv.Type().Key().Kind() == reflect.String {
			return w.dict(rv)
		}
	}
	return w.marshal(v)
}

func (w *walker) bytes() any {
	w.fail(ruleType, "a []byte has no JSON form: use a string for text and a blob for bytes")
	return nil
}

func (w *walker) time(t time.Time) any {
	s, err := FormatTime(t)
	if err != nil {
		w.fail(ruleType, err.Error())
		return nil
	}
	w.text(s)
	return s
}

// FormatTime returns the text of a time as in RFC 3339, in UTC if its own zone has no such
// form. The error is about a year without one.
func FormatTime(t time.Time) (string, error) {
	// A zone off by seconds or by days cannot be written in RFC 3339.
	if _, offset := t.Zone(); offset%60 != 0 || offset <= -86400 || offset >= 86400 {
		t = t.UTC()
	}
	if y := t.Year(); y < 1 || y > 9999 {
		return "", fmt.Errorf("time is in the year %d, not in 1 to 9999", y)
	}
	return t.Format(time.RFC3339Nano), nil
}

// follow visits the target of the pointer rv.
func (w *walker) follow(rv reflect.Value) any {
	for range maxHops {
		if rv.Kind() != reflect.Pointer {
			v, _ := w.visit(rv.Interface())
			return v
		}
		if rv.IsNil() {
			return nil
		}
		elem := rv.Elem()
		if elem.Kind() == reflect.Interface {
			if elem.IsNil() {
				return nil
			}
			elem = elem.Elem()
		}
		// A method with a pointer receiver is lost behind the pointer.
		if v := rv.Interface(); marshals(v) && !marshals(elem.Interface()) {
			return w.marshal(v)
		}
		rv = elem
	}
	w.fail(ruleType, "pointers lead nowhere")
	return nil
}

// list visits a slice or array.
func (w *walker) list(rv reflect.Value) any {
	t := rv.Type()
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		return w.bytes()
	}
	if plain := reflect.TypeFor[[]any](); t.Kind() == reflect.Slice && t.ConvertibleTo(plain) {
		v, _ := w.visit(rv.Convert(plain).Interface())
		return v
	}
	a := make([]any, rv.Len())
	for i := range a {
		a[i] = rv.Index(i).Interface()
	}
	a, _ = w.array(a, true)
	return a
}

// dict visits a map with string keys.
func (w *walker) dict(rv reflect.Value) any {
	if plain := reflect.TypeFor[map[string]any](); rv.Type().ConvertibleTo(plain) {
		v, _ := w.visit(rv.Convert(plain).Interface())
		return v
	}
	m := make(map[string]any, rv.Len())
	for iter := rv.MapRange(); iter.Next(); {
		m[iter.Key().String()] = iter.Value().Interface()
	}
	m, _ = w.object(m, true)
	return m
}

func marshals(v any) bool {
	switch v.(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return true
	}
	return false
}

// marshal leaves v to encoding/json.
func (w *walker) marshal(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		w.fail(ruleType, fmt.Sprintf("Go type %T has no JSON form: %v", v, err))
		return nil
	}
	return w.raw(data)
}

// raw reads JSON text that takes the place of a value.
func (w *walker) raw(data []byte) any {
	if data == nil {
		return nil
	}
	v, f := parse(data, Limits{MaxDepth: w.depth, MaxBytes: w.budget})
	if f != nil {
		if f.rule == ruleSize { // of the budget, which is what is left of the limit
			f.message = w.limits.exceeded()
		}
		w.failAt(append(w.path, f.path...), f.rule, f.message)
		return nil
	}
	w.budget -= len(data)
	return v
}

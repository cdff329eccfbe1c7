package storetest

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strconv"
	"time"
)

// GoTypes makes random struct types, and values of them.
type GoTypes struct{ *rand.Rand }

// NewGoTypes returns a GoTypes that makes the same for a seed every time.
func NewGoTypes(seed uint64) GoTypes { return GoTypes{rand.New(rand.NewPCG(seed, 0))} }

// Difference returns where two values of a struct differ, or "". Times are equal if they
// are one instant. Other than in members, nil slices and maps equal empty ones, and an empty
// number equals 0.
func Difference(a, b reflect.Value) string { return difference(a, b, true) }

func difference(a, b reflect.Value, isMember bool) string {
	at := func(name any, inner string) string {
		if inner == "" {
			return ""
		}
		return fmt.Sprintf("%v: %s", name, inner)
	}
	switch x := a.Interface().(type) {
	case time.Time:
		if !x.Equal(b.Interface().(time.Time)) {
			return fmt.Sprintf("%v, got %v", x, b)
		}
		return ""
	case json.Number:
		if y := b.Interface().(json.Number); x != y && (isMember || x != "" || y != "0") {
			return fmt.Sprintf("%q, got %q", x, y)
		}
		return ""
	case netip.Addr, json.RawMessage, nil:
		if !reflect.DeepEqual(x, b.Interface()) {
			return fmt.Sprintf("%v, got %v", a, b)
		}
		return ""
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if d := at(a.Type().Field(i).Name, difference(a.Field(i), b.Field(i), true)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Slice, reflect.Array, reflect.Map:
		if a.Len() != b.Len() || isMember && a.Kind() != reflect.Array && a.IsNil() != b.IsNil() {
			return fmt.Sprintf("%#v, got %#v", a, b)
		}
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() != b.IsNil() {
				return fmt.Sprintf("%v, got %v", a, b)
			}
			return ""
		}
		return difference(a.Elem(), b.Elem(), false)
	default:
		if !reflect.DeepEqual(a.Interface(), b.Interface()) {
			return fmt.Sprintf("%#v, got %#v", a, b)
		}
		return ""
	}
	if a.Kind() == reflect.Map {
		for _, key := range a.MapKeys() {
			if !b.MapIndex(key).IsValid() {
				return fmt.Sprintf("the key %v is missing", key)
			}
			if d := at(key, difference(a.MapIndex(key), b.MapIndex(key), false)); d != "" {
				return d
			}
		}
		return ""
	}
	for i := range a.Len() {
		if d := at(i, difference(a.Index(i), b.Index(i), false)); d != "" {
			return d
		}
	}
	return ""
}

// Named types for members.
type (
	Shade  string
	Amount float64
	Flag   bool
	Inner  struct {
		A int    `json:"inner_a"`
		B *Shade `json:"inner_b,omitempty"`
	}
)

var leaves = []reflect.Type{
	reflect.TypeFor[string](), reflect.TypeFor[Shade](), reflect.TypeFor[bool](), reflect.TypeFor[Flag](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](),
	reflect.TypeFor[int32](), reflect.TypeFor[int64](), reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](),
	reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[Amount](), reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](), reflect.TypeFor[json.Number](),
	reflect.TypeFor[any](), reflect.TypeFor[json.RawMessage](), reflect.TypeFor[netip.Addr](), reflect.TypeFor[Inner](),
}

var keys = []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[Shade](), reflect.TypeFor[int16](), reflect.TypeFor[uint64](), reflect.TypeFor[netip.Addr]()}

// typ returns a type. An item of a list cannot be null.
func (r GoTypes) typ(depth int, isItem bool) reflect.Type {
	if depth == 0 || r.IntN(2) == 0 {
		for {
			of := leaves[r.IntN(len(leaves))]
			if !isItem || of.Kind() != reflect.Interface && of != reflect.TypeFor[json.RawMessage]() {
				return of
			}
		}
	}
	switch r.IntN(5) {
	case 0:
		item := r.typ(depth-1, true)
		if item.Kind() == reflect.Uint8 {
			item = reflect.TypeFor[string]() // a []byte has no form
		}
		return reflect.SliceOf(item)
	case 1:
		return reflect.ArrayOf(r.IntN(4), r.typ(depth-1, true))
	case 2:
		return reflect.MapOf(keys[r.IntN(len(keys))], r.typ(depth-1, false))
	case 3:
		if isItem {
			return r.Struct(depth - 1)
		}
		return reflect.PointerTo(r.typ(depth-1, true))
	}
	return r.Struct(depth - 1)
}

// Struct returns a struct type that nests so deep.
func (r GoTypes) Struct(depth int) reflect.Type {
	var fields []reflect.StructField
	for i := range 1 + r.IntN(6) {
		f := reflect.StructField{Name: "F" + strconv.Itoa(i), Type: r.typ(depth, false)}
		name := []string{"", "f" + strconv.Itoa(i), "Ünïcode" + strconv.Itoa(i)}[r.IntN(3)]
		option := []string{"", "", ",omitzero", ",omitempty"}[r.IntN(4)]
		if option == ",omitempty" && (f.Type.Kind() == reflect.Slice || f.Type.Kind() == reflect.Map || f.Type.Kind() == reflect.Array) {
			option = "" // it makes the empty nil
		}
		f.Tag = reflect.StructTag(`json:"` + name + option + `"`)
		if f.Type == reflect.TypeFor[time.Time]() && r.IntN(2) == 0 {
			f.Tag += ` bucketlite:"type=date"`
		}
		fields = append(fields, f)
	}
	if r.IntN(4) == 0 {
		fields = append(fields, reflect.StructField{Name: "Inner", Type: reflect.TypeFor[Inner](), Anonymous: true})
	}
	return reflect.StructOf(fields)
}

// Fill sets the struct v to a random value.
func (r GoTypes) Fill(v reflect.Value) { r.fill(v, "") }

// fill sets v, which has a tag, to a random value.
func (r GoTypes) fill(v reflect.Value, tag reflect.StructTag) {
	switch v.Interface().(type) {
	case time.Time:
		at := time.Unix(r.Int64N(1<<37)-1<<35, r.Int64N(1e9)).In(time.FixedZone("", 60*(r.IntN(1600)-800)))
		if tag.Get("bucketlite") == "type=date" {
			at = at.UTC().Truncate(24 * time.Hour)
		}
		if r.IntN(8) == 0 {
			at = time.Time{}
		}
		v.Set(reflect.ValueOf(at))
		return
	case json.Number:
		v.SetString([]string{"", "0", "-1.50", "1e400", "123456789012345678901234567890", "0.1"}[r.IntN(6)])
		if v.String() == "1e400" {
			v.SetString("1E+30")
		}
		return
	case json.RawMessage:
		v.SetBytes([][]byte{nil, []byte(`{"a":[1.0,"x"]}`), []byte(`"text"`), []byte("5")}[r.IntN(4)])
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{1, 2, 3, byte(r.Uint32())})))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"", "text", "ünï \"quoted\"\n", "5", "日本"}[r.IntN(5)])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(r.Int64() >> (64 - v.Type().Bits()) * int64(1-2*r.IntN(2)) / int64(1+r.IntN(2)))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()) >> 1) // an integer of a schema has 63 bits without its sign
	case reflect.Float32, reflect.Float64:
		f := r.NormFloat64() * math.Pow(10, float64(r.IntN(60)-30))
		if r.IntN(5) == 0 {
			f = float64(r.IntN(100))
		}
		v.SetFloat(f)
		if v.Kind() == reflect.Float32 {
			v.SetFloat(float64(float32(f)))
		}
	case reflect.Interface:
		v.Set(reflect.Zero(v.Type()))
		if n := r.IntN(5); n > 0 {
			v.Set(reflect.ValueOf([]any{"text", true, json.Number("1.50"), map[string]any{"x": []any{"y", json.Number("2")}}}[n-1]))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			r.fill(v.Field(i), v.Type().Field(i).Tag)
		}
	case reflect.Pointer:
		if r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			r.fill(v.Elem(), tag)
		}
	case reflect.Slice:
		if n := r.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
			for i := range n - 1 {
				r.fill(v.Index(i), tag)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			r.fill(v.Index(i), tag)
		}
	case reflect.Map:
		if n := r.IntN(4); n > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n - 1 {
				key, entry := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				r.fill(key, "")
				r.fill(entry, "")
				v.SetMapIndex(key, entry)
			}
		}
	}
}

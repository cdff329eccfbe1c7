package bucketlite_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
)

var typedSeed = flag.Uint64("typed-seed", 0, "the seed of one round trip of a random Go type; 0 means many new ones")

// A value of any Go type comes back as it was, through FieldsOf, Put and Decode, in a bucket
// with the schema of the type. Nil and empty slices
// within a list count as equal, and so do an empty number and 0.
func TestTypedRoundTrips(t *testing.T) {
	t.Parallel()
	st := bucketlitetest.NewStore(t)
	ns, err := st.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "random"})
	if err != nil {
		t.Fatal(err)
	}
	seeds := []uint64{*typedSeed}
	if *typedSeed == 0 {
		seeds = nil
		for range 60 {
			seeds = append(seeds, rand.Uint64())
		}
	}
	for _, seed := range seeds {
		roundTrip(t, ns, seed)
	}
}

func FuzzTypedRoundTrip(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		st := bucketlitetest.NewStore(t)
		ns, err := st.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "random"})
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, ns, seed)
	})
}

// roundTrip makes a type from the seed, and stores values of it.
func roundTrip(t *testing.T, ns *bucketlite.Namespace, seed uint64) {
	t.Helper()
	r := typeSource{rand.New(rand.NewPCG(seed, 0))}
	of := r.structType(3)
	s, err := bucketlite.SchemaOfType(of)
	if err != nil {
		t.Fatalf("-typed-seed %d: the schema of %s: %v", seed, of, err)
	}
	b, err := ns.CreateBucket(t.Context(), bucketlite.BucketConfig{Name: "b" + strconv.FormatUint(seed, 10), Schema: s})
	if err != nil {
		t.Fatalf("-typed-seed %d: %v", seed, err)
	}
	for range 5 {
		want := reflect.New(of)
		r.fill(want.Elem(), "")
		fields, err := bucketlite.FieldsOf(want.Interface())
		if err != nil {
			t.Fatalf("-typed-seed %d: the fields of %#v: %v", seed, want.Elem(), err)
		}
		res, err := b.Put(t.Context(), bucketlite.ObjectInput{Fields: fields}, nil)
		if err != nil {
			t.Fatalf("-typed-seed %d: put %#v: %v", seed, want.Elem(), err)
		}
		got := reflect.New(of)
		if err := res.Object.Decode(got.Interface()); err != nil {
			t.Fatalf("-typed-seed %d: decode into %s: %v", seed, of, err)
		}
		if at := difference(want.Elem(), got.Elem(), true); at != "" {
			t.Fatalf("-typed-seed %d: of %s: %s", seed, of, at)
		}
	}
}

// difference returns where two values differ, or "". Times are equal if they are one
// instant, and nil slices and maps equal empty ones unless they are members.
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

// typeSource makes random types, and values of them.
type typeSource struct{ *rand.Rand }

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
func (r typeSource) typ(depth int, isItem bool) reflect.Type {
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
			return r.structType(depth - 1)
		}
		return reflect.PointerTo(r.typ(depth-1, true))
	}
	return r.structType(depth - 1)
}

func (r typeSource) structType(depth int) reflect.Type {
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

// fill sets v, which has a tag, to a random value.
func (r typeSource) fill(v reflect.Value, tag reflect.StructTag) {
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

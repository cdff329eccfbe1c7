package bucketlite_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

var answerSeed = flag.Uint64("answer-seed", 0, "the seed of the inputs whose answers are compared with the stored objects; 0 means a new one")

// answerSchema has fields of every type, with and without defaults.
var answerSchema = bucketlite.Schema{Properties: map[string]bucketlite.Field{
	"sku":   {Type: bucketlite.String, Required: true},
	"text1": {Type: bucketlite.String, Default: "a default"},
	"text2": {Type: bucketlite.String},
	"num1":  {Type: bucketlite.Number, Default: 2.50},
	"num2":  {Type: bucketlite.Number},
	"int1":  {Type: bucketlite.Integer, Default: 5},
	"int2":  {Type: bucketlite.Integer},
	"float": {Type: bucketlite.Float},
	"bool":  {Type: bucketlite.Boolean, Default: true},
	"obj1":  {Type: bucketlite.ObjectField, Default: map[string]any{"a": []any{1, map[string]any{"b": 2.0}}}},
	"obj2": {Type: bucketlite.ObjectField, Properties: map[string]bucketlite.Field{
		"list": {Type: bucketlite.Array, Default: []any{1, "two"}},
		"n":    {Type: bucketlite.Number, Default: 7},
	}},
	"list1": {Type: bucketlite.Array, Default: []any{[]any{}, map[string]any{}, 1e21}},
	"list2": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.Number}},
	"date":  {Type: bucketlite.Date},
	"time":  {Type: bucketlite.DateTime},
	"note":  {Type: bucketlite.Text},
	"file":  {Type: bucketlite.File},
	"files": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.File}, Default: []any{}},
	"image": {Type: bucketlite.Image},
}}

// answers makes random inputs.
type answers struct{ *rand.Rand }

type (
	ownString string
	ownInt    int16
	ownFloat  float32
)

// number returns a number in any form that a caller may give.
func (r answers) number() any {
	f := []float64{0, math.Copysign(0, -1), 5, -7.25, 0.1, 1e21, 1e-9, 1 << 53, r.NormFloat64()}[r.IntN(9)]
	forms := []any{
		r.IntN(100), int8(-8), int16(300), int32(-70000), r.Int64(), uint(3), uint8(200), uint16(9), uint32(7), uint64(math.MaxUint64),
		f, float32(f), ownInt(12), ownFloat(0.3), new(r.IntN(9)),
		json.Number("1E5"), json.Number("-0.0"), json.Number("123456789012345678901234567890"), json.Number("1.50"),
		json.RawMessage("2.50"),
	}
	return forms[r.IntN(len(forms))]
}

func (r answers) whole() any {
	forms := []any{r.IntN(100), int64(math.MinInt64), uint64(math.MaxInt64), 5.0, float32(-3), json.Number("5.0"), json.Number("1e3"), ownInt(12), json.RawMessage("7")}
	return forms[r.IntN(len(forms))]
}

func (r answers) text() any {
	forms := []any{"", "plain", "größe 😀", "tab\tand \"quotes\" \\", "<&>\u2028", strings.Repeat("long ", r.IntN(5000)), ownString("named"), json.RawMessage(`"raw \u00e9"`)}
	return forms[r.IntN(len(forms))]
}

func (r answers) moment() time.Time {
	return time.Date(1990+r.IntN(60), 3, 4, 5, 6, 7, r.IntN(1e9), time.FixedZone("", 3600*r.IntN(5)))
}

// any returns any value; null only within an object.
func (r answers) any(depth int) any {
	switch n := r.IntN(10); {
	case n < 3:
		return r.number()
	case n < 5 || depth == 0:
		return r.text()
	case n == 5:
		return r.moment()
	case n == 6:
		return []string{"a", "b"}
	case n == 7:
		return []any{[]any(nil), map[string]any(nil), []int{1, 2}, map[string]float64{"x": 1}, json.RawMessage(`{"deep":[1.0,null]}`), true}[r.IntN(6)]
	case n == 8:
		return r.list(func() any { return r.any(depth - 1) })
	}
	return r.object(depth)
}

func (r answers) list(item func() any) []any {
	list := make([]any, r.IntN(4))
	for i := range list {
		list[i] = item()
	}
	return list
}

func (r answers) object(depth int) map[string]any {
	m := map[string]any{}
	for i := range r.IntN(4) {
		m[fmt.Sprint("m", i)] = r.any(depth - 1)
	}
	if r.IntN(3) == 0 {
		m["null"] = nil
	}
	return m
}

// input returns an input with the key. Each field is there, is null, or is absent.
func (r answers) input(key string) bucketlite.ObjectInput {
	in := bucketlite.ObjectInput{Fields: map[string]any{"sku": key}}
	for name, value := range map[string]func() any{
		"text1": r.text, "text2": r.text, "num1": r.number, "num2": r.number, "int1": r.whole, "int2": r.whole, "float": r.number,
		"bool":  func() any { return r.IntN(2) == 0 },
		"obj1":  func() any { return r.object(3) },
		"obj2":  func() any { return map[string]any{"n": r.number()} },
		"list1": func() any { return r.list(func() any { return r.any(3) }) },
		"list2": func() any { return r.list(r.number) },
		"date":  func() any { return "2024-02-29" },
		"time":  func() any { return r.moment() },
		"extra": func() any { return r.any(2) }, "more": func() any { return r.any(2) },
	} {
		switch r.IntN(3) {
		case 0:
			in.Fields[name] = value()
		case 1:
			if name != "extra" && r.IntN(3) == 0 {
				in.Fields[name] = nil
			}
		}
	}
	if r.IntN(2) == 0 {
		in.KeyPrefix = "/some/path"
	}
	if r.IntN(3) == 0 {
		in.ExpiresAt = time.Now().Add(time.Hour + time.Duration(r.IntN(1e9)))
	}
	if r.IntN(2) == 0 {
		in.Blobs = r.blobs(in.Fields)
		return in
	}
	for _, name := range []string{"num2", "list2", "obj1"} { // which blobs may hold that are kept
		delete(in.Fields, name)
	}
	return in
}

// blobs returns blobs of some properties, among them inline values of fields that the
// input does not have at its root.
func (r answers) blobs(fields map[string]any) []bucketlite.BlobInput {
	blobs := []bucketlite.BlobInput{}
	add := func(property string, data any) {
		if _, given := fields[property]; given || r.IntN(2) == 0 {
			return
		}
		blobs = append(blobs, bucketlite.BlobInput{Property: property, Data: data, Metadata: r.object(2), KeyPrefix: []string{"", "/p"}[r.IntN(2)]})
	}
	add("note", "an inline text")
	add("num2", r.number())
	add("list2", r.list(r.number))
	add("obj1", r.object(2))
	add("file", map[string]any{"base64": "Ynl0ZXM=", "filename": "a.bin"})
	add("files", map[string]any{"base64": "", "filename": "empty.bin"})
	add("files", "https://example.org/file.bin")
	add("image", map[string]any{"url": "https://example.org/a.png", "mime_type": "image/png"})
	return blobs
}

// Put, PutMany and Apply answer with what is stored, in every detail, and share nothing
// with the caller's input.
func TestAnswersAreAsStored(t *testing.T) {
	t.Parallel()
	seed := *answerSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay with -answer-seed=%d", seed)
	r := answers{rand.New(rand.NewPCG(seed, 0))}
	st := storetest.OpenMemory(t)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "answers", Schema: answerSchema,
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Upsert}})
	calls := map[string]func(in []bucketlite.ObjectInput) ([]*bucketlite.Object, error){
		"Put": func(in []bucketlite.ObjectInput) (out []*bucketlite.Object, err error) {
			for i := range in {
				res, e := b.Put(t.Context(), in[i], &bucketlite.PutOptions{Process: i == 0})
				if e != nil {
					return nil, e
				}
				out = append(out, res.Object)
			}
			return out, nil
		},
		"PutMany": func(in []bucketlite.ObjectInput) ([]*bucketlite.Object, error) { return putAll(t, b, in, nil) },
		"PutMany, Atomic": func(in []bucketlite.ObjectInput) ([]*bucketlite.Object, error) {
			return putAll(t, b, in, &bucketlite.PutManyOptions{Atomic: true})
		},
		"PutMany and Process": func(in []bucketlite.ObjectInput) ([]*bucketlite.Object, error) {
			return putAll(t, b, in, &bucketlite.PutManyOptions{Process: true})
		},
		"Apply": func(in []bucketlite.ObjectInput) (out []*bucketlite.Object, err error) {
			var changes []bucketlite.Change
			for i := range in {
				changes = append(changes, b.PutChange(in[i], nil))
			}
			results, err := st.Apply(t.Context(), changes...)
			for i := range results {
				out = append(out, results[i].Object)
			}
			return out, err
		},
	}
	for range 40 {
		for name, call := range calls {
			in := make([]bucketlite.ObjectInput, 1+r.IntN(8))
			for i, n := range r.Perm(20)[:len(in)] {
				in[i] = r.input(fmt.Sprint("key ", n))
			}
			objects, err := call(in)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want := make([]*bucketlite.Object, len(in))
			for i, o := range objects {
				if want[i], err = b.Object(t.Context(), o.ID); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			for i := range in {
				spoil(in[i].Fields)
				for _, blob := range in[i].Blobs {
					spoil(blob.Data)
					spoil(blob.Metadata)
				}
			}
			for i, o := range objects {
				if !reflect.DeepEqual(o, want[i]) {
					t.Fatalf("%s: object %d of %d: answer (-) and stored object (+):\n%s", name, i, len(in), cmp.Diff(o, want[i], cmp.AllowUnexported(bucketlite.Object{})))
				}
				spoil(o.Fields) // the defaults of later inputs stay as they are
			}
		}
	}
}

// putAll returns the objects of a PutMany.
func putAll(t *testing.T, b *bucketlite.Bucket, in []bucketlite.ObjectInput, opts *bucketlite.PutManyOptions) (out []*bucketlite.Object, err error) {
	res, err := b.PutMany(t.Context(), in, opts)
	if err != nil {
		return nil, err
	}
	if len(res.Failed) > 0 {
		return nil, res.Failed[0].Err
	}
	for i := range res.Succeeded {
		out = append(out, res.Succeeded[i].Object)
	}
	return out, nil
}

// spoil changes every map and slice in v.
func spoil(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			spoil(member)
		}
		if v != nil {
			v["spoilt"] = true
		}
	case []any:
		for i, item := range v {
			spoil(item)
			v[i] = "spoilt"
		}
	case []int:
		clear(v)
	case []string:
		clear(v)
	case map[string]float64:
		clear(v)
	case json.RawMessage:
		clear(v)
	case *int:
		*v = -1
	}
}

package bucketlite_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

// decoded returns a T that fields are decoded into.
func decoded[T any](fields string) (T, error) {
	var v T
	in, err := bucketlite.ObjectInput{}, error(nil)
	if err = json.Unmarshal([]byte(fields), &in); err != nil {
		return v, err
	}
	err = (&bucketlite.Object{ID: "one", Fields: in.Fields}).Decode(&v)
	return v, err
}

// A value that fits is stored without loss. Any other is an error with its path.
func TestDecodeKinds(t *testing.T) {
	t.Parallel()
	type V struct {
		I8   int8              `json:"i8"`
		I    int               `json:"i"`
		U    uint64            `json:"u"`
		F32  float32           `json:"f32"`
		F    float64           `json:"f"`
		S    string            `json:"s"`
		B    bool              `json:"b"`
		N    json.Number       `json:"n"`
		T    time.Time         `json:"t"`
		P    *int              `json:"p"`
		L    []int             `json:"l"`
		A    [2]int            `json:"a"`
		M    map[string]int    `json:"m"`
		MI   map[int8]string   `json:"mi"`
		R    struct{ X []int } `json:"r"`
		Any  any               `json:"any"`
		Raw  json.RawMessage   `json:"raw"`
		Big  big.Int           `json:"big"`
		Addr netip.Addr        `json:"addr"`
	}
	utc := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, test := range []struct {
		name, fields string
		want         V
		issue        string // its path and message, or ""
	}{
		{"whole number with a fraction", `{"i":5.0,"i8":1e2,"u":18446744073709551615}`, V{I: 5, I8: 100, U: 18446744073709551615}, ""},
		{"fraction", `{"i":5.5}`, V{}, "i: whole number within int expected, got 5.5"},
		{"overflow", `{"i8":128}`, V{}, "i8: whole number within int8 expected, got 128"},
		{"overflow of 64 bits", `{"i":9223372036854775808}`, V{}, "i: whole number within int expected, got 9223372036854775808"},
		{"negative", `{"u":-1}`, V{}, "u: whole number within uint64 expected, got -1"},
		{"float overflow", `{"f32":1e39}`, V{}, "f32: number within float32 expected, got 1e39"},
		{"string for a number", `{"i":"5"}`, V{}, `i: whole number within int expected, got "5"`},
		{"number for a string", `{"s":5}`, V{}, "s: string expected, got 5"},
		{"number for a boolean", `{"b":1}`, V{}, "b: boolean expected, got 1"},
		{"string for a json.Number", `{"n":"5"}`, V{}, `n: number expected, got "5"`},
		{"every digit", `{"n":1.10000000000000000000001,"any":{"x":[1.10,null,"y"]}}`, V{N: "1.10000000000000000000001", Any: map[string]any{"x": []any{json.Number("1.10"), nil, "y"}}}, ""},
		{"datetime", `{"t":"2026-05-06T07:08:09Z"}`, V{T: utc}, ""},
		{"datetime without zone and seconds", `{"t":"2026-05-06T07:08"}`, V{T: utc.Truncate(time.Minute)}, ""},
		{"date", `{"t":"2026-05-06"}`, V{T: utc.Truncate(24 * time.Hour)}, ""},
		{"no datetime", `{"t":"yesterday"}`, V{}, `t: datetime as in RFC 3339 or date as YYYY-MM-DD expected, got "yesterday"`},
		{"null empties what can be nil", `{"p":null,"l":null,"m":null,"any":null,"s":null,"i":null,"t":null,"r":null}`, V{}, ""},
		{"pointer, list, maps", `{"p":5,"l":[1,2],"a":[3],"m":{"x":1},"mi":{"-5":"y"}}`, V{P: new(5), L: []int{1, 2}, A: [2]int{3, 0}, M: map[string]int{"x": 1}, MI: map[int8]string{-5: "y"}}, ""},
		{"array too long", `{"a":[1,2,3]}`, V{}, "a: at most 2 items expected, got 3"},
		{"in a list", `{"l":[1,"x"]}`, V{L: []int{1, 0}}, `l[1]: whole number within int expected, got "x"`},
		{"in an object in it", `{"r":{"X":[0,1.5]}}`, V{R: struct{ X []int }{[]int{0, 0}}}, "r.X[1]: whole number within int expected, got 1.5"},
		{"in a map", `{"m":{"a.b":true}}`, V{M: map[string]int{"a.b": 0}}, `m["a.b"]: whole number within int expected, got true`},
		{"key of a map", `{"mi":{"200":"y"}}`, V{MI: map[int8]string{}}, `mi.200: a name that is a whole number within int8 expected, got "200"`},
		{"array for an object", `{"r":[],"m":[]}`, V{}, "m: object expected, got an array; r: object expected, got an array"},
		{"object for a list", `{"l":{}}`, V{}, "l: array expected, got an object"},
		{"raw", `{"raw":{"b":1,"a":[1.0]}}`, V{Raw: json.RawMessage(`{"a":[1.0],"b":1}`)}, ""},
		{"its own methods", `{"big":123456789012345678901234567890,"addr":"::1"}`, V{Big: *bigInt("123456789012345678901234567890"), Addr: netip.IPv6Loopback()}, ""},
		{"refused by a method", `{"addr":"x"}`, V{}, `addr: ParseAddr("x"): unable to parse IP`},
		{"number for a text", `{"addr":5}`, V{}, "addr: string expected, got 5"},
		{"exact names, and others are ignored", `{"I":1,"other":2,"i":3}`, V{I: 3}, ""},
		{"all faults, and the rest is set", `{"i":"x","s":5,"b":true}`, V{B: true}, `i: whole number within int expected, got "x"; s: string expected, got 5`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := decoded[V](test.fields)
			if diff := cmp.Diff(test.want, got, cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
			if test.issue == "" {
				if err != nil {
					t.Errorf("got error %v, want none", err)
				}
				return
			}
			var invalid *bucketlite.ValidationError
			if !errors.As(err, &invalid) {
				t.Fatalf("got error %v, want a ValidationError", err)
			}
			var issues []string
			for _, issue := range invalid.Issues {
				issues = append(issues, issue.String())
			}
			if got := strings.Join(issues, "; "); got != test.issue {
				t.Errorf("got issues %s, want %s", got, test.issue)
			}
		})
	}
}

func bigInt(s string) *big.Int {
	n, _ := new(big.Int).SetString(s, 10)
	return n
}

// As in encoding/json, absent members stay. Members that are set share nothing with the
// value before, or with the object.
func TestDecodeInto(t *testing.T) {
	t.Parallel()
	type inner struct{ A, B int }
	type V struct {
		Keep string
		In   inner
		P    *inner
		L    []int
		M    map[string]int
		Any  any
		*Base
		base
	}
	o := &bucketlite.Object{Fields: map[string]any{"Note": "set", "In": map[string]any{"A": json.Number("1")}, "P": map[string]any{"A": json.Number("1")},
		"L": []any{json.Number("1")}, "M": map[string]any{"x": json.Number("1")}, "Any": map[string]any{"y": "z"}}}
	p, l, m := &inner{7, 7}, []int{7, 7}, map[string]int{"old": 7}
	got := V{Keep: "kept", In: inner{7, 7}, P: p, L: l, M: m}
	if err := o.Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := V{Keep: "kept", In: inner{1, 7}, P: &inner{1, 0}, L: []int{1}, M: map[string]int{"x": 1}, Any: map[string]any{"y": "z"}, base: base{Note: new("set")}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(V{})); diff != "" {
		t.Errorf("value (-want +got):\n%s", diff)
	}
	if *p != (inner{7, 7}) || l[0] != 7 || len(m) != 1 {
		t.Errorf("the value before has changed: %v %v %v", *p, l, m)
	}
	got.Any.(map[string]any)["y"] = "changed"
	if o.Fields["Any"].(map[string]any)["y"] != "z" {
		t.Error("the object has changed with the value")
	}
}

func TestDecodeTarget(t *testing.T) {
	t.Parallel()
	o := &bucketlite.Object{Fields: map[string]any{"a": json.Number("1"), "b": "x"}}
	var none *struct{}
	for _, v := range []any{nil, 5, struct{}{}, map[string]any{}, new(5), none, new([]int)} {
		if err := o.Decode(v); !errors.Is(err, bucketlite.ErrInvalid) || !strings.Contains(err.Error(), "a pointer to a struct or a map expected") {
			t.Errorf("decode into %T: got error %v", v, err)
		}
	}
	var all map[string]any
	if err := o.Decode(&all); err != nil || !cmp.Equal(all, o.Fields) {
		t.Errorf("got %v, %v", all, err)
	}
	var texts map[string]string
	if err := o.Decode(&texts); !errors.Is(err, bucketlite.ErrInvalid) || texts["b"] != "x" {
		t.Errorf("got %v, %v", texts, err)
	}
	if _, err := bucketlite.FieldsOf(map[string]any{}); !errors.Is(err, bucketlite.ErrInvalid) {
		t.Errorf("the fields of a map: got error %v", err)
	}
	if _, err := bucketlite.FieldsOf(none); !errors.Is(err, bucketlite.ErrInvalid) {
		t.Errorf("the fields of nil: got error %v", err)
	}
}

// Members of the system and blobs are those of the object.
func TestDecodeSystem(t *testing.T) {
	t.Parallel()
	b := mediaBucket(t, clock())
	in := storetest.Input(t, `{"object_id":"one","key_prefix":"a/b","n":1,"blobs":[{"property":"image","data":"https://example.com/a.png","metadata":{"author":"me"}},
		{"property":"notes","data":"inline"},{"property":"text","data":"data:,stored"}]}`)
	o := storetest.Put(t, b, in, "")
	type V struct {
		ID      string            `json:"object_id"`
		Bucket  string            `json:"bucket_id"`
		Prefix  string            `json:"key_prefix"`
		Status  bucketlite.Status `json:"status"`
		Error   string            `json:"error"`
		Created time.Time         `json:"created_at"`
		Updated time.Time         `json:"updated_at"`
		All     []bucketlite.Blob `json:"blobs"`
		Image   bucketlite.Blob   `json:"image"`
		Text    *bucketlite.Blob  `json:"text"`
		Videos  []bucketlite.Blob `json:"videos"`
		Notes   string            `json:"notes"`
		N       int               `json:"n"`
	}
	var got V
	if err := o.Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := V{"one", b.ID(), "a/b", bucketlite.StatusDraft, "", o.CreatedAt, o.UpdatedAt, o.Blobs, o.Blobs[0], &o.Blobs[2], nil, "inline", 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("value (-want +got):\n%s", diff)
	}
	got.All[0].Properties["author"] = "you"
	got.Image.Properties["author"] = "you"
	if o.Blobs[0].Properties["author"] != "me" {
		t.Error("the object has changed with the value")
	}
	var swapped struct {
		Text  string          `json:"text"`
		Notes bucketlite.Blob `json:"notes"`
		N     bucketlite.Blob `json:"n"`
	}
	err := o.Decode(&swapped)
	checkIssues(t, err, []string{"n: a blob expected, got 1", "text: a value expected, got a blob"})
	if swapped.Notes.Properties["data"] != "inline" {
		t.Errorf("inline data in a Blob: got %+v", swapped.Notes)
	}
	var one struct {
		Image bucketlite.Blob `json:"image"`
	}
	o.Blobs = append(o.Blobs, o.Blobs[0])
	if err := o.Decode(&one); err == nil || !strings.Contains(err.Error(), "image: one blob expected, got 2") {
		t.Errorf("two blobs for one: got error %v", err)
	}
}

func TestObjectValues(t *testing.T) {
	t.Parallel()
	o := &bucketlite.Object{Fields: map[string]any{
		"n": json.Number("5.0"), "f": json.Number("1.5"), "s": "text", "b": true, "at": "2026-05-06T07:08:09+02:00", "day": "2026-05-06",
		"tags": []any{"a", "b"}, "mixed": []any{"a", json.Number("1")}, "none": []any{}, "in": map[string]any{"n": json.Number("7"), "in": map[string]any{"s": "deep"}},
	}}
	got := []any{o.Int("n"), o.Int("f"), o.Int("in.n"), o.Int("s"), o.Int("absent.n"), o.Float("f"), o.Float("n"), o.Float("s"), o.Text("s"), o.Text("in.in.s"), o.Text("s.s"), o.Text("n"),
		o.Bool("b"), o.Bool("s"), o.Time("at").UTC(), o.Time("day"), o.Time("s"), o.Strings("tags"), o.Strings("mixed"), o.Strings("none"), o.Strings("s"), o.Text("")}
	want := []any{int64(5), int64(0), int64(7), int64(0), int64(0), 1.5, 5.0, 0.0, "text", "deep", "", "",
		true, false, time.Date(2026, 5, 6, 5, 8, 9, 0, time.UTC), time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC), time.Time{}, []string{"a", "b"}, []string(nil), []string{}, []string(nil), ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if got := fmt.Sprintf("%d %q", (&bucketlite.Object{}).Int("n"), (&bucketlite.Object{}).Text("a.b")); got != `0 ""` {
		t.Errorf("without fields: got %q", got)
	}
}

// Members that the tags of encoding/json leave out are absent, and so are nil ones.
func TestFieldsOf(t *testing.T) {
	t.Parallel()
	type V struct {
		A   int       `json:"a,omitempty"`
		B   int       `json:"b,omitzero"`
		At  time.Time `json:"at,omitzero"`
		At2 time.Time `json:"at2,omitempty"`
		Day time.Time `json:"day" bucketlite:"type=date"`
		P   *int      `json:"p"`
		L   []string  `json:"l"`
		LR  []string  `json:"lr" bucketlite:"required"`
		LE  []string  `json:"le,omitempty"`
		LL  [][]int   `json:"ll"`
		M   map[string]int
		ML  map[string][]int
		N   json.Number
		Any any
		U   uint8
		F   float32
		ID  string           `json:"object_id"`
		X   bucketlite.Blob  `json:"x"`
		In  struct{ P *int } `json:"in"`
		*Base
	}
	at := time.Date(2026, 5, 6, 7, 8, 9, 10, time.FixedZone("", 7200))
	got, err := bucketlite.FieldsOf(V{At2: at, Day: at, LL: [][]int{nil, {1}}, LE: []string{}, ML: map[string][]int{"x": nil}, Any: at, U: 8, F: 0.1, ID: "one"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"at2": "2026-05-06T07:08:09.00000001+02:00", "day": "2026-05-06", "lr": []any{}, "ll": []any{[]any{}, []any{int64(1)}},
		"ML": map[string]any{"x": nil}, "Any": at, "U": uint64(8), "F": float32(0.1), "in": map[string]any{}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	_, err = bucketlite.FieldsOf(struct {
		A time.Time
		B json.RawMessage
		C map[sameText]int
	}{time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC), json.RawMessage("{"), map[sameText]int{1: 1, 2: 2}})
	checkIssues(t, err, []string{"A: time is in the year 12026, not in 1 to 9999", "B: ", "C.same: two keys of the map have this text"})
}

type Base struct{ Code string }

type sameText int

func (sameText) MarshalText() ([]byte, error)  { return []byte("same"), nil }
func (*sameText) UnmarshalText(_ []byte) error { return nil }

package bucketlite_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/google/go-cmp/cmp"
)

type address struct {
	Street string `json:"street" bucketlite:"required"`
	Zip    string `json:"zip,omitempty" bucketlite:"pattern='^[0-9]{4,5}$'"`
}

type base struct {
	Code string `json:"code" bucketlite:"required,maxlen=10"`
	Note *string
}

type grade int

type every struct {
	base
	ID       string               `json:"object_id"`
	Status   bucketlite.Status    `json:"status"`
	Created  time.Time            `json:"created_at"`
	All      []bucketlite.Blob    `json:"blobs"`
	Size     string               `json:"size,omitempty" bucketlite:"enum=S|M|'X|L',default=M,description='a size, in letters'"`
	Price    json.Number          `json:"price" bucketlite:"exclusiveMinimum=0,multipleOf=0.01"`
	Weight   float32              `json:"weight" bucketlite:"type=float"`
	Count    int                  `json:"count" bucketlite:"min=1,max=9"`
	Tiny     int8                 `json:"tiny"`
	Port     uint16               `json:"port"`
	Big      uint64               `json:"big"`
	Level    grade                `json:"level"`
	On       *bool                `json:"on"`
	At       time.Time            `json:"at,omitzero"`
	Day      time.Time            `json:"day" bucketlite:"type=date"`
	Tags     []string             `json:"tags" bucketlite:"required,minItems=1,uniqueItems,maxlen=20"`
	Days     []time.Time          `json:"days" bucketlite:"type=date"`
	Point    [2]float64           `json:"point"`
	Home     address              `json:"home"`
	Others   []*address           `json:"others,omitempty"`
	Extra    map[string]any       `json:"extra"`
	Counts   map[grade]int        `json:"counts"`
	Free     any                  `json:"free"`
	Raw      json.RawMessage      `json:"raw" bucketlite:"type=array"`
	List     []any                `json:"list"`
	Addr     netip.Addr           `json:"addr"`
	Exact    big.Int              `json:"exact" bucketlite:"type=number"`
	Wait     time.Duration        `json:"wait" bucketlite:"default=5"`
	Photo    bucketlite.BlobInput `json:"photo" bucketlite:"type=image,required"`
	Pages    []bucketlite.Blob    `json:"pages" bucketlite:"type=pdf,maxItems=3"`
	Hidden   chan int             `json:"-"`
	internal int
}

// Go sees a use of the unexported fields, which no schema does.
var _ = []any{every{internal: 1}, onlyOut{n: 1}, opaque{n: 1}}

func TestSchemaOf(t *testing.T) {
	t.Parallel()
	got, err := bucketlite.SchemaOf[every]()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"properties":{
		"code":{"type":"string","required":true,"maxLength":10},
		"Note":{"type":"string"},
		"size":{"type":"string","enum":["S","M","X|L"],"default":"M","description":"a size, in letters"},
		"price":{"type":"number","exclusiveMinimum":0,"multipleOf":0.01},
		"weight":{"type":"float"},
		"count":{"type":"integer","minimum":1,"maximum":9},
		"tiny":{"type":"integer","minimum":-128,"maximum":127},
		"port":{"type":"integer","minimum":0,"maximum":65535},
		"big":{"type":"integer","minimum":0},
		"level":{"type":"integer"},
		"on":{"type":"boolean"},
		"at":{"type":"datetime"},
		"day":{"type":"date"},
		"tags":{"type":"array","required":true,"minItems":1,"uniqueItems":true,"items":{"type":"string","maxLength":20}},
		"days":{"type":"array","items":{"type":"date"}},
		"point":{"type":"array","minItems":2,"maxItems":2,"items":{"type":"number"}},
		"home":{"type":"object","properties":{"street":{"type":"string","required":true},"zip":{"type":"string","pattern":"^[0-9]{4,5}$"}}},
		"others":{"type":"array","items":{"type":"object","properties":{"street":{"type":"string","required":true},"zip":{"type":"string","pattern":"^[0-9]{4,5}$"}}}},
		"extra":{"type":"object"},
		"counts":{"type":"object"},
		"raw":{"type":"array"},
		"list":{"type":"array"},
		"addr":{"type":"string"},
		"exact":{"type":"number"},
		"wait":{"type":"integer","default":5},
		"photo":{"type":"image","required":true},
		"pages":{"type":"array","maxItems":3,"items":{"type":"pdf"}}}}`
	if diff := cmp.Diff(compact(t, want), compact(t, toJSON(t, got))); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
}

type (
	recursive struct {
		Children []recursive
	}
	mutual struct {
		Other *struct{ Back []mutual }
	}
	recursiveMap map[string]recursiveMap
	onlyOut      struct{ n int }
	withMethod   struct{ onlyOut }
	opaque       struct{ n int }
	shadow       struct{ Code string }
	dupA         struct{ X int }
	dupB         struct{ X int }
)

func (onlyOut) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

// Each fault names the Go field, and all are there at once.
func TestSchemaOfFaults(t *testing.T) {
	t.Parallel()
	type pointerToHidden struct{ *dupA }
	for _, test := range []struct {
		name string
		of   func() (bucketlite.Schema, error)
		want []string // "Go field: part of the message"
	}{
		{"no struct", bucketlite.SchemaOf[map[string]any], []string{": a struct expected, got map[string]interface {}"}},
		{"pointer", bucketlite.SchemaOf[*address], []string{": a struct expected, got *bucketlite_test.address"}},
		{"recursive", bucketlite.SchemaOf[recursive], []string{"Children: bucketlite_test.recursive contains itself"}},
		{"mutually recursive", bucketlite.SchemaOf[mutual], []string{"Other.Back: bucketlite_test.mutual contains itself"}},
		{"recursive map", bucketlite.SchemaOf[struct{ M recursiveMap }], []string{"M: bucketlite_test.recursiveMap contains itself"}},
		{"method of its own", bucketlite.SchemaOf[withMethod], []string{": bucketlite_test.withMethod has a method MarshalJSON"}},
		{"one direction", bucketlite.SchemaOf[struct{ A onlyOut }], []string{"A: bucketlite_test.onlyOut has a method MarshalJSON, and none named UnmarshalJSON"}},
		{"no form", bucketlite.SchemaOf[struct {
			C chan int
			F func()
			Z complex64
			B []byte
			E error
			M map[float64]int
			O opaque
		}], []string{"B: []uint8 has no JSON form: use a string for text and a blob for bytes", "C: chan int has no JSON form", "E: error has no", "F: func() has no",
			"M: a map of strings, integers", "O: bucketlite_test.opaque has no exported fields", "Z: complex64 has no"}},
		{"unexported", schemaOfFields(
			reflect.StructField{Name: "a", PkgPath: "p", Type: reflect.TypeFor[int](), Tag: `json:"a"`},
			reflect.StructField{Name: "b", PkgPath: "p", Type: reflect.TypeFor[int](), Tag: `bucketlite:"required"`},
			reflect.StructField{Name: "c", PkgPath: "p", Type: reflect.TypeFor[int]()},
		), []string{"a: an unexported field cannot be set", "b: an unexported field cannot be set"}},
		{"embedded pointer", bucketlite.SchemaOf[pointerToHidden], []string{"dupA: an embedded pointer to the unexported struct"}},
		{"names twice", schemaOfFields(
			reflect.StructField{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
			reflect.StructField{Name: "B", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
		), []string{`B: the json name "x" is that of A, too`}},
		{"embedded names twice", bucketlite.SchemaOf[struct {
			dupA
			dupB
		}], []string{`dupB.X: the json name "X" is that of dupA.X, too`}},
		{"reserved", bucketlite.SchemaOf[struct {
			A string `json:"source_details"`
			B bool   `json:"AND"`
			C string `json:"status"`
			D string `json:"created_at"`
			E int    `json:"object_id"`
			F string `json:"blobs"`
			G string `json:"key_prefix" bucketlite:"required"`
		}], []string{`A: the json name "source_details" is reserved`, `B: the json name "AND" is reserved`, "C: \"status\" is a member of the system: bucketlite.Status or another",
			"D: \"created_at\" is a member of the system: a time.Time", "E: \"object_id\" is a member of the system: a string", "F: \"blobs\" is a member of the system: a slice of bucketlite.Blob",
			`G: "key_prefix" is a member of the system, which the schema does not declare`}},
		{"json options", schemaOfFields(
			reflect.StructField{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"a,string"`},
			reflect.StructField{Name: "B", Type: reflect.TypeFor[int](), Tag: `json:"b\\c"`},
		), []string{`A: the json option "string" is not supported`, `B: the json name "b\\c" is not allowed`}},
		{"words", bucketlite.SchemaOf[struct {
			A      int    `bucketlite:"requird"`
			B      int    `bucketlite:"min"`
			C      int    `bucketlite:"required=yes"`
			D      int    `bucketlite:"min=1,minimum=2"`
			E      string `bucketlite:"pattern='a"`
			F      string `bucketlite:"type=strnig"`
			G      int    `json:"-" bucketlite:"required"`
			shadow `bucketlite:"required"`
		}], []string{`A: unknown word "requird" in the tag: want one of required, type,`, `B: "minimum" expects a value`, `C: "required" takes no value`, `D: "minimum" is in the tag twice`,
			"E: a single quote is not closed", `F: unknown type "strnig"`, `G: the tag bucketlite has no effect beside json:"-"`, "shadow: the tag bucketlite has no effect on an embedded struct"}},
		{"words that do not fit", bucketlite.SchemaOf[struct {
			A int                  `bucketlite:"minlen=1"`
			B string               `bucketlite:"max=1"`
			C string               `bucketlite:"uniqueItems"`
			D int                  `bucketlite:"enum=1|two"`
			E bool                 `bucketlite:"default=yes"`
			F string               `bucketlite:"type=integer"`
			G any                  `bucketlite:"required"`
			H []string             `bucketlite:"min=1"`
			I bucketlite.BlobInput `json:"i"`
			J []bucketlite.Blob    `bucketlite:"type=string"`
			K big.Int              `json:"k"`
			L int                  `bucketlite:"max=x"`
		}], []string{"A: minLength has no effect on an integer", "B: maximum has no effect on a string", "C: uniqueItems is about lists", `D: enum: an integer expected, got "two"`,
			`E: default: a boolean expected, got "yes"`, "F: type integer does not fit string, only string, date, datetime, text", "G: a member of any type is not declared",
			"H: minimum has no effect on a string", "I: a blob has no type: name one", "J: type string does not fit bucketlite.Blob, only text, image",
			"K: big.Int has a method MarshalJSON, so its type is unknown", `L: maximum: a number expected, got "x"`}},
		{"blobs in wrong places", bucketlite.SchemaOf[struct {
			A struct {
				B bucketlite.Blob `bucketlite:"type=image"`
			}
			C map[string]bucketlite.Blob `bucketlite:"type=image"`
			D []*bucketlite.BlobInput    `bucketlite:"type=image"`
		}], []string{"A.B: a blob is a member of the object itself", "C: a blob is a member of the object itself, not of a map", "D: a blob, a pointer to one or a slice of blobs expected"}},
		{"refused by the schema", bucketlite.SchemaOf[struct {
			A string `bucketlite:"pattern=("`
			B string `json:"b" bucketlite:"enum=x|y,default=z"`
			C string `json:"c.d"`
			E struct {
				F int `bucketlite:"default=1.5"`
			}
			G []string `json:"g" bucketlite:"default='[1]'"`
		}], []string{"A: ", "B: ", "C: a field's name must not contain a dot", "E.F: ", "G: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := test.of()
			checkIssues(t, err, test.want)
		})
	}
}

// schemaOfFields returns SchemaOf for a struct with tags that go vet refuses.
func schemaOfFields(fields ...reflect.StructField) func() (bucketlite.Schema, error) {
	return func() (bucketlite.Schema, error) { return bucketlite.SchemaOfType(reflect.StructOf(fields)) }
}

// checkIssues checks that err is a ValidationError with exactly these issues, each given as
// its path, ": " and the beginning of its message.
func checkIssues(t *testing.T, err error, want []string) {
	t.Helper()
	var invalid *bucketlite.ValidationError
	if !errors.As(err, &invalid) || !errors.Is(err, bucketlite.ErrInvalid) {
		t.Fatalf("got error %v, want a ValidationError", err)
	}
	var got []string
	for _, issue := range invalid.Issues {
		got = append(got, issue.Path+": "+issue.Message)
	}
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("got issues\n%s\nwant those that begin\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

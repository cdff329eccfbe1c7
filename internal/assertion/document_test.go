package assertion_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/pattern"
)

// tree parses a document as a plain tree.
func tree(tb testing.TB, text string) any {
	tb.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return v
}

// list writes faults one a line: path, rule, message.
func list(faults []assertion.Fault) string {
	var b strings.Builder
	for _, f := range faults {
		fmt.Fprintf(&b, "%q %s: %s\n", f.Path, f.Rule, f.Message)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// field returns a document of one field a.
func field(member string) string {
	return `{"properties":{"a":{"type":"string",` + member + `}}}`
}

const outside = "not allowed: a schema must not refer to anything outside itself"

func TestCheckDocument(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, doc, want string }{
		{"empty", `{"properties":{}}`, ""},
		{"everything", `{"properties":{"a":{"type":"array","required":true,"default":[1],"enum":[[1],null],"description":"d","examples":[],
			"additionalProperties":false,"minItems":0,"maxItems":5.0,"minLength":1e2,"maxLength":7,"minProperties":1,"maxProperties":2,
			"minimum":-1.5,"maximum":1e3,"exclusiveMinimum":0,"exclusiveMaximum":9007199254740993,"multipleOf":0.1,"uniqueItems":true,
			"const":{"$ref":5},"format":"anything","pattern":"^a$","x-mine":{"type":5},
			"items":{"type":"object","properties":{"b":{"type":"string"}}}}},
			"additionalProperties":false,"required":[],"title":5,"$defs":{"$ref":1},"type":"object"}`, ""},
		{"names are not keywords", `{"properties":{"$ref":{"type":"string"},"$id":{"type":"object","properties":{"$schema":{"type":"string"}}},
			"type":{"type":"string"},"properties":{"type":"string"},"required":{"type":"string"},"":{"type":"string"}}}`, ""},
		{"keywords of other vocabularies", field(`"contentMediaType":1,"$comment":2,"must_contain":["a"],"min_length":3`), ""},
		{"null members", `{"properties":{"a":{"type":"array","required":null,"default":null,"enum":null,"items":null,"properties":null,
			"pattern":null,"minLength":null,"const":null,"$ref":null}},"additionalProperties":null,"$schema":null}`, ""},

		{"root null", `null`, `[] type: object expected, got null`},
		{"root string", `"x"`, `[] type: object expected, got "x"`},
		{"root number", `1e400`, `[] type: object expected, got 1e400`},
		{"root array", `[{"properties":{}}]`, `[] type: object expected, got [{"properties":{}}]`},
		{"no properties", `{}`, `["properties"] required: object expected, got nothing`},
		{"null properties", `{"properties":null}`, `["properties"] required: object expected, got nothing`},
		{"properties array", `{"properties":[]}`, `["properties"] type: object expected, got []`},
		{"root additionalProperties", `{"properties":{},"additionalProperties":{"type":"string"}}`,
			`["additionalProperties"] type: boolean expected, got {"type":"string"}`},
		{"field null", `{"properties":{"a":null}}`, `["properties" "a"] type: object expected, got null`},
		{"field null below", `{"properties":{"a":{"type":"object","properties":{"b":null}}}}`,
			`["properties" "a" "properties" "b"] type: object expected, got null`},
		{"field string", `{"properties":{"a":"string"}}`, `["properties" "a"] type: object expected, got "string"`},
		{"field boolean", `{"properties":{"a":true}}`, `["properties" "a"] type: object expected, got true`},
		{"no type", `{"properties":{"a":{}}}`, `["properties" "a" "type"] required: string expected, got nothing`},
		{"null type", `{"properties":{"a":{"type":null}}}`, `["properties" "a" "type"] required: string expected, got nothing`},
		{"type list", `{"properties":{"a":{"type":["string","null"]}}}`, `["properties" "a" "type"] type: string expected, got ["string","null"]`},
		{"required", field(`"required":"yes"`), `["properties" "a" "required"] type: boolean expected, got "yes"`},
		{"required list", field(`"required":["b"]`), `["properties" "a" "required"] type: boolean expected, got ["b"]: write "required": true in the field "b"`},
		{"enum", field(`"enum":"x"`), `["properties" "a" "enum"] type: non-empty array expected, got "x"`},
		{"enum empty", field(`"enum":[]`), `["properties" "a" "enum"] minItems: non-empty array expected, got []`},
		{"items", field(`"items":"string"`), `["properties" "a" "items"] type: object expected, got "string"`},
		{"items list", field(`"items":[{"type":"string"}]`), `["properties" "a" "items"] type: object expected, got [{"type":"string"}]`},
		{"items no type", field(`"items":{}`), `["properties" "a" "items" "type"] required: string expected, got nothing`},
		{"properties", field(`"properties":5`), `["properties" "a" "properties"] type: object expected, got 5`},
		{"description", field(`"description":5`), `["properties" "a" "description"] type: string expected, got 5`},
		{"examples", field(`"examples":"x"`), `["properties" "a" "examples"] type: array expected, got "x"`},
		{"additionalProperties", field(`"additionalProperties":{}`), `["properties" "a" "additionalProperties"] type: boolean expected, got {}`},
		{"size string", field(`"minLength":"3"`), `["properties" "a" "minLength"] type: non-negative integer expected, got "3"`},
		{"size negative", field(`"maxLength":-1`), `["properties" "a" "maxLength"] minimum: non-negative integer expected, got -1`},
		{"size fraction", field(`"minItems":1.5`), `["properties" "a" "minItems"] type: non-negative integer expected, got 1.5`},
		{"size negative fraction", field(`"maxItems":-1.5`), `["properties" "a" "maxItems"] type: non-negative integer expected, got -1.5`},
		{"size boolean", field(`"minProperties":true`), `["properties" "a" "minProperties"] type: non-negative integer expected, got true`},
		{"size list", field(`"maxProperties":[1]`), `["properties" "a" "maxProperties"] type: non-negative integer expected, got [1]`},
		{"pattern number", field(`"pattern":5`), `["properties" "a" "pattern"] type: regular expression in RE2 syntax expected, got 5`},
		{"pattern", field(`"pattern":"("`), `["properties" "a" "pattern"] format: regular expression in RE2 syntax expected, got "("`},
		{"pattern lookahead", field(`"pattern":"(?=a)"`), `["properties" "a" "pattern"] format: regular expression in RE2 syntax expected, got "(?=a)"`},
		{"minimum", field(`"minimum":"1"`), `["properties" "a" "minimum"] type: number expected, got "1"`},
		{"maximum", field(`"maximum":[]`), `["properties" "a" "maximum"] type: number expected, got []`},
		{"exclusiveMinimum", field(`"exclusiveMinimum":true`), `["properties" "a" "exclusiveMinimum"] type: number expected, got true`},
		{"exclusiveMaximum", field(`"exclusiveMaximum":{}`), `["properties" "a" "exclusiveMaximum"] type: number expected, got {}`},
		{"multipleOf", field(`"multipleOf":"2"`), `["properties" "a" "multipleOf"] type: number above 0 expected, got "2"`},
		{"multipleOf zero", field(`"multipleOf":0.0`), `["properties" "a" "multipleOf"] exclusiveMinimum: number above 0 expected, got 0.0`},
		{"multipleOf negative", field(`"multipleOf":-2`), `["properties" "a" "multipleOf"] exclusiveMinimum: number above 0 expected, got -2`},
		{"uniqueItems", field(`"uniqueItems":1`), `["properties" "a" "uniqueItems"] type: boolean expected, got 1`},
		{"format", field(`"format":["email"]`), `["properties" "a" "format"] type: string expected, got ["email"]`},

		{"$ref", `{"properties":{},"$ref":"#"}`, `["$ref"] $ref: ` + outside},
		{"$dynamicRef", `{"properties":{},"$dynamicRef":"#a"}`, `["$dynamicRef"] $dynamicRef: ` + outside},
		{"$id", `{"properties":{},"$id":"https://example.com/"}`, `["$id"] $id: ` + outside},
		{"$schema", `{"properties":{},"$schema":"https://json-schema.org/draft/2020-12/schema"}`, `["$schema"] $schema: ` + outside},
		{"$anchor", `{"properties":{},"$anchor":"a"}`, `["$anchor"] $anchor: ` + outside},
		{"$dynamicAnchor", `{"properties":{},"$dynamicAnchor":"a"}`, `["$dynamicAnchor"] $dynamicAnchor: ` + outside},
		{"field $ref", `{"properties":{"a":{"$ref":"file:///etc/passwd"}}}`,
			`["properties" "a" "$ref"] $ref: ` + outside + "\n" +
				`["properties" "a" "type"] required: string expected, got nothing`},
		{"field $dynamicRef", field(`"$dynamicRef":5`), `["properties" "a" "$dynamicRef"] $dynamicRef: ` + outside},
		{"field $id", field(`"$id":false`), `["properties" "a" "$id"] $id: ` + outside},
		{"field $schema", field(`"$schema":""`), `["properties" "a" "$schema"] $schema: ` + outside},
		{"field $anchor", field(`"$anchor":"a"`), `["properties" "a" "$anchor"] $anchor: ` + outside},
		{"field $dynamicAnchor", field(`"$dynamicAnchor":"a"`), `["properties" "a" "$dynamicAnchor"] $dynamicAnchor: ` + outside},
		{"items $ref", field(`"items":{"type":"string","$ref":"#"}`), `["properties" "a" "items" "$ref"] $ref: ` + outside},

		{"odd names", `{"properties":{"a/b~1.c":{"type":5},"":{"type":6},"/":{"type":7},"0":{"type":8},"%41":{"type":9}}}`,
			`["properties" "" "type"] type: string expected, got 6` + "\n" +
				`["properties" "%41" "type"] type: string expected, got 9` + "\n" +
				`["properties" "/" "type"] type: string expected, got 7` + "\n" +
				`["properties" "0" "type"] type: string expected, got 8` + "\n" +
				`["properties" "a/b~1.c" "type"] type: string expected, got 5`},
		{"all at once, sorted", `{"additionalProperties":0,"$id":"x","properties":{
			"b":{"type":"array","items":{"type":"object","properties":{"c":{"minLength":-1,"required":1},"d":null}}},
			"a":{"type":7,"pattern":"[","enum":[]}}}`,
			`["$id"] $id: ` + outside + "\n" +
				`["additionalProperties"] type: boolean expected, got 0` + "\n" +
				`["properties" "a" "enum"] minItems: non-empty array expected, got []` + "\n" +
				`["properties" "a" "pattern"] format: regular expression in RE2 syntax expected, got "["` + "\n" +
				`["properties" "a" "type"] type: string expected, got 7` + "\n" +
				`["properties" "b" "items" "properties" "c" "minLength"] minimum: non-negative integer expected, got -1` + "\n" +
				`["properties" "b" "items" "properties" "c" "required"] type: boolean expected, got 1` + "\n" +
				`["properties" "b" "items" "properties" "c" "type"] required: string expected, got nothing` + "\n" +
				`["properties" "b" "items" "properties" "d"] type: object expected, got null`},
		{"long value", field(`"required":"` + strings.Repeat("x", 100) + `"`),
			`["properties" "a" "required"] type: boolean expected, got "` + strings.Repeat("x", 58) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc := tree(t, tt.doc)
			for range 3 { // the library's order is random
				if got := list(assertion.CheckDocument(doc)); got != tt.want {
					t.Errorf("CheckDocument(%s)\n got %s\nwant %s", tt.doc, got, tt.want)
				}
			}
			if want := tree(t, tt.doc); !reflect.DeepEqual(doc, want) {
				t.Errorf("CheckDocument wrote into the document: got %v, want %v", doc, want)
			}
		})
	}
}

// TestCheckDocumentGo checks what only Go can express.
func TestCheckDocumentGo(t *testing.T) {
	t.Parallel()
	fieldOf := func(name string, v any) any {
		return m{"properties": m{"a": m{"type": "string", name: v}}}
	}
	deep := any(m{"type": "string"})
	for range 10001 { // one more than the library reads
		deep = m{"type": "array", "items": deep}
	}
	tests := []struct {
		name string
		doc  any
		want string // path and rule
	}{
		{"ints", fieldOf("minLength", uint8(3)), ""},
		{"float", fieldOf("minLength", 5.0), ""},
		{"float32", fieldOf("multipleOf", float32(0.1)), ""},
		{"fraction", fieldOf("minLength", 5.5), `["properties" "a" "minLength"] type`},
		{"NaN", fieldOf("minimum", math.NaN()), `[] type`},
		{"not JSON", fieldOf("default", func() {}), `[] type`},
		{"bad json.Number", fieldOf("default", json.Number("x")), `[] type`},
		{"bytes", []byte(`{"properties":{}}`), `[] type`},
		{"nil map", m(nil), `["properties"] required`},
		{"nil field", m{"properties": m{"a": m(nil)}}, `["properties" "a" "type"] required`},
		{"names not UTF-8", m{"properties": m{"\xff": 5, "\xfe": m{"type": "string"}}}, `[] type`},
		{"name not UTF-8", m{"properties": m{"\xff": 5}}, `[] type`},
		{"too deep to read", m{"properties": m{"a": deep}}, `[] type`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range assertion.CheckDocument(tt.doc) {
				got = append(got, fmt.Sprintf("%q %s", f.Path, f.Rule))
			}
			if got := strings.Join(got, "\n"); got != tt.want {
				t.Errorf("CheckDocument: got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, doc, want string }{
		{"not an object", `[null]`, `[null]`},
		{"null", `null`, `null`},
		{"root", `{"properties":{},"additionalProperties":null,"required":null,"x":null}`, `{"properties":{}}`},
		{"null properties", `{"properties":null}`, `{}`},
		{"properties not an object", `{"properties":[null]}`, `{"properties":[null]}`},
		{"field", field(`"default":null,"enum":null,"items":null,"required":null,"x":null`), `{"properties":{"a":{"type":"string"}}}`},
		{"null field", `{"properties":{"a":null,"default":null}}`, `{"properties":{"a":null,"default":null}}`},
		{"nested", field(`"items":{"type":null,"properties":{"b":null,"c":{"format":null}}}`),
			field(`"items":{"properties":{"b":null,"c":{}}}`)},
		{"values", field(`"default":{"a":null},"enum":[null],"examples":[{"b":null}],"const":{"c":null},"x":{"properties":{"d":{"e":null}},"f":null}`),
			field(`"default":{"a":null},"enum":[null],"examples":[{"b":null}],"const":{"c":null},"x":{"properties":{"d":{"e":null}},"f":null}`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc := tree(t, tt.doc)
			if got, want := assertion.Prune(doc), tree(t, tt.want); !reflect.DeepEqual(got, want) {
				t.Errorf("Prune(%s) = %v, want %v", tt.doc, got, want)
			}
			if want := tree(t, tt.doc); !reflect.DeepEqual(doc, want) {
				t.Errorf("Prune wrote into the document: got %v, want %v", doc, want)
			}
		})
	}
}

func TestNetworkUntouched(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		fmt.Fprint(w, `{"type":"string"}`)
	}))
	defer server.Close()

	doc := m{"properties": m{"a": m{"type": "string", "$ref": server.URL, "$schema": server.URL, "$id": server.URL}}, "$ref": server.URL}
	if got := len(assertion.CheckDocument(doc)); got != 4 {
		t.Errorf("CheckDocument found %d faults, want 4", got)
	}
	if _, err := assertion.Compile(m{"$ref": server.URL}, assertion.LatestRules); err == nil {
		t.Error("Compile($ref) = nil error, want one")
	}
	a, err := assertion.Compile(m{"const": m{"$ref": server.URL, "$schema": server.URL}, "format": "uri"}, assertion.LatestRules)
	if err != nil {
		t.Fatal(err)
	}
	a.Check(server.URL, new(pattern.Allowance))
	if got := requests.Load(); got != 0 {
		t.Errorf("%d requests reached the server, want none", got)
	}
}

func TestCheckDocumentConcurrent(t *testing.T) {
	t.Parallel()
	good, bad := tree(t, field(`"pattern":"^a"`)), tree(t, field(`"pattern":"("`))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				if got := assertion.CheckDocument(good); got != nil {
					t.Errorf("CheckDocument(good) = %v, want nil", got)
				}
				if got := assertion.CheckDocument(bad); len(got) != 1 {
					t.Errorf("CheckDocument(bad) = %v, want one fault", got)
				}
			}
		})
	}
	wg.Wait()
}

// TestMetaschemaKeywords holds the two lists of keywords together.
func TestMetaschemaKeywords(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("metaschema.json")
	if err != nil {
		t.Fatal(err)
	}
	members := tree(t, string(text)).(m)["$defs"].(m)["field"].(m)["properties"].(m)
	for _, name := range assertion.Keywords() {
		if _, ok := members[name]; !ok && name != "const" { // const may be anything
			t.Errorf("metaschema.json does not check %s", name)
		}
	}
}

var hugeExponent = regexp.MustCompile(`[eE][+-]?\d{5}`)

// parse parses a document, unless it has a number that callers refuse.
func parse(text string) (doc any, ok bool) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	err := dec.Decode(&doc)
	return doc, err == nil && !hugeExponent.MatchString(text)
}

// FuzzCheckDocument checks that no document makes it panic, and that Compile
// takes what it lets pass.
func FuzzCheckDocument(f *testing.F) {
	f.Add(`{"properties":{"a":{"type":"array","items":{"type":"string","pattern":"^a","minLength":5.0}}}}`)
	f.Add(`{"properties":{"a":null,"":{"type":5,"multipleOf":0,"$ref":"#","enum":[]}}}`)
	f.Add(`[null,{"properties":[]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		doc, ok := parse(text)
		if !ok {
			return
		}
		if assertion.CheckDocument(doc) != nil {
			return
		}
		for name, field := range assertion.Prune(doc).(m)["properties"].(m) {
			keywords := make(m)
			for keyword, v := range field.(m) {
				if assertion.IsKeyword(keyword) {
					keywords[keyword] = v
				}
			}
			if _, err := assertion.Compile(keywords, assertion.LatestRules); err != nil {
				t.Errorf("field %q: %v", name, err)
			}
		}
	})
}

func BenchmarkCheckDocument(b *testing.B) {
	doc := tree(b, `{"properties":{"a":{"type":"string","minLength":1},"b":{"type":"array","items":{"type":"integer","minimum":0}},
		"c":{"type":"object","properties":{"d":{"type":"string","pattern":"^a"}}}}}`)
	b.ReportAllocs()
	for b.Loop() {
		if got := assertion.CheckDocument(doc); got != nil {
			b.Fatal(got)
		}
	}
}

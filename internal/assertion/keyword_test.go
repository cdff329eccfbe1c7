package assertion_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/assertion"
)

// Each fault says what to write instead.
func TestKeywordFaults(t *testing.T) {
	t.Parallel()
	const none = "has no effect here: "
	root := func(member string) string { return `{"properties":{},` + member + `}` }
	a := func(fault string) string { return `["properties" "a" ` + fault }
	for _, tt := range []struct{ name, doc, want string }{
		{"root required", root(`"required":["a","b"]`), `["required"] keyword: ` + none + `write "required": true in the field "a", "b"`},
		{"root required boolean", root(`"required":true`), `["required"] keyword: ` + none + `write "required": true in each field that is required`},
		{"root required, many", root(`"required":[1,2,3,4,5,6]`), `["required"] keyword: ` + none + `write "required": true in each field that is required`},
		{"root required misspelt", root(`"requierd":["a"]`), `["requierd"] keyword: ` + none + `write "required": true in the field "a"`},
		{"root Required", root(`"Required":["a"]`), `["Required"] keyword: ` + none + `write "required": true in the field "a"`},
		{"root required empty", root(`"required":[]`), ""},
		{"root type", root(`"type":"object"`), ""},
		{"root type array", root(`"type":"array"`), `["type"] keyword: ` + none + `write "type" in a field`},
		{"root enum", root(`"enum":[{}]`), `["enum"] keyword: ` + none + `write "enum" in a field`},
		{"root minProperties", root(`"minProperties":1`), `["minProperties"] keyword: ` + none + `write "minProperties" in a field`},
		{"root items", root(`"items":{"type":"string"}`), `["items"] keyword: ` + none + `write "items" in a field`},
		{"root oneOf", root(`"oneOf":[]`), `["oneOf"] keyword: ` + none + `write one type, and list the values that are allowed in "enum"`},
		{"root misspelt", root(`"additionalproperties":false`), `["additionalproperties"] spelling: not a keyword, did you mean "additionalProperties"? A name that begins with "x-" is kept`},
		{"root annotations", root(`"title":"a","description":"b","default":{},"examples":[],"$comment":"c","$defs":{},"definitions":{},"x-required":["a"],"min_properties":3,"count":1`), ""},

		{"oneOf", field(`"oneOf":[]`), a(`"oneOf"] keyword: `) + none + `write one type, and list the values that are allowed in "enum"`},
		{"oneof", field(`"oneof":[]`), a(`"oneof"] keyword: `) + none + `write one type, and list the values that are allowed in "enum"`},
		{"not", field(`"not":{}`), a(`"not"] keyword: `) + none + `write what is allowed, with "enum" or "pattern"`},
		{"contains", field(`"contains":{}`), a(`"contains"] keyword: `) + none + `write what all items are in "items", and their number in "minItems"`},
		{"null", field(`"oneOf":null,"minlength":null`), ""},
		{"misspelt", field(`"minlenght":3`), a(`"minlenght"] spelling: not a keyword, did you mean "minLength"? A name that begins with "x-" is kept`)},
		{"in items", field(`"items":{"type":"string","MaxLength":3}`), `["properties" "a" "items" "MaxLength"] spelling: not a keyword, did you mean "maxLength"? A name that begins with "x-" is kept`},
		{"in members", field(`"properties":{"oneOf":{"type":"string","anyOf":[]}}`), `["properties" "a" "properties" "oneOf" "anyOf"] keyword: ` + none + `write one type, and list the values that are allowed in "enum"`},
		{"in no field", field(`"default":{"oneOf":1},"enum":[{"minlenght":1}],"examples":[{"not":1}],"const":{"if":1},"x-a":{"properties":{"b":{"oneOf":1}}}`), ""},
		{"names of fields", `{"properties":{"required":{"type":"string"},"oneOf":{"type":"string"},"minlenght":{"type":"string"}}}`, ""},
		{"beside a shape fault", `{"properties":{"a":{"type":5,"tpye":"string"},"b":null},"required":["a"]}`,
			`["properties" "a" "tpye"] spelling: not a keyword, did you mean "type"? A name that begins with "x-" is kept` + "\n" +
				`["properties" "a" "type"] type: string expected, got 5` + "\n" +
				`["properties" "b"] type: object expected, got null` + "\n" +
				`["required"] keyword: ` + none + `write "required": true in the field "a"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := list(assertion.CheckDocument(tree(t, tt.doc))); got != tt.want {
				t.Errorf("CheckDocument(%s)\n got %s\nwant %s", tt.doc, got, tt.want)
			}
		})
	}
}

// The names of one field and the rule of their faults, "" for names that are kept.
func TestKeywordNames(t *testing.T) {
	t.Parallel()
	for rule, names := range map[string]string{
		assertion.RuleKeyword: `allOf anyOf oneOf not if then else patternProperties propertyNames dependentRequired dependentSchemas
			dependencies unevaluatedProperties unevaluatedItems prefixItems additionalItems contains minContains maxContains
			divisibleBy disallow extends $recursiveRef AllOf ONEOF Not patternproperties`,
		assertion.RuleSpelling: `minlenght minlength MINLENGTH minLenght maxlenth MaxLength patern Pattern pattren minimun Maximum
			maxItem minitems uniqueItem exclusiveMinimun multipleof multiple Multipleof frmat formt Format enums Enum enun cosnt Const
			tpye Type typ types Required requierd require item Items itmes propertys Properties defualt Default
			additionalpropertie AdditionalProperties additionalPropertys minPropertys maxProperties1`,
		"": `must_contain min_length max_length min_items unique_items multiple_of exclusive_minimum additional_properties title description
			example $comment $defs definitions deprecated readOnly writeOnly nullable discriminator externalDocs xml contentMediaType contentEncoding contentSchema
			x-type x-minlength X-Minlength x- unit units label name order index indexed searchable filterable facet display hidden placeholder hint
			help icon group tags category source key id ref value values options choices language locale embedding dimensions model metric weight boost
			analyzer tokenizer mime_type content_type max_size size precision scale timezone currency cost count form host menu normal post style time
			times tone top primaryKey foreignKey unique nullable_ sensitive pii version since ui widget component min max minSize maxSize step`,
	} {
		for name := range strings.FieldsSeq(names) {
			faults := assertion.CheckDocument(m{"properties": m{"a": m{"type": "array", name: "x"}}})
			got := ""
			for _, f := range faults {
				if fmt.Sprint(f.Path) == fmt.Sprint([]any{"properties", "a", name}) {
					got = f.Rule
				}
			}
			if got != rule {
				t.Errorf("%s: got rule %q, want %q", name, got, rule)
			}
		}
	}
	for _, name := range assertion.Keywords() {
		if faults := assertion.CheckDocument(m{"properties": m{"a": m{"type": "string", name: nil}}}); faults != nil {
			t.Errorf("%s: got %v, want no faults", name, faults)
		}
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"min_length": `write "minLength"`, "MAX_ITEMS": `write "maxItems"`, "additional_properties": `write "additionalProperties"`,
		"must_contain": `write "pattern" if the values are strings`,
		"title":        "", "minLength": "", "mime_type": "", "x-min_length": "",
	} {
		instead, ok := assertion.Foreign(name)
		if instead != want || ok != (want != "") {
			t.Errorf("Foreign(%q) = %q, %t, want %q", name, instead, ok, want)
		}
	}
}

// A wire keeps an assertion without effect, except where a client relies on it.
func TestTolerable(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"oneOf": false, "anyof": false, "allOf": false, "not": false, "if": false, "then": false, "else": false, "required": false, "Requierd": false,
		"patternProperties": true, "dependentRequired": true, "contains": true, "minProperties": true, "$recursiveRef": true,
	} {
		if got := assertion.Tolerable(name); got != want {
			t.Errorf("Tolerable(%q) = %t, want %t", name, got, want)
		}
	}
}

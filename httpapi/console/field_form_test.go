package console

import (
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"testing"

	"github.com/bucketlite/bucketlite/internal/value"
)

// send returns the controls of a form of a schema as a browser sends them.
func (f schemaForm) send() url.Values {
	form := url.Values{"rows": {strconv.Itoa(f.Count())}, "rest": {f.Rest}}
	if f.Strict {
		form.Set("strict", "on")
	}
	for _, row := range f.Shown() {
		set := func(name, v string) { form.Set(fmt.Sprintf("f%d-%s", row.N, name), v) }
		for name, v := range map[string]string{
			"was": row.Was, "name": row.Name, "type": row.Type, "default": row.Default, "enum": row.Enum, "description": row.Description, "min": row.Min,
			"max": row.Max, "pattern": row.Pattern, "format": row.Format, "items": row.Items, "more": row.More, "index": row.Index,
		} {
			set(name, v)
		}
		if row.Required {
			set("required", "on")
		}
	}
	return form
}

// A schema that is shown as rows, and sent back, is the same schema.
func TestSchemaFormRoundTrip(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":                 `{"properties":{}}`,
		"all types":               `{"properties":{"a":{"type":"string"},"b":{"type":"number"},"c":{"type":"integer"},"d":{"type":"array"},"e":{"type":"object"},"f":{"type":"image"}}}`,
		"strict":                  `{"properties":{"a":{"type":"string"}},"additionalProperties":false}`,
		"open":                    `{"properties":{"a":{"type":"string"}},"additionalProperties":true}`,
		"further members":         `{"properties":{},"title":"Lamps","x-owner":{"team":["a"]}}`,
		"required":                `{"properties":{"a":{"type":"string","required":true}}}`,
		"defaults":                `{"properties":{"a":{"type":"string","default":"x y"},"b":{"type":"number","default":1.50},"c":{"type":"boolean","default":false},"d":{"type":"array","default":[1,"a"]},"e":{"type":"object","default":{"a":null}},"f":{"type":"date","default":"2026-01-02"}}}`,
		"defaults of spaces":      `{"properties":{"a":{"type":"string","default":" x "},"b":{"type":"string","default":""},"c":{"type":"string","default":"a\nb"}}}`,
		"defaults that are wrong": `{"properties":{"a":{"type":"string","default":5},"b":{"type":"integer","default":"5"},"c":{"type":"integer","default":"x"}}}`,
		"enums":                   `{"properties":{"a":{"type":"string","enum":["x","y z","ü"]},"b":{"type":"integer","enum":[1,2.0]},"c":{"type":"string","enum":["a\nb",""]},"d":{"type":"string","enum":[]},"e":{"type":"number","enum":["1"]}}}`,
		"limits":                  `{"properties":{"a":{"type":"string","minLength":1,"maxLength":5},"b":{"type":"number","minimum":-1.5,"maximum":1e3},"c":{"type":"array","minItems":1,"maxItems":2},"d":{"type":"object","minProperties":0,"maxProperties":9}}}`,
		"limits of others":        `{"properties":{"a":{"type":"string","minimum":1},"b":{"type":"number","minLength":2},"c":{"type":"string","minLength":"1"}}}`,
		"texts":                   `{"properties":{"a":{"type":"string","pattern":"^[a-z]+$","format":"email","description":"<b>\"x\"</b>"},"b":{"type":"string","description":"two\nlines","pattern":" "}}}`,
		"items":                   `{"properties":{"a":{"type":"array","items":{"type":"string"}},"b":{"type":"array","items":{"type":"integer","minimum":0}},"c":{"type":"array","items":{"type":"array","items":{"type":"image"}}}}}`,
		"nested":                  `{"properties":{"a":{"type":"object","properties":{"b":{"type":"object","properties":{"c":{"type":"string","required":true}}}},"additionalProperties":false}}}`,
		"other keywords":          `{"properties":{"a":{"type":"number","multipleOf":0.5,"exclusiveMinimum":1,"examples":[1.5],"const":3,"x-unit":"mm"}}}`,
		"odd names":               `{"properties":{"a b":{"type":"string"},"d[0]":{"type":"string"},"\"":{"type":"string"},"<script>":{"type":"string"}}}`,
		"big numbers":             `{"properties":{"a":{"type":"integer","default":9007199254740993},"b":{"type":"number","maximum":123456789012345678901234567890}}}`,
		"wrong kinds":             `{"properties":{"a":{"type":5,"required":"yes","enum":"x","items":"y","description":{}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := value.Parse([]byte(text), value.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			f := newSchemaForm(v.(map[string]any))
			got, sent := givenSchema(f.send())
			if want := string(value.Append(nil, v)); sent != want {
				t.Errorf("got %s, want %s", sent, want)
			}
			if got.JSON != f.JSON || got.Sum != f.Sum || got.isWrong() {
				t.Errorf("got JSON %s, faults %v, want %s", got.JSON, got.Wrong, f.JSON)
			}
			got.Wrong = nil
			if !reflect.DeepEqual(got, f) {
				t.Errorf("got form %+v, want %+v", got, f)
			}
		})
	}
}

// Retention in a form is the same retention.
func TestRetentionFormRoundTrip(t *testing.T) {
	t.Parallel()
	for _, f := range []retentionForm{
		{AgeUnit: "d", BytesUnit: "gib"},
		{Age: "7", AgeUnit: "d", Objects: "1000", Bytes: "3", BytesUnit: "mib"},
		{Age: "90", AgeUnit: "m", BytesUnit: "b", Bytes: "1025"},
		{Age: "1.5", AgeUnit: "s", BytesUnit: "gib"},
	} {
		wrong := make(wrongs)
		if got := newRetentionForm(f.parse(wrong)); got != f || len(wrong) > 0 {
			t.Errorf("got %+v, %v, want %+v", got, wrong, f)
		}
	}
}

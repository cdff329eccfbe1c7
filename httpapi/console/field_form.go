package console

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A fieldForm is a field of a schema as a row of a form has it. More is JSON with the
// members that the row has no control for, so that no member gets lost.
type fieldForm struct {
	N        int    // of the row, from 0
	Was      string // the name of the field in force; empty for a new one
	Name     string
	Type     string
	Required bool
	Key      bool   // part of the unique key
	Index    string // value, text, both or empty

	Default, Enum, Description string
	Min, Max, Pattern, Format  string
	Items, More                string

	Found []string // what an inference found out
	Some  []string // few values that it found, as lines
	Wrong []string // what is wrong with the field
}

// fieldTypes are the types, in the order of a select.
var fieldTypes = []bucketlite.FieldType{
	bucketlite.String, bucketlite.Integer, bucketlite.Number, bucketlite.Float, bucketlite.Boolean, bucketlite.Date, bucketlite.DateTime,
	bucketlite.Array, bucketlite.ObjectField,
	bucketlite.Image, bucketlite.Video, bucketlite.Audio, bucketlite.Text, bucketlite.PDF, bucketlite.Excel, bucketlite.Document, bucketlite.File,
}

// typeChoices are the options of a select of types. A type that does not exist is among
// them if it is chosen, so that the fault in it can be shown.
func typeChoices(chosen string, none string) []choice {
	list := []choice{{"", none, chosen == ""}}
	known := chosen == ""
	for _, t := range fieldTypes {
		list = append(list, choice{string(t), string(t), chosen == string(t)})
		known = known || chosen == string(t)
	}
	if !known {
		list = append(list, choice{chosen, chosen, true})
	}
	return list
}

// Types, ItemTypes and Indexes are the options of the row's selects.
func (f *fieldForm) Types() []choice     { return typeChoices(f.Type, "choose") }
func (f *fieldForm) ItemTypes() []choice { return typeChoices(f.Items, "any values") }
func (f *fieldForm) Indexes() []choice {
	return choices(f.Index, "", "none", "value", "of its values", "text", "of its words", "both", "of both")
}

// IsDetailed reports whether the row has more than what is always in sight.
func (f *fieldForm) IsDetailed() bool {
	return f.Default+f.Enum+f.Description+f.Min+f.Max+f.Pattern+f.Format+f.Items+f.More+f.Index != ""
}

// Summary names what the row has out of sight.
func (f *fieldForm) Summary() string {
	var names []string
	for _, control := range []struct{ text, name string }{
		{f.Description, "description"}, {f.Default, "default"}, {f.Enum, "allowed values"}, {f.Index, "index"}, {f.Min, "smallest"}, {f.Max, "largest"},
		{f.Pattern, "pattern"}, {f.Format, "format"}, {f.Items, "items"}, {f.More, "JSON"},
	} {
		if control.text != "" {
			names = append(names, control.name)
		}
	}
	return strings.Join(names, ", ")
}

// isBlank reports whether nobody has filled in the row.
func (f *fieldForm) isBlank() bool { return f.Name == "" && f.Type == "" && !f.IsDetailed() }

// holdsText reports whether the values of a type are texts, which a control has without
// quotes.
func holdsText(fieldType string) bool {
	switch bucketlite.FieldType(fieldType) {
	case bucketlite.Integer, bucketlite.Number, bucketlite.Float, bucketlite.Boolean, bucketlite.Array, bucketlite.ObjectField:
		return false
	}
	return true
}

// limitsOf returns the keywords of the smallest and the largest value of a type.
func limitsOf(fieldType string) (least, most string) {
	switch bucketlite.FieldType(fieldType) {
	case bucketlite.String, bucketlite.Text:
		return "minLength", "maxLength"
	case bucketlite.Array:
		return "minItems", "maxItems"
	case bucketlite.ObjectField:
		return "minProperties", "maxProperties"
	}
	return "minimum", "maximum"
}

// formText returns a value as a control has it. It reports false if the control would
// change it.
func formText(fieldType string, v any) (text string, ok bool) {
	if holdsText(fieldType) {
		text, ok = v.(string)
		return text, ok && text != "" && text == strings.TrimSpace(text) && !strings.ContainsAny(text, "\r\n")
	}
	return string(value.Append(nil, v)), v != nil
}

// parseText is the inverse of formText. A text that is no value of the type is that text:
// the schema's validation then says what was expected.
func parseText(fieldType, text string) any {
	text = strings.TrimSpace(text)
	if holdsText(fieldType) {
		return text
	}
	return parseOr(text)
}

// parseOr returns the JSON value that a text is, or else the text.
func parseOr(text string) any {
	v, err := value.Parse([]byte(strings.TrimSpace(text)), value.Limits{})
	if err != nil {
		return text
	}
	return v
}

// newFieldForm returns the row of a field in its JSON form.
func newFieldForm(name string, doc map[string]any) fieldForm {
	f := fieldForm{Name: name}
	f.Type, _ = doc["type"].(string)
	more := make(map[string]any)
	for member, v := range doc {
		if v != nil && !f.take(member, v) {
			more[member] = v
		}
	}
	if len(more) > 0 {
		f.More = compact(more)
	}
	return f
}

// take sets the control of a member of a field. It reports false if there is none, or none
// that would keep the value.
func (f *fieldForm) take(member string, v any) (ok bool) {
	line := func(to *string) bool {
		text, ok := formText("string", v)
		if ok {
			*to = text
		}
		return ok
	}
	limit := func(to *string) bool {
		_, ok := v.(string)
		if ok {
			return false
		}
		*to = string(value.Append(nil, v))
		return true
	}
	least, most := limitsOf(f.Type)
	switch member {
	case "type":
		_, ok = v.(string)
		return ok
	case "required":
		f.Required, ok = v.(bool)
		return ok
	case "default":
		var text string
		if text, ok = formText(f.Type, v); ok {
			f.Default = text
		}
		return ok
	case "enum":
		return f.takeEnum(v)
	case "description":
		return line(&f.Description)
	case "pattern":
		return line(&f.Pattern)
	case "format":
		return line(&f.Format)
	case least:
		return limit(&f.Min)
	case most:
		return limit(&f.Max)
	case "items":
		items, _ := v.(map[string]any)
		if name, ok := items["type"].(string); ok && len(items) == 1 && name != "" {
			f.Items = name
			return true
		}
	}
	return false
}

func (f *fieldForm) takeEnum(v any) bool {
	list, ok := v.([]any)
	lines := make([]string, len(list))
	for i, item := range list {
		text, fits := formText(f.Type, item)
		lines[i], ok = text, ok && fits
	}
	if ok && len(list) > 0 {
		f.Enum = strings.Join(lines, "\n")
		return true
	}
	return false
}

// document returns the JSON form of the row's field, and what is wrong with the row apart
// from that form.
func (f *fieldForm) document() map[string]any {
	doc, wrong := parseObject(f.More)
	if wrong != "" {
		f.Wrong = append(f.Wrong, "More as JSON: "+wrong)
		doc = make(map[string]any)
	}
	set := func(member, text string, v func(string) any) {
		if text = strings.TrimSpace(text); text != "" {
			doc[member] = v(text)
		}
	}
	asText := func(text string) any { return text }
	if f.Type != "" {
		doc["type"] = f.Type
	}
	if f.Required {
		doc["required"] = true
	}
	least, most := limitsOf(f.Type)
	set("default", f.Default, func(text string) any { return parseText(f.Type, text) })
	set("enum", f.Enum, func(text string) any {
		var list []any
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				list = append(list, parseText(f.Type, line))
			}
		}
		return list
	})
	set("description", f.Description, asText)
	set("pattern", f.Pattern, asText)
	set("format", f.Format, asText)
	set(least, f.Min, parseOr)
	set(most, f.Max, parseOr)
	set("items", f.Items, func(text string) any { return map[string]any{"type": text} })
	return doc
}

// givenField reads the controls of row n.
func givenField(form url.Values, n int) fieldForm {
	at := func(name string) string { return form.Get("f" + strconv.Itoa(n) + "-" + name) }
	return fieldForm{
		N: n, Was: at("was"), Name: strings.TrimSpace(at("name")), Type: at("type"), Required: at("required") != "", Key: at("key") != "", Index: at("index"),
		Default: at("default"), Enum: strings.ReplaceAll(at("enum"), "\r\n", "\n"), Description: at("description"),
		Min: at("min"), Max: at("max"), Pattern: at("pattern"), Format: at("format"), Items: at("items"), More: at("more"),
	}
}

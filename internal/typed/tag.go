package typed

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/assertion"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A tag holds the words of a tag named bucketlite, such as
//
//	required,enum=S|M|L,default=M
//
// A word with a comma, a bar or a quotation mark in its value has it in single quotes,
// and a quotation mark within those is written twice.
type tag struct {
	required    bool
	is          string // the type of the field
	description string
	enum        []string
	fallback    *string
	keywords    []keyword
}

// A keyword is an assertion of JSON Schema with the text of its value.
type keyword struct {
	name, text string
	bare       bool // without a value
}

// short are the names of keywords that tags may use in place of those of JSON Schema.
var short = map[string]string{"min": "minimum", "max": "maximum", "minlen": "minLength", "maxlen": "maxLength"}

// tag reads a tag.
func (b *builder) tag(field, text string) (t tag) {
	if text == "" {
		return t
	}
	words, ok := split(text, ',')
	if !ok {
		b.fault(field, ruleTag, "a single quote is not closed in the tag %q", text)
		return t
	}
	seen := make(map[string]bool)
	for _, word := range words {
		name, v, hasValue := strings.Cut(strings.TrimSpace(word), "=")
		if long, ok := short[name]; ok {
			name = long
		}
		if seen[name] {
			b.fault(field, ruleTag, "%q is in the tag twice", name)
			continue
		}
		seen[name] = true
		if problem := t.take(name, v, hasValue); problem != "" {
			b.fault(field, ruleTag, "%s", problem)
		}
	}
	return t
}

// take adds a word to the tag. It returns what is wrong with it, or "".
func (t *tag) take(name, v string, hasValue bool) (problem string) {
	isKeyword := assertion.IsKeyword(name)
	switch name {
	case "required":
		if t.required = true; hasValue {
			return `"required" takes no value`
		}
		return ""
	case "type", "description", "enum", "default":
	default:
		if !isKeyword {
			return "unknown word " + value.Show(name) + " in the tag: want one of " + words()
		}
	}
	if !hasValue && name != "uniqueItems" {
		return value.Show(name) + " expects a value, as in " + name + "=…"
	}
	switch name {
	case "type":
		if t.is = unquote(v); !slices.Contains(schema.Types(), t.is) {
			return "unknown type " + value.Show(t.is) + ", want one of " + strings.Join(schema.Types(), ", ")
		}
	case "description":
		t.description = unquote(v)
	case "enum":
		parts, _ := split(v, '|')
		for _, part := range parts {
			t.enum = append(t.enum, unquote(part))
		}
	case "default":
		text := unquote(v)
		t.fallback = &text
	default:
		t.keywords = append(t.keywords, keyword{name, unquote(v), !hasValue})
	}
	return ""
}

// words lists the words of tags.
func words() string {
	names := []string{"required", "type", "enum", "default", "description"}
	names = slices.AppendSeq(names, slices.Values(slices.Sorted(maps.Keys(short))))
	return strings.Join(append(names, assertion.Keywords()...), ", ")
}

// split splits s at a separator outside single quotes. It reports false if a quote is not
// closed.
func split(s string, separator byte) (parts []string, ok bool) {
	quoted, start := false, 0
	for i := range len(s) {
		switch {
		case s[i] == '\'':
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts, start = append(parts, s[start:i]), i+1
		}
	}
	return append(parts, s[start:]), !quoted
}

// unquote returns the text of a value that may be in single quotes.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return s
	}
	return strings.ReplaceAll(s[1:len(s)-1], "''", "'")
}

// applies are the types of fields to which an assertion keyword applies; const applies to
// all.
var applies = map[string][]string{
	"minLength": texts, "maxLength": texts, "pattern": texts, "format": texts,
	"minimum": numbers, "maximum": numbers, "exclusiveMinimum": numbers, "exclusiveMaximum": numbers, "multipleOf": numbers,
	"minItems": lists, "maxItems": lists, "uniqueItems": lists,
	"minProperties": objects, "maxProperties": objects,
}

var (
	texts   = []string{schema.String, schema.Text, schema.Date, schema.DateTime}
	numbers = []string{schema.Integer, schema.Number, schema.Float}
	lists   = []string{schema.Array}
	objects = []string{schema.Object}
)

// value returns the JSON value that a text in a tag stands for, in a field of a type.
func tagValue(text, fieldType string) (any, error) {
	switch fieldType {
	case schema.String, schema.Text, schema.Date, schema.DateTime:
		return text, nil
	}
	v, err := value.Parse([]byte(text), schema.Limits)
	if err != nil {
		return nil, fmt.Errorf("%s expected, got %s", article(fieldType), value.Show(text))
	}
	return v, nil
}

// article returns a type with its article.
func article(t string) string {
	if t == "" {
		return "a JSON value"
	}
	if strings.ContainsRune("aeio", rune(t[0])) {
		return "an " + t
	}
	return "a " + t
}

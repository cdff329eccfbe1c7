package httpapi

import (
	"encoding/json"
	"html/template"
	"regexp"
	"strings"

	"github.com/bucketlite/bucketlite/internal/sample"
)

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	strong   = regexp.MustCompile(`\*\*([^*]+)\*\*`)
)

// inline returns a text with its `code` and **strong** words marked up.
func inline(text string) template.HTML {
	text = template.HTMLEscapeString(text)
	text = codeSpan.ReplaceAllString(text, "<code>$1</code>")
	return template.HTML(strong.ReplaceAllString(text, "<strong>$1</strong>"))
}

// prose returns a text as paragraphs.
func prose(text string) template.HTML {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		b.WriteString("<p>" + string(inline(paragraph)) + "</p>\n")
	}
	return template.HTML(b.String())
}

// typeOf returns the kind of a schema's values, with links to the schemas it refers to.
func typeOf(s schema) template.HTML {
	var kinds []string
	switch {
	case s.Ref != "":
		name := template.HTMLEscapeString(nameOf(s.Ref))
		return template.HTML(`<a href="#schema-` + name + `">` + name + `</a>`)
	case len(s.AnyOf) > 0:
		for _, one := range s.AnyOf {
			kinds = append(kinds, string(typeOf(one)))
		}
	case len(s.AllOf) == 1:
		return typeOf(s.AllOf[0])
	case len(s.Type) == 0:
		return "any value"
	}
	for _, name := range s.Type {
		of, isSchema := additional(s)
		switch {
		case name == "array" && s.Items != nil:
			kinds = append(kinds, "list of "+string(typeOf(*s.Items)))
		case name == "object" && isSchema:
			kinds = append(kinds, "object of "+string(typeOf(of)))
		default:
			kinds = append(kinds, template.HTMLEscapeString(name))
		}
	}
	return template.HTML(strings.Join(kinds, " or "))
}

// additional returns the schema of the members that are not named, if there is one.
func additional(s schema) (of schema, ok bool) {
	ok = len(s.AdditionalProperties) > 0 && s.AdditionalProperties[0] == '{' && json.Unmarshal(s.AdditionalProperties, &of) == nil
	return of, ok
}

// notesOf returns the bounds of a schema's values, for people.
func notesOf(s schema) (notes []template.HTML) {
	code := func(v any) string {
		text, ok := v.(string)
		if !ok {
			b, _ := json.Marshal(v) // it came from JSON
			text = string(b)
		}
		return "<code>" + template.HTMLEscapeString(text) + "</code>"
	}
	note := func(text string) { notes = append(notes, template.HTML(text)) }
	if len(s.Enum) > 0 {
		var values []string
		for _, v := range s.Enum {
			if v != nil {
				values = append(values, code(v))
			}
		}
		note("one of " + strings.Join(values, " "))
	}
	if s.Const != nil {
		note("always " + code(s.Const))
	}
	if s.Format != "" {
		note(template.HTMLEscapeString(s.Format))
	}
	between := func(least, most *json.Number, what string) {
		switch {
		case least != nil && most != nil:
			note(least.String() + " to " + most.String() + what)
		case least != nil && least.String() == "1" && what != "":
			note("not empty")
		case least != nil && least.String() != "0":
			note(least.String() + what + " or more")
		case most != nil:
			note(most.String() + what + " at most")
		}
	}
	between(s.Minimum, s.Maximum, "")
	between(s.MinLength, s.MaxLength, " characters")
	between(s.MinItems, s.MaxItems, " items")
	if s.Pattern != "" {
		note("matches " + code(s.Pattern))
	}
	if s.Default != nil {
		note("default " + code(s.Default))
	}
	return notes
}

// pretty returns an example as it is best read.
func pretty(example json.RawMessage) string {
	var text string
	if json.Unmarshal(example, &text) == nil {
		return text
	}
	return sample.JSON(example)
}

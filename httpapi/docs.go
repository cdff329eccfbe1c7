package httpapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// docsHTML is the template of the page that shows the document.
//
//go:embed docs.html
var docsHTML string

// docs writes the page.
func (c *call) docs() (any, error) {
	p, err := docsPage()
	if err != nil {
		return nil, err
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(p.text)))
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	c.w.WriteHeader(http.StatusOK)
	c.w.Write(p.text) // if it fails the client is gone
	return written{}, nil
}

// A rendering is the text of a page, and its Content-Security-Policy.
type rendering struct {
	text   []byte
	policy string
}

// docsPage is the page, which is the same for every handler. It is made when it is
// first asked for, since most programs that have a handler never are.
var docsPage = sync.OnceValues(func() (*rendering, error) {
	var doc document
	if err := json.Unmarshal(openAPIJSON, &doc); err != nil {
		return nil, fmt.Errorf("httpapi: openapi.json: %w", err)
	}
	t, err := template.New("docs").Funcs(template.FuncMap{
		"prose":  prose,
		"inline": inline,
		"type":   typeOf,
		"notes":  notesOf,
		"pretty": pretty,
		"has":    slices.Contains[[]string],
		"upper":  strings.ToUpper,
	}).Parse(docsHTML)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, &doc); err != nil {
		return nil, err
	}
	// The page needs nothing but its own style, and the policy names that by its hash.
	text := b.Bytes()
	_, style, _ := bytes.Cut(text, []byte("<style>"))
	style, _, _ = bytes.Cut(style, []byte("</style>"))
	hash := sha256.Sum256(style)
	return &rendering{text, "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}, nil
})

// A document is the part of the OpenAPI document that the page shows. Members keep its order.
type document struct {
	Info struct {
		Title, Version, Summary, Description string
	}
	Tags []struct {
		Name, Description string
	}
	Paths      ordered[ordered[operation]]
	Components struct {
		Responses ordered[response]
		Schemas   ordered[schema]
	}
}

// ordered are the members of a JSON object in order.
type ordered[T any] []member[T]

type member[T any] struct {
	Name  string
	Value T
}

// UnmarshalJSON reads an object.
func (o *ordered[T]) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		m := member[T]{Name: fmt.Sprint(name)}
		if err := d.Decode(&m.Value); err != nil {
			return err
		}
		*o = append(*o, m)
	}
	return nil
}

// find returns the member that a reference names.
func (o ordered[T]) find(ref string) (v T) {
	name := nameOf(ref)
	for _, m := range o {
		if m.Name == name {
			return m.Value
		}
	}
	return v
}

// nameOf returns the last part of a reference.
func nameOf(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

type operation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Extension                         bool `json:"x-extension"`
	Parameters                        []parameter
	RequestBody                       *struct {
		Required bool
		Content  ordered[media]
	}
	Responses ordered[response]
	Security  *[]any
}

// Open reports whether the operation needs no key.
func (o operation) Open() bool { return o.Security != nil && len(*o.Security) == 0 }

// Errors returns the statuses of the errors it shares with others.
func (o operation) Errors() (statuses []string) {
	for _, r := range o.Responses {
		if r.Value.Ref != "" {
			statuses = append(statuses, r.Name)
		}
	}
	return statuses
}

type parameter struct {
	Name, In    string
	Required    bool
	Description string
	Extension   bool `json:"x-extension"`
	Schema      schema
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Content     ordered[media]
}

type media struct {
	Schema  *schema
	Data    *schema `json:"x-data-schema"`
	Example json.RawMessage
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 oneOrMore
	Description          string
	Extension            bool `json:"x-extension"`
	Required             []string
	Properties           ordered[schema]
	AdditionalProperties json.RawMessage
	Items                *schema
	AnyOf                []schema
	Enum                 []any
	Const, Default       json.RawMessage
	Format, Pattern      string
	Minimum, Maximum     *json.Number
	MinLength, MaxLength *json.Number
	MinItems, MaxItems   *json.Number
}

// oneOrMore are strings, of which a single one need not stand in a list.
type oneOrMore []string

// UnmarshalJSON reads a string or a list of strings.
func (o *oneOrMore) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*o = make(oneOrMore, 1)
		return json.Unmarshal(data, &(*o)[0])
	}
	return json.Unmarshal(data, (*[]string)(o))
}

// A chapter is a tag with its operations.
type chapter struct {
	Name, Description string
	Operations        []entry
}

// ID returns the name as part of an address.
func (c chapter) ID() string { return "tag-" + strings.ReplaceAll(strings.ToLower(c.Name), " ", "-") }

// An entry is an operation where it stands.
type entry struct {
	Method, Path string
	operation
}

// Chapters returns the operations by tag.
func (d *document) Chapters() []chapter {
	var chapters []chapter
	for _, tag := range d.Tags {
		c := chapter{Name: tag.Name, Description: tag.Description}
		for _, path := range d.Paths {
			for _, op := range path.Value {
				if slices.Contains(op.Value.Tags, tag.Name) {
					c.Operations = append(c.Operations, entry{op.Name, path.Name, op.Value})
				}
			}
		}
		chapters = append(chapters, c)
	}
	return chapters
}

// Errors returns the errors that operations share, by status.
func (d *document) Errors() (errors ordered[response]) {
	for _, path := range d.Paths {
		for _, op := range path.Value {
			for _, r := range op.Value.Responses {
				known := slices.ContainsFunc(errors, func(e member[response]) bool { return e.Name == r.Name })
				if r.Value.Ref != "" && !known {
					errors = append(errors, member[response]{r.Name, d.Components.Responses.find(r.Value.Ref)})
				}
			}
		}
	}
	slices.SortFunc(errors, func(a, b member[response]) int { return strings.Compare(a.Name, b.Name) })
	return errors
}

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
	var b bytes.Buffer
	if json.Indent(&b, example, "", "  ") != nil {
		return string(example)
	}
	return b.String()
}

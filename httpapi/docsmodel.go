package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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

	alone map[string]bool // the names of the schemas that only one operation has
	shown map[string]bool // the references to schemas whose members an answer has shown
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

// nameOf returns the last part of a reference, which is empty without one.
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
	AnyOf, AllOf         []schema
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

// pattern returns the pattern of the operation's route, without names.
func (e entry) pattern() string { return unnamed(strings.ToUpper(e.Method) + " " + e.Path) }

// unnamed returns a pattern without the names of its parameters.
func unnamed(pattern string) string {
	return placeholders.ReplaceAllString(strings.TrimSuffix(pattern, "{$}"), "{}")
}

var placeholders = regexp.MustCompile(`\{[^}]*\}`)

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

// An example is what an answer with a status may be.
type example struct {
	Status string
	Text   json.RawMessage
}

// answer returns an example of an operation's answer, or nil. It may be that of another
// operation whose answer has the same schema.
func (d *document) answer(e entry) *example {
	for _, r := range e.Responses {
		for _, m := range r.Value.Content {
			if m.Value.Example != nil {
				return &example{r.Name, m.Value.Example}
			}
			if m.Value.Schema == nil || m.Value.Schema.Ref == "" {
				continue
			}
			if text := d.exampleOf(m.Value.Schema.Ref); text != nil {
				return &example{r.Name, text}
			}
		}
	}
	return nil
}

// exampleOf returns an example of an answer with a schema.
func (d *document) exampleOf(ref string) json.RawMessage {
	for _, path := range d.Paths {
		for _, op := range path.Value {
			for _, r := range op.Value.Responses {
				for _, m := range r.Value.Content {
					if m.Value.Schema != nil && m.Value.Schema.Ref == ref && m.Value.Example != nil {
						return m.Value.Example
					}
				}
			}
		}
	}
	return nil
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

// A field is a member of a body, with the members below it.
type field struct {
	Name        string
	Kind        template.HTML
	Required    bool
	Extension   bool
	Description string
	Notes       []template.HTML
	Fields      []field
}

// members returns the members that a schema itself has.
func (d *document) members(s schema) []field {
	if len(s.Properties) == 0 {
		return nil
	}
	return d.fields(s, nil)
}

// Shared returns the schemas that have an entry of their own, which are those that more
// than one operation or schema refers to.
func (d *document) Shared() (shared ordered[schema]) {
	for _, m := range d.Components.Schemas {
		if !d.alone[m.Name] {
			shared = append(shared, m)
		}
	}
	return shared
}

// findAlone finds the schemas with members that stand in the document once, as a body.
func (d *document) findAlone(text []byte) {
	d.alone = make(map[string]bool)
	for _, path := range d.Paths {
		for _, op := range path.Value {
			for _, s := range op.Value.bodies() {
				if bytes.Count(text, []byte(strconv.Quote(s.Ref))) == 1 && len(d.Components.Schemas.find(s.Ref).Properties) > 0 {
					d.alone[nameOf(s.Ref)] = true
				}
			}
		}
	}
}

// bodies returns the schemas of the request and of the answers.
func (o operation) bodies() (schemas []*schema) {
	add := func(content ordered[media]) {
		for _, m := range content {
			if m.Value.Schema != nil {
				schemas = append(schemas, m.Value.Schema)
			}
		}
	}
	if o.RequestBody != nil {
		add(o.RequestBody.Content)
	}
	for _, r := range o.Responses {
		add(r.Value.Content)
	}
	return schemas
}

// entryOf returns the name and the description of a body's schema if they stand with the
// operation alone.
func (d *document) entryOf(s schema) *member[schema] {
	name := nameOf(s.Ref)
	if !d.alone[name] {
		return nil
	}
	return &member[schema]{name, d.Components.Schemas.find(s.Ref)}
}

// bodyFields returns the members of a request's objects, and the members of these.
func (d *document) bodyFields(s *schema) []field {
	if s == nil { // bytes of any kind
		return nil
	}
	return d.fields(*s, func(string) bool { return true })
}

// answerFields returns the members of an answer's objects. Their members are with them
// the first time that their schema is shown; after that the link to it has to do, so that
// the page does not have those of a page of results twenty times.
func (d *document) answerFields(s *schema) []field {
	if s == nil {
		return nil
	}
	d.shown[s.Ref] = true
	return d.fields(*s, func(ref string) bool {
		first := !d.shown[ref]
		d.shown[ref] = ref != ""
		return first
	})
}

// fields returns the members of a schema's objects. If below returns true for the schema
// of a member, which is empty for one without a name, it has its own members.
func (d *document) fields(s schema, below func(ref string) bool) (fields []field) {
	s, _ = d.object(s)
	for _, p := range s.Properties {
		f := field{
			Name: p.Name, Kind: typeOf(p.Value), Required: slices.Contains(s.Required, p.Name),
			Extension: p.Value.Extension, Description: p.Value.Description, Notes: notesOf(p.Value),
		}
		if of, ref := d.object(p.Value); below != nil && len(of.Properties) > 0 && below(ref) {
			f.Fields = d.fields(of, nil)
		}
		fields = append(fields, f)
	}
	return fields
}

// object returns the schema of the objects that a schema is about, and the reference to
// it: its own, those of a list or map, or those of the one alternative that is not null.
func (d *document) object(s schema) (of schema, ref string) {
	extra, isSchema := additional(s)
	var some []schema
	for _, one := range s.AnyOf {
		if !slices.Equal(one.Type, oneOrMore{"null"}) {
			some = append(some, one)
		}
	}
	switch {
	case s.Ref != "":
		of, _ = d.object(d.Components.Schemas.find(s.Ref))
		return of, s.Ref
	case len(s.Properties) > 0:
	case len(s.AllOf) == 1:
		return d.object(s.AllOf[0])
	case len(some) == 1:
		return d.object(some[0])
	case s.Items != nil:
		return d.object(*s.Items)
	case isSchema:
		return d.object(extra)
	}
	return s, ""
}

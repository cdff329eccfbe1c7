package console

import (
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite"
)

// objectForm is a form for the fields of an object: an input for each declared field, and
// JSON for the others; or, if AsJSON is set, JSON for all.
type objectForm struct {
	Object *bucketlite.Object // as it is stored; nil for a new one
	Title  string
	AsJSON bool

	ID, KeyPrefix string // of a new object
	Fields        []formField
	Files         []fileField
	Open          bool   // fields that are not declared are allowed
	Other         string // those, as a JSON object
	others        map[string]any
	OtherWrong    string
	Text          string // all fields, as a JSON object
	TextWrong     string

	// Version and Base are the state that the user has seen. Only the difference to it is
	// stored, so what others have changed meanwhile stays.
	Version int64
	Base    string

	Fault *fault
}

// A formField is one input.
type formField struct {
	Control     string // text, lines, number, choice, date or json
	ID, Name    string // of the input; the name of the field is in Field
	Field       string
	Description string
	Type        string
	Required    bool
	InKey       bool
	Hint        string
	Value       string
	Choices     []choice
	Wrong       string
}

// A fileField is an input for files.
type fileField struct {
	ID, Name, Field string
	Description     string
	Type            string
	Required, Many  bool
	Accept          string // what a browser offers to choose
	Stored          []bucketlite.Blob
	Wrong           string
}

// The beginnings of the names of inputs, before the name of the field.
const (
	inputPrefix  = "f."
	filePrefix   = "file."
	removePrefix = "remove."
)

// inputName returns the name of a field's input. It is escaped, since browsers write quotes
// and line ends in the names of a form with files in a way that cannot be undone.
func inputName(prefix, field string) string { return prefix + url.QueryEscape(field) }

// fieldOf returns the field whose input has a name, and reports whether the name begins
// with the prefix.
func fieldOf(prefix, input string) (field string, ok bool) {
	escaped, ok := strings.CutPrefix(input, prefix)
	if !ok {
		return "", false
	}
	field, err := url.QueryUnescape(escaped)
	return field, err == nil
}

// RemoveName is the name of the box that removes the files of the field.
func (f fileField) RemoveName() string { return inputName(removePrefix, f.Field) }

// newObjectForm returns the form of fields as they are stored.
func (q *request) newObjectForm(o *bucketlite.Object, fields map[string]any) *objectForm {
	f := &objectForm{Object: o, Title: "New object", Open: isOpen(q.info.Schema), Text: indented(fields), Base: compact(fields)}
	if o != nil {
		f.Title, f.Version = q.titleOf(o), o.Version
	}
	other := make(map[string]any)
	for name, v := range fields {
		if _, ok := q.info.Schema.Properties[name]; !ok {
			other[name] = v
		}
	}
	if len(other) > 0 {
		f.Other, f.Open = indented(other), true
	}
	for i, name := range q.declared() {
		p := q.info.Schema.Properties[name]
		file := newFileField(i, name, p, o)
		if holdsFiles(p) && (p.Type != bucketlite.Text || len(file.Stored) > 0) { // a text may be either
			f.Files = append(f.Files, file)
			continue
		}
		v, ok := fields[name]
		if !ok && o == nil {
			v = p.Default
		}
		field := newFormField(i, name, p, v)
		field.InKey = q.inKey(name)
		field.Required = field.Required || field.InKey
		f.Fields = append(f.Fields, field)
	}
	return f
}

// isOpen reports whether objects may have fields that a schema does not declare.
func isOpen(s bucketlite.Schema) bool {
	return s.AdditionalProperties == nil || *s.AdditionalProperties
}

func newFormField(i int, name string, p bucketlite.Field, v any) formField {
	f := formField{
		ID: "field-" + strconv.Itoa(i), Name: inputName(inputPrefix, name), Field: name, Description: p.Description, Type: string(p.Type), Required: p.Required,
		Control: "text", Value: plainValue(v),
	}
	switch p.Type {
	case bucketlite.Number, bucketlite.Float, bucketlite.Integer:
		f.Control = "number"
	case bucketlite.Boolean:
		f.Control, f.Choices = "choice", choices(f.Value, "", "", "true", "true", "false", "false")
	case bucketlite.Date:
		f.Control = "date"
	case bucketlite.DateTime:
		f.Hint = "As in 2026-01-31T12:00:00Z."
	case bucketlite.Array, bucketlite.ObjectField:
		f.Control, f.Hint = "json", "JSON."
	case bucketlite.Text:
		f.Control = "lines"
	case bucketlite.String:
		if strings.ContainsAny(f.Value, "\r\n") || len(f.Value) > 80 { // other inputs have one line
			f.Control = "lines"
		}
	}
	if len(p.Enum) > 0 && f.Control != "json" {
		f.Control, f.Choices = "choice", []choice{{Chosen: v == nil}}
		for _, option := range p.Enum {
			text := plainValue(option)
			f.Choices = append(f.Choices, choice{text, text, text == f.Value && v != nil})
		}
	}
	f.offer()
	return f
}

// offer adds the value to the choices of a select, if it is none of them: else the browser
// would send another.
func (f *formField) offer() {
	if f.Control == "choice" && !slices.ContainsFunc(f.Choices, func(c choice) bool { return c.Chosen }) {
		f.Choices = append(f.Choices, choice{f.Value, f.Value, true})
	}
}

// plainValue returns a value as it stands in an input.
func plainValue(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any, map[string]any:
		return indented(v)
	}
	return compact(v)
}

func newFileField(i int, name string, p bucketlite.Field, o *bucketlite.Object) fileField {
	f := fileField{ID: "field-" + strconv.Itoa(i), Name: inputName(filePrefix, name), Field: name, Description: p.Description, Type: string(p.Type), Required: p.Required}
	kind := p.Type
	if kind == bucketlite.Array && p.Items != nil {
		f.Many, kind = true, p.Items.Type
		f.Type = "several of " + string(kind)
	}
	f.Accept = map[bucketlite.FieldType]string{
		bucketlite.Image: "image/*", bucketlite.Audio: "audio/*", bucketlite.Video: "video/*", bucketlite.PDF: "application/pdf,.pdf", bucketlite.Excel: ".xls,.xlsx,.csv",
	}[kind]
	if o != nil {
		for _, b := range o.Blobs {
			if b.Property == name {
				f.Stored = append(f.Stored, b)
			}
		}
	}
	return f
}

// take takes what the user has typed into a form of the stored fields, and returns the
// fields that this means, or reports false if some input cannot be read.
func (f *objectForm) take(form url.Values, schema bucketlite.Schema, base map[string]any) (fields map[string]any, ok bool) {
	f.ID, f.KeyPrefix = strings.TrimSpace(form.Get("id")), form.Get("key_prefix")
	if f.AsJSON {
		f.Text = form.Get("text")
		fields, f.TextWrong = readObject(f.Text)
		return fields, f.TextWrong == ""
	}
	fields, ok = make(map[string]any), f.takeOther(form, base)
	maps.Copy(fields, f.others)
	for i := range f.Fields {
		field := &f.Fields[i]
		v, has := base[field.Field]
		if !form.Has(field.Name) { // it was not declared when the form was shown
			if _, given := fields[field.Field]; has && !given {
				fields[field.Field] = v
			}
			continue
		}
		text := normalLines(form.Get(field.Name))
		if has && text == field.sent() {
			fields[field.Field] = v // as it is, be it in a form that the input cannot show
			continue
		}
		field.set(text)
		if text == "" {
			continue
		}
		v, wrong := readValue(schema.Properties[field.Field], text)
		if field.Wrong = wrong; wrong != "" {
			ok = false
		}
		fields[field.Field] = v
	}
	for _, file := range f.Files { // a file is no value, and a value there has no input
		delete(fields, file.Field)
		if v, has := base[file.Field]; has {
			fields[file.Field] = v
		}
	}
	return fields, ok
}

// takeOther takes the fields that are not declared, and reports whether they can be read.
// A schema may have changed since the form was shown: a field that it no longer declares
// stays as it is stored, and the form says that its input was not used.
func (f *objectForm) takeOther(form url.Values, base map[string]any) bool {
	f.others = make(map[string]any)
	if form.Has("other") {
		f.Other = form.Get("other")
		if strings.TrimSpace(f.Other) != "" {
			if f.others, f.OtherWrong = readObject(f.Other); f.OtherWrong != "" {
				return false
			}
		}
	}
	added := false
	for name, v := range base {
		isField := slices.ContainsFunc(f.Fields, func(field formField) bool { return field.Field == name })
		isFile := slices.ContainsFunc(f.Files, func(file fileField) bool { return file.Field == name })
		if _, given := f.others[name]; given || isField || isFile || form.Has("other") && !form.Has(inputName(inputPrefix, name)) {
			continue
		}
		f.others[name], added = v, true
	}
	for _, input := range slices.Sorted(maps.Keys(form)) {
		name, ok := fieldOf(inputPrefix, input)
		if !ok || slices.ContainsFunc(f.Fields, func(field formField) bool { return field.Field == name }) {
			continue
		}
		text := normalLines(form.Get(input))
		if stored := (&formField{Value: plainValue(base[name]), Control: "lines"}); text != stored.sent() {
			f.OtherWrong = "The schema has changed since the form was shown: " + strconv.Quote(name) + " is not declared. It was to be " + strconv.Quote(cut(text, shownText)) + "."
		}
	}
	if added {
		f.Other = indented(f.others)
	}
	return f.OtherWrong == ""
}

func (f *formField) set(text string) {
	f.Value = text
	for i := range f.Choices {
		f.Choices[i].Chosen = f.Choices[i].Value == text
	}
	f.offer()
}

// sent returns the text that a browser sends if nobody changes the input: it cannot show
// every text.
func (f *formField) sent() string {
	return sentText(f.Value, f.Control == "lines" || f.Control == "json" || f.Control == "choice")
}

// sentText returns the text that a browser sends of a control, which may have several lines,
// if nobody changes it.
func sentText(text string, lines bool) string {
	text = strings.ReplaceAll(normalLines(text), "\r", "\n")
	if !lines {
		text = strings.ReplaceAll(text, "\n", "")
	}
	return text
}

// normalLines returns a text without the line ends of forms.
func normalLines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// readValue returns the value of a field that a text means. A text that is no number
// stays a text, which the schema then refuses in its own words.
func readValue(p bucketlite.Field, text string) (v any, wrong string) {
	switch p.Type {
	case bucketlite.Number, bucketlite.Float, bucketlite.Integer:
		if n := json.Number(strings.TrimSpace(text)); isNumber(n) {
			return n, ""
		}
	case bucketlite.Boolean:
		switch text {
		case "true":
			return true, ""
		case "false":
			return false, ""
		}
	case bucketlite.Array, bucketlite.ObjectField:
		if err := decodeJSON(text, &v); err != nil {
			return nil, err.Error()
		}
		return v, ""
	}
	for _, option := range p.Enum {
		if _, isText := option.(string); !isText && plainValue(option) == text {
			return option, ""
		}
	}
	return text, ""
}

func isNumber(n json.Number) bool {
	var v json.Number
	return json.Unmarshal([]byte(n), &v) == nil && v == n && n != ""
}

// readObject reads a JSON object.
func readObject(text string) (fields map[string]any, wrong string) {
	if err := decodeJSON(text, &fields); err != nil {
		return nil, err.Error()
	}
	if fields == nil {
		return nil, "a JSON object expected"
	}
	return fields, ""
}

// decodeJSON reads one JSON value, as strictly as the store does, and numbers as they are.
func decodeJSON(text string, v any) error {
	if !json.Valid([]byte(text)) { // else it could end the object and add members
		return errors.New("this is not JSON")
	}
	var in bucketlite.ObjectInput
	if err := json.Unmarshal([]byte(`{"v":`+text+`}`), &in); err != nil {
		for _, issue := range issuesOf(err) {
			return errors.New(issue.Message)
		}
		return err
	}
	switch v := v.(type) {
	case *any:
		*v = in.Fields["v"]
	case *map[string]any:
		*v, _ = in.Fields["v"].(map[string]any)
	}
	return nil
}

// difference returns the patch that makes base into fields.
func difference(base, fields map[string]any) map[string]any {
	patch := make(map[string]any)
	for name, v := range fields {
		if old, ok := base[name]; !ok || compact(old) != compact(v) {
			patch[name] = v
		}
	}
	for name := range base {
		if _, ok := fields[name]; !ok {
			patch[name] = nil
		}
	}
	return patch
}

// blame shows the reasons of an error at the inputs of their fields. Those that have no
// input are in the summary alone.
func (f *objectForm) blame(err error) {
	status, text := describe(err)
	f.Fault = &fault{Status: status, Text: text, Issues: issuesOf(err)}
	for _, issue := range f.Fault.Issues {
		name := firstName(issue.Path)
		at := slices.IndexFunc(f.Fields, func(field formField) bool { return field.Field == name })
		file := slices.IndexFunc(f.Files, func(field fileField) bool { return field.Field == name })
		switch {
		case f.AsJSON && f.TextWrong == "":
			f.TextWrong = issue.String()
		case f.AsJSON:
		case at >= 0 && f.Fields[at].Wrong == "":
			f.Fields[at].Wrong = issue.Message
		case file >= 0 && f.Files[file].Wrong == "":
			f.Files[file].Wrong = issue.Message
		case at < 0 && file < 0 && f.Open && f.OtherWrong == "":
			f.OtherWrong = issue.String()
		}
	}
}

// firstName returns the first name of a path such as tags[1] or ["a b"].c.
func firstName(path string) string {
	if rest, ok := strings.CutPrefix(path, "["); ok {
		var name string
		if quoted, err := strconv.QuotedPrefix(rest); err == nil && json.Unmarshal([]byte(quoted), &name) == nil {
			return name
		}
	}
	if end := strings.IndexAny(path, ".["); end > 0 {
		return path[:end]
	}
	return path
}

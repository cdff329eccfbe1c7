package console

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A schemaForm is a schema as a form has it, twice: as rows of fields and as JSON. An
// edit of one side changes the other. The hash of the JSON that the server has
// made tells which side was edited.
type schemaForm struct {
	Rows   []fieldForm
	Strict bool   // undeclared fields are refused
	Rest   string // further members of the schema, as JSON
	JSON   string
	Sum    string   // of JSON, as the server made it
	Wrong  []string // what is wrong with the schema as a whole

	InForce bool // it is the schema of a bucket, whose key and indexes are set elsewhere
}

// maxRows bounds the rows of a form.
const maxRows = 1000

// newSchemaForm returns the form of a schema in its JSON form. The rows are in order of
// their names.
func newSchemaForm(doc map[string]any) schemaForm {
	var f schemaForm
	fields, _ := doc["properties"].(map[string]any)
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		field, _ := fields[name].(map[string]any)
		row := newFieldForm(name, field)
		row.N = i
		f.Rows = append(f.Rows, row)
	}
	rest := make(map[string]any)
	for member, v := range doc {
		if member != "properties" && v != nil {
			rest[member] = v
		}
	}
	if rest["additionalProperties"] == false {
		f.Strict = true
		delete(rest, "additionalProperties")
	}
	if len(rest) > 0 {
		f.Rest = compact(rest)
	}
	f.write(doc)
	return f
}

// write makes the JSON side of a schema.
func (f *schemaForm) write(doc map[string]any) {
	f.JSON = indented(doc)
	f.Sum = sumOf(f.JSON)
}

// sumOf is the beginning of the hash of a text. Browsers send line breaks in their own
// way.
func sumOf(text string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))))
	return hex.EncodeToString(sum[:8])
}

// givenSchema reads the controls of a schema, and takes the side that was edited. The text
// is the schema's JSON, empty if the JSON side was edited and is no JSON object.
func givenSchema(form url.Values) (f schemaForm, text string) {
	f = schemaForm{Strict: form.Get("strict") != "", Rest: form.Get("rest"), JSON: form.Get("schema"), Sum: form.Get("sum")}
	rows, _ := strconv.Atoi(form.Get("rows"))
	for n := range min(rows, maxRows) {
		if row := givenField(form, n); !row.isBlank() && form.Get("remove") != strconv.Itoa(n) {
			row.N = len(f.Rows)
			f.Rows = append(f.Rows, row)
		}
	}
	if strings.TrimSpace(f.JSON) != "" && sumOf(f.JSON) != f.Sum {
		return f.fromJSON()
	}
	doc := f.document()
	f.write(doc)
	return f, string(value.Append(nil, doc))
}

// fromJSON takes the rows from the JSON side. The rows of the same names keep what the JSON
// does not have.
func (f schemaForm) fromJSON() (schemaForm, string) {
	v, err := value.Parse([]byte(f.JSON), schema.Limits)
	doc, ok := v.(map[string]any)
	if err != nil || !ok {
		problem := "A JSON object with properties expected."
		if err != nil {
			problem = sentence(err.Error())
		}
		f.Wrong = append(f.Wrong, "The JSON: "+problem)
		return f, ""
	}
	next := newSchemaForm(doc)
	for i := range next.Rows {
		row := &next.Rows[i]
		if n := slices.IndexFunc(f.Rows, func(r fieldForm) bool { return r.Name == row.Name }); n >= 0 {
			row.Was, row.Key, row.Index = f.Rows[n].Was, f.Rows[n].Key, f.Rows[n].Index
		}
	}
	next.JSON, next.Sum = f.JSON, sumOf(f.JSON) // as it was written
	return next, f.JSON
}

// document returns the JSON form of the rows, and notes what is wrong with them.
func (f *schemaForm) document() map[string]any {
	doc, wrong := parseObject(f.Rest)
	if wrong != "" {
		f.Wrong = append(f.Wrong, "Further members: "+wrong)
		doc = make(map[string]any)
	}
	fields := make(map[string]any)
	for i := range f.Rows {
		row := &f.Rows[i]
		if _, taken := fields[row.Name]; taken {
			row.Wrong = append(row.Wrong, "Another field has this name.")
			continue
		}
		fields[row.Name] = row.document()
	}
	doc["properties"] = fields
	if f.Strict {
		doc["additionalProperties"] = false
	}
	return doc
}

// isWrong reports whether the form itself is wrong.
func (f *schemaForm) isWrong() bool {
	return len(f.Wrong) > 0 || slices.ContainsFunc(f.Rows, func(r fieldForm) bool { return len(r.Wrong) > 0 })
}

// parse returns the schema of the text that givenSchema returned, or notes at the rows what
// is wrong with it.
func (f *schemaForm) parse(text string) (s bucketlite.Schema, ok bool) {
	if text == "" {
		return s, false
	}
	s, err := bucketlite.ParseSchema([]byte(text))
	if err != nil {
		f.note(issuesOf(err), "properties")
		if !f.isWrong() {
			f.Wrong = append(f.Wrong, sentence(err.Error()))
		}
		return s, false
	}
	return s, !f.isWrong()
}

// note puts issues at the rows that they concern. The others are about the schema as a
// whole.
func (f *schemaForm) note(issues []bucketlite.Issue, at ...string) {
	var root value.Path
	for _, name := range at {
		root = root.Member(name)
	}
	for _, i := range issues {
		n := slices.IndexFunc(f.Rows, func(r fieldForm) bool {
			rest, found := strings.CutPrefix(i.Path, slices.Clip(root).Member(r.Name).String())
			return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
		})
		if n < 0 {
			f.Wrong = append(f.Wrong, i.String())
			continue
		}
		own := strings.TrimPrefix(i.Path, slices.Clip(root).Member(f.Rows[n].Name).String())
		text := sentence(i.Message)
		if own = strings.Trim(own, "."); own != "" {
			text = fmt.Sprintf("%s: %s", own, i.Message)
		}
		f.Rows[n].Wrong = append(f.Rows[n].Wrong, text)
	}
}

// Shown returns the rows, and a blank one for the next field.
func (f schemaForm) Shown() []fieldForm {
	if len(f.Rows) >= maxRows {
		return f.Rows
	}
	return append(slices.Clip(f.Rows), fieldForm{N: len(f.Rows)})
}

// Count is the number of rows that are shown.
func (f schemaForm) Count() int { return len(f.Shown()) }

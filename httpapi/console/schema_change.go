package console

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A schemaChange is a change of a schema as a form has it, and what is known about it.
type schemaChange struct {
	Schema  schemaForm
	Version int64       // of the schema that the form began with
	Lost    []lostField // fields in force that the new schema lacks
	Issues  []bucketlite.Issue
	Fault   *fault
	Checked bool

	Preview *bucketlite.SchemaChange // what it changes; nil if it is not valid
	Faults  *objectFaults            // nil if the objects have not been checked

	previews bool // the preview is shown, not the form

	next    bucketlite.Schema
	options bucketlite.SchemaChangeOptions
}

// A lostField is a field that a new schema lacks. Its values are dropped, or move to a new
// field.
type lostField struct {
	Path, As string // As is drop, "to " and a path, or empty
	To       []string
}

// Choices are the options of the select.
func (l lostField) Choices() []choice {
	pairs := []string{"", "choose", "drop", "delete its values from all objects"}
	for _, path := range l.To {
		pairs = append(pairs, "to "+path, "rename it to "+path)
	}
	return choices(l.As, pairs...)
}

// shownExamples is how many objects that break a change are shown.
const shownExamples = 10

// objectFaults are which objects of a bucket do not conform to a schema.
type objectFaults struct {
	Objects  int64 // that were checked, if all conform
	Count    int64 // of objects that do not
	Examples []bucketlite.InvalidObject
}

// refusalOf returns the faults of a task that has ended, and how many objects did not
// conform.
func refusalOf(task *bucketlite.Task) (*objectFaults, int64) {
	number, _ := task.AdditionalData["invalid_objects"].(json.Number)
	count, _ := number.Int64()
	j := &objectFaults{Count: count}
	text, err := json.Marshal(task.Outputs[:min(len(task.Outputs), shownExamples)])
	if err == nil {
		json.Unmarshal(text, &j.Examples) // examples only: without them the count is there
	}
	return j, count
}

// documentOf returns the JSON form of a schema.
func documentOf(s bucketlite.Schema) map[string]any {
	text, err := s.MarshalJSON()
	if err != nil {
		return map[string]any{}
	}
	doc, _ := value.ParseTrusted(string(text))
	return doc
}

// givenSchemaChange reads a form. The preview is nil if the change is not valid.
func givenSchemaChange(form url.Values, info *bucketlite.BucketInfo) *schemaChange {
	f := &schemaChange{Version: info.SchemaVersion}
	if v, err := json.Number(form.Get("version")).Int64(); err == nil {
		f.Version = v
	}
	var text string
	f.Schema, text = givenSchema(form)
	f.options = bucketlite.SchemaChangeOptions{Rename: make(map[string]string), IfVersion: f.Version}
	s, ok := f.Schema.parse(text)
	if !ok {
		return f
	}
	f.next = s
	f.choose(form, info)
	f.origins(info)
	f.renamed(info)
	preview, err := info.CompareSchema(s, &f.options)
	if err == nil {
		f.Preview = preview
		return f
	}
	for _, i := range issuesOf(err) {
		if i.Rule == "missing" {
			f.Lost = append(f.Lost, lostField{Path: i.Path, To: f.free(i.Path, info)})
			continue
		}
		f.Issues = append(f.Issues, i)
	}
	slices.SortFunc(f.Lost, func(a, b lostField) int { return strings.Compare(a.Path, b.Path) })
	return f
}

// origins finds out which field in force a row is, if the row does not say: the one that is
// renamed to it, or the one of its name.
func (f *schemaChange) origins(info *bucketlite.BucketInfo) {
	taken := make(map[string]bool)
	for _, row := range f.Schema.Rows {
		taken[row.Was] = true
	}
	for i := range f.Schema.Rows {
		row := &f.Schema.Rows[i]
		if row.Was != "" {
			continue
		}
		for from, to := range f.options.Rename {
			if to == row.Name && !taken[from] {
				row.Was = from
			}
		}
		if _, isThere := info.Schema.Properties[row.Name]; row.Was == "" && isThere && !taken[row.Name] {
			row.Was = row.Name
		}
	}
}

// renamed takes a row whose name has changed as a renamed field.
func (f *schemaChange) renamed(info *bucketlite.BucketInfo) {
	for _, row := range f.Schema.Rows {
		_, isThere := info.Schema.Properties[row.Was]
		_, stays := f.next.Properties[row.Was]
		if isThere && !stays && row.Name != row.Was {
			f.options.Rename[row.Was] = row.Name
		}
	}
}

// choose takes what the form says of lost fields.
func (f *schemaChange) choose(form url.Values, info *bucketlite.BucketInfo) {
	paths := fieldPaths(documentOf(f.next))
	as := form["lost-as"]
	for i, path := range form["lost-path"] {
		if i >= len(as) || as[i] == "" || paths[path] || !fieldPaths(documentOf(info.Schema))[path] {
			continue
		}
		f.Lost = append(f.Lost, lostField{Path: path, As: as[i], To: f.free(path, info)})
		if to, isRenamed := strings.CutPrefix(as[i], "to "); isRenamed {
			f.options.Rename[path] = to
		} else {
			f.options.Drop = append(f.options.Drop, path)
		}
	}
}

// free returns the paths of new fields beside a lost one, which it may be renamed to.
func (f *schemaChange) free(path string, info *bucketlite.BucketInfo) (list []string) {
	before := fieldPaths(documentOf(info.Schema))
	around := path[:strings.LastIndexByte(path, '.')+1]
	for _, p := range slices.Sorted(maps.Keys(fieldPaths(documentOf(f.next)))) {
		if !before[p] && p[:strings.LastIndexByte(p, '.')+1] == around {
			list = append(list, p)
		}
	}
	return list
}

// fieldPaths returns the paths of all fields of a schema, or of a field, in its JSON form.
func fieldPaths(doc map[string]any) map[string]bool {
	paths := make(map[string]bool)
	var walk func(doc map[string]any, at string)
	walk = func(doc map[string]any, at string) {
		if items, ok := doc["items"].(map[string]any); ok {
			walk(items, at)
		}
		fields, _ := doc["properties"].(map[string]any)
		for name, field := range fields {
			path := strings.TrimPrefix(at+"."+name, ".")
			paths[path] = true
			if field, ok := field.(map[string]any); ok {
				walk(field, path)
			}
		}
	}
	walk(doc, "")
	return paths
}

// part is the part of the page that shows the change.
func (f *schemaChange) part() string {
	switch {
	case f.Faults != nil && f.Fault == nil:
		return "objectfaults"
	case f.previews:
		return "preview"
	}
	return "form"
}

// Previews reports whether the preview is shown.
func (f *schemaChange) Previews() bool { return f.previews }

// isOpen reports whether it is not chosen yet what happens to the values of a lost field.
func (f *schemaChange) isOpen() bool {
	return slices.ContainsFunc(f.Lost, func(l lostField) bool { return l.As == "" })
}

// isRight reports whether the change is valid.
func (f *schemaChange) isRight() bool { return f.Preview != nil && !f.Schema.isWrong() }

// IsWrong reports whether the form is not valid. A lost field is only a question.
func (f *schemaChange) IsWrong() bool { return f.Schema.isWrong() || len(f.Issues) > 0 }

// NeedsObjects reports whether objects can break the change.
func (f *schemaChange) NeedsObjects() bool {
	return f.Preview.Effect == bucketlite.EffectTightens || f.Preview.Effect == bucketlite.EffectRewrites
}

// Renamed are the renamed fields as pairs of their old and new paths, as the form of the
// preview sends them again.
func (f *schemaChange) Renamed() []lostField {
	var list []lostField
	for _, from := range slices.Sorted(maps.Keys(f.options.Rename)) {
		list = append(list, lostField{Path: from, As: "to " + f.options.Rename[from]})
	}
	for _, path := range f.options.Drop {
		list = append(list, lostField{Path: path, As: "drop"})
	}
	return list
}

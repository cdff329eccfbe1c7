package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// query returns the query of the view's page.
func (v *objectView) query(s bucketlite.Schema) (bucketlite.Query, error) {
	f, err := v.filter(s)
	return bucketlite.Query{
		Filter: f, Search: v.Search, CaseSensitive: v.Case, Sort: v.Sort, Reverse: !v.Oldest, Limit: v.Size, Cursor: v.After,
	}, err
}

// A filter of a view is the conjunction of its conditions, or of a disjunction of them, and
// after these of the filters that are texts. So the path of a fault says which part it is
// of: see [faultsOf].

// errFilterText is a fault of one of the texts.
type errFilterText struct {
	place string // filter or where
	err   error
}

func (e *errFilterText) Error() string { return e.err.Error() }
func (e *errFilterText) Unwrap() error { return e.err }

var errManyConditions = invalid(fmt.Sprintf("at most %d conditions expected", maxConditions))

func (v *objectView) filter(s bucketlite.Schema) (f bucketlite.Filter, err error) {
	if len(v.Conditions) > maxConditions {
		return f, errManyConditions
	}
	var parts []bucketlite.Filter
	for i, c := range v.Conditions {
		one, ok := c.filter(s)
		if !ok {
			return f, &bucketlite.QueryError{Subject: "query", Issues: []bucketlite.Issue{{Path: v.pathOf(i), Message: "an operator expected, as in price.lt.90"}}}
		}
		parts = append(parts, one)
	}
	if v.Any && len(parts) > 0 {
		parts = []bucketlite.Filter{bucketlite.Or(parts...)}
	}
	if v.JSON != "" {
		one, err := bucketlite.ParseFilter([]byte(v.JSON))
		if err != nil {
			return f, &errFilterText{"filter", err}
		}
		parts = append(parts, one)
	}
	if v.Where != "" {
		one, err := bucketlite.ParseWhere(v.Where)
		if err != nil {
			return f, &errFilterText{"where", err}
		}
		parts = append(parts, one)
	}
	if len(parts) == 0 {
		return f, nil
	}
	return bucketlite.And(parts...), nil
}

// pathOf returns the path of a condition in the query.
func (v *objectView) pathOf(i int) string {
	if v.Any {
		return fmt.Sprintf("filters.AND[0].OR[%d]", i)
	}
	return fmt.Sprintf("filters.AND[%d]", i)
}

// filter returns the condition as a filter, and reports whether it has an operator.
func (c condition) filter(s bucketlite.Schema) (f bucketlite.Filter, ok bool) {
	v := valueOf(c.Value, typeAt(s, c.Path))
	switch c.Operator {
	case "eq":
		f = bucketlite.Eq(c.Path, v)
	case "ne":
		f = bucketlite.Ne(c.Path, v)
	case "lt":
		f = bucketlite.Lt(c.Path, v)
	case "lte":
		f = bucketlite.Lte(c.Path, v)
	case "gt":
		f = bucketlite.Gt(c.Path, v)
	case "gte":
		f = bucketlite.Gte(c.Path, v)
	case "contains":
		f = bucketlite.Contains(c.Path, c.Value)
	case "starts_with":
		f = bucketlite.StartsWith(c.Path, c.Value)
	case "ends_with":
		f = bucketlite.EndsWith(c.Path, c.Value)
	case "in":
		f = bucketlite.In(c.Path, c.values(s)...)
	case "nin":
		f = bucketlite.NotIn(c.Path, c.values(s)...)
	case "text":
		f = bucketlite.Words(c.Path, c.Value)
	case "regex":
		f = bucketlite.Regex(c.Path, c.Value)
	case "exists":
		f = bucketlite.Exists(c.Path)
	case "missing":
		f = bucketlite.Not(bucketlite.Exists(c.Path))
	case "is_null":
		f = bucketlite.IsNull(c.Path)
	case "not_null":
		f = bucketlite.Not(bucketlite.IsNull(c.Path))
	default:
		return f, false
	}
	return f, true
}

// values returns the values of a list: those of a JSON array, or of texts with commas
// between them.
func (c condition) values(s bucketlite.Schema) []any {
	if items, ok := parseJSON(c.Value).([]any); ok {
		return items
	}
	var items []any
	for item := range strings.SplitSeq(c.Value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, valueOf(item, typeAt(s, c.Path)))
		}
	}
	return items
}

// typeAt returns the declared type of the values at a path, empty if there is none. Of an
// array it is that of the items.
func typeAt(s bucketlite.Schema, path string) bucketlite.FieldType {
	field, ok := fieldAt(s, path)
	if !ok {
		switch path {
		case "object_id", "key_prefix", "status", "error", "blobs.property", "blobs.details.filename", "blobs.details.mime_type":
			return bucketlite.String
		case "created_at", "updated_at", "x-expires-at":
			return bucketlite.DateTime
		}
		return ""
	}
	for field.Type == bucketlite.Array && field.Items != nil {
		field = *field.Items
	}
	return field.Type
}

// fieldAt returns the declaration of the field at a path.
func fieldAt(s bucketlite.Schema, path string) (f bucketlite.Field, ok bool) {
	members := s.Properties
	for name := range strings.SplitSeq(path, ".") {
		if f, ok = members[name]; !ok {
			return f, false
		}
		for f.Type == bucketlite.Array && f.Items != nil && len(f.Items.Properties) > 0 {
			f = *f.Items
		}
		members = f.Properties
	}
	return f, true
}

// valueOf returns the value that a text stands for where values have a type. Where none is
// declared, it is the JSON that the text is, or the text itself.
func valueOf(text string, t bucketlite.FieldType) any {
	v := parseJSON(text)
	switch t {
	case bucketlite.Number, bucketlite.Float, bucketlite.Integer:
		if n, ok := v.(json.Number); ok {
			return n
		}
		return text
	case bucketlite.Boolean:
		if b, ok := v.(bool); ok {
			return b
		}
		return text
	case "", bucketlite.Array, bucketlite.ObjectField:
		if v != nil {
			return v
		}
	}
	return text
}

// parseJSON returns what a text is as JSON, nil if it is none.
func parseJSON(text string) any {
	v, err := value.Parse([]byte(text), value.Limits{MaxDepth: 20, MaxBytes: 1 << 20})
	if err != nil {
		return nil
	}
	return v
}

// viewFaults are the faults of a query by the place on the page that they belong to.
type viewFaults struct {
	Rows   map[int]string // by the number of the condition
	Texts  map[string]string
	Others []bucketlite.Issue // of no place, or of several
}

var partPath = regexp.MustCompile(`^filters\.AND\[(\d+)\](?:\.OR\[(\d+)\])?`)

// faultsOf returns the faults that an error lists.
func (v *objectView) faultsOf(err error) (f viewFaults) {
	f.Rows, f.Texts = make(map[int]string), make(map[string]string)
	var text *errFilterText
	var query *bucketlite.QueryError
	switch {
	case errors.As(err, &text):
		f.Texts[text.place] = wordsOf(text.err)
	case errors.As(err, &query):
		for _, issue := range query.Issues {
			v.place(&f, issue)
		}
	}
	return f
}

// place puts a fault where it belongs.
func (v *objectView) place(f *viewFaults, issue bucketlite.Issue) {
	if issue.Path == "search" {
		f.Texts["q"] = sentence(issue.Message)
		return
	}
	m := partPath.FindStringSubmatch(issue.Path)
	if m == nil {
		f.Others = append(f.Others, issue)
		return
	}
	part, _ := strconv.Atoi(m[1]) // digits
	rows := len(v.Conditions)
	if v.Any && rows > 0 {
		if part == 0 {
			row, _ := strconv.Atoi(m[2])
			f.Rows[row] = sentence(issue.Message)
			return
		}
		part += rows - 1
	}
	switch {
	case part < rows:
		f.Rows[part] = sentence(issue.Message)
	case part == rows && v.JSON != "":
		f.Texts["filter"] = sentence(issue.Message)
	default:
		f.Texts["where"] = sentence(issue.Message)
	}
}

// wordsOf returns the reason of a fault of a filter's text, with all its issues.
func wordsOf(err error) string {
	var where *bucketlite.WhereError
	if errors.As(err, &where) {
		return sentence(fmt.Sprintf("line %d, character %d: %s", where.Line, where.Column, where.Message))
	}
	var words []string
	for _, issue := range issuesOf(err) {
		words = append(words, sentence(issue.Message))
	}
	if len(words) == 0 {
		_, text := describe(err)
		return text
	}
	return strings.Join(words, " ")
}

// A pathOption is a path that people may choose.
type pathOption struct {
	Path string
	Type string   // what its values are, for the script that fits the input to it
	Enum []string // the values it may have, if they are few
}

// systemPaths are the paths of what the store knows of each object.
var systemPaths = []pathOption{
	{Path: "object_id", Type: "string"}, {Path: "key_prefix", Type: "string"},
	{Path: "status", Type: "string", Enum: []string{"DRAFT", "PENDING", "IN_PROGRESS", "PROCESSING", "COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "CANCELED", "SKIPPED"}},
	{Path: "error", Type: "string"}, {Path: "created_at", Type: "datetime"}, {Path: "updated_at", Type: "datetime"}, {Path: "x-expires-at", Type: "datetime"},
	{Path: "blobs.property", Type: "string"}, {Path: "blobs.details.filename", Type: "string"}, {Path: "blobs.details.mime_type", Type: "string"}, {Path: "blobs.details.size_bytes", Type: "number"},
}

// maxPaths bounds the paths that a page offers. Others can be written.
const maxPaths = 200

// pathsOf returns the paths of a schema's fields, and then those of the system.
func pathsOf(s bucketlite.Schema) []pathOption {
	paths := appendPaths(nil, "", s.Properties, 0)
	return append(paths[:min(len(paths), maxPaths)], systemPaths...)
}

func appendPaths(paths []pathOption, prefix string, fields map[string]bucketlite.Field, depth int) []pathOption {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		f := fields[name]
		if isFile(f) {
			continue // its blobs are at the paths of the system
		}
		option := pathOption{Path: prefix + name, Type: string(f.Type)}
		for f.Type == bucketlite.Array && f.Items != nil {
			f = *f.Items
			option.Type = string(f.Type)
		}
		for _, v := range f.Enum {
			if s, ok := v.(string); ok && len(f.Enum) <= 50 {
				option.Enum = append(option.Enum, s)
			}
		}
		paths = append(paths, option)
		if len(f.Properties) > 0 && depth < 4 && len(paths) < maxPaths {
			paths = appendPaths(paths, option.Path+".", f.Properties, depth+1)
		}
	}
	return paths
}

// isFile reports whether a field holds files, and cannot hold another value.
func isFile(f bucketlite.Field) bool {
	for f.Type == bucketlite.Array && f.Items != nil {
		f = *f.Items
	}
	switch f.Type {
	case bucketlite.Image, bucketlite.Audio, bucketlite.Video, bucketlite.PDF, bucketlite.Excel, bucketlite.Document, bucketlite.File:
		return true
	}
	return false
}

// A filterForm is what the form of the filter shows.
type filterForm struct {
	Open bool
	Rows []filterRow // of the conditions, and one to fill in
	JSON string      // the whole filter

	WrongJSON, WrongWhere, WrongSearch string
}

// A filterRow is a condition in the form.
type filterRow struct {
	condition
	Number    int
	Operators []operator
	Wrong     string
}

// form returns the form of a view's filter. The filter is zero if it cannot be read.
func (v *objectView) form(faults viewFaults, filter bucketlite.Filter) *filterForm {
	f := &filterForm{
		Open: len(faults.Rows) > 0, JSON: v.JSON,
		WrongJSON: faults.Texts["filter"], WrongWhere: faults.Texts["where"], WrongSearch: faults.Texts["q"],
	}
	rows := append(slices.Clone(v.Conditions), condition{Operator: "eq"})
	for i, c := range rows {
		f.Rows = append(f.Rows, filterRow{condition: c, Number: i, Operators: operators, Wrong: faults.Rows[i]})
	}
	if text, err := json.MarshalIndent(filter, "", "  "); err == nil && string(text) != "{}" {
		f.JSON = string(text)
	}
	return f
}

// A cost is what a query costs, in words.
type cost struct {
	Text  string
	Notes []string
	Slow  bool // people notice the time

	// The index that would help; empty for none.
	Path   string
	OfText bool // of all texts
}

// manyObjects are so many that people notice the time.
const manyObjects = 200_000

// The times per object, measured with a million objects on two cores. They are for a rough
// estimate.
const (
	timeToExamine = 1100 * time.Nanosecond
	timeToSort    = 700 * time.Nanosecond
)

// costOf says what an explanation means. A query of many objects is slow.
func (v *objectView) costOf(e *bucketlite.Explanation, many int64) cost {
	c := cost{Notes: e.Notes}
	if !v.Selects() && len(v.Sort) == 0 {
		return c // it reads the page and nothing else
	}
	takes := time.Duration(e.Objects) * timeToExamine
	objects := plural(e.Objects, "object")
	switch {
	case e.Sorts && len(e.Indexes) == 0:
		c.Text = "Examines all " + objects + " and sorts those that match"
	case e.Sorts:
		c.Text = "Looks up " + objects + " by the " + indexNames(e) + ", and sorts them"
	case len(e.Indexes) > 0 && !v.Selects():
		c.Text = "Reads the page by the " + indexNames(e)
		return c
	case len(e.Indexes) > 0:
		c.Text = "Looks up at most " + objects + " by the " + indexNames(e)
	default:
		c.Text = "No index helps: examines objects in order until the page is full, at most " + objects
	}
	if e.Sorts {
		takes += time.Duration(e.Objects) * timeToSort
	}
	if about := roughTime(takes); about != "" {
		c.Text += ", about " + about
	}
	if c.Slow = e.Objects >= many; c.Slow {
		c.Path, c.OfText = v.helpfulIndex(e)
	}
	return c
}

func indexNames(e *bucketlite.Explanation) string {
	names := make([]string, len(e.Indexes))
	for i, index := range e.Indexes {
		names[i] = index.String()
	}
	return strings.Join(names, " and the ")
}

// helpfulIndex returns the path of an index that the query would use: of what it searches,
// of a condition that must hold, or of its order.
func (v *objectView) helpfulIndex(e *bucketlite.Explanation) (path string, ofText bool) {
	if v.Search != "" {
		return "", true
	}
	if !v.Any || len(v.Conditions) == 1 {
		for _, c := range v.Conditions {
			if slices.Contains([]string{"eq", "in", "lt", "lte", "gt", "gte", "starts_with"}, c.Operator) && !hasIndex(e, c.Path) {
				return c.Path, false
			}
		}
	}
	if e.Sorts && len(v.Sort) > 0 && !hasIndex(e, v.Sort[0].Field) {
		return v.Sort[0].Field, false
	}
	return "", false
}

func hasIndex(e *bucketlite.Explanation, path string) bool {
	return slices.ContainsFunc(e.Indexes, func(i bucketlite.Index) bool { return i.Path == path })
}

// roughTime returns a time as people say it, empty if nobody notices it.
func roughTime(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return ""
	case d < 950*time.Millisecond:
		return fmt.Sprintf("0.%d s", (d+50*time.Millisecond)/(100*time.Millisecond))
	case d < time.Minute:
		return fmt.Sprintf("%d s", d.Round(time.Second)/time.Second)
	}
	return fmt.Sprintf("%d min", d.Round(time.Minute)/time.Minute)
}

package bucketlite

import (
	"bufio"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/value"
)

// exportTable writes a table.
type exportTable struct {
	e       *exporter
	comma   string
	columns [][]string // paths
}

// tableColumn is where the cells of a column go.
type tableColumn struct {
	path  []string // of a member; nil for a column without a name
	field Field    // its declaration; the zero Field if there is none
}

// newTableColumn resolves the name of a column, and reports whether it is known.
func newTableColumn(s Schema, name string) (c tableColumn, known bool) {
	if name == "" {
		return tableColumn{}, true
	}
	if f, ok := s.Properties[name]; ok || name == "object_id" || name == "key_prefix" || name == expiryMember {
		return tableColumn{[]string{name}, f}, true
	}
	steps := strings.Split(name, ".")
	f, ok := s.Properties[steps[0]]
	if !ok || f.Type != ObjectField || slices.Contains(steps, "") {
		return tableColumn{path: []string{name}}, false
	}
	for _, step := range steps[1:] {
		f = f.Properties[step]
	}
	return tableColumn{steps, f}, true
}

// newExportTable returns the form with the columns of the options or the schema.
func newExportTable(e *exporter) (*exportTable, error) {
	t := &exportTable{e: e, comma: ","}
	if c := e.opts.Comma; c != 0 {
		if c >= utf8.RuneSelf || strings.ContainsRune("\"\r\n", c) {
			return nil, badRequest("export: Comma: got %q, want an ASCII character other than a quote or a line break", c)
		}
		t.comma = string(c)
	}
	if e.opts.Inline {
		return nil, badRequest("export: Inline has no effect on a table")
	}
	s := e.bucket.def.schema
	if e.opts.Columns == nil {
		t.columns = schemaColumns(e.bucket)
		return t, nil
	}
	seen := make(map[string]bool)
	for _, name := range e.opts.Columns {
		if name == "" || seen[name] || !utf8.ValidString(name) {
			return nil, badRequest("export: Columns: got %q, want different names", e.opts.Columns)
		}
		seen[name] = true
		column, _ := newTableColumn(s, name)
		t.columns = append(t.columns, column.path)
	}
	if len(t.columns) == 0 {
		return nil, badRequest("export: Columns: got none, want one or more")
	}
	return t, nil
}

// schemaColumns returns the columns of all that the schema declares.
func schemaColumns(b *Bucket) [][]string {
	columns := [][]string{{"object_id"}}
	var key []string
	if b.def.unique != nil {
		key = b.def.unique.Fields
	}
	for _, name := range key {
		columns = append(columns, []string{name})
	}
	rest := make(map[string]Field, len(b.def.schema.Properties))
	for name, f := range b.def.schema.Properties {
		if !slices.Contains(key, name) {
			rest[name] = f
		}
	}
	return appendColumns(columns, nil, rest)
}

// appendColumns appends the columns of fields, and of the members that they declare. A name
// with a dot would be another path, so its object has one column.
func appendColumns(columns [][]string, path []string, fields map[string]Field) [][]string {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		at := append(slices.Clip(path), name)
		f := fields[name]
		dotted := slices.ContainsFunc(slices.Collect(maps.Keys(f.Properties)), func(s string) bool { return s == "" || strings.Contains(s, ".") })
		if f.Type == ObjectField && len(f.Properties) > 0 && !dotted {
			columns = appendColumns(columns, at, f.Properties)
			continue
		}
		columns = append(columns, at)
	}
	return columns
}

func (t *exportTable) begin(w *bufio.Writer) {
	for i, path := range t.columns {
		if i > 0 {
			w.WriteString(t.comma)
		}
		t.text(w, strings.Join(path, "."))
	}
	w.WriteString("\n")
}

func (t *exportTable) end(*bufio.Writer) {}

func (t *exportTable) object(_ context.Context, w *bufio.Writer, o *Object) error {
	held := 0 // values that have a column
	for i, path := range t.columns {
		if i > 0 {
			w.WriteString(t.comma)
		}
		if v, ok := t.cell(o, path); ok {
			held++
			t.value(w, v)
		}
	}
	w.WriteString("\n")
	if held < t.values(o) {
		t.e.report.Partial++
	}
	return nil // an error of w stays until the end
}

// cell returns the value of an object in a column.
func (t *exportTable) cell(o *Object, path []string) (any, bool) {
	if len(path) == 1 {
		switch path[0] {
		case "object_id":
			return o.ID, true
		case "key_prefix":
			return o.KeyPrefix, o.KeyPrefix != ""
		case expiryMember:
			return o.expiryText(), !o.ExpiresAt.IsZero()
		case "status":
			return string(o.Status), true
		case "error":
			return o.Error, o.Error != ""
		case "created_at":
			return o.CreatedAt.Format(time.RFC3339Nano), true
		case "updated_at":
			return o.UpdatedAt.Format(time.RFC3339Nano), true
		}
		if v, ok := blobCell(o, path[0]); ok {
			return v, true
		}
	}
	v, ok := any(o.Fields), true
	for _, step := range path {
		inner, isObject := v.(map[string]any)
		if v, ok = inner[step]; !isObject || !ok {
			return nil, false
		}
	}
	return v, v != nil
}

// blobCell returns what a table has of the blobs of a property: one text, or an array of
// them.
func blobCell(o *Object, property string) (any, bool) {
	var cells []any
	for i := range o.Blobs {
		b := &o.Blobs[i]
		if b.Property != property {
			continue
		}
		switch {
		case b.Details.Hash != "" && b.Type == Text: // a path would be read as the text
		case b.Details.Hash != "":
			cells = append(cells, exportName(b))
		case b.Properties["data"] != nil:
			cells = append(cells, b.Properties["data"])
		default:
			cells = append(cells, b.Properties["url"])
		}
	}
	if len(cells) == 1 {
		return cells[0], true
	}
	return cells, len(cells) > 0
}

// values counts the values of an object that a table with all columns holds, and those that
// none can hold.
func (t *exportTable) values(o *Object) int {
	n := t.leaves(o.Fields, nil)
	if !o.ExpiresAt.IsZero() {
		n++
	}
	properties := make(map[string]bool)
	for i := range o.Blobs {
		b := &o.Blobs[i]
		if !properties[b.Property] {
			n++
		}
		properties[b.Property] = true
		_, hasURL := b.Properties["url"]
		_, hasData := b.Properties["data"]
		if extra := len(b.Properties); b.KeyPrefix != "" || hasURL && hasData || extra > 1 || extra == 1 && !hasURL && !hasData || hasURL && b.Details.Hash != "" {
			n++
		}
	}
	for _, path := range t.columns {
		switch path[0] {
		case "object_id", "status", "created_at", "updated_at":
			n++
		case "key_prefix":
			if o.KeyPrefix != "" {
				n++
			}
		case "error":
			if o.Error != "" {
				n++
			}
		}
	}
	return n
}

// leaves counts the values below an object that need a cell of their own.
func (t *exportTable) leaves(fields map[string]any, path []string) (n int) {
	for name, v := range fields {
		at := append(slices.Clip(path), name)
		inner, isObject := v.(map[string]any)
		switch {
		case isObject && t.isDivided(at):
			n += t.leaves(inner, at)
		case v != nil:
			n++
		}
	}
	return n
}

// isDivided reports whether columns hold members of the object at a path.
func (t *exportTable) isDivided(path []string) bool {
	return slices.ContainsFunc(t.columns, func(c []string) bool { return len(c) > len(path) && slices.Equal(c[:len(path)], path) })
}

// value writes a value as a cell.
func (t *exportTable) value(w *bufio.Writer, v any) {
	switch v := v.(type) {
	case string:
		if v == "" {
			w.WriteString(`""`)
			return
		}
		t.text(w, v)
	case json.Number:
		w.WriteString(v.String())
	case bool:
		w.WriteString(strconv.FormatBool(v))
	default:
		t.text(w, string(value.Append(nil, v)))
	}
}

// text writes a text as a cell, in quotes if it needs them.
func (t *exportTable) text(w *bufio.Writer, s string) {
	if t.e.opts.EscapeFormulas && isFormula(s) {
		s = "'" + s
	}
	if !strings.ContainsAny(s, t.comma+"\"\r\n") {
		w.WriteString(s)
		return
	}
	w.WriteByte('"')
	w.WriteString(strings.ReplaceAll(s, `"`, `""`))
	w.WriteByte('"')
}

// isFormula reports whether a spreadsheet may evaluate a text, by its first character. Some
// take the wide forms of the signs too.
func isFormula(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return strings.ContainsRune("=+-@\t\r\n＝＋－＠", first)
}

package bucketlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/record"
	"github.com/bucketlite/bucketlite/internal/value"
)

// CSVOptions configure [CSV]. Nil selects the defaults.
type CSVOptions struct {
	// Comma is the delimiter of cells. Default: 0, which detects a comma, semicolon, tab
	// or pipe.
	Comma rune
	// Charset is utf-8, utf-16le, utf-16be or windows-1252. Default: empty, which detects
	// one of these.
	Charset string
	// KeepEmpty makes "" in quotes an empty string. By default an empty cell is an absent
	// field whether it has quotes or not.
	KeepEmpty bool
}

// CSV is a source with a table: a header with the names of fields, and a row for each
// object. Cells may be in quotes, and then contain delimiters, line breaks and doubled
// quotes.
//
// A cell becomes a value of its field's type: a number, true or false in any letter case,
// JSON for an array or an object, and else its text as it is. A column such as
// "address.city" is a member of a declared object field. A column of a file type has a
// URL or a data URI, or with [ImportOptions].Files a path. The columns "object_id",
// "key_prefix" and "x-expires-at" are those of [ObjectInput]. A cell that does not fit is
// refused with its line and column; a row with fewer cells than the header is refused too.
//
// A header that names a column twice, or one that the schema does not allow, is
// [ErrInvalid] for the whole source.
func CSV(r io.Reader, opts *CSVOptions) Source {
	if opts == nil {
		opts = &CSVOptions{}
	}
	o := *opts
	return Source{func(_ context.Context, im *importer) (importItems, error) {
		charset, err := record.ParseCharset(o.Charset)
		if err != nil {
			return nil, badRequest("%w", err)
		}
		t := &tableItems{im: im, size: sizeOf(r), keepEmpty: o.KeepEmpty}
		t.table = record.NewTable(r, record.TableOptions{Comma: o.Comma, Charset: charset, MaxBytes: im.opts.MaxLineBytes})
		return t, t.begin()
	}}
}

// tableItems are the rows of a table.
type tableItems struct {
	im        *importer
	table     *record.Table
	size      int64
	keepEmpty bool
	columns   []tableColumn
}

// begin resolves the columns.
func (t *tableItems) begin() error {
	names, err := t.table.Columns()
	var header *record.HeaderError
	switch {
	case err == io.EOF:
		return nil // no text, and so no rows
	case errors.As(err, &header):
		e := &ValidationError{Subject: "header"}
		for _, fault := range header.Faults {
			e.Issues = append(e.Issues, Issue{Rule: ruleName, Message: fault})
		}
		return newValidationError("header", e.Issues)
	case err != nil:
		return t.im.unread(t.table, err)
	}
	schema := t.im.bucket.current().def.schema
	var issues []Issue
	for i, name := range names {
		column, known := newTableColumn(schema, name)
		if !known && schema.AdditionalProperties != nil && !*schema.AdditionalProperties {
			issues = append(issues, Issue{name, ruleProperty, fmt.Sprintf("column %d is not declared in the schema", i+1)})
		}
		t.columns = append(t.columns, column)
	}
	issues = append(issues, overlaps(t.columns)...)
	if len(issues) > 0 {
		return newValidationError("header", issues)
	}
	return nil
}

// overlaps returns an issue for each column that is a member of another one.
func overlaps(columns []tableColumn) (issues []Issue) {
	for i, c := range columns {
		for _, other := range columns {
			if n := len(other.path); n > 0 && n < len(c.path) && slices.Equal(c.path[:n], other.path) {
				issues = append(issues, Issue{strings.Join(c.path, "."), ruleName, fmt.Sprintf("column %d is a part of the column %q", i+1, other.path[0])})
			}
		}
	}
	return issues
}

func (t *tableItems) next(context.Context) (importItem, error) {
	rec, err := t.table.Next()
	if err != nil {
		return importItem{}, t.im.unread(t.table, err)
	}
	item := importItem{line: rec.Line, number: int64(rec.Line)}
	item.in.Fields = make(map[string]any, len(t.columns))
	var issues []Issue
	for i, cell := range rec.Cells {
		column := &t.columns[i]
		item.held += len(cell.Text)
		if column.path == nil || cell.Text == "" && !(t.keepEmpty && cell.Quoted) {
			continue
		}
		if message := t.fill(&item, column, cell.Text); message != "" {
			issues = append(issues, Issue{strings.Join(column.path, "."), ruleType, fmt.Sprintf("column %d: %s", i+1, message)})
		}
	}
	if len(issues) > 0 {
		return importItem{}, &refusedItem{line: rec.Line, err: newValidationError("record", issues)}
	}
	return item, nil
}

// fill gives a cell to an item, or returns a message.
func (t *tableItems) fill(item *importItem, column *tableColumn, text string) string {
	name := column.path[0]
	files := column.field.Items != nil && column.field.Items.Type.isFile()
	switch {
	case name == "object_id":
		item.in.ID = text
	case name == "key_prefix":
		item.in.KeyPrefix = text
	case name == expiryMember:
		return item.in.readExpiry(text)
	case files || column.field.Type.isFile() && column.field.Type != Text:
		return t.im.attachCells(item, name, text, files)
	default:
		v, message := cellValue(column.field.Type, text)
		if message != "" {
			return message
		}
		value.SetMember(item.in.Fields, column.path, v)
	}
	return ""
}

// isFile reports whether values of the type are files.
func (t FieldType) isFile() bool {
	switch t {
	case Text, Image, Audio, Video, PDF, Excel, Document, File:
		return true
	}
	return false
}

// attachCells adds the blobs that a cell names: one, or those of a JSON array.
func (im *importer) attachCells(item *importItem, property, text string, many bool) string {
	if !many || !strings.HasPrefix(strings.TrimSpace(text), "[") {
		im.attachCell(item, property, text)
		return ""
	}
	var texts []string
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return "an array of texts expected, got " + value.Show(text)
	}
	for _, text := range texts {
		im.attachCell(item, property, text)
	}
	return ""
}

// attachCell adds a blob whose bytes a cell names.
func (im *importer) attachCell(item *importItem, property, text string) {
	item.in.Blobs = append(item.in.Blobs, BlobInput{Property: property})
	b := &item.in.Blobs[len(item.in.Blobs)-1]
	if im.opts.Files == nil || urlPattern.MatchString(text) || strings.HasPrefix(text, "data:") {
		b.Data = text
		return
	}
	im.open(item, b, im.opts.Files, text, "")
}

// cellValue converts a cell to a field's type, or returns a message. The schema then
// validates the value.
func cellValue(t FieldType, text string) (v any, message string) {
	switch t {
	case Number, Integer, Float:
		number := strings.TrimSpace(text)
		if !isJSONNumber(number) {
			return nil, fmt.Sprintf("%s expected, got %s", t, value.Show(text))
		}
		return json.Number(number), ""
	case Boolean:
		for _, b := range []bool{true, false} {
			if strings.EqualFold(strings.TrimSpace(text), fmt.Sprint(b)) {
				return b, ""
			}
		}
		return nil, "true or false expected, got " + value.Show(text)
	case Array, ObjectField:
		v, err := value.Parse([]byte(text), value.Limits{})
		if err != nil {
			return nil, fmt.Sprintf("JSON of type %s expected: %s", t, err)
		}
		return v, ""
	}
	return text, ""
}

// isJSONNumber reports whether text is a number as JSON writes it.
func isJSONNumber(text string) bool {
	return text != "" && (text[0] == '-' || '0' <= text[0] && text[0] <= '9') && json.Valid([]byte(text))
}

func (t *tableItems) position() record.Position { return t.table.Position() }
func (t *tableItems) total() int64              { return t.size }
func (t *tableItems) close()                    {}

func (t *tableItems) skip(_ context.Context, to record.Position) (bool, error) {
	return t.table.Skip(to)
}

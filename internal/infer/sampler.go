package infer

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/record"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A Sampler makes samples of records: of JSON objects, or of the rows of a table.
type Sampler struct {
	table   bool
	columns [][]string // the paths of a table's columns; nil for one without a name
}

// NewSampler returns a sampler for the records of a reader. It reads the header of a
// table, whose error is a [*record.HeaderError], or that of the underlying reader.
func NewSampler(r record.Reader) (*Sampler, error) {
	table, ok := r.(*record.Table)
	if !ok {
		return &Sampler{}, nil
	}
	names, err := table.Columns()
	if err == io.EOF {
		return &Sampler{table: true}, nil
	}
	if err != nil {
		return nil, err
	}
	return &Sampler{table: true, columns: columnsOf(names)}, nil
}

// columnsOf returns the paths of columns. A column such as address.city is a member of an
// object, unless address is a column, too.
func columnsOf(names []string) (paths [][]string) {
	for _, name := range names {
		steps := strings.Split(name, ".")
		inner := !slices.Contains(steps, "")
		for i := 1; i < len(steps); i++ {
			inner = inner && !slices.Contains(names, strings.Join(steps[:i], "."))
		}
		switch {
		case name == "":
			steps = nil
		case !inner:
			steps = []string{name}
		}
		paths = append(paths, steps)
	}
	return paths
}

// IsTable reports whether the samples are rows, whose values are all texts.
func (s *Sampler) IsTable() bool { return s.table }

// Sample returns the fields of a record. An empty cell is no field. An error is a
// [*record.Fault].
func (s *Sampler) Sample(rec record.Record) (map[string]any, error) {
	if s.table {
		return s.row(rec)
	}
	v, err := value.Parse(rec.Text, value.Limits{})
	fields, ok := v.(map[string]any)
	if err == nil && !ok {
		err = fmt.Errorf("object expected, got %s", value.Show(v))
	}
	if err != nil {
		return nil, &record.Fault{First: rec.Line, Message: err.Error()}
	}
	return fields, nil
}

func (s *Sampler) row(rec record.Record) (map[string]any, error) {
	fields := make(map[string]any)
	for i, cell := range rec.Cells {
		if !utf8.ValidString(cell.Text) {
			return nil, &record.Fault{First: rec.Line, Message: fmt.Sprintf("column %d: text is not valid UTF-8", i+1)}
		}
		if s.columns[i] != nil && cell.Text != "" {
			value.SetMember(fields, s.columns[i], cell.Text)
		}
	}
	return fields, nil
}

package record

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// TableOptions configure a [Table].
type TableOptions struct {
	// Comma is the delimiter of cells; 0 detects comma, semicolon, tab or pipe.
	Comma rune
	// Charset is the encoding; empty detects it.
	Charset Charset
	// MaxBytes is how long a row may be; 0 selects [DefaultMaxBytes].
	MaxBytes int
}

// Table reads the rows of a table with a header: cells between delimiters, in quotes if
// they contain a delimiter, a line break or, doubled, a quote. A quote within an unquoted
// cell is part of it. A row without any text is no record.
type Table struct {
	text    *text
	most    int
	comma   byte
	columns []string
	err     error // of the header
	cut     bool  // the text ended within quotes

	buf   []byte // the text of the cells
	ends  []int  // where each ends in buf
	quote []bool // and whether it was quoted
	cells []Cell
}

// A HeaderError says why the header of a table cannot be used.
type HeaderError struct {
	Line   int
	Faults []string // what is wrong, in the order of the columns
}

func (e *HeaderError) Error() string {
	return fmt.Sprintf("header on line %d: %s", e.Line, strings.Join(e.Faults, "; "))
}

// NewTable returns a reader of rows.
func NewTable(r io.Reader, opts TableOptions) *Table {
	t := &Table{text: newText(decode(r, opts.Charset, false)), most: limit(opts.MaxBytes)}
	sample, _ := t.text.r.Peek(bufferBytes / 4) // an error comes again with the text
	if i := bytes.IndexByte(sample, '\r'); i >= 0 && i+1 < len(sample) && bytes.IndexByte(sample, '\n') < 0 {
		t.text = newText(&returns{t.text.r})
		sample, _ = t.text.r.Peek(bufferBytes / 4)
	}
	t.err = t.begin(opts.Comma, sample)
	return t
}

// returns is a text whose lines end with a carriage return alone, as those of old Macs.
type returns struct{ r io.Reader }

func (r *returns) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	for i, c := range p[:n] {
		if c == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// begin finds the delimiter and reads the header.
func (t *Table) begin(comma rune, sample []byte) error {
	if comma >= utf8.RuneSelf || comma != 0 && strings.ContainsRune("\"\r\n", comma) {
		return fmt.Errorf("delimiter: got %q, want an ASCII character other than a quote or a line break", comma)
	}
	t.comma = byte(comma)
	if c, size := declared(sample); size > 0 {
		if t.comma == 0 {
			t.comma = c
		}
		t.text.discard(sample, size)
		sample = sample[size:]
	}
	if t.comma == 0 {
		t.comma = detectComma(sample)
	}
	fault, err := t.row()
	if fault != nil {
		return &HeaderError{t.text.line, []string{fault.Error()}}
	}
	if err != nil {
		return err
	}
	return t.header()
}

// declared returns the delimiter of a first line such as "sep=;", which Excel writes, and
// the length of the line; 0 if there is none.
func declared(sample []byte) (comma byte, size int) {
	line, _, ok := bytes.Cut(sample, lineBreak)
	text := bytes.TrimSuffix(line, []byte("\r"))
	if !ok || len(text) != 5 || !strings.EqualFold(string(text[:4]), "sep=") {
		return 0, 0
	}
	return text[4], len(line) + 1
}

// header takes the row that was read as the names of the columns. A column without a name
// must have no text.
func (t *Table) header() error {
	e := &HeaderError{Line: t.text.line}
	seen := make(map[string]int)
	for i, c := range t.row2cells() {
		name := strings.TrimSpace(c.Text)
		t.columns = append(t.columns, name)
		if !utf8.ValidString(name) {
			e.Faults = append(e.Faults, fmt.Sprintf("column %d: text is not valid UTF-8", i+1))
		}
		if first, ok := seen[name]; ok && name != "" {
			e.Faults = append(e.Faults, fmt.Sprintf("columns %d and %d are both named %q", first, i+1, name))
			continue
		}
		seen[name] = i + 1
	}
	if len(seen) == 1 && seen[""] > 0 {
		e.Faults = append(e.Faults, "no column has a name")
	}
	if len(e.Faults) > 0 {
		return e
	}
	return nil
}

// Columns returns the names of the columns. One that has no name is "". The error is
// io.EOF if there is no text, a [*HeaderError], or that of the underlying reader.
func (t *Table) Columns() ([]string, error) { return t.columns, t.err }

// Comma returns the delimiter.
func (t *Table) Comma() rune { return rune(t.comma) }

// Next implements [Reader].
func (t *Table) Next() (Record, error) {
	if t.err != nil {
		return Record{}, t.err
	}
	for {
		first := t.nextLine()
		fault, err := t.row()
		if err != nil {
			return Record{}, err
		}
		if fault != nil {
			return Record{}, fault
		}
		cells := t.row2cells()
		if len(t.buf) == 0 {
			continue
		}
		if fault := t.fit(first, cells); fault != nil {
			return Record{}, fault
		}
		return Record{Line: first, Cells: cells[:len(t.columns)]}, nil
	}
}

// fit compares the cells of a row with the columns.
func (t *Table) fit(first int, cells []Cell) *Fault {
	fault := func(format string, args ...any) *Fault {
		return &Fault{first, t.text.line, RuleCells, fmt.Sprintf(format, args...)}
	}
	if len(cells) < len(t.columns) {
		return fault("%d cells expected as in the header, got %d", len(t.columns), len(cells))
	}
	for i, c := range cells {
		switch {
		case c.Text == "" || i < len(t.columns) && t.columns[i] != "":
		case i < len(t.columns):
			return fault("column %d has no name, got %q", i+1, cut(c.Text))
		default:
			return fault("%d cells expected as in the header, got %d: %q", len(t.columns), len(cells), cut(c.Text))
		}
	}
	return nil
}

// cut shortens text for a message.
func cut(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func (t *Table) nextLine() int {
	if t.text.open {
		return t.text.line
	}
	return t.text.line + 1
}

// row2cells returns the cells of the row that was read.
func (t *Table) row2cells() []Cell {
	text, begin := string(t.buf), 0
	t.cells = t.cells[:0]
	for i, end := range t.ends {
		t.cells = append(t.cells, Cell{text[begin:end], t.quote[i]})
		begin = end
	}
	return t.cells
}

// Position implements [Reader].
func (t *Table) Position() Position {
	p := t.text.position()
	p.Quote = t.cut
	return p
}

// Skip implements [Reader]. The position may be that before the header. If it is within
// quotes, the text must still end there: what follows is a part of the row.
func (t *Table) Skip(to Position) (same bool, err error) {
	switch {
	case t.err == io.EOF:
		return to.Bytes == 0, nil
	case t.err != nil || to.Bytes == 0:
		return to.Bytes == 0, t.err
	case !to.Quote:
		return t.text.skipLine(to)
	}
	t.cut, to.Quote = true, false
	same, err = t.text.skip(to)
	if !same || err != nil {
		return false, err
	}
	if _, err = t.text.more(); err == io.EOF {
		return true, nil
	}
	return false, err
}

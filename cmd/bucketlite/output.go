package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"golang.org/x/term"
)

// isTerminal reports whether v is a file that is a terminal.
func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// show prints one thing: as JSON, or as human writes it.
func (a *app) show(v any, human func(t *table)) error {
	if a.json {
		return a.line(v)
	}
	t := newTable(a.out)
	human(t)
	return t.flush()
}

// line prints v as a line of JSON.
func (a *app) line(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// document prints v as indented JSON, or with --json as a line.
func (a *app) document(v any) error {
	if a.json {
		return a.line(v)
	}
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// list prints things as lines of JSON, or as rows under a header.
func list[T any](a *app, things iter.Seq2[T, error], header []any, row func(T) []any) error {
	t := newTable(a.out)
	if !a.json {
		t.row(header...)
	}
	for thing, err := range things {
		if err != nil {
			t.flush()
			return err
		}
		if a.json {
			if err := a.line(thing); err != nil {
				return err
			}
			continue
		}
		t.row(row(thing)...)
	}
	return t.flush()
}

// first iterates over at most n things; 0 means all.
func first[T any](n int, things iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		left := n
		for thing, err := range things {
			if left--; !yield(thing, err) || left == 0 {
				return
			}
		}
	}
}

// all iterates over things that are there already.
func all[T any](things iter.Seq[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		things(func(thing T) bool { return yield(thing, nil) })
	}
}

// table writes rows in columns.
type table struct {
	w    *tabwriter.Writer
	rows int
}

// blockRows is how many rows are aligned with each other. Those of a longer list
// would have to be kept in memory.
const blockRows = 1000

func newTable(w io.Writer) *table {
	return &table{w: tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)}
}

// row writes a row of cells. Text that came from outside is made harmless.
func (t *table) row(cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = cell(c)
	}
	io.WriteString(t.w, strings.TrimRight(strings.Join(texts, "\t"), "\t")+"\n")
	if t.rows++; t.rows%blockRows == 0 {
		t.w.Flush()
	}
}

func (t *table) flush() error { return t.w.Flush() }

// cell returns a value as a table shows it.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		if v == "" {
			return "-"
		}
		return printable(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case *time.Time:
		if v == nil {
			return "-"
		}
		return cell(*v)
	case int:
		return humanize.Comma(int64(v))
	case int64:
		return humanize.Comma(v)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case size:
		return v.String()
	case fmt.Stringer:
		return printable(v.String())
	}
	return printable(fmt.Sprint(v))
}

// size is a number of bytes.
type size int64

func (s size) String() string { return humanize.IBytes(uint64(max(s, 0))) }

// printable returns text without what would move a terminal's cursor, or worse.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return '·'
		}
		return r
	}, s)
}

// cut shortens text to so many characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// plural returns a number and the noun that it counts.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(n) + " " + many
}

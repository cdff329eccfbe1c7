// Package record reads the records of texts: lines of JSON, the elements of a JSON array,
// and the rows of a table. A reader holds one record at a time, of a bounded length. It
// reports a faulty record with its line, and continues after it.
package record

import (
	"fmt"
	"io"
)

// DefaultMaxBytes is how long a record may be by default.
const DefaultMaxBytes = 64 << 20

// A Reader reads the records of one text. It is not safe for concurrent use.
type Reader interface {
	// Next returns the next record, or io.EOF after the last one. A [*Fault] concerns one
	// record, and the next call returns the record after it. Any other error is that of
	// the underlying reader, or a [*HeaderError], and ends the text.
	Next() (Record, error)

	// Position returns the position after the last record, also if that was faulty.
	Position() Position

	// Skip continues at the position of an earlier reader. It must come before Next. It
	// reports whether the text before that position is the same.
	Skip(to Position) (same bool, err error)
}

// A Record is one record of a text. Its bytes are valid until the next call of Next.
type Record struct {
	// Line is the line on which the record begins, from 1.
	Line int
	// Offset is the number of bytes before an element of an array, counted as in
	// [Position]; 0 for other records.
	Offset int64
	// Text is the JSON text of a line or an element. It may be no valid JSON.
	Text []byte
	// Cells are the cells of a row, as many as the table has columns.
	Cells []Cell
}

// A Cell is one cell of a row.
type Cell struct {
	Text   string
	Quoted bool
}

// A Position is where a reader stands, and a hash of the text before it.
type Position struct {
	// Line is the last line that was read from.
	Line int `json:"lines"`
	// Bytes is the number of bytes before the position, in UTF-8 without a byte order mark.
	Bytes int64 `json:"bytes"`
	// Open is true if the last line had no line break yet.
	Open bool `json:"open_line"`
	// Quote is true if the text ended within the quotes of a table's cell.
	Quote bool `json:"open_quote,omitempty"`
	// Sum is the SHA-256 of these bytes in hexadecimal.
	Sum string `json:"sha256"`
}

// The rules that a record may break.
const (
	RuleSize  = "size"  // it is too long
	RuleQuote = "quote" // the quotes of a row are unbalanced
	RuleCells = "cells" // a row has too many or too few cells
	RuleArray = "array" // the text around the elements is not that of an array
)

// A Fault is the reason why a record cannot be read.
type Fault struct {
	// First and Last are the lines that the record spans, from 1.
	First, Last int
	// Rule is the broken rule.
	Rule string
	// Message says what was expected and what was found.
	Message string
}

// Error returns the message.
func (f *Fault) Error() string {
	if f.Last > f.First {
		return fmt.Sprintf("lines %d to %d: %s", f.First, f.Last, f.Message)
	}
	return f.Message
}

// tooLong returns the fault of a record of more than most bytes.
func tooLong(first, last, most int) *Fault {
	return &Fault{first, last, RuleSize, fmt.Sprintf("at most %d bytes of text expected", most)}
}

// limit returns the length that a reader allows: most, or the default.
func limit(most int) int {
	if most <= 0 {
		return DefaultMaxBytes
	}
	return most
}

// All iterates over the records of r. The error is nil or a [*Fault], and for the last
// pair possibly another error.
func All(r Reader) func(yield func(Record, error) bool) {
	return func(yield func(Record, error) bool) {
		for {
			rec, err := r.Next()
			if err == io.EOF {
				return
			}
			_, goesOn := err.(*Fault)
			if !yield(rec, err) || err != nil && !goesOn {
				return
			}
		}
	}
}

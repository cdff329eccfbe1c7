package record

import (
	"bytes"
	"fmt"
	"io"
)

// A rowState is where in a row a byte stands.
type rowState int

const (
	cellStart   rowState = iota
	inBare               // in a cell without quotes
	inQuotes             // in a cell with quotes
	afterQuote           // after a quote in there, which ends the cell or is doubled
	afterReturn          // after a quote and a carriage return, before a line break
	inWaste              // after something that cannot be in a row
	rowEnd
)

// row reads a row into buf, ends and quote. The error is that of the underlying reader.
func (t *Table) row() (*Fault, error) {
	t.buf, t.ends, t.quote = t.buf[:0], t.ends[:0], t.quote[:0]
	p := rowParser{table: t, first: t.nextLine()}
	read := false
	for p.state != rowEnd {
		part, err := t.text.more()
		if err == io.EOF && read {
			p.end()
			break
		}
		if err != nil {
			return nil, err
		}
		read = true
		t.text.discard(part, p.parse(part))
	}
	switch {
	case p.fault != nil:
		p.fault.Last = t.text.line
		return p.fault, nil
	case p.long:
		return tooLong(p.first, t.text.line, t.most), nil
	}
	return nil, nil
}

// A rowParser parses one row.
type rowParser struct {
	table  *Table
	first  int
	state  rowState
	size   int // bytes of the row
	long   bool
	quoted bool // the current cell began with a quote
	fault  *Fault
}

// parse returns how many bytes of part belong to the row.
func (p *rowParser) parse(part []byte) int {
	for i := 0; i < len(part); i++ {
		if p.state == inBare || p.state == inQuotes {
			n := p.plain(part[i:])
			p.keep(part[i : i+n])
			if i += n; i == len(part) {
				break
			}
		}
		if p.size++; p.size > p.table.most {
			p.long = true
		}
		if p.step(part[i]); p.state == rowEnd {
			return i + 1
		}
	}
	return len(part)
}

// plain returns how many of the next bytes can only be text of the cell.
func (p *rowParser) plain(part []byte) int {
	if p.state == inQuotes {
		if n := bytes.IndexByte(part, '"'); n >= 0 {
			return n
		}
		return len(part)
	}
	for i, c := range part {
		if c == p.table.comma || c == '\n' {
			return i
		}
	}
	return len(part)
}

// keep appends text to the cell, unless the row is too long.
func (p *rowParser) keep(text []byte) {
	if p.size += len(text); p.size > p.table.most {
		p.long = true
	}
	if !p.long && p.fault == nil {
		p.table.buf = append(p.table.buf, text...)
	}
}

// step takes one byte.
func (p *rowParser) step(c byte) {
	switch {
	case p.state == inQuotes: // plain stopped at a quote
		p.state = afterQuote
	case p.state == afterQuote && c == '"':
		p.size--
		p.keep([]byte{c})
		p.state = inQuotes
	case p.state == afterQuote && c == '\r':
		p.state = afterReturn
	case c == '\n':
		p.trimReturn()
		p.endCell()
		p.state = rowEnd
	case p.state == inWaste:
	case p.state == afterReturn, p.state == afterQuote && c != p.table.comma:
		p.fail(fmt.Sprintf("column %d: delimiter or line end expected after the closing quote, got %q", len(p.table.ends)+1, c))
		p.state = inWaste
	case c == p.table.comma:
		p.endCell()
		p.state = cellStart
	case c == '"' && p.state == cellStart:
		p.state, p.quoted = inQuotes, true
	default:
		p.size--
		p.keep([]byte{c})
		p.state = inBare
	}
}

func (p *rowParser) fail(message string) {
	if p.fault == nil {
		p.fault = &Fault{First: p.first, Rule: RuleQuote, Message: message}
	}
}

// maxColumns is how many cells a row may have, as in spreadsheets.
const maxColumns = 1 << 14

// endCell ends the current cell.
func (p *rowParser) endCell() {
	t := p.table
	if p.long || p.fault != nil {
		return
	}
	if len(t.ends) == maxColumns {
		p.fault = &Fault{First: p.first, Rule: RuleCells, Message: fmt.Sprintf("at most %d cells expected", maxColumns)}
		return
	}
	t.ends, t.quote = append(t.ends, len(t.buf)), append(t.quote, p.quoted)
	p.quoted = false
}

// trimReturn takes the first half of a line break off an unquoted cell.
func (p *rowParser) trimReturn() {
	if p.state == inBare && !p.long && p.fault == nil {
		p.table.buf = bytes.TrimSuffix(p.table.buf, []byte("\r"))
	}
}

// end ends the row where the text ends.
func (p *rowParser) end() {
	if p.state == inQuotes {
		p.table.cut = true
		p.fail(fmt.Sprintf("column %d: the quote is not closed", len(p.table.ends)+1))
	}
	p.trimReturn()
	p.endCell()
	p.state = rowEnd
}

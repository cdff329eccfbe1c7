package main

import (
	"context"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// sqlView is the view of the file that statements read.
const sqlView = "bucket_objects"

// sqlFlags are the flags of a statement.
type sqlFlags struct {
	statement string
	csv       bool
	timeout   time.Duration
	limit     int // of rows; 0 means all
}

// runSQL runs a statement and prints its rows.
func (a *app) runSQL(ctx context.Context, f sqlFlags) error {
	statement, err := a.argument(ctx, f.statement)
	if err != nil {
		return err
	}
	st, err := a.open(ctx, toRead, nil) // it checks the file
	if err != nil {
		return err
	}
	defer st.Close()
	inspection := ctx
	if f.timeout > 0 {
		var cancel context.CancelFunc
		inspection, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	p := &rowPrinter{app: a, flags: f}
	ended := make(chan error, 1)
	go func() { ended <- engine.Inspect(inspection, a.db, sqlView, string(statement), p.begin, p.row) }()
	select {
	case err = <-ended:
	case <-inspection.Done():
		// What SQLite is doing may not be interruptible. It only reads, and ends with the
		// program.
		select {
		case err = <-ended:
		case <-time.After(time.Second):
			err = inspection.Err()
		}
	}
	var refused *engine.StatementError
	switch {
	case err == errEnough:
		err = p.end()
		a.note("there are more rows; --limit 0 prints all")
		return err
	case errors.As(err, &refused):
		return usagef("--sql: %w", err)
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return fmt.Errorf("--sql: the statement takes longer than %v; --timeout allows more", f.timeout)
	case err != nil:
		return err
	}
	return p.end()
}

// errEnough ends a statement that has more rows than are wanted.
var errEnough = errors.New("enough")

// rowPrinter prints rows as a table, as lines of JSON, or as CSV.
type rowPrinter struct {
	app     *app
	flags   sqlFlags
	columns []string
	rows    int
	table   *table
	csv     *csv.Writer
}

func (p *rowPrinter) begin(columns []string) error {
	p.columns = columns
	switch {
	case p.app.json:
	case p.flags.csv:
		p.csv = csv.NewWriter(p.app.out)
		return p.csv.Write(columns)
	default:
		p.table = newTable(p.app.out)
		header := make([]string, len(columns))
		for i, c := range columns {
			header[i] = strings.ToUpper(c)
		}
		p.table.row(asAny(header)...)
	}
	return nil
}

func (p *rowPrinter) row(r engine.Row) error {
	if p.rows++; p.flags.limit > 0 && p.rows > p.flags.limit {
		return errEnough
	}
	if p.app.json {
		return p.line(r)
	}
	cells := make([]string, len(r))
	for i, v := range r {
		cells[i] = cellText(v.Any())
	}
	if p.csv != nil {
		return p.csv.Write(cells)
	}
	for i := range cells {
		cells[i] = cut(cells[i], 2*maxCell)
	}
	p.table.row(asAny(cells)...)
	return nil
}

// line prints a row as an object whose members are in the order of the columns.
func (p *rowPrinter) line(r engine.Row) error {
	text := []byte{'{'}
	for i, v := range r {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(value.AppendString(text, p.columns[i]), ':')
		switch v := v.Any().(type) {
		case nil:
			text = append(text, "null"...)
		case int64:
			text = strconv.AppendInt(text, v, 10)
		case float64:
			if math.IsInf(v, 0) {
				text = append(text, "null"...) // JSON has no such number
			} else {
				text = value.AppendNumber(text, v)
			}
		default:
			text = value.AppendString(text, cellText(v))
		}
	}
	_, err := p.app.out.Write(append(text, '}', '\n'))
	return err
}

// cellText returns a value as text.
func cellText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

func (p *rowPrinter) end() error {
	if p.csv != nil {
		p.csv.Flush()
		return p.csv.Error()
	}
	if p.table != nil {
		return p.table.flush()
	}
	return nil
}

func asAny(list []string) []any {
	items := make([]any, len(list))
	for i, s := range list {
		items[i] = s
	}
	return items
}

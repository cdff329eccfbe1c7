package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"modernc.org/sqlite"
)

// Conn is one SQLite connection with its prepared statements. It is used by one
// goroutine at a time.
//
// It speaks to the driver directly: database/sql would add a pool we must not
// use for writing, and per-call costs that weigh as much as a point read.
type Conn struct {
	raw        driver.Conn
	stmts      map[string]*stmt
	args       []driver.NamedValue
	rolledBack bool // set by SQLite whenever a transaction is rolled back
}

// stmt is a prepared statement and the buffer its rows are read into.
type stmt struct {
	driver.Stmt
	row Row
}

// Row is one row of a result, valid until the function it was handed to
// returns. Strings and byte slices taken from it are copies.
type Row []driver.Value

// Null reports whether column i is NULL.
func (r Row) Null(i int) bool { return r[i] == nil }

// Int returns the integer in column i, 0 for NULL.
func (r Row) Int(i int) int64 { v, _ := r[i].(int64); return v }

// Text returns the text in column i, "" for NULL.
func (r Row) Text(i int) string { v, _ := r[i].(string); return v }

// Bytes returns the blob in column i, nil for NULL.
func (r Row) Bytes(i int) []byte { v, _ := r[i].([]byte); return v }

// Size returns how many bytes the texts and byte slices of the row have.
func (r Row) Size() (n int64) {
	for _, v := range r {
		switch v := v.(type) {
		case string:
			n += int64(len(v))
		case []byte:
			n += int64(len(v))
		}
	}
	return n
}

// connect opens a connection to dsn.
func connect(dsn string) (*Conn, error) {
	// Errors get the text of their code. The connection's own text
	// may be about another error: for one of a backup's target it is "not an error".
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	return connectAsIs(dsn + separator + "_error_rc=1")
}

// connectAsIs opens a connection whose errors have the connection's own text.
func connectAsIs(dsn string) (*Conn, error) {
	if err := registerCallback(); err != nil {
		return nil, err
	}
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	raw, err := connector.Connect(context.Background())
	if err != nil {
		return nil, classify(err)
	}
	c := &Conn{raw: raw, stmts: make(map[string]*stmt)}
	raw.(sqlite.HookRegisterer).RegisterRollbackHook(func() { c.rolledBack = true })
	return c, nil
}

// Exec runs a statement and returns the number of rows it changed. Arguments
// are nil, bool, int64, float64, string or []byte; query is a constant, since
// each distinct text is prepared once and kept.
func (c *Conn) Exec(query string, args ...any) (int64, error) {
	s, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	res, err := s.Stmt.(driver.StmtExecContext).ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, classify(err)
	}
	return res.RowsAffected()
}

// Query runs a statement and hands each row to each, stopping at its first
// error. The statement is closed when Query returns.
func (c *Conn) Query(query string, args []any, each func(Row) error) error {
	return c.query(context.Background(), query, args, each)
}

// LongQuery is [Conn.Query] for a statement that reads much. It is interrupted
// when ctx ends, if that is before its first row; so query should sort its rows,
// or have but one. It must not write: SQLite would roll back the writes.
func (c *Conn) LongQuery(ctx context.Context, query string, args []any, each func(Row) error) error {
	return c.query(ctx, query, args, each)
}

func (c *Conn) query(ctx context.Context, query string, args []any, each func(Row) error) (err error) {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, c.bind(args))
	if err != nil {
		return classify(err)
	}
	defer func() {
		if e := rows.Close(); e != nil && err == nil {
			err = classify(e)
		}
	}()
	if s.row == nil {
		s.row = make(Row, len(rows.Columns()))
	}
	for {
		if err := rows.Next(s.row); err == io.EOF {
			return nil
		} else if err != nil {
			return classify(err)
		}
		if err := each(s.row); err != nil {
			return err
		}
	}
}

// QueryRow hands the first row to scan, which may be nil, and reports whether there was one.
func (c *Conn) QueryRow(query string, args []any, scan func(Row)) (found bool, err error) {
	err = c.Query(query, args, func(r Row) error {
		found = true
		if scan != nil {
			scan(r)
		}
		return errStop
	})
	if err == errStop {
		err = nil
	}
	return found, err
}

// Snapshot runs f, whose statements all see the database as it is at the first
// of them. f must not write.
func (c *Conn) Snapshot(f func() error) error {
	if err := c.script("BEGIN"); err != nil {
		return err
	}
	defer c.script("ROLLBACK") // there is nothing to commit
	return f()
}

// errStop ends a Query early.
var errStop = errors.New("stop")

// pragma returns the value of a pragma as text.
func (c *Conn) pragma(name string) (string, error) {
	var value string
	_, err := c.QueryRow("PRAGMA "+name, nil, func(r Row) { value = fmt.Sprint(r[0]) })
	return value, err
}

// integer returns the value of a pragma that is a number.
func (c *Conn) integer(name string) (int64, error) {
	var value int64
	_, err := c.QueryRow("PRAGMA "+name, nil, func(r Row) { value = r.Int(0) })
	return value, err
}

// isReadOnly reports whether the connection cannot write the file.
func (c *Conn) isReadOnly() (bool, error) {
	return c.raw.(interface{ IsReadOnly(string) (bool, error) }).IsReadOnly("main")
}

// dataVersion returns a number that changes whenever the database does, by
// whatever connection.
func (c *Conn) dataVersion() (uint32, error) {
	return c.raw.(sqlite.FileControl).FileControlDataVersion("main")
}

func (c *Conn) prepare(query string) (*stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	p, err := c.raw.Prepare(query)
	if err != nil {
		return nil, classify(err)
	}
	s := &stmt{Stmt: p}
	c.stmts[query] = s
	return s, nil
}

// bind returns args in the driver's form, in a buffer the next call reuses.
func (c *Conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// script runs several statements in turn, keeping none prepared.
func (c *Conn) script(sql string) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(context.Background(), sql, nil)
	if err != nil {
		return classify(err)
	}
	return nil
}

func (c *Conn) close() error {
	for _, s := range c.stmts {
		s.Close()
	}
	c.stmts = nil
	return c.raw.Close()
}

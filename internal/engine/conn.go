package engine

import (
	"context"
	"errors"

	_ "github.com/bucketlite/bucketlite/internal/pagecache" // of all connections
	"github.com/bucketlite/bucketlite/internal/sqlite3"
)

// Conn is one SQLite connection with its prepared statements. It is used by one
// goroutine at a time.
type Conn struct {
	raw        *sqlite3.Conn
	stmts      map[string]*sqlite3.Stmt
	rolledBack bool // set by SQLite whenever a transaction is rolled back
	held       held
}

// connect opens a connection to the database at uri.
func connect(uri string) (*Conn, error) {
	raw, err := sqlite3.Open(uri, "")
	if err != nil {
		return nil, classify(err)
	}
	c := &Conn{raw: raw, stmts: make(map[string]*sqlite3.Stmt)}
	raw.OnRollback(func() { c.rolledBack = true })
	if err := c.define(); err != nil {
		c.close()
		return nil, classify(err)
	}
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
	if err := s.Bind(args); err != nil {
		return 0, classify(err)
	}
	more := true
	for more && err == nil {
		more, err = s.Step()
	}
	changed := c.raw.Changes()
	if e := s.Reset(); err == nil {
		err = e
	}
	if err != nil {
		return 0, classify(err)
	}
	return changed, nil
}

// Query runs a statement and hands each row to each, stopping at its first
// error. The statement is closed when Query returns; until then it cannot be run again.
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
	if err := s.Bind(args); err != nil {
		return classify(err)
	}
	defer func() {
		// A query that stops at its first row has not failed, but ending it can.
		if e := s.Reset(); e != nil && (err == nil || err == errStop) {
			err = classify(e)
		}
	}()
	more, err := c.begin(ctx, s)
	for more && err == nil {
		if err := each(s.Row()); err != nil {
			return err
		}
		more, err = s.Step()
	}
	return classify(err)
}

// begin runs a statement up to its first row, or the end of ctx.
func (c *Conn) begin(ctx context.Context, s *sqlite3.Stmt) (more bool, err error) {
	if ctx.Done() == nil {
		return s.Step()
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	stop := c.raw.Until(ctx)
	defer func() {
		if stop() {
			more, err = false, ctx.Err()
		}
	}()
	return s.Step()
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
	if c.held.ok {
		return f()
	}
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
	_, err := c.QueryRow("PRAGMA "+name, nil, func(r Row) { value = r[0].String() })
	return value, err
}

// integer returns the value of a pragma that is a number.
func (c *Conn) integer(name string) (int64, error) {
	var value int64
	_, err := c.QueryRow("PRAGMA "+name, nil, func(r Row) { value = r.Int(0) })
	return value, err
}

func (c *Conn) prepare(query string) (*sqlite3.Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	s, err := c.raw.Prepare(query)
	if err != nil {
		return nil, classify(err)
	}
	c.stmts[query] = s
	return s, nil
}

// script runs several statements in turn, keeping none prepared.
func (c *Conn) script(sql string) error { return classify(c.raw.Script(sql)) }

func (c *Conn) close() error {
	for _, s := range c.stmts {
		s.Close()
	}
	c.stmts = nil
	return c.raw.Close()
}

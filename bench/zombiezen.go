package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// zombie is the same SQLite by another binding, on one connection.
type zombie struct {
	mu   sync.Mutex
	conn *sqlite.Conn
	statements
}

func openZombiezen(ctx context.Context, dir string, s settings) (_ store, err error) {
	conn, err := sqlite.OpenConn(path(dir, "zombiezen.db"), sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, conn.Close())
		}
	}()
	for _, p := range pragmas(s) {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+p, nil); err != nil {
			return nil, err
		}
	}
	z := &zombie{conn: conn, statements: statementsFor(s)}
	tables, err := z.number("SELECT count(*) FROM sqlite_schema")
	if err != nil || tables > 0 {
		return z, err
	}
	table, err := objectTable()
	if err != nil {
		return nil, err
	}
	return z, sqlitex.ExecuteScript(conn, table+z.script, nil)
}

// run executes a statement and calls do with each row.
func (z *zombie) run(query string, values []any, do func(*sqlite.Stmt) error) error {
	stmt, err := z.conn.Prepare(query) // which the connection keeps
	if err != nil {
		return err
	}
	for i, v := range values {
		switch v := v.(type) {
		case string:
			stmt.BindText(i+1, v)
		case []byte:
			stmt.BindBytes(i+1, v)
		case int64:
			stmt.BindInt64(i+1, v)
		case float64:
			stmt.BindFloat(i+1, v)
		}
	}
	for {
		more, err := stmt.Step()
		if err != nil {
			return errors.Join(err, stmt.Reset())
		}
		if !more {
			return stmt.Reset()
		}
		if err := do(stmt); err != nil {
			return errors.Join(err, stmt.Reset())
		}
	}
}

func none(*sqlite.Stmt) error { return nil }

func (z *zombie) Put(ctx context.Context, r *row) error {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.run(z.insert, r.values, none)
}

func (z *zombie) Upsert(ctx context.Context, r *row) error {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.run(z.upsert, r.values, none)
}

func (z *zombie) PutMany(ctx context.Context, rows []*row) (err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	end, err := sqlitex.ImmediateTransaction(z.conn)
	if err != nil {
		return err
	}
	defer end(&err)
	for _, r := range rows {
		if err := z.run(z.insert, r.values, none); err != nil {
			return err
		}
	}
	return nil
}

// read reads all columns of a row, and decodes its fields.
func (z *zombie) read(stmt *sqlite.Stmt) (decoded, error) {
	for i := range 10 {
		switch stmt.ColumnType(i) {
		case sqlite.TypeInteger:
			stmt.ColumnInt64(i)
		case sqlite.TypeText:
			stmt.ColumnText(i)
		}
	}
	text := make([]byte, stmt.ColumnLen(10))
	stmt.ColumnBytes(10, text)
	return decode(text)
}

func (z *zombie) Row(ctx context.Context, key string) (row decoded, err error) {
	rows, err := z.rows(z.row, sqlKey(key))
	if err == nil && len(rows) != 1 {
		err = fmt.Errorf("key %q: got %d rows, want 1", key, len(rows))
	}
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

func (z *zombie) rows(query string, values ...any) (rows []decoded, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	err = z.run(query, values, func(stmt *sqlite.Stmt) error {
		row, err := z.read(stmt)
		rows = append(rows, row)
		return err
	})
	return rows, err
}

func (z *zombie) Page(ctx context.Context, f filter, limit int) ([]decoded, error) {
	return z.rows(f.of(z.page), f.value, int64(limit))
}

// number returns the first column of a statement's one row.
func (z *zombie) number(query string, values ...any) (n int64, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	err = z.run(query, values, func(stmt *sqlite.Stmt) error { n = stmt.ColumnInt64(0); return nil })
	return n, err
}

func (z *zombie) CountOf(ctx context.Context, f filter) (int, error) {
	n, err := z.number(f.of(z.countOf), f.value)
	return int(n), err
}

func (z *zombie) Count(ctx context.Context) (int, error) {
	n, err := z.number(z.count)
	return int(n), err
}

func (z *zombie) Sums(ctx context.Context) (rows, size int64, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	err = z.run(z.sums, nil, func(stmt *sqlite.Stmt) error {
		rows, size = stmt.ColumnInt64(0), stmt.ColumnInt64(1)
		return nil
	})
	return rows, size, err
}

func (z *zombie) Close() error { return z.conn.Close() }

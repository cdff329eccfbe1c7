package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ncruces/go-sqlite3"
)

// wasm is SQLite translated to Go by way of WebAssembly, on one connection.
type wasm struct {
	mu       sync.Mutex
	conn     *sqlite3.Conn
	prepared map[string]*sqlite3.Stmt
	statements
}

func openNcruces(ctx context.Context, dir string, s settings) (_ store, err error) {
	conn, err := sqlite3.Open(path(dir, "ncruces.db"))
	if err != nil {
		return nil, err
	}
	w := &wasm{conn: conn, prepared: map[string]*sqlite3.Stmt{}, statements: statementsFor(s)}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	for _, p := range pragmas(s) {
		if err := conn.Exec("PRAGMA " + p); err != nil {
			return nil, err
		}
	}
	tables, err := w.number("SELECT count(*) FROM sqlite_schema")
	if err != nil || tables > 0 {
		return w, err
	}
	table, err := objectTable()
	if err != nil {
		return nil, err
	}
	return w, conn.Exec(table + w.script)
}

// stmt returns a statement with values.
func (w *wasm) stmt(query string, values []any) (*sqlite3.Stmt, error) {
	stmt := w.prepared[query]
	if stmt == nil {
		var err error
		if stmt, _, err = w.conn.Prepare(query); err != nil {
			return nil, err
		}
		w.prepared[query] = stmt
	}
	for i, v := range values {
		var err error
		switch v := v.(type) {
		case string:
			err = stmt.BindText(i+1, v)
		case []byte:
			err = stmt.BindBlob(i+1, v)
		case int64:
			err = stmt.BindInt64(i+1, v)
		case float64:
			err = stmt.BindFloat(i+1, v)
		}
		if err != nil {
			return nil, err
		}
	}
	return stmt, nil
}

// run executes a statement and calls do with each row.
func (w *wasm) run(query string, values []any, do func(*sqlite3.Stmt) error) error {
	stmt, err := w.stmt(query, values)
	if err != nil {
		return err
	}
	for stmt.Step() {
		if err := do(stmt); err != nil {
			return errors.Join(err, stmt.Reset())
		}
	}
	return errors.Join(stmt.Err(), stmt.Reset())
}

func (w *wasm) exec(query string, values []any) error {
	stmt, err := w.stmt(query, values)
	if err != nil {
		return err
	}
	return stmt.Exec()
}

func (w *wasm) Put(ctx context.Context, r *row) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.exec(w.insert, r.values)
}

func (w *wasm) Upsert(ctx context.Context, r *row) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.exec(w.upsert, r.values)
}

func (w *wasm) PutMany(ctx context.Context, rows []*row) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	tx, err := w.conn.BeginImmediate()
	if err != nil {
		return err
	}
	defer tx.End(&err)
	for _, r := range rows {
		if err := w.exec(w.insert, r.values); err != nil {
			return err
		}
	}
	return nil
}

// read reads all columns of a row, and decodes its fields.
func (w *wasm) read(stmt *sqlite3.Stmt) (decoded, error) {
	for i := range 10 {
		switch stmt.ColumnType(i) {
		case sqlite3.INTEGER:
			stmt.ColumnInt64(i)
		case sqlite3.TEXT:
			stmt.ColumnText(i)
		}
	}
	return decode(stmt.ColumnRawBlob(10))
}

func (w *wasm) Row(ctx context.Context, key string) (row decoded, err error) {
	rows, err := w.rows(w.row, sqlKey(key))
	if err == nil && len(rows) != 1 {
		err = fmt.Errorf("key %q: got %d rows, want 1", key, len(rows))
	}
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

func (w *wasm) rows(query string, values ...any) (rows []decoded, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	err = w.run(query, values, func(stmt *sqlite3.Stmt) error {
		row, err := w.read(stmt)
		rows = append(rows, row)
		return err
	})
	return rows, err
}

func (w *wasm) Page(ctx context.Context, f filter, limit int) ([]decoded, error) {
	return w.rows(f.of(w.page), f.value, int64(limit))
}

// number returns the first column of a statement's one row.
func (w *wasm) number(query string, values ...any) (n int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	err = w.run(query, values, func(stmt *sqlite3.Stmt) error { n = stmt.ColumnInt64(0); return nil })
	return n, err
}

func (w *wasm) CountOf(ctx context.Context, f filter) (int, error) {
	n, err := w.number(f.of(w.countOf), f.value)
	return int(n), err
}

func (w *wasm) Count(ctx context.Context) (int, error) {
	n, err := w.number(w.count)
	return int(n), err
}

func (w *wasm) Sums(ctx context.Context) (rows, size int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	err = w.run(w.sums, nil, func(stmt *sqlite3.Stmt) error {
		rows, size = stmt.ColumnInt64(0), stmt.ColumnInt64(1)
		return nil
	})
	return rows, size, err
}

func (w *wasm) Close() (err error) {
	for _, stmt := range w.prepared {
		err = errors.Join(err, stmt.Close())
	}
	return errors.Join(err, w.conn.Close())
}

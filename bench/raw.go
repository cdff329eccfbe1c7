package main

import (
	"context"
	"database/sql"
	"errors"
	"net/url"

	_ "modernc.org/sqlite" // the driver
)

// raw is the same SQLite by its driver for database/sql.
type raw struct {
	db                       *sql.DB
	insert, upsert, row, len *sql.Stmt
}

func openRaw(ctx context.Context, dir string, s settings) (store, error) {
	synchronous := "NORMAL"
	if s.durable {
		synchronous = "FULL"
	}
	name := (&url.URL{Path: path(dir, "raw.db")}).EscapedPath()
	db, err := sql.Open("sqlite", "file:"+name+"?_pragma=auto_vacuum(2)&_pragma=journal_mode(wal)&_pragma=synchronous("+synchronous+")")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	r := &raw{db: db}
	if err := r.prepare(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

// prepare makes the table unless it is there, and prepares the statements.
func (r *raw) prepare(ctx context.Context) error {
	var tables int
	if err := r.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	if tables == 0 {
		script, err := objectTable(ctx)
		if err != nil {
			return err
		}
		if _, err := r.db.ExecContext(ctx, script); err != nil {
			return err
		}
	}
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{{&r.insert, insertRow}, {&r.upsert, upsertRow}, {&r.row, selectRow}, {&r.len, countRows}} {
		stmt, err := r.db.PrepareContext(ctx, s.text)
		if err != nil {
			return err
		}
		*s.stmt = stmt
	}
	return nil
}

func (r *raw) Put(ctx context.Context, row *row) error {
	_, err := r.insert.Exec(row.values...)
	return err
}

func (r *raw) Upsert(ctx context.Context, row *row) error {
	_, err := r.upsert.Exec(row.values...)
	return err
}

func (r *raw) PutMany(ctx context.Context, rows []*row) error {
	tx, err := r.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert := tx.Stmt(r.insert)
	for _, row := range rows {
		if _, err := insert.Exec(row.values...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (r *raw) Row(ctx context.Context, key string) (map[string]any, error) {
	var (
		seq, version, size, created, updated int64
		id, status                           string
		problem, prefix, blobs               sql.NullString
		text                                 []byte
	)
	err := r.row.QueryRow(sqlKey(key)).Scan(&seq, &id, &version, &size, &status, &problem, &prefix, &created, &updated, &blobs, &text)
	if err != nil {
		return nil, err
	}
	return decode(text)
}

func (r *raw) Count(ctx context.Context) (n int, err error) {
	err = r.len.QueryRow().Scan(&n)
	return n, err
}

func (r *raw) Close() error { return r.db.Close() }

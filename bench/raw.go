package main

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"runtime"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

// raw is the same SQLite by its driver for database/sql: one connection that writes, and
// one for each core that reads.
type raw struct {
	reads                            *sql.DB // by several connections
	db                               *sql.DB
	insert, upsert, row, count, sums *sql.Stmt
	pageByPrice, pageByStock         *sql.Stmt
	countByPrice, countByStock       *sql.Stmt
}

func openRaw(ctx context.Context, dir string, s settings) (store, error) {
	name := "file:" + (&url.URL{Path: path(dir, "raw.db")}).EscapedPath()
	for i, pragma := range pragmas(s) {
		name += string("?&"[min(i, 1)]) + "_pragma=" + strings.ReplaceAll(strings.Replace(pragma, " = ", "(", 1)+")", " ", "")
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	reads, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	reads.SetMaxOpenConns(runtime.NumCPU())
	reads.SetMaxIdleConns(runtime.NumCPU())
	r := &raw{db: db, reads: reads}
	if err := r.prepare(ctx, statementsFor(s)); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// prepare makes the table unless it is there, and prepares the statements.
func (r *raw) prepare(ctx context.Context, t statements) error {
	var tables int
	if err := r.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	if tables == 0 {
		table, err := objectTable()
		if err != nil {
			return err
		}
		if _, err := r.db.ExecContext(ctx, table+t.script); err != nil {
			return err
		}
	}
	for _, s := range []struct {
		db   *sql.DB
		stmt **sql.Stmt
		text string
	}{
		{r.db, &r.insert, t.insert}, {r.db, &r.upsert, t.upsert},
		{r.reads, &r.row, t.row}, {r.reads, &r.count, t.count}, {r.reads, &r.sums, t.sums},
		{r.reads, &r.pageByPrice, t.page[0]}, {r.reads, &r.pageByStock, t.page[1]},
		{r.reads, &r.countByPrice, t.countOf[0]}, {r.reads, &r.countByStock, t.countOf[1]},
	} {
		stmt, err := s.db.PrepareContext(ctx, s.text)
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
	defer tx.Rollback() // without effect after the commit
	insert := tx.Stmt(r.insert)
	for _, row := range rows {
		if _, err := insert.Exec(row.values...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// scanRow reads all columns of a row, and decodes its fields.
func scanRow(scan func(into ...any) error) (decoded, error) {
	var (
		seq, version, size, created, updated int64
		id, status                           string
		problem, prefix, blobs               sql.NullString
		text                                 []byte
	)
	if err := scan(&seq, &id, &version, &size, &status, &problem, &prefix, &created, &updated, &blobs, &text); err != nil {
		return nil, err
	}
	return decode(text)
}

func (r *raw) Row(ctx context.Context, key string) (decoded, error) {
	return scanRow(r.row.QueryRow(sqlKey(key)).Scan)
}

func (r *raw) Page(ctx context.Context, f filter, limit int) (page []decoded, err error) {
	stmt := r.pageByPrice
	if f.indexed {
		stmt = r.pageByStock
	}
	rows, err := stmt.Query(f.value, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := scanRow(rows.Scan)
		if err != nil {
			return nil, err
		}
		page = append(page, row)
	}
	return page, rows.Err()
}

func (r *raw) CountOf(ctx context.Context, f filter) (n int, err error) {
	stmt := r.countByPrice
	if f.indexed {
		stmt = r.countByStock
	}
	err = stmt.QueryRow(f.value).Scan(&n)
	return n, err
}

func (r *raw) Count(ctx context.Context) (n int, err error) {
	err = r.count.QueryRow().Scan(&n)
	return n, err
}

func (r *raw) Sums(ctx context.Context) (rows, size int64, err error) {
	err = r.sums.QueryRow().Scan(&rows, &size)
	return rows, size, err
}

func (r *raw) Close() error { return errors.Join(r.reads.Close(), r.db.Close()) }

// Prepare fills a second table.
func (r *raw) Prepare(ctx context.Context, what large, rows int, _ int64) error {
	if what == stream {
		return errUnable
	}
	_, err := r.db.ExecContext(ctx, "DROP TABLE IF EXISTS large; CREATE TABLE large (seq INTEGER PRIMARY KEY, fields BLOB NOT NULL) STRICT")
	if err != nil {
		return err
	}
	tx, err := r.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after the commit
	insert, err := tx.Prepare("INSERT INTO large (fields) VALUES (jsonb(CAST(? AS TEXT)))")
	if err != nil {
		return err
	}
	for i := range rows {
		if _, err := insert.Exec(newRow(i).text); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Labour deletes all rows of the second table, or adds an index to it, in one statement.
func (r *raw) Labour(ctx context.Context, what large) (deleted int, err error) {
	statement := "DELETE FROM large WHERE json_extract(fields, '$.price') >= 0"
	if what == indexing {
		statement = "CREATE INDEX large_price ON large (json_extract(fields, '$.price'))"
	}
	res, err := r.db.ExecContext(ctx, statement)
	if err != nil || what == indexing {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

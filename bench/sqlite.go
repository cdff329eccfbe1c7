package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/bucketlite/bucketlite"
)

// The peers that are SQLite alone have the library's table of objects, with its indexes,
// in a file of their own, and what one would write by hand: prepared statements, one
// connection, rows that were encoded beforehand. They check and count nothing.

// insertRow takes the values of a row. Its place is the next one.
const (
	insertColumns = "INSERT INTO object (partition, id, key, version, size, status, created_at, updated_at, checksum, fields) VALUES (1, ?, ?, ?, ?, 'DRAFT', ?, ?, ?, "
	insertRow     = insertColumns + "?)"
	upsertRow     = insertRow + ` ON CONFLICT (partition, key) WHERE key IS NOT NULL DO UPDATE SET version = version + 1,
size = excluded.size, updated_at = excluded.updated_at, checksum = excluded.checksum, fields = excluded.fields`
	selectRow = "SELECT seq, id, version, size, status, error, key_prefix, created_at, updated_at, blobs, fields FROM object WHERE partition = 1 AND key = ?"
	countRows = "SELECT count(*) FROM object WHERE partition = 1"
)

// sqlValues returns what insertRow takes.
func (r *row) sqlValues() []any {
	const then = 1_700_000_000_000_000 // microseconds since 1970
	at := int64(then + r.number)
	return []any{fmt.Sprintf("obj_01ARZ3NDEKTSV4RRFFQ%09d", r.number), sqlKey(r.key), int64(r.number), int64(len(r.text)), at, at, int64(r.number) * 7, r.text}
}

// sqlKey encodes a unique key as the library does.
func sqlKey(key string) []byte {
	return append(binary.AppendUvarint([]byte{'s'}, uint64(len(key))), key...)
}

// objectTable returns the statements that make the library's table of objects and its
// indexes, as they are in a new file.
func objectTable(ctx context.Context) (script string, err error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	name := path(dir, "new.db")
	st, err := bucketlite.Open(ctx, name, &bucketlite.Options{Reserve: -1})
	if err == nil {
		err = st.Close()
	}
	if err != nil {
		return "", err
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, "SELECT sql FROM sqlite_schema WHERE tbl_name = 'object' AND sql IS NOT NULL ORDER BY type DESC")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var statements []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return "", err
		}
		statements = append(statements, s)
	}
	if len(statements) < 3 {
		return "", fmt.Errorf("table of objects: got %q, want a table and its indexes", statements)
	}
	return strings.Join(statements, ";\n"), rows.Err()
}

// decode returns the fields of JSON text.
func decode(text []byte) (fields map[string]any, err error) {
	err = json.Unmarshal(text, &fields)
	return fields, err
}

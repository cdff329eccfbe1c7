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
	"sync"

	"github.com/bucketlite/bucketlite"
)

// The peers that are SQLite alone have the library's table of objects, with its indexes,
// in a file of their own, and what one would write by hand: prepared statements, one
// connection that writes, rows that were encoded beforehand. They check and count nothing.

// statements are the statements of such a peer.
type statements struct {
	insert, upsert string // take sqlValues
	row            string // takes the key
	count, sums    string
	page, countOf  [2]string // by a condition that has no index, and one that has
	script         string    // makes what the table needs beside its own indexes
}

// rowColumns are the columns that are read, with the fields at the end.
const rowColumns = "seq, id, version, size, status, error, key_prefix, created_at, updated_at, blobs, "

// statementsFor returns the statements for rows that are queried, which have their fields
// in SQLite's binary form, or for those that are not, which have them as JSON.
func statementsFor(s settings) statements {
	in, out := "?", "fields"
	if s.queried {
		in, out = "jsonb(CAST(? AS TEXT))", "json(fields)"
	}
	insert := "INSERT INTO object (partition, id, key, version, size, status, created_at, updated_at, checksum, fields) " +
		"VALUES (1, ?, ?, ?, ?, 'DRAFT', ?, ?, ?, " + in + ")"
	t := statements{
		insert: insert,
		upsert: insert + " ON CONFLICT (partition, key) WHERE key IS NOT NULL DO UPDATE SET version = version + 1, " +
			"size = excluded.size, updated_at = excluded.updated_at, checksum = excluded.checksum, fields = excluded.fields",
		row:   "SELECT " + rowColumns + out + " FROM object WHERE partition = 1 AND key = ?",
		count: "SELECT count(*) FROM object",
		sums:  "SELECT count(*), ifnull(sum(size), 0) FROM object",
	}
	if s.queried {
		t.script = "CREATE INDEX IF NOT EXISTS object_stock ON object (json_extract(fields, '$.stock'))"
	}
	for i, condition := range []string{"json_extract(fields, '$.price') < ?", "json_extract(fields, '$.stock') = ?"} {
		t.page[i] = "SELECT " + rowColumns + out + " FROM object WHERE " + condition + " ORDER BY seq LIMIT ?"
		t.countOf[i] = "SELECT count(*) FROM object WHERE " + condition
	}
	return t
}

// of returns the statement for a filter.
func (f filter) of(texts [2]string) string {
	if f.indexed {
		return texts[1]
	}
	return texts[0]
}

// pragmas are those of the peers that are SQLite alone.
func pragmas(s settings) []string {
	synchronous := "NORMAL"
	if s.durable {
		synchronous = "FULL"
	}
	return []string{"auto_vacuum = 2", "journal_mode = wal", "synchronous = " + synchronous}
}

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
var objectTable = sync.OnceValues(func() (script string, err error) {
	ctx := context.Background()
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
	return strings.Join(statements, ";\n") + ";\n", rows.Err()
})

// decode returns the row of JSON text.
func decode(text []byte) (fields fieldMap, err error) {
	err = json.Unmarshal(text, &fields)
	return fields, err
}

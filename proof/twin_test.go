package proof_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	_ "modernc.org/sqlite"
)

// twin is what one would write by hand on the bare driver: the library's own
// table and indexes, one connection, prepared statements.
type twin struct {
	b                             *testing.B
	db                            *sql.DB
	insert, onConflict, byID, byK *sql.Stmt
	seq                           int64
	queue                         chan twinRequest
}

// twinRow are the values of a row, in order of the columns.
type twinRow []any

type twinRequest struct {
	row  twinRow
	done chan error
}

const twinInsert = `INSERT INTO objects (seq, bucket, id, key, version, size, status, key_prefix, created_at, updated_at, fields, blobs)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func newTwin(b *testing.B, synchronous string) *twin {
	b.Helper()
	path := filepath.Join(b.TempDir(), "twin.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=auto_vacuum(2)&_pragma=journal_mode(wal)&_pragma=synchronous("+synchronous+")")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	ddl, err := os.ReadFile("../migrations/0001_initial.sql")
	if err != nil {
		b.Fatal(err)
	}
	t := &twin{b: b, db: db, seq: 1 << 40, queue: make(chan twinRequest, 1024)}
	t.must(db.Exec(string(ddl)))
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&t.insert, twinInsert},
		{&t.onConflict, twinInsert + ` ON CONFLICT (bucket, key) WHERE key IS NOT NULL DO UPDATE SET
version = version + 1, size = excluded.size, status = excluded.status, updated_at = excluded.updated_at, fields = excluded.fields`},
		{&t.byID, "SELECT seq, id, version, size, status, error, key_prefix, created_at, updated_at, fields, blobs FROM objects WHERE bucket = ? AND id = ?"},
		{&t.byK, "SELECT seq, id, version, size, status, error, key_prefix, created_at, updated_at, fields, blobs FROM objects WHERE bucket = ? AND key = ?"},
	} {
		if *s.stmt, err = db.Prepare(s.text); err != nil {
			b.Fatal(err)
		}
	}
	ended := make(chan struct{})
	go func() { defer close(ended); t.commitGroups() }()
	b.Cleanup(func() {
		close(t.queue)
		<-ended
		db.Close()
	})
	return t
}

func (t *twin) must(_ any, err error) {
	if err != nil {
		t.b.Helper()
		t.b.Fatal(err)
	}
}

func (t *twin) id(i int) string { return fmt.Sprintf("obj_01ARZ3NDEKTSV4RRFFQ%09d", i) }

func (t *twin) key(i int) []byte {
	s := fmt.Sprintf("sku-%09d", i)
	return append(binary.AppendUvarint([]byte{'s'}, uint64(len(s))), s...)
}

// rows encodes records as the library would store them.
func (t *twin) rows(inputs []bucketlite.ObjectInput) []twinRow {
	rows := make([]twinRow, len(inputs))
	for i, in := range inputs {
		text, err := json.Marshal(in.Fields)
		if err != nil {
			t.b.Fatal(err)
		}
		var n int
		fmt.Sscanf(in.Fields["sku"].(string), "sku-%d", &n)
		now := time.Now().UnixMicro()
		t.seq++
		rows[i] = twinRow{t.seq, 1, t.id(n), t.key(n), n, len(text), "DRAFT", nil, now, now, string(text), nil}
	}
	return rows
}

func (t *twin) put(row twinRow) { t.must(t.insert.Exec(row...)) }

func (t *twin) upsert(row twinRow) {
	t.seq++
	again := append(twinRow{}, row...)
	again[0], again[2] = t.seq, fmt.Sprintf("obj_new%d", t.seq)
	t.must(t.onConflict.Exec(again...))
}

func (t *twin) groupPut(row twinRow) {
	done := make(chan error, 1)
	t.queue <- twinRequest{row, done}
	t.must(nil, <-done)
}

// commitGroups commits what is waiting, in one transaction.
func (t *twin) commitGroups() {
	ctx := context.Background()
	var group []twinRequest
	for first := range t.queue {
		group = append(group[:0], first)
		tx, err := t.db.BeginTx(ctx, nil)
		if err == nil {
			insert := tx.Stmt(t.insert)
			_, err = insert.Exec(first.row...)
		more:
			for err == nil {
				select {
				case r, ok := <-t.queue:
					if !ok {
						break more
					}
					group = append(group, r)
					_, err = insert.Exec(r.row...)
				default:
					break more
				}
			}
			if err == nil {
				err = tx.Commit()
			}
		}
		for _, r := range group {
			r.done <- err
		}
	}
}

func (t *twin) bulk(rows []twinRow) { t.inTx(t.insert, rows) }

func (t *twin) bulkUpsert(rows []twinRow) {
	again := make([]twinRow, len(rows))
	for i, row := range rows {
		t.seq++
		again[i] = append(twinRow{}, row...)
		again[i][0], again[i][2] = t.seq, fmt.Sprintf("obj_new%d", t.seq)
	}
	t.inTx(t.onConflict, again)
}

func (t *twin) inTx(stmt *sql.Stmt, rows []twinRow) {
	tx, err := t.db.Begin()
	t.must(nil, err)
	s := tx.Stmt(stmt)
	for _, row := range rows {
		t.must(s.Exec(row...))
	}
	t.must(nil, tx.Commit())
}

// get reads a row and decodes its fields.
func (t *twin) get(by string, arg any) map[string]any {
	stmt := t.byID
	if by == "key" {
		stmt = t.byK
	}
	var seq, version, size, created, updated int64
	var id, status, fields string
	var problem, prefix, blobs sql.NullString
	t.must(nil, stmt.QueryRow(1, arg).Scan(&seq, &id, &version, &size, &status, &problem, &prefix, &created, &updated, &fields, &blobs))
	var m map[string]any
	t.must(nil, json.Unmarshal([]byte(fields), &m))
	return m
}

func (t *twin) count(want int) {
	t.b.Helper()
	var got int
	t.must(nil, t.db.QueryRow("SELECT count(*) FROM objects").Scan(&got))
	if got != want {
		t.b.Fatalf("twin: got %d rows, want %d", got, want)
	}
}

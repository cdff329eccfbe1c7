package storetest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/commit"
	"modernc.org/sqlite"
)

// OpenRaw opens the file with the bare driver, as a foreign process would.
func OpenRaw(t testing.TB, path string) *sql.DB {
	t.Helper()
	// A store may be recovering the file just then.
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Dump returns the rows of a query as text.
func Dump(t testing.TB, db *sql.DB, query string, args ...any) string {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		targets := make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, values...)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// HoldTasks keeps every store from beginning any task of the file at path, as if
// another store that has stopped had leased it, until ReleaseTasks.
func HoldTasks(t testing.TB, path string) {
	t.Helper()
	Execute(t, OpenRaw(t, path), `CREATE TRIGGER hold AFTER INSERT ON tasks BEGIN
		UPDATE tasks SET lease_owner = 'nobody/9999h', lease_until = 1 << 62 WHERE num = new.num; END`)
}

// ReleaseTasks ends the leases made since HoldTasks, and makes none after that. It opens
// the file once more, since a store that opens finds tasks at once.
func ReleaseTasks(t testing.TB, path string) {
	t.Helper()
	Execute(t, OpenRaw(t, path), "DROP TRIGGER hold; UPDATE tasks SET lease_until = 0 WHERE lease_owner = 'nobody/9999h'")
	OpenPath(t, path)
}

func init() {
	// edit_totals(totals, bucket, part, n) changes the totals that a row of events carries: it
	// adds n to the objects, the size, the clock or the greatest size of a bucket, or of all if
	// that is 0, or takes out the tally and the sizes, or all totals of the bucket.
	sqlite.MustRegisterDeterministicScalarFunction("edit_totals", 4, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		data, _ := args[0].([]byte)
		all, err := commit.UnpackTotals(data)
		if err != nil {
			return nil, err
		}
		bucket, n := args[1].(int64), args[3].(int64)
		for i := range all {
			t := &all[i]
			if bucket != 0 && t.Bucket != bucket {
				continue
			}
			switch args[2] {
			case "objects":
				t.Objects += n
			case "size":
				t.Size += n
			case "clock":
				t.Clock += n
			case "largest":
				t.Pending.Max += n
			case "tally":
				t.Tally, t.Pending = nil, commit.Pending{}
			case "all":
				t.Bucket = 0
			default:
				return nil, fmt.Errorf("totals have no part %q", args[2])
			}
		}
		if data = commit.PackTotals(slices.DeleteFunc(all, func(t commit.Running) bool { return t.Bucket == 0 })); data == nil {
			return nil, nil
		}
		return data, nil
	})
}

// Uncount makes the counts by hour and by status those of no object, as after an upgrade of
// an older file, and the counts by size exact. Statements that change the rows of objects need it.
const Uncount = `DELETE FROM hours; DELETE FROM status_counts; UPDATE events SET running = edit_totals(running, 0, 'tally', 0);
DELETE FROM sizes; INSERT INTO sizes SELECT partition, size, count(*) FROM object GROUP BY partition, size;
INSERT OR REPLACE INTO untallied SELECT partition, 1 << 40 FROM buckets`

// Execute runs statements, waiting for others who are writing.
func Execute(t testing.TB, db *sql.DB, statements string) {
	t.Helper()
	if _, err := db.Exec("PRAGMA busy_timeout = 20000; BEGIN IMMEDIATE; " + statements + "; COMMIT"); err != nil {
		t.Fatal(err)
	}
}

// ForeignLock takes the write lock with the bare driver, until the function it
// returns is called.
func ForeignLock(t *testing.T, path string) (release func()) {
	t.Helper()
	conn, err := OpenRaw(t, path).Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	execute := func(statement string) {
		if _, err := conn.ExecContext(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
	}
	execute("BEGIN IMMEDIATE")
	return func() {
		execute("ROLLBACK")
		conn.Close()
	}
}

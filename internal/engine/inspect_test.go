package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// inspected returns a file with a view "seen" of the items whose key does not begin with "x".
func inspected(t *testing.T) string {
	t.Helper()
	cfg := testConfig(newPath(t))
	cfg.Migrations = append(cfg.Migrations, "CREATE VIEW seen AS\nSELECT k AS key, json(v) AS value FROM item WHERE k NOT LIKE 'x%'")
	db := openStore(t, cfg)
	err := db.Write(context.Background(), func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO item VALUES ('a', jsonb('{"n":1,"tags":["r","g"]}')), ('b', jsonb('{"n":2}')), ('x', jsonb('{"n":3}'))`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Path
}

// inspectAll returns the columns and rows of a statement, one a line.
func inspectAll(ctx context.Context, path, statement string) (string, error) {
	var lines strings.Builder
	err := Inspect(ctx, path, "seen", statement,
		func(columns []string) error { _, err := fmt.Fprintln(&lines, strings.Join(columns, " ")); return err },
		func(r Row) error {
			values := make([]any, len(r))
			for i, v := range r {
				if values[i] = v.Any(); v.IsBlob() {
					values[i] = fmt.Sprint(values[i])
				}
			}
			_, err := fmt.Fprintln(&lines, strings.Trim(fmt.Sprint(values), "[]"))
			return err
		})
	return lines.String(), err
}

func TestInspect(t *testing.T) {
	t.Parallel()
	path := inspected(t)
	for _, test := range []struct{ name, statement, want string }{
		{"all", "SELECT * FROM seen", "key value\na {\"n\":1,\"tags\":[\"r\",\"g\"]}\nb {\"n\":2}\n"},
		{"count", "SELECT count(*) FROM seen", "count(*)\n2\n"},
		{"members", "SELECT key, value ->> 'n' AS n FROM seen ORDER BY n DESC", "key n\nb 2\na 1\n"},
		{"no rows", "SELECT key FROM seen WHERE key = 'x'", "key\n"},
		{"elements", "SELECT seen.key, t.value FROM seen, json_each(seen.value, '$.tags') t", "key value\na r\na g\n"},
		{"common table", "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT sum(n) FROM c", "sum(n)\n6\n"},
		{"common table by the view's name", "WITH seen AS (SELECT 5 AS key) SELECT * FROM seen", "key\n5\n"},
		{"rows of a common table", "WITH c AS (SELECT key FROM seen) SELECT count(*) FROM c", "count(*)\n2\n"},
		{"subquery", "SELECT count(*) FROM (SELECT DISTINCT value FROM seen) s", "count(*)\n2\n"},
		{"join with itself", "SELECT a.key, b.key AS other FROM seen a JOIN seen b ON a.key < b.key", "key other\na b\n"},
		{"values", "VALUES (1, NULL, 'x;y', x'00')", "column1 column2 column3 column4\n1 <nil> x;y [0\n"},
		{"end and comments", " -- one; two\n SELECT 1 /* ; */ AS \"a;b\"; -- three\n ; ", "a;b\n1\n"},
		{"functions", "SELECT upper(key) FROM seen LIMIT 1", "upper(key)\nA\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, err := inspectAll(context.Background(), path, test.statement); err != nil || got != test.want {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

// A statement can neither change anything nor read past the view.
func TestInspectRefuses(t *testing.T) {
	t.Parallel()
	path := inspected(t)
	before := readFile(t, path)
	for _, test := range []struct{ name, statement, want string }{
		{"table", "SELECT * FROM item", `reads "item"`},
		{"table beside the view", "SELECT key FROM seen, item", `reads "item"`},
		{"table in an expression", "SELECT (SELECT v FROM item) FROM seen", `reads "item"`},
		{"table in a common table", "WITH seen AS (SELECT * FROM item) SELECT * FROM seen", `reads "item"`},
		{"count of a table in a common table", "WITH seen AS (SELECT 1 FROM item) SELECT count(*) FROM seen", `reads "item"`},
		{"common tables in each other", "WITH seen AS (WITH seen AS (SELECT k FROM item) SELECT * FROM seen) SELECT * FROM seen", `reads "item"`},
		{"the view of the file", "SELECT * FROM main.seen", `reads "item"`},
		{"hidden schema", "SELECT count(*) FROM sqlite_schema", "sqlite_schema"},
		{"hidden schema of temporary tables", "SELECT sql FROM sqlite_temp_schema", "sqlite_temp"},
		{"table by the view's name", "SELECT seen.k FROM item AS seen", `reads "item"`},
		{"count of a table", "SELECT count(*) FROM item", `reads "item"`},
		{"schema", "SELECT sql FROM sqlite_schema", `reads "sqlite_master"`},
		{"statistics", "SELECT * FROM dbstat", `dbstat`},
		{"insert", "INSERT INTO item VALUES ('c', NULL)", "not a SELECT"},
		{"update of the view", "UPDATE seen SET key = 'c'", "seen"},
		{"delete", "DELETE FROM item", "not a SELECT"},
		{"returning", "DELETE FROM item RETURNING k", "not a SELECT"},
		{"table made", "CREATE TABLE t (a)", "not a SELECT"},
		{"temporary table", "CREATE TEMP TABLE t AS SELECT * FROM seen", "not a SELECT"},
		{"drop", "DROP VIEW seen", "not a SELECT"},
		{"attach", "ATTACH '/tmp/other.db' AS other", "not a SELECT"},
		{"detach", "DETACH main", "not a SELECT"},
		{"vacuum into", "VACUUM INTO '/tmp/other.db'", "not a SELECT"},
		{"pragma", "PRAGMA query_only = OFF", "not a SELECT"},
		{"pragma that reads", "PRAGMA table_info(item)", "not a SELECT"},
		{"pragma as a table", "SELECT * FROM pragma_table_info('item')", "pragma"},
		{"transaction", "BEGIN IMMEDIATE", "not a SELECT"},
		{"savepoint", "SAVEPOINT s", "not a SELECT"},
		{"analyze", "ANALYZE", "not a SELECT"},
		{"reindex", "REINDEX", "not a SELECT"},
		{"explain", "EXPLAIN DELETE FROM item", "not a SELECT"},
		{"extension", "SELECT load_extension('x.so')", "load_extension"},
		{"function of ours", "SELECT bucketlite_callback(1)", "bucketlite_callback"},
		{"two statements", "SELECT 1; SELECT 2", "one statement expected"},
		{"a statement behind a NUL", "SELECT 1;\x00SELECT 2", "one statement expected"},
		{"NUL", "SELECT 1\x00", "one statement expected"},
		{"a statement behind", "SELECT 1; DELETE FROM item", "one statement expected"},
		{"none", " -- nothing\n;", "one statement expected"},
		{"empty", "", "one statement expected"},
		{"syntax", "SELECT FROM seen", `near "FROM": syntax error`},
		{"column", "SELECT missing FROM seen", "no such column: missing"},
		{"open quote", "SELECT 'a", "unrecognized token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := inspectAll(context.Background(), path, test.statement)
			var refused *StatementError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, error %v, want a *StatementError with %q", got, err, test.want)
			}
		})
	}
	t.Cleanup(func() {
		if string(readFile(t, path)) != string(before) {
			t.Error("the file has changed")
		}
	})
}

// A statement that runs on is interrupted before its first row, and between two rows.
func TestInspectEnds(t *testing.T) {
	t.Parallel()
	path := inspected(t)
	const endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT "
	for _, statement := range []string{endless + "count(*) FROM c", endless + "n FROM c"} {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		err := Inspect(ctx, path, "seen", statement, func([]string) error { return nil }, func(Row) error { return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v, want the context's error", statement, err)
		}
	}
	stop := errors.New("enough")
	err := Inspect(context.Background(), path, "seen", endless+"n FROM c", func([]string) error { return nil }, func(Row) error { return stop })
	if err != stop {
		t.Errorf("got %v, want the error of each", err)
	}
}

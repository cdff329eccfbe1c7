package sqlite3

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	lib "modernc.org/sqlite/lib"
)

// open returns a connection to a database, which is closed when the test ends.
func open(t testing.TB, uri string) *Conn {
	t.Helper()
	c, err := Open(uri, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

// newFile returns the path of a database that does not exist yet.
func newFile(t testing.TB) string { return filepath.Join(t.TempDir(), "test.db") }

// mustScript runs statements that cannot fail.
func mustScript(t testing.TB, c *Conn, text string) {
	t.Helper()
	if err := c.Script(text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// query returns all rows of a statement, with values as [Value.Any] returns them.
func query(c *Conn, text string, args ...any) (rows [][]any, err error) {
	s, err := c.Prepare(text)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.Bind(args); err != nil {
		return nil, err
	}
	more, err := s.Step()
	for ; more; more, err = s.Step() {
		var row []any
		for _, v := range s.Row() {
			row = append(row, v.Any())
		}
		rows = append(rows, row)
	}
	if e := s.Reset(); err == nil {
		err = e
	}
	return rows, err
}

// mustQuery returns the only value of a statement that cannot fail.
func mustQuery(t testing.TB, c *Conn, text string, args ...any) any {
	t.Helper()
	rows, err := query(c, text, args...)
	if err != nil || len(rows) != 1 || len(rows[0]) != 1 {
		t.Fatalf("%s: got %v, %v, want one value", text, rows, err)
	}
	return rows[0][0]
}

// wantCode fails unless err has a result code, by its low byte.
func wantCode(t testing.TB, what string, err error, code int) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code&0xff != code {
		t.Errorf("%s: got error %v, want one of code %d", what, err, code)
	}
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 100)), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, uri, vfs, want string
	}{
		{"missing directory", "file:///missing/directory/file", "", "unable to open database file (14)"},
		{"missing file", "file://" + newFile(t) + "?mode=rw", "", "unable to open database file (14)"},
		{"missing VFS", ":memory:", "missing", "SQL logic error: no such vfs: missing (1)"},
		{"missing VFS in the URI", "file::memory:?vfs=missing", "", "SQL logic error: no such vfs: missing (1)"},
		{"mode", "file:x?mode=nonsense", "", "SQL logic error: no such access mode: nonsense (1)"},
		{"NUL", "a\x00b", "", "sqlite3: a NUL character in a statement or name"},
		{"NUL in the VFS", ":memory:", "a\x00b", "sqlite3: a NUL character in a statement or name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if c, err := Open(test.uri, test.vfs); err == nil || err.Error() != test.want {
				t.Errorf("got %v, error %v, want %q", c, err, test.want)
			}
		})
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	mustScript(t, open(t, path), "CREATE TABLE t (a)")
	for mode, want := range map[string]bool{"ro": true, "rw": false} {
		c := open(t, "file://"+path+"?mode="+mode)
		if got := c.ReadOnly(); got != want {
			t.Errorf("mode %s: got %t, want %t", mode, got, want)
		}
	}
	wantCode(t, "write", open(t, "file://"+path+"?mode=ro").Script("DELETE FROM t"), lib.SQLITE_READONLY)
}

func TestChanges(t *testing.T) {
	t.Parallel()
	c := open(t, ":memory:")
	mustScript(t, c, "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3); UPDATE t SET a = 4 WHERE a > 1")
	if got := c.Changes(); got != 2 {
		t.Errorf("Changes: got %d, want 2", got)
	}
	if got := c.TotalChanges(); got != 5 {
		t.Errorf("TotalChanges: got %d, want 5", got)
	}
}

func TestDataVersion(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	one, other := open(t, path), open(t, path)
	mustScript(t, one, "PRAGMA journal_mode = WAL; CREATE TABLE t (a)")
	version := func() uint32 {
		t.Helper()
		mustQuery(t, one, "SELECT count(*) FROM t")
		v, err := one.DataVersion()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	before := version()
	if got := version(); got != before {
		t.Errorf("with nothing written: got %d, want %d", got, before)
	}
	mustScript(t, other, "INSERT INTO t VALUES (1)")
	if got := version(); got == before {
		t.Errorf("after a write: got %d, want another number", got)
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text, err string
		want            []any // of table t
	}{
		{"several", "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)", "", []any{int64(1), int64(2)}},
		{"space and comments", " -- one\n; INSERT INTO t VALUES (1); /* two */ ;\n", "", []any{int64(1)}},
		{"none", " -- nothing", "", nil},
		{"empty", "", "", nil},
		{"rows", "SELECT 1 UNION SELECT 2; INSERT INTO t VALUES (1) RETURNING a", "", []any{int64(1)}},
		{"up to the error", "INSERT INTO t VALUES (1); nonsense; INSERT INTO t VALUES (2)", `SQL logic error: near "nonsense": syntax error (1)`, []any{int64(1)}},
		{"error of a step", "INSERT INTO t VALUES (1); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)", "constraint failed: UNIQUE constraint failed: t.a (1555)", []any{int64(1)}},
		{"NUL", "INSERT INTO t VALUES (1);\x00", errNUL.Error(), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := open(t, ":memory:")
			mustScript(t, c, "CREATE TABLE t (a INTEGER PRIMARY KEY)")
			text := ""
			if err := c.Script(test.text); err != nil {
				text = err.Error()
			}
			if text != test.err {
				t.Errorf("error: got %q, want %q", text, test.err)
			}
			rows, err := query(c, "SELECT a FROM t")
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Concat(rows...); !slices.Equal(got, test.want) {
				t.Errorf("rows: got %v, want %v", got, test.want)
			}
		})
	}
}

// A connection can be closed twice, also one in a transaction, whose end calls no hook.
func TestClose(t *testing.T) {
	t.Parallel()
	c := open(t, newFile(t))
	c.OnRollback(func() { t.Error("a hook was called") })
	mustScript(t, c, "CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (1)")
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("got %v, want no error", err)
		}
	}
	if _, ok := conns.Load(c.db); ok {
		t.Error("the connection is still listed")
	}
}

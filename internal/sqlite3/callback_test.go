package sqlite3

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	lib "modernc.org/sqlite/lib"
)

var (
	describe = NewFunction("test_describe", -1, func(args []Value) (any, error) {
		var b strings.Builder
		for _, v := range args {
			fmt.Fprintf(&b, "%d:%q ", v.Kind(), v.String())
		}
		return b.String(), nil
	})
	give = NewFunction("test_give", 1, func(args []Value) (any, error) {
		return [...]any{
			nil, true, int64(-1), 1.5, "", "a\x00b", []byte(nil), []byte{}, []byte("blob"), 7, strings.Repeat("long", 1000),
		}[args[0].Int()], nil
	})
	refuse = NewFunction("test_refuse", 1, func(args []Value) (any, error) { return nil, errors.New(args[0].Text()) })
	fall   = NewFunction("test_fall", 0, func([]Value) (any, error) { panic("fallen") })
)

// defined returns a connection with the functions above.
func defined(t testing.TB) *Conn {
	c := open(t, ":memory:")
	for _, f := range []*Function{describe, give, refuse, fall} {
		if err := c.Define(f); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestFunctionArguments(t *testing.T) {
	t.Parallel()
	c := defined(t)
	for _, test := range []struct {
		text, want string
		args       []any
	}{
		{text: "test_describe()", want: ""},
		{text: "test_describe(?)", args: []any{nil}, want: `0:"<nil>" `},
		{text: "test_describe(?, 7, 1.5)", args: []any{"a\x00b"}, want: `3:"a\x00b" 1:"7" 2:"1.5" `},
		{text: "test_describe(?, x'', '', x'00ff')", args: []any{[]byte("b")}, want: `4:"[98]" 4:"[]" 3:"" 4:"[0 255]" `},
		{text: "test_describe(test_describe(1), test_describe(2))", want: `3:"1:\"1\" " 3:"1:\"2\" " `},
		{text: "test_describe(zeroblob(2))", want: `4:"[0 0]" `},
	} {
		if got := mustQuery(t, c, "SELECT "+test.text, test.args...); got != test.want {
			t.Errorf("%s: got %q, want %q", test.text, got, test.want)
		}
	}
}

func TestFunctionResults(t *testing.T) {
	t.Parallel()
	c := defined(t)
	for i, want := range []string{"null NULL", "integer 1", "integer -1", "real 1.5", "text ''", "text 6100 62", "null NULL", "blob X''", "blob X'626C6F62'"} {
		text := "SELECT typeof(v) || ' ' || quote(v) FROM (SELECT test_give(?) AS v)"
		if i == 5 { // quote ends at NUL
			text, want = "SELECT typeof(v) || ' ' || hex(v) FROM (SELECT test_give(?) AS v)", "text 610062"
		}
		if got := mustQuery(t, c, text, int64(i)); got != want {
			t.Errorf("result %d: got %q, want %q", i, got, want)
		}
	}
	_, err := query(c, "SELECT test_give(9)")
	if want := "SQL logic error: a result of type int (1)"; err == nil || err.Error() != want {
		t.Errorf("result of another type: got error %v, want %q", err, want)
	}
	lib.Xsqlite3_limit(c.tls, c.db, lib.SQLITE_LIMIT_LENGTH, 1000)
	_, err = query(c, "SELECT test_give(10)")
	wantCode(t, "long result", err, lib.SQLITE_TOOBIG)
}

func TestFunctionFails(t *testing.T) {
	t.Parallel()
	c := defined(t)
	for _, text := range []string{"why", "a\x00b"} {
		_, err := query(c, "SELECT test_refuse(?)", text)
		want := "SQL logic error: " + strings.Split(text, "\x00")[0] + " (1)"
		if err == nil || err.Error() != want {
			t.Errorf("%q: got error %v, want %q", text, err, want)
		}
	}
	if _, err := query(c, "SELECT test_refuse()"); err == nil {
		t.Error("wrong number of arguments: got no error")
	}
	if _, err := query(open(t, ":memory:"), "SELECT test_describe()"); err == nil {
		t.Error("another connection: got no error, want an unknown function")
	}
}

// wantPanic runs f, which should panic with a value.
func wantPanic(t testing.TB, what string, value any, f func()) {
	t.Helper()
	defer func() {
		if got := recover(); got != value {
			t.Errorf("%s: recovered %v, want %v", what, got, value)
		}
	}()
	f()
}

// A panic of a callback reaches the caller, and the connection stays whole.
func TestPanics(t *testing.T) {
	t.Parallel()
	c := defined(t)
	mustScript(t, c, "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
	s, err := c.Prepare("SELECT a, test_fall() FROM t")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantPanic(t, "function", "fallen", func() { s.Step() })
	if err := s.Bind(nil); err != nil {
		t.Errorf("the statement runs on: %v", err)
	}
	wantPanic(t, "function in a script", "fallen", func() { c.Script("SELECT test_fall()") })
	if newest := lib.Xsqlite3_next_stmt(c.tls, c.db, 0); newest != s.p {
		t.Error("the statement of the script is not closed")
	}

	falling := true
	fallOnce := func() {
		if falling {
			falling = false
			panic("fallen")
		}
	}
	c.OnCommit(func() bool { fallOnce(); return false })
	wantPanic(t, "commit hook", "fallen", func() { c.Script("INSERT INTO t VALUES (2)") })
	for name, end := range map[string]func(*Stmt) error{"reset": (*Stmt).Reset, "close": (*Stmt).Close} {
		s, err := c.Prepare("INSERT INTO t VALUES (2) RETURNING a")
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if more, err := s.Step(); !more || err != nil {
			t.Fatalf("got %t, %v, want a row", more, err)
		}
		falling = true
		wantPanic(t, "commit hook at "+name, "fallen", func() { end(s) })
	}
	falling = true
	c.OnRollback(fallOnce)
	wantPanic(t, "rollback hook", "fallen", func() { c.Script("BEGIN; INSERT INTO t VALUES (3); ROLLBACK") })
	falling = true
	c.Authorize(func(Access) bool { fallOnce(); return true })
	wantPanic(t, "authorizer", "fallen", func() { c.Prepare("SELECT 1") })

	if got := mustQuery(t, c, "SELECT group_concat(a) FROM t"); got != "1" {
		t.Errorf("table: got %v, want 1", got)
	}
	mustScript(t, c, "BEGIN IMMEDIATE; INSERT INTO t VALUES (4); COMMIT")
}

// Connections call one function at once.
func TestFunctionAtOnce(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for i := range 4 {
		c := defined(t)
		group.Go(func() {
			want := fmt.Sprintf(`3:"%[1]d" 1:"%[1]d" `, i)
			for range 500 {
				if rows, err := query(c, "SELECT test_describe(?, ?)", fmt.Sprint(i), int64(i)); err != nil || rows[0][0] != want {
					t.Errorf("got %v, %v, want %q", rows, err, want)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestHooks(t *testing.T) {
	t.Parallel()
	c := open(t, ":memory:")
	mustScript(t, c, "CREATE TABLE t (a UNIQUE)")
	rollbacks, commits, refuse := 0, 0, false
	c.OnRollback(func() { rollbacks++ })
	c.OnCommit(func() bool { commits++; return refuse })
	for _, test := range []struct {
		name, text         string
		refuse             bool
		code               int
		rollbacks, commits int
	}{
		{name: "commit", text: "INSERT INTO t VALUES (1)", commits: 1},
		{name: "read", text: "SELECT * FROM t"},
		{name: "rollback", text: "BEGIN; INSERT INTO t VALUES (2); ROLLBACK", rollbacks: 1},
		{name: "failing statement", text: "BEGIN; INSERT OR ROLLBACK INTO t VALUES (1)", code: lib.SQLITE_CONSTRAINT, rollbacks: 1},
		{name: "refused commit", text: "INSERT INTO t VALUES (3)", refuse: true, code: lib.SQLITE_CONSTRAINT, rollbacks: 1, commits: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			rollbacks, commits, refuse = 0, 0, test.refuse
			if err := c.Script(test.text); err != nil || test.code != 0 {
				wantCode(t, test.text, err, test.code)
			}
			if rollbacks != test.rollbacks || commits != test.commits {
				t.Errorf("got %d rollbacks, %d commits, want %d, %d", rollbacks, commits, test.rollbacks, test.commits)
			}
		})
	}
}

func TestAuthorize(t *testing.T) {
	t.Parallel()
	c := open(t, ":memory:")
	mustScript(t, c, "CREATE TABLE t (a, b); CREATE VIEW v AS SELECT a FROM t")
	var asked []Access
	err := c.Authorize(func(a Access) bool {
		asked = append(asked, a)
		return a.Action == Select || a.Action == Read && a.Second != "b" || a.Action == Call && a.Second == "upper"
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, code := range map[string]int{
		"SELECT upper(a) FROM t":  0,
		"SELECT a FROM v":         0,
		"SELECT b FROM t":         lib.SQLITE_AUTH,
		"SELECT lower(a) FROM t":  lib.SQLITE_ERROR,
		"DELETE FROM t":           lib.SQLITE_AUTH,
		"PRAGMA user_version = 1": lib.SQLITE_AUTH,
	} {
		asked = nil
		if _, err := query(c, text); err != nil || code != 0 {
			wantCode(t, text, err, code)
		}
		if text == "SELECT a FROM v" && !slices.Contains(asked, Access{Read, "t", "a", "v"}) {
			t.Errorf("%s: asked for %v, want a read of t within v", text, asked)
		}
	}
}

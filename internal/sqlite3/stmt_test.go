package sqlite3

import (
	"database/sql"
	"fmt"
	"math"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver, as a twin
	lib "modernc.org/sqlite/lib"
)

// Arguments are stored as the driver stores them, and are read as they were stored.
func TestValues(t *testing.T) {
	t.Parallel()
	twin, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer twin.Close()
	twin.SetMaxOpenConns(1)
	c := open(t, ":memory:")
	const stored = "SELECT typeof(?1) || ' ' || quote(?1) || ' ' || coalesce(length(CAST(?1 AS BLOB)), 'none')"
	long := strings.Repeat("é", keptBuffer)
	for _, test := range []struct {
		name      string
		arg, want any
		kind      Kind
	}{
		{"nil", nil, nil, Null},
		{"true", true, int64(1), Integer},
		{"false", false, int64(0), Integer},
		{"zero", int64(0), int64(0), Integer},
		{"least integer", int64(math.MinInt64), int64(math.MinInt64), Integer},
		{"largest integer", int64(math.MaxInt64), int64(math.MaxInt64), Integer},
		{"float", 1.5, 1.5, Float},
		{"whole float", 2.0, 2.0, Float},
		{"infinite", math.Inf(-1), math.Inf(-1), Float},
		{"smallest float", math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat64, Float},
		{"no number", math.NaN(), nil, Null},
		{"empty text", "", "", Text},
		{"text", "é", "é", Text},
		{"text with NUL", "a\x00b\x00", "a\x00b\x00", Text},
		{"text of NUL", "\x00", "\x00", Text},
		{"text that is not UTF-8", "\xff\xfe", "\xff\xfe", Text},
		{"number as text", "12", "12", Text},
		{"long text", long, long, Text},
		{"nil blob", []byte(nil), nil, Null},
		{"empty blob", []byte{}, []byte(nil), Blob},
		{"blob", []byte{0, 255}, []byte{0, 255}, Blob},
		{"long blob", []byte(long), []byte(long), Blob},
	} {
		t.Run(test.name, func(t *testing.T) {
			var want string
			if err := twin.QueryRow(stored, test.arg).Scan(&want); err != nil {
				t.Fatal(err)
			}
			if got := mustQuery(t, c, stored, test.arg); got != want {
				t.Errorf("stored: got %.80q, want %.80q", got, want)
			}
			if got := mustQuery(t, c, "SELECT ?", test.arg); fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", test.want) {
				t.Errorf("read: got %.80q, want %.80q", fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", test.want))
			}
			made := ValueOf(test.arg)
			if f, ok := test.arg.(float64); ok && f != f {
				return // only SQLite makes it NULL
			}
			if got := made.Kind(); got != test.kind {
				t.Errorf("kind of a value made of it: got %d, want %d", got, test.kind)
			}
			if got := made.String(); got != fmt.Sprint(test.want) {
				t.Errorf("value made of it: got %.80q, want %.80q", got, fmt.Sprint(test.want))
			}
		})
	}
}

// A value of another kind reads as nothing.
func TestValueOfAnotherKind(t *testing.T) {
	t.Parallel()
	for _, v := range []any{nil, int64(7), 1.5, "text", []byte("blob")} {
		kind := ValueOf(v).Kind()
		got := [...]bool{ValueOf(v).Int() != 0, ValueOf(v).Float() != 0, ValueOf(v).Text() != "", ValueOf(v).Bytes() != nil, ValueOf(v).Len() != 0}
		want := [...]bool{kind == Integer, kind == Float, kind == Text, kind == Blob, kind == Text || kind == Blob}
		if got != want {
			t.Errorf("%v: got %v, want %v", v, got, want)
		}
	}
}

// Values that are taken from a row outlive the row.
func TestValuesAreCopies(t *testing.T) {
	t.Parallel()
	c := open(t, ":memory:")
	s, err := c.Prepare("SELECT 'text' || value, CAST('blob' || value AS BLOB) FROM json_each('[1,2,3]')")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var got []string
	var kept []Value
	more, err := s.Step()
	for ; more; more, err = s.Step() {
		row := s.Row()
		got = append(got, row[0].Text(), string(row[1].Bytes()))
		kept = append(kept, row[0].Keep(), row[1].Keep())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, v := range kept {
		got = append(got, v.Text()+string(v.Bytes()))
	}
	const want = "[text1 blob1 text2 blob2 text3 blob3 text1 blob1 text2 blob2 text3 blob3]"
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"one", "SELECT 1", ""},
		{"semicolon", "SELECT 1;", ""},
		{"space behind", "SELECT 1; \n\t", ""},
		{"comments behind", "SELECT 1; -- two\n ; /* three */ ", ""},
		{"comment before", "/* one */ SELECT 1", ""},
		{"two", "SELECT 1; SELECT 2", errMany.Error()},
		{"nonsense behind", "SELECT 1; nonsense", errMany.Error()},
		{"empty", "", errNone.Error()},
		{"comment", "-- nothing", errNone.Error()},
		{"NUL", "SELECT 1\x00", errNUL.Error()},
		{"syntax", "SELECT FROM", `SQL logic error: near "FROM": syntax error (1)`},
		{"table", "SELECT * FROM missing", "SQL logic error: no such table: missing (1)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := open(t, ":memory:").Prepare(test.text)
			text := ""
			if err != nil {
				text = err.Error()
			}
			if text != test.want || (s == nil) != (err != nil) {
				t.Errorf("got %v, error %q, want error %q", s, text, test.want)
			}
			if s != nil {
				s.Close()
			}
		})
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	s, err := open(t, ":memory:").Prepare(`SELECT 1 AS "a b", NULL, 2 AS é`)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, want := fmt.Sprintf("%q", s.Columns()), `["a b" "NULL" "é"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestBindFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		args       []any
		want       string
	}{
		{"none", "SELECT ?", nil, "missing argument with index 1"},
		{"too few", "SELECT ?, ?", []any{nil}, "missing argument with index 2"},
		{"gap", "SELECT ?3", []any{nil, nil}, "missing argument with index 3"},
		{"type", "SELECT ?", []any{1}, "sqlite3: an argument of type int"},
		{"long text", "SELECT ?", []any{strings.Repeat("a", 1001)}, "string or blob too big (18)"},
		{"long blob", "SELECT ?, ?", []any{nil, make([]byte, 1001)}, "string or blob too big (18)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := open(t, ":memory:")
			c.limit = 1000
			s, err := c.Prepare(test.text)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Bind(test.args); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// SQLite's own limit may be lower than the one that Bind knows; earlier arguments are bound
// by then.
func TestBindFailsInSQLite(t *testing.T) {
	t.Parallel()
	c := open(t, ":memory:")
	lib.Xsqlite3_limit(c.tls, c.db, lib.SQLITE_LIMIT_LENGTH, 1000)
	s, err := c.Prepare("SELECT ? || ?")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantCode(t, "Bind", s.Bind([]any{"a", strings.Repeat("b", 1001)}), lib.SQLITE_TOOBIG)
	if err := s.Bind([]any{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Step(); err != nil || s.Row()[0].Text() != "ab" {
		t.Errorf("next use: got %v, %v, want ab", s.Row(), err)
	}
	if err := s.Bind([]any{"c", "d"}); err != errActive {
		t.Errorf("Bind of a running statement: got error %v, want %v", err, errActive)
	}
	if more, err := s.Step(); more || err != nil {
		t.Errorf("after its only row: got %t, %v, want no more", more, err)
	}
}

// A statement can be used again with shorter and longer arguments, and keeps no large
// buffer. Arguments without a parameter are ignored.
func TestReuse(t *testing.T) {
	t.Parallel()
	c := open(t, ":memory:")
	s, err := c.Prepare("SELECT ?1, ?2, ?3")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, n := range []int{3, 0, 1, 300, 3, keptBuffer + 1, 1, keptBuffer, 0} {
		a, b := strings.Repeat("a", n), []byte(strings.Repeat("b", n))
		if err := s.Bind([]any{a, b, int64(n), "ignored"}); err != nil {
			t.Fatal(err)
		}
		if found, err := s.Step(); !found || err != nil {
			t.Fatalf("%d bytes: got %t, %v, want a row", n, found, err)
		}
		if row := s.Row(); row[0].Text() != a || string(row[1].Bytes()) != string(b) || row[2].Int() != int64(n) {
			t.Errorf("%d bytes: other values", n)
		}
		if err := s.Reset(); err != nil {
			t.Error(err)
		}
		if s.size > keptBuffer {
			t.Errorf("%d bytes: a buffer of %d bytes is kept", n, s.size)
		}
	}
}

// After a change of the schema, a kept statement has the new columns, and its arguments.
func TestSchemaChanges(t *testing.T) {
	t.Parallel()
	c := open(t, ":memory:")
	mustScript(t, c, "CREATE TABLE t (a); INSERT INTO t VALUES ('x')")
	s, err := c.Prepare("SELECT * FROM t WHERE a = ?")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for columns := 1; columns <= 3; columns++ {
		if err := s.Bind([]any{"x"}); err != nil {
			t.Fatal(err)
		}
		if found, err := s.Step(); !found || err != nil || len(s.Row()) != columns || s.Row()[0].Text() != "x" {
			t.Errorf("got %t, %v, %v, want %d columns", found, s.Row(), err, columns)
		}
		s.Reset()
		mustScript(t, c, fmt.Sprintf("ALTER TABLE t ADD COLUMN b%d", columns))
	}
}

// Errors have the driver's text for the same fault.
func TestErrorText(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	twin, err := sql.Open("sqlite", "file://"+path+"?_error_rc=1")
	if err != nil {
		t.Fatal(err)
	}
	defer twin.Close()
	twin.SetMaxOpenConns(1)
	c := open(t, "file://"+path)
	mustScript(t, c, "CREATE TABLE t (a UNIQUE NOT NULL CHECK (a <> 3)); INSERT INTO t VALUES (1)")
	locker := open(t, path)
	for _, test := range []struct {
		name, statement string
		code            int
		locked          bool
	}{
		{name: "syntax", statement: "nonsense", code: lib.SQLITE_ERROR},
		{name: "table", statement: "DELETE FROM missing", code: lib.SQLITE_ERROR},
		{name: "unique", statement: "INSERT INTO t VALUES (1)", code: lib.SQLITE_CONSTRAINT_UNIQUE},
		{name: "not null", statement: "INSERT INTO t VALUES (NULL)", code: lib.SQLITE_CONSTRAINT_NOTNULL},
		{name: "check", statement: "INSERT INTO t VALUES (3)", code: lib.SQLITE_CONSTRAINT_CHECK},
		{name: "too large", statement: "INSERT INTO t VALUES (zeroblob(2000000000))", code: lib.SQLITE_TOOBIG},
		{name: "locked", statement: "BEGIN IMMEDIATE", code: lib.SQLITE_BUSY, locked: true},
		{name: "function", statement: "SELECT json('{')", code: lib.SQLITE_ERROR},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.locked {
				mustScript(t, locker, "BEGIN EXCLUSIVE")
				defer locker.Script("ROLLBACK")
			}
			_, want := twin.Exec(test.statement)
			_, got := query(c, test.statement)
			if got == nil || want == nil || got.Error() != want.Error() {
				t.Errorf("got %v, want %v", got, want)
			}
			if e, ok := got.(*Error); !ok || e.Code != test.code {
				t.Errorf("got %#v, want code %d", got, test.code)
			}
		})
	}
}

// Ending a statement before its last row can fail, as an INSERT that commits then does.
func TestResetFails(t *testing.T) {
	t.Parallel()
	c := open(t, ":memory:")
	mustScript(t, c, "CREATE TABLE t (a)")
	c.OnCommit(func() bool { return true })
	s, err := c.Prepare("INSERT INTO t VALUES (1) RETURNING a")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if found, err := s.Step(); !found || err != nil {
		t.Fatalf("Step: got %t, %v, want a row", found, err)
	}
	wantCode(t, "Reset", s.Reset(), lib.SQLITE_CONSTRAINT)
}

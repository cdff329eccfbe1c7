package bucketlite

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/google/go-cmp/cmp"
)

const newestFile = "migrations/newest.sql"

var updateNewest = flag.Bool("update", false, "write "+newestFile+" anew")

// storeID is the only value that differs between two new files.
const storeID = "lower(hex(randomblob(8)))"

// A new file is made by one script, since all migrations take four times as long. The
// result must be the same.
func TestNewestFormat(t *testing.T) {
	t.Parallel()
	migrated := fileOf(t, "")
	script := migrated.script()
	if script != newest {
		if !*updateNewest {
			t.Fatalf("%s is not what the migrations make; generate it with:\n\n\tgo test -run TestNewestFormat . -update\n\n(-is +want):\n%s",
				newestFile, cmp.Diff(strings.Split(newest, "\n"), strings.Split(script, "\n")))
		}
		if err := os.WriteFile(newestFile, []byte(script), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	created := fileOf(t, script)
	for name, parts := range map[string][2]map[string]string{
		"schema":  {migrated.schema, created.schema},
		"pragmas": {migrated.pragmas, created.pragmas},
		"rows":    {migrated.rows, created.rows},
	} {
		if diff := cmp.Diff(parts[0], parts[1]); diff != "" {
			t.Errorf("%s (-migrated +created):\n%s", name, diff)
		}
	}
	if got := len(migrated.schema); got < 50 {
		t.Errorf("the schema has %d parts, want at least 50", got)
	}
}

// newFile is all that a new file holds.
type newFile struct {
	order   []string          // the names of the schema's parts, in the order of the file
	schema  map[string]string // their statements, by type and name
	kinds   map[string]string // table, view, shadow or virtual
	rows    map[string]string // of each table, as lists of literals
	pragmas map[string]string
}

// fileOf makes a file by the script, or by all migrations, and reads it.
func fileOf(t *testing.T, script string) *newFile {
	t.Helper()
	db, err := engine.Open(context.Background(), engine.Config{
		Path: filepath.Join(t.TempDir(), "new.db"), Synchronous: engine.Normal, Readers: 1, LongReads: 1,
		ApplicationID: applicationID, Migrations: migrations(), Newest: script,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	f := &newFile{schema: map[string]string{}, kinds: map[string]string{}, rows: map[string]string{}, pragmas: map[string]string{}}
	if err := db.Read(context.Background(), f.read); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *newFile) read(c *engine.Conn) error {
	for _, name := range []string{"application_id", "user_version", "auto_vacuum", "encoding", "page_size", "journal_mode"} {
		if err := c.Query("PRAGMA "+name, nil, func(r engine.Row) error {
			f.pragmas[name] = fmt.Sprint(r[0])
			return nil
		}); err != nil {
			return err
		}
	}
	if err := c.Query("SELECT name, type FROM pragma_table_list WHERE schema = 'main'", nil, func(r engine.Row) error {
		f.kinds[r.Text(0)] = r.Text(1)
		return nil
	}); err != nil {
		return err
	}
	if err := c.Query("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid", nil, func(r engine.Row) error {
		f.order = append(f.order, r.Text(0)+" "+r.Text(1))
		f.schema[r.Text(0)+" "+r.Text(1)] = r.Text(3)
		return nil
	}); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(f.kinds)) {
		if kind := f.kinds[name]; kind == "view" || kind == "virtual" || name == "sqlite_schema" {
			continue
		}
		if err := f.readRows(c, name); err != nil {
			return fmt.Errorf("table %q: %w", name, err)
		}
	}
	return nil
}

func (f *newFile) readRows(c *engine.Conn, table string) error {
	var values []string
	if err := c.Query("SELECT name FROM pragma_table_info(?)", []any{table}, func(r engine.Row) error {
		value := `quote("` + r.Text(0) + `")`
		if table == "store" && r.Text(0) == "id" {
			value = "'" + storeID + "'"
		}
		values = append(values, value)
		return nil
	}); err != nil {
		return err
	}
	return c.Query("SELECT "+strings.Join(values, " || ', ' || ")+` FROM "`+table+`" ORDER BY 1`, nil, func(r engine.Row) error {
		f.rows[table] += "(" + r.Text(0) + ")\n"
		return nil
	})
}

// script returns the statements that make such a file.
func (f *newFile) script() string {
	var b strings.Builder
	b.WriteString(`-- The schema of a new file, as all migrations make it. Generated; do not edit. Write it
-- anew after adding a migration:
--
--     go test -run TestNewestFormat . -update
`)
	for _, part := range f.order {
		kind, name, _ := strings.Cut(part, " ")
		if sql := f.schema[part]; sql != "" && !strings.HasPrefix(name, "sqlite_") && !(kind == "table" && f.kinds[name] == "shadow") {
			fmt.Fprintf(&b, "\n%s;\n", sql)
		}
	}
	for _, table := range slices.Sorted(maps.Keys(f.rows)) {
		if f.kinds[table] != "table" {
			continue
		}
		fmt.Fprintln(&b)
		for row := range strings.Lines(f.rows[table]) {
			fmt.Fprintf(&b, "INSERT INTO %s VALUES %s;\n", table, strings.TrimSuffix(row, "\n"))
		}
	}
	return b.String()
}

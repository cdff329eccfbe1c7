package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// ourID is the application id of the stores under test.
const ourID = 0x656e6769

// testConfig describes a store of three tables: item for whatever a test
// writes, log for the order of writes, and counter for a single number.
func testConfig(path string) Config {
	return Config{
		Path:          path,
		Synchronous:   Normal,
		BusyTimeout:   30 * time.Second,
		Readers:       4,
		LongReads:     2,
		ApplicationID: ourID,
		Migrations: []string{
			"CREATE TABLE item (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID",
			"CREATE TABLE log (id INTEGER PRIMARY KEY, k TEXT NOT NULL);" +
				"CREATE TABLE counter (n INTEGER NOT NULL); INSERT INTO counter VALUES (0)",
		},
	}
}

// openStore opens a store that is closed when the test ends.
func openStore(t testing.TB, cfg Config) *DB {
	t.Helper()
	db, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

// newPath returns where a file can be made.
func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "test.db") }

// newFile returns the path of an empty store. It is a copy, since making a
// store syncs a dozen times.
func newFile(t testing.TB) string {
	t.Helper()
	content, err := emptyStore()
	if err != nil {
		t.Fatal(err)
	}
	path := newPath(t)
	writeFile(t, path, content)
	return path
}

var emptyStore = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cfg := testConfig(filepath.Join(dir, "test.db"))
	db, err := Open(context.Background(), cfg)
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(cfg.Path)
})

// newStore opens an empty store in a file.
func newStore(t testing.TB) *DB {
	t.Helper()
	return openStore(t, testConfig(newFile(t)))
}

// eachKind runs a test on a store in a file and on one in memory.
func eachKind(t *testing.T, test func(t *testing.T, cfg Config)) {
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		test(t, testConfig(newFile(t)))
	})
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, testConfig(Memory))
	})
}

// put returns an operation that inserts an item.
func put(key string) func(*Tx) error {
	return func(tx *Tx) error { return insert(tx, key) }
}

func insert(tx *Tx, key string) error {
	_, err := tx.Exec("INSERT INTO item VALUES (?, NULL)", key)
	return err
}

// mustPut inserts an item in a write of its own.
func mustPut(t testing.TB, db *DB, key string) {
	t.Helper()
	if err := db.Write(context.Background(), put(key)); err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
}

// keys returns the keys of all items, sorted.
func keys(t testing.TB, db *DB) []string {
	t.Helper()
	return column(t, db, "SELECT k FROM item ORDER BY k")
}

// column returns the first column of a query's rows as text.
func column(t testing.TB, db *DB, query string) []string {
	t.Helper()
	var got []string
	err := db.Read(context.Background(), func(c *Conn) error {
		got = []string{}
		return c.Query(query, nil, func(r Row) error {
			got = append(got, fmt.Sprint(r[0]))
			return nil
		})
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return got
}

// together runs operations that are queued before the first of them starts, so
// that they share a group, and returns their verdicts.
func together(db *DB, ops ...func(*Tx) error) []error {
	gate := make(chan struct{})
	pending := []*Pending{db.Start(context.Background(), func(*Tx) error { <-gate; return nil })}
	for _, op := range ops {
		pending = append(pending, db.Start(context.Background(), op))
	}
	close(gate)
	errs := make([]error, len(pending))
	for i, p := range pending {
		errs[i] = p.Wait()
	}
	return errs[1:]
}

// foreign opens a connection of another library to the same file.
func foreign(t testing.TB, path string) *sql.Conn {
	t.Helper()
	loc, _, err := locate(path, false)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := sql.Open("sqlite", loc.uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	pool.SetMaxIdleConns(0) // closing the connection closes the file
	conn, err := pool.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// mustExec runs statements on a foreign connection.
func mustExec(t testing.TB, conn *sql.Conn, statements string) {
	t.Helper()
	if _, err := conn.ExecContext(context.Background(), statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// lockFile takes the write lock of a file for a foreign connection.
func lockFile(t testing.TB, path string) (unlock func()) {
	t.Helper()
	conn := foreign(t, path)
	mustExec(t, conn, "BEGIN IMMEDIATE")
	return func() {
		t.Helper()
		mustExec(t, conn, "ROLLBACK")
	}
}

// errTest is the failure that a test makes happen, errAny stands for whatever
// error has no identity of its own.
var (
	errTest = errors.New("test failure")
	errAny  = errors.New("any error")
)

// checkError checks the identity of an error; a nil want means no error.
func checkError(t testing.TB, what string, got, want error) {
	t.Helper()
	if want == errAny && got != nil {
		return
	}
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

func checkPanic(t testing.TB, what string, do func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: got no panic, want one", what)
		}
	}()
	do()
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	writeFile(t, to, readFile(t, from))
}

// listing returns the files of a directory and what they hold.
func listing(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, e := range entries {
		files[e.Name()] = string(readFile(t, filepath.Join(dir, e.Name())))
	}
	return files
}

// checkListing checks that a directory holds what it held before.
func checkListing(t testing.TB, dir string, want map[string]string) {
	t.Helper()
	got := listing(t, dir)
	for name, content := range got {
		if old, ok := want[name]; !ok {
			t.Errorf("file %q: got one, want none", name)
		} else if old != content {
			t.Errorf("file %q: got other content than before, want the same", name)
		}
	}
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("file %q: got none, want one", name)
		}
	}
}

//go:build unix

package vfs_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"modernc.org/sqlite"

	"github.com/bucketlite/bucketlite/internal/vfs"
	"github.com/bucketlite/bucketlite/internal/vfstest"
)

func TestMain(m *testing.M) {
	if err := vfstest.Install(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if role := os.Getenv(roleVariable); role != "" {
		if err := child(role, os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "child %q: %v\n", role, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// mode is how a database is opened.
type mode struct {
	plain       bool   // with the platform's VFS
	synchronous string // NORMAL or FULL
	padded      bool   // transactions are padded to the end of a sector
}

func (m mode) String() string {
	words := []string{map[bool]string{false: "joined", true: "plain"}[m.plain], strings.ToLower(m.synchronous)}
	if m.padded {
		words = append(words, "padded")
	}
	return strings.Join(words, ", ")
}

// modes are all of them, the most important ones first.
var modes = []mode{
	{false, "NORMAL", false}, {false, "FULL", false}, {false, "FULL", true},
	{false, "NORMAL", true}, {true, "NORMAL", false}, {true, "FULL", false},
}

// conn is a connection with a cache so small that large transactions spill into the log.
type conn struct{ driver.Conn }

// open opens a database, or fails the test.
func open(t testing.TB, path string, m mode) conn {
	t.Helper()
	c, err := connect(path, m)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func connect(path string, m mode) (conn, error) {
	uri := "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=rwc"
	if !m.plain {
		name, err := vfs.Name()
		if err != nil {
			return conn{}, err
		}
		uri += "&vfs=" + name
	}
	if m.padded {
		uri += "&psow=0"
	}
	connector, err := sqlite.NewConnector(uri)
	if err != nil {
		return conn{}, err
	}
	raw, err := connector.Connect(context.Background())
	if err != nil {
		return conn{}, err
	}
	c := conn{raw}
	err = c.run("PRAGMA busy_timeout = 10000; PRAGMA cache_size = 8; PRAGMA journal_size_limit = 65536; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = " + m.synchronous)
	if err != nil {
		raw.Close()
	}
	return c, err
}

func (c conn) run(script string) error {
	_, err := c.Conn.(driver.ExecerContext).ExecContext(context.Background(), script, nil)
	return err
}

// rows returns all rows of a query as text.
func (c conn) rows(query string) (string, error) {
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(context.Background(), query, nil)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var b strings.Builder
	for row := make([]driver.Value, len(rows.Columns())); ; {
		if err := rows.Next(row); err == io.EOF {
			return b.String(), nil
		} else if err != nil {
			return "", err
		}
		for i, v := range row {
			fmt.Fprint(&b, strings.Repeat(" ", min(i, 1)), v)
		}
		b.WriteByte('\n')
	}
}

// state returns all that a database holds, and fails if that is damaged.
func (c conn) state() (string, error) {
	check, err := c.rows("PRAGMA integrity_check")
	if err != nil {
		return "", err
	}
	if check != "ok\n" {
		return "", fmt.Errorf("integrity check: %s", check)
	}
	all, err := c.rows("SELECT id, hex(data) FROM item ORDER BY id")
	return fmt.Sprintf("%d rows, %x", strings.Count(all, "\n"), sha256.Sum256([]byte(all))), err
}

// transaction is one step of the workload. It has the same effect twice as once.
type transaction struct{ name, begin, end string }

// fill makes a statement that replaces rows by ones of 3,000 bytes each.
func fill(from, to int, with string) string {
	return fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT %d UNION ALL SELECT i+1 FROM n WHERE i < %d)
		INSERT OR REPLACE INTO item SELECT i, CAST(printf('%%.*c', 3000, '%s') AS BLOB) FROM n;`, from, to, with)
}

// workload are transactions of all kinds. Those without an end are no transactions, and
// change nothing.
var workload = []transaction{
	{"one row", fill(1, 1, "a"), "COMMIT"},
	{"some rows", fill(2, 6, "b"), "COMMIT"},
	{"more than the cache holds", fill(7, 18, "c"), "COMMIT"},
	{"frames written twice", fill(1, 12, "d") + fill(1, 12, "e") + "SELECT sum(length(data)) FROM item;" + fill(9, 12, "f"), "COMMIT"},
	{"rolled back to a savepoint", fill(19, 19, "g") + "SAVEPOINT s;" + fill(1, 10, "h") + "ROLLBACK TO s; RELEASE s;" + fill(20, 21, "i"), "COMMIT"},
	{"rolled back", fill(1, 12, "j"), "ROLLBACK"},
	{"after a rollback", fill(22, 23, "k"), "COMMIT"},
	{"checkpoint", "PRAGMA wal_checkpoint(RESTART)", ""},
	{"the log begins anew", fill(1, 3, "l"), "COMMIT"},
	{"in the middle of old frames", fill(1, 11, "m"), "COMMIT"},
	{"deletion", "DELETE FROM item WHERE id % 3 = 0;", "COMMIT"},
	{"truncation", "PRAGMA wal_checkpoint(TRUNCATE)", ""},
	{"the log was cut", fill(3, 5, "n"), "COMMIT"},
	{"checkpoint amid", "PRAGMA wal_checkpoint(PASSIVE)", ""},
	{"last", fill(100, 101, "o"), "COMMIT"},
}

// do runs one step.
func (c conn) do(tx transaction) error {
	if tx.end == "" {
		return c.run(tx.begin)
	}
	if err := c.run("BEGIN IMMEDIATE;" + tx.begin); err != nil {
		return err
	}
	return c.run(tx.end)
}

// empty is the database before the workload.
var empty = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "vfs")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "test.db")
	c, err := connect(path, mode{plain: true, synchronous: "NORMAL"})
	if err != nil {
		return nil, err
	}
	err = c.run("PRAGMA auto_vacuum = 2; PRAGMA journal_mode = WAL; CREATE TABLE item (id INTEGER PRIMARY KEY, data BLOB)")
	if err != nil {
		return nil, err
	}
	if err := c.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// newFile returns the path of a copy of the empty database.
func newFile(t testing.TB) string {
	t.Helper()
	data, err := empty()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, bytes.Clone(data), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// states are what the database holds before the workload and after each step.
var states = sync.OnceValues(func() (all []string, err error) {
	data, err := empty()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "vfs")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "test.db")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		return nil, err
	}
	c, err := connect(path, mode{plain: true, synchronous: "NORMAL"})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for i := range len(workload) + 1 {
		if i > 0 {
			if err := c.do(workload[i-1]); err != nil {
				return nil, err
			}
		}
		s, err := c.state()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
})

// wantStates returns the states, or fails the test.
func wantStates(t testing.TB) []string {
	t.Helper()
	all, err := states()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// stateOf opens a database as the platform does and returns what it holds.
func stateOf(path string) (string, error) {
	c, err := connect(path, mode{plain: true, synchronous: "NORMAL"})
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.state()
}

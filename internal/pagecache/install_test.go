package pagecache_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"modernc.org/sqlite"

	"github.com/bucketlite/bucketlite/internal/pagecache"
)

// SQLite uses this package in this process.
func TestInstalled(t *testing.T) {
	t.Parallel()
	if !pagecache.Installed {
		t.Error("SQLite has its own page cache")
	}
}

// A connection that reads much does not evict the pages of an idle one, to whatever file.
// The test does not run beside others: with further caches the pool of SQLite would have
// room for all.
func TestPagesOfOthers(t *testing.T) {
	idle, busy := connect(t), connect(t)
	fill(t, idle, 100)
	fill(t, busy, 2000)
	scan(t, idle)
	scan(t, idle) // all of its pages are there
	for range 3 {
		scan(t, busy) // which has more pages than its cache
	}
	misses(t, idle)
	scan(t, idle)
	if got := misses(t, idle); got != 0 {
		t.Errorf("the idle connection has read %d pages again, want 0", got)
	}
	if misses(t, busy) == 0 {
		t.Error("the busy connection has read no page, want some: the test shows nothing")
	}
}

// A cache takes the same memory while its pages change.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	const pages = 50
	c := connect(t)
	exec(t, c, "PRAGMA cache_size = 50")
	fill(t, c, 2000)
	scan(t, c)
	exec(t, c, "UPDATE t SET a = randomblob(3000)")
	scan(t, c)
	if used, most := status(t, c, sqlite.DBStatusCacheUsed), (pages+2)*(4096+1024); used > most {
		t.Errorf("the cache has %d bytes, want at most %d", used, most)
	}
}

func connect(t *testing.T) *sql.Conn {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	c, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func exec(t *testing.T, c *sql.Conn, text string, args ...any) {
	t.Helper()
	if _, err := c.ExecContext(context.Background(), text, args...); err != nil {
		t.Fatal(err)
	}
}

// fill makes a table of about as many pages.
func fill(t *testing.T, c *sql.Conn, pages int) {
	t.Helper()
	exec(t, c, "CREATE TABLE t (a)")
	exec(t, c, "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO t SELECT randomblob(3000) FROM n", pages)
}

func scan(t *testing.T, c *sql.Conn) {
	t.Helper()
	var n, bytes int
	if err := c.QueryRowContext(context.Background(), "SELECT count(*), sum(length(a)) FROM t").Scan(&n, &bytes); err != nil || bytes != 3000*n {
		t.Fatalf("got %d rows of %d bytes, %v", n, bytes, err)
	}
}

// misses returns how many pages the connection has read since the last call.
func misses(t *testing.T, c *sql.Conn) int {
	t.Helper()
	return status(t, c, sqlite.DBStatusCacheMiss)
}

func status(t *testing.T, c *sql.Conn, op sqlite.DBStatusOp) (n int) {
	t.Helper()
	err := c.Raw(func(driver any) (err error) {
		n, _, err = driver.(sqlite.DBStatus).Status(op, true)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

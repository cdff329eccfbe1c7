package sqlite3

import (
	"fmt"
	"testing"

	lib "modernc.org/sqlite/lib"
)

// filled returns a connection to a database of many pages.
func filled(t testing.TB) *Conn {
	c := open(t, newFile(t))
	mustScript(t, c, "CREATE TABLE t (a); INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT randomblob(2000) FROM n")
	return c
}

func TestBackup(t *testing.T) {
	t.Parallel()
	for _, pages := range []int{1, 7, -1} {
		t.Run(fmt.Sprintf("pages %d", pages), func(t *testing.T) {
			t.Parallel()
			c, path := filled(t), newFile(t)
			b, err := c.Backup(path, "")
			if err != nil {
				t.Fatal(err)
			}
			steps := 1
			more, err := b.Step(pages)
			for ; more; more, err = b.Step(pages) {
				if want := b.Pages() - steps*pages; b.Remaining() != want {
					t.Fatalf("remaining: got %d, want %d", b.Remaining(), want)
				}
				steps++
			}
			if err != nil || b.Remaining() != 0 {
				t.Errorf("after all steps: got %d pages, error %v", b.Remaining(), err)
			}
			for range 2 {
				if err := b.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
			const sum = "SELECT count(*) || ' ' || sum(length(a)) FROM t"
			if got, want := mustQuery(t, open(t, path), sum), mustQuery(t, c, sum); got != want {
				t.Errorf("copy: got %v, want %v", got, want)
			}
		})
	}
}

// A backup that is not complete leaves the file as it was.
func TestBackupGivenUp(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	mustScript(t, open(t, path), "CREATE TABLE before (a)")
	b, err := filled(t).Backup(path, "")
	if err != nil {
		t.Fatal(err)
	}
	if more, err := b.Step(3); !more || err != nil {
		t.Errorf("Step: got %t, %v, want more", more, err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if got := mustQuery(t, open(t, path), "SELECT count(*) FROM before"); got != int64(0) {
		t.Errorf("got %v, want the table of before", got)
	}
}

func TestBackupFails(t *testing.T) {
	t.Parallel()
	c := filled(t)
	_, err := c.Backup("file:///missing/directory/file", "")
	if want := "unable to open database file (14)"; err == nil || err.Error() != want {
		t.Errorf("missing directory: got error %v, want %q", err, want)
	}
	path := newFile(t)
	locker := open(t, path)
	mustScript(t, locker, "CREATE TABLE t (a); BEGIN EXCLUSIVE")
	b, err := c.Backup(path, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Step(1)
	wantCode(t, "locked copy", err, lib.SQLITE_BUSY)
	if want := "database is locked (5) (SQLITE_BUSY)"; err == nil || err.Error() != want {
		t.Errorf("locked copy: got error %v, want %q", err, want)
	}
	mustScript(t, locker, "ROLLBACK")
	b.Close()
}

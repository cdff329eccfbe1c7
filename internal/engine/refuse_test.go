package engine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestOpenStranger(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(t *testing.T, path string)
	}{
		{"text", text("Dear diary,\n")},
		{"long text", text(strings.Repeat("All work and no play.\n", 1000))},
		{"zeros", text(strings.Repeat("\x00", 8192))},
		{"cut header", text("SQLite format 3\x00")},
		{"another application", database("PRAGMA application_id = 7; CREATE TABLE t (a)")},
		{"no application", database("CREATE TABLE t (a); INSERT INTO t VALUES (1)")},
		{"no application, no tables", database("PRAGMA user_version = 2")},
		{"no application, our format", database("PRAGMA user_version = 2; CREATE TABLE item (k)")},
		{"write-ahead logging", database("PRAGMA journal_mode = WAL; CREATE TABLE t (a)")},
		{"write-ahead log left", crashed("PRAGMA journal_mode = WAL; PRAGMA application_id = 7; CREATE TABLE t (a)")},
		{"write-ahead log left, first sector torn", tornFile(crashed("PRAGMA journal_mode = WAL; PRAGMA application_id = 7; CREATE TABLE t (a)"))},
		{"text beside a log of its own", beside("-wal", text("Dear diary,\n"))},
		{"text beside a journal of its own", beside("-journal", text("Dear diary,\n"))},
		{"creation of another application", beside("-journal", database("PRAGMA application_id = 7; CREATE TABLE t (a)"), journalOfNothing()...)},
	}
	for _, test := range tests {
		for _, readOnly := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, read-only %t", test.name, readOnly), func(t *testing.T) {
				t.Parallel()
				cfg := testConfig(newPath(t))
				cfg.ReadOnly = readOnly
				test.make(t, cfg.Path)
				checkRefused(t, cfg, ErrNotAStore)
			})
		}
	}
}

func TestOpenNewer(t *testing.T) {
	t.Parallel()
	for _, readOnly := range []bool{false, true} {
		t.Run(fmt.Sprintf("read-only %t", readOnly), func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(newPath(t))
			cfg.ReadOnly = readOnly
			makeNewer(t, cfg.Path)
			checkRefused(t, cfg, ErrNewFormat)
		})
	}
}

// The version may be in the write-ahead log only, which no look from outside sees.
func TestOpenNewerInLog(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newPath(t))
	openStore(t, cfg)
	conn := foreign(t, cfg.Path)
	mustExec(t, conn, fmt.Sprintf("PRAGMA user_version = %d", len(cfg.Migrations)+1))
	for _, readOnly := range []bool{false, true} {
		cfg.ReadOnly = readOnly
		_, err := Open(context.Background(), cfg)
		checkError(t, fmt.Sprintf("read-only %t", readOnly), err, ErrNewFormat)
	}
}

// checkRefused checks that a file is refused and left as it was. It returns the
// refusal.
func checkRefused(t *testing.T, cfg Config, want error) error {
	t.Helper()
	dir := filepath.Dir(cfg.Path)
	before := listing(t, dir)
	db, err := Open(context.Background(), cfg)
	if err == nil {
		db.Close()
	}
	checkError(t, "Open", err, want)
	checkListing(t, dir, before)
	return err
}

// A stranger may make the file after we have looked whether there is one. Then
// the connection that is to write notices.
func TestOpenStrangerAtOnce(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newPath(t))
	loc, _, err := locate(cfg.Path, false)
	if err != nil {
		t.Fatal(err)
	}
	database(fmt.Sprintf("PRAGMA user_version = %d; CREATE TABLE t (a)", len(cfg.Migrations)))(t, cfg.Path)
	before := listing(t, filepath.Dir(cfg.Path))
	_, err = openWriter(context.Background(), loc, cfg)
	checkError(t, "openWriter", err, ErrNotAStore)
	checkListing(t, filepath.Dir(cfg.Path), before)
}

func text(content string) func(*testing.T, string) {
	return func(t *testing.T, path string) { writeFile(t, path, []byte(content)) }
}

// database makes a file with statements run by nobody we know.
func database(statements string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		conn := foreign(t, path)
		mustExec(t, conn, statements)
		conn.Close()
	}
}

// crashed makes a file like database, as it is when that process is killed.
func crashed(statements string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		source := newPath(t)
		mustExec(t, foreign(t, source), statements)
		copyFile(t, source, path)
		copyFile(t, source+"-wal", path+"-wal")
	}
}

// tornFile makes a file like another, with its first sector torn.
func tornFile(create func(*testing.T, string)) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		create(t, path)
		writeFile(t, path, torn(readFile(t, path)))
	}
}

// beside makes a file like another, and a side file that holds content, or else
// what the file does.
func beside(suffix string, create func(*testing.T, string), content ...byte) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		create(t, path)
		side := content // the function runs in several tests at once
		if side == nil {
			side = readFile(t, path)
		}
		writeFile(t, path+suffix, side)
	}
}

func makeNewer(t *testing.T, path string) {
	t.Helper()
	cfg := testConfig(path)
	cfg.Migrations = append(slices.Clone(cfg.Migrations), "CREATE TABLE future (a)")
	openStore(t, cfg).Close()
}

func TestOpenDamaged(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	if err := os.Truncate(cfg.Path, 4096); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		cfg.ReadOnly = readOnly
		_, err := Open(context.Background(), cfg)
		checkError(t, fmt.Sprintf("read-only %t", readOnly), err, ErrCorrupt)
	}
}

// A checkpoint writes the pages of the log into the file from the first on, and
// the first says how many there are. The log is still whole.
func TestOpenAfterCrashInCheckpoint(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newPath(t))
	db := openStore(t, cfg)
	err := db.Write(context.Background(), func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO item VALUES ('a', zeroblob(100000))")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before, log := readFile(t, cfg.Path), readFile(t, cfg.Path+"-wal")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	after := readFile(t, cfg.Path)

	const page = pageSize
	if len(before) < page || len(after) <= len(before) || bytes.Equal(after[:page], before[:page]) {
		t.Fatalf("the checkpoint brought the file from %d to %d bytes, want it to grow and change its first page", len(before), len(after))
	}
	half := append(after[:page:page], before[page:]...)
	for name, file := range map[string][]byte{
		"first page written":     half,
		"first sector torn":      torn(half),
		"first page of zeros":    append(make([]byte, page), half[page:]...),
		"a first page of others": append(bytes.Repeat([]byte("text\n"), page/5+1)[:page], half[page:]...),
	} {
		for _, readOnly := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, read-only %t", name, readOnly), func(t *testing.T) {
				cfg := cfg
				cfg.Path, cfg.ReadOnly = newPath(t), readOnly
				writeFile(t, cfg.Path, file)
				writeFile(t, cfg.Path+"-wal", log)
				if got, want := keys(t, openStore(t, cfg)), []string{"a"}; !slices.Equal(got, want) {
					t.Errorf("keys: got %q, want %q", got, want)
				}
			})
		}
	}
}

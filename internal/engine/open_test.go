package engine

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestOpenNewFile(t *testing.T) {
	t.Parallel()
	for name, level := range map[string]Synchronous{"normal": Normal, "full": Full} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(newPath(t))
			cfg.Synchronous = level
			db := openStore(t, cfg)
			checkFile(t, cfg)

			// The synchronous level belongs to a connection, not to the file.
			var got string
			err := db.Write(context.Background(), func(tx *Tx) (err error) {
				got, err = tx.pragma("synchronous")
				return err
			})
			if want := strconv.Itoa(int(level)); err != nil || got != want {
				t.Errorf("synchronous: got %s, %v, want %s", got, err, want)
			}
			if db.ReadOnly() {
				t.Error("ReadOnly: got true, want false")
			}
		})
	}
}

// checkFile checks what a connection that knows nothing of us finds in a file.
func checkFile(t *testing.T, cfg Config) {
	t.Helper()
	conn := foreign(t, cfg.Path)
	for pragma, want := range map[string]string{
		"application_id": strconv.Itoa(ourID),
		"user_version":   strconv.Itoa(len(cfg.Migrations)),
		"journal_mode":   "wal",
		"auto_vacuum":    "2",
	} {
		var got string
		err := conn.QueryRowContext(context.Background(), "PRAGMA "+pragma).Scan(&got)
		if err != nil || got != want {
			t.Errorf("pragma %s: got %q, %v, want %q", pragma, got, err, want)
		}
	}
}

func TestOpenAgain(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newPath(t))
	for _, key := range []string{"a", "b"} {
		db := openStore(t, cfg)
		mustPut(t, db, key)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := keys(t, openStore(t, cfg)), []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
	checkFile(t, cfg)
}

func TestOpenEmptyFile(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newPath(t))
	if err := os.WriteFile(cfg.Path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	openStore(t, cfg)
	checkFile(t, cfg)
}

func TestOpenMigrates(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newPath(t))
	old := cfg
	old.Migrations = cfg.Migrations[:1]
	db := openStore(t, old)
	mustPut(t, db, "old")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	readOnly := cfg
	readOnly.ReadOnly = true
	_, err := Open(context.Background(), readOnly)
	checkError(t, "read-only, of an older format", err, ErrOldFormat)
	db = openStore(t, cfg)
	if got, want := keys(t, db), []string{"old"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
	if got, want := column(t, db, "SELECT n FROM counter"), []string{"0"}; !slices.Equal(got, want) {
		t.Errorf("rows of a table the migration adds: got %q, want %q", got, want)
	}
	checkFile(t, cfg)
}

func TestOpenFailingMigration(t *testing.T) {
	t.Parallel()
	good := testConfig(newFile(t))

	bad := good
	bad.Migrations = append(slices.Clone(good.Migrations), "CREATE TABLE half (k); CREATE TABLE item (k)")
	_, err := Open(context.Background(), bad)
	checkError(t, "Open", err, errAny)
	db := openStore(t, good) // not newer than we are: the version is as it was
	if got := column(t, db, "SELECT name FROM sqlite_schema WHERE name = 'half'"); len(got) > 0 {
		t.Errorf("tables of the failed migration: got %q, want none", got)
	}
}

// One script makes a new file, and migrations update an older one.
func TestOpenNewest(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newPath(t))
	cfg.Newest = strings.Join(cfg.Migrations, ";") + "; INSERT INTO counter VALUES (7)"
	db := openStore(t, cfg)
	if got, want := column(t, db, "SELECT n FROM counter"), []string{"0", "7"}; !slices.Equal(got, want) {
		t.Errorf("rows of a new file: got %q, want %q", got, want)
	}
	checkFile(t, cfg)

	cfg = testConfig(newPath(t))
	old := cfg
	old.Migrations = cfg.Migrations[:1]
	if err := openStore(t, old).Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Newest = "this is not SQL"
	if got, want := column(t, openStore(t, cfg), "SELECT n FROM counter"), []string{"0"}; !slices.Equal(got, want) {
		t.Errorf("rows of an older file: got %q, want %q", got, want)
	}
	checkFile(t, cfg)

	cfg.Path = newPath(t)
	cfg.Newest = "CREATE TABLE half (k); this is not SQL"
	_, err := Open(context.Background(), cfg)
	checkError(t, "Open with a script that fails", err, errAny)
	cfg.Newest = ""
	db = openStore(t, cfg)
	if got := column(t, db, "SELECT name FROM sqlite_schema WHERE name = 'half'"); len(got) > 0 {
		t.Errorf("tables of a script that failed: got %q, want none", got)
	}
}

func TestOpenMemory(t *testing.T) {
	t.Parallel()
	one, other := openStore(t, testConfig(Memory)), openStore(t, testConfig(Memory))
	mustPut(t, one, "a")
	if got, want := keys(t, one), []string{"a"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
	if got := keys(t, other); len(got) > 0 {
		t.Errorf("keys of another store in memory: got %q, want none", got)
	}
	if _, err := os.Stat(Memory); err == nil {
		t.Errorf("file %q: got one, want none", Memory)
	}
}

func TestOpenPaths(t *testing.T) {
	t.Parallel()
	names := []string{
		"a b.db", "a#b.db", "a%b.db", "a%41b.db", "a%2Fb.db", "a&b=c.db", "a+b.db", "a;b.db", "файл-數據-é.db", "file%3Ax",
	}
	if runtime.GOOS != "windows" { // where these cannot be in a name
		names = append(names, "a?b.db", "a?mode=memory", "file:a.db", `a\b.db`, `a"b'c.db`, "a\nb.db", ":memory:.db")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(filepath.Join(t.TempDir(), name))
			db := openStore(t, cfg)
			mustPut(t, db, "a")
			if got, want := keys(t, db), []string{"a"}; !slices.Equal(got, want) {
				t.Errorf("keys: got %q, want %q", got, want)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if files := listing(t, filepath.Dir(cfg.Path)); len(files) != 1 || files[name] == "" {
				t.Errorf("files: got %d, want only %q", len(files), name)
			}
		})
	}
}

// Not parallel: the working directory belongs to the process.
func TestOpenRelativePath(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	t.Chdir(first)
	db := openStore(t, testConfig("relative.db"))
	mustPut(t, db, "a")
	t.Chdir(second)
	if got, want := keys(t, db), []string{"a"}; !slices.Equal(got, want) {
		t.Errorf("keys after a change of directory: got %q, want %q", got, want)
	}
	if _, err := os.Stat(filepath.Join(first, "relative.db")); err != nil {
		t.Errorf("file: got %v, want it where it was opened", err)
	}
	if files := listing(t, second); len(files) > 0 {
		t.Errorf("files in the later directory: got %d, want none", len(files))
	}
}

func TestOpenRefusesPath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		path     func(dir string) string
		readOnly bool
		want     error
	}{
		{"empty", func(string) string { return "" }, false, errAny},
		{"directory", func(dir string) string { return dir }, false, errAny},
		{"directory, read-only", func(dir string) string { return dir }, true, errAny},
		{"missing directory", func(dir string) string { return filepath.Join(dir, "no", "x.db") }, false, fs.ErrNotExist},
		{"missing file, read-only", func(dir string) string { return filepath.Join(dir, "x.db") }, true, fs.ErrNotExist},
		{"NUL", func(dir string) string { return filepath.Join(dir, "a\x00b.db") }, false, errAny},
		{"memory, read-only", func(string) string { return Memory }, true, errAny},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cfg := testConfig(test.path(dir))
			cfg.ReadOnly = test.readOnly
			db, err := Open(context.Background(), cfg)
			if err == nil {
				db.Close()
			}
			checkError(t, "Open", err, test.want)
			checkListing(t, dir, nil)
		})
	}
}

func TestOpenEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	path := newPath(t)
	_, err := Open(ctx, testConfig(path))
	checkError(t, "Open", err, context.Canceled)
	checkListing(t, filepath.Dir(path), nil)
}

// Opening a file that is up to date writes nothing, so it need not wait.
func TestOpenWhileLocked(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	lockFile(t, cfg.Path)
	cfg.BusyTimeout = brief
	for _, readOnly := range []bool{false, true} {
		cfg.ReadOnly = readOnly
		if got := keys(t, openStore(t, cfg)); len(got) > 0 {
			t.Errorf("read-only %t: keys: got %q, want none", readOnly, got)
		}
	}
}

// A new format has to be written, so opening waits for the holder of the lock.
func TestOpenWaitsForLock(t *testing.T) {
	t.Parallel()
	old := testConfig(newPath(t))
	old.Migrations = old.Migrations[:1]
	openStore(t, old)
	unlock := lockFile(t, old.Path)

	hurried := testConfig(old.Path)
	hurried.BusyTimeout = brief
	_, err := Open(context.Background(), hurried)
	checkError(t, "busy timeout", err, ErrBusy)

	ctx, cancel := context.WithTimeout(context.Background(), brief)
	defer cancel()
	_, err = Open(ctx, testConfig(old.Path))
	checkError(t, "context", err, context.DeadlineExceeded)

	opened := make(chan error)
	go func() {
		db, err := Open(context.Background(), testConfig(old.Path))
		if err == nil {
			err = db.Close()
		}
		opened <- err
	}()
	unlock()
	checkError(t, "lock released", <-opened, nil)
}

func TestOpenReadOnly(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	db := openStore(t, cfg)
	mustPut(t, db, "a")
	cfg.ReadOnly = true
	for _, name := range []string{"beside a store that writes", "alone"} {
		reader := openStore(t, cfg)
		if !reader.ReadOnly() {
			t.Errorf("%s: ReadOnly: got false, want true", name)
		}
		if got, want := keys(t, reader), []string{"a"}; !slices.Equal(got, want) {
			t.Errorf("%s: keys: got %q, want %q", name, got, want)
		}
		checkError(t, name+": Write", reader.Write(context.Background(), put("b")), ErrReadOnly)
		checkError(t, name+": Exec in a Read", reader.Read(context.Background(), func(c *Conn) error {
			_, err := c.Exec("INSERT INTO item VALUES ('b', NULL)")
			return err
		}), ErrReadOnly)
		if err := reader.Close(); err != nil {
			t.Errorf("%s: Close: %v", name, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

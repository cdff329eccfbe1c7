package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
)

// fill inserts some items of a quarter of a mebibyte each.
func fill(t testing.TB, db *DB) {
	t.Helper()
	err := db.Write(context.Background(), func(tx *Tx) error {
		for i := range 40 {
			if _, err := tx.Exec("INSERT INTO item VALUES (?, zeroblob(262144))", fmt.Sprintf("%02d", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A backup is of the moment it began at, whatever is written between its steps,
// and does not begin again because of that.
func TestBackupIsOfOneMoment(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	fill(t, db)
	want := keys(t, db)
	to := newPath(t)
	writeFile(t, to, nil)
	last, calls := int64(0), 0
	err := db.Backup(context.Background(), to, func(done, total int64) {
		if done <= last {
			t.Errorf("progress: got %d after %d", done, last)
		}
		last = done
		calls++
		mustPut(t, db, fmt.Sprintf("new %d", calls))
	})
	checkError(t, "Backup", err, nil)
	if calls < 10 {
		t.Errorf("progress: got %d calls, want one for each mebibyte", calls)
	}
	if got := keys(t, openStore(t, testConfig(to))); !slices.Equal(got, want) {
		t.Errorf("keys: got %v, want %v", got, want)
	}
}

// A backup ends after the piece during which its context ends, or the database
// is closed.
func TestBackupEndsEarly(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		fill(t, db)
		to := newPath(t)
		writeFile(t, to, nil)
		ctx, cancel := context.WithCancel(context.Background())
		calls := 0
		err := db.Backup(ctx, to, func(done, total int64) { calls++; cancel() })
		checkError(t, "cancelled", err, context.Canceled)
		if calls != 1 {
			t.Errorf("cancelled: got %d calls, want 1", calls)
		}
		closed := make(chan error, 1)
		closing := sync.OnceFunc(func() { go func() { closed <- db.Close() }() })
		err = db.Backup(context.Background(), to, func(done, total int64) {
			closing() // another piece may be on its way before the backup learns of it
			<-db.Closing()
		})
		checkError(t, "closed", err, ErrClosed)
		checkError(t, "Close", <-closed, nil)
	})
}

func TestBackupErrors(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	silent := func(int64, int64) {}
	checkError(t, "no such file", db.Backup(context.Background(), newPath(t), silent), errAny)
	checkError(t, "a directory", db.Backup(context.Background(), t.TempDir(), silent), errAny)
	// A file that is not a database is not overwritten.
	other := newPath(t)
	writeFile(t, other, []byte("something else that is longer than nothing at all, by far"))
	before := string(readFile(t, other))
	checkError(t, "another file", db.Backup(context.Background(), other, silent), errAny)
	if got := string(readFile(t, other)); got != before {
		t.Errorf("another file: got %q, want %q", got, before)
	}
}

func TestOwns(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db := openStore(t, testConfig(path))
	memory := openStore(t, testConfig(Memory))
	for _, file := range append(SideFiles(path), path, reservePath(path)) {
		if !db.Owns(file) {
			t.Errorf("Owns(%q): got false, want true", file)
		}
		if memory.Owns(file) {
			t.Errorf("memory: Owns(%q): got true, want false", file)
		}
	}
	if db.Owns(newPath(t)) || db.Owns(path+"2") {
		t.Error("Owns of other files: got true, want false")
	}
}

package engine

import (
	"context"
	"os"
	"testing"
	"time"
)

// writeMiB writes n MiB in as many commits.
func writeMiB(t testing.TB, db *DB, n int) {
	t.Helper()
	for range n {
		err := db.Write(context.Background(), func(tx *Tx) error {
			_, err := tx.Exec("INSERT INTO item (k, v) VALUES (hex(randomblob(8)), randomblob(1 << 20))")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func logSize(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// A snapshot keeps the log from being emptied, and writers continue beside it. Once it
// has ended, the log is emptied.
func TestLogBesideSnapshot(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newPath(t))
	db := openStore(t, cfg)
	began, end := make(chan struct{}), make(chan struct{})
	read := make(chan error, 1)
	go func() {
		read <- db.Read(context.Background(), func(c *Conn) error {
			return c.Snapshot(func() error {
				if _, err := c.QueryRow("SELECT count(*) FROM item", nil, nil); err != nil {
					return err
				}
				close(began)
				<-end
				return nil
			})
		})
	}()
	<-began
	writeMiB(t, db, 24)
	if got := logSize(t, cfg.Path); got < 24<<20 {
		t.Errorf("log beside a snapshot: got %d bytes, want all of the %d that were written", got, 24<<20)
	}
	if ok, err := db.EmptyLog(0); ok || err != nil {
		t.Errorf("empty the log beside a snapshot: got %t, %v, want false", ok, err)
	}
	close(end)
	if err := <-read; err != nil {
		t.Fatal(err)
	}
	if ok, err := db.EmptyLog(0); !ok || err != nil {
		t.Errorf("empty the log: got %t, %v, want true", ok, err)
	}
	if got := logSize(t, cfg.Path); got != 0 {
		t.Errorf("log: got %d bytes, want none", got)
	}
	if ok, err := db.EmptyLog(0); !ok || err != nil {
		t.Errorf("empty the log again: got %t, %v, want true", ok, err)
	}
}

// Readers that overlap, each with an old snapshot, let the writer empty the log.
func TestLogBesideReaders(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newPath(t))
	db := openStore(t, cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{}, 2)
	for i := range cap(ended) {
		go func() {
			defer func() { ended <- struct{}{} }()
			pause := time.Duration(20+7*i) * time.Millisecond // at no moment does nobody read
			for ctx.Err() == nil {
				err := db.Read(context.Background(), func(c *Conn) error {
					return c.Snapshot(func() error {
						_, err := c.QueryRow("SELECT count(*) FROM item", nil, nil)
						time.Sleep(pause)
						return err
					})
				})
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	longest := int64(0)
	for range 80 {
		writeMiB(t, db, 1)
		longest = max(longest, logSize(t, cfg.Path))
	}
	cancel()
	for range cap(ended) {
		<-ended
	}
	if want := int64(64 << 20); longest > want {
		t.Errorf("log after 80 MiB: got %d bytes at most, want %d or less", longest, want)
	}
}

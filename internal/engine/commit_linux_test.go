package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func init() { children["lose log"] = childLoseLog }

// The disk fails while a commit is under way. It happens to another process,
// and this one examines the file.
func TestOutcomeUnknown(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	startChild(t, "lose log", cfg.Path).wait(t)
	db := openStore(t, cfg)
	got := keys(t, db)
	if !slices.Contains(got, "acknowledged") {
		t.Errorf("keys: got %q, want them to hold what was acknowledged", got)
	}
	if slices.Contains(got, "lost 1") != slices.Contains(got, "lost 2") {
		t.Errorf("keys: got %q, want what was lost there whole or not at all", got)
	}
	mustPut(t, db, "later")
}

func childLoseLog(args []string) error {
	ctx := context.Background()
	db, err := Open(ctx, testConfig(args[0]))
	if err != nil {
		return err
	}
	var wrong []error
	check := func(what string, got, want error) {
		if !errors.Is(got, want) {
			wrong = append(wrong, fmt.Errorf("%s: got error %v, want %v", what, got, want))
		}
	}
	want := []string{"acknowledged"}
	check("write before", db.Write(ctx, put("acknowledged")), nil)

	var late *Pending
	errs := together(db, put("neighbour"), func(tx *Tx) error {
		// Too many for this group: the last waits for the commit.
		for range maxGroupOps {
			late = db.Start(ctx, func(*Tx) error { return nil })
		}
		return errors.Join(insert(tx, "lost 1"), insert(tx, "lost 2"), loseLog())
	})
	if errs[0] == nil {
		want = append(want, "neighbour") // on a busy machine it has a group of its own
	} else {
		check("neighbour", errs[0], ErrOutcomeUnknown)
	}
	check("operation", errs[1], ErrOutcomeUnknown)
	check("write that waited for the commit", late.Wait(), ErrReadOnly)
	check("later write", db.Write(ctx, put("later")), ErrReadOnly)

	var got []string
	check("read", db.Read(ctx, func(c *Conn) error {
		return c.Query("SELECT k FROM item ORDER BY k", nil, func(r Row) error {
			got = append(got, r.Text(0))
			return nil
		})
	}), nil)
	if !slices.Equal(got, want) {
		wrong = append(wrong, fmt.Errorf("keys: got %q, want %q", got, want))
	}
	db.Close() // may fail, as it cannot empty the log
	check("write after Close", db.Write(ctx, put("closed")), ErrClosed)
	return errors.Join(wrong...)
}

// loseLog makes every write to this process's open write-ahead logs fail.
func loseLog() error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	const open = "/proc/self/fd"
	entries, err := os.ReadDir(open)
	if err != nil {
		return err
	}
	lost := 0
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(open, e.Name()))
		if err != nil || !strings.HasSuffix(target, "-wal") {
			continue
		}
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			return err
		}
		if err := syscall.Dup3(int(null.Fd()), fd, syscall.O_CLOEXEC); err != nil {
			return err
		}
		lost++
	}
	if lost == 0 {
		return errors.New("no write-ahead log is open")
	}
	return nil
}

package engine

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func init() { children["fail backup"] = childFailBackup }

// A failure of the copy's disk is reported by its code: the connection that copies has
// had no error of its own, and its text would be "not an error".
func TestBackupToFailingDisk(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	fill(t, openStore(t, cfg))
	startChild(t, "fail backup", cfg.Path, newPath(t)).wait(t)
}

// childFailBackup makes a copy where no file may be as long as that.
func childFailBackup(args []string) error {
	ctx := context.Background()
	db, err := Open(ctx, testConfig(args[0]))
	if err != nil {
		return err
	}
	defer db.Close()
	if err := os.WriteFile(args[1], nil, 0o666); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 8192, Max: 8192}); err != nil {
		return err
	}
	err = db.Backup(ctx, args[1], func(int64, int64) {})
	if primaryCode(err) != codeIOErr || strings.Contains(err.Error(), "not an error") || !strings.Contains(err.Error(), "disk I/O error") {
		return fmt.Errorf("backup: got %v, want a disk I/O error that says so", err)
	}
	return nil
}

// The files of a database that is opened by a link are those beside its target.
func TestOwnsBesideLink(t *testing.T) {
	t.Parallel()
	target, link := newFile(t), newPath(t)
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	db := openStore(t, testConfig(link))
	for path, want := range map[string]bool{
		link:                                  true,
		link + "-wal":                         true,
		target:                                true,
		target + "-wal":                       true,
		target + "-other":                     false,
		filepath.Join(t.TempDir(), "test.db"): false,
	} {
		if got := db.Owns(path); got != want {
			t.Errorf("Owns(%q): got %t, want %t", path, got, want)
		}
	}
}

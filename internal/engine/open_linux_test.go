package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

func init() {
	children["refuse unwritable"] = childRefuseUnwritable
	children["read"] = childRead
	children["refuse to read"] = childRefuseToRead
	children["lose permission"] = childLosePermission
}

// Permissions do not bind root, so what they forbid is tried by a process of
// nobody in particular.
func TestOpenWithoutPermission(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		file     os.FileMode
		dir      os.FileMode
		log      bool
		link     bool
		child    string
		readOnly bool
	}{
		{name: "write, file not writable", file: 0o444, dir: 0o777, child: "refuse unwritable"},
		{name: "write, nothing writable", file: 0o444, dir: 0o555, child: "refuse unwritable"},
		{name: "read-only, file not writable", file: 0o444, dir: 0o777, child: "read"},
		{name: "read-only, file not readable", file: 0o000, dir: 0o777, child: "refuse to read"},
		{name: "read-only, nothing writable", file: 0o444, dir: 0o555, child: "refuse to read"},
		{name: "read-only, nothing writable, by a link", file: 0o444, dir: 0o555, link: true, child: "refuse to read"},
		{name: "read-only, nothing writable, log left", file: 0o444, dir: 0o555, log: true, child: "refuse to read"},
		{name: "read-only, nothing writable, log left, by a link", file: 0o444, dir: 0o555, log: true, link: true, child: "refuse to read"},
	}
	program := publicProgram(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := publicDir(t)
			path := filepath.Join(dir, "test.db")
			makeItems(t, path, test.log)
			for _, name := range []string{path, path + "-wal"} {
				if err := os.Chmod(name, test.file); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Fatal(err)
				}
			}
			if test.link {
				link := filepath.Join(publicDir(t), "link.db")
				if err := os.Symlink(path, link); err != nil {
					t.Fatal(err)
				}
				chmodForTest(t, filepath.Dir(link), test.dir)
				path = link
			}
			chmodForTest(t, dir, test.dir)
			before := listing(t, dir)
			startAsNobody(t, program, test.child, path).wait(t)
			if test.dir&0o200 == 0 {
				checkListing(t, dir, before)
			}
		})
	}
}

// makeItems makes a file that holds items a and b, with b in the log only if
// log is set.
func makeItems(t *testing.T, path string, log bool) {
	t.Helper()
	cfg := testConfig(newFile(t))
	db := openStore(t, cfg)
	mustPut(t, db, "a")
	mustPut(t, db, "b")
	if log {
		copyFile(t, cfg.Path+"-wal", path+"-wal")
	} else if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	copyFile(t, cfg.Path, path)
}

func childRefuseUnwritable(args []string) error {
	db, err := Open(context.Background(), testConfig(args[0]))
	if err == nil {
		db.Close()
	}
	if !errors.Is(err, ErrReadOnly) {
		return fmt.Errorf("Open: got error %v, want %v", err, ErrReadOnly)
	}
	return nil
}

func childRead(args []string) error {
	cfg := testConfig(args[0])
	cfg.ReadOnly = true
	db, err := Open(context.Background(), cfg)
	if err != nil {
		return err
	}
	var got []string
	err = db.Read(context.Background(), func(c *Conn) error {
		return c.Query("SELECT k FROM item ORDER BY k", nil, func(r Row) error {
			got = append(got, r.Text(0))
			return nil
		})
	})
	if want := []string{"a", "b"}; err == nil && !slices.Equal(got, want) {
		err = fmt.Errorf("keys: got %q, want %q", got, want)
	}
	return errors.Join(err, db.Close())
}

// childRefuseToRead fails unless opening says that a permission is missing.
func childRefuseToRead(args []string) error {
	cfg := testConfig(args[0])
	cfg.ReadOnly = true
	db, err := Open(context.Background(), cfg)
	if err == nil {
		db.Close()
	}
	if !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("Open: got error %v, want %v", err, fs.ErrPermission)
	}
	return nil
}

// A directory that may no longer be searched hides the file. That does not say that
// the file has vanished.
func TestWriteWithoutPermissionToLook(t *testing.T) {
	t.Parallel()
	dir := publicDir(t)
	path := filepath.Join(dir, "test.db")
	makeItems(t, path, false)
	for _, name := range []string{dir, path} {
		if err := os.Chown(name, nobody, nobody); err != nil && os.Geteuid() == 0 {
			t.Fatal(err)
		}
	}
	startAsNobody(t, publicProgram(t), "lose permission", path).wait(t)
}

func childLosePermission(args []string) error {
	ctx := context.Background()
	db, err := Open(ctx, testConfig(args[0]))
	if err != nil {
		return err
	}
	dir := filepath.Dir(args[0])
	if err := os.Chmod(dir, 0); err != nil {
		return err
	}
	if _, err := os.Stat(args[0]); !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("Stat: got error %v, want %v", err, fs.ErrPermission)
	}
	return errors.Join(db.Write(ctx, put("c")), db.Err(), os.Chmod(dir, 0o755), db.Close())
}

// nobody is the user and the group of processes without privileges.
const nobody = 65534

// startAsNobody starts a child from program without privileges.
func startAsNobody(t *testing.T, program, role string, args ...string) *child {
	t.Helper()
	cmd := exec.Command(program, args...)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return startCommand(t, cmd, role)
}

// publicProgram copies this test binary, which may be where only root can reach
// it, to where everybody can.
func publicProgram(t *testing.T) string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	public := filepath.Join(publicDir(t), "test")
	// A child started meanwhile would hold the copy open for writing, and what
	// is open for writing cannot be run.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	copyFile(t, program, public)
	chmodForTest(t, public, 0o755)
	return public
}

// publicDir makes a directory that everybody can reach, as those of t.TempDir
// may not be.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	chmodForTest(t, dir, 0o755)
	return dir
}

// chmodForTest changes permissions for as long as the test runs.
func chmodForTest(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(name, 0o755) })
}

//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package tempfile

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// roleVariable turns the test binary into a process that makes a file and is killed.
const roleVariable = "TEMPFILE_TEST_DIRECTORY"

// held and heldDir keep the files of such a process, and with them the locks, from the
// garbage collector.
var held, heldDir *File

func TestMain(m *testing.M) {
	directory := os.Getenv(roleVariable)
	if directory == "" {
		os.Exit(m.Run())
	}
	var err error
	held, err = Create(directory, "test-", "-wal")
	if err == nil {
		err = os.WriteFile(held.Path()+"-wal", []byte("log"), 0o666)
	}
	if err == nil {
		heldDir, err = CreateDir(directory, "test-dir-")
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(heldDir.Path(), "copy"), []byte("half"), 0o666)
	}
	fmt.Println(held.Path(), err)
	io.Copy(io.Discard, os.Stdin) // which stays open; a select without cases would end as a deadlock
}

// startChild starts a process that makes a file in the directory, and returns the
// file's path and what kills the process.
func startChild(t *testing.T, directory string) (path string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+directory)
	out, err := cmd.StdoutPipe()
	if err == nil {
		_, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(kill)
	var failure string
	if _, err := fmt.Fscan(out, &path, &failure); err != nil || failure != "<nil>" {
		t.Fatalf("child: %v, %s", err, failure)
	}
	return path, kill
}

func names(t *testing.T, directory string) []string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func mustCreate(t *testing.T, directory string) *File {
	t.Helper()
	f, err := Create(directory, "test-", "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Files of a living process stay, files of a killed process go, and others are not
// touched.
func TestCreateSweeps(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	others := []string{"a.db", "other-X.tmp", "other-X.tmp.lock", "test-OLD.tmp", "test-a.lock", "test-notes"}
	for _, name := range others {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	own := mustCreate(t, directory)
	living, kill := startChild(t, directory)
	dead, killDead := startChild(t, directory)
	killDead()
	next := mustCreate(t, directory)
	got := names(t, directory)
	for _, path := range []string{own.Path(), living, living + "-wal", next.Path()} {
		if !slices.Contains(got, filepath.Base(path)) {
			t.Errorf("%s is gone, want it to stay: its process is alive", filepath.Base(path))
		}
	}
	for _, name := range got {
		if strings.HasPrefix(name, filepath.Base(dead)) {
			t.Errorf("%s is there, want what a killed process has left to be gone", name)
		}
	}
	kill()
	own.Remove()
	next.Remove()
	mustCreate(t, directory).Remove()
	if got := names(t, directory); !slices.Equal(got, others) {
		t.Errorf("got %q, want only the files of others, %q", got, others)
	}
}

// Any number of files are made at once while others sweep, and none is lost.
func TestCreateAtOnce(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 30 {
				f, err := Create(directory, "test-")
				if err != nil {
					t.Error(err)
					return
				}
				for _, path := range []string{f.Path(), f.Path() + lockSuffix} {
					if _, err := os.Stat(path); err != nil {
						t.Errorf("a file that is in use: %v", err)
					}
				}
				f.Remove()
			}
		})
	}
	wg.Wait()
	if got := names(t, directory); len(got) > 0 {
		t.Errorf("got %q, want nothing left", got)
	}
}

// A directory is its owner's alone, and goes with all that is in it.
func TestCreateDir(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	d, err := CreateDir(directory, "test-")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(d.Path())
	if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v, want a directory of mode 0700", info, err)
	}
	if err := os.MkdirAll(filepath.Join(d.Path(), "a", "b"), 0o777); err != nil {
		t.Fatal(err)
	}
	d.Remove()
	if got := names(t, directory); len(got) > 0 {
		t.Errorf("got %q, want nothing left", got)
	}
}

func TestCreateFails(t *testing.T) {
	t.Parallel()
	if f, err := Create(filepath.Join(t.TempDir(), "missing"), "test-"); err == nil {
		t.Errorf("got %s, want an error", f.Path())
	}
}

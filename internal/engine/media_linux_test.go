package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

func init() {
	children["media"] = childMedia
	children["mount"] = func(args []string) error { return mount(args[0]) }
}

// Only a file system that nobody can write lets a file be read without its side
// files. Each case is a process with mounts of its own.
func TestOpenOnReadOnlyMedia(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		flags uintptr // of the second mount
		log   bool
		want  string
	}{
		{"file system", syscall.MS_REMOUNT | syscall.MS_RDONLY, false, "read"},
		{"file system, log left", syscall.MS_REMOUNT | syscall.MS_RDONLY, true, "refused"},
		{"mount of a writable file system", syscall.MS_REMOUNT | syscall.MS_BIND | syscall.MS_RDONLY, false, "refused"},
		{"mount of a writable file system, log left", syscall.MS_REMOUNT | syscall.MS_BIND | syscall.MS_RDONLY, true, "refused"},
	}
	if out, err := mounting(t, "mount", t.TempDir()).CombinedOutput(); err != nil {
		t.Skipf("read-only media take a mount, which this process may not make: %v: %s", err, out)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			makeItems(t, path, test.log)
			startCommand(t, mounting(t, "media", path, fmt.Sprint(test.flags), test.want), "media").wait(t)
		})
	}
}

// mounting returns a child that may mount, unless that is forbidden.
func mounting(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return cmd
}

// mount mounts an empty file system that only this process sees.
func mount(dir string) error {
	return errors.Join(
		syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""),
		syscall.Mount("tmpfs", dir, "tmpfs", 0, ""),
	)
}

// childMedia mounts a file system, copies the files at a path there, mounts it
// again with flags, and opens the copy.
func childMedia(args []string) error {
	path, want := args[0], args[2]
	var flags uintptr
	if _, err := fmt.Sscan(args[1], &flags); err != nil {
		return err
	}
	media := filepath.Join(filepath.Dir(path), "media")
	if err := errors.Join(os.Mkdir(media, 0o755), mount(media)); err != nil {
		return err
	}
	file := filepath.Join(media, filepath.Base(path))
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if suffix != "" && errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err = errors.Join(err, os.WriteFile(file+suffix, content, 0o644)); err != nil {
			return err
		}
	}
	if err := syscall.Mount("tmpfs", media, "tmpfs", flags, ""); err != nil {
		return err
	}
	if want == "read" {
		return childRead([]string{file})
	}
	cfg := testConfig(file)
	cfg.ReadOnly = true
	db, err := Open(context.Background(), cfg)
	if err == nil {
		return errors.Join(errors.New("Open: got no error, want one"), db.Close())
	}
	return nil
}

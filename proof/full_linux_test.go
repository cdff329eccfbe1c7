package proof_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func init() { children["full"] = childFull }

// TestFullFileSystem is TestFullDisk on a small file system of its own. It needs the
// right to mount one, in a namespace of its own, and fails without. It takes a while
// and so needs -long.
func TestFullFileSystem(t *testing.T) {
	t.Parallel()
	if !*storetest.Long {
		return // TestFullDisk is the short form
	}
	cmd := exec.Command(os.Args[0], t.TempDir())
	cmd.Env = append(os.Environ(), roleVariable+"=full")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// childFull fills a file system of 48 MiB with blobs and with objects, and deletes.
func childFull(args []string) error {
	directory := args[0]
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("tmpfs", directory, "tmpfs", 0, "size=48m"); err != nil {
		return fmt.Errorf("mount a small file system: %w", err)
	}
	defer syscall.Unmount(directory, syscall.MNT_DETACH)
	var failed error
	for name, f := range map[string]func(testing.TB, string){"blobs": fullOfBlobs, "objects": fullOfObjects} {
		result := &recorder{}
		func() {
			defer func() { recover() }()
			f(result, filepath.Join(directory, name+".db"))
		}()
		result.cleanup()
		if result.failed {
			failed = errors.Join(failed, fmt.Errorf("%s: %s", name, result.text.String()))
		}
		for _, file := range []string{"", "-wal", "-shm", "-reserve"} {
			os.Remove(filepath.Join(directory, name+".db"+file))
		}
	}
	return failed
}

func fullOfBlobs(t testing.TB, path string) {
	st := storetest.OpenPath(t, path)
	storetest.DeleteOnFullDisk(t, st, path, 700_000)
}

func fullOfObjects(t testing.TB, path string) {
	ctx := context.Background()
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.WantReserve(t, path)
	var ids []string
	for i := 0; ; i++ {
		res, err := b.Put(ctx, storetest.Item(fmt.Sprint(i), strings.Repeat("v", 20_000)), nil)
		if errors.Is(err, bucketlite.ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, res.Object.ID)
	}
	for _, id := range ids[:len(ids)/4] {
		if err := b.DeleteObject(ctx, id, nil); err != nil {
			t.Fatalf("delete on a full disk: got error %v, want none", err)
		}
	}
	again := func() error {
		_, err := b.Put(ctx, storetest.Item("again", "v"), nil)
		return err
	}
	if !storetest.Eventually(func() bool { return again() == nil }) {
		t.Fatalf("put after objects were deleted: got error %v, want none", again())
	}
	task, err := b.Delete(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Wait(ctx, task.ID); err != nil {
		t.Fatal(err)
	}
	storetest.WantNoProblem(t, st)
}

// recorder is a testing.TB in a process that runs no tests.
type recorder struct {
	testing.TB
	failed   bool
	text     strings.Builder
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Name() string     { return "full" }
func (r *recorder) Logf(format string, args ...any) {
	fmt.Fprintf(&r.text, format+"\n", args...)
}
func (r *recorder) Errorf(format string, args ...any) { r.failed = true; r.Logf(format, args...) }
func (r *recorder) Error(args ...any)                 { r.Errorf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any)                 { r.Error(args...); panic(r) }
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...); panic(r) }

func (r *recorder) cleanup() {
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
}

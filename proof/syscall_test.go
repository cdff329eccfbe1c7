package proof_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/storetest"
)

var inject = flag.String("inject", "", "make only this fault strike, as strace takes it and as the test prints it, or with N for its number each of the kind")

// kinds are the system calls that are made to fail, each with the errors it may return.
// Locks are not among them: those of a local file do not fail but are taken.
// Those of the Go runtime and of the dynamic linker are to work: where they make
// the same calls, only calls on these files of the store fail.
var kinds = []struct {
	calls  string
	errors []string
	files  []string
}{
	{"pwrite64", []string{"EIO", "ENOSPC"}, nil},
	{"pread64", []string{"EIO"}, []string{"app.db", "app.db-wal", "app.db-shm", "app.db-journal", "backup.db"}},
	{"fsync,fdatasync", []string{"EIO", "ENOSPC"}, nil},
	{"ftruncate", []string{"EIO", "ENOSPC"}, nil},
	{"open,openat", []string{"EIO", "EMFILE", "ENOSPC"}, nil},
	{"unlink,unlinkat", []string{"EIO"}, nil},
	{"link,linkat,rename,renameat,renameat2", []string{"EIO", "ENOSPC"}, nil},
	{"mmap", []string{"ENOMEM"}, []string{"app.db-shm"}},
	{"fstat,stat,lstat,newfstatat", []string{"EIO"}, nil},
	{"close", []string{"EIO"}, nil},
}

// fault makes the nth of some system calls of a thread fail, or that and all later ones.
type fault struct {
	calls, errno string
	files        []string
	nth          int
	forGood      bool
	how          manner
}

// plainFaults are the kinds that also strike a store with Options.PlainIO: the others
// are the same there.
const plainFaults = "pwrite64 fsync,fdatasync ftruncate"

// allFaults returns each kind of fault, before its first call.
func allFaults() (all []fault) {
	for _, kind := range kinds {
		for _, errno := range kind.errors {
			for _, forGood := range []bool{false, true} {
				f := fault{calls: kind.calls, errno: errno, files: kind.files, forGood: forGood, how: full}
				all = append(all, f)
				if slices.Contains(strings.Fields(plainFaults), f.calls) {
					f.how = full.plainly()
					all = append(all, f)
				}
			}
		}
	}
	return all
}

// oneFault is the inverse of [fault.String], false for anything but a single fault.
func oneFault(s string) (fault, bool) {
	for _, f := range allFaults() {
		prefix, plus, _ := strings.Cut(f.when("N"), "N")
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(s, prefix), plus))
		if f.nth = n; err == nil && f.String() == s {
			return f, true
		}
	}
	return fault{}, false
}

// plainly ends the text of a fault that strikes a store with Options.PlainIO.
const plainly = ",plain"

func (f fault) String() string { return f.when(strconv.Itoa(f.nth)) }

func (f fault) when(nth string) string {
	if f.forGood {
		nth += "+"
	}
	if f.how.plain {
		nth += plainly
	}
	return fmt.Sprintf("%s:error=%s:when=%s", f.calls, f.errno, nth)
}

// run runs the workload with the fault in a directory of its own below dir, and
// checks the result. It reports whether the fault struck.
func (f fault) run(dir string) (struck bool, err error) {
	dir, err = os.MkdirTemp(dir, "")
	if err != nil {
		return false, err
	}
	log := logIn(dir)
	command := strace(log, f.calls, "-e", "inject="+strings.TrimSuffix(f.String(), plainly))
	for _, name := range f.files {
		command = append(command, "-P", filepath.Join(dir, name))
	}
	out, err := runWorkload(dir, f.how, command...)
	if err == nil {
		err = judge(dir, out)
	}
	if err != nil {
		return true, fmt.Errorf("%w\nThe workload printed:\n%s", err, out)
	}
	text, err := os.ReadFile(log)
	return strings.Contains(string(text), "(INJECTED)"), errors.Join(err, os.RemoveAll(dir), os.Remove(log))
}

// missesInARow is after how many faults that do not strike the walk of a system call
// ends: a thread made no such call any more.
const missesInARow = 4

// walk makes each call of a kind fail in turn, some at a time, and returns how many
// runs a fault struck.
func walk(t *testing.T, f fault) (struck int) {
	dir := t.TempDir()
	misses := 0
	for misses < missesInARow {
		hit := make([]bool, 8*runtime.NumCPU())
		var wg sync.WaitGroup
		turns := make(chan struct{}, 4*runtime.NumCPU()) // they wait more than they work
		for i := range hit {
			f := f
			f.nth += i + 1
			turns <- struct{}{}
			wg.Go(func() {
				defer func() { <-turns }()
				var err error
				if hit[i], err = f.run(dir); err != nil {
					t.Errorf("replay with -run '%s' -long -inject '%s': %v", t.Name(), f, err)
				}
			})
		}
		wg.Wait()
		for _, h := range hit {
			misses++
			if h {
				misses = 0
				struck++
			}
		}
		f.nth += len(hit)
	}
	return struck
}

// Each system call of a workload fails in turn, once or from then on for good.
// Acknowledged calls are there when the file is opened again, refused ones are not, and
// no rule is broken. Without strace, in the short form, no call fails.
func TestSystemCallsFail(t *testing.T) {
	t.Parallel()
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		out, err := runWorkload(dir, full)
		if err == nil {
			err = judge(dir, out)
		}
		if err != nil || strings.Contains(out, wordRefused) || strings.Contains(out, wordUnknown) {
			t.Errorf("got %v, want each call done:\n%s", err, out)
		}
	})
	if !*storetest.Long {
		return
	}
	needStrace(t)
	if f, one := oneFault(*inject); one {
		if _, err := f.run(t.TempDir()); err != nil {
			t.Error(err)
		}
		return
	}
	runs, start := 0, time.Now()
	for _, f := range allFaults() {
		if *inject != "" && f.when("N") != *inject {
			continue
		}
		began := time.Now()
		n := walk(t, f)
		runs += n
		t.Logf("inject=%s: %d runs, in %.0f s", f.when("N"), n, time.Since(began).Seconds())
	}
	t.Logf("%d runs with a failing system call, in %.0f s", runs, time.Since(start).Seconds())
	if runs == 0 {
		t.Error("got no failing call")
	}
}

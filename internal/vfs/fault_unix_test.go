//go:build unix

package vfs_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"modernc.org/sqlite"

	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/bucketlite/bucketlite/internal/vfstest"
)

// faults are the kinds of failures, before the first call.
func faults() (all []vfstest.Fault) {
	none := func(int) int { return 0 }
	some := func(n int) int { return n / 2 }
	most := func(n int) int { return n - 1 }
	for _, forGood := range []bool{false, true} {
		for _, f := range []vfstest.Fault{
			{Kind: vfstest.Write, Code: vfstest.Full, Keep: none},
			{Kind: vfstest.Write, Code: vfstest.Full, Keep: some},
			{Kind: vfstest.Write, Code: vfstest.FailedWrite, Keep: most},
			{Kind: vfstest.Sync, Code: vfstest.FailedSync},
			{Kind: vfstest.Truncate, Code: vfstest.FailedCut},
		} {
			f.ForGood = forGood
			all = append(all, f)
		}
	}
	return all
}

// Each write, sync and truncation of the workload fails in turn, once or from then on for
// good. Acknowledged steps are there when the file is opened again, and a step that
// failed is there whole or not at all. If the failure was but one, the step can be
// tried again by the same connection. In the short form the kinds of failures take turns.
func TestFaults(t *testing.T) {
	t.Parallel()
	want, tried := wantStates(t), modes
	if !*storetest.Long {
		tried = modes[:3]
	}
	for _, m := range tried {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			var runs atomic.Int64
			t.Cleanup(func() { t.Logf("%d failures", runs.Load()) })
			turn, kinds := make(map[vfstest.Kind]int), make(map[vfstest.Kind]int)
			for _, f := range faults() {
				kinds[f.Kind]++
			}
			for i, f := range faults() {
				turn[f.Kind]++
				first, step := turn[f.Kind], kinds[f.Kind]
				if *storetest.Long {
					first, step = 1, 1
				}
				t.Run(fmt.Sprintf("%v %d, for good %t, %d", f.Kind, f.Code, f.ForGood, i), func(t *testing.T) {
					t.Parallel()
					for f.Nth = first; fail(t, m, f, want); f.Nth += step {
						runs.Add(1)
					}
				})
			}
		})
	}
}

// fail runs the workload with a fault and reports whether that has struck.
func fail(t *testing.T, m mode, f vfstest.Fault, want []string) (struck bool) {
	t.Helper()
	path := newFile(t)
	d := vfstest.Watch(t, filepath.Dir(path))
	c := open(t, path, m)
	d.Set(f)
	possible := want[:1]
	for i := 0; i < len(workload); i++ {
		err := c.do(workload[i])
		if err == nil {
			possible = want[i+1 : i+2]
			continue
		}
		if !d.Struck() {
			t.Fatalf("%s: %v without a fault", workload[i].name, err)
		}
		c.run("ROLLBACK")
		var e *sqlite.Error
		switch possible = want[i : i+2]; {
		case !errors.As(err, &e) || e.Code()&0xff != int(f.Code)&0xff:
			t.Errorf("call %d, %s: got %v, want code %d", f.Nth, workload[i].name, err, f.Code)
		case f.Code == vfstest.Full && !m.padded: // the padding is written after the transaction
			possible = want[i : i+1]
		}
		if got, err := c.state(); !f.ForGood && (err != nil || got != want[i]) {
			t.Errorf("call %d, %s: got %s, %v after the failure, want %s", f.Nth, workload[i].name, got, err, want[i])
		}
		if f.ForGood || t.Failed() {
			break
		}
		i-- // it fails once
	}
	struck = d.Struck()
	c.Close() // may fail, since it moves the log into the file
	d.Set(vfstest.Fault{})
	got, err := stateOf(path)
	if err != nil || !slices.Contains(possible, got) {
		t.Errorf("call %d: got %s, %v, want one of %q", f.Nth, got, err, possible)
	}
	return struck && !t.Failed()
}

// A transaction may live on after a statement that failed. If it commits, it has all
// that did not fail, even if that was held back when the disk failed.
func TestCommitAfterFailure(t *testing.T) {
	t.Parallel()
	statements := []string{
		fill(1, 12, "a"), "SELECT sum(length(data)) FROM item", fill(1, 12, "b"), fill(30, 30, "c"),
		"SELECT sum(length(data)) FROM item", fill(5, 20, "d"), fill(31, 31, "e"),
	}
	for _, m := range modes[:2] {
		for _, code := range []int32{vfstest.Full, vfstest.FailedWrite} {
			t.Run(fmt.Sprintf("%v, %d", m, code), func(t *testing.T) {
				t.Parallel()
				committed := 0
				f := vfstest.Fault{Kind: vfstest.Write, Code: code}
				for struck := true; struck && !t.Failed(); {
					f.Nth++
					path := newFile(t)
					d := vfstest.Watch(t, filepath.Dir(path))
					c := open(t, path, m)
					d.Set(f)
					if err := c.run("BEGIN IMMEDIATE"); err != nil {
						t.Fatal(err)
					}
					var done []string
					for _, s := range statements {
						if c.run("SAVEPOINT s;"+s) == nil && c.run("RELEASE s") == nil {
							done = append(done, s)
						} else if c.run("ROLLBACK TO s; RELEASE s") != nil {
							break
						}
					}
					if c.run("COMMIT") != nil {
						done = nil
					} else if struck = d.Struck(); struck {
						committed++
					}
					c.Close()
					d.Set(vfstest.Fault{})
					got, err := stateOf(path)
					if want := after(t, done); err != nil || got != want {
						t.Errorf("write %d: got %s, %v, want %s, of %d statements", f.Nth, got, err, want, len(done))
					}
				}
				t.Logf("%d failures, after %d of which the transaction was committed", f.Nth-1, committed)
			})
		}
	}
}

// after returns the state of a database after some statements.
func after(t *testing.T, statements []string) string {
	t.Helper()
	c := open(t, newFile(t), mode{plain: true, synchronous: "NORMAL"})
	defer c.Close()
	for _, s := range statements {
		if err := c.run(s); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.state()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

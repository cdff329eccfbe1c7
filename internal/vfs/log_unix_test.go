//go:build unix

package vfs_test

import (
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite/internal/vfstest"
)

// Every kind of transaction does the same in every mode, and what it has committed is
// there for others at once.
func TestWorkload(t *testing.T) {
	t.Parallel()
	want := wantStates(t)
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			path := newFile(t)
			c, other := open(t, path, m), open(t, path, mode{plain: !m.plain, synchronous: "FULL"})
			for i, tx := range workload {
				if err := c.do(tx); err != nil {
					t.Fatalf("%s: %v", tx.name, err)
				}
				for _, c := range []conn{c, other} {
					if got, err := c.state(); err != nil || got != want[i+1] {
						t.Errorf("%s: got %s, %v, want %s", tx.name, got, err, want[i+1])
					}
				}
			}
			other.Close()
			c.Close()
			if got, err := stateOf(path); err != nil || got != want[len(workload)] {
				t.Errorf("at the end: got %s, %v, want %s", got, err, want[len(workload)])
			}
		})
	}
}

// writesOf returns how often the log is written to by a step after the first ones.
func writesOf(t *testing.T, m mode, steps []transaction) int {
	t.Helper()
	path := newFile(t)
	d := vfstest.Watch(t, filepath.Dir(path))
	c := open(t, path, m)
	defer c.Close()
	if err := c.run("PRAGMA cache_size = 1000"); err != nil { // nothing spills
		t.Fatal(err)
	}
	n := 0
	for _, tx := range steps {
		before := len(d.Calls())
		if err := c.do(tx); err != nil {
			t.Fatal(err)
		}
		n = 0
		for _, call := range d.Calls()[before:] {
			if call.Kind == vfstest.Write && call.OnLog() {
				n++
			}
		}
	}
	return n
}

func TestWritesOfTransaction(t *testing.T) {
	t.Parallel()
	warm := transaction{"warm", fill(1, 1, "a"), "COMMIT"}
	tests := []struct {
		name          string
		steps         []transaction
		joined, plain int
	}{
		{"first of a log", []transaction{{"", fill(1, 4, "a"), "COMMIT"}}, 2, 15},
		{"one page", []transaction{warm, {"", "UPDATE item SET data = CAST('b' AS BLOB) WHERE id = 1;", "COMMIT"}}, 2, 2},
		{"eight pages", []transaction{warm, {"", fill(2, 5, "a"), "COMMIT"}}, 1, 16},
		{"rolled back", []transaction{warm, {"", fill(2, 2, "a"), "ROLLBACK"}}, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := writesOf(t, mode{synchronous: "NORMAL"}, test.steps); got != test.joined {
				t.Errorf("joined: got %d writes, want %d", got, test.joined)
			}
			if got := writesOf(t, mode{synchronous: "NORMAL", plain: true}, test.steps); got != test.plain {
				t.Errorf("plain: got %d writes, want %d", got, test.plain)
			}
		})
	}
}

//go:build unix

package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite/internal/vfstest"
)

func init() {
	if err := vfstest.Install(); err != nil {
		panic(err)
	}
}

// Each write, sync and truncation of a workload fails in turn, once or from then on for
// good, with joined writes and without. Acknowledged writes are there when the file is
// opened again, refused ones are not, and those with an unknown outcome are there whole
// or not at all.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	half, most := func(n int) int { return n / 2 }, func(n int) int { return n - 1 }
	var faults []vfstest.Fault
	for _, forGood := range []bool{false, true} {
		faults = append(faults,
			vfstest.Fault{Kind: vfstest.Write, Code: vfstest.Full, ForGood: forGood},
			vfstest.Fault{Kind: vfstest.Write, Code: vfstest.Full, ForGood: forGood, Keep: half},
			vfstest.Fault{Kind: vfstest.Write, Code: vfstest.FailedWrite, ForGood: forGood, Keep: most},
			vfstest.Fault{Kind: vfstest.Sync, Code: vfstest.FailedSync, ForGood: forGood},
			vfstest.Fault{Kind: vfstest.Truncate, Code: vfstest.FailedCut, ForGood: forGood},
		)
	}
	for _, plain := range []bool{false, true} {
		for _, synchronous := range []Synchronous{Normal, Full} {
			for i, f := range faults {
				t.Run(fmt.Sprintf("plain %t, synchronous %d, %v %d, for good %t", plain, synchronous, f.Kind, i, f.ForGood), func(t *testing.T) {
					t.Parallel()
					step := 1
					switch {
					case f.Kind != vfstest.Write:
					case plain:
						step = 9 // SQLite's own writes are many
					default:
						step = 3 // the other kinds of failing writes have the calls between
					}
					for f.Nth = 1 + i%step; failOnce(t, plain, synchronous, f); f.Nth += step {
					}
				})
			}
		}
	}
}

// failOnce runs the workload with a fault and reports whether that has struck.
func failOnce(t *testing.T, plain bool, synchronous Synchronous, f vfstest.Fault) (struck bool) {
	t.Helper()
	ctx := context.Background()
	cfg := testConfig(newFile(t))
	cfg.PlainIO, cfg.Synchronous = plain, synchronous
	d := vfstest.Watch(t, filepath.Dir(cfg.Path))
	db, err := Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	d.Set(f)
	const rows = 4
	var done, unknown []int
	for i := range 6 {
		err := db.Write(ctx, func(tx *Tx) error {
			for row := range rows {
				if _, err := tx.Exec("INSERT INTO item VALUES (?, zeroblob(2000))", fmt.Sprintf("%d/%d", i, row)); err != nil {
					return err
				}
			}
			return nil
		})
		switch {
		case err == nil:
			done = append(done, i)
		case errors.Is(err, ErrOutcomeUnknown):
			unknown = append(unknown, i)
		case errors.Is(err, ErrFull) && f.Code == vfstest.Full:
		case errors.Is(err, ErrReadOnly) && len(unknown) == 1: // refused since
		default:
			t.Errorf("call %d, write %d: got error %v after %d unknown outcomes", f.Nth, i, err, len(unknown))
		}
		if i == 2 {
			db.EmptyLog(0) // the log begins anew
		}
	}
	if f.Code == vfstest.Full && len(unknown) > 0 {
		t.Errorf("call %d: got an unknown outcome on a full disk, want ErrFull", f.Nth)
	}
	db.Close() // may fail, since it moves the log into the file
	struck = d.Struck()
	d.Set(vfstest.Fault{})

	cfg.PlainIO = !plain
	db = openStore(t, cfg)
	got := make([]int, 6)
	for _, key := range keys(t, db) {
		got[key[0]-'0']++
	}
	for i, n := range got {
		certain := slices.Contains(done, i)
		if n != rows && (certain || n != 0) || n > 0 && !certain && !slices.Contains(unknown, i) {
			t.Errorf("call %d, write %d: got %d rows, acknowledged %v, unknown %v", f.Nth, i, n, done, unknown)
		}
	}
	checkFile(t, cfg)
	return struck && !t.Failed()
}

//go:build unix

package vfstest

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Kind is what is done to a file.
type Kind int

const (
	Write Kind = iota
	Sync
	Truncate
)

func (k Kind) String() string { return [...]string{"write", "sync", "truncate"}[k] }

// Call is one call that changes a file, or syncs it.
type Call struct {
	Kind   Kind
	Name   string // the base name of the file
	Offset int64  // of a Write; the new size for a Truncate
	Data   []byte // of a Write
}

// OnLog reports whether the call is for a write-ahead log.
func (c Call) OnLog() bool { return strings.HasSuffix(c.Name, "-wal") }

// SQLite's result codes for calls that fail.
const (
	Full        = 13
	FailedWrite = 10 | 3<<8
	FailedSync  = 10 | 4<<8
	FailedCut   = 10 | 6<<8
)

// Fault makes calls fail.
type Fault struct {
	Kind    Kind
	Nth     int // the first call of the kind that fails, counted from 1
	ForGood bool
	Code    int32
	// Keep says how much of a write of n bytes takes place nevertheless; nil for none.
	Keep func(n int) int
}

// Disk is what SQLite does to the files of one directory.
type Disk struct {
	dir string

	mu     sync.Mutex
	calls  []Call
	fault  Fault
	counts [3]int // since the fault was set
	struck bool
}

// Watch is [Record] until the test ends.
func Watch(t testing.TB, dir string) *Disk {
	t.Helper()
	d, err := Record(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disks.remove(d) })
	return d
}

// Record begins to record what SQLite does to the files of a directory that are opened
// from now on. The process must have called [Install].
func Record(dir string) (*Disk, error) {
	if !installed {
		return nil, errors.New("vfstest.Install was not called")
	}
	real, err := filepath.EvalSymlinks(dir) // SQLite follows links
	if err != nil {
		return nil, err
	}
	d := &Disk{dir: real}
	disks.add(d)
	return d, nil
}

// Set makes calls fail from now on. The zero Fault ends that.
func (d *Disk) Set(f Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault, d.counts, d.struck = f, [3]int{}, false
}

// Struck reports whether a call has failed since Set.
func (d *Disk) Struck() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.struck
}

// Calls returns the calls so far, without those that failed.
func (d *Disk) Calls() []Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

// judge notes a call. If that is to fail it returns the code, and how much of a write is
// to take place.
func (d *Disk) judge(c Call) (code int32, keep int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.counts[c.Kind]++
	f, n := d.fault, d.counts[c.Kind]
	if f.Nth == 0 || c.Kind != f.Kind || n < f.Nth || n > f.Nth && !f.ForGood {
		d.calls = append(d.calls, c)
		return 0, len(c.Data)
	}
	d.struck = true
	if f.Keep != nil {
		keep = f.Keep(len(c.Data))
	}
	return f.Code, keep
}

// disks are those of this process.
var disks registry

type registry struct {
	mu   sync.Mutex
	all  map[int64]*Disk
	next int64
}

func (r *registry) add(d *Disk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = make(map[int64]*Disk)
	}
	r.next++
	r.all[r.next] = d
}

func (r *registry) remove(d *Disk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, other := range r.all {
		if other == d {
			delete(r.all, id)
		}
	}
}

// of returns the id of the disk that has a file, 0 if none has.
func (r *registry) of(path string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, d := range r.all {
		if filepath.Dir(path) == d.dir {
			return id
		}
	}
	return 0
}

// find returns a disk, or nil after the end of its test.
func (r *registry) find(id int64) *Disk {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[id]
}

package bucketlitetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// Faults make a store's disk fail; see [Options].Faults. The zero Faults do nothing.
// They are safe for concurrent use, and must not be copied. They are meant for one
// store; several that share them share the count as well.
//
// Faults are set for commits. A call that changes something is one commit, with
// these exceptions: calls that wait at the same time share one, and its outcome;
// [bucketlite.Bucket.PutMany] without Atomic takes one for a few hundred objects;
// content that comes from a reader takes one for each piece, before that of its
// object; and background work, such as deletions, commits too. A call
// that changes nothing, because it is refused or only reads, is none, and no fault
// affects it.
//
// The commits are numbered from the moment of the call: 1 is the next one. Each
// fault except a full disk strikes once. Of those set for the same commit, delays and
// holds come first, and then the latest of the others.
type Faults struct {
	mu      sync.Mutex
	count   int
	pending map[int]*fault // by the number of the commit, counted from the first
	full    bool
	lifted  chan struct{} // closed to release delayed and held commits
}

// fault is the fault of one commit.
type fault struct {
	pauses []func(lifted <-chan struct{})
	fate   func(commit func() error) error // nil for that of any other
}

// Commits returns how many commits there have been, those that failed included.
func (f *Faults) Commits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// FailCommit refuses the n-th commit from now. Nothing happens; the calls in it
// return an error that matches err, and the store continues as before. A nil err
// means [bucketlite.ErrFull]. FailCommit panics if n is less than 1, as do the
// others.
func (f *Faults) FailCommit(n int, err error) {
	if err == nil {
		err = bucketlite.ErrFull
	}
	f.set(n, func(x *fault) { x.fate = func(func() error) error { return err } })
}

// LoseCommit makes the disk fail while the n-th commit from now is under way. The
// calls in it return [bucketlite.ErrOutcomeUnknown], and the store refuses writes
// with [bucketlite.ErrReadOnly] until it is opened again; see [Options].Path.
// Only the test, which sets tookEffect, knows whether the commit took effect; if it
// did, its changes can be read at once.
func (f *Faults) LoseCommit(n int, tookEffect bool) {
	f.set(n, func(x *fault) {
		x.fate = func(commit func() error) error {
			if tookEffect {
				if err := commit(); err != nil {
					return err
				}
			}
			return engine.ErrDisk
		}
	})
}

// DelayCommit makes the n-th commit from now take d longer. Other writers wait
// meanwhile, readers do not, except of a store in memory.
func (f *Faults) DelayCommit(n int, d time.Duration) {
	f.set(n, func(x *fault) {
		x.pauses = append(x.pauses, func(lifted <-chan struct{}) {
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-lifted:
			}
		})
	})
}

// HoldCommit stops the n-th commit from now until release is called, which may be
// done before, and more than once. The channel is closed when the commit has been
// reached: from then on other writers wait. A test needs no sleep to run code
// meanwhile.
func (f *Faults) HoldCommit(n int) (reached <-chan struct{}, release func()) {
	arrived, gone := make(chan struct{}), make(chan struct{})
	f.set(n, func(x *fault) {
		x.pauses = append(x.pauses, func(lifted <-chan struct{}) {
			close(arrived)
			select {
			case <-gone:
			case <-lifted:
			}
		})
	})
	return arrived, sync.OnceFunc(func() { close(gone) })
}

// FillDisk refuses every commit from now on with [bucketlite.ErrFull], as a disk
// without space does, until FreeDisk.
func (f *Faults) FillDisk() { f.setFull(true) }

// FreeDisk ends what FillDisk began.
func (f *Faults) FreeDisk() { f.setFull(false) }

func (f *Faults) setFull(full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = full
}

// Clear ends all faults: pending ones never strike, delayed and held commits continue,
// and the disk has space. A store that refuses writes after a lost commit still does.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending, f.full = nil, false
	if f.lifted != nil {
		close(f.lifted)
		f.lifted = nil
	}
}

// set changes the fault of the n-th commit from now.
func (f *Faults) set(n int, change func(*fault)) {
	if n < 1 {
		panic(fmt.Sprintf("bucketlitetest: commit %d from now: 1 is the next one", n))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pending == nil {
		f.pending = make(map[int]*fault)
	}
	n += f.count
	if f.pending[n] == nil {
		f.pending[n] = &fault{}
	}
	change(f.pending[n])
}

// commit is the hook of the store; see [engine.CommitHook].
func (f *Faults) commit(commit func() error) error {
	now, lifted := f.next()
	for _, pause := range now.pauses {
		pause(lifted)
	}
	f.mu.Lock()
	full := f.full
	f.mu.Unlock()
	select {
	case <-lifted: // before the fault struck
		return commit()
	default:
	}
	switch {
	case now.fate != nil:
		return now.fate(commit)
	case full:
		return bucketlite.ErrFull
	}
	return commit()
}

// next counts a commit, and returns its fault and the channel that lifting closes.
func (f *Faults) next() (*fault, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	now := f.pending[f.count]
	if now == nil {
		now = &fault{}
	}
	delete(f.pending, f.count)
	if f.lifted == nil {
		f.lifted = make(chan struct{})
	}
	return now, f.lifted
}

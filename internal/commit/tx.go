package commit

import (
	"sync/atomic"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// maxKnown is the number of buckets up to which a transaction's state is kept for the
// next.
const maxKnown = 32

// Signal names the receiver of a notification after a commit.
type Signal int

// The signals.
const (
	Background Signal = iota // the collector, which does background work
	Jobs                     // the processors of batches
	Drafts                   // of these, the ones that make batches of drafts

	signals
)

// Config configures a Committer. All fields are required.
type Config struct {
	Now        func() time.Time
	EventSlack int64              // Background is raised whenever this many events have been written
	Signals    [signals]func()    // called after a commit that raised the signal
	Overtaken  func()             // called if another process has written since the last commit
	Last       func(*Tx) error    // writes the last changes of each transaction
	Noted      func(newest int64) // called with the number of the newest event after a commit with events
}

// Committer begins the transactions of a store. It hands the state of each to the
// next, so that a bucket that is written repeatedly is not read each time.
type Committer struct {
	cfg     Config
	lastUse atomic.Int64 // time of the last commit that was more than background work

	// The state of the last transaction. It belongs to the holder of the write lock.
	buckets []*Bucket
	newest  *newestRow // of events, nil if unknown
	waiting int64      // bytes that wait for deletion, -1 if unknown
}

// NewCommitter returns a Committer for one open file.
func NewCommitter(cfg Config) *Committer { return &Committer{cfg: cfg, waiting: -1} }

// Begin returns the group of a new transaction. If the file is unchanged since the
// last one, the new one continues from its state.
func (c *Committer) Begin(unchanged bool) engine.Group {
	tx := &Tx{committer: c, used: !unchanged} // otherwise another process has written
	tx.Content.Total = -1
	if unchanged {
		tx.buckets, tx.newest, tx.Content.Total = c.buckets, c.newest, c.waiting
	} else {
		c.cfg.Overtaken()
	}
	c.buckets, c.newest, c.waiting = nil, nil, -1
	return tx
}

// Unused returns the time since the last commit that was more than background work.
func (c *Committer) Unused() time.Duration { return time.Since(time.Unix(0, c.lastUse.Load())) }

// Tx is the transaction of one commit group. Its operations run one after the other.
type Tx struct {
	*engine.Tx
	Content Content // changes of the counts of stored bytes

	committer *Committer
	buckets   []*Bucket // few: a group rarely changes more than one
	events    []Change
	newest    *newestRow    // of events in the file, nil if unknown
	raised    [signals]bool // by any operation
	used      bool          // some of it is more than background work
}

// Of returns the transaction of an operation's group.
func Of(tx *engine.Tx) *Tx {
	t := tx.Group().(*Tx)
	t.Tx = tx
	return t
}

// Use records that the operation is more than background work.
func (tx *Tx) Use() { tx.used = true }

// Now returns the time in stored form: microseconds since 1970.
func (tx *Tx) Now() int64 { return tx.committer.cfg.Now().UnixMicro() }

// Raise gives the signal once the transaction is committed.
func (tx *Tx) Raise(s Signal) { tx.raised[s] = true }

// Attempt runs f. If f fails, Attempt rolls back its writes and its changes to the
// transaction: to the states of all buckets, the events, and the counts of stored bytes.
func (tx *Tx) Attempt(f func() error) error {
	before, content, events := tx.states(), tx.Content, len(tx.events)
	err := tx.Savepoint(f)
	if err != nil {
		tx.restore(before)
		tx.Content, tx.events = content, tx.events[:events]
	}
	return err
}

// BeforeCommit writes the transaction's remaining changes: events, running totals, and
// the counts of stored bytes.
func (tx *Tx) BeforeCommit(t *engine.Tx) error {
	tx.Tx = t
	if err := tx.writeEvents(); err != nil {
		return err
	}
	if err := tx.committer.cfg.Last(tx); err != nil {
		return err
	}
	return tx.Content.save(tx)
}

// AfterCommit keeps the transaction's state for the next one, and gives the raised
// signals.
func (tx *Tx) AfterCommit() {
	c := tx.committer
	if len(tx.buckets) <= maxKnown {
		c.buckets = tx.buckets
	}
	c.newest, c.waiting = tx.newest, tx.Content.Total
	if tx.used {
		c.lastUse.Store(time.Now().UnixNano())
	}
	if len(tx.events) > 0 {
		c.cfg.Noted(tx.newest.last)
	}
	for s, raised := range tx.raised {
		if raised {
			c.cfg.Signals[s]()
		}
	}
}

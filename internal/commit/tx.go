package commit

import (
	"sync/atomic"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// maxKnown is of how many buckets a transaction's knowledge is kept for the next.
const maxKnown = 32

// Signal says for whom a commit may have work.
type Signal int

// The signals.
const (
	Background Signal = iota // the goroutine that works behind the callers
	Jobs                     // the processors of batches

	signals
)

// Config says what a Committer works with. All fields are required.
type Config struct {
	Now        func() time.Time
	EventSlack int64              // Background is raised each time so many events have been written
	Signals    [signals]func()    // called after a commit that raised the signal
	Overtaken  func()             // called when another process has written since the last commit
	Last       func(*Tx) error    // writes what comes last in each transaction
	Noted      func(newest int64) // called after a commit with events, given the number of the newest
}

// Committer begins the transactions of a store. It carries over what the last one
// knew, so that a bucket that is written over and over is not read each time.
type Committer struct {
	cfg     Config
	lastUse atomic.Int64 // when something but background work was last committed

	// The state of the last transaction. It belongs to the holder of the write lock.
	buckets []*Bucket
	event   int64 // number of the newest event, 0 if it is not known
	waiting int64 // bytes that wait to be collected, -1 if they are not known
}

// NewCommitter returns a Committer for one open file.
func NewCommitter(cfg Config) *Committer { return &Committer{cfg: cfg, waiting: -1} }

// Begin returns the group of a new transaction. If the file is unchanged since the
// last one, the new one continues from its state.
func (c *Committer) Begin(unchanged bool) engine.Group {
	tx := &Tx{committer: c, used: !unchanged} // else another process has written
	tx.Content.Total = -1
	if unchanged {
		tx.buckets, tx.lastEvent, tx.Content.Total = c.buckets, c.event, c.waiting
	} else {
		c.cfg.Overtaken()
	}
	c.buckets, c.event, c.waiting = nil, 0, -1
	return tx
}

// Unused returns for how long nothing but background work has been committed.
func (c *Committer) Unused() time.Duration { return time.Since(time.Unix(0, c.lastUse.Load())) }

// Tx is the transaction of one commit group. Its operations run one after the other.
type Tx struct {
	*engine.Tx
	Content Content // what the operations have changed in the counts of stored bytes

	committer *Committer
	buckets   []*Bucket // few: a group rarely touches more than one
	events    []Change
	lastEvent int64         // number of the newest event in the file, 0 if it is not known
	raised    [signals]bool // by any operation
	used      bool          // not all of it is background work
}

// Of returns the transaction of an operation's group.
func Of(tx *engine.Tx) *Tx {
	t := tx.Group().(*Tx)
	t.Tx = tx
	return t
}

// Use notes that an operation is more than background work.
func (tx *Tx) Use() { tx.used = true }

// Now returns the time in the form that the file keeps: microseconds since 1970.
func (tx *Tx) Now() int64 { return tx.committer.cfg.Now().UnixMicro() }

// Raise has the signal given once the transaction is committed.
func (tx *Tx) Raise(s Signal) { tx.raised[s] = true }

// Attempt runs f, and takes back what it wrote and what that adds to the transaction if
// it fails. It touches no bucket but b.
func (tx *Tx) Attempt(b *Bucket, f func() error) error {
	before, content, events := *b, tx.Content, len(tx.events)
	err := tx.Savepoint(f)
	if err != nil {
		*b, tx.Content, tx.events = before, content, tx.events[:events]
		b.ForgetIndexes(before.Indexed) // they may have been changed
	}
	return err
}

// BeforeCommit writes what the transaction owes the file: running totals, events, and
// the counts of stored bytes.
func (tx *Tx) BeforeCommit(t *engine.Tx) error {
	tx.Tx = t
	if err := tx.Flush(); err != nil {
		return err
	}
	if err := tx.writeEvents(); err != nil {
		return err
	}
	if err := tx.committer.cfg.Last(tx); err != nil {
		return err
	}
	return tx.Content.save(tx)
}

// AfterCommit keeps what the transaction knows for the next one, and gives signals.
func (tx *Tx) AfterCommit() {
	c := tx.committer
	if len(tx.buckets) <= maxKnown {
		c.buckets = tx.buckets
	}
	c.event, c.waiting = tx.lastEvent, tx.Content.Total
	if tx.used {
		c.lastUse.Store(time.Now().UnixNano())
	}
	if len(tx.events) > 0 {
		c.cfg.Noted(tx.lastEvent)
	}
	for s, raised := range tx.raised {
		if raised {
			c.cfg.Signals[s]()
		}
	}
}

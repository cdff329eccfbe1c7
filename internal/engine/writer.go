package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Pending is an operation that waits for its verdict.
type Pending struct {
	ctx      context.Context
	writer   *writer
	run      func(*Tx) error
	deadline time.Time   // until when it may wait for another process's lock
	wait     *callWait   // of the call, nil unless that comes from WaitOnce
	claimed  atomic.Bool // by a group that runs it, or by the call that refuses it
	err      error
	crowded  bool          // others wrote in the same group, or waited for its end
	done     chan struct{} // closed when err is the verdict
}

// Write runs one operation and returns its verdict, after the commit. A call
// whose ctx ends before its group holds the write lock has no effect and returns
// the context's error; after that moment it returns the group's verdict,
// whatever becomes of ctx.
func (db *DB) Write(ctx context.Context, run func(*Tx) error) error {
	return db.queue(ctx, run).Wait()
}

// Start begins [DB.Write] and returns at once. Operations started one after the
// other by one goroutine run in that order.
func (db *DB) Start(ctx context.Context, run func(*Tx) error) *Pending {
	p := db.queue(ctx, run)
	go p.Wait() // somebody must, for it to be led
	return p
}

func (db *DB) queue(ctx context.Context, run func(*Tx) error) *Pending {
	p := &Pending{ctx: ctx, writer: db.writer, run: run, wait: waitOf(ctx), done: make(chan struct{})}
	p.deadline = time.Now().Add(db.cfg.BusyTimeout)
	err := ctx.Err()
	switch {
	case err != nil:
	case db.isClosing():
		err = ErrClosed
	case db.writer == nil:
		err = ErrReadOnly
	case p.wait.over():
		err = ErrBusy
	default:
		err = db.writer.enqueue(p)
	}
	if err != nil {
		p.refuse(err)
	}
	return p
}

// Wait returns the operation's verdict. See [DB.Write]. While it waits it may
// have to lead: to commit a group for all that wait.
func (p *Pending) Wait() error {
	for {
		select {
		case <-p.done:
			return p.err
		default:
		}
		select {
		case <-p.done:
		case <-p.ctx.Done():
			p.refuse(p.ctx.Err())
			<-p.done // if it was not refused, a group has claimed it
		case p.writer.turn <- struct{}{}:
			p.writer.lead(p)
		}
	}
}

// Crowded reports whether others wanted to write while the operation was being
// committed. It may be called once Wait has returned.
func (p *Pending) Crowded() bool { return p.crowded }

func (p *Pending) finish(err error) {
	p.wait.learn(err)
	p.err = err
	close(p.done)
}

// refuse finishes an operation that no group has claimed.
func (p *Pending) refuse(err error) {
	if p.claimed.CompareAndSwap(false, true) {
		p.finish(err)
	}
}

// writer is the one connection that writes, and the queue in front of it. There
// is no goroutine behind it: waiting callers take turns at committing a group for
// all. A lone caller thus commits for itself, and is spared two switches between
// goroutines, which cost a third as much as a commit.
type writer struct {
	db   *DB
	conn *Conn         // nil for a memory database, whose one connection is in the pool
	turn chan struct{} // holds a token while somebody leads

	checkpoints *checkpointer // nil for a memory database, which has no log

	mu      sync.Mutex
	queue   []*Pending
	refusal error         // why no more writes are taken: a commit's outcome is unknown, or the file has vanished
	stopped chan struct{} // closed when there is a refusal

	// These belong to the leader.
	panicked any        // by AfterCommit, for the leader to pass on
	group    []*Pending // the operations of the running transaction, in order
	version  uint32     // of the file, after the last commit; see Config.NewGroup
	current  bool       // whether version is known
	crowded  bool       // the last group was, or others were waiting for its end
	log      writeLog
}

func newWriter(db *DB, conn *Conn) *writer {
	return &writer{db: db, conn: conn, turn: make(chan struct{}, 1), stopped: make(chan struct{}), log: newWriteLog(db.loc)}
}

func (w *writer) enqueue(p *Pending) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.db.isClosing():
		return ErrClosed
	case w.refusal != nil:
		return w.refusal
	}
	w.queue = append(w.queue, p)
	return nil
}

// lead takes the turn p has been given: it commits one group, on behalf of p and
// of all that wait. If p no longer waits, another leads. A memory database's
// connection is taken from the readers for the time being.
func (w *writer) lead(p *Pending) {
	start := time.Now()
	defer func() {
		took := time.Since(start)
		w.checkpoints.committed(took)
		if wait := w.log.due(took); wait > 0 {
			go func() { // p has its verdict and need not wait for readers
				w.truncateLog(wait)
				<-w.turn
			}()
			return
		}
		<-w.turn
	}()
	if p.claimed.Load() {
		return
	}
	conn := w.conn
	if conn == nil {
		var err error
		if conn, err = w.db.readers.get(p.ctx); err != nil {
			p.refuse(err)
			return
		}
		defer w.db.readers.put(conn)
	}
	tx, err := w.begin(p.ctx, conn, func(now time.Time) bool {
		w.refuseLate(now)
		return !p.claimed.Load()
	})
	switch {
	case err == nil && tx != nil:
		w.commitGroup(tx)
		if v := w.panicked; v != nil {
			w.panicked = nil
			panic(v)
		}
	case err != nil && p.ctx.Err() != nil:
		p.refuse(p.ctx.Err())
	case err != nil:
		w.refuseAll(err)
	}
}

// next claims the oldest operation that still waits, or returns nil.
func (w *writer) next() *Pending {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) > 0 {
		p := w.queue[0]
		w.queue[0] = nil
		w.queue = w.queue[1:]
		if err := p.ctx.Err(); err != nil {
			p.refuse(err)
		} else if p.claimed.CompareAndSwap(false, true) {
			return p
		}
	}
	w.queue = nil
	return nil
}

// waiting reports whether there is anything in the queue.
func (w *writer) waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue) > 0
}

// refuseLate refuses the operations that have waited too long by now.
func (w *writer) refuseLate(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = slices.DeleteFunc(w.queue, func(p *Pending) bool {
		if p.deadline.Before(now) {
			p.refuse(ErrBusy)
		}
		return p.claimed.Load()
	})
}

// refuseAll refuses everything that waits.
func (w *writer) refuseAll(err error) {
	w.mu.Lock()
	queue := w.queue
	w.queue = nil
	w.mu.Unlock()
	for _, p := range queue {
		p.refuse(err)
	}
}

// begin takes the write lock, waiting for other processes until ctx ends or
// nobody wants it any more; then it returns no transaction.
func (w *writer) begin(ctx context.Context, conn *Conn, wanted func(now time.Time) bool) (*Tx, error) {
	wait := newPoll()
	for {
		_, err := conn.Exec("BEGIN IMMEDIATE")
		if err == nil {
			return w.newTx(conn)
		}
		if !errors.Is(err, ErrBusy) {
			return nil, err
		}
		select {
		case <-w.db.closing:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait.next()):
		}
		if !wanted(time.Now()) {
			return nil, nil
		}
	}
}

// newTx wraps the transaction that has just begun.
func (w *writer) newTx(conn *Conn) (*Tx, error) {
	conn.rolledBack = false
	tx := &Tx{Conn: conn}
	tx.before = conn.raw.TotalChanges()
	version, err := conn.raw.DataVersion()
	if err != nil {
		w.rollback(conn)
		return nil, err
	}
	unchanged := w.current && version == w.version
	w.current = false // until this transaction commits
	if w.db.cfg.NewGroup != nil {
		tx.group = w.db.cfg.NewGroup(unchanged)
	}
	return tx, nil
}

func (w *writer) refused() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refusal
}

// close waits for the running group and refuses the rest.
func (w *writer) close() {
	w.turn <- struct{}{} // for good
	w.refuseAll(ErrClosed)
}

// closeConn closes the connection of a writer that is closed, with the log moved
// into the file. After a refusal the files are left as they are.
func (w *writer) closeConn() error {
	err := w.checkpoints.close()
	if w.refused() == nil && w.db.vanished() == nil {
		w.lastCheckpoint()
	}
	return errors.Join(err, w.conn.close())
}

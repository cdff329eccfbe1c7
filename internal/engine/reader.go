package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// pool lends connections, opening them as they are first needed. It lends the one that was
// used last, whose pages are most likely in memory.
type pool struct {
	free   chan struct{} // one token for each connection that is not in use, open or not
	open   func() (*Conn, error)
	closed <-chan struct{}
	hold   *holder // nil unless connections hold their snapshots

	mu   sync.Mutex
	idle []*Conn // open and not in use, in the order of their last use
}

func newPool(size int, closed <-chan struct{}, open func() (*Conn, error)) *pool {
	p := &pool{free: make(chan struct{}, size), open: open, closed: closed}
	for range size {
		p.free <- struct{}{}
	}
	return p
}

// poolOf returns a pool of one connection that is open already.
func poolOf(c *Conn, closed <-chan struct{}) *pool {
	p := &pool{free: make(chan struct{}, 1), closed: closed}
	p.put(c)
	return p
}

func (p *pool) get(ctx context.Context) (*Conn, error) {
	select {
	case <-p.free: // preferred, whatever has ended meanwhile
	default:
		select {
		case <-p.free:
		case <-p.closed:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if c := p.last(); c != nil {
		return c, nil
	}
	c, err := p.open()
	if err != nil {
		p.free <- struct{}{}
	}
	return c, err
}

// last takes the connection that was used last, or returns nil if none is idle.
func (p *pool) last() *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle) - 1
	if n < 0 {
		return nil
	}
	c := p.idle[n]
	p.idle = p.idle[:n]
	return c
}

func (p *pool) put(c *Conn) {
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.mu.Unlock()
	p.free <- struct{}{}
}

// lend runs f on a connection, which is back in the pool even if f panics.
func (p *pool) lend(ctx context.Context, f func(*Conn) error) error {
	c, err := p.get(ctx)
	if err != nil {
		return err
	}
	failed := true // f may panic
	defer func() {
		p.hold.leave(c, failed)
		p.put(c)
	}()
	if err := p.hold.enter(c); err != nil {
		return err
	}
	err = f(c)
	failed = err != nil
	return err
}

// close closes every connection, waiting for those in use.
func (p *pool) close() error {
	for range cap(p.free) {
		<-p.free
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, c := range p.idle {
		errs = append(errs, c.close())
	}
	p.idle = nil
	return errors.Join(errs...)
}

// Read lends a connection to f for reading. If another process is in the way,
// f runs again until ctx ends or the busy timeout has passed; like a write it
// must set, not add to, its results. f must not keep the connection, nor
// call back into the DB.
func (db *DB) Read(ctx context.Context, f func(*Conn) error) error {
	return db.readFrom(ctx, db.readers, f)
}

func (db *DB) readFrom(ctx context.Context, from *pool, f func(*Conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if db.isClosing() {
		return ErrClosed
	}
	err := from.lend(ctx, f)
	if !errors.Is(err, ErrBusy) {
		return err
	}
	return db.readAgain(ctx, from, f, err)
}

// ReadLong is [DB.Read] for an f that may take long. It has connections of its own,
// Config.LongReads of them, so that short reads never wait for it; further calls wait
// their turn until ctx ends. The context handed to f also ends when the database is
// closed, which would else have to wait for f.
func (db *DB) ReadLong(ctx context.Context, f func(context.Context, *Conn) error) error {
	return db.readLong(ctx, db.long, f)
}

// readsAside is how many calls of ReadAside run at once.
const readsAside = 2

// ReadAside is [DB.ReadLong] for work that takes minutes, such as checks and
// backups. It has connections of its own as well, so that no query waits for it.
func (db *DB) ReadAside(ctx context.Context, f func(context.Context, *Conn) error) error {
	return db.readLong(ctx, db.aside, f)
}

func (db *DB) readLong(ctx context.Context, from *pool, f func(context.Context, *Conn) error) error {
	until, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-db.closing:
			cancel(ErrClosed)
		case <-until.Done():
		}
	}()
	err := db.readFrom(ctx, from, func(c *Conn) error { return f(until, c) })
	if errors.Is(err, context.Canceled) && context.Cause(until) == ErrClosed {
		return ErrClosed
	}
	return err
}

// readAgain is the rare rest of readFrom: a recovery or a closing checkpoint of
// another process keeps readers out for a moment.
func (db *DB) readAgain(ctx context.Context, from *pool, f func(*Conn) error, err error) error {
	call := waitOf(ctx)
	if call.over() {
		return err
	}
	wait := newPoll()
	for deadline := time.Now().Add(db.cfg.BusyTimeout); errors.Is(err, ErrBusy) && time.Now().Before(deadline); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-db.closing:
			return ErrClosed
		case <-time.After(wait.next()):
		}
		err = from.lend(ctx, f)
	}
	call.learn(err)
	return err
}

// poll yields the pauses between attempts at a lock: short at first, since most
// transactions last less than a millisecond, and never so long that a
// lock that came free goes unnoticed. The jitter keeps processes out of step.
type poll struct{ d time.Duration }

func newPoll() *poll { return &poll{100 * time.Microsecond} }

func (p *poll) next() time.Duration {
	d := p.d
	p.d = min(2*p.d, 5*time.Millisecond)
	return d/2 + rand.N(d)
}

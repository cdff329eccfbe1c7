package bucketlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"sync/atomic"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// Content that is longer than a chunk is staged: written piece by piece, each in
// a transaction of its own, before any object refers to it. A stream of any
// length thus needs little memory, and others write in between.
//
// Until an object's commit adopts it, a staged content has no hash, so nobody
// finds it. A lease keeps the collectors of all processes off it. It is renewed
// for as long as the call goes on; if the call fails it is ended, and if the
// process does it ends by itself, and the pieces are collected.
const (
	stageBytes = 2 * chunkSize // in one transaction; see decision 006
	stageLease = 10 * time.Minute
)

// errTooLong says that a stream has more bytes than it may.
var errTooLong = errors.New("too long")

// errGivenUp says that a collector has begun to take staged content away.
var errGivenUp = errors.New("the bytes waited for too long to be stored, and were given up")

// stager writes one staged content.
type stager struct {
	store   *Store
	at      stagedUpTo // what has been committed
	next    stagedUpTo // after the piece on its way, if that is committed
	running *engine.Pending
	began   time.Time // writing the piece on its way
	crowded bool      // others wanted to write during the last piece
	renewal *renewal  // once there is something to keep
	size    int64
	hash    hash.Hash
}

// stagedUpTo is how far a staged content has come.
type stagedUpTo struct {
	num    int64 // contents.num; 0 before the first piece
	chunks int64
}

// stage stores what r gives, at most limit bytes, and returns it as content that
// an object may adopt. Whoever gets it must see that it is adopted or released.
// An error of r is returned as it is.
func (s *Store) stage(ctx context.Context, r io.Reader, limit int64) (*content, error) {
	st := &stager{store: s, hash: sha256.New()}
	complete := false
	defer func() {
		if !complete { // an error, or r has panicked
			st.wait()
			s.release(ctx, st.content())
		}
	}()
	if err := st.copy(ctx, r, limit); err != nil {
		return nil, err
	}
	complete = true
	c := st.content()
	st.hash.Sum(c.hash[:0])
	return c, nil
}

func (st *stager) content() *content {
	return &content{staged: st.at.num, size: st.size, renewal: st.renewal}
}

// copy reads a piece while the one before is being written.
func (st *stager) copy(ctx context.Context, r io.Reader, limit int64) error {
	spare := make([]byte, stageBytes)
	piece := make([]byte, stageBytes)
	for {
		n, ended, readErr := fill(r, piece)
		st.size += int64(n)
		st.hash.Write(piece[:n])
		if err := st.giveWay(ctx); err != nil {
			return err
		}
		switch {
		case readErr != nil:
			return readErr
		case st.size > limit:
			return errTooLong
		case n > 0:
			data := piece[:n]
			st.began = time.Now()
			st.running = st.store.start(ctx, func(tx *commit.Tx) error { return st.write(tx, data) })
		}
		if ended {
			return st.giveWay(ctx)
		}
		piece, spare = spare, piece
	}
}

// fill reads until buf is full or r has ended. Unlike [io.ReadFull] it does not
// take the end of a reader that was cut short, an [io.ErrUnexpectedEOF], for its end.
func fill(r io.Reader, buf []byte) (n int, ended bool, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	if err == io.EOF {
		return n, true, nil
	}
	return n, false, err
}

// wait waits for the piece on its way. Only now it counts: until it is committed
// it may be written again, or not at all.
func (st *stager) wait() error {
	if st.running == nil {
		return nil
	}
	err := st.running.Wait()
	st.crowded = st.running.Crowded()
	st.running = nil
	if err != nil {
		return public(err)
	}
	if st.at = st.next; st.renewal == nil {
		st.renewal = &renewal{store: st.store, num: st.at.num}
		st.renewal.schedule()
	}
	return nil
}

// giveWay waits for the piece on its way. If others wanted to write meanwhile, it
// pauses for as long as the piece took, so that they get half of the time.
func (st *stager) giveWay(ctx context.Context) error {
	if err := st.wait(); err != nil || !st.crowded {
		return err
	}
	st.crowded = false
	select {
	case <-time.After(time.Since(st.began)):
	case <-ctx.Done(): // the next write says so
	case <-st.store.db.Closing():
	}
	return nil
}

// write stores a piece and renews the lease.
func (st *stager) write(tx *commit.Tx, piece []byte) (err error) {
	num, size := st.at.num, int64(len(piece))
	if num == 0 {
		num, err = tx.Insert("INSERT INTO contents (size, uses, lease_until) VALUES (?, 0, ?) RETURNING num", size, st.store.leaseEnd())
	} else {
		err = st.store.renewLease(tx, num, size)
	}
	if err != nil {
		return err
	}
	chunks, err := insertChunks(tx, num, st.at.chunks, piece)
	st.next = stagedUpTo{num, chunks}
	return err
}

// leaseEnd is until when a lease given now keeps collectors off.
func (s *Store) leaseEnd() int64 { return time.Now().Add(s.opts.stageLease).UnixMicro() }

// renewLease renews the lease of a staged content that grows by so many bytes. One
// that has run out counts as long as no collector has come, so that a clock that
// jumps does no harm: whoever gives the content up sets the lease to 0.
func (s *Store) renewLease(tx *commit.Tx, num, grown int64) error {
	n, err := tx.Exec("UPDATE contents SET lease_until = ?, size = size + ? WHERE num = ? AND lease_until > 0", s.leaseEnd(), grown, num)
	if err == nil && n == 0 {
		err = public(errGivenUp)
	}
	return err
}

// renewal renews the lease of a staged content while its call goes on: its
// reader may stand still, or there may be other streams to wait for.
type renewal struct {
	store   *Store
	num     int64 // contents.num
	stopped atomic.Bool
}

func (r *renewal) schedule() { time.AfterFunc(r.store.opts.stageLease/4, r.renew) }

func (r *renewal) renew() {
	if r.stopped.Load() {
		return
	}
	err := r.store.free(context.Background(), func(tx *commit.Tx) error { return r.store.renewLease(tx, r.num, 0) })
	if err == nil || errors.Is(err, ErrBusy) || errors.Is(err, ErrFull) {
		r.schedule()
	}
}

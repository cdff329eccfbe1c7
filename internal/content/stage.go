package content

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// Content longer than a chunk is staged: written piece by piece, each piece in a
// transaction of its own, before any object references it. So a stream of any length
// needs little memory, and others can write in between.
//
// Until an object's commit adopts it, a staged content has no hash, so that it cannot
// be found. A lease keeps the collectors of all processes away, and is renewed while
// the call runs. If the call fails, it ends the lease. If the process dies, the lease
// runs out. Then the pieces are deleted.
const (
	stageBytes = 2 * ChunkSize // per transaction; see decision 006

	// DefaultLease is the default duration of a lease.
	DefaultLease = 10 * time.Minute
)

// The errors of this package. Callers give them their own texts.
var (
	// ErrTooLong reports that a stream has more bytes than allowed.
	ErrTooLong = errors.New("too long")

	// ErrGivenUp reports that a collector has begun to delete staged content.
	ErrGivenUp = errors.New("bytes were given up because they waited too long to be stored")

	// ErrGone reports that a content was deleted during a read.
	ErrGone = errors.New("content was deleted during the read")
)

// Stage stages the contents of a store. All fields are required.
type Stage struct {
	Start   func(context.Context, func(*commit.Tx) error) *engine.Pending // starts an operation
	Free    func(context.Context, func(*commit.Tx) error) error           // runs an operation that frees space
	Lease   time.Duration                                                 // how long collectors leave staged content alone
	Closing <-chan struct{}                                               // closed when the store is being closed
	Logger  *slog.Logger
}

// Copy stages the bytes of r, at most limit, and returns them as content for [Keep].
// The caller must keep or release the content. Errors of r are returned unchanged;
// more than limit bytes are [ErrTooLong].
func (s *Stage) Copy(ctx context.Context, r io.Reader, limit int64) (*Content, error) {
	st := &stager{stage: s, hash: sha256.New()}
	complete := false
	defer func() {
		if !complete { // an error, or r has panicked
			st.wait()
			s.Release(ctx, st.content())
		}
	}()
	if err := st.copy(ctx, r, limit); err != nil {
		return nil, err
	}
	complete = true
	c := st.content()
	st.hash.Sum(c.Hash[:0])
	return c, nil
}

// Release gives up contents. It returns early if ctx ends, or if the call has already
// waited for another process. If giving up fails, the leases run out.
func (s *Stage) Release(ctx context.Context, contents ...*Content) {
	staged := slices.DeleteFunc(slices.Clone(contents), func(c *Content) bool { return c.staged == 0 })
	if len(staged) == 0 {
		return
	}
	EndRenewals(staged)
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := s.Free(context.Background(), func(tx *commit.Tx) error {
			for _, c := range staged {
				if err := giveUp(tx, c); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, engine.ErrClosed) {
			s.Logger.Warn("bucketlite: staged content is left to the collector", "error", err)
		}
	}()
	if engine.HasWaited(ctx) {
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// EndRenewals stops the renewal of leases of contents that have been adopted or given
// up.
func EndRenewals(contents []*Content) {
	for _, c := range contents {
		if c.renewal != nil {
			c.renewal.stopped.Store(true)
		}
	}
}

// stager writes one staged content.
type stager struct {
	stage   *Stage
	at      stagedUpTo // the committed part
	next    stagedUpTo // the part after the current piece, once that is committed
	running *engine.Pending
	began   time.Time // when writing the current piece began
	crowded bool      // others wanted to write during the last piece
	renewal *renewal  // set once a piece is committed
	size    int64
	hash    hash.Hash
}

// stagedUpTo is the progress of a staged content.
type stagedUpTo struct {
	num    int64 // contents.num; 0 before the first piece
	chunks int64
}

func (st *stager) content() *Content {
	return &Content{staged: st.at.num, Size: st.size, renewal: st.renewal}
}

// copy reads a piece while the previous one is written.
func (st *stager) copy(ctx context.Context, r io.Reader, limit int64) error {
	spare := make([]byte, stageBytes)
	piece := make([]byte, stageBytes)
	for {
		n, ended, readErr := Fill(r, piece)
		st.size += int64(n)
		st.hash.Write(piece[:n])
		if err := st.giveWay(ctx); err != nil {
			return err
		}
		switch {
		case readErr != nil:
			return readErr
		case st.size > limit:
			return ErrTooLong
		case n > 0:
			data := piece[:n]
			st.began = time.Now()
			st.running = st.stage.Start(ctx, func(tx *commit.Tx) error { return st.write(tx, data) })
		}
		if ended {
			return st.giveWay(ctx)
		}
		piece, spare = spare, piece
	}
}

// Fill reads until buf is full or r has ended. Unlike [io.ReadFull], it returns
// [io.ErrUnexpectedEOF] of a reader that was cut short as an error.
func Fill(r io.Reader, buf []byte) (n int, ended bool, err error) {
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

// wait waits for the current piece, and then counts it: before its commit it may be
// written again, or not at all.
func (st *stager) wait() error {
	if st.running == nil {
		return nil
	}
	err := st.running.Wait()
	st.crowded = st.running.Crowded()
	st.running = nil
	if err != nil {
		return err
	}
	if st.at = st.next; st.renewal == nil {
		st.renewal = &renewal{stage: st.stage, num: st.at.num}
		st.renewal.schedule()
	}
	return nil
}

// giveWay waits for the current piece. If others wanted to write meanwhile, it pauses
// for as long as the piece took, so that they get half of the time.
func (st *stager) giveWay(ctx context.Context) error {
	if err := st.wait(); err != nil || !st.crowded {
		return err
	}
	st.crowded = false
	select {
	case <-time.After(time.Since(st.began)):
	case <-ctx.Done(): // the next write returns the error
	case <-st.stage.Closing:
	}
	return nil
}

// write stores a piece and renews the lease.
func (st *stager) write(tx *commit.Tx, piece []byte) (err error) {
	num, size, lease := st.at.num, int64(len(piece)), st.stage.LeaseEnd()
	if num == 0 {
		num, err = insertStaged(tx, size, lease)
	} else {
		err = renew(tx, num, size, lease)
	}
	if err != nil {
		return err
	}
	chunks, err := insertChunks(tx, num, st.at.chunks, piece)
	st.next = stagedUpTo{num, chunks}
	return err
}

// LeaseEnd returns the end of a lease that begins now.
func (s *Stage) LeaseEnd() int64 { return time.Now().Add(s.Lease).UnixMicro() }

// renewal renews the lease of a staged content while its call runs, since the reader
// may block, or the call may wait for other streams.
type renewal struct {
	stage   *Stage
	num     int64 // contents.num
	stopped atomic.Bool
}

func (r *renewal) schedule() { time.AfterFunc(r.stage.Lease/4, r.renew) }

func (r *renewal) renew() {
	if r.stopped.Load() {
		return
	}
	err := r.stage.Free(context.Background(), func(tx *commit.Tx) error { return renew(tx, r.num, 0, r.stage.LeaseEnd()) })
	if err == nil || errors.Is(err, engine.ErrBusy) || errors.Is(err, engine.ErrFull) {
		r.schedule()
	}
}

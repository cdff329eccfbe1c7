package bucketlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// Content that is longer than a chunk is staged: written piece by piece, each in
// a transaction of its own, before any object refers to it. A stream of any
// length thus needs little memory, and others write in between.
//
// Until an object's commit adopts it, a staged content has no hash, so nobody
// finds it. A lease keeps the collector off it; if the stream breaks, or the
// process does, the lease ends and the collector takes the pieces away.
const (
	stageBytes = 2 * chunkSize    // in one transaction; see decision 006
	stageLease = 10 * time.Minute // in which a stream must yield the next piece
)

// errTooLong says that a stream has more bytes than it may.
var errTooLong = errors.New("too long")

// stager writes one staged content.
type stager struct {
	store  *Store
	num    int64 // contents.num; 0 before the first piece
	chunks int64 // written
	size   int64
	hash   hash.Hash
}

// stage stores what r gives, at most limit bytes, and returns it as content that
// an object may adopt. Whoever gets it must see that it is adopted or released.
func (s *Store) stage(ctx context.Context, r io.Reader, limit int64) (*content, error) {
	st := &stager{store: s, hash: sha256.New()}
	if err := st.copy(ctx, r, limit); err != nil {
		s.release(&content{staged: st.num})
		return nil, err
	}
	c := &content{staged: st.num, size: st.size}
	st.hash.Sum(c.hash[:0])
	return c, nil
}

// copy reads a piece while the one before is being written. If others want to
// write meanwhile, it pauses for as long as the piece took, so that they get half
// of the time.
func (st *stager) copy(ctx context.Context, r io.Reader, limit int64) error {
	var running *engine.Pending
	var began time.Time
	wait := func() error {
		if running == nil {
			return nil
		}
		if err := running.Wait(); err != nil || !running.Crowded() {
			return public(err)
		}
		select {
		case <-time.After(time.Since(began)):
		case <-ctx.Done(): // the next write says so
		case <-st.store.db.Closing():
		}
		return nil
	}
	spare := make([]byte, stageBytes)
	piece := make([]byte, stageBytes)
	for {
		n, ended, readErr := fill(r, piece)
		st.size += int64(n)
		st.hash.Write(piece[:n])
		if err := wait(); err != nil {
			return err
		}
		switch {
		case readErr != nil:
			return errorf("read: %w", readErr)
		case st.size > limit:
			return errTooLong
		case n > 0:
			data := piece[:n]
			began = time.Now()
			running = st.store.start(ctx, func(tx *engine.Tx, g *group) error { return st.write(tx, data) })
		}
		if ended {
			return wait()
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

// write stores a piece and renews the lease.
func (st *stager) write(tx *engine.Tx, piece []byte) error {
	first := st.chunks
	until := time.Now().Add(stageLease).UnixMicro()
	num := st.num
	if first == 0 {
		var err error
		num, err = tx.Insert("INSERT INTO contents (size, refs, lease_until) VALUES (0, 0, ?) RETURNING num", until)
		if err != nil {
			return err
		}
	} else {
		n, err := tx.Exec("UPDATE contents SET lease_until = ? WHERE num = ? AND lease_until >= ?", until, num, time.Now().UnixMicro())
		if err != nil {
			return err
		}
		if n == 0 {
			return errorf("the stream stood still for more than %s, and what had come was given up", stageLease)
		}
	}
	next, err := insertChunks(tx, num, first, piece)
	if err != nil {
		return err
	}
	st.num, st.chunks = num, next
	return nil
}

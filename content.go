package bucketlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Stored content is cut into chunks. A chunk's id is the content's number and
// its own position, so that a content's chunks lie together.
const (
	chunkSize = 256 << 10
	chunkBits = 24 // 16 million chunks in one content

	maxContentBytes = chunkSize << chunkBits // 4 TiB
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// content is bytes to be stored: in memory, staged, or there already.
type content struct {
	hash   [sha256.Size]byte
	size   int64
	data   []byte
	there  bool  // stored already, on behalf of something else
	upload int64 // uploads.num of the upload it was named by; 0 if none

	staged  int64    // contents.num; 0 if not staged
	renewal *renewal // of the lease of what is staged
}

// keptContent returns the stored content of a blob, to be shared by another.
func keptContent(b *Blob) (*content, error) {
	c := &content{there: true, size: b.Details.Size}
	if n, err := hex.Decode(c.hash[:], []byte(b.Details.Hash)); err != nil || n != len(c.hash) {
		return nil, errorf("blob %q: hash %s: %w", b.ID, value.Show(b.Details.Hash), ErrCorrupt)
	}
	return c, nil
}

// checkContents refuses contents whose bytes are gone by now: an operation must
// know before it writes.
func checkContents(tx *commit.Tx, contents []*content) error {
	for _, c := range contents {
		var err error
		found := true
		switch {
		case c.there:
			found, err = tx.QueryRow("SELECT 1 FROM contents WHERE hash = ?", []any{c.hash[:]}, nil)
		case c.staged != 0:
			found, err = tx.QueryRow("SELECT 1 FROM contents WHERE num = ? AND lease_until > 0", []any{c.staged}, nil)
		}
		switch {
		case err != nil:
			return err
		case !found && c.there:
			return notFound("content %x", c.hash)
		case !found:
			return public(errGivenUp)
		}
	}
	return nil
}

// keep adds a reference to a content that has been checked. Unless the same bytes
// are there already, it stores those in memory, or adopts those that were staged.
func keep(tx *commit.Tx, c *content) error {
	found, err := tx.QueryRow("UPDATE contents SET uses = uses + 1 WHERE hash = ? RETURNING size, uses", []any{c.hash[:]},
		func(r engine.Row) { tx.Content.Count(r.Int(0), r.Int(1)-1, r.Int(1)) })
	if err != nil {
		return err
	}
	switch {
	case found:
		return giveUp(tx, c)
	case c.there:
		return notFound("content %x", c.hash)
	case c.staged != 0:
		_, err := tx.Exec("UPDATE contents SET hash = ?, size = ?, uses = 1, lease_until = NULL WHERE num = ?", c.hash[:], c.size, c.staged)
		if err != nil {
			return err
		}
	default:
		num, err := tx.Insert("INSERT INTO contents (hash, size, uses) VALUES (?, ?, 1) RETURNING num", c.hash[:], c.size)
		if err != nil {
			return err
		}
		if _, err := insertChunks(tx, num, 0, c.data); err != nil {
			return err
		}
	}
	tx.Content.Live += c.size
	return nil
}

// insertChunks stores data in chunks from position at on, and returns the
// position after the last.
func insertChunks(tx *commit.Tx, num, at int64, data []byte) (int64, error) {
	for ; len(data) > 0; at++ {
		chunk := data[:min(len(data), chunkSize)]
		data = data[len(chunk):]
		_, err := tx.Exec("INSERT INTO chunks (id, sum, data) VALUES (?, ?, ?)",
			num<<chunkBits|at, int64(crc32.Checksum(chunk, castagnoli)), chunk)
		if err != nil {
			return 0, err
		}
		tx.Content.Written += int64(len(chunk))
	}
	return at, nil
}

// giveUp ends the lease of a staged content that no object adopts.
func giveUp(tx *commit.Tx, c *content) error {
	if c.staged == 0 {
		return nil
	}
	tx.Raise(commit.Background)
	_, err := tx.QueryRow("UPDATE contents SET lease_until = 0 WHERE num = ? AND hash IS NULL AND lease_until > 0 RETURNING size", []any{c.staged},
		func(r engine.Row) { tx.Content.Waiting += r.Int(0) })
	return err
}

// release gives up contents for good. It does not wait for that once ctx has
// ended, or the call has waited for another process already. If it fails, their
// leases end by themselves.
func (s *Store) release(ctx context.Context, contents ...*content) {
	staged := slices.DeleteFunc(slices.Clone(contents), func(c *content) bool { return c.staged == 0 })
	if len(staged) == 0 {
		return
	}
	endRenewals(staged)
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := s.free(context.Background(), func(tx *commit.Tx) error {
			for _, c := range staged {
				if err := giveUp(tx, c); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, ErrClosed) {
			s.opts.Logger.Warn("bucketlite: staged content is left to the collector", "error", err)
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

// endRenewals ends the renewing of leases, of contents that have been adopted or
// given up.
func endRenewals(contents []*content) {
	for _, c := range contents {
		if c.renewal != nil {
			c.renewal.stopped.Store(true)
		}
	}
}

// drop takes back one reference for each of blobs that is stored content. Content
// without references is collected later, in slices.
func drop(tx *commit.Tx, blobs []Blob) error {
	for i := range blobs {
		hash := blobs[i].Details.Hash
		if hash == "" {
			continue
		}
		_, err := tx.QueryRow("UPDATE contents SET uses = uses - 1 WHERE hash = unhex(?) RETURNING size, uses", []any{hash}, dropped(tx))
		if err != nil {
			return err
		}
	}
	return nil
}

// dropHash takes back one reference to a content.
func dropHash(tx *commit.Tx, hash []byte) error {
	_, err := tx.QueryRow("UPDATE contents SET uses = uses - 1 WHERE hash = ? RETURNING size, uses", []any{hash}, dropped(tx))
	return err
}

// dropped returns a function that counts a content that has lost a reference, given its
// size and its references now.
func dropped(tx *commit.Tx) func(engine.Row) {
	return func(r engine.Row) {
		size, uses := r.Int(0), r.Int(1)
		tx.Content.Count(size, uses+1, uses)
		if uses <= 0 {
			tx.Raise(commit.Background)
		}
	}
}

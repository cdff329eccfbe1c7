package content

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// All statements that write the tables contents and chunks are in this file, except
// those of Check's simple rules.

// A content is cut into chunks. A chunk's id consists of the content's number and the
// chunk's position, so that the chunks of a content are adjacent.
const (
	ChunkSize = 256 << 10
	ChunkBits = 24 // 16 million chunks in one content

	MaxBytes = ChunkSize << ChunkBits // of a content: 4 TiB
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Sum returns the checksum of a chunk, as its row keeps it.
func Sum(chunk []byte) int64 { return int64(crc32.Checksum(chunk, castagnoli)) }

// Content is content to be stored: in memory, staged, or stored already.
type Content struct {
	Hash   [sha256.Size]byte
	Size   int64
	Data   []byte
	There  bool  // stored already, for another reference
	Upload int64 // uploads.num of the upload that the input named, or 0

	staged  int64    // contents.num; 0 if not staged
	renewal *renewal // renews the lease of the staged content
}

// Kept returns a stored content, to be shared. The hash is its SHA-256 in
// hexadecimal; ok is false if it is malformed.
func Kept(hash string, size int64) (c *Content, ok bool) {
	c = &Content{There: true, Size: size}
	n, err := hex.Decode(c.Hash[:], []byte(hash))
	return c, err == nil && n == len(c.Hash)
}

// Check returns a [*GoneError] or [ErrGivenUp] if the bytes of a content have been
// deleted. An operation calls it before its first write.
func Check(tx *commit.Tx, contents []*Content) error {
	for _, c := range contents {
		var err error
		found := true
		switch {
		case c.There:
			found, err = tx.QueryRow("SELECT 1 FROM contents WHERE hash = ?", []any{c.Hash[:]}, nil)
		case c.staged != 0:
			found, err = tx.QueryRow("SELECT 1 FROM contents WHERE num = ? AND lease_until > 0", []any{c.staged}, nil)
		}
		switch {
		case err != nil:
			return err
		case !found && c.There:
			return &GoneError{c.Hash}
		case !found:
			return ErrGivenUp
		}
	}
	return nil
}

// GoneError reports that a content to be shared has been deleted.
type GoneError struct{ Hash [sha256.Size]byte }

func (e *GoneError) Error() string { return fmt.Sprintf("content %x is gone", e.Hash) }

// Keep adds a reference to a content that [Check] has accepted. Unless equal bytes
// are stored already, it stores the bytes in memory, or adopts the staged content.
func Keep(tx *commit.Tx, c *Content) error {
	found, err := tx.QueryRow("UPDATE contents SET uses = uses + 1 WHERE hash = ? RETURNING size, uses", []any{c.Hash[:]},
		func(r engine.Row) { tx.Content.Count(r.Int(0), r.Int(1)-1, r.Int(1)) })
	if err != nil {
		return err
	}
	switch {
	case found:
		return giveUp(tx, c)
	case c.There:
		return &GoneError{c.Hash}
	case c.staged != 0:
		_, err := tx.Exec("UPDATE contents SET hash = ?, size = ?, uses = 1, lease_until = NULL WHERE num = ?", c.Hash[:], c.Size, c.staged)
		if err != nil {
			return err
		}
	default:
		num, err := tx.Insert("INSERT INTO contents (hash, size, uses) VALUES (?, ?, 1) RETURNING num", c.Hash[:], c.Size)
		if err != nil {
			return err
		}
		if _, err := insertChunks(tx, num, 0, c.Data); err != nil {
			return err
		}
	}
	tx.Content.Live += c.Size
	return nil
}

// insertChunks stores data as chunks, starting at position at, and returns the
// position after the last.
func insertChunks(tx *commit.Tx, num, at int64, data []byte) (int64, error) {
	for ; len(data) > 0; at++ {
		chunk := data[:min(len(data), ChunkSize)]
		data = data[len(chunk):]
		if _, err := tx.Exec("INSERT INTO chunks (id, sum, data) VALUES (?, ?, ?)", num<<ChunkBits|at, Sum(chunk), chunk); err != nil {
			return 0, err
		}
		tx.Content.Written += int64(len(chunk))
	}
	return at, nil
}

// Drop removes one reference to the content with a SHA-256 in hexadecimal. A content
// without references is deleted later.
func Drop(tx *commit.Tx, hash string) error {
	_, err := tx.QueryRow("UPDATE contents SET uses = uses - 1 WHERE hash = unhex(?) RETURNING size, uses", []any{hash}, dropped(tx))
	return err
}

// DropHash is [Drop] for a hash in bytes.
func DropHash(tx *commit.Tx, hash []byte) error {
	_, err := tx.QueryRow("UPDATE contents SET uses = uses - 1 WHERE hash = ? RETURNING size, uses", []any{hash}, dropped(tx))
	return err
}

// dropped returns a function that counts a content that has lost a reference. Its
// argument is the content's size and its remaining references.
func dropped(tx *commit.Tx) func(engine.Row) {
	return func(r engine.Row) {
		size, uses := r.Int(0), r.Int(1)
		tx.Content.Count(size, uses+1, uses)
		if uses <= 0 {
			tx.Raise(commit.Background)
		}
	}
}

// insertStaged inserts a content without a hash, so that it cannot be found, under a
// lease.
func insertStaged(tx *commit.Tx, size, lease int64) (num int64, err error) {
	return tx.Insert("INSERT INTO contents (size, uses, lease_until) VALUES (?, 0, ?) RETURNING num", size, lease)
}

// renew renews the lease of a staged content that grows by a number of bytes. A lease
// whose time is over is still valid until a collector has set it to 0, so that a
// wrong clock does no harm.
func renew(tx *commit.Tx, num, grown, lease int64) error {
	n, err := tx.Exec("UPDATE contents SET lease_until = ?, size = size + ? WHERE num = ? AND lease_until > 0", lease, grown, num)
	if err == nil && n == 0 {
		err = ErrGivenUp
	}
	return err
}

// giveUp ends the lease of a staged content that is not adopted.
func giveUp(tx *commit.Tx, c *Content) error {
	if c.staged == 0 {
		return nil
	}
	tx.Raise(commit.Background)
	_, err := tx.QueryRow("UPDATE contents SET lease_until = 0 WHERE num = ? AND hash IS NULL AND lease_until > 0 RETURNING size", []any{c.staged},
		func(r engine.Row) { tx.Content.Waiting += r.Int(0) })
	return err
}

// Leases calls each with the number and the end of the lease of staged contents, at most
// limit, whose leases end after a time.
func Leases(conn *engine.Conn, after, limit int64, each func(num, until int64)) error {
	return conn.Query("SELECT num, lease_until FROM contents WHERE uses = 0 AND hash IS NULL AND lease_until > ? LIMIT ?", []any{after, limit},
		func(r engine.Row) error { each(r.Int(0), r.Int(1)); return nil })
}

// EndLease ends the lease of a staged content, if it still ends at until.
func EndLease(tx *commit.Tx, num, until int64) error {
	_, err := tx.Exec("UPDATE contents SET lease_until = 1 WHERE num = ? AND lease_until = ?", num, until)
	return err
}

// selectUnused finds a content without references and without a lease.
const selectUnused = "SELECT num, size, hash IS NULL AND lease_until > 0 FROM contents WHERE uses = 0 AND coalesce(lease_until, 0) < ? LIMIT 1"

// Unused reports whether there is a content to delete.
func Unused(conn *engine.Conn) (bool, error) {
	return conn.QueryRow(selectUnused, []any{time.Now().UnixMicro()}, nil)
}

// collectOne deletes up to limit chunks of a content without references. If any are left,
// it removes the hash and the lease, so that no one can find the content or continue to
// stage it, even if the clock is set back.
func collectOne(tx *commit.Tx, limit int64) (chunks int64, found bool, err error) {
	var num, size int64
	abandoned := false // during staging, so it does not count as waiting
	found, err = tx.QueryRow(selectUnused, []any{time.Now().UnixMicro()}, func(r engine.Row) {
		num, size, abandoned = r.Int(0), r.Int(1), r.Int(2) != 0
	})
	if err != nil || !found {
		return 0, false, err
	}
	if abandoned {
		tx.Content.Waiting += size
	}
	chunks, err = tx.Exec("DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE id >= ? AND id < ? LIMIT ?)",
		num<<ChunkBits, (num+1)<<ChunkBits, limit)
	if err != nil {
		return 0, false, err
	}
	if chunks < limit {
		tx.Content.Waiting -= size
		_, err = tx.Exec("DELETE FROM contents WHERE num = ?", num)
		return chunks, true, err
	}
	// All chunks except the last are full. If the last chunk is gone, so is the row
	// soon.
	gone := min(size, chunks*ChunkSize)
	tx.Content.Waiting -= gone
	_, err = tx.Exec("UPDATE contents SET hash = NULL, lease_until = 0, size = size - ? WHERE num = ?", gone, num)
	return chunks, true, err
}

// Resize corrects the recorded size of a content that has a hash and a wrong size.
func Resize(tx *commit.Tx, num int64, hash []byte, wrong, size int64) error {
	_, err := tx.QueryRow("UPDATE contents SET size = ? WHERE num = ? AND hash = ? AND size = ? RETURNING uses", []any{size, num, hash, wrong},
		func(r engine.Row) { tx.Content.Count(size-wrong, -1, r.Int(0)) })
	return err
}

// Mark gives a content with a hash a lease, by which [Correct] finds it again.
func Mark(tx *commit.Tx, num, mark int64) error {
	_, err := tx.Exec("UPDATE contents SET lease_until = ? WHERE num = ? AND hash IS NOT NULL", mark, num)
	return err
}

// Correct subtracts wrong references from a content's count, and removes the mark. It
// reports whether the mark was still there; if not, it changes nothing.
func Correct(tx *commit.Tx, num, mark, wrong int64) (stood bool, err error) {
	return tx.QueryRow("UPDATE contents SET uses = uses - ?, lease_until = NULL WHERE num = ? AND lease_until = ? RETURNING size, uses",
		[]any{wrong, num, mark}, func(r engine.Row) { tx.Content.Count(r.Int(0), r.Int(1)+wrong, r.Int(1)) })
}

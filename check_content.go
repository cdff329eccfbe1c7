package bucketlite

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
)

// checkStored reads every content and verifies its checksums. It reads piece by
// piece, so that others can write in between. A content that is deleted meanwhile is
// not a problem. Contents without a hash are staged or deleted, and skipped.
func (c *checker) checkStored() error {
	var w contentWalk // the content being read
	for after := int64(-1); ; {
		var pieces []piece
		more := false
		err := c.read(func(conn *engine.Conn) (err error) {
			pieces, more, err = selectPieces(conn, w.num, w.next)
			return err
		})
		if err != nil {
			return err
		}
		if w.num != 0 && (len(pieces) == 0 || pieces[0].content != w.num) {
			w = contentWalk{num: w.num + 1} // it has been deleted
		}
		for i := range pieces {
			p := &pieces[i]
			if p.content != w.num || w.sum == nil {
				if err := c.endContent(&w); err != nil {
					return err
				}
				w = contentWalk{num: p.content, hash: p.hash, size: p.size, sum: sha256.New()}
			}
			w.add(p)
			c.progress.ContentBytes += int64(len(p.data))
		}
		if !more {
			return c.endContent(&w)
		}
		if err := turnPage(&after, w.num<<content.ChunkBits|w.next); err != nil {
			return err
		}
		c.tell()
	}
}

// piece is a chunk of a content, or the content alone if it has no further chunks.
type piece struct {
	content  int64 // contents.num
	hash     []byte
	size     int64
	there    bool // it is a chunk
	position int64
	sum      int64
	data     []byte
}

// selectPieces reads chunks in the order of the contents, starting at a position in a
// content. It reports whether there may be more.
func selectPieces(conn *engine.Conn, num, position int64) (pieces []piece, more bool, err error) {
	size := 0
	err = conn.Query(`
SELECT c.num, c.hash, c.size, k.id, k.sum, k.data
FROM contents c LEFT JOIN chunks k ON k.id >= max(c.num << 24, ?2) AND k.id < (c.num + 1) << 24
WHERE c.num >= ?1 AND c.hash IS NOT NULL ORDER BY c.num, k.id LIMIT ?3`,
		[]any{num, num<<content.ChunkBits + position, int64(checkRows)}, func(r engine.Row) error {
			pieces = append(pieces, piece{content: r.Int(0), hash: r.Bytes(1), size: r.Int(2),
				there: !r.Null(3), position: r.Int(3) & (1<<content.ChunkBits - 1), sum: r.Int(4), data: r.Bytes(5)})
			if size += len(pieces[len(pieces)-1].data); size > checkBytes {
				return errEnough
			}
			return nil
		})
	if err != nil && err != errEnough {
		return nil, false, err
	}
	return pieces, err == errEnough || len(pieces) == checkRows, nil
}

// contentWalk is the state of reading a content.
type contentWalk struct {
	num  int64 // contents.num; 0 before the first
	hash []byte
	size int64 // as recorded

	sum   hash.Hash // of the bytes so far; nil if no content is being read
	next  int64     // the position of the next chunk
	read  int64     // bytes
	short bool      // the previous chunk was not full
	fault Problem   // the first fault; Rule is "" if there is none
}

// add adds the next piece.
func (w *contentWalk) add(p *piece) {
	if !p.there {
		return
	}
	switch {
	case p.position != w.next:
		w.wrong("content.chunks", "chunk %d expected, got %d", w.next, p.position)
	case w.short:
		w.wrong("content.chunks", "chunk %d has less than %d bytes and is not the last", w.next-1, content.ChunkSize)
	case len(p.data) > content.ChunkSize:
		w.wrong("content.chunks", "chunk %d has %d bytes, at most %d expected", p.position, len(p.data), content.ChunkSize)
	case content.Sum(p.data) != p.sum:
		w.wrong("content.checksum", "chunk %d does not match its checksum", p.position)
	}
	w.next, w.read, w.short = p.position+1, w.read+int64(len(p.data)), len(p.data) < content.ChunkSize
	w.sum.Write(p.data)
}

func (w *contentWalk) wrong(rule, format string, args ...any) {
	if w.fault.Rule == "" {
		w.fault = Problem{Rule: rule, Message: fmt.Sprintf(format, args...)}
	}
}

// endContent checks the content that has been read.
func (c *checker) endContent(w *contentWalk) error {
	if w.sum == nil {
		return nil
	}
	c.report.Contents++
	c.report.ContentBytes += w.read
	intact := bytes.Equal(w.sum.Sum(nil), w.hash)
	switch {
	case w.read != w.size && intact:
		w.wrong("content.size", "%d bytes are recorded, but it has %d", w.size, w.read)
	case w.read != w.size:
		w.wrong("content.chunks", "%d bytes expected, got %d", w.size, w.read)
	case !intact:
		w.wrong("content.hash", "the SHA-256 of its bytes differs from its hash")
	}
	if w.fault.Rule == "" {
		return nil
	}
	w.fault.Subject = fmt.Sprintf("content %x", w.hash)
	if w.fault.Rule == "content.size" && c.repairs() {
		if err := c.write(func(tx *commit.Tx) error { return content.Resize(tx, w.num, w.hash, w.size, w.read) }); err != nil {
			return err
		}
		w.fault.Repaired = true
	}
	c.add(w.fault)
	return nil
}

// checkReferences compares the recorded number of references to each content with a
// count.
func (c *checker) checkReferences() error {
	for after := int64(0); ; {
		found, err := c.countReferences(after, 0)
		if err != nil || len(found) == 0 {
			return err
		}
		repaired := make(map[int64]bool)
		if c.repairs() && !c.unread {
			if repaired, err = c.repairReferences(found); err != nil {
				return err
			}
		}
		for _, r := range found {
			if c.unread && r.counted > r.actual {
				continue // the other references may be in unreadable blobs
			}
			p := Problem{Rule: "content.references", Subject: fmt.Sprintf("content %x", r.hash), Repaired: repaired[r.num],
				Message: fmt.Sprintf("%d references are recorded, but there are %d", r.counted, r.actual)}
			c.add(p)
		}
		if err := turnPage(&after, found[len(found)-1].num); err != nil {
			return err
		}
	}
}

// references are the recorded and the actual number of references to a content.
type references struct {
	num             int64 // contents.num
	hash            []byte
	counted, actual int64
}

// countReferences counts the references to the contents after one: of those with a
// wrong number, or of those with the lease. Every writer changes a reference and its
// count in the same transaction, so the difference stays the same while others write.
// SQLite sorts all rows before it returns the first, on disk if there are many.
func (c *checker) countReferences(after, lease int64) ([]references, error) {
	var found []references
	err := c.readLong(`
SELECT max(num), hash, sum(refs) AS counted, sum(uses) AS actual FROM (
    SELECT num, hash, uses AS refs, 0 AS uses, lease_until FROM contents WHERE hash IS NOT NULL
    UNION ALL
    SELECT NULL, iif(j.type = 'object', unhex(j.value -> 'details' ->> 'hash'), NULL), 0, 1, NULL
    FROM object o, json_each(iif(json_valid(o.blobs), o.blobs, '[]')) j WHERE o.blobs IS NOT NULL
    UNION ALL
    SELECT NULL, hash, 0, 1, NULL FROM uploads WHERE holds <> 0)
GROUP BY hash HAVING max(num) > ?1 AND iif(?2 = 0, sum(refs) <> sum(uses), max(lease_until) = ?2)
ORDER BY max(num) LIMIT ?3`, []any{after, lease, int64(maxProblems)}, func() { found = nil }, func(r engine.Row) {
		found = append(found, references{r.Int(0), r.Bytes(1), r.Int(2), r.Int(3)})
	})
	return found, err
}

// The bytes of contents in use, and of contents that wait for deletion. Staged contents
// count as neither.
const (
	actualLive    = "(SELECT coalesce(sum(size), 0) FROM contents WHERE uses > 0)"
	actualWaiting = "(SELECT coalesce(sum(size), 0) FROM contents WHERE uses = 0 AND (hash IS NOT NULL OR coalesce(lease_until, 0) = 0))"
)

// checkContentBytes compares the recorded bytes of all contents with a count.
func (c *checker) checkContentBytes() error {
	var counted, actual struct{ live, waiting int64 }
	err := c.readLong("SELECT live_bytes, waiting_bytes, "+actualLive+", "+actualWaiting+" FROM store", nil, func() {}, func(r engine.Row) {
		counted.live, counted.waiting, actual.live, actual.waiting = r.Int(0), r.Int(1), r.Int(2), r.Int(3)
	})
	if err != nil || counted == actual {
		return err
	}
	p := Problem{Rule: "store.content", Subject: "store",
		Message: fmt.Sprintf("%d bytes of content are recorded, but there are %d", counted.live, actual.live)}
	if counted.live == actual.live {
		p.Message = fmt.Sprintf("%d bytes that wait for deletion are recorded, but there are %d", counted.waiting, actual.waiting)
	}
	if c.repairs() {
		if err := c.write(recountContent); err != nil {
			return err
		}
		p.Repaired = true
	}
	c.add(p)
	return nil
}

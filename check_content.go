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

// checkStored reads every content and compares it with its checksums. It goes
// from piece to piece, so that others write in between; a content that vanishes
// meanwhile is no problem. Those without a hash are not there yet, or no more.
func (c *checker) checkStored() error {
	var w contentWalk // the content that is being read
	for {
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
		c.tell()
	}
}

// piece is a chunk of a content, or the content alone if it has no more of them.
type piece struct {
	content  int64 // contents.num
	hash     []byte
	size     int64
	there    bool // a chunk
	position int64
	sum      int64
	data     []byte
}

// selectPieces reads chunks, from one of a content on, in the order of the contents. It
// reports whether there may be more.
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

// contentWalk is a content that is being read.
type contentWalk struct {
	num  int64 // contents.num; 0 before the first
	hash []byte
	size int64 // as stated

	sum   hash.Hash // of what has come; nil if nothing is being read
	next  int64     // the position of the next chunk
	read  int64     // bytes
	short bool      // the chunk before was not a full one
	fault Problem   // the first thing that is wrong; Rule is "" if nothing is
}

// add takes the next piece.
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
		w.wrong("content.checksum", "chunk %d does not have its checksum", p.position)
	}
	w.next, w.read, w.short = p.position+1, w.read+int64(len(p.data)), len(p.data) < content.ChunkSize
	w.sum.Write(p.data)
}

func (w *contentWalk) wrong(rule, format string, args ...any) {
	if w.fault.Rule == "" {
		w.fault = Problem{Rule: rule, Message: fmt.Sprintf(format, args...)}
	}
}

// endContent judges the content that has been read.
func (c *checker) endContent(w *contentWalk) error {
	if w.sum == nil {
		return nil
	}
	c.report.Contents++
	c.report.ContentBytes += w.read
	intact := bytes.Equal(w.sum.Sum(nil), w.hash)
	switch {
	case w.read != w.size && intact:
		w.wrong("content.size", "%d bytes are stated, it has %d", w.size, w.read)
	case w.read != w.size:
		w.wrong("content.chunks", "%d bytes expected, there are %d", w.size, w.read)
	case !intact:
		w.wrong("content.hash", "its bytes do not have the SHA-256 it is addressed by")
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

// checkReferences compares how often each content is referred to with the count
// that is kept of it.
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
			after = r.num
			if c.unread && r.counted > r.actual {
				continue // the rest may be where nobody can read
			}
			p := Problem{Rule: "content.references", Subject: fmt.Sprintf("content %x", r.hash), Repaired: repaired[r.num],
				Message: fmt.Sprintf("%d references are counted, there are %d", r.counted, r.actual)}
			c.add(p)
		}
	}
}

// references is how often a content is referred to.
type references struct {
	num             int64 // contents.num
	hash            []byte
	counted, actual int64
}

// countReferences counts the references to the contents after one at which the
// count is wrong, or that have a lease. Whoever refers to a content changes the
// count in the same transaction, so what is wrong about a count stays the same
// while others write. All is sorted before the first row comes, on disk if there is
// much of it.
func (c *checker) countReferences(after, lease int64) ([]references, error) {
	var found []references
	err := c.readLong(`
SELECT max(num), hash, sum(refs) AS counted, sum(uses) AS actual FROM (
    SELECT num, hash, uses AS refs, 0 AS uses, lease_until FROM contents WHERE hash IS NOT NULL
    UNION ALL
    SELECT NULL, iif(j.type = 'object', unhex(j.value ->> '$.details.hash'), NULL), 0, 1, NULL
    FROM object o, json_each(iif(json_valid(o.blobs), o.blobs, '[]')) j WHERE o.blobs IS NOT NULL
    UNION ALL
    SELECT NULL, hash, 0, 1, NULL FROM uploads WHERE holds <> 0)
GROUP BY hash HAVING max(num) > ?1 AND iif(?2 = 0, sum(refs) <> sum(uses), max(lease_until) = ?2)
ORDER BY max(num) LIMIT ?3`, []any{after, lease, int64(maxProblems)}, func() { found = nil }, func(r engine.Row) {
		found = append(found, references{r.Int(0), r.Bytes(1), r.Int(2), r.Int(3)})
	})
	return found, err
}

// The bytes of contents that are in use, and of those that wait to be collected. A
// content that is being staged is neither.
const (
	actualLive    = "(SELECT ifnull(sum(size), 0) FROM contents WHERE uses > 0)"
	actualWaiting = "(SELECT ifnull(sum(size), 0) FROM contents WHERE uses = 0 AND (hash IS NOT NULL OR ifnull(lease_until, 0) = 0))"
)

// checkContentBytes compares the bytes of all contents with the counts that are
// kept of them.
func (c *checker) checkContentBytes() error {
	var counted, actual struct{ live, waiting int64 }
	err := c.readLong("SELECT live_bytes, waiting_bytes, "+actualLive+", "+actualWaiting+" FROM store", nil, func() {}, func(r engine.Row) {
		counted.live, counted.waiting, actual.live, actual.waiting = r.Int(0), r.Int(1), r.Int(2), r.Int(3)
	})
	if err != nil || counted == actual {
		return err
	}
	p := Problem{Rule: "store.content", Subject: "store",
		Message: fmt.Sprintf("%d bytes of content are counted, there are %d", counted.live, actual.live)}
	if counted.live == actual.live {
		p.Message = fmt.Sprintf("%d bytes that wait to be collected are counted, there are %d", counted.waiting, actual.waiting)
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

package content

import (
	"fmt"
	"io"
	"sync"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// Find returns the number of the content with a SHA-256 in hexadecimal, and whether
// it exists.
func Find(conn *engine.Conn, hash string) (num int64, ok bool, err error) {
	ok, err = conn.QueryRow("SELECT num FROM contents WHERE hash = unhex(?)", []any{hash}, func(r engine.Row) { num = r.Int(0) })
	return num, ok, err
}

// Reader reads a stored content. It verifies each chunk before it returns any of its
// bytes, and holds no connection between reads. It is safe for concurrent use.
type Reader struct {
	read func(func(*engine.Conn) error) error
	num  int64 // contents.num
	size int64

	mu     sync.Mutex
	cached int64 // position of the chunk in data
	data   []byte
}

// NewReader returns a reader of the content with the number that [Find] returned and
// with the size. It uses read to get a connection.
func NewReader(num, size int64, read func(func(*engine.Conn) error) error) *Reader {
	return &Reader{read: read, num: num, size: size}
}

// ReadAt reads from the chunks that hold the bytes. It returns [ErrGone] if the content
// has been deleted, and an error that matches [engine.ErrCorrupt] if it is damaged.
func (r *Reader) ReadAt(p []byte, offset int64) (n int, err error) {
	for n < len(p) {
		at := offset + int64(n)
		if at >= r.size {
			return n, io.EOF
		}
		chunk, err := r.chunk(at / ChunkSize)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], chunk[at%ChunkSize:])
	}
	return n, nil
}

// chunk returns the verified bytes of a chunk. It caches the last chunk, for readers
// that read few bytes at a time.
func (r *Reader) chunk(i int64) ([]byte, error) {
	r.mu.Lock()
	cached, data := r.cached, r.data
	r.mu.Unlock()
	if data != nil && cached == i {
		return data, nil
	}
	data, err := r.load(i)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.cached, r.data = i, data
	r.mu.Unlock()
	return data, nil
}

// load reads and verifies a chunk. A missing chunk is damage, unless the content is
// being deleted: its hash is deleted first.
func (r *Reader) load(i int64) (data []byte, err error) {
	var sum int64
	there, kept := false, false
	err = r.read(func(conn *engine.Conn) (err error) {
		there, err = conn.QueryRow("SELECT sum, data FROM chunks WHERE id = ?", []any{r.num<<ChunkBits | i},
			func(row engine.Row) { sum, data = row.Int(0), row.Bytes(1) })
		if err == nil && !there {
			kept, err = conn.QueryRow("SELECT 1 FROM contents WHERE num = ? AND hash IS NOT NULL", []any{r.num}, nil)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !there && !kept:
		return nil, ErrGone
	case !there:
		return nil, fmt.Errorf("chunk %d of a content is missing: %w", i, engine.ErrCorrupt)
	case int64(len(data)) != min(ChunkSize, r.size-i*ChunkSize) || Sum(data) != sum:
		return nil, fmt.Errorf("chunk %d of a content: %w", i, engine.ErrCorrupt)
	}
	return data, nil
}

// Staged returns a reader of a content that is staged and not adopted yet, or nil.
func (c *Content) Staged(read func(func(*engine.Conn) error) error) *Reader {
	if c.staged == 0 {
		return nil
	}
	return NewReader(c.staged, c.Size, read)
}

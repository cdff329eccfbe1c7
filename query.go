package bucketlite

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"iter"
	"strings"
)

// The number of results on a page: when the query does not say, and at most.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Query says which part of a list is wanted. The zero Query is its first page.
type Query struct {
	// Limit is the most results wanted. A page holds 1 to [MaxLimit]; 0 means
	// [DefaultLimit]. An iterator takes any number; 0 means all. Anything else is
	// [ErrBadRequest].
	Limit int
	// Cursor continues after a page; it is that page's Next. It belongs to the
	// list it came from; any other is [ErrBadRequest].
	Cursor string
}

// Page is one page of a list, in order of creation.
type Page[T any] struct {
	// Results are the page's items; none is not an error.
	Results []T
	// Next continues the list; "" on its last page. It consists of the
	// characters A–Z a–z 0–9 _ -.
	Next string
}

// limit returns the number of results wanted.
func (q Query) limit() (int, error) {
	switch {
	case q.Limit == 0:
		return DefaultLimit, nil
	case q.Limit < 0 || q.Limit > MaxLimit:
		return 0, badRequest("limit: 1 to %d expected, got %d", MaxLimit, q.Limit)
	}
	return q.Limit, nil
}

// list names what a cursor belongs to: a kind of list and the number of its owner.
type list struct {
	kind  string
	owner int64
}

// A cursor is the position after which to go on, and a checksum that binds it
// to the list and the file it came from.
const (
	cursorPosition = 8
	cursorSum      = 8
)

func (s *Store) cursor(l list, position int64) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(position))
	b = append(b, s.cursorSum(l, b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// position returns the position q's cursor holds, 0 if it has none.
func (s *Store) position(l list, q Query) (int64, error) {
	if q.Cursor == "" {
		return 0, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(q.Cursor)
	if err != nil || len(b) != cursorPosition+cursorSum || strings.ContainsAny(q.Cursor, "\r\n") { // the decoder skips line ends
		return 0, badRequest("cursor: not a cursor")
	}
	position := b[:cursorPosition]
	if subtle.ConstantTimeCompare(b[cursorPosition:], s.cursorSum(l, position)) != 1 {
		return 0, badRequest("cursor: it belongs to another list")
	}
	return int64(binary.BigEndian.Uint64(position)), nil
}

func (s *Store) cursorSum(l list, position []byte) []byte {
	h := sha256.New()
	h.Write([]byte(s.id + l.kind))
	binary.Write(h, binary.BigEndian, l.owner)
	h.Write(position)
	return h.Sum(nil)[:cursorSum]
}

// page cuts rows, of which one more than limit was asked for, to a page.
func page[T any](s *Store, l list, rows []T, limit int, position func(T) int64) *Page[T] {
	p := &Page[T]{Results: rows}
	if len(rows) > limit {
		p.Results = rows[:limit]
		p.Next = s.cursor(l, position(rows[limit-1]))
	}
	return p
}

// each iterates over a list page by page, up to q.Limit results, or all if that
// is 0. No statement is open while the loop's body runs, so the body may do as
// it likes with the store. Close ends the iteration, even amid a page.
func each[T any](ctx context.Context, s *Store, q Query, pages func(context.Context, Query) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		left := q.Limit
		for q := q; ; {
			if q.Limit = DefaultLimit; left != 0 {
				q.Limit = min(left, DefaultLimit)
			}
			p, err := pages(ctx, q)
			if err != nil {
				yield(none, err)
				return
			}
			for _, r := range p.Results {
				select {
				case <-s.db.Closing():
					yield(none, public(ErrClosed))
					return
				default:
				}
				if !yield(r, nil) {
					return
				}
			}
			if left != 0 {
				if left -= len(p.Results); left == 0 {
					return
				}
			}
			if q.Cursor = p.Next; p.Next == "" {
				return
			}
		}
	}
}

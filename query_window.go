package bucketlite

import (
	"fmt"

	"github.com/bucketlite/bucketlite/internal/query"
)

// A window decides, member by member, which part of a list a page is: not the first
// offset members, then up to limit of them, as long as their stored bytes are at most
// most. The first member of a page is on it whatever its size.
//
// Clients that count by offset take it for granted that a page has as many members as
// its limit. So the members before the offset are taken for pages of the same limit,
// and if one of those, or the page itself, would end early, the window is torn: the
// page is an error and not a gap.
type window struct {
	limit, offset int
	most          int64
	iterates      bool // nobody counts by offset

	n     int            // members so far
	bytes int64          // of those on the page that is being filled
	last  query.Position // of the last member
	more  bool           // the list goes on after the page
	torn  bool           // the page after the last member would end early
}

// window returns the window of the page that c wants.
func (c *compiledQuery) window(s *Store) window {
	return window{limit: c.Limit, offset: c.offset, most: s.opts.MaxPageBytes, iterates: c.iterates}
}

// add takes the next member, and reports whether it is on the page, and whether no
// more members are needed.
func (w *window) add(p query.Position, bytes int64) (on, done bool) {
	if w.n == w.offset+w.limit {
		w.more = true
		return false, true
	}
	switch begins := w.n == 0 || (w.n-w.offset)%w.limit == 0; {
	case begins:
		w.bytes = 0
	case w.bytes+bytes > w.most && (w.offset == 0 || w.iterates && w.n > w.offset):
		w.more = true
		return false, true
	case w.bytes+bytes > w.most && !w.iterates:
		w.torn = true
		return false, true
	}
	w.bytes += bytes
	w.n++
	w.last.Key, w.last.Num = append(w.last.Key[:0], p.Key...), p.Num
	return w.n > w.offset, false
}

// err returns the error of a window that is torn.
func (w *window) err(s *Store, l list) error {
	if !w.torn {
		return nil
	}
	return &OffsetError{Offset: w.offset, MaxBytes: w.most, Cursor: s.cursor(l, w.last)}
}

// OffsetError says that a list cannot be counted through by [Query].Offset, since a
// page up to that offset, or the page there, ends at [Options].MaxPageBytes before it
// has as many members as its limit. It matches [ErrTooLarge].
type OffsetError struct {
	// Offset is the offset that was given.
	Offset int
	// MaxBytes is where pages end.
	MaxBytes int64
	// Cursor continues the list where the first of those pages ends. It takes the
	// place of the offset.
	Cursor string
}

func (e *OffsetError) Error() string {
	return fmt.Sprintf("bucketlite: offset %d: pages end at %d bytes, and not all pages up to there have as many results as the limit; continue with the cursor %q instead",
		e.Offset, e.MaxBytes, e.Cursor)
}

// Is reports whether target is the sentinel this error stands for.
func (e *OffsetError) Is(target error) bool { return target == ErrTooLarge }

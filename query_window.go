package bucketlite

import (
	"fmt"

	"github.com/bucketlite/bucketlite/internal/query"
)

// window decides, member by member, which part of a list belongs to a page: it skips
// offset members, then takes up to limit members, as long as their stored bytes do
// not exceed most. The first member of a page belongs to it whatever its size.
//
// Clients that page by offset assume that each page has as many members as its limit.
// So the members before the offset are divided into pages of the same limit. If one
// of those pages, or the page itself, would end early, the window is torn: the result
// is an error instead of a gap.
type window struct {
	limit, offset int
	most          int64
	iterates      bool // no client pages by offset

	n     int            // members so far
	bytes int64          // of the members on the current page
	last  query.Position // of the last member
	more  bool           // the list continues after the page
	torn  bool           // the page after the last member would end early
}

// window returns the window of c's page.
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

// err returns the error of a torn window.
func (w *window) err(s *Store, l list) error {
	if !w.torn {
		return nil
	}
	return &OffsetError{Offset: w.offset, MaxBytes: w.most, Cursor: s.cursor(l, w.last)}
}

// OffsetError reports that a list cannot be paged by [Query].Offset, since a page up
// to the offset, or the page itself, ends at [Options].MaxPageBytes with fewer
// members than its limit. It matches [ErrTooLarge].
type OffsetError struct {
	// Offset is the given offset.
	Offset int
	// MaxBytes is the size limit of a page.
	MaxBytes int64
	// Cursor continues the list after the first such page. Use it instead of the
	// offset.
	Cursor string
}

func (e *OffsetError) Error() string {
	return fmt.Sprintf("bucketlite: offset %d: pages end at %d bytes (Options.MaxPageBytes), and not all pages up to there have as many results as the limit; continue with the cursor %q instead",
		e.Offset, e.MaxBytes, e.Cursor)
}

// Is reports whether target is [ErrTooLarge].
func (e *OffsetError) Is(target error) bool { return target == ErrTooLarge }

package bucketlite

import (
	"context"
	"iter"
)

// Page is one page of a list.
type Page[T any] struct {
	// Results are the page's items. No results are not an error.
	Results []T
	// Next is the cursor that continues the list, or "" on the last page. Its
	// characters are A–Z a–z 0–9 _ -. A page with a Next may have fewer results than
	// its limit, since pages end at [Options].MaxPageBytes.
	Next string
	// Total is the size of the whole list if [Query].Total is set, and else -1.
	Total int64
}

// each iterates over a list page by page, up to q.Limit results, or all if that is 0.
// It holds one page, and releases each result after delivering it. No statement is
// open while the loop's body runs, so the body may use the store. Close ends the
// iteration, even within a page.
func each[T any](ctx context.Context, s *Store, q Query, pages func(context.Context, Query) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		left := q.Limit
		size := DefaultLimit
		if len(q.Sort) > 0 {
			size = MaxLimit // each page may scan the whole list
		}
		for q := q; ; {
			q.Total, q.iterates = false, true
			if q.Limit = size; left != 0 {
				q.Limit = min(left, size)
			}
			p, err := pages(ctx, q)
			if err != nil {
				yield(none, err)
				return
			}
			for i, r := range p.Results {
				p.Results[i] = none // the caller may drop it long before the page ends
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
			if q.Cursor, q.Offset = p.Next, 0; p.Next == "" {
				return
			}
		}
	}
}

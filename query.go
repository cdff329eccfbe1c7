package bucketlite

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// The bounds of a query.
const (
	DefaultLimit = 100    // results on a page when the query does not say
	MaxLimit     = 1000   // results on a page
	MaxOffset    = 10_000 // results left out before a page
	MaxSort      = 8      // paths to sort by
	MaxSelect    = 100    // paths to select
)

// Query says which part of a list is wanted, and in which order. The zero Query
// is the first page of all there is, in order of creation.
//
// What is wrong with it is [ErrBadRequest]; if that is in the Filter, Search, Sort
// or Select it is a [*QueryError], which names every fault.
type Query struct {
	// Filter says which members of the list are wanted.
	Filter Filter
	// Search wants each of the words it consists of, which are what is between
	// white space, to be contained in some text of a member: of an object, any
	// string in its fields, at any depth, its id and key prefix, and the filenames
	// of its blobs; of anything else, any string in the members that its list names.
	Search string
	// CaseSensitive tells upper and lower case apart in the Search, and in the
	// Filter where that does not say.
	CaseSensitive bool
	// Sort says by what to sort. What is equal, or everything if Sort is empty, is
	// in order of creation.
	Sort []Sort
	// Select names the parts of objects that are wanted, as paths like those of a
	// [Filter]; none means all. An object's ids are always there. Other lists
	// cannot be selected from.
	Select []string
	// Limit is the most results wanted. A page holds 1 to [MaxLimit]; 0 means
	// [DefaultLimit]. An iterator takes any number; 0 means all.
	Limit int
	// Offset leaves out as many results before the first, at most [MaxOffset]. It
	// cannot be had together with a Cursor, which also is the faster way. If pages up
	// to there end early, at [Options].MaxPageBytes, it is an [*OffsetError].
	Offset int
	// Cursor continues after a page; it is that page's Next. It belongs to the
	// list and the query it came from, which may differ in Select, Limit and Total.
	Cursor string
	// Total counts what the whole list has; see [Page].Total. Iterators ignore it.
	Total bool

	iterates bool // set by an iterator
}

// Sort is a path to sort by, and the direction.
//
// Values of different types are in this order: booleans, false before true;
// numbers; strings by code point; datetimes, where they are declared; objects by
// their JSON text. What is null or not there comes last, in either direction. If
// a path leads to several values, the smallest counts, or the largest if the order
// is descending. Of a long string or JSON text the first [MaxSortBytes] count.
type Sort struct {
	// Field is a path, as in a [Filter].
	Field string `json:"field"`
	// Direction is "asc" or "desc"; empty means "asc".
	Direction SortDirection `json:"direction,omitempty"`
}

// MaxSortBytes is how much of a string counts when it is sorted by.
const MaxSortBytes = query.MaxKeyText

// SortDirection is the direction of a [Sort].
type SortDirection string

// The directions.
const (
	SortAscending  SortDirection = "asc"
	SortDescending SortDirection = "desc"
)

// Asc sorts by the path, the smallest first.
func Asc(path string) Sort { return Sort{path, SortAscending} }

// Desc sorts by the path, the largest first.
func Desc(path string) Sort { return Sort{path, SortDescending} }

// Page is one page of a list.
type Page[T any] struct {
	// Results are the page's items; none is not an error.
	Results []T
	// Next continues the list; "" on its last page. It consists of the
	// characters A–Z a–z 0–9 _ -. A page with a Next may have fewer results than
	// its limit, since pages end at [Options].MaxPageBytes.
	Next string
	// Total is how many items the list has in all, if [Query].Total asked for it,
	// and -1 if not.
	Total int64
}

// limit returns the number of results wanted on a page.
func (q Query) limit() (int, error) {
	switch {
	case q.Limit == 0:
		return DefaultLimit, nil
	case q.Limit < 0 || q.Limit > MaxLimit:
		return 0, badRequest("limit: 1 to %d expected, got %d", MaxLimit, q.Limit)
	}
	return q.Limit, nil
}

// A compiledQuery is a Query made ready for use on one list.
type compiledQuery struct {
	query.Query
	list   list
	chosen value.Selection // nil for all
	offset int
	total  bool

	iterates bool // for an iterator, which goes on by cursor
}

// compile judges q, which is asked of the list l, whose paths have these types.
func (q Query) compile(s *Store, l list, types query.Types) (*compiledQuery, error) {
	c := &compiledQuery{list: l, total: q.Total, offset: q.Offset, iterates: q.iterates}
	var err error
	if c.Limit, err = q.limit(); err != nil {
		return nil, err
	}
	switch {
	case q.Offset < 0 || q.Offset > MaxOffset:
		return nil, badRequest("offset: 0 to %d expected, got %d", MaxOffset, q.Offset)
	case q.Offset > 0 && q.Cursor != "":
		return nil, badRequest("offset: it cannot be had together with a cursor")
	}
	faults := &QueryError{Subject: "query"}
	if c.Filter, err = q.Filter.compile(types, q.CaseSensitive); err != nil {
		faults.add(filterPath, err)
	}
	if strings.TrimSpace(q.Search) != "" {
		if c.Search, err = query.NewSearch(q.Search, q.CaseSensitive); err != nil {
			faults.add(value.Path{{Name: "search"}}, err)
		}
	}
	c.Order = compileSort(q.Sort, types, faults)
	if c.chosen = compileSelect(q.Select, faults); l.whole && c.chosen != nil {
		faults.fault(value.Path{{Name: "select"}}, rulePath, "only objects can be selected from")
	}
	if len(faults.Issues) > 0 {
		return nil, faults
	}
	c.list.query = q.sum(c)
	c.After, err = s.position(c.list, q.Cursor)
	return c, err
}

// compileSort judges what to sort by.
func compileSort(sort []Sort, types query.Types, faults *QueryError) (order query.Order) {
	at := value.Path{{Name: "sort"}}
	if len(sort) > MaxSort {
		faults.fault(at, ruleSize, "at most "+strconv.Itoa(MaxSort)+" paths expected, got "+strconv.Itoa(len(sort)))
		return nil
	}
	for i, s := range sort {
		path, err := query.ParsePath(s.Field)
		if err != nil {
			faults.fault(at.Item(i).Member("field"), rulePath, err.Error())
		}
		if s.Direction != "" && s.Direction != SortAscending && s.Direction != SortDescending {
			faults.fault(at.Item(i).Member("direction"), "enum", `"asc" or "desc" expected, got `+value.Show(string(s.Direction)))
		}
		if err == nil {
			order = append(order, query.OrderBy{Path: path, Type: types(path), Desc: s.Direction == SortDescending})
		}
	}
	return order
}

// each iterates over a list page by page, up to q.Limit results, or all if that
// is 0. It holds one page, and of that only the results still to come. No statement is open while the loop's body runs, so the body may do as
// it likes with the store. Close ends the iteration, even amid a page.
func each[T any](ctx context.Context, s *Store, q Query, pages func(context.Context, Query) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		left := q.Limit
		size := DefaultLimit
		if len(q.Sort) > 0 {
			size = MaxLimit // each page may look at the whole list
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
				p.Results[i] = none // the caller may be done with it long before the page is
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

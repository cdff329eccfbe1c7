package bucketlite

import (
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Limits of a query.
const (
	DefaultLimit = 100    // results on a page if Limit is 0
	MaxLimit     = 1000   // results on a page
	MaxOffset    = 10_000 // skipped results before a page
	MaxSort      = 8      // paths in Sort
	MaxSelect    = 100    // paths in Select
)

// Query selects and orders a part of a list. The zero Query is the first page of the
// whole list, in order of creation, the oldest first. That is the order of the commits,
// and remains so if the clock is set back.
//
// An invalid query is [ErrBadRequest]. Faults in Filter, Search, Sort or Select are
// reported together, as a [*QueryError]. So is a filter that no object can match; see
// [QueryError].Unsatisfiable.
type Query struct {
	// Filter selects members of the list.
	Filter Filter
	// Search selects members that contain each of its words, which are separated by
	// white space, in some text. The texts of an object are all strings in its
	// fields, at any depth, its id, its key prefix, and the filenames of its blobs.
	// The texts of other members are the strings that the method of their list names.
	Search string
	// CaseSensitive makes Search case-sensitive, and the conditions of Filter that do
	// not set their own sensitivity.
	CaseSensitive bool
	// Sort lists the paths to sort by. Results that are equal in all of them, or all
	// results if Sort is empty, are in order of creation.
	Sort []Sort
	// Reverse reverses the order of creation: the newest comes first. With Sort it
	// affects only results that are equal in all paths. A page costs as much as in
	// order of creation, so this is the way to list the newest: sorting by created_at
	// examines the whole list unless there is an index.
	Reverse bool
	// Select lists the parts of objects to return, as paths like those of a [Filter];
	// none means all. An object's ids are always returned. Lists other than of
	// objects accept no Select.
	Select []string
	// Limit is the maximum number of results: for a page 1 to [MaxLimit], and 0 means
	// [DefaultLimit]; for an iterator any number, and 0 means all.
	Limit int
	// Offset skips that many results, at most [MaxOffset]. It cannot be combined with
	// Cursor, which is the faster way to continue. If pages before the offset end
	// early, at [Options].MaxPageBytes, the error is an [*OffsetError].
	Offset int
	// Cursor continues after a page: it is the Next of that page. It is valid for the
	// same list and an equal query, except for Select, Limit and Total.
	Cursor string
	// Total requests the size of the whole list; see [Page].Total. Iterators ignore
	// it.
	Total bool

	iterates bool // set by an iterator
}

// Sort is a path to sort by, with a direction.
//
// Values of different types are ordered: booleans, false before true; numbers;
// strings, by code point; declared datetimes; objects, by their JSON text. Null and
// absent values come last, in either direction. If a path leads to several values,
// the smallest counts, or in descending order the largest. Only the first
// [MaxSortBytes] of a string or JSON text count.
type Sort struct {
	// Field is a path, as in a [Filter].
	Field string `json:"field"`
	// Direction is "asc" or "desc"; empty means "asc".
	Direction SortDirection `json:"direction,omitempty"`
}

// MaxSortBytes is the number of bytes of a string that count in a [Sort].
const MaxSortBytes = query.MaxKeyText

// SortDirection is the direction of a [Sort].
type SortDirection string

// The directions.
const (
	SortAscending  SortDirection = "asc"
	SortDescending SortDirection = "desc"
)

// Asc sorts by the path in ascending order.
func Asc(path string) Sort { return Sort{path, SortAscending} }

// Desc sorts by the path in descending order.
func Desc(path string) Sort { return Sort{path, SortDescending} }

// members returns a query for all members that match q's Filter and Search.
func (q Query) members() Query {
	return Query{Filter: q.Filter, Search: q.Search, CaseSensitive: q.CaseSensitive}
}

// limit returns the maximum number of results on a page.
func (q Query) limit() (int, error) {
	switch {
	case q.Limit == 0:
		return DefaultLimit, nil
	case q.Limit < 0 || q.Limit > MaxLimit:
		return 0, badRequest("limit: 1 to %d expected, got %d", MaxLimit, q.Limit)
	}
	return q.Limit, nil
}

// compiledQuery is a Query that is ready for one list.
type compiledQuery struct {
	query.Query
	list   list
	chosen value.Selection // nil for all
	offset int
	total  bool

	iterates bool // an iterator's query, which continues by cursor
}

// isAfter reports whether a member at the position comes after the query's cursor.
func (c *compiledQuery) isAfter(p query.Position) bool { return c.Compare(c.After, p) < 0 }

// compile validates q for the list l, whose paths have the given types.
func (q Query) compile(s *Store, l list, types query.Types) (*compiledQuery, error) {
	c := &compiledQuery{list: l, total: q.Total, offset: q.Offset, iterates: q.iterates}
	c.Reverse = q.Reverse
	var err error
	if c.Limit, err = q.limit(); err != nil {
		return nil, err
	}
	switch {
	case q.Offset < 0 || q.Offset > MaxOffset:
		return nil, badRequest("offset: 0 to %d expected, got %d", MaxOffset, q.Offset)
	case q.Offset > 0 && q.Cursor != "":
		return nil, badRequest("offset: Offset and Cursor exclude each other")
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
		faults.fault(value.Path{{Name: "select"}}, rulePath, "only lists of objects accept a selection")
	}
	if len(faults.Issues) > 0 {
		return nil, faults
	}
	if c.Filter != nil {
		if never := c.Filter.Never(); len(never) > 0 {
			faults.Unsatisfiable = true
			faults.add(filterPath, &query.Error{Faults: never})
			return nil, faults
		}
	}
	c.list.query = q.sum(c)
	c.After, err = s.position(c.list, q.Cursor)
	return c, err
}

// compileSort validates the paths to sort by.
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

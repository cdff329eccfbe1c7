package bucketlite

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// listing is a list that is scanned member by member, in order of creation or in
// reverse. Queries match the members' JSON form.
type listing[T any] struct {
	list
	types query.Types
	texts []string // the members of the JSON form that Search covers
	// num returns a member's position in the order of creation.
	num func(T) int64
	// read calls each with the members of a span, in its order, and their stored
	// bytes. An error of each ends it.
	read func(c *engine.Conn, s span, each func(m T, bytes int64) error) error
	// count returns the number of members.
	count func(c *engine.Conn) (int64, error)
}

// span is the part of a list after a position, in order of creation or in reverse.
type span struct {
	after   int64 // 0 for the beginning
	limit   int64 // of members; negative for none
	reverse bool
}

// within returns the SQL condition that the position in a column is in the span. The
// parameter is [span.start].
func (s span) within(column, parameter string) string {
	if s.reverse {
		return column + " < " + parameter
	}
	return column + " > " + parameter
}

// order returns the ORDER BY of a column of positions.
func (s span) order(column string) string {
	if s.reverse {
		return " ORDER BY " + column + " DESC"
	}
	return " ORDER BY " + column
}

// start returns the position next to which the span begins.
func (s span) start() int64 {
	if s.reverse && s.after == 0 {
		return math.MaxInt64
	}
	return s.after
}

// hit is a matching member, with its position and size.
type hit[T any] struct {
	member T
	query.Position
	bytes int64
}

// page returns one page of the list.
func (l listing[T]) page(ctx context.Context, s *Store, q Query) (*Page[T], error) {
	l.whole = true
	c, err := q.compile(s, l.list, l.types)
	if err != nil {
		return nil, err
	}
	var f finder[T]
	find := func(ctx context.Context, conn *engine.Conn) error {
		f = finder[T]{listing: l, window: c.window(s), c: c, conn: conn}
		if err := f.find(ctx); err != nil {
			return err
		}
		return f.err(s, l.list)
	}
	if c.IsPlain() && !c.total { // it is one short statement
		err = s.read(ctx, func(conn *engine.Conn) error { return find(ctx, conn) })
	} else {
		err = s.readLong(ctx, func(ctx context.Context, conn *engine.Conn) error {
			return conn.Snapshot(func() error { return find(ctx, conn) })
		})
	}
	if err != nil {
		return nil, err
	}
	return f.page(s), nil
}

// each calls f with the matching members of a span, until f returns false.
func (l listing[T]) each(ctx context.Context, conn *engine.Conn, c *compiledQuery, s span, f func(hit[T]) bool) error {
	work := query.NewWork(ctx)
	err := l.read(conn, s, func(m T, bytes int64) error {
		h := hit[T]{m, query.Position{Num: l.num(m)}, bytes}
		wanted, err := l.judge(c, &h, work)
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && wanted && !f(h) {
			err = errEnough
		}
		return err
	})
	if err == errEnough {
		err = nil
	}
	return err
}

// judge reports whether a member matches, and sets the key of its position.
func (l listing[T]) judge(c *compiledQuery, h *hit[T], work *query.Work) (bool, error) {
	if c.IsPlain() {
		return true, nil
	}
	text, err := json.Marshal(h.member)
	if err != nil {
		return false, err
	}
	form, err := value.ParseTrusted(string(text))
	if err != nil {
		return false, err
	}
	doc := formDoc{form, l.texts}
	wanted := c.Match(doc, len(text), work)
	if err := work.Err(); err != nil {
		var costly *pattern.WorkError
		if errors.As(err, &costly) {
			err = errorf("%s: %v: %w: %w", l.kind, form[l.texts[0]], ErrTooLarge, err)
		}
		return false, err
	}
	if !wanted {
		return false, nil
	}
	h.Key = c.Order.AppendKey(nil, doc)
	return true, nil
}

// finder finds one page of a list.
type finder[T any] struct {
	listing[T]
	window
	c     *compiledQuery
	conn  *engine.Conn
	found []T   // the size of the list, if requested
	full  bool  // the page is known
	total int64 // if it is asked for
}

func (f *finder[T]) find(ctx context.Context) (err error) {
	if len(f.c.Order) > 0 {
		return f.sorted(ctx)
	}
	if err = f.inOrder(ctx); err == nil && f.c.total && f.c.IsAll() {
		f.total, err = f.count(f.conn)
	}
	return err
}

// inOrder finds a page in order of creation or in reverse.
func (f *finder[T]) inOrder(ctx context.Context) error {
	s, toEnd := span{f.c.After.Num, -1, f.c.Reverse}, false
	switch {
	case f.c.IsAll():
		s.limit = int64(f.c.offset + f.c.Limit + 1)
	case f.c.total:
		s.after, toEnd = 0, true
	}
	return f.each(ctx, f.conn, f.c, s, func(h hit[T]) bool {
		f.total++
		if !f.full && f.c.isAfter(h.Position) && f.take(h.Position, h.bytes) {
			f.found = append(f.found, h.member)
		}
		return toEnd || !f.full
	})
}

// take reports whether the next member is on the page, and records whether the page
// is full.
func (f *finder[T]) take(p query.Position, bytes int64) bool {
	on, done := f.window.add(p, bytes)
	f.full = done
	return on
}

// sortedPlace is the position of a member in a sorted list, and its size.
type sortedPlace struct {
	query.Position
	bytes int64
}

// sorted finds a page in the query's order. It sorts only positions, and keeps no
// more of them than the page may need. Then it reads the members.
func (f *finder[T]) sorted(ctx context.Context) error {
	var places []sortedPlace
	want := f.c.offset + f.c.Limit + 1
	err := f.each(ctx, f.conn, f.c, span{limit: -1}, func(h hit[T]) bool {
		f.total++
		if f.c.isAfter(h.Position) {
			places = append(places, sortedPlace{h.Position, h.bytes})
		}
		if len(places) == 2*want {
			places = f.first(places, want)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, p := range f.first(places, want) {
		on := f.take(p.Position, p.bytes)
		if f.full {
			break
		}
		if !on {
			continue
		}
		err := f.read(f.conn, span{after: p.Num - 1, limit: 1}, func(m T, _ int64) error {
			f.found = append(f.found, m)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// first returns the first n places, in the query's order.
func (f *finder[T]) first(places []sortedPlace, n int) []sortedPlace {
	slices.SortFunc(places, func(a, b sortedPlace) int { return f.c.Compare(a.Position, b.Position) })
	return places[:min(n, len(places))]
}

// page returns the found page.
func (f *finder[T]) page(s *Store) *Page[T] {
	p := &Page[T]{Results: f.found, Total: -1}
	if p.Results == nil {
		p.Results = []T{}
	}
	if f.more {
		p.Next = s.cursor(f.c.list, f.last)
	}
	if f.c.total {
		p.Total = f.total
	}
	return p
}

// counting returns a function that counts with an SQL statement.
func counting(text string, args ...any) func(*engine.Conn) (int64, error) {
	return func(c *engine.Conn) (n int64, err error) {
		_, err = c.QueryRow(text, args, func(r engine.Row) { n = r.Int(0) })
		return n, err
	}
}

// timesIn returns the types of paths: the named ones are datetimes, the others are
// undeclared.
func timesIn(paths ...string) query.Types {
	return func(path []string) query.Type {
		if slices.Contains(paths, strings.Join(path, ".")) {
			return query.Type{Kind: query.DateTime}
		}
		return query.Type{Many: true}
	}
}

// formDoc is a member in its JSON form.
type formDoc struct {
	query.Map
	texts []string // the members that Search covers
}

// Texts returns the strings that Search covers.
func (d formDoc) Texts() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range d.texts {
			for s := range query.Texts(d.Map[name]) {
				if !yield(s) {
					return
				}
			}
		}
	}
}

package bucketlite

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A listing is a list that is looked through member by member, in the order of
// creation. Members are asked in their JSON form.
type listing[T any] struct {
	list
	types query.Types
	texts []string // the members of the JSON form that a search looks at
	// num returns a member's place in the order of creation.
	num func(T) int64
	// read hands the members after a place to each, in that order, with the bytes they
	// take in the file, and at most limit of them if that is not negative. What each
	// returns ends it.
	read func(c *engine.Conn, after, limit int64, each func(m T, bytes int64) error) error
	// count returns the number of members.
	count func(c *engine.Conn) (int64, error)
}

// A hit is a member that is wanted, and its position and size.
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

// each calls f with those of the members after a place that are wanted, until it
// returns false. If limit is not negative it looks at so many members.
func (l listing[T]) each(ctx context.Context, conn *engine.Conn, c *compiledQuery, after, limit int64, f func(hit[T]) bool) error {
	work := query.NewWork(ctx)
	err := l.read(conn, after, limit, func(m T, bytes int64) error {
		h := hit[T]{m, query.Position{Num: l.num(m)}, bytes}
		wanted, err := l.judge(c, &h, work)
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && wanted && !f(h) {
			err = errPageFull
		}
		return err
	})
	if err == errPageFull {
		err = nil
	}
	return err
}

// judge reports whether a hit is one, and fills in the key of its position.
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

// A finder finds one page of a list.
type finder[T any] struct {
	listing[T]
	window
	c     *compiledQuery
	conn  *engine.Conn
	found []T   // the members of the page
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

// inOrder finds a page in the order of creation.
func (f *finder[T]) inOrder(ctx context.Context) error {
	after, most, toEnd := f.c.After.Num, int64(-1), false
	switch {
	case f.c.IsAll():
		most = int64(f.c.offset + f.c.Limit + 1)
	case f.c.total:
		after, toEnd = 0, true
	}
	return f.each(ctx, f.conn, f.c, after, most, func(h hit[T]) bool {
		f.total++
		if !f.full && h.Num > f.c.After.Num && f.take(h.Position, h.bytes) {
			f.found = append(f.found, h.member)
		}
		return toEnd || !f.full
	})
}

// take reports whether the next member is on the page, and notes when that is known.
func (f *finder[T]) take(p query.Position, bytes int64) bool {
	on, done := f.window.add(p, bytes)
	f.full = done
	return on
}

// A sortedPlace is where a member is in a list that is sorted.
type sortedPlace struct {
	query.Position
	bytes int64
}

// sorted finds a page as the query sorts it. Only places are sorted, of which no more
// are kept than may be needed; then the members are read.
func (f *finder[T]) sorted(ctx context.Context) error {
	var places []sortedPlace
	want := f.c.offset + f.c.Limit + 1
	err := f.each(ctx, f.conn, f.c, 0, -1, func(h hit[T]) bool {
		f.total++
		if h.Compare(f.c.After) > 0 {
			places = append(places, sortedPlace{h.Position, h.bytes})
		}
		if len(places) == 2*want {
			places = firstOf(places, want)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, p := range firstOf(places, want) {
		on := f.take(p.Position, p.bytes)
		if f.full {
			break
		}
		if !on {
			continue
		}
		err := f.read(f.conn, p.Num-1, 1, func(m T, _ int64) error {
			f.found = append(f.found, m)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// firstOf returns the first n places, in order.
func firstOf(places []sortedPlace, n int) []sortedPlace {
	slices.SortFunc(places, func(a, b sortedPlace) int { return a.Compare(b.Position) })
	return places[:min(n, len(places))]
}

// page returns the page that was found.
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

// counting returns a function that counts by a statement.
func counting(text string, args ...any) func(*engine.Conn) (int64, error) {
	return func(c *engine.Conn) (n int64, err error) {
		_, err = c.QueryRow(text, args, func(r engine.Row) { n = r.Int(0) })
		return n, err
	}
}

// timesIn tells the types of paths of which those named are times, and nothing is
// known of the others.
func timesIn(paths ...string) query.Types {
	return func(path []string) query.Type {
		if slices.Contains(paths, strings.Join(path, ".")) {
			return query.Type{Kind: query.DateTime}
		}
		return query.Type{Many: true}
	}
}

// formDoc is a document in its JSON form.
type formDoc struct {
	query.Map
	texts []string // the members a search looks at
}

// Texts returns the strings a search looks at.
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

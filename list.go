package bucketlite

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"slices"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A listing is a list that is looked through member by member, in the order of
// creation. Members are asked in their JSON form.
type listing[T any] struct {
	list
	types query.Types
	// texts names the members of the JSON form that a search looks at; nil: all.
	texts []string
	// read returns the first members after a place in the order of creation; none
	// if there are none.
	read func(ctx context.Context, after int64, limit int) ([]T, error)
	// num returns a member's place in the order of creation.
	num func(T) int64
	// weight, unless nil, tells how large a member is. A page ends before its
	// members have more than maxWeight, and so may what read returns.
	weight    func(T) int
	maxWeight int
}

// A hit is a member that is wanted, and its position.
type hit[T any] struct {
	member T
	position
}

// page returns one page of the list.
func (l listing[T]) page(ctx context.Context, s *Store, q Query) (*Page[T], error) {
	c, err := q.compile(s, l.list, l.types)
	if err != nil {
		return nil, err
	}
	if c.chosen != nil {
		return nil, badRequest("select: only objects can be selected from")
	}
	want := c.offset + c.limit + 1
	total := int64(0)
	start := c.after.num
	if c.total || len(c.order) > 0 {
		start = 0
	}
	var hits []hit[T]
	err = l.each(ctx, c, start, func(h hit[T]) bool {
		total++
		if h.compare(c.after) > 0 && (len(c.order) > 0 || len(hits) < want) {
			hits = append(hits, h)
		}
		if len(c.order) > 0 && len(hits) >= 2*want {
			hits = firstHits(hits, want)
		}
		shown := hits[min(c.offset, len(hits)):]
		return c.total || len(c.order) > 0 || len(hits) < want && l.fitting(shown) == len(shown)
	})
	if err != nil {
		return nil, err
	}
	hits = firstHits(hits, want)
	hits = hits[min(c.offset, len(hits)):]
	if n := l.fitting(hits); n < len(hits) {
		c.limit = min(c.limit, n)
	}
	return page(s, c, hits, total), nil
}

// fitting returns how many hits, at least one, fit on a page.
func (l listing[T]) fitting(hits []hit[T]) int {
	if l.weight == nil {
		return len(hits)
	}
	weight := 0
	for i := range hits {
		if weight += l.weight(hits[i].member); weight > l.maxWeight && i > 0 {
			return i
		}
	}
	return len(hits)
}

// each calls f with the members after start that are wanted, until it returns false.
func (l listing[T]) each(ctx context.Context, c *compiledQuery, start int64, f func(hit[T]) bool) error {
	size := MaxLimit
	if c.isAll() && len(c.order) == 0 && !c.total {
		size = c.offset + c.limit + 1
	}
	for {
		members, err := l.read(ctx, start, size)
		if err != nil {
			return err
		}
		for _, m := range members {
			h := hit[T]{m, position{num: l.num(m)}}
			wanted, err := l.judge(c, m, &h.position)
			if err != nil {
				return err
			}
			if wanted && !f(h) {
				return nil
			}
		}
		if len(members) == 0 || len(members) < size && l.weight == nil {
			return nil
		}
		start = l.num(members[len(members)-1])
	}
}

// judge reports whether a member is wanted, and fills in the key of its position.
func (l listing[T]) judge(c *compiledQuery, member T, p *position) (bool, error) {
	if c.isAll() && len(c.order) == 0 {
		return true, nil
	}
	text, err := json.Marshal(member)
	if err != nil {
		return false, err
	}
	form, err := value.ParseTrusted(string(text))
	if err != nil {
		return false, err
	}
	doc := formDoc{form, l.texts}
	if !c.match(doc) {
		return false, nil
	}
	p.key = c.order.AppendKey(nil, doc)
	return true, nil
}

// firstHits returns the first n hits, in order.
func firstHits[T any](hits []hit[T], n int) []hit[T] {
	slices.SortFunc(hits, func(a, b hit[T]) int { return a.compare(b.position) })
	return slices.Delete(hits, min(n, len(hits)), len(hits))
}

func (p position) compare(o position) int {
	return cmp.Or(bytes.Compare(p.key, o.key), cmp.Compare(p.num, o.num))
}

// page cuts hits, of which one more than the limit was asked for, to a page.
func page[T any](s *Store, c *compiledQuery, hits []hit[T], total int64) *Page[T] {
	p := &Page[T]{Total: -1}
	if len(hits) > c.limit {
		hits = hits[:c.limit]
		p.Next = s.cursor(c.list, hits[c.limit-1].position)
	}
	p.Results = make([]T, len(hits))
	for i, h := range hits {
		p.Results[i] = h.member
	}
	if c.total {
		p.Total = total
	}
	return p
}

// timesIn tells the types of paths of which those named are times, and nothing is
// known of the others.
func timesIn(names ...string) query.Types {
	return func(path []string) query.Type {
		if len(path) == 1 && slices.Contains(names, path[0]) {
			return query.Type{Kind: query.DateTime}
		}
		return query.Type{Many: true}
	}
}

// formDoc is a document in its JSON form.
type formDoc struct {
	query.Map
	texts []string // the members a search looks at; nil: all
}

// Texts returns the strings a search looks at.
func (d formDoc) Texts() iter.Seq[string] {
	if d.texts == nil {
		return query.Texts(map[string]any(d.Map))
	}
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

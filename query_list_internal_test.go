package bucketlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/querytest"
)

// These tests are inside the package to see what a list reads, and the positions
// that its cursors hold.

// thing is a member of a list that is in no file.
type thing struct {
	N      int    `json:"n"`
	Even   bool   `json:"even"`
	Name   string `json:"name"`
	Weight int    `json:"weight"`
}

// things is a list of things, whose places are twice their N.
type things struct {
	listing[*thing]
	members []*thing
	reads   int
	most    int64 // Options.MaxPageBytes
}

func newThings(n int) *things {
	l := &things{most: 1 << 20}
	for i := range n {
		l.members = append(l.members, &thing{N: i + 1, Even: i%2 == 1, Name: fmt.Sprint("thing ", i+1)})
	}
	l.listing = listing[*thing]{
		list: list{kind: "things"}, types: timesIn(), texts: []string{"name"},
		num: func(m *thing) int64 { return int64(2 * m.N) },
		read: func(_ *engine.Conn, s span, each func(*thing, int64) error) error {
			members := slices.Clone(l.members)
			if s.reverse {
				slices.Reverse(members)
			}
			for _, m := range members {
				if at := int64(2 * m.N); s.reverse && at >= s.start() || !s.reverse && at <= s.start() {
					continue
				}
				if s.limit == 0 {
					break
				}
				s.limit--
				l.reads++
				if err := each(m, int64(m.Weight)); err != nil {
					return err
				}
			}
			return nil
		},
		count: func(*engine.Conn) (int64, error) { return int64(len(l.members)), nil },
	}
	return l
}

// find returns the page that q asks for.
func (l *things) find(ctx context.Context, q Query) (*Page[*thing], error) {
	s := &Store{id: "store", opts: Options{MaxPageBytes: l.most}}
	c, err := q.compile(s, l.list, l.types)
	if err != nil {
		return nil, err
	}
	f := finder[*thing]{listing: l.listing, window: c.window(s), c: c}
	if err := f.find(ctx); err != nil {
		return nil, err
	}
	if err := f.err(s, c.list); err != nil {
		return nil, err
	}
	return f.page(s), nil
}

// A page reads no more members than it needs, and one to see that more follow.
// Sorted members are read once, and those of the page once more.
func TestListReads(t *testing.T) {
	t.Parallel()
	l := newThings(50)
	even := Eq("even", true)
	for _, tt := range []struct {
		name        string
		q           Query
		first, next int // reads of the first page, and of the next
	}{
		{"page", Query{Limit: 5}, 6, 6},
		{"page after some", Query{Limit: 5, Offset: 3}, 9, 6},
		{"with a total", Query{Limit: 5, Total: true}, 6, 6},
		{"filtered", Query{Limit: 5, Filter: even}, 12, 12},
		{"filtered, after some", Query{Limit: 5, Filter: even, Offset: 3}, 18, 12},
		{"found", Query{Limit: 5, Search: "thing 1"}, 14, 6}, // 1 and 10 to 14; 14 to 19
		{"filtered, with a total", Query{Limit: 5, Filter: even, Total: true}, 50, 50},
		{"reversed", Query{Limit: 5, Reverse: true}, 6, 6},
		{"reversed, after some", Query{Limit: 5, Reverse: true, Offset: 3}, 9, 6},
		{"reversed, with a total", Query{Limit: 5, Reverse: true, Total: true}, 6, 6},
		{"reversed and filtered", Query{Limit: 5, Reverse: true, Filter: even}, 11, 12}, // begins with an even one
		{"reversed and filtered, with a total", Query{Limit: 5, Reverse: true, Filter: even, Total: true}, 50, 50},
		{"sorted", Query{Limit: 5, Sort: []Sort{Desc("n")}}, 55, 55},
		{"sorted and reversed", Query{Limit: 5, Reverse: true, Sort: []Sort{Desc("even")}}, 55, 55},
		{"sorted, after some", Query{Limit: 5, Offset: 7, Sort: []Sort{Desc("n")}}, 55, 55},
	} {
		l.reads = 0
		p, err := l.find(t.Context(), tt.q)
		if err != nil || len(p.Results) != 5 || p.Next == "" || l.reads != tt.first {
			t.Errorf("%s: got %+v, %v after %d reads, want 5 after %d", tt.name, p, err, l.reads, tt.first)
			continue
		}
		l.reads = 0
		tt.q.Cursor, tt.q.Offset = p.Next, 0
		if p, err = l.find(t.Context(), tt.q); err != nil || len(p.Results) != 5 || l.reads != tt.next {
			t.Errorf("%s, next page: got %+v, %v after %d reads, want 5 after %d", tt.name, p, err, l.reads, tt.next)
		}
	}
}

// Reading a list ends with the context, at the next member.
func TestListEnds(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]Query{
		"plain": {}, "filtered": {Filter: Eq("even", true)}, "sorted": {Sort: []Sort{Asc("n")}}, "with a total": {Search: "thing", Total: true},
		"reversed": {Reverse: true},
	} {
		l := newThings(50)
		ctx, cancel := context.WithCancel(t.Context())
		num := l.num
		l.num = func(m *thing) int64 {
			if !q.Reverse && m.N == 10 || q.Reverse && m.N == 41 {
				cancel()
			}
			return num(m)
		}
		if p, err := l.find(ctx, q); p != nil || !errors.Is(err, context.Canceled) || l.reads != 10 {
			t.Errorf("%s: got %v, %v after %d reads, want it to end after 10", name, p, err, l.reads)
		}
	}
}

// Pages are as full as their bytes allow, and hold at least one member. An offset is
// refused if, and only if, pages of the same limit up to there would end early; its
// cursor continues where the first of them ends.
func TestPagesByBytes(t *testing.T) {
	t.Parallel()
	const most = 10
	refused := 0
	for range 300 {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		l := newThings(r.IntN(30))
		for _, m := range l.members {
			if m.Weight = r.IntN(5); r.IntN(6) == 0 {
				m.Weight = r.IntN(3 * most)
			}
		}
		l.most = most
		q := Query{Limit: 1 + r.IntN(8), Total: r.IntN(2) == 0}
		left := slices.Clone(l.members)
		if r.IntN(2) == 0 {
			q.Filter = Eq("even", true)
			left = slices.DeleteFunc(left, func(m *thing) bool { return !m.Even })
		}
		if q.Reverse = r.IntN(2) == 0; q.Reverse {
			slices.Reverse(left)
		}
		if r.IntN(2) == 0 {
			q.Sort = []Sort{Desc("weight")}
			slices.SortStableFunc(left, func(a, b *thing) int { return b.Weight - a.Weight })
		}
		total := int64(len(left))
		// fit returns how many of the members fit on a page.
		fit := func(members []*thing) (n int) {
			for weight := 0; n < min(q.Limit, len(members)); n++ {
				if weight += members[n].Weight; weight > most && n > 0 {
					break
				}
			}
			return n
		}
		q.Offset = r.IntN(3 * q.Limit)
		torn := -1 // where the first page ends that does early
		for from := q.Offset % q.Limit; q.Offset > 0 && torn < 0 && from <= q.Offset; from += q.Limit {
			begin, size := from, q.Limit
			if from == q.Offset%q.Limit && from > 0 { // the members before the first page of that limit
				head := left[:min(from, len(left))]
				if n := fit(head); n < len(head) {
					torn = n
					break
				}
			}
			page := left[min(begin, len(left)):min(begin+size, len(left))]
			if n := fit(page); n < len(page) {
				torn = begin + n
			}
		}
		if torn >= 0 {
			refused++
			p, err := l.find(t.Context(), q)
			var offset *OffsetError
			if !errors.As(err, &offset) || !errors.Is(err, ErrTooLarge) || offset.Offset != q.Offset {
				t.Fatalf("seed %d: offset %d: got %v, %v, want an OffsetError", seed, q.Offset, p, err)
			}
			q.Offset, q.Cursor, left = 0, offset.Cursor, left[torn:]
		} else {
			left = left[min(q.Offset, len(left)):]
		}
		for {
			p, err := l.find(t.Context(), q)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			want := fit(left)
			if !slices.Equal(p.Results, left[:want]) || (p.Next == "") != (want == len(left)) || q.Total && p.Total != total {
				t.Fatalf("seed %d: got %d of %d, next %q, want %d of %d", seed, len(p.Results), p.Total, p.Next, want, total)
			}
			left = left[want:]
			if q.Cursor, q.Offset = p.Next, 0; p.Next == "" {
				break
			}
		}
	}
	if refused == 0 {
		t.Error("no offset was refused")
	}
}

// Positions have the order of what they are the positions of, and come back out of
// a cursor as they went in.
func TestPositions(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := querytest.New(seed)
	types := func(path []string) query.Type {
		if querytest.Kind(path[0]) == "datetime" && len(path) == 1 {
			return query.Type{Kind: query.DateTime, Many: true}
		}
		return query.Type{Many: true}
	}
	kind := func(path string) string {
		if path == "at" || path == "stamps" {
			return "datetime"
		}
		return ""
	}
	s := &Store{id: "store"}
	for range 300 {
		var by []Sort
		for range 1 + r.IntN(3) {
			by = append(by, Sort{querytest.Paths[r.IntN(len(querytest.Paths))], []SortDirection{"", SortAscending, SortDescending}[r.IntN(3)]})
		}
		c, err := Query{Sort: by, Reverse: r.IntN(2) == 0}.compile(s, list{kind: "things"}, types)
		if err != nil {
			t.Fatal(err)
		}
		docs := make([]map[string]any, 20)
		places := make([]query.Position, len(docs))
		for i := range docs {
			docs[i] = r.Document()
			places[i] = query.Position{Key: c.Order.AppendKey(nil, query.Map(docs[i])), Num: int64(i + 1)}
		}
		for i, a := range places {
			if c.Compare(query.Position{}, a) >= 0 {
				t.Fatalf("sort %v: got %v not after the start, of %v", by, a, docs[i])
			}
			if back, err := s.position(c.list, s.cursor(c.list, a)); err != nil || c.Compare(back, a) != 0 {
				t.Fatalf("cursor: got %v, %v, want %v", back, err, a)
			}
			for j, b := range places {
				want := i - j
				if c.Reverse {
					want = j - i
				}
				for _, by := range slices.Backward(by) {
					desc := by.Direction == SortDescending
					if querytest.Less(docs[i], docs[j], by.Field, kind(by.Field), desc) {
						want = -1
					} else if querytest.Less(docs[j], docs[i], by.Field, kind(by.Field), desc) {
						want = 1
					}
				}
				if got := c.Compare(a, b); got != max(-1, min(1, want)) {
					t.Fatalf("sort %v, reverse %t: got %d, want %d for\n%v\n%v", by, c.Reverse, got, want, docs[i], docs[j])
				}
			}
		}
	}
}

// No cursor can be made to pass for one of another list by moving bytes between
// what it is bound to and what it holds.
func TestCursorIsBound(t *testing.T) {
	t.Parallel()
	s := &Store{id: "store"}
	c, err := Query{Sort: []Sort{Asc("n")}}.compile(s, list{kind: "things"}, timesIn())
	if err != nil {
		t.Fatal(err)
	}
	sorted, plain := c.list, list{kind: "things"}
	held := append([]byte{0, 0, 0, 0, 0, 0, 0, 7}, "key"...)
	for name, tt := range map[string]struct {
		list list
		held []byte
	}{
		"the query held":   {plain, slices.Concat(sorted.query, held)},
		"the kind longer":  {list{kind: "things\x00", query: sorted.query}, held},
		"the kind shorter": {list{kind: "thing", query: sorted.query}, held},
		"less held":        {list{kind: "things", query: slices.Concat(sorted.query, held[:8])}, held[8:]},
	} {
		if string(s.cursorSum(tt.list, tt.held)) == string(s.cursorSum(sorted, held)) {
			t.Errorf("%s: got the same checksum", name)
		}
	}
}

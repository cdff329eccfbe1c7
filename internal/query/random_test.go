package query_test

import (
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/querytest"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Random filters must match the same of random documents as the naive evaluator
// does, however they are written, and their parts must agree with the whole.
func TestMatchRandom(t *testing.T) {
	t.Parallel()
	r := random(t)
	const rounds, docs = 2500, 20
	matched, compared := 0, 0
	for range rounds {
		form := r.Filter(3)
		e, err := query.Parse(form)
		if err != nil {
			t.Fatalf("%s: %v", value.Append(nil, form), err)
		}
		p, err := query.Compile(e, declared)
		if err != nil {
			t.Fatalf("%s: %v", value.Append(nil, form), err)
		}
		for range docs {
			doc := r.Document()
			want := querytest.Matches(form, doc, querytest.Kind)
			if got := p.Match(query.Map(doc), new(query.Work)); got != want {
				t.Fatalf("got %t, want %t: %s matched by %s", got, want, value.Append(nil, doc), value.Append(nil, form))
			}
			if canonical := querytest.Matches(e.JSON(), doc, querytest.Kind); canonical != want {
				t.Fatalf("canonical form: got %t, want %t: %s matched by %s", canonical, want, value.Append(nil, doc), value.Append(nil, form))
			}
			if got := matchParts(p.Root, doc); got != want {
				t.Fatalf("parts: got %t, want %t: %s matched by %s", got, want, value.Append(nil, doc), value.Append(nil, form))
			}
			if compared++; want {
				matched++
			}
		}
	}
	// A test of filters that nearly all or nearly none match would prove little.
	if matched < compared/5 || matched > compared*4/5 {
		t.Errorf("%d of %d matched, want between a fifth and four fifths", matched, compared)
	}
}

// matchParts joins what the conditions below n say by themselves. Where that can
// be, it asks for the value apart from its document.
func matchParts(n *query.Node, doc map[string]any) bool {
	switch n.Op {
	case query.And, query.Or, query.Not:
		some, all := false, true
		for _, m := range n.Nodes {
			ok := matchParts(m, doc)
			some, all = some || ok, all && ok
		}
		switch n.Op {
		case query.And:
			return all
		case query.Or:
			return some
		}
		return !some
	}
	if v, ok := doc[n.Path[0]]; ok && len(n.Path) == 1 {
		return n.MatchValue(v, new(query.Work))
	}
	return n.Match(query.Map(doc), new(query.Work))
}

func TestRoundTripRandom(t *testing.T) {
	t.Parallel()
	r := random(t)
	for range 2000 {
		form := r.Filter(4)
		e, err := query.Parse(form)
		if err != nil {
			t.Fatalf("%s: %v", value.Append(nil, form), err)
		}
		text := e.Append(nil)
		v, err := value.Parse(text, query.Limits())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := query.Parse(v)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !again.Equal(e) || !e.Equal(again) {
			t.Fatalf("round trip: got %s, want %s", again.Append(nil), text)
		}
		if got := again.Append(nil); string(got) != string(text) {
			t.Fatalf("canonical form: got %s, want %s", got, text)
		}
	}
}

// Documents are sorted as the naive implementation has it, by Compare and by the
// bytes of keys alike.
func TestSortRandom(t *testing.T) {
	t.Parallel()
	r := random(t)
	for range 10_000 {
		a, b := r.Document(), r.Document()
		path := querytest.Paths[r.IntN(len(querytest.Paths))]
		segments, err := query.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, desc := range []bool{false, true} {
			x := query.SortValue(query.Map(a), segments, declared(segments), desc)
			y := query.SortValue(query.Map(b), segments, declared(segments), desc)
			want := 0
			switch {
			case querytest.Less(a, b, path, querytest.Kind(path), desc):
				want = -1
			case querytest.Less(b, a, path, querytest.Kind(path), desc):
				want = 1
			}
			if desc && x != nil && y != nil {
				want = -want // what is absent is last in both directions
			}
			if got := query.Compare(x, y); got != want {
				t.Fatalf("path %q, desc %t: got %d, want %d: %s and %s", path, desc, got, want, value.Append(nil, a), value.Append(nil, b))
			}
			if got := compareKeys(x, y); got != want {
				t.Fatalf("keys at path %q, desc %t: got %d, want %d: %s and %s", path, desc, got, want, value.Append(nil, a), value.Append(nil, b))
			}
		}
	}
}

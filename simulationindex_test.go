package bucketlite_test

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// indexed makes some indexes of a bucket of items, and returns it.
func indexed(t testing.TB, b *bucketlite.Bucket) *bucketlite.Bucket {
	t.Helper()
	ensure(t, b, "v", "n")
	ensureText(t, b)
	return b
}

// index makes or drops an index.
func (s *simulation) index() {
	ctx := context.Background()
	want := error(nil)
	if s.m.locked {
		want = bucketlite.ErrLocked
	}
	path := []string{"v", "n", "k", "created_at"}[s.r.IntN(4)]
	switch s.r.IntN(5) {
	case 0, 1:
		s.want(s.b.EnsureIndex(ctx, path), want, "index %s", path)
	case 2:
		s.want(s.b.DropIndex(ctx, path), want, "drop the index of %s", path)
	case 3:
		s.want(s.b.EnsureTextIndex(ctx), want, "index texts")
	default:
		s.want(s.b.DropTextIndex(ctx), want, "drop the index of texts")
	}
}

// compareQueries fails unless queries find in the store what they find in the
// model, whatever indexes there are.
func (s *simulation) compareQueries() {
	s.t.Helper()
	texts := []string{"PLAIN", `"quoted" \ <&>`, "🪣 Ü \n\t\x01", "", "longlong"}
	text := texts[s.r.IntN(len(texts))]
	n := []json.Number{"5", "0", "1000", "9007199254740993", "9007199254740992"}[s.r.IntN(5)]
	value := func(o *modelObject) (int64, bool) { // all are whole numbers
		n, ok := o.fields["n"].(json.Number)
		if !ok {
			return 0, false
		}
		if i, err := n.Int64(); err == nil {
			return i, true
		}
		f, _ := n.Float64()
		return int64(f), true
	}
	whole, _ := n.Int64()
	s.find(bucketlite.Query{Filter: bucketlite.Eq("v", text)}, func(o *modelObject) bool {
		v, ok := o.fields["v"].(string)
		return ok && strings.EqualFold(v, text)
	})
	s.find(bucketlite.Query{Filter: bucketlite.IsNull("v")}, func(o *modelObject) bool { return o.fields["v"] == nil })
	s.find(bucketlite.Query{Filter: bucketlite.Eq("n", n)}, func(o *modelObject) bool {
		v, ok := value(o)
		return ok && v == whole
	})
	s.find(bucketlite.Query{Filter: bucketlite.Lt("n", n)}, func(o *modelObject) bool {
		v, ok := value(o)
		return ok && v < whole
	})
	for _, part := range []string{"ongL", "oted", "🪣 ü", "main"} {
		has := func(o *modelObject) bool {
			v, _ := o.fields["v"].(string)
			return strings.Contains(strings.ToLower(v), strings.ToLower(part))
		}
		s.find(bucketlite.Query{Filter: bucketlite.Contains("v", part)}, has)
		if !strings.Contains(part, " ") {
			s.find(bucketlite.Query{Search: part}, has)
		}
	}
	order := slices.Clone(s.m.objects)
	slices.SortStableFunc(order, func(a, b modelObject) int {
		x, some := value(&a)
		y, other := value(&b)
		if !some || !other {
			return cmp.Compare(bit(!some), bit(!other))
		}
		return cmp.Compare(y, x)
	})
	s.wantFound(bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Desc("n")}}, order)
}

// find fails unless a query finds what a test holds for.
func (s *simulation) find(q bucketlite.Query, test func(*modelObject) bool) {
	s.t.Helper()
	var want []modelObject
	for i := range s.m.objects {
		if test(&s.m.objects[i]) {
			want = append(want, s.m.objects[i])
		}
	}
	s.wantFound(q, want)
}

// wantFound fails unless a query finds these objects.
func (s *simulation) wantFound(q bucketlite.Query, want []modelObject) {
	s.t.Helper()
	var got []string
	for o, err := range s.b.Objects(context.Background(), q) {
		if err != nil {
			s.t.Fatal(err)
		}
		got = append(got, o.ID)
	}
	ids := (&model{objects: want}).ids()
	if !slices.Equal(got, ids) {
		s.t.Errorf("query %+v: got %q, want %q", q, got, ids)
	}
	q.Total, q.Limit = true, 1
	if page, err := s.b.List(context.Background(), q); err != nil || page.Total != int64(len(want)) {
		s.t.Errorf("query %+v: got %+v, %v, want a total of %d", q, page, err, len(want))
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

package index_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/query"
)

// In each direction of the keys and of the order of creation, an index gives the objects
// the same order as sorting does: with many objects of a key, with objects that have several
// keys or none, and page by page from anywhere.
func TestWalk(t *testing.T) {
	t.Parallel()
	f := open(t)
	const n = 400
	for i := range n {
		fields := fmt.Sprintf(`{"n":%d,"few":%d,"tags":["t%d","t%d"]}`, i*7919%n, i%3, i%5, i*31%11)
		switch {
		case i%13 == 0:
			fields = `{}`
		case i%2 == 0:
			fields = fmt.Sprintf(`{"n":%d,"few":1,"tags":"t3"}`, i/4)
		}
		f.put(f.stored(fmt.Sprint(i), fields))
	}
	type walk struct {
		path          string
		desc, reverse bool
		filtered      bool
		limit         int
	}
	want := make(map[walk][]int64)
	var walks []walk
	for _, path := range []string{"n", "few", "tags", "none"} {
		for _, limit := range []int{2, 40, 1000} {
			for bits := range 8 {
				walks = append(walks, walk{path, bits&1 != 0, bits&2 != 0, bits&4 != 0, limit})
			}
		}
	}
	compile := func(w walk) *query.Query {
		var filter *query.Expr
		if w.filtered {
			filter = query.Condition("object_id", query.EndsWith, "7")
		}
		q := f.compile(filter, query.OrderBy{Path: []string{w.path}, Desc: w.desc})
		q.Reverse, q.Limit = w.reverse, w.limit
		return q
	}
	for _, w := range walks {
		all := w
		all.limit = n + 1
		if want[all] == nil {
			want[all] = f.all(compile(all))
		}
	}
	for _, path := range []string{"n", "few", "tags", "none"} {
		f.add(index.Value, path)
	}
	f.finish()
	for _, w := range walks {
		all := w
		all.limit = n + 1
		f.read(func(c *engine.Conn) error {
			how, err := index.Choose(context.Background(), c, f.bucket, compile(w), false)
			if err == nil && how.Sorts() {
				t.Errorf("%+v: sorts, want a walk", w)
			}
			return err
		})
		if got := f.all(compile(w)); !slices.Equal(got, want[all]) {
			t.Errorf("%+v: got %v, want %v", w, got, want[all])
		}
	}
}

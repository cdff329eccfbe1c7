package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// cursorQueries are queries of which no two may share a cursor, on a list whose
// members have an id.
func cursorQueries(id string) map[string]bucketlite.Query {
	sort := func(by ...bucketlite.Sort) bucketlite.Query { return bucketlite.Query{Sort: by} }
	there := bucketlite.Exists(id)
	return map[string]bucketlite.Query{
		"all":                    {},
		"filter":                 {Filter: there},
		"another filter":         {Filter: bucketlite.Exists("created_at").CaseSensitive()},
		"filter in its case":     {Filter: there, CaseSensitive: true},
		"search":                 {Search: "_"},
		"search for more":        {Search: "_ 0"},
		"search in its case":     {Search: "_", CaseSensitive: true},
		"filter and search":      {Filter: there, Search: "_"},
		"ascending":              sort(bucketlite.Asc(id)),
		"descending":             sort(bucketlite.Desc(id)),
		"by another":             sort(bucketlite.Asc("created_at")),
		"by two":                 sort(bucketlite.Asc(id), bucketlite.Asc("created_at")),
		"by two, the other way":  sort(bucketlite.Asc("created_at"), bucketlite.Asc(id)),
		"filtered and ascending": {Filter: there, Sort: []bucketlite.Sort{bucketlite.Asc(id)}},
		"reversed":               {Reverse: true},
		"filter, reversed":       {Filter: there, Reverse: true},
		"ascending, reversed":    {Sort: []bucketlite.Sort{bucketlite.Asc(id)}, Reverse: true},
	}
}

// A cursor is good for the query it came from, on the list it came from.
func TestCursorOfQuery(t *testing.T) {
	t.Parallel()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	other := storetest.Bucket(t, st, storetest.ItemsConfig("other"))
	for _, b := range []*bucketlite.Bucket{b, other} {
		storetest.PutItems(t, b, 4, 1)
		for range 4 {
			storetest.CreateUpload(t, b, storetest.DocUpload("k"))
			storetest.CreateBatch(t, b, storetest.ObjectIDs(t, b)[0])
		}
	}
	pages := map[string]func(bucketlite.Query) (*bucketlite.Page[map[string]any], error){
		"object_id": storetest.FormPages(t, b.List), "upload_id": storetest.FormPages(t, b.ListUploads), "batch_id": storetest.FormPages(t, storetest.BatchPages(b)),
		"object_id of another": storetest.FormPages(t, other.List), "upload_id of another": storetest.FormPages(t, other.ListUploads), "batch_id of another": storetest.FormPages(t, storetest.BatchPages(other)),
	}
	cursors := make(map[string]string)
	for list, page := range pages {
		id, _, _ := strings.Cut(list, " ")
		for name, q := range cursorQueries(id) {
			q.Limit = 2
			p, err := page(q)
			if err != nil || p.Next == "" {
				t.Fatalf("%s, %s: got %+v, %v, want more than a page", list, name, p, err)
			}
			cursors[list+", "+name] = p.Next
		}
	}
	for list, page := range pages {
		id, _, _ := strings.Cut(list, " ")
		for name, q := range cursorQueries(id) {
			for from, cursor := range cursors {
				q.Cursor = cursor
				p, err := page(q)
				if own := from == list+", "+name; own != (err == nil) || !own && !errors.Is(err, bucketlite.ErrBadRequest) {
					t.Errorf("%s, %s: cursor of %s: got %+v, %v", list, name, from, p, err)
				}
			}
		}
	}
}

// Parts of a query that do not change a list or its order do not change its cursors.
func TestCursorOfEqualQuery(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	parse := func(text string) bucketlite.Filter {
		f, err := bucketlite.ParseFilter([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	by := []bucketlite.Sort{bucketlite.Asc("k")}
	for name, qs := range map[string][]bucketlite.Query{
		"all": {
			{}, {Search: " \n"}, {CaseSensitive: true}, {Filter: bucketlite.And()}, {Filter: parse(`{}`)}, {Sort: []bucketlite.Sort{}},
			{Limit: 7}, {Total: true}, {Select: []string{"k"}},
		},
		"filtered": {
			{Filter: bucketlite.Eq("v", "v")}, {Filter: parse(`{"v":"v"}`)}, {Filter: parse(`{"field":"v","value":"v"}`)},
			{Filter: parse(`{"field":"v","operator":"eq","value":"v"}`), Limit: 7, Select: []string{"v"}, Total: true},
		},
		"reversed": {{Reverse: true}, {Reverse: true, Filter: bucketlite.And(), Limit: 7}, {Reverse: true, Sort: []bucketlite.Sort{}, Select: []string{"v"}, Total: true}},
		"sorted":   {{Sort: by}, {Sort: []bucketlite.Sort{{Field: "k"}}, Limit: 7, Select: []string{"v"}, Total: true}},
		"found":    {{Search: "V obj_", Sort: by, Filter: bucketlite.And()}, {Search: " obj_ \tv OBJ_", Sort: by}},
	} {
		b := storetest.Bucket(t, st, storetest.ItemsConfig(name))
		storetest.PutItems(t, b, 9, 1)
		for i, from := range qs {
			from.Limit = 3
			p, err := b.List(ctx, from)
			if err != nil {
				t.Fatal(err)
			}
			for j, q := range qs {
				q.Cursor = p.Next
				p, err := b.List(ctx, q)
				if err != nil || len(p.Results) != 6 || p.Results[0].ID == "" {
					t.Errorf("%s: cursor of %d for %d: got %+v, %v, want the other 6", name, i, j, p, err)
				}
			}
		}
	}
}

// A cursor leads to the same place after the object it points to has moved or gone.
func TestSortedCursorStaysGood(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	storetest.PutItems(t, b, 9, 1)
	q := bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Desc("k")}, Limit: 4}
	p, err := b.List(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	if err := deleteKey(b, "5"); err != nil { // the last of the page
		t.Fatal(err)
	}
	if _, err := b.Patch(ctx, p.Results[0].ID, bucketlite.ObjectInput{Fields: map[string]any{"k": "1.5"}}, nil); err != nil {
		t.Fatal(err)
	}
	storetest.PutItem(t, b, storetest.Item("5", "again"))
	storetest.PutItem(t, b, storetest.Item("5.1", ""))
	storetest.PutItem(t, b, storetest.Item("4.9", ""))
	var got []string
	q.Limit, q.Cursor = 0, p.Next
	for o, err := range b.Objects(ctx, q) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.Fields["k"].(string))
	}
	if want := []string{"5", "4.9", "4", "3", "2", "1.5", "1", "0"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Sort keys may be long, and so may cursors, but not longer.
func TestLongCursor(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{})
	var q bucketlite.Query
	fields := make(map[string]any)
	for i := range bucketlite.MaxSort {
		name := fmt.Sprint("field", i)
		fields[name] = strings.Repeat("€\x01", 1000)
		q.Sort = append(q.Sort, bucketlite.Sort{Field: name, Direction: []bucketlite.SortDirection{bucketlite.SortAscending, bucketlite.SortDescending}[i%2]})
	}
	var ids []string
	for range 5 {
		ids = append(ids, storetest.PutItem(t, b, bucketlite.ObjectInput{Fields: fields}).ID)
	}
	var got []string
	for q.Limit = 1; ; {
		p, err := b.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Results[0].ID)
		if q.Cursor = p.Next; p.Next == "" {
			break
		}
		for _, cursor := range []string{p.Next[:len(p.Next)-1], p.Next[1:], p.Next + p.Next, p.Next + "A"} {
			storetest.WantError(t, storetest.ErrorOf(b.List(ctx, bucketlite.Query{Sort: q.Sort, Cursor: cursor})), bucketlite.ErrBadRequest)
		}
	}
	if !slices.Equal(got, ids) {
		t.Errorf("got %q, want %q", got, ids)
	}
	for _, n := range []int{10_000, 1 << 24} {
		storetest.WantError(t, storetest.ErrorOf(b.List(ctx, bucketlite.Query{Cursor: strings.Repeat("A", n)})), bucketlite.ErrBadRequest)
	}
}

// FuzzCursor asks lists for pages by any cursor: it is refused, or one that the
// list has issued for the same query.
func FuzzCursor(f *testing.F) {
	ctx := context.Background()
	b := storetest.Items(f, storetest.OpenMemory(f))
	storetest.PutItems(f, b, 5, 1)
	for range 5 {
		storetest.CreateUpload(f, b, storetest.DocUpload("k"))
	}
	pages := map[string]func(q bucketlite.Query) (n int, next string, err error){
		"object_id": func(q bucketlite.Query) (int, string, error) { return countPage(b.List(ctx, q)) },
		"upload_id": func(q bucketlite.Query) (int, string, error) { return countPage(b.ListUploads(ctx, q)) },
	}
	issued := make(map[string]bool) // by the list, the query and the cursor
	for id, page := range pages {
		for name, q := range cursorQueries(id) {
			for q.Limit = 1; ; {
				_, next, err := page(q)
				if err != nil {
					f.Fatal(err)
				}
				if q.Cursor = next; next == "" {
					break
				}
				issued[id+name+next] = true
				f.Add(next)
			}
		}
	}
	for _, cursor := range []string{"", "A", "=", "\x00", strings.Repeat("A", 22), strings.Repeat("_", 43)} {
		f.Add(cursor)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		for _, id := range slices.Sorted(maps.Keys(pages)) {
			for name, q := range cursorQueries(id) {
				q.Cursor = cursor
				n, next, err := pages[id](q)
				switch {
				case err != nil && (!errors.Is(err, bucketlite.ErrBadRequest) || n != 0 || issued[id+name+cursor] || cursor == ""):
					t.Errorf("%s, %s: cursor %q: got %v", id, name, cursor, err)
				case err == nil && (!issued[id+name+cursor] && cursor != "" || n == 0 || next != ""):
					t.Errorf("%s, %s: cursor %q: got %d members, next %q", id, name, cursor, n, next)
				}
			}
		}
	})
}

// countPage returns the number of a page's members, and what comes next.
func countPage[T any](p *bucketlite.Page[T], err error) (int, string, error) {
	if err != nil {
		return 0, "", err
	}
	return len(p.Results), p.Next, nil
}

// Paging through a bucket while objects come and go returns none of them twice, and
// misses none that was there, and stayed unchanged, all the while.
func TestPagesAmongChanges(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	tests := map[string]struct {
		query   bucketlite.Query
		indexed bool
	}{
		"in order of creation": {},
		"sorted":               {query: bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("v"), bucketlite.Desc("k")}}},
		"sorted by an index":   {query: bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("v")}}, indexed: true},
		"and downwards":        {query: bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Desc("v")}}, indexed: true},
		"filtered":             {query: bucketlite.Query{Filter: bucketlite.Ne("v", "3")}},
		"filtered by an index": {query: bucketlite.Query{Filter: bucketlite.Eq("v", "3")}, indexed: true},
		"filtered by a range":  {query: bucketlite.Query{Filter: bucketlite.Gt("v", "1")}, indexed: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := storetest.NewRand(t)
			b := storetest.Items(t, storetest.OpenMemory(t))
			if test.indexed {
				if err := b.EnsureIndex(ctx, "v"); err != nil {
					t.Fatal(err)
				}
			}
			n := 0
			var live []string
			put := func() {
				n++
				o := storetest.PutItem(t, b, storetest.Item(fmt.Sprint(n), fmt.Sprint(r.IntN(5))))
				live = append(live, o.ID)
			}
			for range 20 {
				for len(live) < 60 {
					put()
				}
				stayed := make(map[string]bool)
				for o, err := range b.Objects(ctx, test.query) {
					if err != nil {
						t.Fatal(err)
					}
					stayed[o.ID] = true
				}
				var met []string
				q := test.query
				q.Limit = 1 + r.IntN(12)
				for pages := 0; ; pages++ {
					page, err := b.List(ctx, q)
					if err != nil {
						t.Fatal(err)
					}
					for _, o := range page.Results {
						met = append(met, o.ID)
					}
					if q.Cursor = page.Next; page.Next == "" {
						break
					}
					if pages > 40 {
						continue // or paging slower than objects come never ends
					}
					for range r.IntN(4) {
						put()
					}
					for range min(r.IntN(4), len(live)) {
						i := r.IntN(len(live))
						if err := b.DeleteObject(ctx, live[i], nil); err != nil {
							t.Fatal(err)
						}
						delete(stayed, live[i])
						live = slices.Delete(live, i, i+1)
					}
				}
				for i, id := range met {
					if slices.Contains(met[:i], id) {
						t.Fatalf("met %s twice: %v", id, met)
					}
					delete(stayed, id)
				}
				if len(stayed) > 0 {
					t.Fatalf("missed %v of what was there all the while, met %v", stayed, met)
				}
			}
		})
	}
}

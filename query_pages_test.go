package bucketlite_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Whoever pages through a bucket while objects come and go meets none of them
// twice, and misses none that was there, and stayed as it was, all the while.
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
						continue // or whoever pages slower than objects come never ends
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

// Of a wrong query every fault is named with its place, and a strange one means
// what it says.
func TestQueryFaults(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	storetest.PutItem(t, b, storetest.Item("k", "v"))
	long := strings.Repeat
	many := func(n int) (words string) {
		for i := range n {
			words += fmt.Sprint(i, " ")
		}
		return words
	}
	deep := bucketlite.Eq("v", "v")
	for range 40 {
		deep = bucketlite.And(deep)
	}
	tests := map[string]struct {
		query  bucketlite.Query
		faults []string // nil if it is not a QueryError
	}{
		"limit below 0":         {query: bucketlite.Query{Limit: -1}},
		"limit too high":        {query: bucketlite.Query{Limit: 1_000_000_000}},
		"offset below 0":        {query: bucketlite.Query{Offset: -1}},
		"offset too high":       {query: bucketlite.Query{Offset: bucketlite.MaxOffset + 1}},
		"offset and cursor":     {query: bucketlite.Query{Offset: 1, Cursor: "x"}},
		"cursor":                {query: bucketlite.Query{Cursor: "x"}},
		"direction and path":    {query: bucketlite.Query{Sort: []bucketlite.Sort{{Field: "v", Direction: "up"}, {Field: "a..b"}}}, faults: []string{"sort[0].direction: enum", "sort[1].field: path"}},
		"too many to sort by":   {query: bucketlite.Query{Sort: make([]bucketlite.Sort, bucketlite.MaxSort+1)}, faults: []string{"sort: size"}},
		"select":                {query: bucketlite.Query{Select: []string{"v", "", "a\x00"}}, faults: []string{"select[1]: path", "select[2]: path"}},
		"search: utf8":          {query: bucketlite.Query{Search: "\xff"}, faults: []string{"search: utf8"}},
		"too deep":              {query: bucketlite.Query{Filter: deep}, faults: []string{"filters.AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0].AND[0]: depth"}},
		"regex":                 {query: bucketlite.Query{Filter: bucketlite.And(bucketlite.Eq("v", "v"), bucketlite.Regex("v", "("))}, faults: []string{"filters.AND[1].value: pattern"}},
		"a null to be above of": {query: bucketlite.Query{Filter: bucketlite.Gt("v", nil)}, faults: []string{"filters.value: type"}},
		"path with NUL":         {query: bucketlite.Query{Filter: bucketlite.Exists("v\x00"), Sort: []bucketlite.Sort{bucketlite.Asc("v\x00")}}, faults: []string{"filters.field: path", "sort[0].field: path"}},
		"path too deep":         {query: bucketlite.Query{Filter: bucketlite.Exists(long("v.", 32) + "v"), Sort: []bucketlite.Sort{bucketlite.Desc(long("v.", 32) + "v")}}, faults: []string{"filters.field: path", "sort[0].field: path"}},
		"name too long":         {query: bucketlite.Query{Filter: bucketlite.Exists(long("é", 256)), Sort: []bucketlite.Sort{bucketlite.Asc(long("é", 256))}}, faults: []string{"filters.field: path", "sort[0].field: path"}},
		"text too long":         {query: bucketlite.Query{Filter: bucketlite.Eq("v", long("v", 64<<10+1))}, faults: []string{"filters.value: size"}},
		"search too long":       {query: bucketlite.Query{Search: long("v", 64<<10+1)}, faults: []string{"search: size"}},
		"search for too much":   {query: bucketlite.Query{Search: many(1001)}, faults: []string{"search: count"}},
		"pattern too long":      {query: bucketlite.Query{Filter: bucketlite.Regex("v", long("v", 1001))}, faults: []string{"filters.value: pattern"}},
		"too many values":       {query: bucketlite.Query{Filter: bucketlite.In("n", make([]int, 10_001)...)}, faults: []string{"filters.value: count"}},
		"above a list":          {query: bucketlite.Query{Filter: bucketlite.Not(bucketlite.Eq("n", 1), bucketlite.Gt("n", []int{5}))}, faults: []string{"filters.NOT[1].value: type"}},
		"no datetime":           {query: bucketlite.Query{Filter: bucketlite.Gt("created_at", "yesterday")}, faults: []string{"filters.value: type"}},
		"two at once": {query: bucketlite.Query{Filter: bucketlite.Contains("", "x"), Sort: []bucketlite.Sort{{Direction: "asc"}}},
			faults: []string{"filters.field: path", "sort[0].field: path"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := b.List(ctx, test.query)
			storetest.WantError(t, err, bucketlite.ErrBadRequest)
			if test.faults != nil {
				wantQueryError(t, err, test.faults...)
			}
			if _, err := b.Explain(ctx, test.query); err == nil {
				t.Error("it was explained")
			}
		})
	}
	for name, q := range map[string]bucketlite.Query{
		"in nothing":   {Filter: bucketlite.In[string]("v")},
		"any of none":  {Filter: bucketlite.Or()},
		"past the end": {Offset: bucketlite.MaxOffset},
	} {
		if p, err := b.List(ctx, q); err != nil || len(p.Results) != 0 || p.Next != "" {
			t.Errorf("%s: got %d objects, %v, want none", name, len(p.Results), err)
		}
	}
}

// A name is a name, whatever it looks like to SQL, JSON or a pattern.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	names := []string{`"`, `'`, `'); DROP TABLE object; --`, "$", "$[0]", "#", "a b", "?1", "`", `\`, `\u0041`, "select", "*", "%", "_", "é", "\n", "[*]", "NULL", "rowid", "seq",
		"NEAR(a b)", "text:x", "-x", "^x", "a + b", "x OR y", "{x}: y", `"x" *`}
	properties := make(map[string]bucketlite.Field)
	for _, name := range names {
		properties[name] = bucketlite.Field{Type: bucketlite.String}
	}
	for _, indexed := range []bool{false, true} {
		b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Name: "hostile", Schema: bucketlite.Schema{Properties: properties}})
		if indexed {
			if err := b.EnsureIndex(ctx, names...); err != nil {
				t.Fatal(err)
			}
			if err := b.EnsureTextIndex(ctx, names...); err != nil {
				t.Fatal(err)
			}
		}
		for i, name := range names {
			storetest.Put(t, b, bucketlite.ObjectInput{ID: fmt.Sprint(i), Fields: map[string]any{name: name + name + name}}, bucketlite.Insert)
		}
		for i, name := range names {
			text := name + name + name
			for _, f := range []bucketlite.Filter{bucketlite.Eq(name, text), bucketlite.Contains(name, text), bucketlite.StartsWith(name, name), bucketlite.In(name, text, "x"), bucketlite.Exists(name)} {
				for _, q := range []bucketlite.Query{{Filter: f}, {Filter: f, Sort: []bucketlite.Sort{bucketlite.Desc(name)}, Select: []string{name}}, {Filter: f, Search: text}} {
					p, err := b.List(ctx, q)
					if err != nil || len(p.Results) != 1 || p.Results[0].ID != fmt.Sprint(i) || p.Results[0].Fields[name] != text {
						t.Errorf("indexed %t: %v: got %v, %v", indexed, f, p, err)
					}
				}
			}
			if p, err := b.List(ctx, bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc(name)}, Limit: 1}); err != nil || p.Results[0].ID != fmt.Sprint(i) {
				t.Errorf("indexed %t: sorted by %q: got %v, %v", indexed, name, p, err)
			}
		}
	}
}

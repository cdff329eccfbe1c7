package index_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/query"
)

// visit calls g with the objects that a query wants.
func (f *file) visit(q *query.Query, members []string, g func(*index.Document) error) {
	f.Helper()
	f.read(func(c *engine.Conn) error {
		how, err := index.Choose(context.Background(), c, f.bucket, q, true)
		if err != nil {
			return err
		}
		return how.Visit(context.Background(), c, members, g)
	})
}

// Indexes decide how a query is answered, and never what it finds.
func TestChoose(t *testing.T) {
	t.Parallel()
	asc, desc := query.OrderBy{Path: []string{"n"}}, query.OrderBy{Path: []string{"n"}, Desc: true}
	eq := func(path string, v any) *query.Expr { return query.Condition(path, query.Eq, v) }
	for name, test := range map[string]struct {
		filter  *query.Expr
		order   []query.OrderBy
		used    string // paths of the indexes
		objects int64
		sorts   bool
		short   bool
	}{
		"all":                {nil, nil, "", 300, false, true},
		"a key":              {eq("n", 7), nil, "n", 1, false, true},
		"a key of many":      {eq("tags", "t1"), nil, "tags", 100, false, true},
		"a range":            {query.Condition("n", query.Lt, 20), nil, "n", 19, false, true},
		"keys and a range":   {query.Group(query.And, eq("tags", "t1"), query.Condition("n", query.Lt, 20)), nil, "n", 19, false, true},
		"either":             {query.Group(query.Or, eq("n", 7), eq("tags", "t2")), nil, "n tags", 101, false, true},
		"either of any":      {query.Group(query.Or, eq("n", 7), eq("other", 7)), nil, "", 300, false, false},
		"either of few":      {query.Group(query.Or, eq("n", 7), eq("n", 9)), nil, "n n", 2, false, true},
		"not":                {query.Group(query.Not, eq("n", 7)), nil, "", 300, false, false},
		"text":               {query.Condition("title", query.Contains, "title 29"), nil, "title", 11, false, true},
		"short text":         {query.Condition("title", query.Contains, "29"), nil, "", 300, false, false},
		"no index":           {eq("other", 7), nil, "", 300, false, false},
		"sorted":             {nil, []query.OrderBy{asc}, "n", 300, false, true},
		"sorted down":        {nil, []query.OrderBy{desc}, "n", 300, false, true},
		"found and sorted":   {query.Condition("n", query.Lt, 20), []query.OrderBy{desc}, "n", 19, true, true},
		"matched and sorted": {eq("other", nil), []query.OrderBy{desc}, "n", 300, false, false},
		"sorted twice":       {nil, []query.OrderBy{{Path: []string{"tags"}}, desc}, "", 300, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			f.putSome(300)
			q := f.compile(test.filter, test.order...)
			plain := f.all(q)
			reversed := *q
			reversed.Reverse = true
			plainReversed := f.all(&reversed)
			f.add(index.Value, "n")
			f.add(index.Value, "tags")
			f.add(index.Text, "title")
			f.finish()
			f.read(func(c *engine.Conn) error {
				how, err := index.Choose(context.Background(), c, f.bucket, q, false)
				if err != nil {
					return err
				}
				var used []string
				for _, i := range how.Used() {
					used = append(used, i.Path)
				}
				if got := strings.Join(used, " "); got != test.used {
					t.Errorf("got indexes %q, want %q", got, test.used)
				}
				if got := how.Sorts(); got != test.sorts {
					t.Errorf("sorts: got %v, want %v", got, test.sorts)
				}
				if got := how.IsShort(); got != test.short {
					t.Errorf("short: got %v, want %v", got, test.short)
				}
				got, err := how.Objects(c)
				if got != test.objects {
					t.Errorf("got %d objects, want %d", got, test.objects)
				}
				return err
			})
			if got := f.all(q); !slices.Equal(got, plain) {
				t.Errorf("got %v with indexes, want %v", got, plain)
			}
			if got := f.all(&reversed); !slices.Equal(got, plainReversed) {
				t.Errorf("reversed: got %v with indexes, want %v", got, plainReversed)
			}
			if len(test.order) == 0 {
				slices.Reverse(plainReversed)
			}
			if len(test.order) < 2 && !slices.Equal(plainReversed, plain) { // there, no objects are equal
				t.Errorf("reversed: got %v, want %v", plainReversed, plain)
			}
			f.read(func(c *engine.Conn) error {
				for _, most := range []int64{0, 1, 3, 50, int64(len(plain)), 1000} {
					n, err := index.Count(context.Background(), c, f.bucket, q, most)
					want := int64(len(plain))
					if most > 0 {
						want = min(want, most)
					}
					if err != nil || n != want {
						t.Errorf("got a count of %d up to %d, %v, want %d", n, most, err, want)
					}
				}
				return nil
			})
			visited := 0
			f.visit(q, nil, func(*index.Document) error { visited++; return nil })
			if visited != len(plain) {
				t.Errorf("visited %d objects, want %d", visited, len(plain))
			}
		})
	}
}

// An error of a match names the bucket, and of a visit it is the visitor's own.
func TestFindErrors(t *testing.T) {
	t.Parallel()
	f := open(t)
	o := f.stored("a", `{"n":1,"s":"x"}`)
	o.Fields = o.Fields[:len(o.Fields)-2]
	f.put(o)
	own := errors.New("enough")
	for name, test := range map[string]struct {
		q    *query.Query
		want error
	}{
		"unreadable": {f.compile(query.Condition("s", query.Eq, "x")), engine.ErrCorrupt},
		"visitor":    {f.compile(query.Condition("object_id", query.Eq, "a")), own},
	} {
		err := f.File.Read(context.Background(), func(c *engine.Conn) error {
			how, err := index.Choose(context.Background(), c, f.bucket, test.q, true)
			if err != nil {
				return err
			}
			return how.Visit(context.Background(), c, nil, func(*index.Document) error { return own })
		})
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
		if test.want == engine.ErrCorrupt && !strings.Contains(fmt.Sprint(err), `bucket "videos"`) {
			t.Errorf("%s: got %q, want the bucket named", name, err)
		}
	}
}

// Each hands over columns of the wanted objects alone.
func TestEach(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.putSome(9)
	for name, test := range map[string]struct {
		filter *query.Expr
		want   string
	}{"all": {nil, "123456789"}, "some": {query.Condition("tags", query.Eq, "t1"), "147"}} {
		var got strings.Builder
		f.read(func(c *engine.Conn) error {
			how, err := index.Choose(context.Background(), c, f.bucket, f.compile(test.filter), true)
			if err != nil {
				return err
			}
			return how.Each(context.Background(), c, "o.id", func(r engine.Row) error {
				got.WriteString(r.Text(0))
				return nil
			})
		})
		if got.String() != test.want {
			t.Errorf("%s: got objects %s, want %s", name, &got, test.want)
		}
	}
}

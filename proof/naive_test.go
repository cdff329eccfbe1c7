package proof_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/querytest"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Random queries are answered as by a naive evaluator, on pages of any size.
func TestListsAgainstNaive(t *testing.T) {
	t.Parallel()
	queries := 60
	if *storetest.Long {
		queries = 3000
	}
	t.Logf("%d random queries of lists", queries)
	r := storetest.NewRand(t)
	_, lists := storetest.NewVaried(t)
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		t.Run(name, func(t *testing.T) {
			l := lists[name]
			forms, err := l.Each(bucketlite.Query{})
			if err != nil || len(forms) < 4 {
				t.Fatalf("got %d members, %v", len(forms), err)
			}
			some := 0
			for range queries {
				n := newNaive(r, l, forms)
				want := n.answer()
				if len(want) > 0 && len(want) < len(forms) {
					some++
				}
				if _, err := l.Each(n.query); isUnsatisfiable(err) {
					if len(want) > 0 {
						t.Fatalf("refused as never matching, want %d members: %s", len(want), n)
					}
					continue
				}
				l.WantPages(t, n.query, want, 1+r.IntN(len(forms)+1))
				if t.Failed() {
					t.Fatalf("query: %s", n)
				}
			}
			if some < queries/10 {
				t.Errorf("got %d of %d queries that want some and not all, want more", some, queries)
			}
		})
	}
}

// isUnsatisfiable reports whether err says that no object can match a filter.
func isUnsatisfiable(err error) bool {
	bad := new(bucketlite.QueryError)
	return errors.As(err, &bad) && bad.Unsatisfiable
}

// naive is a random query, and how it is answered naively.
type naive struct {
	query  bucketlite.Query
	filter any
	list   *storetest.VariedList
	forms  []map[string]any
}

func (n *naive) String() string {
	text, _ := json.Marshal(n.filter)
	return fmt.Sprintf("filter %s, search %q, case sensitive %t, sort %v, reverse %t", text, n.query.Search, n.query.CaseSensitive, n.query.Sort, n.query.Reverse)
}

// newNaive makes a query about values that the members of a list have.
func newNaive(r *rand.Rand, l *storetest.VariedList, forms []map[string]any) *naive {
	n := &naive{list: l, forms: forms}
	values := storetest.PathsOf(forms)
	paths := slices.Sorted(maps.Keys(values))
	n.query.CaseSensitive = r.IntN(3) == 0
	if r.IntN(4) > 0 {
		n.filter = randomFilter(r, l, paths, values, 2)
		text, err := json.Marshal(n.filter)
		if err == nil {
			n.query.Filter, err = bucketlite.ParseFilter(text)
		}
		if err != nil {
			panic(err)
		}
	}
	if r.IntN(4) == 0 {
		texts := slices.Collect(l.Searched(forms[r.IntN(len(forms))]))
		for range 1 + r.IntN(2) {
			text := []rune(texts[r.IntN(len(texts))])
			from := r.IntN(len(text) + 1)
			n.query.Search += " " + strings.ToUpper(string(text[from:min(len(text), from+1+r.IntN(4))]))
		}
	}
	n.query.Reverse = r.IntN(3) == 0
	for range r.IntN(3) {
		n.query.Sort = append(n.query.Sort, bucketlite.Sort{
			Field: paths[r.IntN(len(paths))], Direction: []bucketlite.SortDirection{"", bucketlite.SortAscending, bucketlite.SortDescending}[r.IntN(3)],
		})
	}
	return n
}

// answer returns the members that the query wants, in its order.
func (n *naive) answer() []map[string]any {
	filter := map[string]any{"AND": []any{n.filter}, "case_sensitive": n.query.CaseSensitive}
	if n.filter == nil {
		filter = nil
	}
	var wanted []map[string]any
	for _, form := range n.forms {
		if (filter == nil || querytest.Matches(filter, form, n.list.Kind)) && n.finds(form) {
			wanted = append(wanted, form)
		}
	}
	if n.query.Reverse {
		slices.Reverse(wanted)
	}
	slices.SortStableFunc(wanted, func(a, b map[string]any) int {
		for _, by := range n.query.Sort {
			kind, desc := n.list.Kind(by.Field), by.Direction == bucketlite.SortDescending
			if querytest.Less(a, b, by.Field, kind, desc) {
				return -1
			}
			if querytest.Less(b, a, by.Field, kind, desc) {
				return 1
			}
		}
		return 0
	})
	return wanted
}

func (n *naive) finds(form map[string]any) bool {
	for _, part := range strings.Fields(n.query.Search) {
		pattern := regexp.QuoteMeta(part)
		if !n.query.CaseSensitive {
			pattern = "(?i)" + pattern
		}
		found := false
		for text := range n.list.Searched(form) {
			found = found || regexp.MustCompile(pattern).MatchString(text)
		}
		if !found {
			return false
		}
	}
	return true
}

func randomFilter(r *rand.Rand, l *storetest.VariedList, paths []string, values map[string][]any, depth int) map[string]any {
	if depth > 0 && r.IntN(2) == 0 {
		group := []any{}
		for range r.IntN(4) {
			group = append(group, randomFilter(r, l, paths, values, depth-1))
		}
		filter := map[string]any{[]string{"AND", "OR", "NOT"}[r.IntN(3)]: group}
		if r.IntN(4) == 0 {
			filter["case_sensitive"] = r.IntN(2) == 0
		}
		return filter
	}
	path := paths[r.IntN(len(paths))]
	sample := func() any { return values[path][r.IntN(len(values[path]))] }
	if r.IntN(10) == 0 {
		path += ".missing"
		sample = func() any { return "x" }
	}
	v := sample()
	filter := map[string]any{"field": path}
	if r.IntN(4) == 0 {
		filter["case_sensitive"] = r.IntN(2) == 0
	}
	ops := []string{"eq", "ne", "in", "nin", "exists", "is_null"}
	switch v := v.(type) {
	case string:
		ops = append(ops, "gt", "lt", "gte", "lte", "contains", "starts_with", "ends_with", "regex", "text")
	case json.Number:
		ops = append(ops, "gt", "lt", "gte", "lte")
	case []any, map[string]any:
		if text, _ := json.Marshal(v); len(text) > 1000 {
			ops = ops[4:]
		}
	}
	op := ops[r.IntN(len(ops))]
	filter["operator"], filter["value"] = op, v
	switch op {
	case "in", "nin":
		list := []any{}
		for range r.IntN(4) {
			list = append(list, sample())
		}
		filter["value"] = list
	case "exists", "is_null":
		filter["value"] = r.IntN(3) > 0
	case "contains", "starts_with", "ends_with", "regex", "text":
		text := []rune(v.(string))
		from := r.IntN(len(text) + 1)
		to := from + r.IntN(len(text)-from+1)
		if op == "starts_with" {
			from = 0
		} else if op == "ends_with" {
			to = len(text)
		}
		part := string(text[from:to])
		if r.IntN(2) == 0 {
			part = strings.ToUpper(part)
		}
		if op == "regex" {
			part = regexp.QuoteMeta(part)
		}
		filter["value"] = part
	}
	return filter
}

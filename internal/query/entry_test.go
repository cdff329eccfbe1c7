package query_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/querytest"
	"github.com/bucketlite/bucketlite/internal/value"
)

// longTexts differ where a key ends, or after it, or in how long their folded
// form is.
var longTexts = []string{
	strings.Repeat("a", query.MaxKeyText-1), strings.Repeat("a", query.MaxKeyText), strings.Repeat("A", query.MaxKeyText+1),
	strings.Repeat("a", query.MaxKeyText) + "b", strings.Repeat("a", query.MaxKeyText-1) + "é", strings.Repeat("a", query.MaxKeyText-1) + "É!",
	strings.Repeat("e\u0301", query.MaxKeyText), strings.Repeat("é", query.MaxKeyText), strings.Repeat("\u1112\u1161\u11ab", query.MaxKeyText), strings.Repeat("한", query.MaxKeyText+1),
	"x" + strings.Repeat("\u0301", 2*query.MaxKeyText), "x" + strings.Repeat("\u0301\u0323", query.MaxKeyText),
	strings.Repeat("\u212a", query.MaxKeyText), strings.Repeat("k", query.MaxKeyText) + "!",
}

// Whatever a condition holds for has an entry in the condition's spans, and what
// a document is sorted by is one of its entries.
func TestEntriesRandom(t *testing.T) {
	t.Parallel()
	r := random(t)
	served, found := 0, 0
	for range 4000 {
		form := r.Filter(1)
		doc := r.Document()
		if r.IntN(4) == 0 {
			doc["s"] = longTexts[r.IntN(len(longTexts))]
			form = map[string]any{"field": "s", "value": longTexts[r.IntN(len(longTexts))],
				"operator":       []string{"eq", "gt", "gte", "lt", "lte", "starts_with"}[r.IntN(6)],
				"case_sensitive": r.IntN(2) == 0}
		}
		e, err := query.Parse(form)
		if err != nil {
			t.Fatalf("%s: %v", value.Append(nil, form), err)
		}
		p, err := query.Compile(e, declared)
		if err != nil {
			t.Fatalf("%s: %v", value.Append(nil, form), err)
		}
		p.Root.Any(func(n *query.Node) bool {
			spans, ok := n.Spans()
			if !ok {
				return false
			}
			served++
			entries := query.EntriesOf(query.Map(doc), n.Path, n.Type)
			covered := 0
			for _, s := range spans {
				if key, ok := s.Key(); ok && !bytes.Equal(key, s.Low) || bytes.Compare(s.Low, s.High) >= 0 {
					t.Errorf("span %x is none", s)
				}
				for _, key := range entries.Keys {
					if bytes.Compare(key, s.Low) >= 0 && bytes.Compare(key, s.High) < 0 {
						covered++
					}
				}
			}
			matches := n.Match(query.Map(doc), new(query.Work))
			if matches {
				found++
			}
			if matches && covered == 0 {
				t.Fatalf("%s matches %s at %v, but none of %x is in %x", value.Append(nil, doc), value.Append(nil, form), n.Path, entries.Keys, spans)
			}
			if !matches && covered > 0 && !entries.Many && !entries.Cut && n.IsExact() {
				t.Fatalf("%s does not match %s at %v, but one of %x is in %x", value.Append(nil, doc), value.Append(nil, form), n.Path, entries.Keys, spans)
			}
			return false
		})
		path := querytest.Paths[r.IntN(len(querytest.Paths))]
		segments := strings.Split(path, ".")
		entries := query.EntriesOf(query.Map(doc), segments, declared(segments))
		for _, desc := range []bool{false, true} {
			key := query.AppendKey(nil, query.SortValue(query.Map(doc), segments, declared(segments), desc))
			if !slices.ContainsFunc(entries.Keys, func(k []byte) bool { return bytes.Equal(k, key) }) {
				t.Fatalf("%s is sorted by %x, which is none of %x", value.Append(nil, doc), key, entries.Keys)
			}
			if bytes.Compare(key, query.EntriesEnd) >= 0 {
				t.Fatalf("key %x is after the end", key)
			}
		}
	}
	if served < 1000 || found < 200 {
		t.Errorf("%d conditions could use an index, %d held, which proves little", served, found)
	}
}

// However much a document has, its entries are few, and it is found by them.
func TestEntriesWide(t *testing.T) {
	t.Parallel()
	list := func(n int, item func(i int) any) (items []any) {
		for i := range n {
			items = append(items, item(i))
		}
		return items
	}
	number := func(i int) any { return json.Number(strconv.Itoa(i * 7919 % 1_000_003)) }
	text := func(i int) any { return fmt.Sprint("Text ", i*7919%1_000_003) }
	tests := map[string]struct {
		items []any
		keys  int
		wide  bool
	}{
		"as many numbers as there may be": {list(query.MaxEntries, number), query.MaxEntries, false},
		"one more":                        {list(query.MaxEntries+1, number), 3, true},
		"many":                            {list(20*query.MaxEntries, number), 3, true},
		"many and null":                   {append(list(20*query.MaxEntries, number), nil), 4, true},
		"texts, each with two keys":       {list(query.MaxEntries/2+1, text), 3, true},
		"many texts":                      {list(10*query.MaxEntries, text), 3, true},
		"numbers and texts":               {append(list(5*query.MaxEntries, text), list(query.MaxEntries, number)...), 3, true},
		"many of the same":                {list(100*query.MaxEntries, func(i int) any { return json.Number(strconv.Itoa(i % 9)) }), 9, false},
		"many in lists of their own":      {list(5*query.MaxEntries, func(i int) any { return []any{number(i)} }), 3, true},
	}
	path := []string{"v"}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := query.Map{"v": test.items}
			e := query.EntriesOf(doc, path, query.Type{Many: true})
			has := func(key []byte) bool {
				_, ok := slices.BinarySearchFunc(e.Keys, key, bytes.Compare)
				return ok
			}
			if len(e.Keys) != test.keys || has(query.WideKey) != test.wide || !e.Many {
				t.Errorf("got %d keys, wide %t, many %t, want %d and %t", len(e.Keys), has(query.WideKey), e.Many, test.keys, test.wide)
			}
			for _, desc := range []bool{false, true} {
				if !has(query.AppendKey(nil, query.SortValue(doc, path, query.Type{Many: true}, desc))) {
					t.Errorf("descending %t: what it is sorted by is none of its keys", desc)
				}
			}
			if n := compiled(t, `{"field":"v","operator":"is_null"}`, nil).Root; n.Match(doc, new(query.Work)) != has(query.NilKey) {
				t.Errorf("null: got key %t, want %t", has(query.NilKey), n.Match(doc, new(query.Work)))
			}
		})
	}
}

package query_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
)

// One match of a document, as a scan makes it for every row.
func BenchmarkMatch(b *testing.B) {
	doc := query.Map{
		"n": json.Number("12345"), "f": json.Number("0.5"), "title": "Red Sneaker, size 42, in Straßenqualität",
		"colour": "Turquoise", "at": "2024-03-01T12:00:00Z",
	}
	var colours, numbers []string
	for i := range 100 {
		colours = append(colours, fmt.Sprintf("colour %d", i))
		numbers = append(numbers, fmt.Sprint(i))
	}
	colours = append(colours, "TURQUOISE")
	numbers = append(numbers, "12345")
	benchmarks := []struct {
		name string
		path string
		op   query.Op
		v    any
	}{
		{"number gt", "n", query.Gt, 5000},
		{"number gt float", "f", query.Gt, 0.25},
		{"number in 100", "n", query.In, jsonNumbers(numbers)},
		{"text eq folded", "title", query.Eq, "RED sneaker, SIZE 42, in STRAẞENQUALITÄT"},
		{"text in 100 folded", "colour", query.In, colours},
		{"text contains folded", "title", query.Contains, "QUALITÄT"},
		{"text words folded", "title", query.Words, "42 red"},
		{"text regex folded", "title", query.Regex, "size [0-9]+"},
		{"instant gt", "at", query.Gt, "2024-02-01T00:00:00Z"},
	}
	types := func(path []string) query.Type {
		if path[0] == "at" {
			return query.Type{Kind: query.DateTime}
		}
		return query.Type{Many: true}
	}
	for _, bm := range benchmarks {
		b.Run(bm.name, func(b *testing.B) {
			p, err := query.Compile(query.Condition(bm.path, bm.op, bm.v), types)
			if err != nil {
				b.Fatal(err)
			}
			var d query.Doc = doc
			w := query.NewWork(b.Context())
			b.ReportAllocs()
			for b.Loop() {
				if !p.Match(d, w) {
					b.Fatal("no match")
				}
			}
		})
	}
}

func jsonNumbers(texts []string) []json.Number {
	numbers := make([]json.Number, len(texts))
	for i, text := range texts {
		numbers[i] = json.Number(text)
	}
	return numbers
}

func BenchmarkParse(b *testing.B) {
	form := tree(b, `{"AND":[{"field":"n","operator":"gt","value":5},{"OR":[{"title":"Red"},{"field":"at","operator":"lt","value":"2024-03-01T12:00:00Z"}]}]}`)
	b.ReportAllocs()
	for b.Loop() {
		e, err := query.Parse(form)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := query.Compile(e, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendKey(b *testing.B) {
	for _, v := range []any{json.Number("12345"), json.Number("0.5"), "Red Sneaker"} {
		b.Run(fmt.Sprint(v), func(b *testing.B) {
			b.ReportAllocs()
			var key []byte
			for b.Loop() {
				key = query.AppendKey(key[:0], v)
			}
			if len(key) == 0 {
				b.Fatal("no key")
			}
		})
	}
}

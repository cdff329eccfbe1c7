package query_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/pattern"
	"github.com/bucketlite/bucketlite/internal/query"
)

// A fuse is a context that ends after a number of checks.
type fuse struct {
	context.Context
	left int
}

func (f *fuse) Err() error {
	if f.left--; f.left < 0 {
		return context.Canceled
	}
	return nil
}

// A match checks the context in proportion to its work, and ends with it.
func TestMatchEnds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 100_000)
	tests := []struct {
		name  string
		match func(*query.Work)
	}{
		{"one regular expression", matching(t, `{"field":"v","operator":"regex","value":"(?:a?b?){50}z"}`, long)},
		{"many regular expressions", matching(t, `{"OR":[`+strings.Repeat(`{"field":"v","operator":"regex","value":"a?z$"},`, 19)+`{"v":1}]}`, long)},
		{"many texts", matching(t, `{"OR":[`+strings.Repeat(`{"field":"v","operator":"contains","value":"aaaaz"},`, 99)+`{"v":1}]}`, long)},
		{"many conditions on a large value", matching(t, `{"OR":[`+strings.Repeat(`{"v":2},`, 99)+`{"v":1}]}`, long)},
		{"a search for many parts", func(w *query.Work) {
			s, err := query.NewSearch(strings.Repeat("z", 50)+strings.Join(strings.Split(strings.Repeat("bcdefghi", 100), ""), " z"), false)
			if err != nil {
				t.Fatal(err)
			}
			s.Match(query.Texts([]any{long, long, long}), w)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			const most = 1000
			ctx := &fuse{context.Background(), most}
			w := query.NewWork(ctx)
			test.match(w)
			if looks := most - ctx.left; w.Err() != nil || looks < 3 {
				t.Fatalf("a whole match: looked %d times at the context, got %v, want 3 or more", looks, w.Err())
			}
			ctx.left = 2
			w = query.NewWork(ctx)
			test.match(w)
			if !errors.Is(w.Err(), context.Canceled) || ctx.left != -1 {
				t.Errorf("got %v, and work of %d more looks, want %v at once", w.Err(), -1-ctx.left, context.Canceled)
			}
		})
	}
}

func matching(t *testing.T, filter string, text string) func(*query.Work) {
	p := compiled(t, filter, nil)
	return func(w *query.Work) {
		w.Begin(len(text))
		p.Match(query.Map{"v": text}, w)
	}
}

// A match that costs too much says so, and is not taken for no match.
func TestMatchCostsTooMuch(t *testing.T) {
	t.Parallel()
	expr := `(?:` + strings.Repeat("a?", 375) + `){130}z`
	condition := `{"field":"a.b","operator":"regex","value":"` + expr + `"}`
	for _, filter := range []string{condition, `{"NOT":[` + condition + `]}`, `{"OR":[` + condition + `,{"a.c":1}]}`} {
		w := new(query.Work)
		compiled(t, filter, nil).Match(query.Map{"a": []any{map[string]any{"b": strings.Repeat("a", 40_000)}}}, w)
		var costly *pattern.WorkError
		if err := w.Err(); !errors.As(err, &costly) || !strings.HasPrefix(err.Error(), "a.b: ") {
			t.Errorf("%.20s…: got %v, want a WorkError that names the path", filter, err)
		}
	}
}

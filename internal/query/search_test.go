package query_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	texts := query.Texts(tree(t, `{"title":"Red SNEAKER","meta":{"tags":["blue","Straße 7"],"n":5,"name":{"first":"\u212aurt"}},"none":null,"no":false}`))
	tests := []struct {
		term          string
		caseSensitive bool
		want          bool
	}{
		{"", false, true},
		{" \t\n\u00a0", false, true},
		{"red", false, true},
		{"RED sneaker", false, true},
		{"ed NEAK lue", false, true}, // parts of words, of several texts
		{"red green", false, false},
		{"red\tblue\u2003kurt", false, true},
		{"STRAẞE", false, true},
		{"strasse", false, false},
		{"title", false, false}, // a name
		{"5", false, false},     // a number
		{"7", false, true},
		{"red red red", false, true},
		{"Red", true, true},
		{"red", true, false},
		{"SNEAKER blue", true, true},
		{"kurt", true, false},
	}
	for _, test := range tests {
		s, err := query.NewSearch(test.term, test.caseSensitive)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Match(texts, new(query.Work)); got != test.want {
			t.Errorf("%q, case sensitive %t: got %t, want %t", test.term, test.caseSensitive, got, test.want)
		}
		if got := s.Match(query.Texts(nil), new(query.Work)); got != (len(s.Parts) == 0) {
			t.Errorf("%q in nothing: got %t", test.term, got)
		}
	}
}

func TestSearchParts(t *testing.T) {
	t.Parallel()
	s, err := query.NewSearch(" b  A\tb É", false)
	if err != nil || !slices.Equal(s.Parts, []string{"a", "b", "É"}) || s.CaseSensitive {
		t.Errorf("got %+v, %v", s, err)
	}
	var term strings.Builder
	for i := range query.MaxConditions {
		fmt.Fprintf(&term, "part%d ", i)
	}
	if s, err = query.NewSearch(term.String(), false); err != nil || len(s.Parts) != query.MaxConditions {
		t.Fatalf("got %d parts, %v", len(s.Parts), err)
	}
	if !s.Match(slices.Values([]string{"x", term.String()}), new(query.Work)) || s.Match(slices.Values([]string{term.String()[6:]}), new(query.Work)) {
		t.Error("not all parts are asked for")
	}
	_, err = query.NewSearch(term.String()+"more", false)
	wantFaults(t, err, ": count")
	_, err = query.NewSearch(strings.Repeat("x", query.MaxString), false)
	wantFaults(t, err)
	_, err = query.NewSearch(strings.Repeat("x", query.MaxString+1), false)
	wantFaults(t, err, ": size")
	_, err = query.NewSearch("\xff", false)
	wantFaults(t, err, ": utf8")
}

// A search ends with the text that completes it.
func TestSearchEnds(t *testing.T) {
	t.Parallel()
	s, err := query.NewSearch("a b", false)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	found := s.Match(func(yield func(string) bool) {
		for _, text := range []string{"x", "a", "b", "y", "z"} {
			if n++; !yield(text) {
				return
			}
		}
	}, new(query.Work))
	if !found || n != 3 {
		t.Errorf("got %t after %d texts, want true after 3", found, n)
	}
	n = 0
	for range query.Texts(tree(t, `[["a",{"x":"b"}],{"y":["c"]},"d"]`)) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("got %d texts, want 2", n)
	}
}

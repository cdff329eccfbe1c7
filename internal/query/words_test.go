package query_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
)

func TestWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want []string
	}{
		{"", nil},
		{" .,-_!", nil},
		{"Red", []string{"Red"}},
		{"Red sneaker", []string{"Red", "sneaker"}},
		{" (red)-sneaker_42, x3! ", []string{"red", "sneaker", "42", "x3"}},
		{"don't", []string{"don", "t"}},
		{"naïve cafe\u0301 x", []string{"naïve", "cafe\u0301", "x"}},
		{"日本語、テスト", []string{"日本語", "テスト"}},
		{"a😀b", []string{"a", "b"}},
		{"٣٤ ½ Ⅷ", []string{"٣٤"}}, // digits, but no other numbers
		{"نص عربي", []string{"نص", "عربي"}},
	}
	for _, test := range tests {
		if got := slices.Collect(query.SplitWords(test.in)); !slices.Equal(got, test.want) {
			t.Errorf("Words(%q) = %q, want %q", test.in, got, test.want)
		}
	}
	for range query.SplitWords("a b c") {
		break // which must end it
	}
}

func TestWordsOperator(t *testing.T) {
	t.Parallel()
	tests := []struct {
		words, text string
		want        bool
	}{
		{"red", "A RED shoe", true},
		{"shoe, red; shoe", "A RED shoe", true},
		{"red", "redder", false},
		{"red blue", "red", false},
		{"straße", "STRAẞE 5", true},
		{"strasse", "straße", false},
		{"\u212aelvin", "kelvin", true},
		{"...", "...", false},
		{"cafe", "cafe\u0301", false}, // the accent is part of the word
	}
	for _, test := range tests {
		p, err := query.Compile(query.Condition("v", query.Words, test.words), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(query.Map{"v": test.text}, new(query.Work)); got != test.want {
			t.Errorf("%q has the words %q: got %t, want %t", test.text, test.words, got, test.want)
		}
	}
}

// More words than there are bits in the list that is kept on the stack.
func TestHasManyWords(t *testing.T) {
	t.Parallel()
	var words []string
	for i := range 200 {
		words = append(words, fmt.Sprintf("W%d", i))
	}
	p, err := query.Compile(query.Condition("v", query.Words, strings.Join(words, " ")), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Root.Value.(*query.WordSet).Words; len(got) != len(words) || !slices.IsSorted(got) || got[0] != "w0" {
		t.Errorf("got %d words beginning with %q, want %d", len(got), got[0], len(words))
	}
	slices.Reverse(words)
	doc := query.Map{"v": strings.ToLower(strings.Join(append(words, words...), ", "))}
	if !p.Match(doc, new(query.Work)) {
		t.Error("a text with all the words does not match")
	}
	for _, missing := range []int{0, 63, 64, 65, 199} {
		doc["v"] = strings.Join(slices.Concat(words[:199-missing], words[200-missing:]), " ")
		if p.Match(doc, new(query.Work)) {
			t.Errorf("a text without word %d matches", missing)
		}
	}
}

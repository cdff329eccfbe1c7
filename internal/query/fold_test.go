package query_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/query"
)

func TestFold(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"", ""},
		{"abc XYZ 019 @[`{", "abc xyz 019 @[`{"},
		{"ÀÉÎ àéî", "ÀÉÎ ÀÉÎ"},
		{"STRASSE straße STRAẞE", "strasse straße straße"}, // ẞ would be longer
		{"ſ S s", "s s s"},
		{"\u212a K k", "k k k"}, // the Kelvin sign
		{"\u212b Å å", "Å Å Å"}, // the Ångström sign
		{"İ I i ı", "İ i i ı"},  // those with and without a dot have no other case
		{"Σ σ ς", "Σ Σ Σ"},
		{"µ μ Μ", "Μ Μ Μ"}, // the micro sign and mu
		{"\u0345 ι Ι \u1fbe", "Ι Ι Ι Ι"},
		{"Ⱥ ⱥ", "Ⱥ Ⱥ"},
		{"Дд", "ДД"},
		{"Ꭰ ꭰ", "Ꭰ Ꭰ"},
		{"ⓐ Ⓐ", "Ⓐ Ⓐ"},
		{"𐐀 𐐨", "𐐀 𐐀"},
		{"日本語😀", "日本語😀"},
		{"e\u0301 É", "e\u0301 É"}, // no normalisation
	}
	for _, test := range tests {
		if got := query.Fold(test.in); got != test.want {
			t.Errorf("Fold(%q) = %q, want %q", test.in, got, test.want)
		}
		if got := string(query.AppendFold([]byte("A"), test.in)); got != "A"+test.want {
			t.Errorf("AppendFold(A, %q) = %q, want %q", test.in, got, "A"+test.want)
		}
	}
}

// Every character folds to one of its own orbit, the same for all of it, that is
// no longer than any.
func TestFoldEveryCharacter(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		got := query.Fold(string(r))
		f, n := utf8.DecodeRuneInString(got)
		if n != len(got) {
			t.Fatalf("Fold(%q) = %q, want one character", r, got)
		}
		inOrbit := f == r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			inOrbit = inOrbit || f == other
			if query.Fold(string(other)) != got {
				t.Errorf("%q folds to %q, and %q to %q", r, got, other, query.Fold(string(other)))
			}
		}
		switch {
		case !inOrbit:
			t.Errorf("Fold(%q) = %q, which is another character", r, got)
		case n > utf8.RuneLen(r):
			t.Errorf("Fold(%q) = %q, which is longer", r, got)
		case utf8.RuneLen(r) > 3*n:
			t.Errorf("Fold(%q) = %q, which is less than a third as long", r, got)
		case r <= unicode.MaxASCII && got != strings.ToLower(string(r)):
			t.Errorf("Fold(%q) = %q, want the lower case", r, got)
		}
		if words := slices.Collect(query.SplitWords(string(r))); len(words) != len(slices.Collect(query.SplitWords(got))) {
			t.Errorf("%q is a word or not, depending on its case", r)
		}
	}
}

// letters are characters that fold in all the ways there are.
var letters = []rune("aAkK\u212asSſßẞiIİıσΣςµμΜⱥȺåÅ\u212b -0é\u0301日😀\u0345ιΙ")

func TestFoldRandom(t *testing.T) {
	t.Parallel()
	r := random(t)
	word := func(n int) string {
		var b strings.Builder
		for range r.IntN(n) {
			b.WriteRune(letters[r.IntN(len(letters))])
		}
		return b.String()
	}
	for range 10_000 {
		a, b := word(6), word(4)
		if got, want := query.Fold(a) == query.Fold(b), strings.EqualFold(a, b); got != want {
			t.Fatalf("%q and %q: folded equal %t, want %t", a, b, got, want)
		}
		fa, fb := query.Fold(a), query.Fold(b)
		doc := query.Map{"v": a}
		wants := map[query.Op]bool{
			query.Eq: fa == fb, query.Gt: fa > fb, query.Lt: fa < fb, query.Gte: fa >= fb, query.Lte: fa <= fb,
			query.Contains: strings.Contains(fa, fb), query.StartsWith: strings.HasPrefix(fa, fb), query.EndsWith: strings.HasSuffix(fa, fb),
		}
		for op, want := range wants {
			p, err := query.Compile(query.Condition("v", op, b), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(doc, new(query.Work)); got != want {
				t.Fatalf("%q %s %q: got %t, want %t", a, op, b, got, want)
			}
		}
		p, err := query.Compile(query.Condition("v", query.In, []string{b}), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(doc, new(query.Work)); got != (fa == fb) {
			t.Fatalf("%q in %q: got %t, want %t", a, b, got, fa == fb)
		}
	}
}

// Texts longer than the buffers on the stack are compared like others.
func TestFoldLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Straße ", 1000) + "\u212a" + strings.Repeat(" x", 500)
	upper := strings.ReplaceAll(strings.ToUpper(long), "SS", "ẞ")
	for _, op := range []query.Op{query.Eq, query.Contains, query.StartsWith, query.EndsWith, query.Words} {
		p, err := query.Compile(query.Condition("v", op, upper), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Match(query.Map{"v": long}, new(query.Work)) {
			t.Errorf("%s: the same in another case does not match", op)
		}
		if p.Match(query.Map{"v": strings.ReplaceAll(long, "\u212a", "\u212b")}, new(query.Work)) {
			t.Errorf("%s: something else matches", op)
		}
	}
	p, err := query.Compile(query.Condition("v", query.Contains, "e k X"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Match(query.Map{"v": long}, new(query.Work)) {
		t.Error("a part of a long text does not match")
	}
}

package query_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/query"
	"golang.org/x/text/unicode/norm"
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
		{"e\u0301 E\u0301 É", "É É É"},
		{"\u1112\u1161\u11ab", "한"},
		{"q\u0307\u0323", "q\u0323\u0307"},   // marks have an order
		{"\u0958", "क\u093c"},                // it is never composed
		{"\u01f0 J\u030c", "\u01f0 j\u030c"}, // J with caron has no character of its own
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
// no longer than any. One that has another normal form folds as that does.
func TestFoldEveryCharacter(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		got := query.Fold(string(r))
		if normal := norm.NFC.String(string(r)); normal != string(r) {
			if want := query.Fold(normal); got != want || len(got) > 3*utf8.RuneLen(r) {
				t.Errorf("Fold(%q) = %q, want %q", r, got, want)
			}
			continue
		}
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

// A character and its decomposed form are the same text, beside any other character.
func TestFoldDecomposed(t *testing.T) {
	t.Parallel()
	r := random(t)
	for c := rune(utf8.RuneSelf); c <= unicode.MaxRune; c++ {
		decomposed := norm.NFD.String(string(c))
		if !utf8.ValidRune(c) || decomposed == string(c) {
			continue
		}
		if shrunk := len(norm.NFC.String(decomposed)); len(decomposed) > 3*shrunk {
			t.Errorf("%q: %d bytes decomposed, and %d in form C", c, len(decomposed), shrunk)
		}
		before, after := letters[r.IntN(len(letters))], letters[r.IntN(len(letters))]
		a, b := string(before)+string(c)+string(after), string(before)+decomposed+string(after)
		folded := query.Fold(a)
		if got := query.Fold(b); got != folded {
			t.Fatalf("Fold(%+q) = %+q, want %+q, as of %+q", b, got, folded, a)
		}
		for _, mind := range []bool{false, true} {
			for _, op := range []query.Op{query.Contains, query.StartsWith, query.EndsWith, query.Words} {
				if op == query.Words && len(slices.Collect(query.SplitWords(folded))) == 0 {
					continue
				}
				p, err := query.Compile(query.Condition("v", op, a).MindCase(mind), nil)
				if err != nil {
					t.Fatal(err)
				}
				if !p.Match(query.Map{"v": b}, new(query.Work)) {
					t.Errorf("%+q %s %+q, case sensitive %t: no match", b, op, a, mind)
				}
			}
		}
	}
}

// letters are characters that fold and compose in all the ways there are.
var letters = []rune("aAkK\u212asSſßẞiIİıσΣςµμΜⱥȺåÅ\u212b -0é\u0301日😀\u0345ιΙeE\u0323\u0307\u030ajJ\u030cǰ\u1112\u1161\u11ab한\u0958\u093c=\u0338≠\u0344\U0001d15e\u1fb3\u05b0")

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
	for range 20_000 {
		a, b := word(8), word(4)
		na, nb := norm.NFC.String(a), norm.NFC.String(b)
		fa, fb := query.Fold(a), query.Fold(b)
		if got, want := fa == fb, strings.EqualFold(na, nb); got != want {
			t.Fatalf("%+q and %+q: folded equal %t, want %t", a, b, got, want)
		}
		if len(fa) > 3*len(a) || len(a) > 9*len(fa) {
			t.Fatalf("Fold(%+q) has %d bytes", a, len(fa))
		}
		if got := string(query.AppendFold([]byte("e"), a)); got != "e"+fa {
			t.Fatalf("AppendFold(e, %+q) = %+q, want %+q", a, got, "e"+fa)
		}
		doc := query.Map{"v": a}
		for _, want := range []struct {
			op            query.Op
			folded, exact bool
		}{
			{query.Eq, fa == fb, a == b}, {query.Gt, fa > fb, a > b}, {query.Lt, fa < fb, a < b}, {query.Gte, fa >= fb, a >= b}, {query.Lte, fa <= fb, a <= b},
			{query.Contains, strings.Contains(fa, fb), strings.Contains(na, nb)},
			{query.StartsWith, strings.HasPrefix(fa, fb), strings.HasPrefix(na, nb)},
			{query.EndsWith, strings.HasSuffix(fa, fb), strings.HasSuffix(na, nb)},
		} {
			for mind, holds := range map[bool]bool{false: want.folded, true: want.exact} {
				p, err := query.Compile(query.Condition("v", want.op, b).MindCase(mind), nil)
				if err != nil {
					t.Fatal(err)
				}
				if got := p.Match(doc, new(query.Work)); got != holds {
					t.Fatalf("%+q %s %+q, case sensitive %t: got %t, want %t", a, want.op, b, mind, got, holds)
				}
			}
		}
		p, err := query.Compile(query.Condition("v", query.In, []string{b}), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(doc, new(query.Work)); got != (fa == fb) {
			t.Fatalf("%+q in %+q: got %t, want %t", a, b, got, fa == fb)
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

package pattern

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// A counter is a Meter that ends work at a limit, unless that is 0.
type counter struct{ spent, limit int }

var errEnough = errors.New("enough")

func (c *counter) Spend(work int) error {
	c.spent += work
	if c.limit > 0 && c.spent > c.limit {
		return errEnough
	}
	return nil
}

func mustCompile(t *testing.T, expr string, fold bool) *Pattern {
	t.Helper()
	p, err := Compile(expr, fold, new(Budget))
	if err != nil {
		t.Fatalf("Compile %.40q: %v", expr, err)
	}
	return p
}

func TestBudget(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		expr    string
		times   int // how often it is compiled
		fold    bool
		tooMuch bool
	}{
		{name: "mail address", expr: `^[\w.+-]+@[\w-]+(\.[\w-]+)+$`, times: 100, fold: true},
		{name: "uuid", expr: `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, times: 100},
		{name: "letters of any script", expr: `^[\p{L}\p{M}' -]{1,100}$`, times: 50, fold: true},
		{name: "wide range, folded", expr: `[^\x00-\x1f\x{80}-\x{10ffff}]`, times: 19, fold: true},
		{name: "wide range, not folded", expr: `[B-𞥃]`, times: 1000},
		{name: "full range, folded", expr: `[\x00-\x{10ffff}]`, times: 1000, fold: true},
		{name: "repeated text", expr: `(?:` + strings.Repeat("a", 60) + `){999}`, times: 2, tooMuch: true},
		{name: "optional text", expr: `(?:` + strings.Repeat("a", 60) + `){0,1000}`, times: 2, tooMuch: true},
		{name: "nested repetitions", expr: strings.Repeat(`(?:`, 3) + strings.Repeat("a?", 100) + strings.Repeat(`){10}`, 3), times: 1, tooMuch: true},
		{name: "long text", expr: strings.Repeat("a|", MaxSize/2+1), times: 1, tooMuch: true},
		{name: "large class", expr: `[` + strings.Repeat(`\pL`, 400) + `]`, times: 1, tooMuch: true},
		{name: "many large classes", expr: strings.Repeat(`\pL`, 2000), times: 1, tooMuch: true},
		{name: "wide ranges, folded", expr: `[` + strings.Repeat(`B-𞥃`, 333) + `]`, times: 1, fold: true, tooMuch: true},
		{name: "wide ranges with a flag", expr: `(?s-Ui:[` + strings.Repeat(`B-𞥃`, 333) + `])`, times: 1, tooMuch: true},
		{name: "wide ranges in hexadecimal", expr: `(?i)[` + strings.Repeat(`\x42-\x{1e943}`, 80) + `]`, times: 1, tooMuch: true},
		{name: "wide ranges in octal", expr: `(?i)[` + strings.Repeat(`\102-𞥃`, 80) + `]`, times: 1, tooMuch: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			budget := new(Budget)
			var err error
			for range test.times {
				if _, err = Compile(test.expr, test.fold, budget); err != nil {
					break
				}
			}
			if got := errors.Is(err, ErrSize); got != test.tooMuch || err != nil && !got {
				t.Errorf("too much: got %t, %v, want %t", got, err, test.tooMuch)
			}
			var checked error
			if !test.fold {
				budget := new(Budget)
				for range test.times {
					if checked = Check(test.expr, budget); checked != nil {
						break
					}
				}
				if !errors.Is(checked, err) {
					t.Errorf("Check: got %v, want %v, as Compile", checked, err)
				}
			}
		})
	}
}

// The budget counts everything.
func TestBudgetCountsAll(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		``, `a`, `abc`, `a|bc|d`, `(a)(b(c))`, `a*b+c?`, `(?:ab?){3,7}`, `(?:a|b){4,}`, `x{0,9}`, `^\b[a-z]$`, `[\pL]{3}`, `(?:(?:a{2}b){2,3}c){2}`,
	} {
		budget := new(Budget)
		p, err := Compile(expr, true, budget)
		if err != nil {
			t.Fatal(err)
		}
		if budget.size+2 < p.Size() { // each program has two instructions of its own
			t.Errorf("%s: counted %d, got a program of %d", expr, budget.size, p.Size())
		}
	}
}

func TestCompileSyntax(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{`(`, `[`, `a**`, `\`, `[b-a]`, `\x{`, `\x{zz}`, `[\x{110000}-a]`, `-`, `[a-`, `[a-\`, `[-\x`, `[\0-\7]`, "\xff-"} {
		_, want := regexp.Compile("(?i)" + expr)
		if _, err := Compile(expr, true, new(Budget)); (err == nil) != (want == nil) || errors.Is(err, ErrSize) {
			t.Errorf("Compile %q: got %v, want %v", expr, err, want)
		}
	}
}

// A long match finds what the regexp package finds.
func TestMatch(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("lorem ipsum dolör\n", 2000)
	for _, expr := range []string{
		`dolör`, `^lorem`, `^lorem$`, `\Alorem\z`, `\Alorem(.|\n)*\z`, `dol.r$`, `(?m)dol.r$`, `\bips`, `x`, `ipsum d[^a-z]`, `(\w+\s+){50}`, `(?:\w+ ){3}`, `^$`, `a*`,
	} {
		for _, fold := range []bool{false, true} {
			p := mustCompile(t, expr, fold)
			for _, text := range []string{"", "lorem", long, long + "x", "x" + long} {
				got, err := p.Match(text, new(counter))
				if want := regexp.MustCompile(p.String()).MatchString(text); got != want || err != nil {
					t.Errorf("%s in %d bytes: got %t, %v, want %t", p, len(text), got, err, want)
				}
			}
		}
	}
}

func TestMatchIsBounded(t *testing.T) {
	t.Parallel()
	p := mustCompile(t, `(?:`+strings.Repeat("a?", 375)+`){130}z`, true) // 759 characters
	text := strings.Repeat("a", 40_000)
	_, err := p.Match(text, new(counter))
	var costly *WorkError
	if !errors.As(err, &costly) || costly.Size != p.Size() || costly.Bytes != len(text) {
		t.Errorf("Match: got %v, want a WorkError of %d instructions and %d bytes", err, p.Size(), len(text))
	}
	if found, err := mustCompile(t, `z(?:`+strings.Repeat("a?", 375)+`){130}`, false).Match(text, new(counter)); found || err != nil {
		t.Errorf("Match without the prefix: got %t, %v, want false", found, err)
	}
}

// The meter gets all work, and ends a match within a step.
func TestMatchSpends(t *testing.T) {
	t.Parallel()
	p := mustCompile(t, `(?:a?b?){50}z`, false)
	text := strings.Repeat("a", 100_000)
	c := new(counter)
	if found, err := p.Match(text, c); found || err != nil {
		t.Fatalf("Match: got %t, %v, want false", found, err)
	}
	if want := p.Size() * len(text); c.spent < want {
		t.Errorf("spent: got %d, want at least %d", c.spent, want)
	}
	c = &counter{limit: len(text) + 5*step}
	if _, err := p.Match(text, c); !errors.Is(err, errEnough) {
		t.Errorf("Match: got %v, want %v", err, errEnough)
	}
	if c.spent > c.limit+step {
		t.Errorf("spent after the end: got %d, want at most %d", c.spent, c.limit+step)
	}
}

// A match with an empty text runs the program once, and costs that.
func TestMatchOfNothingSpends(t *testing.T) {
	t.Parallel()
	p := mustCompile(t, `(?:`+strings.Repeat("a?", 400)+`){100}$`, false)
	c := &counter{limit: 3 * p.Size()}
	var err error
	for n := 0; err == nil && n < 10; n++ {
		_, err = p.Match("", c)
	}
	if !errors.Is(err, errEnough) || c.spent < p.Size() {
		t.Errorf("Match: spent %d, got %v, want at least %d each, and %v", c.spent, err, p.Size(), errEnough)
	}
	a := new(Allowance)
	for n := 0; n <= MaxWork/p.Size(); n++ {
		if _, err = Lazy(p.String()).Match("", a); err != nil {
			break
		}
	}
	var costly *WorkError
	if !errors.As(err, &costly) || !costly.Shared {
		t.Errorf("Lazy.Match: got %v, want a WorkError of several matches", err)
	}
}

// The work that is allowed at most takes about a second.
func BenchmarkMatch(b *testing.B) {
	for _, expr := range []string{`(?:a?[^x-z]?k?){300}z`, `(?:[aA]?\pL?){200}z`, `(?:\w*\s*\d*){150}z`, `(?:` + strings.Repeat("a?", 375) + `){130}z`} {
		p, err := Compile(expr, true, new(Budget))
		if err != nil {
			b.Fatal(err)
		}
		text := strings.Repeat("a", MaxWork/p.Size()-1) // a match looks behind the end, too
		b.Run(expr[:12], func(b *testing.B) {
			for b.Loop() {
				if found, err := p.Match(text, new(counter)); found || err != nil {
					b.Fatalf("got %t, %v, want false", found, err)
				}
			}
		})
	}
}

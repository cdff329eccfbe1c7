package pattern

import (
	"container/list"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestLazy(t *testing.T) {
	t.Parallel()
	for expr, want := range map[Lazy]bool{`^a+$`: true, `b`: false, `A`: false} {
		for range 2 {
			if got, err := expr.Match("aaa", new(Allowance)); got != want || err != nil {
				t.Errorf("%s: got %t, %v, want %t", expr, got, err, want)
			}
		}
	}
	if _, err := Lazy(`(`).Match("", new(Allowance)); err == nil {
		t.Error("an expression that is none: got no error")
	}
	large := Lazy(`(?:` + strings.Repeat("a?", 600) + `){130}`)
	if _, err := large.Match("", new(Allowance)); !errors.Is(err, ErrSize) {
		t.Errorf("a large expression: got %v, want %v", err, ErrSize)
	}
}

// Matches that share an allowance do no more work than one may.
func TestAllowance(t *testing.T) {
	t.Parallel()
	a := new(Allowance)
	expr := Lazy(`(?:a?b?){1000}z`)
	text := strings.Repeat("c", 100)
	var err error
	matches := 0
	for err == nil && matches < 1000 {
		_, err = expr.Match(text, a)
		matches++
	}
	var costly *WorkError
	if !errors.As(err, &costly) || matches > MaxWork/len(text)/4000+1 {
		t.Errorf("after %d matches: got %v, want a WorkError", matches, err)
	}
}

// The cache compiles an expression once, and lets go of those not used for long.
func TestCache(t *testing.T) {
	t.Parallel()
	c := cache{entries: make(map[string]*list.Element)}
	use := func(expr string) *Pattern {
		p, err := c.pattern(expr)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first, second := use(`first`), use(`second`)
	for i := range 50 {
		use(fmt.Sprintf(`%d(?:%s){100}`, i, strings.Repeat("a", 100)))
		if use(`first`) != first {
			t.Fatal("what is in use was compiled again")
		}
	}
	if use(`second`) == second {
		t.Error("what was not used for long is still there")
	}
	if c.size > maxCached || len(c.entries) != c.order.Len() {
		t.Errorf("got a size of %d, %d entries and %d in order, want at most %d and as many", c.size, len(c.entries), c.order.Len(), maxCached)
	}
}

package pattern

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// MaxWork bounds one match: the instructions of the program times the bytes of
// the text and one. A unit takes 5 to 20 ns, so a match takes a second at most.
const MaxWork = 50_000_000

// step is the work between two calls of a Meter, about a millisecond.
const step = 1 << 16

// A Meter counts work before it is done. An error ends the work.
type Meter interface {
	Spend(work int) error
}

// A Pattern is a compiled regular expression. It is safe for concurrent use.
type Pattern struct {
	re     *regexp.Regexp
	prefix string // every match begins with it
	whole  bool   // and every match is no more than that
	size   int    // instructions of the program
}

// Compile compiles an expression in the syntax of the regexp package. If fold is
// true it ignores case. The expression counts against the budget, which must not
// be nil. The error is [ErrSize] if the budget is exceeded, or describes a fault of the
// syntax.
func Compile(expr string, fold bool, budget *Budget) (*Pattern, error) {
	tree, err := budget.parse(expr, fold)
	if err != nil {
		return nil, err
	}
	// The regexp package does not tell the size of its program.
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	if fold {
		expr = "(?i)" + expr
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	p := &Pattern{re: re, size: len(program.Inst)}
	p.prefix, _ = re.LiteralPrefix() // which calls ^abc$ complete
	p.whole = tree.Op == syntax.OpLiteral && tree.Flags&syntax.FoldCase == 0
	return p, nil
}

// Check reports whether [Compile] would accept the expression, and counts it
// against the budget, but does not compile it.
func Check(expr string, budget *Budget) error {
	_, err := budget.parse(expr, false)
	return err
}

// String returns the expression.
func (p *Pattern) String() string { return p.re.String() }

// Size returns the number of instructions of the program.
func (p *Pattern) Size() int { return p.size }

// Match reports whether s contains a match. The error is a [*WorkError] if that
// would exceed [MaxWork], or the meter's.
func (p *Pattern) Match(s string, meter Meter) (bool, error) {
	work := p.work(s)
	if work <= step {
		if err := meter.Spend(int(work)); err != nil {
			return false, err
		}
		return p.re.MatchString(s), nil
	}
	// A search for the prefix is fast at any length, and often all that is needed.
	if err := meter.Spend(len(s)); err != nil {
		return false, err
	}
	if has := strings.Contains(s, p.prefix); !has || p.whole {
		return has, nil
	}
	if work > MaxWork {
		return false, &WorkError{Size: p.size, Bytes: len(s)}
	}
	r := reader{text: s, each: max(1, step/p.size), meter: meter}
	found := p.re.MatchReader(&r)
	return found && r.err == nil, r.err
}

// work returns the cost of a match with s: the program runs once for each place between
// bytes, so that an empty text is not free.
func (p *Pattern) work(s string) int64 { return int64(p.size) * (int64(len(s)) + 1) }

// A reader reads a text for a match, and ends where the meter says so.
type reader struct {
	text  string
	each  int // the characters between two calls of the meter
	left  int
	meter Meter
	err   error
}

func (r *reader) ReadRune() (rune, int, error) {
	if r.left == 0 {
		if r.err == nil {
			r.err = r.meter.Spend(step)
		}
		if r.err != nil {
			return 0, 0, r.err
		}
		r.left = r.each
	}
	r.left--
	if r.text == "" {
		return 0, 0, io.EOF
	}
	c, n := utf8.DecodeRuneInString(r.text)
	r.text = r.text[n:]
	return c, n, nil
}

// A WorkError says that a match would exceed [MaxWork].
type WorkError struct {
	Size   int  // instructions of the program
	Bytes  int  // of the text
	Shared bool // other matches have used part of the allowance
}

func (e *WorkError) Error() string {
	if e.Shared {
		return fmt.Sprintf("a regular expression of %d instructions cannot be matched with a text of %d bytes: with the matches before it, the sum of such products is more than %d; shorten the expression, repeat less in it, or match fewer texts",
			e.Size, e.Bytes, MaxWork)
	}
	return fmt.Sprintf("a regular expression of %d instructions cannot be matched with a text of %d bytes: their product is more than %d; shorten the expression, repeat less in it, or leave out long texts",
		e.Size, e.Bytes, MaxWork)
}

// ErrSize says that expressions exceed their budget.
var ErrSize = errors.New("too large")

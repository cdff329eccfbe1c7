package pattern

import (
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxSize bounds the instructions that all expressions of a [Budget] compile to,
// and what their text may cost to parse, in units of one byte of plain text.
// Programs of that size take 5 MB, and compiling them 50 ms.
const MaxSize = 100_000

// A Budget bounds expressions that belong together, such as those of one filter.
// The zero Budget is unspent.
type Budget struct {
	text int // the cost of parsing
	size int // the instructions
}

// parse parses an expression if the budget allows.
func (b *Budget) parse(expr string, fold bool) (*syntax.Regexp, error) {
	// Parsing itself has no useful bound, so its cost is estimated before.
	if b.text += parseCost(expr, fold); b.text > MaxSize {
		return nil, ErrSize
	}
	flags := syntax.Perl
	if fold {
		flags |= syntax.FoldCase
	}
	tree, err := syntax.Parse(expr, flags)
	if err != nil {
		return nil, err
	}
	if b.size = sizeOf(tree, b.size) + classes(tree); b.size > MaxSize {
		return nil, ErrSize
	}
	return tree, nil
}

// sizeOf adds to n the instructions that a regular expression compiles to, or
// slightly more. It stops counting where that exceeds MaxSize.
func sizeOf(tree *syntax.Regexp, n int) int {
	switch tree.Op {
	case syntax.OpLiteral:
		n += len(tree.Rune)
	case syntax.OpCapture:
		n += 2
	case syntax.OpAlternate:
		n += len(tree.Sub)
	default:
		n++
	}
	times := 1
	if tree.Op == syntax.OpRepeat {
		times = max(tree.Min, tree.Max, 1)
		n += max(0, tree.Max-tree.Min)
	}
	for range times {
		for _, sub := range tree.Sub {
			if n > MaxSize {
				return n
			}
			n = sizeOf(sub, n)
		}
	}
	return n
}

// classes returns the instructions that would take as much memory as the character
// classes of a regular expression, which are kept once however often they repeat.
func classes(tree *syntax.Regexp) (n int) {
	if tree.Op == syntax.OpCharClass {
		n = len(tree.Rune) / 16
	}
	for _, sub := range tree.Sub {
		n += classes(sub)
	}
	return n
}

const (
	classCost   = 256 // of a Unicode class, which may have 700 ranges to sort
	foldsByByte = 25  // as many characters are folded in the time of a byte
	minFold     = 'A'
	maxFold     = 0x1e943 // beyond these two limits no character has another case
)

// parseCost estimates what parsing an expression costs: one for each byte, more
// for each Unicode class, and, if case may be ignored, for each range, whose
// characters are folded one by one. It is never far below the true cost.
func parseCost(expr string, fold bool) int {
	n := len(expr) + classCost*(strings.Count(expr, `\p`)+strings.Count(expr, `\P`))
	if n > MaxSize || !fold && !setsFold(expr) {
		return n
	}
	// Whether a dash stands in a class does not matter: outside it is rare.
	var before rune
	for rest := expr; rest != "" && n <= MaxSize; {
		var c rune
		if rest[0] != '-' {
			before, rest = cutCharacter(rest)
			continue
		}
		rest = rest[1:]
		if rest == "" {
			break
		}
		c, after := cutCharacter(rest)
		if before > minFold || c < maxFold { // else the parser takes it for everything
			n += max(0, int(min(c, maxFold)-max(before, minFold))) / foldsByByte
		}
		if before = c; c != '-' {
			rest = after
		}
	}
	return n
}

// setsFold reports whether an expression may have a flag that ignores case.
func setsFold(expr string) bool {
	for {
		_, rest, ok := strings.Cut(expr, "(?")
		if !ok {
			return false
		}
		flags := rest[:len(rest)-len(strings.TrimLeft(rest, "imsU-"))]
		if strings.Contains(flags, "i") {
			return true
		}
		expr = rest
	}
}

// cutCharacter returns the first character of an expression, escaped or not, and the rest.
// An escape of a class counts as its letter.
func cutCharacter(expr string) (rune, string) {
	c, n := utf8.DecodeRuneInString(expr)
	rest := expr[n:]
	if c != '\\' || rest == "" {
		return c, rest
	}
	c, n = utf8.DecodeRuneInString(rest)
	digits, base := "", 16
	switch {
	case strings.HasPrefix(rest, "x{"):
		digits, _, _ = strings.Cut(rest[2:], "}")
		n = 2 + len(digits) + 1
	case c == 'x':
		digits = rest[1:min(3, len(rest))]
		n = 1 + len(digits)
	case '0' <= c && c <= '7':
		digits, base = rest[:min(3, len(rest))], 8
		digits = digits[:len(digits)-len(strings.TrimLeft(digits, "01234567"))]
		n = len(digits)
	default:
		return c, rest[n:]
	}
	code, err := strconv.ParseUint(digits, base, 31)
	if err != nil {
		code = 0 // the parser refuses it
	}
	return rune(code), rest[min(n, len(rest)):]
}

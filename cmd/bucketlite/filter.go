package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/bucketlite/bucketlite"
	"github.com/spf13/cobra"
	"golang.org/x/text/width"
)

// filterFlags are the flags of a command that say which objects it is about: --filter,
// which takes JSON, and --where. They exclude each other.
type filterFlags struct {
	filter, where string
	command       *cobra.Command
}

// add adds the flags to a command. Its help says what the objects are, as in "which objects".
func (f *filterFlags) add(a *app, c *cobra.Command, what string) {
	f.command = c
	c.Flags().StringVar(&f.filter, "filter", "", what+", as `JSON`; @FILE reads it from a file")
	c.Flags().StringVar(&f.where, "where", "", what+", by a `condition`, as 'duration > 60 and language = \"en\"'; @FILE reads it from a file")
	a.exclude(c, "filter", "where")
}

// read returns the filter that the flags make, and whether there is one.
func (f *filterFlags) read(ctx context.Context, a *app) (filter bucketlite.Filter, given bool, err error) {
	// An empty --where, of a variable that is not set, must not select everything.
	if f.command.Flags().Changed("where") {
		text, err := a.argument(ctx, f.where)
		if err != nil {
			return filter, true, err
		}
		filter, err = bucketlite.ParseWhere(string(text))
		return filter, true, point(string(text), err)
	}
	if f.filter == "" {
		return filter, false, nil
	}
	text, err := a.argument(ctx, f.filter)
	if err != nil {
		return filter, true, err
	}
	filter, err = bucketlite.ParseFilter(text)
	return filter, true, err
}

// pointed is an error with the line that it is about, and a caret below the place.
type pointed struct {
	err         error
	line, caret string
}

func (e *pointed) Unwrap() error { return e.err }
func (e *pointed) Error() string { return message(e.err) }

// point adds the line to an error of [bucketlite.ParseWhere].
func point(text string, err error) error {
	var bad *bucketlite.WhereError
	if !errors.As(err, &bad) {
		return err
	}
	before := text[:bad.Offset]
	before = before[strings.LastIndexByte(before, '\n')+1:]
	after, _, _ := strings.Cut(text[bad.Offset:], "\n")

	const most = 60 // characters on each side
	if runes := []rune(before); len(runes) > most {
		before = "…" + string(runes[len(runes)-most:])
	}
	return &pointed{err, printable(before + cut(after, most)), strings.Repeat(" ", columns(printable(before))) + "^"}
}

// columns returns how wide a terminal shows a text.
func columns(s string) (n int) {
	for _, c := range s {
		switch kind := width.LookupRune(c).Kind(); {
		case unicode.Is(unicode.Mn, c):
		case kind == width.EastAsianWide, kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// show prints the line and the caret.
func (e *pointed) show(a *app) { fmt.Fprintf(a.err, "  %s\n  %s\n", e.line, e.caret) }

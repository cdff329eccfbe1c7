package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite"
)

// report writes the story. It keeps the first error of writing for the end.
type report struct {
	w        io.Writer
	err      error
	chapters int
}

func (r *report) printf(format string, args ...any) {
	if r.err == nil {
		_, r.err = fmt.Fprintf(r.w, format, args...)
	}
}

// chapter begins a part of the story.
func (r *report) chapter(title string) {
	r.chapters++
	r.printf("\n%d. %s\n", r.chapters, title)
}

// say writes a paragraph, indented.
func (r *report) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.printf("   %s\n", strings.ReplaceAll(text, "\n", "\n   "))
}

// table writes rows in columns. The first names the row; any other whose cells
// are numbers is aligned to the right.
func (r *report) table(rows ...[]string) {
	widths := make([]int, len(rows[0]))
	numeric := make([]bool, len(rows[0]))
	for i := range widths {
		numeric[i] = i > 0
		for n, row := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
			heading := n == 0 && len(rows) > 1
			numeric[i] = numeric[i] && (heading || isNumber(row[i]))
		}
	}
	for _, row := range rows {
		line := "  "
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if numeric[i] {
				cell = pad + cell
			} else {
				cell += pad
			}
			line += "  " + cell
		}
		r.printf(" %s\n", strings.TrimRight(line, " "))
	}
}

// refusal writes why a call was refused: the kind of error, then its reasons.
func (r *report) refusal(call string, err error) {
	r.say("%s", call)
	var issues []bucketlite.Issue
	var invalid *bucketlite.ValidationError
	var query *bucketlite.QueryError
	switch {
	case errors.As(err, &invalid):
		issues = invalid.Issues
	case errors.As(err, &query):
		issues = query.Issues
	default:
		r.say("  refused: %v", err)
		return
	}
	r.say("  refused: %d %s", len(issues), plural(len(issues), "reason"))
	rows := [][]string{{"where", "rule", "why"}}
	for _, issue := range issues {
		rows = append(rows, []string{issue.Path, issue.Rule, issue.Message})
	}
	r.table(rows...)
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789,") == ""
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// count writes a number with its thousands apart: 1,234,567.
func count[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/bucketlite/bucketlite"
)

func TestLineReader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		input string
		want  []string
		mark  int // bytes that are no part of any line
	}{
		"nothing":                {"", nil, 0},
		"line breaks":            {"a\nb\r\n\nc\n", []string{"a", "b", "", "c"}, 0},
		"no line break at last":  {"a\nb", []string{"a", "b"}, 0},
		"longer than the buffer": {strings.Repeat("x", 1<<20) + "\ny\n", []string{strings.Repeat("x", 1<<20), "y"}, 0},
		"a mark":                 {"\ufeffa\r\nb\r\n", []string{"a", "b"}, 3},
		"a mark alone":           {"\ufeff", nil, 3},
		"a mark in a blank line": {"a\n\ufeff\r\n\ufeffb\n", []string{"a", "", "b"}, 0},
		"UTF-16":                 {"\xFE\xFF\x00a\x00\n\x00b", []string{"a", "b"}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLineReader(iotest.HalfReader(strings.NewReader(c.input)))
			for i, want := range c.want {
				got, err := l.next()
				if err != nil || string(got) != want || l.number != i+1 {
					t.Fatalf("line %d: number %d, %d bytes, %v; want %d bytes", i+1, l.number, len(got), err, len(want))
				}
			}
			if _, err := l.next(); err != io.EOF {
				t.Errorf("end: %v, want io.EOF", err)
			}
			if want := int64(len(c.input) - c.mark); l.offset != want {
				t.Errorf("offset %d, want %d", l.offset, want)
			}
		})
	}
}

// TestLongLine has a line that is too long be refused, and the next one be read.
func TestLongLine(t *testing.T) {
	t.Parallel()
	l := newLineReader(strings.NewReader(strings.Repeat("x", 1<<20) + "\nnext\n"))
	l.most = 1 << 19
	if _, err := l.next(); !errors.Is(err, bucketlite.ErrTooLarge) {
		t.Fatalf("long line: %v, want ErrTooLarge", err)
	}
	if got, err := l.next(); err != nil || string(got) != "next" || l.number != 2 {
		t.Errorf("next line: %q, number %d, %v", got, l.number, err)
	}
}

func TestSkip(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after string
		same          bool
		next          string // the line after, if there is one
		number        int
	}{
		"the same":                   {"a\nb\n", "a\nb\n", true, "", 2},
		"more lines":                 {"a\nb\n", "a\nb\nc\n", true, "c", 3},
		"another line":               {"a\nb\n", "a\nB\nc\n", false, "", 0},
		"shorter":                    {"a\nb\n", "a\n", false, "", 0},
		"an open line stays open":    {"a\nb", "a\nb", true, "", 2},
		"an open line is ended":      {"a\nb", "a\nb\n", true, "", 2},
		"an open line, and one more": {"a\nb", "a\nb\nc\n", true, "c", 3},
		"an open line, CRLF":         {"a\nb", "a\nb\r\nc", true, "c", 3},
		"an open line grows":         {"a\nb", "a\nbb\n", false, "", 0},
		"nothing before":             {"", "a\n", true, "a", 1},
		"with a mark":                {"\ufeffa\n", "\ufeffa\nb\n", true, "b", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := newLineReader(strings.NewReader(c.before))
			for {
				if _, err := first.next(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			second := newLineReader(strings.NewReader(c.after))
			same, err := second.skip(first.position())
			if err != nil || same != c.same {
				t.Fatalf("same: %v, %v; want %v", same, err, c.same)
			}
			if !same {
				return
			}
			line, err := second.next()
			if c.next == "" && err != io.EOF {
				t.Errorf("line %q, %v; want the end", line, err)
			}
			if c.next != "" && (err != nil || string(line) != c.next) {
				t.Errorf("line %q, %v; want %q", line, err, c.next)
			}
			if second.number != c.number {
				t.Errorf("number %d, want %d", second.number, c.number)
			}
			if c.next == "" && second.position().Bytes != int64(len(c.after)) {
				t.Errorf("position %d, want %d", second.position().Bytes, len(c.after))
			}
		})
	}
}

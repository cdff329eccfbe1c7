package schema_test

import (
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/schema"
)

// Content is text or not, in whatever pieces it comes.
func TestTextCheck(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		declared, data string
		want           string // "" if it is refused
	}{
		"ASCII":                        {"text/plain", "a\tb\r\n\f", "text/plain"},
		"UTF-8":                        {"text/markdown", "Grüße 日本語 😀", "text/markdown"},
		"byte order mark":              {"text/plain", "\ufeffa", "text/plain"},
		"UTF-16, declared UTF-8":       {"text/plain; charset=utf-8", "\xff\xfea\x00", "text/plain; charset=utf-16"},
		"UTF-8, declared":              {"text/plain; charset=UTF-8", "é", "text/plain; charset=UTF-8"},
		"nothing":                      {"text/plain; charset=latin1", "", "text/plain"},
		"one byte":                     {"text/plain", "a", "text/plain"},
		"one byte that is none":        {"text/plain", "\xff", ""},
		"U+FFFD":                       {"text/plain", "a\ufffdb", "text/plain"},
		"next line":                    {"text/plain", "a\u0085b", "text/plain"},
		"NUL":                          {"text/plain", "a\x00b", ""},
		"escape":                       {"text/plain", "a\x1bb", ""},
		"delete":                       {"text/plain", "a\x7fb", ""},
		"C1":                           {"text/plain", "a\u009fb", ""},
		"Latin-1":                      {"text/plain", "caf\xe9", ""},
		"Latin-1, declared":            {"text/plain; charset=ISO-8859-1", "caf\xe9", "text/plain; charset=ISO-8859-1"},
		"cut short":                    {"text/plain", "a\xe2\x82", ""},
		"overlong":                     {"text/plain", "\xc0\x80", ""},
		"UTF-16, little":               {"text/plain", "\xff\xfea\x00\n\x00\x3d\xd8\x00\xde", "text/plain; charset=utf-16"},
		"UTF-16, big":                  {"text/csv", "\xfe\xff\x00a\x00\n\xd8\x3d\xde\x00", "text/csv; charset=utf-16"},
		"UTF-16 without a mark":        {"text/plain", "a\x00b\x00", ""},
		"UTF-16, declared":             {"text/plain; charset=utf-16le", "a\x00b\x00", "text/plain; charset=utf-16le"},
		"UTF-16, odd":                  {"text/plain", "\xff\xfea\x00b", ""},
		"UTF-16, half a pair":          {"text/plain", "\xff\xfe\x3d\xd8a\x00", ""},
		"UTF-16, half at the end":      {"text/plain", "\xff\xfe\x3d\xd8", ""},
		"UTF-16, other half":           {"text/plain", "\xff\xfe\x00\xdea\x00", ""},
		"UTF-32":                       {"text/plain", "\xff\xfe\x00\x00a\x00\x00\x00", ""},
		"Shift JIS":                    {"text/plain; charset=Shift_JIS", "\x93\xfa\x96\x7b\x8c\xea", "text/plain; charset=Shift_JIS"},
		"Shift JIS, cut short":         {"text/plain; charset=Shift_JIS", "\x93\xfa\x96", ""},
		"Shift JIS that is UTF-8":      {"text/plain; charset=Shift_JIS", "日本語 é", "text/plain"},
		"ISO-2022-JP":                  {"text/plain; charset=iso-2022-jp", "\x1b$BF|K\\\x1b(B", "text/plain; charset=iso-2022-jp"},
		"control in a charset":         {"text/plain; charset=windows-1252", "\x01\xe9", ""},
		"unknown charset":              {"text/plain; charset=klingon", "caf\xe9", ""},
		"unknown charset of UTF-8":     {"text/plain; charset=klingon", "é", "text/plain"},
		"long, broken at the very end": {"text/plain", strings.Repeat("日本語", 2000) + "\xff", ""},
		"long":                         {"text/plain", strings.Repeat("日本語", 2000), "text/plain"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{1, 2, 3, 5, 1000, 1 << 20} {
				c := schema.NewTextCheck(test.declared)
				var err error
				for rest := test.data; rest != "" && err == nil; {
					piece := rest[:min(size, len(rest))]
					rest = rest[len(piece):]
					_, err = c.Write([]byte(piece))
				}
				got := ""
				if err == nil {
					got, err = c.Type()
				}
				if (err == nil) != (test.want != "") || got != test.want {
					t.Errorf("in pieces of %d: got %q, %v, want %q", size, got, err, test.want)
				}
			}
		})
	}
}

// An error is about the declared charset, if there is one.
func TestTextCheckErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ declared, data, want string }{
		{"text/plain", "ab\xff", "the data is not UTF-8: invalid at byte 2, and no charset is declared"},
		{"text/plain; charset=utf-8", "ab\xff", "the data is not UTF-8: invalid at byte 2"},
		{"text/plain; charset=Shift_JIS", "\x81", "the data is not Shift_JIS"},
		{"text/plain; charset=Shift_JIS", "\x93\xfa\x96", "the data is not Shift_JIS"},
		{"text/plain; charset=klingon", "\xff", `the data is not UTF-8, and its charset "klingon" is not known`},
		{"text/plain; charset=windows-1252", "\xe9\x01", "the data is not text: it contains the control character U+0001"},
	} {
		c := schema.NewTextCheck(test.declared)
		_, err := c.Write([]byte(test.data))
		if err == nil {
			_, err = c.Type()
		}
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %q: got error %v, want %q", test.declared, test.data, err, test.want)
		}
	}
}

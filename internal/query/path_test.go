package query_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/query"
)

func TestParsePath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want []string // nil if it cannot be used
	}{
		{"a", []string{"a"}},
		{"a.b.c", []string{"a", "b", "c"}},
		{" a . 0 ", []string{" a ", " 0 "}},
		{`a"'; DROP TABLE object; --[$]`, []string{`a"'; DROP TABLE object; --[$]`}},
		{"", nil},
		{".", nil},
		{"a.", nil},
		{".a", nil},
		{"a..b", nil},
		{"a\xff", nil},
		{"a\x00b", nil},
		{strings.Repeat("日", 255), []string{strings.Repeat("日", 255)}},
		{strings.Repeat("日", 256), nil},
		{strings.Repeat("a.", 31) + "a", slices.Repeat([]string{"a"}, 32)},
		{strings.Repeat("a.", 32) + "a", nil},
	}
	for _, test := range tests {
		got, err := query.ParsePath(test.in)
		if !slices.Equal(got, test.want) || (err == nil) != (test.want != nil) {
			t.Errorf("ParsePath(%q) = %q, %v, want %q", test.in, got, err, test.want)
		}
	}
}

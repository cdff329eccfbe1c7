package record_test

import (
	"bufio"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/record"
)

func TestFormOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"a.csv", "[", "csv"},
		{"a.TSV", "", "tsv"},
		{"a.tab", "", "tsv"},
		{"a.ndjson", "[1]", "jsonl"},
		{"a.json", "\ufeff [1]", "json"}, // also an object on each line
		{"a.json", "{}", "jsonl"},
		{"csv", "a,b", "jsonl"},
		{"", "", "jsonl"},
	} {
		text := bufio.NewReader(strings.NewReader(test.text))
		if got := record.FormOf(test.name, text); got != test.want {
			t.Errorf("%q with %q: got %q, want %q", test.name, test.text, got, test.want)
		}
		if n := text.Buffered(); n != len(test.text) && record.FormOfName(test.name) == "" {
			t.Errorf("%q: %d bytes are left, want %d", test.name, n, len(test.text))
		}
	}
}

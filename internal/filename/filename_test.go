package filename_test

import (
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/filename"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a", "a.png", "ä b.png", "..a", "a..", "...", strings.Repeat("ä", filename.MaxLength)} {
		if err := filename.Check(name); err != nil {
			t.Errorf("%q: got %v, want no error", name, err)
		}
	}
	for _, name := range []string{".", "..", "../a", "a/b", `a\b`, `C:\a`, "a\x00", "a\n", "a\x7f", "a\xff", strings.Repeat("ä", filename.MaxLength+1)} {
		if err := filename.Check(name); err == nil {
			t.Errorf("%q: got no error, want one", name)
		}
	}
}

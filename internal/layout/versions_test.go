package layout

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The benchmarks measure the SQLite that the library is built with.
func TestBenchHasTheSameSQLite(t *testing.T) {
	t.Parallel()
	for _, module := range []string{"modernc.org/sqlite", "modernc.org/libc"} {
		want, got := required(t, "go.mod", module), required(t, "bench/go.mod", module)
		if got != want {
			t.Errorf("bench/go.mod: got %s %s, want %s as in go.mod", module, got, want)
		}
	}
}

// required returns the version of a module that a go.mod requires.
func required(t *testing.T, goMod, module string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(goMod)))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) >= 2 && words[0] == module {
			return words[1]
		}
	}
	t.Fatalf("%s: no version of %s", goMod, module)
	return ""
}

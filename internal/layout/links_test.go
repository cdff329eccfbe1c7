package layout

import (
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// links are packages that cost a program memory, size or time to start, and the only packages
// that may import them, so that a program that embeds a store has none of them. A directory
// stands for all packages below it.
var links = map[string][]string{
	module + "/internal/thumb": {"httpapi", "httpapi/console"},
	"github.com/bep/imagemeta": {"internal/thumb", "picture"},
	"golang.org/x/image":       {"internal/thumb"},
	"image":                    {"bench", "examples/photos", "httpapi/consoletest/seed", "internal/thumb"},
}

func TestLinks(t *testing.T) {
	t.Parallel()
	used := make(map[string]bool)
	for _, file := range files(t) {
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			for linked, from := range links {
				if name != linked && !strings.HasPrefix(name, linked+"/") {
					continue
				}
				used[linked] = true
				if !slices.Contains(from, path.Dir(file)) {
					t.Errorf("%s imports %q, which only %q may", file, name, from)
				}
			}
		}
	}
	for linked := range links {
		if !used[linked] {
			t.Errorf("no package imports %q", linked)
		}
	}
}

package layout

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.." // the directory of the module
	module = "github.com/bucketlite/bucketlite"
)

// floors are the floors of all packages, of nested modules too. A package imports only
// packages from floors below its own.
var floors = map[string]int{
	"internal/aggregate": 0,
	"internal/assertion": 0,
	"internal/bom":       0,
	"internal/clock":     0,
	"internal/filename":  0,
	"internal/folder":    0,
	"internal/format":    0,
	"internal/ident":     0,
	"internal/jsonb":     0,
	"internal/lease":     0,
	"internal/pagecache": 0,
	"internal/pattern":   0,
	"internal/query":     0,
	"internal/record":    0,
	"internal/sample":    0,
	"internal/spell":     0,
	"internal/sqlite3":   0,
	"internal/tempfile":  0,
	"internal/thumb":     0,
	"internal/value":     0,
	"internal/vfs":       0,
	"internal/where":     0,

	"internal/engine": 1,
	"internal/schema": 1,

	"internal/typed": 2,

	"internal/commit": 2,
	"internal/infer":  2,

	"internal/content": 3,
	"internal/index":   3,
	"internal/jobs":    3,

	".":       4,
	"picture": 4, // beside the root, which must not link its EXIF library

	"httpapi":   5,
	"httpfetch": 5,

	"bench":                        7,
	"bucketlitetest":               6,
	"httpapi/console":              6,
	"cmd/bucketlite":               7,
	"examples/collector":           6,
	"examples/docs":                6,
	"examples/photos":              6,
	"examples/quickstart":          6,
	"examples/shop":                6,
	"httpapi/clienttest":           6,
	"httpapi/clienttest/contract":  6,
	"httpapi/clienttest/flow":      6,
	"httpapi/clienttest/wire":      6,
	"httpapi/consoletest":          7,
	"httpapi/consoletest/chromium": 6,
	"httpapi/consoletest/seed":     6,
	"httpapi/consoletest/shot":     7,
	"internal/committest":          6,
	"internal/layout":              6,
	"internal/querytest":           6,
	"internal/sample/sampletest":   6,
	"internal/storetest":           6,
	"internal/vfstest":             6,
	"proof":                        6,
}

// beside are the imports from the same floor, with their reasons.
var beside = map[[2]string]string{
	{"httpapi/clienttest/flow", "httpapi/clienttest/wire"}: "a program that uses a generated client",
	{"httpapi/consoletest/shot", "httpapi/consoletest"}:    "a program that opens one page",
	{"internal/aggregate", "internal/query"}:               "an aggregation selects and groups by paths of queries",
	{"internal/aggregate", "internal/value"}:               "it computes with the values of fields",
	{"internal/assertion", "internal/format"}:              "a schema may require a format",
	{"internal/assertion", "internal/pattern"}:             "a schema may require a pattern",
	{"internal/assertion", "internal/spell"}:               "a keyword may be misspelt",
	{"internal/assertion", "internal/value"}:               "it validates the values of fields",
	{"internal/jobs", "internal/index"}:                    "a job changes the status of its object, which may be indexed",
	{"internal/jsonb", "internal/value"}:                   "it is the stored form of these values",
	{"internal/value", "internal/bom"}:                     "a JSON text may begin with a byte order mark",
	{"internal/query", "internal/pattern"}:                 "a filter may match a pattern",
	{"internal/query", "internal/value"}:                   "a filter compares the values of fields",
	{"internal/where", "internal/query"}:                   "it reads filters",
	{"internal/where", "internal/value"}:                   "a filter compares the values of fields",
}

// forTests are the packages on the top floor that tests of every floor may import.
var forTests = []string{"bucketlitetest", "internal/committest", "internal/querytest", "internal/sample/sampletest", "internal/storetest", "internal/vfstest"}

// Every package has a floor, and imports only from below. Its tests may also import from
// its own floor, and the packages for tests.
func TestFloors(t *testing.T) {
	t.Parallel()
	found := make(map[string]bool)
	neighbours := make(map[[2]string]bool)
	for _, file := range files(t) {
		if !strings.HasSuffix(file, ".go") {
			continue
		}
		from, test := path.Dir(file), strings.HasSuffix(file, "_test.go")
		floor, ok := floors[from]
		if !ok {
			t.Errorf("%s: package %q has no floor", file, from)
			continue
		}
		found[from] = true
		for _, to := range imports(t, file) {
			pair, below := [2]string{from, to}, floors[to]
			switch {
			case below < floor, test && below == floor, test && slices.Contains(forTests, to):
			case below == floor && beside[pair] != "":
				neighbours[pair] = true
			default:
				t.Errorf("%s, on floor %d, imports %q, on floor %d", file, floor, to, below)
			}
		}
	}
	for name := range floors {
		if !found[name] {
			t.Errorf("package %q has a floor, and does not exist", name)
		}
	}
	for pair := range beside {
		if !neighbours[pair] {
			t.Errorf("%q may import %q, and does not", pair[0], pair[1])
		}
	}
	t.Logf("%d packages on %d floors, %d imports on one floor", len(found), slices.Max(slices.Collect(maps.Values(floors)))+1, len(neighbours))
}

// imports returns the packages of this repository that a file imports.
func imports(t *testing.T, file string) (names []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range f.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if name == module {
			names = append(names, ".")
		} else if name, ok := strings.CutPrefix(name, module+"/"); ok {
			names = append(names, name)
		}
	}
	return names
}

// files returns the paths of the files of the repository, with slashes, without
// hidden files and the data of tests.
func files(t *testing.T) (paths []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != "." && strings.HasPrefix(d.Name(), "."), d.Name() == "testdata":
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir():
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

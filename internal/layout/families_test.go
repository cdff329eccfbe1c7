package layout

import (
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// families are those of the root's files, from high to low. The family of a file is its
// name up to the first underscore: object_put.go is of the family object.
var families = []string{
	"typed", "watch", "sync", "import", "export", "stats", "aggregate", "check", "batch", "namespace", "index", "upload", "change", "apply", "object", "bucket", "task",
	"schema", "blob", "uniquekey", "query", "name", "lifecycle", "event", "store", "errors", "doc",
}

// upward lists the uses of a higher family by a lower one, one a line. It may only get
// shorter: see TestFamilies.
const upward = "testdata/upward.txt"

var update = flag.Bool("update", false, "take the uses that are gone off "+upward)

// A family uses the functions, variables and constants of its own files and of lower
// families, except for the uses listed. Types do not count: every family may name those.
//
// A new use fails the test: put the declaration where it is used, or lower. A listed use
// that is gone fails it too: -update takes it off the list.
func TestFamilies(t *testing.T) {
	t.Parallel()
	found := upwardUses(t)
	data, err := os.ReadFile(upward)
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Split(strings.TrimSpace(string(data)), "\n")
	if *update {
		listed = slices.DeleteFunc(listed, func(use string) bool { return !slices.Contains(found, use) })
		if err := os.WriteFile(upward, []byte(strings.Join(listed, "\n")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(listed, found); diff != "" {
		t.Errorf("uses of higher families (-listed +found):\n%s", diff)
	}
	t.Logf("%d uses of a higher family, in %d families", len(found), len(families))
}

// upwardUses returns the uses of a higher family by a lower one, sorted.
func upwardUses(t *testing.T) []string {
	t.Helper()
	fset, parsed, info, pkg := load(t)
	family := func(pos token.Pos) string {
		name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(fset.Position(pos).Filename), ".go"), "_")
		return name
	}
	rank := func(name string) int {
		i := slices.Index(families, name)
		if i < 0 {
			t.Fatalf("family %q has no place in the order", name)
		}
		return i
	}
	found := make(map[string]bool)
	for _, file := range parsed {
		for _, decl := range file.Decls {
			ast.Inspect(decl, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				if !ok {
					return true
				}
				used := info.Uses[id]
				if !counts(used, pkg) {
					return true
				}
				from, to := family(decl.Pos()), family(used.Pos())
				if rank(to) < rank(from) {
					found[fmt.Sprintf("%s: %s uses %s: %s", from, declName(decl, info), to, objectName(used))] = true
				}
				return true
			})
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// counts reports whether an object is a function, method, variable or constant that a
// package declares.
func counts(o types.Object, pkg *types.Package) bool {
	if o == nil || o.Pkg() != pkg {
		return false
	}
	switch o := o.(type) {
	case *types.Func:
		return true
	case *types.Var, *types.Const:
		return o.Parent() == pkg.Scope()
	}
	return false
}

// declName returns the name of a declaration, or the first of several.
func declName(d ast.Decl, info *types.Info) string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return objectName(info.Defs[d.Name])
	case *ast.GenDecl:
		switch s := d.Specs[0].(type) {
		case *ast.TypeSpec:
			return s.Name.Name
		case *ast.ValueSpec:
			return s.Names[0].Name
		}
	}
	return "?"
}

// objectName returns the name of an object, after the type of its receiver if it has one.
func objectName(o types.Object) string {
	f, ok := o.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return o.Name()
	}
	recv := f.Signature().Recv().Type()
	if p, ok := recv.(*types.Pointer); ok {
		recv = p.Elem()
	}
	if n, ok := recv.(*types.Named); ok {
		return n.Obj().Name() + "." + f.Name()
	}
	return f.Name()
}

// load parses the files of the root package for this platform and resolves its names.
func load(t *testing.T) (*token.FileSet, []*ast.File, *types.Info, *types.Package) {
	t.Helper()
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range strings.Fields(goList(t, "-f", "{{join .GoFiles \"\\n\"}}")) {
		f, err := parser.ParseFile(fset, filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	exports := make(map[string]string) // the compiled form of what it imports
	for line := range strings.Lines(goList(t, "-deps", "-export", "-f", "{{.ImportPath}} {{.Export}}")) {
		name, export, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[name] = export
	}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object), Defs: make(map[*ast.Ident]types.Object)}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	pkg, err := config.Check(module, fset, parsed, info)
	if err != nil {
		t.Fatal(err)
	}
	return fset, parsed, info, pkg
}

// goList runs "go list" on the root package.
func goList(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", append(append([]string{"list"}, args...), ".")...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return string(out)
}

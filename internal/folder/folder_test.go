package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// walked returns the paths of a walk, and what it left out, as "reason path".
func walked(t *testing.T, fsys fs.FS, opts Options) (paths, skipped []string) {
	t.Helper()
	err := Walk(context.Background(), fsys, opts, func(f File) error {
		paths = append(paths, f.Path)
		return nil
	}, func(s Skip) { skipped = append(skipped, fmt.Sprintf("%s %s", s.Reason, s.Path)) })
	if err != nil {
		t.Fatal(err)
	}
	return paths, skipped
}

func TestWalk(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"a.jpg": {}, "b.PNG": {}, "notes.txt": {}, ".cache/x.jpg": {}, "c/.hidden.jpg": {},
		"c/d/e.jpg": {}, "c/d/f.txt": {}, "c/trash/g.jpg": {}, "link.jpg": {Mode: fs.ModeSymlink, Data: []byte("a.jpg")},
		"pipe.jpg": {Mode: fs.ModeNamedPipe}, "device": {Mode: fs.ModeDevice}, "socket": {Mode: fs.ModeSocket},
	}
	for name, c := range map[string]struct {
		opts           Options
		paths, skipped []string
	}{
		"all": {Options{}, []string{"a.jpg", "b.PNG", "c/d/e.jpg", "c/d/f.txt", "c/trash/g.jpg", "notes.txt"},
			[]string{"hidden .cache", "hidden c/.hidden.jpg", "special device", "link link.jpg", "special pipe.jpg", "special socket"}},
		"hidden": {Options{Hidden: true}, []string{".cache/x.jpg", "a.jpg", "b.PNG", "c/.hidden.jpg", "c/d/e.jpg", "c/d/f.txt", "c/trash/g.jpg", "notes.txt"},
			[]string{"special device", "link link.jpg", "special pipe.jpg", "special socket"}},
		"names": {Options{Include: []string{"*.{jpg,PNG}"}, Exclude: []string{"trash", "link*"}}, []string{"a.jpg", "b.PNG", "c/d/e.jpg"},
			[]string{"hidden .cache", "hidden c/.hidden.jpg", "excluded c/d/f.txt", "excluded c/trash", "excluded device", "excluded link.jpg", "excluded notes.txt", "special pipe.jpg", "excluded socket"}},
		"paths": {Options{Include: []string{"c/**/*.jpg"}, Exclude: []string{"**/d", "*.jpg/"}}, []string{"c/trash/g.jpg"},
			[]string{"hidden .cache", "excluded a.jpg", "excluded b.PNG", "hidden c/.hidden.jpg", "excluded c/d", "excluded device", "excluded link.jpg", "excluded notes.txt", "excluded pipe.jpg", "excluded socket"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			paths, skipped := walked(t, fsys, c.opts)
			slices.SortFunc(skipped, func(a, b string) int { return strings.Compare(pathOf(a), pathOf(b)) })
			if diff := cmp.Diff(c.paths, paths); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.skipped, skipped); diff != "" {
				t.Errorf("left out (-want +got):\n%s", diff)
			}
		})
	}
}

// pathOf returns the path in a line of what was left out.
func pathOf(line string) string {
	_, path, _ := strings.Cut(line, " ")
	return path
}

func TestMalformedPattern(t *testing.T) {
	t.Parallel()
	for _, p := range []string{"", "[a", "{a", "a\\"} {
		if err := (Options{Exclude: []string{p}}).Validate(); err == nil {
			t.Errorf("pattern %q: got no error", p)
		}
	}
}

func TestWalkStops(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{"a": {}, "b": {}}
	stop := errors.New("stop")
	if err := Walk(context.Background(), fsys, Options{}, func(File) error { return stop }, nil); err != stop {
		t.Errorf("got %v, want the error of visit", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Walk(ctx, fsys, Options{}, func(File) error { return nil }, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{"a": {Data: []byte("abc")}, "link": {Mode: fs.ModeSymlink, Data: []byte("a")}, "pipe": {Mode: fs.ModeNamedPipe}}
	sum, size, err := Hash(context.Background(), fsys, "a")
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; err != nil || sum != want || size != 3 {
		t.Errorf("got %s, %d, %v, want %s, 3", sum, size, err, want)
	}
	for _, name := range []string{"link", "pipe"} {
		if _, _, err := Hash(context.Background(), fsys, name); !errors.Is(err, ErrSpecial) {
			t.Errorf("%s: got %v, want %v", name, err, ErrSpecial)
		}
	}
}

// Selects agrees with what a walk visits.
func TestSelects(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{}
	for _, name := range []string{"a.txt", "b.jpg", ".c.txt", "d/a.txt", "d/.e/a.txt", "no/a.txt", "d/no/a.txt", "d/skip.txt"} {
		fsys[name] = &fstest.MapFile{}
	}
	for _, opts := range []Options{{}, {Hidden: true}, {Include: []string{"*.txt"}}, {Exclude: []string{"no", "d/skip.txt"}}, {Include: []string{"d/**"}, Exclude: []string{"**/no/**"}}} {
		visited := make(map[string]bool)
		if err := Walk(t.Context(), fsys, opts, func(f File) error { visited[f.Path] = true; return nil }, nil); err != nil {
			t.Fatal(err)
		}
		for name := range fsys {
			if got := opts.Selects(name); got != visited[name] {
				t.Errorf("%+v: %q: got %v, want %v", opts, name, got, visited[name])
			}
		}
	}
	for _, name := range []string{"", ".", "/", "/a", "a/", "a//b", "../a", "a/../b", "a\xff"} {
		if (Options{Hidden: true}).Selects(name) {
			t.Errorf("%q is selected, and no file can have that path", name)
		}
	}
}

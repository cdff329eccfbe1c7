package main

import (
	"errors"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The test's program is the photo library, too: each call is a process of its own, as for
// its users.
func TestMain(m *testing.M) {
	if os.Getenv("PHOTOS") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// library runs the photo library in a directory.
type library struct {
	t   *testing.T
	dir string
}

func (l library) run(args ...string) string {
	l.t.Helper()
	cmd := exec.CommandContext(l.t.Context(), os.Args[0], args...)
	cmd.Dir, cmd.Env = l.dir, append(os.Environ(), "PHOTOS=yes")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.t.Fatal(err)
	}
	return string(out)
}

// copyMedia copies files of the module's test media into a folder.
func copyMedia(t *testing.T, to string, names ...string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join("../../testdata/media", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPhotos(t *testing.T) {
	t.Parallel()
	l := library{t, t.TempDir()}
	copyMedia(t, filepath.Join(l.dir, "in", "lisbon"), "photo.jpg", "photo.png", "clip.mp4")
	copyMedia(t, filepath.Join(l.dir, "in", "porto"), "photo.webp", "anim.gif")

	out := l.run("import", "in")
	if !strings.Contains(out, "lisbon/clip.mp4: ") || !strings.HasSuffix(out, "created 4, replaced 0, unchanged 0, refused 1\n") {
		t.Errorf("import: got %s", out)
	}
	if out := l.run("import", "in"); !strings.HasSuffix(out, "created 0, replaced 0, unchanged 4, refused 1\n") {
		t.Errorf("import once more: got %s", out)
	}
	if diff := cmp.Diff("lisbon 2\nporto 2\n", l.run("albums")); diff != "" {
		t.Errorf("albums (-want +got):\n%s", diff)
	}
	line := regexp.MustCompile(`(?m)^(obj_\w+) (\S+) +(\S+) +([1-9]\d*)x([1-9]\d*) +([1-9]\d*) \d{4}-`)
	found := line.FindAllStringSubmatch(l.run("ls", "lisbon"), -1)
	if len(found) != 2 || found[0][3] != "lisbon" || len(line.FindAllString(l.run("ls"), -1)) != 4 {
		t.Fatalf("ls: got %q", found)
	}
	id := found[0][1]
	if out := l.run("thumb", id, "thumb.jpg"); !regexp.MustCompile(`^\d+ bytes image/jpeg [0-9a-f]{8}\n$`).MatchString(out) {
		t.Errorf("thumb: got %s", out)
	}
	f, err := os.Open(filepath.Join(l.dir, "thumb.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if c, _, err := image.DecodeConfig(f); err != nil || max(c.Width, c.Height) > 160 {
		t.Errorf("the thumbnail: got %+v, %v", c, err)
	}
	if out := l.run("rm", id); out != "" {
		t.Errorf("rm: got %s", out)
	}
	if out := l.run("rm", id); !strings.Contains(out, "not found") {
		t.Errorf("rm once more: got %s", out)
	}
	if out := l.run("rmalbum", "porto"); out != "deleted 2\n" {
		t.Errorf("rmalbum: got %s", out)
	}
	if diff := cmp.Diff("lisbon 1\n", l.run("albums")); diff != "" {
		t.Errorf("albums (-want +got):\n%s", diff)
	}
	if out := l.run("stats"); !regexp.MustCompile(`^content [1-9]\d* file [1-9]\d* free \d+\n$`).MatchString(out) {
		t.Errorf("stats: got %s", out)
	}
	if out := l.run("nonsense"); !strings.HasPrefix(out, "usage: ") {
		t.Errorf("nonsense: got %s", out)
	}
}

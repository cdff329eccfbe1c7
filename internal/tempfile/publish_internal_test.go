package tempfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A published file has one name, and takes the place of no other.
func TestPublish(t *testing.T) {
	t.Parallel()
	for name, publish := range map[string]func(from, to string) error{"publish": Publish, "link": linkNew} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			directory := t.TempDir()
			from, to := filepath.Join(directory, "from"), filepath.Join(directory, "to")
			write := func(text string) {
				if err := os.WriteFile(from, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want := func(content string, names ...string) {
				t.Helper()
				got := []string{}
				entries, err := os.ReadDir(directory)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range entries {
					got = append(got, e.Name())
				}
				if !slices.Equal(got, names) {
					t.Errorf("names: got %q, want %q", got, names)
				}
				if data, err := os.ReadFile(to); err != nil || string(data) != content {
					t.Errorf("file: got %q, %v, want %q", data, err, content)
				}
			}
			write("first")
			if err := publish(from, to); err != nil {
				t.Fatal(err)
			}
			want("first", "to")
			write("second")
			if err := publish(from, to); !errors.Is(err, fs.ErrExist) {
				t.Errorf("publish over a file: got error %v, want %v", err, fs.ErrExist)
			}
			want("first", "from", "to")
		})
	}
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/bucketlitetest"
)

// TestClients runs the README's clients against a server, one after the other, since
// each goes on where the one before has ended.
func TestClients(t *testing.T) {
	s := bucketlitetest.NewServer(t)
	dir := t.TempDir()
	photo, err := os.ReadFile("../quickstart/data/photo.jpg")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "photo.jpg"), photo)
	readme := read(t, "../../README.md")
	clients := []struct {
		language string
		program  []string // what runs a file
		file     string
		want     []string // what it prints
	}{
		{"bash", []string{"bash", "-euo", "pipefail"}, "client.sh", []string{`"namespace_name":"shop"`, `"bucket_name":"products"`, `"sku":"A-1"`, `"total_objects":1`}},
		{"python", []string{"python3"}, "client.py", []string{"obj_"}},
		{"js", []string{"node"}, "client.mjs", []string{"COMPLETED"}},
	}
	for _, c := range clients {
		t.Run(c.language, func(t *testing.T) {
			if _, err := exec.LookPath(c.program[0]); err != nil {
				t.Skipf("%s is not installed: its example was not run", c.program[0])
			}
			write(t, filepath.Join(dir, c.file), []byte(block(t, readme, c.language)))
			command := exec.CommandContext(t.Context(), c.program[0], append(c.program[1:], c.file)...)
			command.Dir = dir
			command.Env = append(os.Environ(), "BUCKETLITE_URL="+s.URL, "BUCKETLITE_API_KEY="+s.Key)
			printed, err := command.CombinedOutput()
			if err != nil {
				t.Fatalf("%v:\n%s", err, printed)
			}
			for _, want := range c.want {
				if !strings.Contains(string(printed), want) {
					t.Errorf("got %s, want %s in it", printed, want)
				}
			}
		})
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}
